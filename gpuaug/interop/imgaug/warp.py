"""imgaug's augmenters that move pixels within an image of the same size."""

from __future__ import annotations

import numpy as np
import torch

from ... import maps
from ...checks import boolean, is_number
from ...groups import NoOp
from ...ragged import Ragged
from ...transforms import flip
from ...transforms._geometric import Geometric
from ...uniforms import key, spread
from ...uniforms import ragged as ragged_uniforms
from .augmenter import Augmenter
from .blur import blur_size
from .values import Choice, Value, chance

_MODES = {"constant": 0, "edge": 1, "symmetric": 2, "reflect": 4, "wrap": 3}
_ELASTIC = {"constant": 0, "nearest": 1, "reflect": 4, "wrap": 3}
_ORDERS = {0: 0, 1: 1, 3: 2}
_NEAR = np.array([(x, y) for x in range(-3, 4) for y in range(-3, 4) if abs(x) + abs(y) <= 3])


class Identity(Augmenter, NoOp):
    """Leave images as they are.

    Args:
        seed, name, random_state, deterministic: see `Augmenter`.

    Source: imgaug ``Identity``, ``Noop``.
    """

    def __init__(self, seed=None, name=None, random_state=None, deterministic=False):
        super().__init__(1.0)
        self._begin(seed, name, random_state, deterministic)


class Fliplr(Augmenter, flip.HorizontalFlip):
    """Mirror left and right.

    Args:
        p: probability, for each image.
        seed, name, random_state, deterministic: see `Augmenter`.

    Shapes and dtypes: any. Targets: image, mask, keypoints, boxes. Source: imgaug ``Fliplr``.

    Example:
        >>> import numpy as np
        >>> import gpuaug.interop.imgaug as iaa
        >>> iaa.Fliplr(1.0)(image=np.array([[1, 2]], np.uint8), keypoints=[(0.5, 0.5)])
        (array([[2, 1]], dtype=uint8), [(1.5, 0.5)])
    """

    def __init__(self, p=1, seed=None, name=None, random_state=None, deterministic=False):
        super().__init__(chance("p", p))
        self._begin(seed, name, random_state, deterministic)


class Flipud(Augmenter, flip.VerticalFlip):
    """Mirror up and down.

    Args:
        p: probability, for each image.
        seed, name, random_state, deterministic: see `Augmenter`.

    Shapes and dtypes: any. Targets: image, mask, keypoints, boxes. Source: imgaug ``Flipud``.

    Example:
        >>> import numpy as np
        >>> import gpuaug.interop.imgaug as iaa
        >>> iaa.Flipud()(image=np.array([[1], [2]], np.uint8)).tolist()
        [[2], [1]]
    """

    def __init__(self, p=1, seed=None, name=None, random_state=None, deterministic=False):
        super().__init__(chance("p", p))
        self._begin(seed, name, random_state, deterministic)


class _Warp(Augmenter, Geometric):
    """A map, with an interpolation, a border and a colour for it that each image draws."""

    def _draws(self, order, cval, mode, modes: dict) -> None:
        self.order, self.cval, self.mode = order, cval, mode
        self._order = Choice("order", order, _ORDERS)
        self._cval = Value("cval", (0, 255) if isinstance(cval, str) and cval == "ALL" else cval, whole=None)
        self._mode = Choice("mode", mode, modes)

    def _bordered(self, u) -> dict:
        """Of six uniforms."""
        cval = self._cval(spread(key(u[:, 2:4]), 3)) if not self._cval.fixed else np.full((len(u), 3), self._cval.most)
        return {"order": self._order(u[:, 0]), "mode": self._mode(u[:, 1]), "cval": cval.astype(np.float64)}

    def lower(self, to, rows, params) -> None:
        size = to.sizes(rows)
        if to.kind != "image":  # labels: the nearest, and 0 around them
            to.gather(rows, self.map(params, size), self.size_after(params, size), 0, 0, 0)
            return
        index = to.index(rows)
        mode, cval = params["mode"], params["cval"]
        told = np.column_stack([params["order"], mode, cval * (mode == 0)[:, None]])
        kinds = np.unique(told, axis=0).tolist()
        for order, border, *colour in kinds:
            some = (told == [order, border, *colour]).all(1) if len(kinds) > 1 else slice(None)
            mine = {name: value[some] for name, value in params.items()}
            after = self.size_after(mine, size[some])
            fill = colour[: to.channels] if to.channels <= 3 else colour[0]
            to.gather(index[some], self.map(mine, size[some]), after, int(order), int(border), fill)

    def joins(self, kind):
        return None


