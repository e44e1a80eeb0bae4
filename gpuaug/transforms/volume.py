"""What is done to volumes as a whole; all other transforms treat their slices alike."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..checks import boolean, colour, increasing, integer, one_of, whole
from ..hints import Colour, Fill, IntRange, Range, Size
from ..transform import Transform
from ..uniforms import between, integers
from .dropout import fill_holes

_STRAIGHT = np.arange(3)


class _Solid(Transform, register=False):
    """What they share: they need the depth, work on volumes alone, and move keypoints in three dimensions."""

    solid = True
    targets = ()
    moves_pixels = True

    @classmethod
    def moves(cls, hook: str) -> bool:
        return hook == "keypoints"

    def _shape(self, view) -> np.ndarray:
        """Depth, height and width of each sample, int ``[n, 3]``."""
        if view.depth is None:
            raise ValueError(f"{type(self).__name__} needs volume= or mask3d= among the targets")
        return np.concatenate([view.depth[:, None], view.size], 1).astype(np.int64)

    def size_after(self, params, size):
        return params["after"][:, 1:]


class _Framed(_Solid, register=False):
    """A window, and what is added around it: parameters "start", "kept", "before", "after", each (z, y, x)."""

    def __init__(self, fill: Fill, fill_mask: Colour | None, p: float):
        super().__init__(p)
        self.fill, self.fill_mask = colour("fill", fill), colour("fill_mask", fill_mask)

    def lower_solid(self, solid, place, params) -> None:
        n = len(params["start"])
        solid.view(place, np.tile(_STRAIGHT, (n, 1)), np.zeros((n, 3), bool), params["start"], params["kept"])
        solid.pad(place, params["before"], params["after"], self.fill if solid.track.kind == "image" else self.fill_mask)

    def solid_points(self, params, which, points):
        return points + (params["before"] - params["start"])[which][:, ::-1], None


class _Cropped3D(_Framed, register=False):
    def __init__(self, size: Size, pad_if_needed, fill: Fill, fill_mask: Colour | None, p: float):
        super().__init__(fill, fill_mask, p)
        self.size, self.pad_if_needed = _three("size", size, 1), boolean("pad_if_needed", pad_if_needed)

    def columns(self) -> int:
        return 6

    def draw(self, u, view):
        shape = self._shape(view)
        short = np.maximum(np.array(self.size) - shape, 0)
        if short.any() and not self.pad_if_needed:
            i = int(np.flatnonzero(short.any(1))[0])
            raise ValueError(
                f"{type(self).__name__}: size={self.size} is larger than the volume of sample {view.sample(i)}, "
                f"{tuple(shape[i].tolist())}; make it smaller, or set pad_if_needed=True"
            )
        start, before = self._places(u, np.maximum(shape - self.size, 0), short)
        after = np.broadcast_to(np.array(self.size), shape.shape)
        return {"start": start, "kept": np.minimum(shape, after), "before": before, "after": after}


class CenterCrop3D(_Cropped3D):
    """Crop the middle of a volume.

    Args:
        size: (depth, height, width) of the window.
        pad_if_needed: pad volumes that are smaller, half of what is missing on either side; else they are an error.
        fill, fill_mask: colour of what is added.
        p: probability, per sample.

    Shapes and dtypes: any. Targets: volume, volumes, mask3d, masks3d, keypoints (of format "xyz"). Source: albumentations
    ``CenterCrop3D``.

    Raises:
        ValueError: a volume smaller than the window (at the first that is).

    Example:
        >>> import numpy as np, gpuaug as G
        >>> G.Compose([G.CenterCrop3D((1, 1, 1))])(volume=np.arange(27, dtype=np.uint8).reshape(3, 3, 3))["volume"]
        array([[[13]]], dtype=uint8)
    """

    def __init__(self, size: Size, pad_if_needed: bool = False, fill: Fill = 0, fill_mask: Colour | None = 0, p: float = 1.0):
        super().__init__(size, pad_if_needed, fill, fill_mask, p)

    def _places(self, u, free, short):
        return free // 2, short // 2


class RandomCrop3D(_Cropped3D):
    """Crop a window of a volume at a random place.

    Args:
        size: (depth, height, width) of the window.
        pad_if_needed: pad volumes that are smaller, what is missing being shared out at random; else they are an error.
        fill, fill_mask: colour of what is added.
        p: probability, per sample.

    Shapes and dtypes: any. Targets: volume, volumes, mask3d, masks3d, keypoints (of format "xyz"). Source: albumentations
    ``RandomCrop3D``, which returns smaller volumes as they are.

    Raises:
        ValueError: a volume smaller than the window (at the first that is).

    Example:
        >>> import numpy as np, gpuaug as G
        >>> G.Compose([G.RandomCrop3D((2, 1, 3))])(volume=np.zeros((4, 5, 6), np.uint8))["volume"].shape
        (2, 1, 3)
    """

    def __init__(self, size: Size, pad_if_needed: bool = False, fill: Fill = 0, fill_mask: Colour | None = 0, p: float = 1.0):
        super().__init__(size, pad_if_needed, fill, fill_mask, p)

    def _places(self, u, free, short):
        return integers(u[:, :3], 0, free), integers(u[:, 3:], 0, short)


class Pad3D(_Framed):
    """Add voxels on the sides of a volume.

    Args:
        padding: how many: on all sides; or along (depth, height, width), on both sides each; or (front, back, top, bottom, left,
            right).
        fill, fill_mask: their colour.
        p: probability, per sample.

    Shapes and dtypes: any. Targets: volume, volumes, mask3d, masks3d, keypoints (of format "xyz").
    Source: albumentations ``Pad3D``.

    Raises:
        ValueError: a negative number.

    Example:
        >>> import numpy as np, gpuaug as G
        >>> G.Compose([G.Pad3D((1, 0, 2))])(volume=np.zeros((4, 5, 6), np.uint8))["volume"].shape
        (6, 5, 10)
    """

    def __init__(self, padding: int | Sequence[int], fill: Fill = 0, fill_mask: Colour | None = 0, p: float = 1.0):
        super().__init__(fill, fill_mask, p)
        self.padding = padding
        if isinstance(padding, (tuple, list)) and len(padding) == 6:
            sides = [integer("padding", value, 0) for value in padding]
        else:
            sides = np.repeat(_three("padding", padding, 0), 2).tolist()
        self._sides = np.array(sides).reshape(3, 2)

    def draw(self, u, view):
        return _padded(self._shape(view), np.broadcast_to(self._sides, (len(u), 3, 2)))


class PadIfNeeded3D(_Framed):
    """Add voxels where a volume is smaller than wanted, or its sides are no multiples.

    Args:
        min_zyx: least (depth, height, width), or None.
        pad_divisor_zyx: of what sides become multiples where min_zyx is None; or None.
        position: where the volume lies in the result: "center" (of an odd number one more behind) or "random".
        fill, fill_mask: colour of what is added.
        p: probability, per sample.

    Shapes and dtypes: any. Targets: volume, volumes, mask3d, masks3d, keypoints (of format "xyz"). Source: albumentations
    ``PadIfNeeded3D``, whose "random" (2.0.8) draws both sides by themselves, so that volumes end too large or too small.

    Raises:
        ValueError: neither min_zyx nor pad_divisor_zyx.

    Example:
        >>> import numpy as np, gpuaug as G
        >>> G.Compose([G.PadIfNeeded3D(pad_divisor_zyx=(4, 4, 4))])(volume=np.zeros((4, 5, 6), np.uint8))["volume"].shape
        (4, 8, 8)
    """

    def __init__(
        self,
        min_zyx: Sequence[int] | None = None,
        pad_divisor_zyx: Sequence[int] | None = None,
        position: str = "center",
        fill: Fill = 0,
        fill_mask: Colour | None = 0,
        p: float = 1.0,
    ):
        super().__init__(fill, fill_mask, p)
        if min_zyx is None and pad_divisor_zyx is None:
            raise ValueError("one of min_zyx and pad_divisor_zyx must be given, both are None")
        self.min_zyx = None if min_zyx is None else _three("min_zyx", min_zyx, 0)
        self.pad_divisor_zyx = None if pad_divisor_zyx is None else _three("pad_divisor_zyx", pad_divisor_zyx, 1)
        self.position = one_of("position", position, ("center", "random"))

    def columns(self) -> int:
        return 3

    def draw(self, u, view):
        shape = self._shape(view)
        short = -shape % np.array(self.pad_divisor_zyx) if self.min_zyx is None else np.maximum(np.array(self.min_zyx) - shape, 0)
        before = short // 2 if self.position == "center" else integers(u, 0, short)
        return _padded(shape, np.stack([before, short - before], 2))


def _padded(shape, sides) -> dict:
    return {"start": np.zeros_like(shape), "kept": shape, "before": sides[..., 0], "after": shape + sides.sum(2)}


class CoarseDropout3D(_Solid):
    """Cut cuboids out of a volume.

    Args:
        num_holes_range: how many, (low, high) inclusive.
        hole_depth_range, hole_height_range, hole_width_range: their sides as fractions of the volume's, rounded up.
        fill: what they become: a number, or one for each channel.
        fill_mask: the same in masks; None leaves masks.
        p: probability, per sample.

    Shapes and dtypes: any. Targets: volume, volumes, mask3d, masks3d, keypoints (of format "xyz"). Source: albumentations
    ``CoarseDropout3D``.

    Raises:
        ValueError: a range out of order, or outside of [0, 1].

    Example:
        >>> import numpy as np, gpuaug as G
        >>> aug = G.CoarseDropout3D((1, 1), (0.5, 0.5), (0.5, 0.5), (0.5, 0.5), fill=9, p=1)
        >>> int((G.Compose([aug], seed=1)(volume=np.zeros((4, 4, 4), np.uint8))["volume"] == 9).sum())
        8
    """

    ops = ("rects",)
    moves_pixels = False

    def __init__(
        self,
        num_holes_range: IntRange = (1, 1),
        hole_depth_range: Range = (0.1, 0.2),
        hole_height_range: Range = (0.1, 0.2),
        hole_width_range: Range = (0.1, 0.2),
        fill: Fill = 0,
        fill_mask: Colour | None = None,
        p: float = 0.5,
    ):
        super().__init__(p)
        self.num_holes_range = whole("num_holes_range", num_holes_range, 0, 1000)
        self.hole_depth_range = increasing("hole_depth_range", hole_depth_range, 0, 1)
        self.hole_height_range = increasing("hole_height_range", hole_height_range, 0, 1)
        self.hole_width_range = increasing("hole_width_range", hole_width_range, 0, 1)
        self.fill = colour("fill", fill)
        self.fill_mask = None if fill_mask is None else colour("fill_mask", fill_mask)

    def columns(self) -> int:
        return 1 + 6 * self.num_holes_range[1]

    def draw(self, u, view):
        shape, most = self._shape(view), self.num_holes_range[1]
        parts = u[:, 1:].reshape(len(u), most, 2, 3)
        low, high = np.array([self.hole_depth_range, self.hole_height_range, self.hole_width_range]).T
        sides = np.maximum(1, np.ceil(shape[:, None] * between(parts[:, :, 0], low, high))).astype(np.int64)
        first = integers(parts[:, :, 1], 0, shape[:, None] - sides)
        there = np.arange(most) < integers(u[:, 0], *self.num_holes_range)[:, None]
        holes = np.concatenate([first, first + sides], 2) * there[..., None]
        return {"holes": holes, "after": shape}

    def lower_solid(self, solid, place, params) -> None:
        to = solid.track
        fill = self.fill if to.kind == "image" else self.fill_mask
        line = place[solid.slices()]
        rows = np.flatnonzero(line >= 0)
        if fill is None or not len(rows):
            return
        holes, z = params["holes"][line[rows]], solid.level()[rows, None]
        hit = (holes[..., 0] <= z) & (z < holes[..., 3])
        fill_holes(to, rows, holes[..., [2, 1, 5, 4]] * hit[..., None], fill)

    def solid_points(self, params, which, points):
        holes, voxel = params["holes"][which], np.floor(points + 0.5)[:, None, ::-1]
        return points, ~((voxel >= holes[..., :3]) & (voxel < holes[..., 3:])).all(2).any(1)


class CubicSymmetry(_Solid):
    """Turn and mirror a volume by one of the 48 symmetries of a cube, drawn alike often.

    Args:
        p: probability, per sample.

    Shapes and dtypes: any; sides change places with the axes. Nothing is interpolated or copied: slices are described anew.
    Targets: volume, volumes, mask3d, masks3d, keypoints (of format "xyz"). Source: albumentations ``CubicSymmetry``.

    Example:
        >>> import numpy as np, gpuaug as G
        >>> out = G.Compose([G.CubicSymmetry()], seed=1)(volume=np.arange(8, dtype=np.uint8).reshape(2, 2, 2))["volume"]
        >>> sorted(out.ravel().tolist())
        [0, 1, 2, 3, 4, 5, 6, 7]
    """

    def __init__(self, p: float = 1.0):
        super().__init__(p)

    def columns(self) -> int:
        return 1

    def draw(self, u, view):
        index = integers(u[:, 0], 0, 47)
        order, shape = _ORDER[index], self._shape(view)
        return {"index": index, "order": order, "flip": _FLIP[index], "after": np.take_along_axis(shape, order, 1)}

    def lower_solid(self, solid, place, params) -> None:
        solid.view(place, params["order"], params["flip"], np.zeros_like(params["after"]), params["after"])

    def solid_points(self, params, which, points):
        out = np.take_along_axis(points[:, ::-1], params["order"][which], 1)  # z, y, x
        return np.where(params["flip"][which], params["after"][which] - 1 - out, out)[:, ::-1], None


def _turned(x: np.ndarray, index: int) -> np.ndarray:
    """The view number ``index`` of a cube, in albumentations' order: six faces, four turns of each; then all mirrored."""
    x, (face, turn) = (x[:, :, ::-1] if index >= 24 else x), divmod(index % 24, 4)
    first, second = [
        (None, (1, 2)),
        ((2, (0, 2)), (1, 2)),
        ((1, (0, 2)), (0, 1)),
        ((-1, (0, 2)), (0, 1)),
        ((1, (0, 1)), (0, 2)),
        ((-1, (0, 1)), (0, 2)),
    ][face]
    return np.rot90(np.rot90(x, *first) if first else x, turn, second)


