"""Masks and warps of spectrograms ``[.., frequency, time]``."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from .. import maps
from ..checks import boolean, colour, integer, real
from ..transforms.dropout import fill_holes
from ..transforms.spectrogram import stripes
from ..uniforms import integers
from .pipeline import Augmentation, upload


class _Masks(Augmentation, register=False):
    """Stripes along time and frequency, and before them a warp."""

    def __init__(
        self,
        times: int,
        time_param: int,
        freqs: int,
        freq_param: int,
        fraction: float,
        value: Any,
        warp: int,
        iid_channels: bool,
        prob,
        iid_masks: bool = True,
    ):
        super().__init__(prob)
        self.iid_masks = boolean("iid_masks", iid_masks)
        self.shared = not self.iid_masks
        self._times, self._freqs = (times, time_param), (freqs, freq_param)
        self._fraction, self._value, self._warp, self.iid_channels = fraction, value, warp, boolean("iid_channels", iid_channels)

    def extra_repr(self) -> str:
        return super().extra_repr().replace(f"p={self.p!r}", f"p={self._fraction!r}")  # p is torchaudio's, the coin is prob

    def columns(self) -> int:
        return 2 * (self._times[0] + self._freqs[0]) + 2 * (self._warp > 0)

    def draw(self, u, view):
        n, kt, kf = len(u), self._times[0], self._freqs[0]
        high, length = view.size[:, 0], view.size[:, 1]
        holes = np.zeros((n, kt + kf, 4), np.int64)
        start, end = stripes(u[:, : 2 * kt].reshape(n, 2, kt), length, self._times[1], self._fraction)
        holes[:, :kt, 0], holes[:, :kt, 2], holes[:, :kt, 3] = start, end, high[:, None]
        start, end = stripes(u[:, 2 * kt : 2 * (kt + kf)].reshape(n, 2, kf), high, self._freqs[1])
        holes[:, kt:, 1], holes[:, kt:, 3], holes[:, kt:, 2] = start, end, length[:, None]
        params = {"holes": holes, "length": length}
        if self._warp:
            params["warp"] = warp_anchors(u[:, -2:], length, self._warp)
        return params

    def lower(self, to, rows, params) -> None:
        index = np.arange(to.samples)[rows]
        mean = None
        if self._value == "mean":  # of the input, without its padding
            mean = to.reduce(rows, "moments", width=params["length"])
        if self._warp:
            moved = params["warp"][:, 0] != params["warp"][:, 1]
            if moved.any():
                warp(to, index[moved], params["warp"][moved], params["length"][moved])
        fill_holes(to, rows, params["holes"], self._value, mean=mean)

    def by_torch(self, data, lengths, rows, params):
        index = upload(rows, data)
        mine = data if len(rows) == len(data) else data[index]
        value = self._value
        x = torch.arange(mine.shape[-1], device=mine.device)
        length = upload(params["length"], mine)[:, None, None, None]
        if value == "mean":  # of the input, without its padding and NaNs
            counted = (x < length) & ~mine.isnan()
            value = torch.where(counted, mine, 0).sum((1, 2, 3), True) / counted.sum((1, 2, 3), True).clamp(min=1)
        elif isinstance(value, tuple):
            value = torch.tensor(value, dtype=mine.dtype, device=mine.device)[:, None, None]
        if self._warp:
            mine = _warped(mine, params["warp"], params["length"])
        x0, y0, x1, y1 = upload(params["holes"], mine).permute(2, 0, 1)[..., None, None, None]  # [B, K, 1, 1, 1] each
        y = torch.arange(mine.shape[-2], device=mine.device)[:, None]
        masked = ((x >= x0) & (x < x1) & (y >= y0) & (y < y1)).any(1)
        mine = torch.where(masked, value, mine)
        return mine if len(rows) == len(data) else data.index_copy(0, index, mine)

    def forward(self, specgram, mask_value=None, lengths=None, *, ids=None, epoch: int = 0, occurrence=None):
        """Mask a batch; mask_value, a number or "mean", replaces the one given at construction."""
        if mask_value is None:
            return super().forward(specgram, lengths, ids=ids, epoch=epoch, occurrence=occurrence)
        kept, self._value = self._value, _value("mask_value", mask_value)
        try:
            return super().forward(specgram, lengths, ids=ids, epoch=epoch, occurrence=occurrence)
        finally:
            self._value = kept


def _value(name: str, value):
    if isinstance(value, str):
        if value != "mean":
            raise ValueError(f"{name} must be a number or 'mean', got {value!r}")
        return value
    return colour(name, float(value) if isinstance(value, (int, torch.Tensor)) and not isinstance(value, bool) else value)


def warp_anchors(u: np.ndarray, length: np.ndarray, most: int) -> np.ndarray:
    """Column that moves and where it goes, int ``[n, 2]``: from [most, length - most), moved by -most .. most, kept inside."""
    at = integers(u[:, 0], most, np.maximum(length - most - 1, most))
    to = np.clip(at + integers(u[:, 1], -most, most), 1, length - 2)
    short = length < 2 * most + 1  # too short to hold an anchor: no warp
    return np.where(short[:, None], 0, np.stack([at, to], 1))


def warp(to, rows, anchors: np.ndarray, length: np.ndarray) -> None:
    """Lower a time warp: column anchors[:, 0] goes to anchors[:, 1]; the first and the last stay, so does what is behind them."""
    to.gather(rows, maps.TimeWarp(anchors[:, 0], anchors[:, 1], length), to.size[rows], 1)


def _warped(data: torch.Tensor, anchors: np.ndarray, length: np.ndarray) -> torch.Tensor:
    """`warp` of all samples ``[B, C, F, T]``, in operations of torch."""
    source, target, length = anchors[:, :1], anchors[:, 1:], length[:, None]
    x, last = np.arange(data.shape[-1])[None], length - 1
    stay = (source == target) | (x >= length)
    before = x * source / np.maximum(target, 1)
    after = last + (x - last) * (last - source) / np.maximum(last - target, 1)
    at = np.where(stay, x, np.clip(np.where(x < target, before, after), 0, last))
    whole = np.floor(at).astype(np.int64)
    share = upload(at - whole, data).to(data.dtype)[:, None, None].expand_as(data)

    def column(k):
        return data.gather(-1, upload(np.minimum(k, data.shape[-1] - 1), data)[:, None, None].expand_as(data))

    # where nothing is interpolated a NaN next door stays there
    return torch.where(share > 0, torch.lerp(column(whole), column(whole + 1), share), column(whole))


class TimeMasking(_Masks):
    """Mask one stripe of time steps.

    Args:
        time_mask_param: upper bound of the width, exclusive.
        iid_masks: draw for each sample; else one draw, that of the first, for all samples of a call, as torchaudio does.
        p: upper bound of the width as a fraction of the time steps (not a probability), in [0, 1].
        iid_channels: a mask for each channel of a sample, as torchaudio's iid_masks does.
        mask_value: a number, or "mean": the sample's mean.
        prob: probability, per sample, that it is applied.

    Source: torchaudio ``TimeMasking``; a time_mask_param above the axis is allowed there and here.

    Raises:
        ValueError: a time_mask_param below 0, a p outside [0, 1].

    Example:
        >>> import torch, gpuaug.audio as audio
        >>> out = audio.TimeMasking(50)(torch.ones(8, 64, 100))
        >>> out.shape, bool((out == 0).all(1).any())
        (torch.Size([8, 64, 100]), True)
    """

    def __init__(
        self,
        time_mask_param: int,
        iid_masks: bool = False,
        p: float = 1.0,
        *,
        iid_channels: bool = False,
        mask_value: Any = 0.0,
        prob: float = 1.0,
    ):
        super().__init__(
            1,
            integer("time_mask_param", time_mask_param, 0),
            0,
            0,
            real("p", p, 0, 1),
            _value("mask_value", mask_value),
            0,
            iid_channels,
            prob,
            iid_masks,
        )
        self.time_mask_param = time_mask_param


class FrequencyMasking(_Masks):
    """Mask one stripe of frequencies.

    Args:
        freq_mask_param: upper bound of the height, exclusive.
        iid_masks: draw for each sample; else one draw, that of the first, for all samples of a call, as torchaudio does.
        iid_channels: a mask for each channel of a sample.
        mask_value: a number, or "mean": the sample's mean.
        prob: probability, per sample, that it is applied.

    Source: torchaudio ``FrequencyMasking``.

    Raises:
        ValueError: a freq_mask_param below 0.

    Example:
        >>> import torch, gpuaug.audio as audio
        >>> audio.FrequencyMasking(30)(torch.ones(8, 64, 100)).shape
        torch.Size([8, 64, 100])
    """

    def __init__(
        self,
        freq_mask_param: int,
        iid_masks: bool = False,
        *,
        iid_channels: bool = False,
        mask_value: Any = 0.0,
        prob: float = 1.0,
    ):
        super().__init__(
            0,
            0,
            1,
            integer("freq_mask_param", freq_mask_param, 0),
            1.0,
            _value("mask_value", mask_value),
            0,
            iid_channels,
            prob,
            iid_masks,
        )
        self.freq_mask_param = freq_mask_param


class SpecAugment(_Masks):
    """Time warp, time masks and frequency masks, in one pass.

    Args:
        n_time_masks, time_mask_param: how many stripes of time steps, and the upper bound of their width, exclusive.
        n_freq_masks, freq_mask_param: the same for frequencies.
        iid_masks: draw for each sample; else one draw, that of the first, for all samples of a call, as torchaudio does.
        p: upper bound of a time mask's width as a fraction of the time steps (not a probability), in [0, 1].
        zero_masking: mask with 0 instead of the mean.
        time_warp: W of the paper: a column drawn from [W, length - W) moves by up to W columns, what is before and behind it is
            stretched linearly. 0: no warp. Samples shorter than 2 W + 1 are not warped.
        mask_value: a number, or "mean"; comes before zero_masking.
        iid_channels: masks for each channel of a sample.
        prob: probability, per sample, that it is applied.

    The mean is each sample's own (of each channel with iid_channels), without padding and NaNs; torchaudio takes one over all.
    Source: torchaudio ``SpecAugment``; Park et al. 2019.

    Raises:
        ValueError: a number of masks or a parameter below 0, a p outside [0, 1].

    Example:
        >>> import torch, gpuaug.audio as audio
        >>> audio.SpecAugment(2, 20, 2, 10, time_warp=5)(torch.rand(8, 64, 100), lengths=[100] * 8)[0].shape
        torch.Size([8, 64, 100])
    """

    def __init__(
        self,
        n_time_masks: int,
        time_mask_param: int,
        n_freq_masks: int,
        freq_mask_param: int,
        iid_masks: bool = True,
        p: float = 1.0,
        zero_masking: bool = False,
        *,
        time_warp: int = 0,
        mask_value: Any = None,
        iid_channels: bool = False,
        prob: float = 1.0,
    ):
        value = _value(
            "mask_value", (0.0 if boolean("zero_masking", zero_masking) else "mean") if mask_value is None else mask_value
        )
        super().__init__(
            integer("n_time_masks", n_time_masks, 0, 1000),
            integer("time_mask_param", time_mask_param, 0),
            integer("n_freq_masks", n_freq_masks, 0, 1000),
            integer("freq_mask_param", freq_mask_param, 0),
            real("p", p, 0, 1),
            value,
            integer("time_warp", time_warp, 0),
            iid_channels,
            prob,
            iid_masks,
        )
        self.n_time_masks, self.time_mask_param = n_time_masks, time_mask_param
        self.n_freq_masks, self.freq_mask_param, self.time_warp = n_freq_masks, freq_mask_param, time_warp


class TimeWarp(_Masks):
    """SpecAugment's time warp alone.

    Args:
        time_warp: W; see `SpecAugment`.
        prob: probability, per sample.

    Source: Park et al. 2019.

    Example:
        >>> import torch, gpuaug.audio as audio
        >>> audio.TimeWarp(10)(torch.rand(8, 64, 100)).shape
        torch.Size([8, 64, 100])
    """

    def __init__(self, time_warp: int = 80, *, prob: float = 1.0):
        super().__init__(0, 0, 0, 0, 1.0, 0.0, integer("time_warp", time_warp, 1), False, prob)
        self.time_warp = time_warp


class TimeReverse(Augmentation):
    """Play backwards: waveforms or spectrograms; padding stays behind.

    Args:
        prob: probability, per sample.

    Alone, without a `Compose` that says what it is given, it takes spectrograms; pass waveforms as ``[B, 1, L]``.

    Source: albumentations ``TimeReverse`` (after "Time reversal" of Rommel et al. 2022, for EEG).

    Example:
        >>> import torch, gpuaug.audio as audio
        >>> audio.TimeReverse(1.0)(torch.tensor([[[1.0, 2, 3, 0]]]), lengths=[3])[0]
        tensor([[[3., 2., 1., 0.]]])
    """

    domain = "either"

    def __init__(self, prob: float = 0.5):
        super().__init__(prob)

    def draw(self, u, view):
        return {"length": view.size[:, 1]}

    def lower(self, to, rows, params) -> None:
        length, size = params["length"], to.size[rows]
        if (length == size[:, 1]).all():
            to.orient(rows, "hflip")
            return
        to.gather(rows, maps.TimeWarp.reversed(length), size, 1)

    def wave(self, data, lengths, rows, params):
        at = np.tile(np.arange(data.shape[-1]), (len(data), 1))
        back = lengths[:, None] - 1 - at
        chosen = np.isin(np.arange(len(data)), rows)
        at = np.where(chosen[:, None] & (back >= 0), back, at)
        return data.gather(-1, upload(at, data).view(len(data), *[1] * (data.ndim - 2), -1).expand_as(data))

    by_torch = wave
