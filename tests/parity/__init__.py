"""Each transform beside an implementation that somebody else wrote, given the same parameters.

A `Case` holds a transform and its reference, `about` what the other tests and the table of speeds know of it. The reference gets
the uniforms that our transform drew from: as a script that albumentations' own generators read (`Script`), so that ranges,
roundings and the order of its draws are under test as well as its pixels; or as plain numbers for OpenCV and torchaudio. There is
a module of cases for each module of `gpuaug.transforms`.

    python -m tests.parity            prints the table
    python -m tests.parity --write    writes docs/parity.md
"""

import importlib
import pkgutil
import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1]))  # of `python -m tests.parity`: allowed.py lies beside this folder; pytest adds it

from gpuaug.interop.parity.driven import threefry
from gpuaug.interop.parity.precision import sum_in_single_precision

from .about import ABOUT, FAMILIES
from .case import CASES, EXACT, NEAREST, images, stack
from .crop_labels import ELSEWHERE
from .run import compare, compare_masks, ours, uniforms

sum_in_single_precision()  # the same reference on every processor
for _module in sorted(each.name for each in pkgutil.iter_modules(__path__)):
    if _module != "__main__":  # every module adds its cases
        importlib.import_module(f"{__name__}.{_module}")

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