def _symmetries() -> tuple[np.ndarray, np.ndarray]:
    """Of each of the 48: which axis becomes which, and whether it is run through backwards; by the strides of a view."""
    cube = np.zeros((2, 3, 5), np.int8)
    steps = np.array([_turned(cube, index).strides for index in range(48)])
    return np.argmax(np.abs(steps)[..., None] == np.array(cube.strides), 2), steps < 0


_ORDER, _FLIP = _symmetries()


class ToTensor3D(_Solid):
    """Deliver volumes and their masks as torch tensors ``[C, D, H, W]``, of one channel where they have no axis for it.

    Args:
        p: must be 1.

    Shapes and dtypes: any, unchanged. Targets: volume, volumes, mask3d, masks3d. Source: albumentations ``ToTensor3D``.

    Raises:
        ValueError: another p.

    Example:
        >>> import numpy as np, gpuaug as G
        >>> G.Compose([G.ToTensor3D()])(volume=np.zeros((4, 5, 6, 3), np.uint8))["volume"].shape
        torch.Size([3, 4, 5, 6])
    """

    moves_pixels = False

    def __init__(self, p: float = 1.0):
        super().__init__(p)
        if self.p != 1:
            raise ValueError(f"p of ToTensor3D must be 1, got {p!r}: all volumes of a batch become tensors, or none")

    def draw(self, u, view):
        return {"after": self._shape(view)}

    def lower_solid(self, solid, place, params) -> None:
        solid.tensor = True

    def solid_points(self, params, which, points):
        return points, None


def _three(name: str, value, low: int) -> tuple[int, int, int]:
    """A number for depth, height and width each."""
    if isinstance(value, (tuple, list)):
        if len(value) != 3:
            raise TypeError(f"{name} must be three whole numbers (depth, height, width), got {value!r}")
        return tuple(integer(name, v, low) for v in value)
    return (integer(name, value, low),) * 3
