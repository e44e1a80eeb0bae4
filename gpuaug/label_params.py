"""How boxes and keypoints are written, and which of them are dropped."""

from __future__ import annotations

import copy
from collections.abc import Sequence

import numpy as np

from . import swaps
from .arguments import arguments
from .checks import boolean, one_of, real
from .geometry import area, clip_boxes
from .settings import Settings

BOX_FORMATS = ("coco", "pascal_voc", "albumentations", "yolo")
POINT_FORMATS = {
    "xy": (0, 1),
    "yx": (1, 0),
    "xya": (0, 1, 2),
    "xys": (0, 1, 3),
    "xyas": (0, 1, 2, 3),
    "xysa": (0, 1, 3, 2),
    "xyz": (0, 1),
}
# how labels are reckoned: as the pixels move, or with albumentations' numbers; see docs/targets.md
GEOMETRIES = ("pixels", "albumentations")
TINY = 1e-7  # pixels, and shares: what limits forgive


def _fields(label_fields) -> tuple[str, ...]:
    if isinstance(label_fields, str):
        raise TypeError(f"label_fields must be a list of names, got {label_fields!r}")
    taken = set(label_fields or ()) & {"image", "mask", "images", "masks", "bboxes", "keypoints"}
    if taken:
        raise ValueError(f"label_fields names {min(taken)!r}, which is a target of its own; give the labels another name")
    return tuple(label_fields or ())


