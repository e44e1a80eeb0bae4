"""Numbers of bytes as a GPU finds them (kernels/gpu/sums.cuh, kernels/histogram.cuh, kernels/lookup.cuh): on CPU fibers and,
where the tools are there, as the SASS of sm_90. Every bit is the CPU build's."""

from __future__ import annotations

import emu
import numpy as np
import pytest
from emu.beside import DEVICES, compare, pictures

pytestmark = pytest.mark.skipif(emu.CXX is None, reason="needs a C++ compiler")
LAYOUTS = [(1, False), (2, False), (3, False), (4, False), (3, True)]


def turned(orientation: str, reduced):
    """A step that looks at a crop of a view, and at one channel of it."""

    def step(track):
        track.orient(slice(None), orientation)
        h, w = track.size.T.astype(np.int64)
        track.crop(slice(None), np.minimum(w - 1, 1), np.minimum(h - 1, 1), np.maximum(h - 2, 1), np.maximum(w - 2, 1))
        reduced(track, None)
        reduced(track, track.channels - 1)

    return step


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("orientation", ["identity", "rot180", "transpose", "rot270"])
@pytest.mark.parametrize(("channels", "planar"), LAYOUTS)
def test_moments(device, orientation, channels, planar):
    def whole(track):
        track.reduce(slice(None), "moments")

    compare(device, pictures(channels, planar), channels, False, whole)
    compare(
        device,
        pictures(channels, planar, 1),
        channels,
        False,
        turned(orientation, lambda track, c: track.reduce(slice(None), "moments", channels=c)),
    )


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("tiles", [(1, 1), (2, 3), (8, 8)])
@pytest.mark.parametrize(("channels", "planar"), LAYOUTS)
def test_histograms(device, tiles, channels, planar):
    """Tiles reach beyond the image, of some many times; counts of channels, then a table of each kind."""
    for lookup, params in (("equalize", {"pil": 0}), ("equalize", {"pil": 1}), ("clahe", {"clip": 3, "area": 40})):

        def reduced(track, c, lookup=lookup, params=params):
            found = track.reduce(slice(None), "histogram", tiles=tiles, channels=c)
            track.lookup(slice(None), found, lookup, **params)

        compare(device, pictures(channels, planar), channels, False, turned("rot180" if params else "identity", reduced))


def test_histograms_of_many_pixels():
    """More than are counted in one histogram, and of more than a block's fours."""
    image = np.random.default_rng(0).integers(0, 256, (150, 201, 3), dtype=np.uint8)
    compare("fibers", [image], 3, False, lambda track: track.reduce(slice(None), "histogram"))


@pytest.mark.parametrize("cutoff", [0.0, 3.0, 60.0])
@pytest.mark.parametrize("pil", [0, 1])
@pytest.mark.parametrize("ignore", [-1, 1, 7])
def test_ranges(cutoff, pil, ignore):
    cut = np.frombuffer(np.float64(cutoff).tobytes(), np.uint32)

    def step(track):
        found = track.reduce(slice(None), "histogram")
        track.lookup(slice(None), found, "autocontrast", cutoff=cut, pil=pil, ignore=ignore)

    data = [*pictures(3, False), np.full((5, 6, 3), 9, np.uint8), np.full((5, 6, 3), 255, np.uint8)]
    compare("fibers", data, 3, False, step)