class Affine(_Warp):
    """Scale, shear, rotate and move an image about its middle.

    Args:
        scale: factor, above 0. translate_percent: fractions of the sides. translate_px: instead of it whole pixels. Of these each
            a number, a tuple (low, high), uniform, or a list to choose from, of which both axes draw one; or a dict with "x" and
            "y", each its own.
        rotate: degrees, clockwise: a number, tuple or list.
        shear: degrees: a number, along x; a tuple or list, of which both axes draw one; or a dict.
        order: interpolation: 0 nearest, 1 linear, 3 cubic, a list to choose from, or "ALL".
        cval: the border's colour: a number; a tuple or list, of which each channel draws one (of more than 3 all the first);
            "ALL": (0, 255).
        mode: "constant", "edge", "symmetric", "reflect", "wrap", a list to choose from, or "ALL".
        fit_output: let the result be as large as it must be to hold the whole image.
        backend: "auto" or "cv2".
        seed, name, random_state, deterministic: see `Augmenter`.

    With none of the first five: scale (0.9, 1.1), translate_percent and shear by (-0.1, 0.1) and (-10, 10) of each axis,
    rotate (-15, 15).

    Shapes and dtypes: any. Targets: image, mask (nearest, 0 around it), keypoints, boxes. Source: imgaug ``Affine``,
    ``cv2.warpAffine``, here without its rounding of places to 1/32 pixel.

    Example:
        >>> import numpy as np
        >>> import gpuaug.interop.imgaug as iaa
        >>> iaa.Affine(rotate=90)(image=np.array([[1, 2], [3, 4]], np.uint8)).tolist()
        [[3, 1], [4, 2]]
    """

    def __init__(
        self,
        scale=None,
        translate_percent=None,
        translate_px=None,
        rotate=None,
        shear=None,
        order=1,
        cval=0,
        mode="constant",
        fit_output: bool = False,
        backend="auto",
        seed=None,
        name=None,
        random_state=None,
        deterministic=False,
    ):
        super().__init__(p=1.0)
        if backend not in ("auto", "cv2"):
            raise ValueError(f"backend must be 'auto' or 'cv2', got {backend!r}: skimage's arithmetic is not there")
        if translate_percent is not None and translate_px is not None:
            raise ValueError("give translate_percent or translate_px, not both")
        if all(each is None for each in (scale, translate_percent, translate_px, rotate, shear)):
            scale, rotate = {"x": (0.9, 1.1), "y": (0.9, 1.1)}, (-15, 15)
            translate_percent, shear = {"x": (-0.1, 0.1), "y": (-0.1, 0.1)}, {"x": (-10, 10), "y": (-10, 10)}
        self.scale, self.rotate = 1.0 if scale is None else scale, 0.0 if rotate is None else rotate
        self.shear, self.backend = 0.0 if shear is None else shear, backend
        self.translate_percent, self.translate_px = translate_percent, translate_px
        self.fit_output = boolean("fit_output", fit_output)
        whole, move = translate_percent is None, translate_px if translate_percent is None else translate_percent
        self._scale = _axes("scale", self.scale, 1.0, 1e-4)
        self._move = _axes("translate_px" if whole else "translate_percent", 0 if move is None else move, 0, whole=whole)
        self._shear = _axes("shear", {"x": shear} if is_number(shear) else self.shear, 0.0)
        self._rotate = Value("rotate", self.rotate)
        self._draws(order, cval, mode, _MODES)
        self._begin(seed, name, random_state, deterministic)

    def columns(self) -> int:
        return 11

    def draw(self, u, view):
        (sx, sy), (tx, ty), (hx, hy) = (
            [axis(u[:, k + (i if len(axes) == 2 else 0)]).astype(np.float64) for i, axis in enumerate((axes * 2)[:2])]
            for k, axes in ((0, self._scale), (2, self._move), (4, self._shear))
        )
        size = view.size.astype(np.float64)
        if self.translate_percent is not None:
            tx, ty = tx * size[:, 1], ty * size[:, 0]
        turn, hx, hy = (np.deg2rad(each) for each in (self._rotate(u[:, 6]), hx, hy))
        # along y: by a shear along x of the plane turned by a quarter
        along_y = _linear(np.cos(hy), np.zeros_like(hy), np.sin(hy), np.ones_like(hy))
        rest = _linear(sx * np.cos(turn), -sy * np.sin(turn + hx), sx * np.sin(turn), sy * np.cos(turn + hx))
        linear = rest @ along_y
        middle = (size[:, ::-1] - 1) / 2
        matrix = np.tile(np.eye(3), (len(u), 1, 1))
        matrix[:, :2, :2] = linear
        matrix[:, :2, 2] = middle + np.stack([tx, ty], 1) - np.einsum("nij,nj->ni", linear, middle)
        after = view.size.astype(np.int64)
        if self.fit_output:
            ends = np.array([[0, 0], [0, 1], [1, 1], [1, 0]]) * (size[:, None, ::-1] - 1)
            moved = np.einsum("nij,nkj->nki", linear, ends) + matrix[:, None, :2, 2]
            low, high = moved.min(1), moved.max(1)
            matrix[:, :2, 2] -= low
            after = np.ceil((high - low + 1)[:, ::-1].round(9)).astype(np.int64)
        return {"matrix": matrix, "after": after, **self._bordered(u[:, 7:])}

    def size_after(self, params, size):
        return params["after"]

    def map(self, params, size):
        return maps.Affine(params["matrix"])


