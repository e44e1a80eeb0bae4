"""Masks of spectrograms."""

from __future__ import annotations

import albumentations as A
import numpy as np
import torch
import torchaudio.functional as audio

import gpuaug as G

from .about import about
from .case import SAME, add, albumentations


def spectrogram(cls, axis, param):
    def run(image, u, kind):
        values = iter(torch.tensor(u[:2], dtype=torch.float32))
        saved, torch.rand = torch.rand, lambda n: next(values)[None]
        try:
            spec = torch.from_numpy(np.ascontiguousarray(image.transpose(2, 0, 1)).astype(np.float64))
            out = audio.mask_along_axis(spec, param, 0.0, axis)
        finally:
            torch.rand = saved
        return out.numpy().transpose(1, 2, 0).astype(image.dtype)

    # torchaudio draws in float32: uniforms of 12 bits keep its products exact
    add(getattr(G, cls)(param, p=1), run, "torchaudio", SAME, mask=True, bits=12)


spectrogram("TimeMasking", 2, 40)
spectrogram("FrequencyMasking", 1, 30)
add(G.TimeReverse(p=1), albumentations(A.TimeReverse(p=1)), "albumentations", SAME, mask=True)


_AXIS = "no: as XYMasking's"

about("TimeReverse", family="turn", marks=[lambda L: L.TimeReverse(p=1)], bench={})
about(
    "TimeMasking",
    family="dropout",
    marks=_AXIS,
    bench={},
    variants=[],
    moved={"time_mask_param": 30},
)
about(
    "FrequencyMasking",
    family="dropout",
    marks=_AXIS,
    bench={},
    moved={"freq_mask_param": 30},
)
