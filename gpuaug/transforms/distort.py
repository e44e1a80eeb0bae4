"""Distortions: what a lens does, grids whose lines move, and elastic sheets."""

from __future__ import annotations

import numpy as np

from .. import maps
from ..checks import boolean, integer, one_of, real, span
from ..hints import Colour, Fill, Range
from ..ragged import Ragged
from ..uniforms import between, key, normal, ragged
from ._geometric import Geometric


class _Distortion(Geometric, register=False):
    """What distortions share: the size stays, keypoints are looked up.

    Where a keypoint goes is solved for in the map itself, to 0.05 pixels, whatever the method: albumentations draws a disc of
    three pixels and looks where it appears ("mask"), or inverts the map by its nearest pixels ("direct").
    """

    def joins(self, kind):
        return None

    def __init__(
        self,
        interpolation,
        mask_interpolation,
        keypoint_remapping_method,
        border_mode,
        fill: Fill,
        fill_mask: Colour | None,
        p: float,
    ):
        super().__init__(interpolation, mask_interpolation, border_mode, fill, fill_mask, p)
        self.keypoint_remapping_method = one_of("keypoint_remapping_method", keypoint_remapping_method, ("direct", "mask"))

    def keypoints(self, params, which, points, size, limits):
        out, left = super().keypoints(params, which, points, size, limits)
        if self.keypoint_remapping_method == "direct":
            out[:, :2] = np.clip(out[:, :2], 0, size[:, ::-1] - 1)
        if limits.geometry == "albumentations":
            out[:, 2:] = points[:, 2:]
        return out, left


class OpticalDistortion(_Distortion):
    """Barrel or pincushion distortion, as a lens makes it.

    Args:
        distort_limit: range of the coefficient k; a number v means (-v, v). Above 0 the image shrinks towards its middle.
        interpolation, mask_interpolation: 0 or 6 nearest, 1 or 3 linear, 2 cubic, 4 Lanczos.
        mode: "camera": a point is read at r (1 + k r^2 + k r^4) from the centre, r in widths along x and heights along y;
            "fisheye": at r (1 + k r^2), r in units of half the diagonal.
        keypoint_remapping_method: "mask" drops keypoints that the result does not show, "direct" moves them to its edge.
        p: probability, per sample.
        border_mode: OpenCV's number: 0 constant, 1 replicate, 2 reflect, 3 wrap, 4 reflect_101.
        fill, fill_mask: constant border, a number (all channels) or one for each channel.
        shift_limit: as albumentations had it up to 1.4.21: range of whole pixels by which the image is moved behind the
            lens, along x and along y; a number v means (-v, v). Below half a pixel it does nothing, as there.

    Shapes and dtypes: any; unchanged. Targets: image, mask, boxes, keypoints.
    Source: albumentations ``OpticalDistortion``, ``cv2.initUndistortRectifyMap``, ``cv2.remap`` of OpenCV 5. With k = 0 pixels
    stay where they are, which albumentations' camera moves by half a pixel.

    Raises:
        ValueError: another mode, method, interpolation or border.

    Example:
        >>> import numpy as np, gpuaug as G
        >>> G.Compose([G.OpticalDistortion(0.3, p=1)], seed=1)(np.zeros((5, 7, 3), np.uint8)).shape
        (5, 7, 3)
    """

    def __init__(
        self,
        distort_limit: Range = (-0.05, 0.05),
        interpolation: int = 1,
        mask_interpolation: int = 0,
        mode: str = "camera",
        keypoint_remapping_method: str = "mask",
        p: float = 0.5,
        border_mode: int = 0,
        fill: Fill = 0,
        fill_mask: Colour | None = 0,
        *,
        shift_limit: Range | None = None,
    ):
        super().__init__(interpolation, mask_interpolation, keypoint_remapping_method, border_mode, fill, fill_mask, p)
        self.distort_limit, self.mode = span("distort_limit", distort_limit), one_of("mode", mode, ("camera", "fisheye"))
        self.shift_limit = None if shift_limit is None else span("shift_limit", shift_limit)

    def columns(self) -> int:
        return 1 if self.shift_limit is None else 3

    def draw(self, u, view):
        k = between(u[:, 0], *self.distort_limit)
        if self.shift_limit is None:
            return {"k": k}
        return {"k": k, "shift": np.rint(between(u[:, 1:], *self.shift_limit))}  # halves to even, as Python's round

    def map(self, params, size):
        lens = self._lens(params["k"], size[:, ::-1].astype(np.float64))
        # by what the arguments allow, not by what was drawn: no sample's pixels hang on its neighbours' shifts
        moves = self.shift_limit is not None and np.rint(self.shift_limit).any()
        return maps.Moved(lens, params["shift"], size) if moves else lens

    def _lens(self, k, sides):
        if self.mode == "camera":
            return maps.Radial((sides - 1) / 2, sides, np.stack([k, k], 1))
        half = np.hypot(*(sides / 2).T)
        return maps.Radial(sides / 2, np.stack([half, half], 1), np.stack([k, np.zeros_like(k)], 1))


