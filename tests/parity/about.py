"""What the tests know of a transform beside its cases: one entry for each, in the module of its cases.

A field that does not apply holds the reason, a string that begins with "no: ". tests/test_parity.py finds what is missing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from .case import EXACT, Bound

# what has a place in random chains; drawn with these weights
FAMILIES = {"turn": 0.2, "warp": 0.2, "size": 0.3, "blur": 0.1, "colour": 0.1, "dropout": 0.1}


def steady(transform, params: dict) -> float:
    """The gain of whatever takes weighted means, or moves or replaces pixels."""
    return 1.0


def unsteady(transform, params: dict) -> float:
    """Of what makes large differences of small ones: a hue of a grey pixel, a threshold, a table with steps."""
    return np.inf


def exact(transform, dtype: str) -> Bound:
    return EXACT


@dataclass(frozen=True)
class About:
    """
    Attributes:
        name: of the transform.
        family: its place in random chains (tests/chains_made.py), one of `FAMILIES`, which takes a case of uint8; or why it has
            none.
        marks: calls ``library -> transform`` with fixed parameters, whose boxes and keypoints must be albumentations'
            (tests/test_targets.py); or how they are tested otherwise.
        bench: its arguments in the table of speeds (bench/every.py), p=1 being added; or why it has no row.
        behind: why that row may be slower than albumentations', where it may be: what stands under the table if it is.
        bench_channels: of the images of that row, where not 3.
        bench_ragged: results differ in size, so that row passes a list of images.
        reads: what must be among the targets beside the image: "mask", "bboxes", "cropping_bbox", "volume" or metadata.
        needs: arguments without which it cannot be made.
        shown: arguments for the emulator, where the needed ones and defaults would do little.
        variants: further arguments that lead to other kernels, operations or borders: run by the emulator, too.
        moved: of what takes masks, arguments with which image, mask, boxes and keypoints are seen to move alike, or to stay
            (tests/test_geometry.py): so mild that a dot of sigma 2.2 stays a dot. They take the place of ``needs``; p=1 and the
            nearest pixel for masks are added. Or why it is tested otherwise.
        turns: it turns or bends, so that a box around a moved rectangle is larger than the rectangle.
        gain: its Lipschitz constant in the maximum norm, from the transform and the parameters of one sample.
        bound: what it may differ by from albumentations in a chain, from the transform and the element type of the images.
        mask_bound: the same for its masks.
    """

    name: str
    family: str
    marks: list[Callable] | str
    bench: dict | str
    behind: str = ""
    bench_channels: int = 3
    bench_ragged: bool = False
    reads: str = ""
    needs: dict = field(default_factory=dict)
    shown: dict = field(default_factory=dict)
    variants: list[dict] = field(default_factory=list)
    moved: dict | str = field(default_factory=dict)
    turns: bool = False
    gain: Callable = steady
    bound: Callable = exact
    mask_bound: Bound = EXACT

    @property
    def arguments(self) -> dict:
        """For the emulator."""
        return {**self.needs, **self.shown}


ABOUT: dict[str, About] = {}
PIXELS = "no: it works on pixels alone"
STILL = "no: boxes and keypoints pass as they are"


def about(name: str, **facts) -> None:
    assert name not in ABOUT, f"{name} is described twice"
    ABOUT[name] = About(name, **facts)
