"""What a lens does to colours."""

from __future__ import annotations

import numpy as np

from .. import maps
from ..checks import interpolation as number_of
from ..checks import one_of, span
from ..hints import Range
from ..transform import Transform
from ..uniforms import between


class ChromaticAberration(Transform):
    """Distort the red and the blue channel as a lens does that breaks colours differently.

    Args:
        primary_distortion_limit, secondary_distortion_limit: ranges of the coefficients k1 and k2, drawn for each of the two
            channels; a number v means (-v, v). A channel is read at r (1 + k1 r^2 + k2 r^4) from the centre, r in widths along x
            and heights along y. k2 gets the sign of k1.
        mode: "green_purple": both channels get one sign; "red_blue": opposite ones; "random": whatever is drawn.
        interpolation: 0 or 6 nearest, 1 linear, 2 cubic, 4 Lanczos. Beyond the border the nearest pixel is taken.
        p: probability, per sample.

    Shapes and dtypes: images of 3 channels, any type. Targets: image.
    Source: albumentations ``ChromaticAberration``, ``cv2.remap`` of OpenCV 5. Floats are not rounded to 8 bits.

    Raises:
        ValueError: images of other than 3 channels; another mode or interpolation.

    Example:
        >>> import numpy as np, gpuaug as G
        >>> G.Compose([G.ChromaticAberration(p=1)], seed=1)(np.zeros((5, 7, 3), np.uint8)).shape
        (5, 7, 3)
    """

    ops = ("take",)
    stencil = True

    def __init__(
        self,
        primary_distortion_limit: Range = (-0.02, 0.02),
        secondary_distortion_limit: Range = (-0.05, 0.05),
        mode: str = "green_purple",
        interpolation: int = 1,
        p: float = 0.5,
    ):
        super().__init__(p)
        self.primary_distortion_limit = span("primary_distortion_limit", primary_distortion_limit)
        self.secondary_distortion_limit = span("secondary_distortion_limit", secondary_distortion_limit)
        self.mode = one_of("mode", mode, ("green_purple", "red_blue", "random"))
        self.interpolation = number_of("interpolation", interpolation)

    def columns(self) -> int:
        return 4

    def draw(self, u, view):
        if view.channels != 3:
            raise ValueError(f"ChromaticAberration works on images of 3 channels (RGB), got {view.channels}")
        limits = self.primary_distortion_limit, self.secondary_distortion_limit
        red, blue = (np.stack([between(u[:, 2 * c + k], *limits[k]) for k in (0, 1)], 1) for c in (0, 1))
        for k in (red, blue):
            k[:, 1] *= _turned(k[:, 0], k[:, 1], -1)
        if self.mode != "random":
            for k in (0, 1):
                blue[:, k] *= _turned(red[:, k], blue[:, k], -1 if self.mode == "green_purple" else 1)
        return {"red": red, "blue": blue}

    def lower(self, to, rows, params) -> None:
        to.no_labels("computed with")
        size = to.sizes(rows)
        sides = size[:, ::-1].astype(np.float64)
        image = to.keep(rows)
        to.gather(rows, maps.Radial(sides / 2, sides, params["red"]), size, self.interpolation, 1)
        red = to.keep(rows)
        to.op(rows, "take", channels=7, layers=(image,))
        to.gather(rows, maps.Radial(sides / 2, sides, params["blue"]), size, self.interpolation, 1)
        to.op(rows, "take", channels=1, layers=(red,))
        to.op(rows, "take", channels=2, layers=(image,))


def _turned(a: np.ndarray, b: np.ndarray, when: int) -> np.ndarray:
    """-1 where the signs' product is ``when``, else 1."""
    return np.where(np.sign(a) * np.sign(b) == when, -1.0, 1.0)
