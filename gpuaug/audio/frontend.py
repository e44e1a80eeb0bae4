"""Waveforms to spectrograms: torchaudio's transforms (torch.stft and filterbanks) as steps that carry lengths."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from ..checks import one_of
from .pipeline import Augmentation, upload


def _torchaudio(name: str):
    try:
        import torchaudio
    except Exception as error:  # a build for another torch raises OSError
        raise ImportError(
            f"gpuaug.audio.{name} needs torchaudio, which cannot be imported: {error}; "
            f"install it with `pip install 'gpuaug[audio]'`"
        ) from error
    return getattr(torchaudio.transforms, name)


class _Frontend(Augmentation, register=False):
    domain = "frontend"

    def __init__(self, **arguments):
        super().__init__()
        kind = _torchaudio(type(self).__name__)
        # frames are cut here (below), so that padding has no part in them
        self.center, self.pad_mode = (
            arguments.pop("center", True),
            one_of("pad_mode", arguments.pop("pad_mode", "reflect"), ("reflect", "constant")),
        )
        self.inner = kind(center=False, **arguments)
        self.n_fft, self.hop = self.inner.n_fft, self.inner.hop_length

    def columns(self) -> int:
        return 0

    def transform(self, data: torch.Tensor, lengths: np.ndarray, carried: bool) -> tuple[torch.Tensor, np.ndarray]:
        """``[B, C, L]`` to ``[B, C, F, T]``, and the lengths in frames; frames of padding are 0.

        Every sample gets what torchaudio makes of it alone: it is reflected at its own end, not at the batch's.
        """
        side = self.n_fft // 2 if self.center else 0
        short = np.flatnonzero(lengths <= side) if self.pad_mode == "reflect" else np.flatnonzero(lengths + 2 * side < self.n_fft)
        if len(short):
            i = int(short[0])
            raise ValueError(
                f"waveform {i} has {lengths[i]} samples, too few for n_fft={self.n_fft}; pad it or take a smaller n_fft"
            )
        if side and (lengths == data.shape[-1]).all():
            data = torch.nn.functional.pad(data, (side, side), self.pad_mode)
        elif side:
            at = np.arange(-side, data.shape[-1] + side)[None]
            last = lengths[:, None] - 1
            if self.pad_mode == "reflect":
                at = np.abs(at)
                at = np.where(at > last, 2 * last - at, at)
            inside = upload((at >= 0) & (at <= last), data)[:, None]
            at = upload(np.clip(at, 0, last), data)[:, None]
            data = data.gather(-1, at.expand(-1, data.shape[1], -1)) * inside
        frames = 1 + (lengths + 2 * side - self.n_fft) // self.hop
        out = self.inner(data)
        if carried and (frames < out.shape[-1]).any():
            keep = torch.arange(out.shape[-1], device=out.device) < upload(frames, out)[:, None, None, None]
            out = out * keep
        return out, frames


class Spectrogram(_Frontend):
    """Power spectrogram: torchaudio's ``Spectrogram`` as a step.

    Args:
        n_fft, hop_length, power, and further arguments: torchaudio's. pad_mode: "reflect" or "constant".

    Raises:
        ImportError: torchaudio is missing. ValueError: a waveform too short for n_fft.

    Example:
        >>> import torch, gpuaug.audio as audio
        >>> audio.Spectrogram(n_fft=64)(torch.rand(2, 640)).shape
        torch.Size([2, 33, 21])
    """

    def __init__(
        self,
        n_fft: int = 400,
        win_length: int | None = None,
        hop_length: int | None = None,
        power: float | None = 2.0,
        **more: Any,
    ):
        if power is None:
            raise ValueError("power must be a number: masks work on real spectrograms")
        super().__init__(n_fft=n_fft, win_length=win_length, hop_length=hop_length, power=power, **more)


class MelSpectrogram(_Frontend):
    """Mel spectrogram: torchaudio's ``MelSpectrogram`` as a step.

    Args:
        sample_rate, n_fft, hop_length, n_mels, and further arguments: torchaudio's. pad_mode: "reflect" or "constant".

    Raises:
        ImportError: torchaudio is missing. ValueError: a waveform too short for n_fft.

    Example:
        >>> import torch, gpuaug.audio as audio
        >>> audio.MelSpectrogram(8000, n_fft=256, n_mels=20)(torch.rand(2, 1280)).shape
        torch.Size([2, 20, 11])
    """

    def __init__(
        self,
        sample_rate: int = 16000,
        n_fft: int = 400,
        win_length: int | None = None,
        hop_length: int | None = None,
        f_min: float = 0.0,
        f_max: float | None = None,
        n_mels: int = 128,
        **more: Any,
    ):
        super().__init__(
            sample_rate=sample_rate,
            n_fft=n_fft,
            win_length=win_length,
            hop_length=hop_length,
            f_min=f_min,
            f_max=f_max,
            n_mels=n_mels,
            **more,
        )


class AmplitudeToDB(Augmentation):
    """Decibels: torchaudio's ``AmplitudeToDB`` as a step.

    Args:
        stype: "power" or "magnitude".
        top_db: the range below each sample's own maximum; torchaudio takes one maximum over ``[B, F, T]``.

    Raises:
        ImportError: torchaudio is missing.

    Example:
        >>> import torch, gpuaug.audio as audio
        >>> audio.AmplitudeToDB()(torch.tensor([[[1.0, 100.0]]]))
        tensor([[[ 0., 20.]]])
    """

    def __init__(self, stype: str = "power", top_db: float | None = None):
        super().__init__()
        self.inner = _torchaudio("AmplitudeToDB")(stype, top_db)

    def convert(self, data: torch.Tensor) -> torch.Tensor:
        """``[B, C, F, T]``: four dimensions, so that the maximum is each sample's."""
        return self.inner(data)
