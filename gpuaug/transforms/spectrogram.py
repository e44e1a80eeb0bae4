"""Masks of spectrograms under albumentations' names; `gpuaug.audio` has torchaudio's."""

from __future__ import annotations

import numpy as np

from ..checks import integer
from .dropout import Dropout
from .flip import HorizontalFlip


def stripes(u: np.ndarray, side: np.ndarray, param: int, fraction: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    """Starts and ends of masks ``[n, k]`` by torchaudio's rule: width = floor(U M), start = trunc(U (side - U M)), M = param, or
    with fraction < 1 the smaller of param and floor(side fraction). Cut at the ends of the axis.

    Args:
        u: ``[n, 2, k]``. side: ``[n]``, lengths of the axis.
    """
    side = side[:, None]
    most = np.full(side.shape, param) if fraction >= 1 else np.minimum(param, np.floor(side * fraction))
    value = u[:, 0] * most
    start = np.trunc(u[:, 1] * (side - value))
    return np.clip(start, 0, side).astype(np.int64), np.clip(start + np.floor(value), 0, side).astype(np.int64)


class _AxisMasking(Dropout, register=False):
    """One stripe whose width is drawn from 0 .. param - 1 (SpecAugment, torchaudio), clipped to the axis."""

    axis = 0  # 0: along x (time), 1: along y (frequency)

    def __init__(self, param: int, p: float):
        super().__init__(0, 0, p)
        self._param = param

    def count(self) -> int:
        return 2

    def holes(self, u, size):
        start, end = stripes(u[:, :2, None], size[:, 1 - self.axis], self._param)
        holes = np.zeros((len(u), 1, 4), np.int64)
        holes[:, :, self.axis], holes[:, :, self.axis + 2] = start, end
        holes[:, 0, 3 - self.axis] = size[:, self.axis]
        return holes


class TimeMasking(_AxisMasking):
    """Zero one stripe of time steps (columns).

    Args:
        time_mask_param: upper bound of the width, exclusive, in columns.
        p: probability, per sample.

    Shapes and dtypes: any channel count and range. Targets: image, mask (both filled with 0),
    boxes, keypoints.
    Source: SpecAugment (Park et al. 2019), torchaudio ``TimeMasking``; albumentations' does nothing in half of its calls.

    Raises:
        ValueError: a time_mask_param below 1.

    Example:
        >>> import numpy as np, gpuaug as G
        >>> G.Compose([G.TimeMasking(3, p=1)])(np.ones((4, 8, 1), np.float32)).shape
        (4, 8, 1)
    """

    axis = 0

    def __init__(self, time_mask_param: int = 40, p: float = 0.5):
        self.time_mask_param = integer("time_mask_param", time_mask_param, 1)
        super().__init__(self.time_mask_param, p)


class FrequencyMasking(_AxisMasking):
    """Zero one stripe of frequencies (rows).

    Args:
        freq_mask_param: upper bound of the height, exclusive, in rows.
        p: probability, per sample.

    Shapes and dtypes: any channel count and range. Targets: image, mask (both filled with 0),
    boxes, keypoints.
    Source: SpecAugment (Park et al. 2019), torchaudio ``FrequencyMasking``.

    Raises:
        ValueError: a freq_mask_param below 1.

    Example:
        >>> import numpy as np, gpuaug as G
        >>> G.Compose([G.FrequencyMasking(3, p=1)])(np.ones((4, 8, 1), np.float32)).shape
        (4, 8, 1)
    """

    axis = 1

    def __init__(self, freq_mask_param: int = 30, p: float = 0.5):
        self.freq_mask_param = integer("freq_mask_param", freq_mask_param, 1)
        super().__init__(self.freq_mask_param, p)


class TimeReverse(HorizontalFlip):
    """Play backwards: mirror the time axis (columns).

    Args:
        p: probability, per sample.

    Shapes and dtypes: any; unchanged. Targets: image, mask, boxes, keypoints. Source: albumentations ``TimeReverse``.

    Example:
        >>> import numpy as np, gpuaug as G
        >>> G.Compose([G.TimeReverse(p=1)])(np.arange(3, dtype=np.float32)[None])
        array([[2., 1., 0.]], dtype=float32)
    """