class GridDistortion(_Distortion):
    """Cut the image into a grid, and stretch each of its columns and rows by a factor of its own.

    Args:
        num_steps: columns, and rows, of the grid, of whole pixels; what the sides leave over is one more. Sides with fewer pixels
            have a column or row for each.
        distort_limit: range of the factors minus 1, within [-1, 1]; a number v means (-v, v).
        interpolation, mask_interpolation: 0 or 6 nearest, 1 or 3 linear, 2 cubic, 4 Lanczos.
        normalized: scale the factors so that the whole image is in the result, else it may end before the result does.
        keypoint_remapping_method: "mask" drops keypoints that the result does not show, "direct" moves them to its edge.
        p: probability, per sample.
        border_mode: OpenCV's number: 0 constant, 1 replicate, 2 reflect, 3 wrap, 4 reflect_101.
        fill, fill_mask: constant border, a number (all channels) or one for each channel.

    Shapes and dtypes: any; unchanged. Targets: image, mask, boxes, keypoints.
    Source: albumentations ``GridDistortion``, ``cv2.remap`` of OpenCV 5. With factors of 1 pixels stay where they are:
    albumentations shows the last pixel of each column twice.

    Raises:
        ValueError: distort_limit outside [-1, 1]; another method, interpolation or border.

    Example:
        >>> import numpy as np, gpuaug as G
        >>> G.Compose([G.GridDistortion(3, p=1)], seed=1)(np.zeros((5, 7, 3), np.uint8)).shape
        (5, 7, 3)
    """

    def __init__(
        self,
        num_steps: int = 5,
        distort_limit: Range = (-0.3, 0.3),
        interpolation: int = 1,
        normalized: bool = True,
        mask_interpolation: int = 0,
        keypoint_remapping_method: str = "mask",
        p: float = 0.5,
        border_mode: int = 0,
        fill: Fill = 0,
        fill_mask: Colour | None = 0,
    ):
        super().__init__(interpolation, mask_interpolation, keypoint_remapping_method, border_mode, fill, fill_mask, p)
        self.num_steps = integer("num_steps", num_steps, 1, 1000)
        self.distort_limit = span("distort_limit", distort_limit, -1, 1)
        self.normalized = boolean("normalized", normalized)

    def columns(self) -> int:
        return 2 * (self.num_steps + 1)

    def draw(self, u, view):
        factor = 1 + between(u, *self.distort_limit)
        return {"x": factor[:, : self.num_steps + 1], "y": factor[:, self.num_steps + 1 :]}

    def map(self, params, size):
        return maps.Grid(self._along(params["x"], size[:, 1]), self._along(params["y"], size[:, 0]))

    def _along(self, factor, side) -> Ragged:
        """Where each pixel of lines of lengths ``side`` is read."""
        cell, steps = np.maximum(side // self.num_steps, 1), np.arange(self.num_steps)
        counts = np.clip(side[:, None] - steps * cell[:, None], 0, cell[:, None])
        counts = np.column_stack([counts, np.maximum(side - self.num_steps * cell, 0)])
        if self.normalized:
            whole = (factor * counts).sum(1)
            factor = factor * np.divide(side, whole, out=np.ones(len(side)), where=whole > 0)[:, None]
        start = np.cumsum(factor * counts, 1) - factor * counts
        line = np.repeat(np.arange(len(side)), side)
        x = np.arange(len(line)) - np.repeat(np.cumsum(side) - side, side)
        step = np.minimum(x // cell[line], self.num_steps)
        return Ragged(start[line, step] + factor[line, step] * (x - step * cell[line]), side)


class ElasticTransform(_Distortion):
    """Move every pixel by noise that a Gaussian has smoothed.

    Args:
        alpha: factor of the displacements, at least 0. The noise has a largest value of 1 before it is smoothed: the
        displacements'
            standard deviation is about 0.07 alpha / sigma pixels on images of 256 x 256 (0.16 alpha / sigma of uniform noise).
        sigma: standard deviation of the Gaussian, pixels, at least 1.
        interpolation, mask_interpolation: 0 or 6 nearest, 1 or 3 linear, 2 cubic, 4 Lanczos.
        approximate: cut the Gaussian off after 8 pixels.
        same_dxdy: displace along x and y by the same amounts.
        noise_distribution: "gaussian", or "uniform" between -1 and 1, of which the sums have the same deviation here, not the
        same
            distribution (by their number, above 12, next to no difference).
        keypoint_remapping_method: "mask" drops keypoints that the result does not show, "direct" moves them to its edge.
        border_mode: OpenCV's number: 0 constant, 1 replicate, 2 reflect, 3 wrap, 4 reflect_101.
        fill, fill_mask: constant border, a number (all channels) or one for each channel.
        p: probability, per sample.
        alpha_affine: as albumentations had it up to 1.4.16: before the displacement the image is mapped affinely, so that three
            points, a third of the shorter side from its middle, move by up to so many pixels along x and y. Both are one
            interpolation here. None: no such map.

    Shapes and dtypes: any; unchanged. Targets: image, mask, boxes, keypoints.
    Source: albumentations ``ElasticTransform`` (Simard et al. 2003), ``cv2.remap`` of OpenCV 5. Displacements are told as a
    spline, which is right to 0.1 pixels; x and y do not run into each other where albumentations smooths
    both in one picture.

    Raises:
        ValueError: a negative alpha, a sigma below 1, another distribution, method, interpolation or border.

    Example:
        >>> import numpy as np, gpuaug as G
        >>> G.Compose([G.ElasticTransform(30, 4, p=1)], seed=1)(np.zeros((50, 70, 3), np.uint8)).shape
        (50, 70, 3)
    """

    def __init__(
        self,
        alpha: float = 1,
        sigma: float = 50,
        interpolation: int = 1,
        approximate: bool = False,
        same_dxdy: bool = False,
        mask_interpolation: int = 0,
        noise_distribution: str = "gaussian",
        keypoint_remapping_method: str = "mask",
        border_mode: int = 0,
        fill: Fill = 0,
        fill_mask: Colour | None = 0,
        p: float = 0.5,
        *,
        alpha_affine: float | None = None,
    ):
        super().__init__(interpolation, mask_interpolation, keypoint_remapping_method, border_mode, fill, fill_mask, p)
        self.alpha_affine = None if alpha_affine is None else real("alpha_affine", alpha_affine, 0, 1e6)
        self.alpha, self.sigma = real("alpha", alpha, 0, 1e6), real("sigma", sigma, 1, 1e4)
        self.approximate, self.same_dxdy = boolean("approximate", approximate), boolean("same_dxdy", same_dxdy)
        self.noise_distribution = one_of("noise_distribution", noise_distribution, ("gaussian", "uniform"))
        self._sheet = Sheet(self.sigma, 8 if self.approximate else None)

    def columns(self) -> int:
        return 3 + 6 * bool(self.alpha_affine)  # a key, how large the largest value of the noise is, where three points go

    def draw(self, u, view):
        n, fields, size = len(u), 1 if self.same_dxdy else 2, view.size.astype(np.int64)
        sides, which = np.unique(size, axis=0, return_inverse=True)
        which = which.reshape(-1)
        factor, most = (
            np.full(n, self.alpha * 3**-0.5),
            np.full(len(sides), self.alpha * 3**-0.5),
        )  # the deviation of uniform noise
        if self.noise_distribution == "gaussian":
            factor = self.alpha / largest_normal(u[:, 2], fields * size.prod(1))
            most = self.alpha / largest_normal(np.full(len(sides), 0.1), fields * sides.prod(1))
        spacings = [self._sheet.spacing(float(f)) for f in most]
        axes = [[self._sheet.weights(side, h) for side in pair] for pair, h in zip(sides.tolist(), spacings)]  # y, x
        nodes, noises = (np.array([[axis.shape[k] for axis in pair] for pair in axes]).reshape(-1, 2) for k in (0, 1))
        noise = ragged(key(u[:, :2]), fields * noises.prod(1)[which])
        noise = Ragged(normal(noise.values).astype(np.float32), noise.counts)
        counts = nodes[which].prod(1)
        shift = Ragged(np.empty((counts.sum(), 2), np.float32), counts)
        for i, (k, f) in enumerate(zip(which.tolist(), factor.astype(np.float32))):
            y, x = axes[k]
            field = y @ (f * noise.of(i).reshape(fields, y.shape[1], x.shape[1])) @ x.T
            shift.of(i)[:] = field.reshape(fields, -1).T  # one field is broadcast to both
        if self.alpha_affine:
            back = three_points(between(u[:, 3:], -self.alpha_affine, self.alpha_affine), size)
            for i, k in enumerate(which.tolist()):
                y, x = (self._sheet.places(side, int(count)) for side, count in zip(sides[k].tolist(), nodes[k]))
                place = np.stack(np.meshgrid(x, y), 2).reshape(-1, 2)
                shift.of(i)[:] = (place + shift.of(i)) @ back[i, :, :2].T + back[i, :, 2] - place
        return {"shift": shift, "nodes": nodes[which]}

    def map(self, params, size):
        if self._sheet.smooth:
            return maps.Mesh(params["shift"], params["nodes"], size)
        shift, w = params["shift"], size[:, 1]
        pixel = np.arange(len(shift.values)) - np.repeat(shift.starts, shift.counts)
        w = np.repeat(w, shift.counts)
        return maps.Field(Ragged(shift.values + np.stack([pixel % w, pixel // w], 1), shift.counts), size)


def three_points(moved: np.ndarray, size: np.ndarray) -> np.ndarray:
    """Affine maps ``[n, 2, 3]`` from results to images, of sizes ``[n, 2]``: they take three points back that were ``moved``
    ``[n, 6]`` by x0, y0, x1, y1, x2, y2. The points are albumentations', whose middle is (h, w) // 2, taken for x and y."""
    middle, third = (size // 2).astype(np.float64), (size.min(1) // 3)[:, None]
    points = np.stack([middle + third, middle + third * [1, -1], middle - third], 1)  # [n, 3, 2]
    after = np.concatenate([points + moved.reshape(-1, 3, 2), np.ones((len(size), 3, 1))], 2)
    return (np.linalg.pinv(after) @ points).transpose(0, 2, 1)  # three points that fell into one line have the least such map


def largest_normal(u: np.ndarray, count: np.ndarray) -> np.ndarray:
    """The largest magnitude of so many normal deviates, by the inverse of its distribution."""
    return -normal(-np.expm1(np.log(np.maximum(u, 2.0**-33)) / count) / 2)


class Sheet:
    """White noise that OpenCV's Gaussian blur smooths, along one axis: drawn coarsely, told as a spline.

    The blur repeats the first and the last pixel beyond the ends: so does their noise, and displacements at the sides are larger.
    Between the ends the sums of a Gaussian over the noise of single pixels, and over coarser noise of the same variance, have the
    same covariance to 2 exp(-pi^2 sigma^2 / d^2) = 1.3e-6 at a distance d of sigma / 1.2.

    Args:
        sigma: pixels. reach: pixels after which the Gaussian is cut off; None: 4 sigma, as OpenCV does by itself.

    Attributes:
        smooth: whether displacements have a spline. Else, cut too early, they are as rough as the noise, and told for every
        pixel.
    """

    WRONG = 0.1  # pixels that a displacement may be wrong by

    def __init__(self, sigma: float, reach: int | None):
        self.sigma = sigma
        self.reach = (int(np.rint(8 * sigma + 1)) | 1) // 2 if reach is None else reach
        self.smooth = self.reach >= 3 * sigma
        self._known: dict = {}

    def spacing(self, factor: float) -> float:
        """How far apart control points may be, for displacements of ``factor`` times smoothed white noise.

        A cubic spline over h is wrong by h^4 / 384 times the fourth derivative, which along x and along y is 2.56 / sigma^4 times
        the noise: of a deviation of factor / (2 sigma sqrt pi). The largest error of an image, at a side, was 8 to 16 deviations
        where it was measured; beyond sigma it grows faster.
        """
        deviation = factor / (2 * self.sigma * np.pi**0.5) * 2**0.5 * 2.56 / 384
        return self.sigma * min((self.WRONG / max(18 * deviation, 1e-30)) ** 0.25, 1.0)

    def places(self, side: int, nodes: int) -> np.ndarray:
        """The coordinate that each control point stands for: those of a straight line are its own values; or each pixel's."""
        if not self.smooth:
            return np.arange(side, dtype=np.float64)
        return np.linalg.lstsq(maps.spline(side, nodes), np.arange(side, dtype=np.float64), rcond=None)[0]

    def weights(self, side: int, spacing: float) -> np.ndarray:
        """float32 ``[nodes, noises]``: what each noise adds to the control points; or to the pixels, if it is not smooth."""
        known = self._known.get((side, spacing))
        if known is None:
            if len(self._known) >= 64:
                self._known.clear()
            known = self._at_pixels(side)
            if self.smooth:
                nodes = min(int(np.ceil((side - 1) / spacing)), side) + 3
                known = np.linalg.lstsq(maps.spline(side, max(nodes, 4)), known, rcond=None)[0]
            known = self._known[side, spacing] = known.astype(np.float32)
        return known

    def _at_pixels(self, side: int) -> np.ndarray:
        if side == 1:
            return np.ones((1, 1))
        at, beyond = np.arange(side)[:, None], np.arange(self.reach + 1)
        total = np.exp(-0.5 * (np.arange(-self.reach, self.reach + 1) / self.sigma) ** 2).sum()

        def gauss(x):
            return np.where(abs(x) < self.reach + 0.5, np.exp(-0.5 * (x / self.sigma) ** 2), 0) / total

        count = side - 2
        if self.smooth:
            count = min(count, int(np.ceil(count / max(1.0, self.sigma / 1.2))))
        width = (side - 2) / max(count, 1)
        middle = 0.5 + width * (np.arange(count) + 0.5)
        first, last = gauss(at + beyond).sum(1), gauss(at - (side - 1) - beyond).sum(1)
        return np.column_stack([first, gauss(at - middle) * width**0.5, last])
