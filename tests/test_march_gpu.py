"""Separable means of bytes as a GPU makes them (kernels/gpu/march.cuh): on CPU fibers and, where the tools are there, as the SASS
of sm_90 that a GPU would get. Every byte is the CPU build's, whose sums are made line by line."""

from __future__ import annotations

import emu
import numpy as np
import pytest
from emu.beside import DEVICES, compare, pictures
from emu.plans import correlate

pytestmark = pytest.mark.skipif(emu.CXX is None, reason="needs a C++ compiler")

# one pixel, one line, one column, fewer than the weights; lines of whole words and of every number of bytes more; two tiles of
# one channel, of three, and of four, whose last is narrower; a strip and two (march_shape: 28 lines)
SIZES = [(1, 1), (1, 37), (41, 1), (2, 6), (3, 2), (13, 16), (30, 17), (9, 18), (57, 19), (3, 770), (4, 261), (5, 197)]
LENGTHS = np.array([3, 5, 7])
BORDERS = {"replicate": 1, "reflect": 2, "wrap": 3, "reflect_101": 4}


def means(track, lengths, border: int) -> None:
    """Filters each sample by weights that are the same both ways, and backwards."""
    rng, taps = np.random.default_rng(0), []
    for length in lengths:
        half = rng.random(length // 2 + 1, dtype=np.float32)
        line = np.concatenate([half[:0:-1], half])
        taps.append(np.concatenate([line, line]) / line.sum())
    correlate(track, slice(None), "separable", taps, np.stack([lengths, lengths], 1), border)


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("border", BORDERS)
@pytest.mark.parametrize(("channels", "planar"), [(1, False), (3, False), (4, False), (3, True), (4, True), (5, True)])
def test_means(device, border, channels, planar):
    """Of all three lengths in one launch, written to pixels and to planes."""
    data = pictures(channels, planar, sizes=SIZES)
    width = channels if channels in (3, 4) and not planar else 1
    for target in (planar, not planar):
        for turn in range(3 if device == "fibers" else 1):
            lengths = LENGTHS[(np.arange(len(SIZES)) + turn) % 3]
            ran = compare(device, data, channels, target, lambda track, of=lengths: means(track, of, BORDERS[border]))
            assert ran == {f"filter_u8_c{width}_k{k}" for k in LENGTHS}


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_means_of_crops(device, channels):
    """They are read where they lie, at odd addresses; their borders are their own."""

    def step(track):
        h, w = track.size.T.astype(np.int64)
        track.crop(slice(None), np.minimum(w - 1, 1), np.minimum(h - 1, 1), np.maximum(h - 2, 1), np.maximum(w - 2, 1))
        means(track, LENGTHS[np.arange(len(SIZES)) % 3], 4)

    assert compare(device, pictures(channels, False, 1, SIZES), channels, False, step) == {
        f"filter_u8_c{channels}_k{k}" for k in LENGTHS
    }


@pytest.mark.parametrize("channels", [2, 3])
def test_other_filters_take_the_other_kernel(channels):
    """Constant borders, and pixels of two channels, in which no line of one channel lies side by side."""
    border = 0 if channels == 3 else 4
    lengths = LENGTHS[np.arange(len(SIZES)) % 3]
    ran = compare("fibers", pictures(channels, False, 2, SIZES), channels, False, lambda track: means(track, lengths, border))
    assert ran == {"filter_u8"}
