"""The random plans of tests/emu/plans.py on the SASS of sm_90: every byte is the CPU build's, and no access is one that a GPU
would stop for. Alignment, reads past an allocation and what ptxas made of the source show here alone, without a GPU.

More of them: `python tests/sass/test_plans.py --seconds 600 --first 1000`.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

if __name__ == "__main__":
    sys.path[:0] = [str(Path(__file__).resolve().parents[i]) for i in (1, 2)]

import numpy as np
import pytest
import torch
from emu.plans import Steps, build, samples

from gpuaug import library
from gpuaug.backends import cpu, cuda
from sass import Fault, Unknown, missing
from sass.device import Device

pytestmark = pytest.mark.skipif(missing() is not None, reason=str(missing()))
pytest.importorskip("cupy")

DTYPES = ["uint8", "float32", "uint8", "float16", "bfloat16", "int32"]
CHANNELS = [3, 3, 3, 1, 4, 2, 5]


@pytest.fixture(scope="module", autouse=True)
def fused_multiply_add():
    if library.load().path.stem.endswith("_v2"):
        pytest.skip("needs a processor with a fused multiply-add: the baseline build's last bits differ from a GPU's")


def run(seed: int) -> None:
    """One plan of five steps, drawn from the seed. Every second one with reciprocals that are a unit off."""
    rng = np.random.default_rng(seed)
    dtype = DTYPES[seed % 6]
    channels = 1 if dtype == "int32" else CHANNELS[seed % 7]
    data = samples(rng, dtype, channels, 5)
    target = "float32" if dtype == "uint8" and seed % 4 == 0 else dtype
    planar, steps = seed % 3 == 0, Steps(seed, 5)
    plan, want = build(data, channels, target, planar, steps)
    cpu.execute(plan, 1)
    plan, got = build(data, channels, target, planar, steps)
    device = Device(wobble=seed if seed % 2 else None)
    for each in data:
        device.add(each)
    device.add(got)
    cuda.run(plan, device)
    bad = torch.nonzero(got != want).flatten()
    assert not len(bad), f"{len(bad)} of {len(got)} bytes differ, the first at {bad[:5].tolist()}:\n{plan.explain()}"


@pytest.mark.parametrize("seed", range(20))
def test_a_plan(seed):
    run(seed)


def main():
    import argparse

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--first", type=int, default=20, help="the first seed")
    options = parser.parse_args()
    end, seed, bad = time.monotonic() + options.seconds, options.first, []
    while time.monotonic() < end:
        try:
            run(seed)
        except (AssertionError, Fault, Unknown) as error:
            bad.append(seed)
            print(f"seed {seed}: {error}", flush=True)
        seed += 1
    print(f"{seed - options.first} plans, {len(bad)} of them wrong{': ' + str(bad) if bad else ''}")
    sys.exit(bool(bad))


if __name__ == "__main__":
    main()
