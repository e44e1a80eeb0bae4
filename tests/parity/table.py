# ruff: noqa: E501  (texts of the table)
"""docs/parity.md."""

from __future__ import annotations

import albumentations as A
import cv2
import numpy as np

from gpuaug.interop.parity.compared import line

from .case import CASES, NEAREST
from .crop_labels import ELSEWHERE
from .run import Result, compare, compare_masks

DEVIATIONS = """\
## Deliberate deviations

Where the reference contradicts its own documentation, or loses what it need not lose, gpuaug does the documented thing:

- **Randomness.** albumentations 2.0.8 gives every transform of a `Compose` generators with the same seed, so that the coins of
  its transforms agree, and forked workers repeat one stream. gpuaug's numbers depend on (seed, epoch, sample id, occurrence,
  place of the transform) and on nothing else.
- **`XYMasking`**: an int for `num_masks_*` and `mask_*_length` is that number, as documented; there it means a range from 0.
- **`TimeMasking`, `FrequencyMasking`** follow SpecAugment and torchaudio; albumentations' do nothing in about half of their calls.
- **`GaussianBlur(sigma_limit=0)`** takes sigma from the kernel's size, as OpenCV and albumentations 1.x; there images become blank.
- **`HueSaturationValue` on float images** stays in floats; there they are rounded to 8 bits. The table compares with OpenCV's float HSV.
- **`GaussNoise` on float images** does not clip to 0..1, since spectrograms have any range.
- **`Affine(shear={"x": ..})`** does not shear along y; there a missing `y` is 1 degree.
- **Scalar `fill`** reaches every channel.
- **Boxes**: those of `Affine(fit_output=True)` follow the pixels, there they lie up to a pixel beside them; boxes of which nothing
  is visible are dropped, there default `BboxParams` keep them and later steps let them grow again.
- **Keypoints** of `Resize` and `RandomResizedCrop` stay on their pixels, angles follow them, and `min_visibility` is of the box as it came
  in; `Compose(label_geometry="albumentations")` gives the reference's numbers. See docs/targets.md.
- **Arguments** and their defaults are the reference's (`tests/test_defaults.py` compares all), but for old spellings, which are taken
  too ([swap-in.md](swap-in.md)), and `Compose(label_geometry=.., lazy=..)`.
- **Blurs of float images** keep their range; there they are clipped to 0..1.
- **`CenterCrop(pad_if_needed=True)`** pads `images=` too.
- **A group inside `OneOf`** is applied when it is chosen, as transforms are; there `SomeOf` throws its own coin again.
- **`cv2.cvtColor` from HSV** truncates in its vector code and rounds the few pixels that remain at the end of a line; gpuaug truncates all.
- **Interpolation** follows the exact float coordinates of OpenCV 5; OpenCV 4 rounds them to 1/32 pixel and differs by up to 6 levels.
  Of Lanczos OpenCV 5 rounds them, too, and so does gpuaug, from the exact coordinate; `cv2.warpAffine` adds it up in steps of 1/1024, so
  that there about 2 % of the pixels get the neighbouring 32nd: those are what the bounds of Lanczos cases let through.
"""


ELSEWHERE_HEAD = """\
## Compared elsewhere

What looks at masks, boxes or other images, and what works on volumes, is compared where those are made; `NoOp` does nothing:

"""


def elsewhere() -> str:
    lines = [f"- `{name}`: tests/{test.replace('.', '.py, ', 1)}" for name, test in sorted(ELSEWHERE.items())]
    return ELSEWHERE_HEAD + "\n".join(lines) + "\n\n"


def table() -> str:
    lines = [
        "# Parity",
        "",
        "Every transform beside an implementation that somebody else wrote, given the same parameters. (`gpuaug.parity(pipeline, images)`",
        "does it with a pipeline and images of your own.) Written by",
        "`python -m tests.parity --write` from the cases that `tests/test_parity.py` checks: photographs, noise and extremes from 1 x 1 to",
        "224 x 224, with 1, 3, 4 and 20 channels. Differences are in grey levels for uint8 (relative to max(1, |reference|) for the",
        "float32 that `Normalize` makes of it), else relative to max(1, |reference|); float16 is compared with the float32 reference.",
        "On processors with AVX512-FP16 (Intel's Sapphire Rapids and later) albumentations sums two uint8 images in half precision (by",
        "simsimd), one sum in thirty by another grey level; it is compared as it sums on all others, in single precision.",
        "",
        f"albumentations {A.__version__}, OpenCV {cv2.__version__}, torchaudio {__import__('torchaudio').__version__.split('+')[0]}.",
        "",
        "| transform | case | reference | type | values | equal | largest difference | bound |",
        "|---|---|---|---|---:|---:|---:|---|",
    ]
    for case in sorted(CASES, key=lambda c: c.name):
        for dtype in case.bounds:
            result = Result(np.concatenate([compare(case, dtype, c).difference for c in case.channels]))
            lines.append(line([case.name, case.note, case.source, dtype, *result.cells(), str(case.bounds[dtype])]))
        if case.mask:
            result = compare_masks(case, "int32")
            many, equal, _ = result.cells()
            worst = "0" if result.exact == 1 else "tie"
            bound = "exact" if case.exact_mask else str(NEAREST)
            lines.append(line([case.name, case.note, case.source, "mask, int32", many, equal, worst, bound]))
    return "\n".join(lines) + "\n\n" + elsewhere() + DEVIATIONS