class BboxParams(Settings):
    """How boxes are written, and which of them are dropped.

    Args:
        format: "coco" (x, y, width, height), "pascal_voc" (x0, y0, x1, y1), both in pixels; "albumentations" (x0, y0, x1, y1),
            "yolo" (centre x, centre y, width, height), both as fractions of the image.
        label_fields: names of further targets with one entry for each box; they are filtered with the boxes.
        min_area: drop boxes with a smaller visible area, pixels.
        min_visibility: drop boxes of which a smaller fraction is visible, of the box as it came in: two crops that leave 0.6
            each leave 0.36. With ``Compose(label_geometry="albumentations")`` every transform starts again at 1.
        min_width, min_height: drop boxes that are narrower, flatter; pixels.
        check_each_transform: apply these rules after every transform, else at the end only. What has left the image is gone
            either way.
        clip: clip boxes that reach out of the image before anything is done; else they are an error.
        filter_invalid_bboxes: drop boxes without area at first; else they are an error.
        max_accept_ratio: drop boxes whose longer side is more than so many times the shorter one.

        instance_masks: the name of a set of masks ("masks"), one for each box, of which those of dropped boxes are dropped; ours.
        bbox_type: "hbb": upright boxes; "obb": oriented ones, with a fifth number, degrees from the x axis to the y axis (down)
            by which the rectangle of the first four is turned about its middle. Their corners travel as keypoints do; the
            rectangle around them is turned as its upper side. They are not clipped, and dropouts leave them.

    Source: albumentations ``BboxParams``; ``bbox_type`` is AlbumentationsX' word.

    Raises:
        ValueError: another format, a limit outside its range.

    Example:
        >>> BboxParams("coco", label_fields=["labels"]).format
        'coco'
    """

    geometry = "pixels"  # or "albumentations": `Compose` sets it on a copy of its own

    @arguments
    def __init__(
        self,
        format: str,
        label_fields: Sequence[str] | None = None,
        min_area: float = 0.0,
        min_visibility: float = 0.0,
        min_width: float = 0.0,
        min_height: float = 0.0,
        check_each_transform: bool = True,
        clip: bool = False,
        filter_invalid_bboxes: bool = False,
        max_accept_ratio: float | None = None,
        *,
        instance_masks: str | None = None,
        bbox_type: str = "hbb",
    ):
        self.format = one_of("format", format, BOX_FORMATS)
        self.label_fields = _fields(label_fields)
        self.min_area, self.min_visibility = real("min_area", min_area, 0), real("min_visibility", min_visibility, 0, 1)
        self.min_width, self.min_height = real("min_width", min_width, 0), real("min_height", min_height, 0)
        self.check_each_transform, self.clip = boolean("check_each_transform", check_each_transform), boolean("clip", clip)
        self.filter_invalid_bboxes = boolean("filter_invalid_bboxes", filter_invalid_bboxes)
        if instance_masks is not None and not isinstance(instance_masks, str):
            raise TypeError(f"instance_masks must be the name of a set of masks, got {instance_masks!r}")
        self.instance_masks = instance_masks
        self.bbox_type = one_of("bbox_type", bbox_type, ("hbb", "obb"))
        self.max_accept_ratio = None if max_accept_ratio is None else real("max_accept_ratio", max_accept_ratio, 1)

    def keep(
        self, boxes: np.ndarray, size: np.ndarray, seen: np.ndarray | None = None, full: np.ndarray | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """Boxes clipped to their images, and which of them the limits let through.

        Args:
            seen: pixels of each that are visible; by default those in the image.
            full: pixels that each would have, were all of it visible; by default those of ``boxes``.
        """
        clipped = clip_boxes(boxes, size)
        seen, full = area(clipped) if seen is None else seen, area(boxes) if full is None else full
        w, h = clipped[:, 2] - clipped[:, 0], clipped[:, 3] - clipped[:, 1]
        keep = (full > TINY) & (seen > TINY) & (seen >= self.min_area - TINY)
        keep &= seen / (full + TINY) >= self.min_visibility - TINY
        keep &= (w >= self.min_width - TINY) & (h >= self.min_height - TINY)
        if self.max_accept_ratio is not None:
            keep &= np.maximum(w / (h + TINY), h / (w + TINY)) <= self.max_accept_ratio
        return clipped, keep


class KeypointParams(Settings):
    """How keypoints are written, and whether those that cannot be seen are dropped.

    Args:
        format: letters: x, y in pixels, the centre of the first being (0, 0); "a" angle, from the x axis to the y axis (down);
            "s" scale; "z" (which nothing changes); one of "xy", "yx", "xya", "xys", "xyas", "xysa", "xyz".
        label_fields: names of further targets with one entry for each point; they are filtered with the points.
        remove_invisible: drop points outside of the image (-0.5 <= x < width - 0.5, y alike) or under a dropout.
        angle_in_degrees: else radians.
        check_each_transform: drop after every transform, else at the end only.
        label_mapping: labels that change where a transform mirrors: ``{"HorizontalFlip": {"names": {"left": "right", "right":
            "left"}}}``, by transform, label field, and label; others stay. Points are put in the order that their labels had, so
            that what stands at the left eye's place is the left eye again. `D4` and `SquareSymmetry` take one such dict for each
            of their elements: ``{"D4": {"h": {..}, "v": {..}}}``, of e, r90, r180, r270, v, hvt, h, t.

    Source: albumentations ``KeypointParams``; ``label_mapping`` from what AlbumentationsX' documentation says.

    Raises:
        ValueError: another format; a mapping of a transform, an element or a label field that there is not.

    Example:
        >>> KeypointParams("xy").remove_invisible
        True
    """

    geometry = "pixels"  # or "albumentations": `Compose` sets it on a copy of its own

    @arguments
    def __init__(
        self,
        format: str,
        label_fields: Sequence[str] | None = None,
        remove_invisible: bool = True,
        angle_in_degrees: bool = True,
        check_each_transform: bool = True,
        *,
        label_mapping: dict | None = None,
    ):
        self.format = one_of("format", format, tuple(POINT_FORMATS))
        self.label_fields = _fields(label_fields)
        self.remove_invisible = boolean("remove_invisible", remove_invisible)
        self.angle_in_degrees = boolean("angle_in_degrees", angle_in_degrees)
        self.check_each_transform = boolean("check_each_transform", check_each_transform)
        self.label_mapping = None if label_mapping is None else swaps.checked(label_mapping, self.label_fields)

    def pixel(self, points: np.ndarray) -> np.ndarray:
        """x and y of the pixel in which each point lies, whole numbers as float64 ``[N, 2]``; albumentations' are cut off."""
        return np.floor(points[:, :2] + 0.5 * (self.geometry == "pixels"))

    def visible(self, points: np.ndarray, size: np.ndarray) -> np.ndarray:
        """Which points lie in their images."""
        pixel = self.pixel(points)
        return ((pixel >= 0) & (pixel < size[:, ::-1])).all(1)


def reckoned(params, geometry: str):
    """`BboxParams` or `KeypointParams` for one of `GEOMETRIES`."""
    if params is None or params.geometry == geometry:
        return params
    params = copy.copy(params)
    params.geometry = geometry
    return params