def _axes(name: str, value, usual, low: float = -np.inf, whole: bool = False) -> list[Value]:
    """What both axes draw of, or each of its own."""
    if not isinstance(value, dict):
        return [Value(name, value, low, whole=whole)]
    if not value or value.keys() - {"x", "y"}:
        raise ValueError(f"{name} must be a number, a tuple, a list, or a dict of 'x' and 'y', got {value!r}")
    return [Value(f"{name}[{axis!r}]", value.get(axis, usual), low, whole=whole) for axis in "xy"]


def _linear(a, b, c, d) -> np.ndarray:
    return np.stack([a, b, c, d], 1).reshape(-1, 2, 2)


class ElasticTransformation(_Warp):
    """Move every pixel by noise that a Gaussian has smoothed.

    Args:
        alpha: factor of the displacements, at least 0. sigma: standard deviation of the Gaussian, pixels, at least 0, whose
            window is that of `GaussianBlur`. Each a number, a tuple (low, high), uniform, or a list to choose from; for each
            image.
        order: interpolation: 0 nearest, 1 linear, 3 cubic, a list to choose from, or "ALL".
        cval: see `Affine`; all channels draw one. mode: "constant", "nearest", "reflect" or "wrap", a list, or "ALL".
        polygon_recoverer: without effect: there are no polygons.
        seed, name, random_state, deterministic: see `Augmenter`.

    The noise is uniform in (-1, 1) for x and for y, and goes on beyond the image. Shapes and dtypes: any. Targets: image, mask
    (nearest, 0 around it), keypoints, boxes. A keypoint, and a box's corner, moves by the mean displacement around where it
    goes; imgaug takes the median around where it was. Source: imgaug ``ElasticTransformation``, ``cv2.remap``, here without
    its rounding of places to 1/32 pixel.

    Example:
        >>> import numpy as np
        >>> import gpuaug.interop.imgaug as iaa
        >>> iaa.ElasticTransformation(30, 5, seed=1)(image=np.zeros((50, 70, 3), np.uint8)).shape
        (50, 70, 3)
    """

    def __init__(
        self,
        alpha=(0.0, 40.0),
        sigma=(4.0, 8.0),
        order=3,
        cval=0,
        mode="constant",
        polygon_recoverer="auto",
        seed=None,
        name=None,
        random_state=None,
        deterministic=False,
    ):
        super().__init__(p=1.0)
        self.alpha, self.sigma, self.polygon_recoverer = alpha, sigma, polygon_recoverer
        self._alpha, self._sigma = Value("alpha", alpha, 0), Value("sigma", sigma, 0, 1000)
        self._draws(order, cval, mode, _ELASTIC)
        self._begin(seed, name, random_state, deterministic)

    def columns(self) -> int:
        return 8

    def draw(self, u, view):
        size = view.size.astype(np.int64)
        alpha, sigma = (value(u[:, k]).astype(np.float64) for k, value in enumerate((self._alpha, self._sigma)))
        reach = np.where(sigma > 1e-3, blur_size(sigma), 1) // 2
        noise = ragged_uniforms(key(u[:, 2:4]), 2 * (size + 2 * reach[:, None]).prod(1))
        counts = size.prod(1)
        shift = Ragged(np.empty((counts.sum(), 2), np.float32), counts)
        for i, (h, w) in enumerate(size.tolist()):
            r, mine = int(reach[i]), torch.from_numpy(noise.of(i).astype(np.float32)).mul_(2 * alpha[i]).sub_(alpha[i])
            weights = _gaussian(r, float(sigma[i]))
            mine = torch.conv2d(mine.view(2, 1, h + 2 * r, w + 2 * r), weights.view(1, 1, -1, 1))
            shift.of(i)[:] = torch.conv2d(mine, weights.view(1, 1, 1, -1)).view(2, -1).T.numpy()
        border = self._bordered(u[:, 4:])
        border["cval"] = border["cval"][:, :1].repeat(3, 1)
        return {"shift": shift, **border}

    def map(self, params, size):
        shift = params["shift"]
        places = np.empty_like(shift.values)
        for start, count, (h, w) in zip(shift.starts.tolist(), shift.counts.tolist(), size.tolist()):
            mine, moved = (each[start : start + count].reshape(h, w, 2) for each in (places, shift.values))
            np.subtract(np.arange(w, dtype=np.float32), moved[..., 0], out=mine[..., 0])
            np.subtract(np.arange(h, dtype=np.float32)[:, None], moved[..., 1], out=mine[..., 1])
        return maps.Field(Ragged(places, shift.counts), size)

    def keypoints(self, params, which, points, size, limits):
        out = points.copy()
        out[:, :2] = self._moved(params["shift"], which, points[:, :2], size)
        return out, None

    def boxes(self, params, which, boxes, size, limits):
        corners = boxes[:, [[0, 1], [2, 1], [2, 3], [0, 3]]].reshape(-1, 2) - 0.5
        moved = self._moved(params["shift"], which.repeat(4), corners, size.repeat(4, 0)).reshape(-1, 4, 2) + 0.5
        return np.concatenate([moved.min(1), moved.max(1)], 1), None

    def _moved(self, shift: Ragged, which, points, size) -> np.ndarray:
        """Where points ``[N, 2]`` go: the map is rough, and folds, so that one place may be shown twice, or nowhere."""
        most = size[:, None, ::-1] - 1
        at = points
        for _ in range(4):
            near = np.clip(np.rint(at)[:, None] + _NEAR, 0, most).astype(np.int64)
            line = shift.starts[which][:, None] + near[..., 1] * size[:, 1:] + near[..., 0]
            at = points + shift.values[line].mean(1)
        inside = ((points >= -0.5) & (points < size[:, ::-1] - 0.5)).all(1, keepdims=True)
        return np.where(inside, at, points)


def _gaussian(reach: int, sigma: float) -> torch.Tensor:
    weights = torch.exp(-0.5 * (torch.arange(-reach, reach + 1, dtype=torch.float64) / max(sigma, 1e-6)) ** 2)
    return (weights / weights.sum()).float()
