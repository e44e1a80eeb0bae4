"""Images and masks that a Python dataset returns, made readable for the kernels and packed for the way between processes."""

import numpy as np
import torch

_READABLE = ("uint8", "float16", "bfloat16", "float32")


def to_pixels(leaf, mask=False):
    """An array or tensor of a type that the kernels read, from a PIL image, array or tensor. Copies only if it must.

    PIL palette and 1-bit images become RGB and gray (as masks: indices); float64 becomes float32; integer masks int32.
    """
    if hasattr(leaf, "getbands"):
        leaf = _from_pil(leaf, mask)
    if isinstance(leaf, torch.Tensor):
        leaf = leaf.detach()
        if type(leaf) is not torch.Tensor:  # tv_tensors
            leaf = leaf.as_subclass(torch.Tensor)
    else:
        leaf = np.asarray(leaf)
    return _readable(leaf, mask)


def _from_pil(image, mask):
    if image.mode == "1":
        return np.asarray(image).astype(np.uint8) * (1 if mask else 255)
    if mask or image.mode in ("L", "RGB", "RGBA", "F"):
        return np.asarray(image)
    return np.asarray(image.convert("RGBA" if image.mode in ("LA", "PA", "La", "RGBa") else "RGB"))


def _readable(array, mask):
    kind = str(array.dtype).removeprefix("torch.")
    if kind in _READABLE or (mask and kind == "int32"):
        return array
    if kind == "bool":
        return array.to(torch.uint8) if isinstance(array, torch.Tensor) else array.view(np.uint8)
    if kind == "float64":
        return array.float() if isinstance(array, torch.Tensor) else array.astype(np.float32)
    if mask and kind in ("int64", "int16", "uint16", "int8", "uint32"):
        return array.to(torch.int32) if isinstance(array, torch.Tensor) else array.astype(np.int32)
    return array  # Batch.of says what it takes


def wide(leaf):
    """The dtype that a mask must be given back in: int64 masks are class indices for a loss, which takes nothing else."""
    return torch.int64 if str(getattr(leaf, "dtype", "")) in ("int64", "torch.int64") else None


class Packed:
    """Samples of one target in one block of memory, which travels between processes as one tensor.

    A tensor per sample would cost a file handle and 60 us each.
    """

    def __init__(self, samples):
        self.planar = isinstance(samples[0], torch.Tensor)
        tensors = [s if self.planar else _from_numpy(s) for s in samples]
        self.shapes = [tuple(t.shape) for t in tensors]
        total = sum(t.numel() for t in tensors)
        self.block = _shared(tensors[0], total)
        at = 0
        for t in tensors:
            self.block[at : at + t.numel()].view(t.shape).copy_(t)
            at += t.numel()

    def samples(self):
        """One array where all samples have the same shape, else a list; tensors if tensors went in, else NumPy."""
        if len(set(self.shapes)) == 1:
            out = self.block.view(len(self.shapes), *self.shapes[0])
            return out if self.planar else out.numpy()
        out, at = [], 0
        for shape in self.shapes:
            n = int(np.prod(shape))
            view = self.block[at : at + n].view(shape)
            out.append(view if self.planar else view.numpy())
            at += n
        return out


def packable(samples):
    """Whether a target can be packed: arrays or tensors of one type."""
    return all(isinstance(s, (np.ndarray, torch.Tensor)) for s in samples) and len({(type(s), s.dtype) for s in samples}) == 1


def _from_numpy(array):
    if any(s < 0 for s in array.strides) or not array.flags.writeable:
        array = array.copy()
    return torch.from_numpy(array)


def _shared(like, count):
    if torch.utils.data.get_worker_info() is None:
        return like.new_empty(count)
    # as torch's default_collate: allocated in shared memory at once, or it would be copied there on its way
    storage = like._typed_storage()._new_shared(count, device="cpu")
    return like.new(storage).resize_(count)


def stack(data, name):
    """[B, ...] tensor of the samples of one target; images [B, C, H, W]. ValueError names two samples that differ in size.

    What `transform=None` delivers. data: TensorList, array, tensor or list of samples.
    """
    if type(data).__module__.startswith("nvidia.dali"):
        return _stack_tensor_list(data, name)
    if isinstance(data, (np.ndarray, torch.Tensor)):
        samples = [data]
        whole = data if isinstance(data, torch.Tensor) else _from_numpy(data)
    else:
        samples = data
        _same_size([tuple(s.shape) for s in data], name)
        whole = torch.stack([s if isinstance(s, torch.Tensor) else _from_numpy(s) for s in data])
    if isinstance(samples[0], np.ndarray) and whole.ndim == 4:
        whole = whole.permute(0, 3, 1, 2).contiguous()
    return whole


def _stack_tensor_list(data, name):
    _same_size([tuple(s) for s in data.shape()], name)
    tensor = data.as_tensor()
    if "GPU" in type(data).__name__:
        whole = torch.from_dlpack(tensor)
    else:
        whole = torch.from_numpy(np.array(tensor, copy=True))
    return whole.permute(0, 3, 1, 2).contiguous() if whole.ndim == 4 else whole


def apart(data):
    """The samples of one target as a list."""
    if type(data).__module__.startswith("nvidia.dali"):
        gpu = "GPU" in type(data).__name__
        return [torch.from_dlpack(data[k]).permute(2, 0, 1) if gpu else np.array(data[k]) for k in range(len(data))]
    return list(data)


def _same_size(shapes, name):
    for k, shape in enumerate(shapes):
        if shape != shapes[0]:
            raise ValueError(
                f"{name}: sample {k} of the batch has shape {shape}, sample 0 has {shapes[0]}; without a transform all must be "
                f"equal: give one that ends in a fixed size (Resize, RandomCrop, CenterCrop, RandomResizedCrop)"
            )
