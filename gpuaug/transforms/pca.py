"""Colour along the directions in which the colours of an image vary."""

from __future__ import annotations

from ..checks import real
from ..transform import Transform
from ..uniforms import key, normal, spread


class FancyPCA(Transform):
    """Add colour noise along the directions in which the image's own colours vary most.

    As albumentations computes it: of directions V (unit vectors, columns), variances w and random numbers a, the matrix
    V diag(a w) times each pixel's distance from the mean is added. (AlexNet adds V (a w), the same for all pixels.) What comes
    of given numbers therefore depends on the sign of each direction; here its largest part is positive, in the reference the
    sign is LAPACK's. Since a is symmetric, the distributions are the same.

    Args:
        alpha: standard deviation of the random numbers, at least 0.
        p: probability, per sample.

    Shapes and dtypes: any channel count; uint8 is rounded, float images (0..1) are clipped to it. The work of finding directions
    grows with the cube of the channel count. Images of one pixel stay as they are. Targets: image. Source: albumentations
    ``FancyPCA``.

    Raises:
        ValueError: a negative alpha.

    Example:
        >>> import numpy as np, gpuaug as G
        >>> image = np.repeat(np.uint8([[[100], [200]]]), 3, 2)
        >>> G.Compose([G.FancyPCA(alpha=0, p=1)])(image).tolist()
        [[[100, 100, 100], [200, 200, 200]]]
    """

    ops = ("fancy",)

    def __init__(self, alpha: float = 0.1, p: float = 0.5):
        super().__init__(p)
        self.alpha = real("alpha", alpha, 0)

    def columns(self) -> int:
        return 2

    def draw(self, u, view):
        return {"alpha": self.alpha * normal(spread(key(u), view.channels))}

    def lower(self, to, rows, params) -> None:
        found = to.lookup(rows, to.reduce(rows, "covariance"), "eigen", channels=to.channels)
        image = to.keep(rows)
        # variances are of bytes; of one channel albumentations takes the deviation
        scale = 1.0 if not to.is_u8 else 1 / 255 if to.channels == 1 else 1 / 255**2
        to.op(rows, "fancy", whole=to.is_u8, scale=scale, of=found, table=params["alpha"], layers=(image,))
