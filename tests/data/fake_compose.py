"""A stand-in for a Compose, in NumPy: what a sample becomes depends on (seed, epoch, id, occurrence) and its pixels alone."""

import numpy as np
import torch


def samples_of(data):
    """A list of HWC (or HW) uint8 arrays from whatever a loader hands over."""
    if hasattr(data, "data_ptr") and not isinstance(data, torch.Tensor):
        flat = np.array(data.as_reshaped_tensor([sum(int(np.prod(s)) for s in data.shape())]))
        out, at = [], 0
        for shape in data.shape():
            out.append(flat[at : at + int(np.prod(shape))].reshape(shape))
            at += int(np.prod(shape))
        return out
    out = []
    for s in data:
        out.append(s.permute(1, 2, 0).numpy() if isinstance(s, torch.Tensor) and s.ndim == 3 else np.asarray(s))
    return out


class FakeCompose:
    """Crops `size` x `size` at a drawn place (tiling images that are smaller) and adds a drawn value."""

    def __init__(self, size=8, seed=None):
        self.size, self.seed, self.calls = size, seed, []

    def run(self, targets, *, ids, epoch=0, occurrence=None, device=None, dtype=None, channels_last=False, seed=None):
        self.calls.append((epoch, np.asarray(ids).tolist(), np.asarray(occurrence).tolist()))
        out = {}
        for name, data in targets.items():
            done = []
            for image, i, o in zip(samples_of(data), ids, occurrence, strict=True):
                key = [self.seed or seed or 0, (epoch * 1000 + int(o)) * 2**32 + int(i)]
                rng = np.random.Generator(np.random.Philox(key=key))
                y, x, add = rng.integers(0, 2**20, 3)
                h, w = image.shape[:2]
                rows, cols = (y + np.arange(self.size)) % h, (x + np.arange(self.size)) % w
                crop = image[rows][:, cols]
                if name.startswith("mask"):
                    done.append(torch.from_numpy(np.ascontiguousarray(crop)))
                else:
                    crop = crop if crop.ndim == 3 else crop[..., None]
                    crop = (crop + add.astype(crop.dtype)).astype(crop.dtype)
                    done.append(torch.from_numpy(np.ascontiguousarray(crop.transpose(2, 0, 1))))
            value = torch.stack(done).to(device)
            out[name] = value if dtype is None or name.startswith("mask") else value.to(dtype)
        return out
