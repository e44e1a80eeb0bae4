"""Superpixels."""

from __future__ import annotations

import numpy as np

from ..checks import RESIZES, integer, is_number, span, whole
from ..checks import interpolation as resizing
from ..hints import IntRange, Range
from ..hosted import on_host
from ..ragged import Ragged
from ..uniforms import between, integers, key, ragged
from .crop import resize
from .histogram import _ByBytes

_COMPACTNESS, _ROUNDS = 10.0, 10  # albumentations'


class Superpixels(_ByBytes):
    """Replace some superpixels, regions of like colour, by their mean colour.

    Args:
        p_replace: range of the probability that a region is replaced, in [0, 1]; a number v means (0, v).
        n_segments: range of the number of regions, about, at least 1; a number n means (1, n).
        max_size: images whose longer side is larger are made so large before, and enlarged after; None: as they are.
        interpolation: of that, OpenCV's number.
        p: probability, per sample.

    Shapes and dtypes: any; float images (0..1) are rounded to 8 bits, as albumentations does. Regions are found on the host, by
    ten rounds of a local clustering (SLIC). Targets: image. Source: albumentations ``Superpixels``.

    Raises:
        ValueError: a range outside its bounds or out of order.

    Example:
        >>> import numpy as np, gpuaug as G
        >>> image = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
        >>> out = G.Compose([G.Superpixels((1, 1), (16, 16), p=1)], seed=0)(image)
        >>> len(np.unique(out.reshape(-1, 3), axis=0)) < 2000
        True
    """

    ops = (*_ByBytes.ops, "quantize")

    def __init__(
        self,
        p_replace: Range = (0, 0.1),
        n_segments: IntRange = (100, 100),
        max_size: int | None = 128,
        interpolation: int = 1,
        p: float = 0.5,
    ):
        super().__init__(p)
        self.p_replace = span("p_replace", p_replace, 0, 1, scalar="zero")
        self.n_segments = whole("n_segments", (1, n_segments) if is_number(n_segments) else n_segments, 1, 1 << 20)
        self.max_size = None if max_size is None else integer("max_size", max_size, 1)
        self.interpolation = resizing("interpolation", interpolation, RESIZES)

    def check(self, to) -> None:
        pass

    def columns(self) -> int:
        return 4

    def draw(self, u, view):
        number = integers(u[:, 0], *self.n_segments)
        chance = np.repeat(between(u[:, 1], *self.p_replace), number)
        drawn = ragged(key(u[:, 2:4]), number)
        return {"number": number, "replace": Ragged(drawn.values < chance, number)}

    def lower_bytes(self, to, rows, params) -> None:
        index, number, replace = to.index(rows), params["number"], params["replace"]
        some = np.array([replace.of(i).any() for i in range(len(index))], bool)
        rows, which = index[some], np.flatnonzero(some)
        if not len(rows):
            return
        size = to.size[rows].astype(np.int64)
        longer = size.max(1)
        small = size
        if self.max_size is not None:
            small = np.where(longer[:, None] > self.max_size, (size * (self.max_size / longer)[:, None]).astype(np.int64), size)
        self._resize(to, rows, small)

        def change(k: int, image: np.ndarray) -> np.ndarray:
            return replaced(image, segments(image.astype(np.uint8), int(number[which[k]])), replace.of(which[k]))

        on_host(to, rows, change, "superpixels", pure=True)
        self._resize(to, rows, size)

    def _resize(self, to, rows, size: np.ndarray) -> None:
        changed = (to.size[rows] != size).any(1)
        if not changed.any():
            return
        if to.is_u8:
            resize(to, rows[changed], size[changed], self.interpolation)
            return
        with to.working(rows[changed], "float32"):
            resize(to, rows[changed], size[changed], self.interpolation)
        to.op(rows[changed], "quantize", top=1.0)


def segments(image: np.ndarray, number: int) -> np.ndarray:
    """About so many regions of an image ``[H, W, C]``: their numbers, -1 for none, int ``[H, W]``.

    As albumentations: centres on a grid take the pixels about them that are nearer, in colour and place, than whatever took them
    before, in this or an earlier round; then each moves to the mean place of its pixels, cut off.
    """
    h, w = image.shape[:2]
    values = image.astype(np.float32) / np.max(image + 1e-6)
    step = int((h * w / number) ** 0.5)
    y, x = (grid.ravel() for grid in np.meshgrid(np.arange(step // 2, h, step), np.arange(step // 2, w, step), indexing="ij"))
    labels, distances = np.full((h, w), -1), np.full((h, w), np.inf)
    away = np.arange(-step, step + 1) ** 2
    apart = _COMPACTNESS * ((away[:, None] + away) / step**2)
    lines, columns = np.indices((h, w)).reshape(2, -1)
    for _ in range(_ROUNDS):
        for i, (cy, cx) in enumerate(zip(y.tolist(), x.tolist())):
            y0, y1, x0, x1 = max(0, cy - step), min(h, cy + step + 1), max(0, cx - step), min(w, cx + step + 1)
            d = values[y0:y1, x0:x1] - values[cy, cx]
            d = (d**2).sum(-1) + apart[y0 - cy + step : y1 - cy + step, x0 - cx + step : x1 - cx + step]
            nearest = distances[y0:y1, x0:x1]
            mine = d < nearest
            np.copyto(nearest, d, where=mine)
            labels[y0:y1, x0:x1][mine] = i
        flat = labels.ravel()
        there = flat >= 0
        count = np.bincount(flat[there], minlength=len(y))
        have = count > 0
        for place, of in ((y, lines), (x, columns)):
            place[have] = (np.bincount(flat[there], of[there], len(y))[have] / count[have]).astype(np.int64)
    return labels


def replaced(image: np.ndarray, labels: np.ndarray, replace: np.ndarray) -> np.ndarray:
    """The image with the mean colour of the k-th region that there is, but for number 0, where ``replace`` says so, in turn."""
    every, index = np.unique(labels, return_inverse=True)
    index = index.reshape(labels.shape)
    first = int(every[0] == 0)
    chosen = np.zeros(len(every), bool)
    chosen[first:] = replace[np.arange(len(every) - first) % len(replace)]
    out, at = image.copy(), chosen[index]
    count = np.bincount(index.ravel(), minlength=len(every))
    for c in range(image.shape[2]):
        mean = np.rint(np.bincount(index.ravel(), image[..., c].ravel(), len(every)) / np.maximum(count, 1))
        out[..., c][at] = np.clip(mean, 0, 255)[index[at]].astype(image.dtype)
    return out
