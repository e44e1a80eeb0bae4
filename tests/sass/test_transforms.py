"""Transforms on the SASS of sm_90, beside the CPU build: some in every run, those whose kernels have the most unlike code.

All of them, some minutes: `python tests/sass/test_transforms.py`, or some: `python tests/sass/test_transforms.py CLAHE Equalize`.
Those that read what the host makes in between (`Mosaic`, `Pad3D`, `FDA`) end with a fault: the device does not know that memory.
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
from test_emulated import ANY_BOXES, pictures, transform

from gpuaug import REGISTRY, Compose, library
from sass import Fault, Unknown, missing
from sass.device import Device

pytestmark = pytest.mark.skipif(missing() is not None, reason=str(missing()))
pytest.importorskip("cupy")

SOME = ["AutoContrast", "FancyPCA", "MedianBlur", "PlasmaShadow", "RandomRain", "Resize", "RingingOvershoot", "SaltAndPepper"]
SOME += ["Affine", "Perspective", "Morphological"]  # of kernels that leave out what other rows need


@pytest.fixture(scope="module", autouse=True)
def fused_multiply_add():
    if library.load().path.stem.endswith("_v2"):
        pytest.skip("needs a processor with a fused multiply-add: the baseline build's last bits differ from a GPU's")


def arrays(value):
    """All arrays and tensors in what a pipeline is given."""
    if isinstance(value, (np.ndarray, torch.Tensor)):
        yield value
    elif isinstance(value, (dict, list, tuple)):
        for each in value.values() if isinstance(value, dict) else value:
            yield from arrays(each)


def run(name: str, seed: int, dtype: str) -> list[str]:
    """The kernels that ran."""
    data = pictures(name, seed, dtype, 2)

    def once():
        out = Compose([transform(name)], seed=5, **ANY_BOXES)(**data, ids=np.array([3, 8]), epoch=0)
        return {key: out[key] for key in ("image", "mask")}

    want, device = once(), Device()
    for each in arrays(data):
        device.add(each)
    with device.instead():
        got = once()
    for key in want:
        for i, (a, b) in enumerate(zip(want[key], got[key], strict=True)):
            np.testing.assert_array_equal(a, b, err_msg=f"{key} {i}", strict=True)
    return [launch.key.name for launch in device.launches]


@pytest.mark.parametrize("name", SOME)
def test_a_transform(name):
    assert run(name, 0, "uint8")
    assert run(name, 1, "float32")


def main():
    bad = []
    for name in sys.argv[1:] or sorted(REGISTRY):
        for seed, dtype in enumerate(("uint8", "float32")):
            start = time.monotonic()
            try:
                said = f"equal, {' '.join(run(name, seed, dtype)) or 'no kernel'}"
            except (AssertionError, Fault, Unknown) as error:
                bad.append(f"{name} {dtype}")
                said = f"{type(error).__name__}: {error}"
            print(f"{name} {dtype}: {said}, {time.monotonic() - start:.1f} s", flush=True)
    sys.exit(f"wrong: {', '.join(bad)}" if bad else 0)


if __name__ == "__main__":
    main()
