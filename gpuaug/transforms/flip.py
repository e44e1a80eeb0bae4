"""Flips, transposes, quarter turns: integer geometry, a view or a permutation of output positions."""

from __future__ import annotations

import numpy as np

from .. import maps
from ..geometry import orientation_matrix
from ..plan import ORIENTATIONS
from ..uniforms import integers
from ._geometric import Geometric

_SWAPPED = {"transpose", "rot90", "rot270", "anti_transpose"}


def _turned(size, swap):
    return np.where(np.asarray(swap)[..., None], size[:, ::-1], size)


class _Oriented(Geometric, register=False):
    """What they share: views, whose map is told to boxes and points."""

    def __init__(self, p: float = 0.5):
        super().__init__(0, 0, p=p)

    def _names(self, params, n: int) -> list[str]:
        raise NotImplementedError

    def joins(self, kind):
        return None, None, None

    def map(self, params, size):
        return maps.Affine(orientation_matrix([ORIENTATIONS[name] for name in self._names(params, len(size))], size))


class _Fixed(_Oriented):
    """An orientation that is always the same."""

    orientation = "identity"

    def _names(self, params, n):
        return [self.orientation] * n

    def size_after(self, params, size):
        return size[:, ::-1] if self.orientation in _SWAPPED else size

    def lower(self, to, rows, params) -> None:
        to.orient(rows, self.orientation)


class HorizontalFlip(_Fixed):
    """Mirror left and right.

    Args:
        p: probability, per sample.

    Shapes and dtypes: any; unchanged. Targets: image, mask, boxes, keypoints.
    Source: albumentations ``HorizontalFlip`` (``cv2.flip``, code 1).

    Example:
        >>> import numpy as np, gpuaug as G
        >>> G.Compose([G.HorizontalFlip(p=1)])(np.arange(3, dtype=np.uint8)[None])
        array([[2, 1, 0]], dtype=uint8)
    """

    orientation = "hflip"


class VerticalFlip(_Fixed):
    """Mirror top and bottom.

    Args:
        p: probability, per sample.

    Shapes and dtypes: any; unchanged. Targets: image, mask, boxes, keypoints.
    Source: albumentations ``VerticalFlip`` (``cv2.flip``, code 0).

    Example:
        >>> import numpy as np, gpuaug as G
        >>> G.Compose([G.VerticalFlip(p=1)])(np.arange(3, dtype=np.uint8)[:, None]).ravel()
        array([2, 1, 0], dtype=uint8)
    """

    orientation = "vflip"


class Transpose(_Fixed):
    """Swap rows and columns; height and width change places.

    Args:
        p: probability, per sample.

    Shapes and dtypes: any. Targets: image, mask, boxes, keypoints. Source: albumentations ``Transpose``.

    Example:
        >>> import numpy as np, gpuaug as G
        >>> G.Compose([G.Transpose(p=1)])(np.zeros((4, 6, 3), np.uint8)).shape
        (6, 4, 3)
    """

    orientation = "transpose"

    def keypoints(self, params, which, points, size, limits):
        out, left = super().keypoints(params, which, points, size, limits)
        if limits.geometry == "albumentations":
            out[:, 2] = _swapped_angle(points[:, 2])
        return out, left


def _swapped_angle(angle: np.ndarray) -> np.ndarray:
    """albumentations' angles of a transposed image: those above 180 degrees come out as the opposite direction."""
    angle = np.mod(angle, 2 * np.pi)
    return np.where(angle <= np.pi, 0.5, 1.5) * np.pi - angle


class _Choice(_Oriented):
    """One of a few orientations, per sample."""

    orientations: tuple[str, ...] = ()

    def _names(self, params, n):
        return [self.orientations[i] for i in params[self.parameter]]

    def columns(self) -> int:
        return 1

    def draw(self, u, view):
        return {self.parameter: integers(u[:, 0], 0, len(self.orientations) - 1)}

    def size_after(self, params, size):
        swap = np.array([o in _SWAPPED for o in self.orientations])
        return _turned(size, swap[params[self.parameter]])

    def lower(self, to, rows, params) -> None:
        index = np.arange(to.samples)[rows]
        for i, orientation in enumerate(self.orientations):
            some = index[params[self.parameter] == i]
            if len(some) and orientation != "identity":
                to.orient(some, orientation)


class RandomRotate90(_Choice):
    """Turn counter-clockwise by 0, 90, 180 or 270 degrees, each with probability 1/4.

    Args:
        p: probability, per sample.

    Shapes and dtypes: any; quarter turns swap height and width. Targets: image, mask, boxes,
    keypoints. Source: albumentations ``RandomRotate90`` (``np.rot90``).

    Example:
        >>> import numpy as np, gpuaug as G
        >>> G.Compose([G.RandomRotate90(p=1)], seed=3)(np.zeros((4, 4, 3), np.uint8)).shape
        (4, 4, 3)
    """

    parameter = "factor"
    orientations = ("identity", "rot90", "rot180", "rot270")

    def __init__(self, p: float = 1.0):
        super().__init__(p)


class Flip(_Choice):
    """Mirror left and right, top and bottom, or both, each with probability 1/3.

    Args:
        p: probability, per sample.

    Shapes and dtypes: any; unchanged. Targets: image, mask, boxes, keypoints.
    Source: albumentations ``Flip`` before 2.0 (``cv2.flip`` with a code drawn from 0, 1, -1).

    Example:
        >>> import numpy as np, gpuaug as G
        >>> G.Compose([G.Flip(p=1)], seed=3)(np.zeros((4, 6, 3), np.uint8)).shape
        (4, 6, 3)
    """

    parameter = "d"
    orientations = ("vflip", "hflip", "rot180")


class D4(_Choice):
    """One of the eight symmetries of a square, each with probability 1/8: turns by quarters, and their mirror images.

    Args:
        p: probability, per sample.

    Shapes and dtypes: any; four of them swap height and width. Targets: image, mask, boxes, keypoints.
    Source: albumentations ``D4``.

    Example:
        >>> import numpy as np, gpuaug as G
        >>> G.Compose([G.D4(p=1)], seed=3)(np.zeros((4, 4, 3), np.uint8)).shape
        (4, 4, 3)
    """

    parameter = "group_element"
    elements = ("e", "r90", "r180", "r270", "v", "hvt", "h", "t")
    orientations = ("identity", "rot90", "rot180", "rot270", "vflip", "anti_transpose", "hflip", "transpose")

    def __init__(self, p: float = 1.0):
        super().__init__(p)

    def element_of(self, params):
        return params[self.parameter]

    def keypoints(self, params, which, points, size, limits):
        out, left = super().keypoints(params, which, points, size, limits)
        if limits.geometry == "albumentations":
            element = params[self.parameter][which]
            for name, turned in (("transpose", 0), ("anti_transpose", np.pi)):  # the latter is turned by 180 degrees before
                mine = element == self.orientations.index(name)
                out[mine, 2] = _swapped_angle(points[mine, 2] + turned)
        return out, left


class SquareSymmetry(D4):
    """`D4` under its other name.

    Args:
        p: probability, per sample.

    Shapes and dtypes: any; four of them swap height and width. Targets: image, mask, boxes, keypoints.
    Source: albumentations ``SquareSymmetry``.

    Example:
        >>> import numpy as np, gpuaug as G
        >>> G.Compose([G.SquareSymmetry(p=1)], seed=3)(np.zeros((4, 4, 3), np.uint8)).shape
        (4, 4, 3)
    """
