"""Each transform beside an implementation that somebody else wrote, given the same parameters.

A `Case` holds a transform and its reference, `about` what the other tests and the table of speeds know of it. The reference gets
the uniforms that our transform drew from: as a script that albumentations' own generators read (`Script`), so that ranges,
roundings and the order of its draws are under test as well as its pixels; or as plain numbers for OpenCV and torchaudio. There is
a module of cases for each module of `gpuaug.transforms`.

    python -m tests.parity            prints the table
    python -m tests.parity --write    writes docs/parity.md
"""

from . import (  # noqa: F401  (they add their cases)
    aberration,
    affine,
    blur,
    channels,
    color,
    compression,
    control,
    convert,
    crop,
    crop_labels,
    crop_sides,
    distort,
    dropout,
    flare,
    flip,
    fog,
    glass,
    grain,
    histogram,
    jitter,
    kernels,
    light,
    morphology,
    mosaic,
    noise,
    normalize,
    overlays,
    pca,
    perspective,
    plasma,
    references,
    rotate,
    sharpen,
    sizes,
    spectrogram,
    stain,
    tone,
    weather,
)
from .about import ABOUT, FAMILIES
from .case import CASES, EXACT, NEAREST, images, stack
from .crop_labels import ELSEWHERE
from .noise import threefry
from .run import compare, compare_masks, ours, uniforms

__all__ = [
    "ABOUT",
    "CASES",
    "ELSEWHERE",
    "EXACT",
    "FAMILIES",
    "NEAREST",
    "compare",
    "compare_masks",
    "images",
    "ours",
    "stack",
    "threefry",
    "uniforms",
]
