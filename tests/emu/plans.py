"""Random plans for tests, built with gpuaug's own `Track` from steps that fit any data."""

from __future__ import annotations

import numpy as np
import torch

import gpuaug
from gpuaug import maps
from gpuaug.batch import DTYPES, Batch
from gpuaug.plan import ORIENTATIONS, Plan
from gpuaug.track import Track
from gpuaug.transfer import moved
from gpuaug.transform import View

TORCH = {"float16": torch.float16, "bfloat16": torch.bfloat16}
GUARD = 2048  # elements before and after every output image: more than a block writes, for the planted bugs
# odd, prime, one row, one column, one pixel, more than one block, wider than a filter's tile
SIZES = [(1, 1), (1, 37), (41, 1), (13, 17), (31, 29), (23, 45), (5, 70), (33, 33)]


def image(rng, dtype: str, h: int, w: int, channels: int):
    if dtype == "uint8":
        return rng.integers(0, 256, (h, w, channels), dtype=np.uint8)
    if dtype == "int32":
        return rng.integers(-(2**31), 2**31, (h, w, channels), dtype=np.int64).astype(np.int32)
    values = rng.random((h, w, channels), dtype=np.float32)
    return torch.from_numpy(values).to(TORCH[dtype]).permute(2, 0, 1) if dtype in TORCH else values


def samples(rng, dtype: str, channels: int, n: int):
    return [image(rng, dtype, *SIZES[i], channels) for i in rng.integers(0, len(SIZES), n)]


class Steps:
    """Random steps of a plan. The choices are drawn once and can be lowered to any number of tracks."""

    def __init__(self, seed: int, n: int, count: int = 6):
        self.seed, self.n, self.count = seed, n, count

    def lower(self, track: Track) -> None:
        rng = np.random.default_rng(self.seed)
        kinds = ["crop", "orient", "warp", "gauss", "rects", "linear"]
        if track.dtype != "int32":
            kinds += ["separable", "sparse"]
        if track.channels == 3 and track.dtype != "int32":
            kinds += ["hsv"]
        if track.dtype == "int32":
            kinds = ["crop", "orient", "nearest"]
        for _ in range(self.count):
            rows = np.flatnonzero(rng.random(self.n) < 0.6)
            if len(rows):
                getattr(self, "_" + str(rng.choice(kinds)))(track, rng, rows)

    def _crop(self, track, rng, rows):
        h, w = track.size[rows].T
        y, x = (rng.integers(0, np.maximum(v // 3, 1)) for v in (h, w))
        track.crop(rows, x, y, np.maximum(h - y - rng.integers(0, 3), 1), np.maximum(w - x - rng.integers(0, 3), 1))

    def _orient(self, track, rng, rows):
        track.orient(rows, str(rng.choice(list(ORIENTATIONS))))

    def _warp(self, track, rng, rows, interpolation=None):
        n = len(rows)
        angle, scale = rng.uniform(-np.pi, np.pi, n), rng.uniform(0.3, 3, n)
        if rng.random() < 0.3:
            scale *= 1e-9  # far outside on most samples
        h, w = track.size[rows].T
        cos, sin = np.cos(angle) / scale, np.sin(angle) / scale
        zero, one = np.zeros(n), np.ones(n)
        m = np.stack([cos, -sin, w / 2, sin, cos, h / 2, zero, zero, one], 1).reshape(n, 3, 3)
        interpolation = int(rng.choice([0, 1, 2, 4])) if interpolation is None else interpolation
        border, size = int(rng.integers(0, 5)), rng.integers(1, 40, (n, 2))
        fill = 7 if track.dtype in ("uint8", "int32") else 0.25
        if rng.random() < 0.2:
            track.gather(rows, maps.Resize(track.size[rows], size[0]), size[0], int(rng.choice([0, 6])))
        else:
            track.gather(rows, maps.Projective(m, forward=False), size, interpolation, border, fill)

    def _nearest(self, track, rng, rows):
        self._warp(track, rng, rows, 0)

    def _pixels(self, track, rng, rows, transform):
        """A transform of gpuaug's own, with parameters that it draws."""
        view = View(track.size[rows], track.channels, track.dtype)
        params = transform.draw(rng.random((len(rows), transform.columns())), view)
        transform.lower(track, rows, params)

    def _linear(self, track, rng, rows):
        self._pixels(track, rng, rows, gpuaug.RandomBrightnessContrast())

    def _hsv(self, track, rng, rows):
        self._pixels(track, rng, rows, gpuaug.HueSaturationValue())

    def _gauss(self, track, rng, rows):
        self._pixels(track, rng, rows, gpuaug.GaussNoise(per_channel=bool(rng.integers(0, 2))))

    def _rects(self, track, rng, rows):
        fill = (9, "random", "random_uniform")[rng.integers(0, 3)]
        self._pixels(track, rng, rows, gpuaug.CoarseDropout((1, 4), (0.1, 0.5), (0.1, 0.5), fill=fill if track.is_u8 else 0))

    def _separable(self, track, rng, rows):
        lengths = 2 * rng.integers(0, 6, (len(rows), 2)) + 1
        taps = [rng.dirichlet(np.ones(a)).tolist() + rng.dirichlet(np.ones(b)).tolist() for a, b in lengths]
        correlate(track, rows, "separable", taps, lengths, int(rng.integers(0, 5)))

    def _sparse(self, track, rng, rows):
        counts = rng.integers(1, 6, len(rows))
        taps = [np.c_[rng.integers(-3, 4, (k, 2)), rng.dirichlet(np.ones(k))].astype(np.float32) for k in counts]
        lengths = np.column_stack([np.full((len(rows), 2), 7), counts])
        correlate(track, rows, "sparse", taps, lengths, int(rng.integers(0, 5)))


def correlate(track: Track, rows, kind: str, taps: list, lengths, border: int) -> None:
    """`Track.filter` with one list of weights for each sample."""
    flat = [np.asarray(t, np.float32).ravel() for t in taps]
    start = np.cumsum([0] + [t.size for t in flat[:-1]])
    track.filter(rows, kind, np.concatenate(flat), start, np.asarray(lengths), border=border)


class Only:
    """One given step, which takes the track."""

    def __init__(self, step):
        self.lower = step


def build(data, channels: int, target: str, planar: bool, steps, device: str = "cpu") -> tuple[Plan, torch.Tensor]:
    """The plan, and the bytes that it writes: every output image lies between guards."""
    track = Track(moved(Batch.of(data), device))
    steps.lower(track)
    if target != track.dtype:
        track.convert(target, slice(None))
    h, w = track.size.astype(np.int64).T
    item, volume = DTYPES[target][1], h * w * channels
    start = np.cumsum(volume + 2 * GUARD) - (volume + GUARD)
    out = torch.full((int((volume + 2 * GUARD).sum()) * item,), 0x5A, dtype=torch.uint8, device=device)
    one = np.ones_like(h)
    stride = np.stack([w, one, h * w] if planar else [w * channels, one * channels, one], 1)
    return track.finish(out.data_ptr() + start * item, stride, target), out
