"""What the kernels issue and ask of memory is what bench/results/sass-sm90.json says, within 2 % either way: what has become
better is committed, too (`python -m bench.sass --write`).
"""

from __future__ import annotations

import json

import pytest

from bench import sass
from sass import missing

pytestmark = pytest.mark.skipif(missing() is not None, reason=str(missing()))
pytest.importorskip("cupy")

ROOM = 0.02


@pytest.fixture(scope="module")
def committed():
    from gpuaug.backends import nvrtc

    record = json.loads(sass.FILE.read_text())
    if record["nvrtc"] != nvrtc._version():
        pytest.skip(f"counted with NVRTC {record['nvrtc']}; this is {nvrtc._version()}, whose code is other code")
    return sass.committed()


def test_every_pipeline_is_in_the_table():
    assert list(sass.committed()) == list(sass.CASES)


@pytest.mark.parametrize("name", sass.CASES)
def test_counts(committed, name):
    got, want = sass.count(name), committed[name]  # and the bytes are the CPU build's
    for key in ("sass", *sass.MEMORY):
        assert got[key] == pytest.approx(want[key], rel=ROOM, abs=0.002), f"{key}; if that is right: python -m bench.sass --write"
    assert [each["kernel"] for each in got["kernels"]] == [each["kernel"] for each in want["kernels"]]
    for one, other in zip(got["kernels"], want["kernels"]):
        assert one["registers"] == other["registers"]
        assert one["blocks_per_sm"] == other["blocks_per_sm"]
        assert one["code_bytes"] == pytest.approx(other["code_bytes"], rel=ROOM)
        assert one["stack"] == 0, "an array that is indexed at run time, or too many registers"


# Of a multiprocessor's warps at least so many have room, and code is no longer than so many KB: a half and 64, for gathers three
# eighths.
LONGEST = 64


@pytest.mark.parametrize("name", sass.CASES)
def test_limits(name):
    for each in sass.committed()[name]["kernels"]:
        kernel = each["kernel"]
        gathers = kernel.startswith("fused") and "_view_" not in kernel
        if kernel != "reduce_u8":  # whose blocks of a warp, for tiles, have the shared memory of large ones
            assert each["occupancy"] >= (0.375 if gathers else 0.5), f"{kernel}: {each['registers']} registers"
        assert each["code_bytes"] <= 1024 * LONGEST, f"{kernel}: {each['code_bytes'] / 1024:.1f} KB of code"
        assert each["stack"] == 0, kernel


def test_budgets():
    """The copy of a pixel is 6 bytes: 75 % of 3.0 TB/s, on 132 x 4 schedulers at 1.755 GHz."""
    assert sass.budget(sass.CASES["copy u8"]) == pytest.approx(79.07, abs=0.01)
    assert sass.budget(sass.CASES["XYMasking + Normalize f16"]) is None


@pytest.mark.parametrize(
    ("registers", "shared", "threads", "blocks"),
    [
        (32, 0, 256, 8),
        (64, 0, 256, 4),
        (65, 0, 256, 3),
        (80, 0, 256, 3),
        (128, 0, 256, 2),
        (32, 48 * 1024, 256, 4),
        (40, 0, 128, 12),
    ],
)
def test_blocks_of_a_multiprocessor(registers, shared, threads, blocks):
    """As NVIDIA's occupancy calculator has them for compute capability 9.0."""
    assert sass.occupancy(registers, shared, threads) == (blocks, blocks * threads / 2048)
