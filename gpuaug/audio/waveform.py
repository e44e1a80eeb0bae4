"""Steps on waveforms ``[B, C, L]``: torch operations with parameters of each sample."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from ..batch import Batch
from ..checks import boolean, increasing, one_of
from ..deliver import deliver
from ..track import Track
from ..uniforms import between, integers, key
from .pipeline import Augmentation, upload


def _column(values, like: torch.Tensor, rows: np.ndarray, other: float) -> torch.Tensor:
    """Numbers of the samples ``rows`` as ``[B, 1, 1]``, ``other`` for those that are not among them."""
    whole = np.full(len(like), other, np.float64)
    whole[rows] = values
    return upload(whole, like).to(like.dtype)[:, None, None]


def _valid(lengths: np.ndarray, like: torch.Tensor) -> torch.Tensor:
    """bool ``[B, 1, L]``: not padding."""
    at = torch.arange(like.shape[-1], device=like.device)
    return at < upload(lengths, like)[:, None, None]


class Gain(Augmentation):
    """Louder or softer.

    Args:
        min_gain_in_db, max_gain_in_db: range of the gain.
        prob: probability, per sample.

    Source: torch-audiomentations ``Gain``; torchaudio ``Vol`` with gain_type "db".

    Example:
        >>> import torch, gpuaug.audio as audio
        >>> audio.Gain(20, 20, prob=1.0)(torch.ones(1, 3))
        tensor([[10., 10., 10.]])
    """

    domain = "wave"
    computes = True

    def __init__(self, min_gain_in_db: float = -18.0, max_gain_in_db: float = 6.0, *, prob: float = 0.5):
        super().__init__(prob)
        self.gain = increasing("gain_in_db", (min_gain_in_db, max_gain_in_db))

    def columns(self) -> int:
        return 1

    def draw(self, u, view):
        return {"gain": 10 ** (between(u[:, 0], *self.gain) / 20)}

    def wave(self, data, lengths, rows, params):
        return data * _column(params["gain"], data, rows, 1.0)


class PolarityInversion(Augmentation):
    """Turn the sign.

    Args:
        prob: probability, per sample.

    Source: torch-audiomentations ``PolarityInversion``.

    Example:
        >>> import torch, gpuaug.audio as audio
        >>> audio.PolarityInversion(1.0)(torch.ones(1, 2))
        tensor([[-1., -1.]])
    """

    domain = "wave"
    computes = True

    def __init__(self, prob: float = 0.5):
        super().__init__(prob)

    def draw(self, u, view):
        return {"sign": np.full(len(u), -1.0)}

    def wave(self, data, lengths, rows, params):
        return data * _column(params["sign"], data, rows, 1.0)


class TimeShift(Augmentation):
    """Move along time, within the sample's length.

    Args:
        min_shift, max_shift: range of the shift; positive is later.
        shift_unit: "fraction" or "samples".
        rollover: what leaves at one end comes in at the other; else zeros come in.
        prob: probability, per sample.

    Source: torch-audiomentations ``Shift``.

    Example:
        >>> import torch, gpuaug.audio as audio
        >>> audio.TimeShift(1, 1, "samples", prob=1.0)(torch.tensor([[1.0, 2, 3, 0]]), lengths=[3])[0]
        tensor([[3., 1., 2., 0.]])
    """

    domain = "wave"

    def __init__(
        self,
        min_shift: float = -0.5,
        max_shift: float = 0.5,
        shift_unit: str = "fraction",
        rollover: bool = True,
        *,
        prob: float = 0.5,
    ):
        super().__init__(prob)
        self.shift_unit = one_of("shift_unit", shift_unit, ("fraction", "samples"))
        self.shift = increasing("shift", (min_shift, max_shift), *((-1, 1) if shift_unit == "fraction" else ()))
        self.rollover = boolean("rollover", rollover)

    def columns(self) -> int:
        return 1

    def draw(self, u, view):
        if self.shift_unit == "samples":
            return {"shift": integers(u[:, 0], int(self.shift[0]), int(self.shift[1]))}
        return {"shift": np.rint(between(u[:, 0], *self.shift) * view.size[:, 1]).astype(np.int64)}

    def wave(self, data, lengths, rows, params):
        shift = np.zeros(len(data), np.int64)
        shift[rows] = params["shift"]
        at = np.arange(data.shape[-1])[None] - shift[:, None]
        padding = np.arange(data.shape[-1])[None] >= lengths[:, None]
        source = np.where(padding, np.arange(data.shape[-1]), np.mod(at, lengths[:, None]))
        out = data.gather(-1, upload(source, data)[:, None].expand_as(data))
        if not self.rollover:
            empty = ~padding & ((at < 0) | (at >= lengths[:, None]))
            out = out.masked_fill(upload(empty, data)[:, None], 0)
        return out


class AddNoise(Augmentation):
    """Add noise at a signal-to-noise ratio.

    Args:
        min_snr_in_db, max_snr_in_db: range of the ratio of energies over the sample's length.
        noises: None: white noise, from a counter. Or a tensor ``[N, L]``, or a list of tensors ``[L]``: one is drawn for each
            sample, from a place that is drawn, and repeated where it is too short.
        prob: probability, per sample.

    Source: torchaudio ``add_noise``. Silent samples, and silent noise, stay as they are.

    Raises:
        ValueError: an empty bank of noises.

    Example:
        >>> import torch, gpuaug.audio as audio
        >>> clean = torch.ones(1, 50000)
        >>> noise = audio.AddNoise(20, 20, prob=1.0)(clean) - clean
        >>> bool(abs(noise.square().mean() - 0.01) < 1e-6)
        True
    """

    domain = "wave"
    computes = True

    def __init__(self, min_snr_in_db: float = 3.0, max_snr_in_db: float = 30.0, noises: Any = None, *, prob: float = 0.5):
        super().__init__(prob)
        self.snr = increasing("snr_in_db", (min_snr_in_db, max_snr_in_db))
        self.noises = None
        if noises is not None:
            self.noises = [torch.as_tensor(n).float().reshape(-1) for n in noises]
            if not self.noises or min(len(n) for n in self.noises) == 0:
                raise ValueError("noises must hold at least one noise, and none of length 0")

    def columns(self) -> int:
        return 3

    def draw(self, u, view):
        return {"snr": between(u[:, 0], *self.snr), "u": u[:, 1:3], "key": key(u[:, 1:3])}

    def _white(self, data, rows, keys):
        """Standard normal numbers ``[rows, C, L]`` from the kernel's counter: the same for any padding and device."""
        track = Track(
            Batch.of(torch.zeros(1, 1, 1, 1, device=data.device).expand(len(rows), data.shape[1], 1, data.shape[-1]), "CHW")
        )
        track.op(slice(None), "gauss", key=keys, sigma=1.0, mean=0.0, width=data.shape[-1], alike=False, whole=False)
        return deliver(track, "noise", None, False, squeeze=False)[:, :, 0]

    def _pick(self, data, u):
        out = torch.zeros(len(u), 1, data.shape[-1], device=data.device)
        for i, (which, start) in enumerate(u.tolist()):
            noise = self.noises[int(which * len(self.noises))].to(data.device)
            at = (torch.arange(data.shape[-1], device=data.device) + int(start * len(noise))) % len(noise)
            out[i, 0] = noise[at]
        return out

    def wave(self, data, lengths, rows, params):
        index = upload(rows, data)
        clean = data if len(rows) == len(data) else data[index]
        noise = self._white(data, rows, params["key"]) if self.noises is None else self._pick(data, params["u"])
        noise = (noise * _valid(lengths[rows], data)).to(data.dtype)
        wide = torch.promote_types(data.dtype, torch.float32)
        signal_energy = (clean * _valid(lengths[rows], data)).to(wide).square().sum((1, 2), keepdim=True)
        energy = noise.to(wide).square().sum((1, 2), keepdim=True) * (clean.shape[1] / noise.shape[1])
        ratio = upload(10 ** (params["snr"] / 10), data).to(wide)[:, None, None]
        scale = torch.where(energy > 0, signal_energy / (ratio * energy), torch.zeros_like(energy)).sqrt().to(data.dtype)
        noisy = clean + scale * noise
        if len(rows) == len(data):
            return noisy
        out = data.clone()
        out[index] = noisy
        return out
