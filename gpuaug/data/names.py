"""What people call the entries of their samples."""

import re

from .leaves import row_width, shape_of

# The names that are recognized, in order of preference. Names that are usually paths count only where nothing else fits.
IMAGE_NAMES = ("image", "img", "images", "imgs", "pixel_values", "x", "input", "inputs", "picture", "photo", "spectrogram")
FILE_NAMES = ("jpg", "jpeg", "png", "webp", "bmp", "npy", "path", "file", "filename", "file_name", "image_path",
              "img_path", "filepath", "file_path")  # fmt: skip
MASK_NAMES = ("mask", "masks", "segmentation", "seg", "seg.png", "mask.png", "segmentation_mask", "annotation")
LABEL_NAMES = ("label", "labels")  # a map under these is a mask, as in MONAI and Hugging Face
BOX_NAMES = ("bboxes", "boxes", "bbox", "gt_bboxes", "gt_boxes")
KEYPOINT_NAMES = ("keypoints", "kpts")
POINT_NAMES = (*KEYPOINT_NAMES, "landmarks", "joints", "points", "polygon", "polygons")
# what stands beside boxes with one entry for each: torchvision's detection samples, COCO, Hugging Face
ROW_NAMES = ("labels", "label", "gt_labels", "classes", "cls", "class_labels", "class_id", "class_ids", "category", "categories",
             "category_id", "category_ids", "area", "areas", "iscrowd", "score", "scores", "difficult", "masks", "track_id",
             "track_ids", "instance_id", "instance_ids", "truncated", "occluded", "batch_idx")  # fmt: skip
# ... and, in a dict of their own, without the image, which these names would be about
OBJECT_NAMES = ("id", "ids", "text", "texts", "names", "attributes", "pose", "blur", "expression", "illumination", "occlusion",
                "invalid")  # fmt: skip
# words of keys under which numbers are boxes or points, and those that say that they are something about them
BOX_WORDS = frozenset("bbox bboxes box boxes roi rois annot annots".split())
POINT_WORDS = frozenset(
    "keypoint keypoints kpt kpts kps landmark landmarks lms joint joints polygon polygons poly polys quad quads corner corners "
    "pts point points lane lanes line lines contour contours vertices segmentation segmentations".split()
)
ABOUT_WORDS = frozenset(
    "label labels score scores class classes vis visible visibility weight weights conf mask masks area areas name names id ids "
    "valid num count".split()
)
TARGET_NAMES = ("target", "targets", "gt", "annotation", "annotations")
META_NAMES = (*FILE_NAMES, "name", "id", "image_id", "key", "__key__", "url", "__url__", "paths", "files", "meta", "mask_path",
              "coco_url", "flickr_url", "source")  # fmt: skip


def named_as_marks(path, leaf):
    """(in words, kind) of numbers whose name says that they are boxes or points; None.

    >>> named_as_marks(("gt_boxes",), [[1, 2, 3, 4]]), named_as_marks(("joints_vis",), [[1, 1]])
    (('rows of numbers under the name of boxes or points', 'bboxes'), None)
    """
    words = words_of(path)
    if not words & (BOX_WORDS | POINT_WORDS) or words & ABOUT_WORDS:
        return None
    shape = shape_of(leaf) or (len(leaf) if hasattr(leaf, "iloc") else 0, row_width(leaf) or 0)  # a DataFrame has rows, too
    kind = "bboxes" if words & BOX_WORDS else "keypoints"
    if 0 in shape:
        return None
    if len(shape) > 1 and shape[-1] >= 2:
        return "rows of numbers under the name of boxes or points", kind
    if shape == (4,) and kind == "bboxes":
        return "a box", kind
    if len(shape) == 1 and path[-1] in POINT_NAMES and shape[0] >= 4:  # COCO's [x, y, v, x, y, v, ..]
        return f"{shape[0]} numbers under the name of points", kind
    return None


def is_about_points(path):
    """Whether a key says that its values are about points: "visibility", "joints_vis", "keypoint_labels"."""
    words = words_of(path)
    return bool(words & {"vis", "visible", "visibility"} or (words & POINT_WORDS and words & ABOUT_WORDS))


def words_of(path):
    """The words of the last key of a path."""
    key = next((key for key in reversed(path) if isinstance(key, str)), "")
    return {word.lower() for word in re.findall("[A-Z]?[a-z]+|[A-Z]+", key)}
