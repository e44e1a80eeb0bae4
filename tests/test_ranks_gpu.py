"""Medians of bytes as a GPU takes them (kernels/gpu/median.cuh): on CPU fibers and, where the tools are there, as the SASS of
sm_90 that a GPU would get. Every byte is the CPU build's, which has another algorithm."""

from __future__ import annotations

import itertools

import emu
import numpy as np
import pytest
from emu.beside import DEVICES, SIZES, compare, pictures

pytestmark = pytest.mark.skipif(emu.CXX is None, reason="needs a C++ compiler")


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
@pytest.mark.parametrize("planar", [False, True])
def test_medians(device, channels, planar):
    """Of sides that have a kernel and one that has none, in one launch; written to pixels and to planes."""
    sides = np.array([3, 5, 7])[np.arange(len(SIZES)) % 3]
    data = pictures(channels, planar)
    for target in (planar, not planar):
        ran = set()
        for turn in range(3 if device == "fibers" else 1):
            side = np.roll(sides, turn)
            ran |= compare(device, data, channels, target, lambda track, side=side: track.rank(slice(None), "median", side=side))
        width = channels if channels > 2 and not planar else 1
        own = {f"rank_u8_c{width}_k{k}" for k in (3, 5)} if planar or channels != 2 else set()
        assert ran == own | {"rank_u8"}
        if device == "sass":
            break


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("orientation", ["hflip", "vflip", "rot180", "transpose"])
@pytest.mark.parametrize(("channels", "planar"), [(1, False), (3, False), (4, False), (3, True)])
def test_medians_of_views(device, orientation, channels, planar):
    """Crops at odd addresses, mirrored both ways, are read where they lie; transposed ones in the other kernel."""

    def step(track):
        track.orient(slice(None), orientation)
        h, w = track.size.T.astype(np.int64)
        track.crop(slice(None), np.minimum(w - 1, 1), np.minimum(h - 1, 1), np.maximum(h - 2, 1), np.maximum(w - 1, 1))
        track.rank(slice(None), "median", side=5)

    ran = compare(device, pictures(channels, planar, 1), channels, False, step)
    width = 1 if planar else channels
    assert ran == {"rank_u8", f"rank_u8_c{width}_k5"}  # of a transposed column lines are side by side


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize(("channels", "planar"), [(1, False), (3, False), (3, True)])
@pytest.mark.parametrize("medians", [False, True])
def test_extremes(device, channels, planar, medians):
    """The least and the greatest value over elements of several shapes; beside medians in one launch, which another kernel
    takes."""
    elements = [np.ones((2, 3), bool), np.eye(3, dtype=bool), np.array([[0, 1, 0], [1, 1, 1], [0, 1, 0]], bool)]

    def step(track):
        n = len(SIZES) - 2 * medians
        for i in range(n):
            track.rank(np.array([i]), ("least", "greatest")[i % 2], element=elements[i % 3])
        if medians:
            track.rank(np.arange(n, len(SIZES)), "median", side=7)

    ran = compare(device, pictures(channels, planar, 2), channels, planar, step)
    assert ran == {"rank_u8_extremes"} | ({"rank_u8"} if medians else set())


@pytest.mark.parametrize("side", [3, 5])
def test_medians_of_all_orders_of_sorted_columns(side):
    """A network of exchanges finds a rank if it does so of zeros and ones, and columns are sorted first: what counts is how many
    ones each of them has. All of these, side by side."""
    counts = np.array(list(itertools.product(range(side + 1), repeat=side)))
    blocks = np.arange(side)[:, None, None] < counts  # lines, blocks, columns
    image = (255 * blocks.reshape(side, -1, 1)).astype(np.uint8)
    compare("fibers", [np.ascontiguousarray(image)], 1, False, lambda track: track.rank(slice(None), "median", side=side))
