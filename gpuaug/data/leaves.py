"""What an entry of a sample looks like: a picture, a map, rows of numbers, or neither.

Looks at types, shapes and headers; pixels are read in one place only (`is_one_hot`).
"""

import collections.abc
import io
import numbers
import os
import types

import numpy as np
import torch

from .headers import read_header
from .protocol import IMAGE_SUFFIXES, is_encoded
from .structure import children, is_namedtuple

BIG = 16  # both sides of a map have at least so many rows or columns, whatever the image is
# ... or the image's ratio, from so many on: a matrix of 3x3 or 4x4 (a camera, a pose) is square like many an image
SMALL_MATRIX, SMALL_STACK = 8, 5
ROW_WIDTH = 16  # a box or a point with all that goes with it has fewer numbers than this; token ids have more


def is_picture(leaf):
    """Whether a leaf is a PIL image, without importing it."""
    return hasattr(leaf, "getbands") and hasattr(leaf, "size")


def is_array(leaf):
    return isinstance(leaf, (np.ndarray, torch.Tensor))


def is_image(leaf):
    """Whether a leaf can be an image: a PIL image, an array or tensor of 2 to 4 axes, or an encoded file."""
    return is_encoded(leaf) or is_picture(leaf) or (is_array(leaf) and 2 <= leaf.ndim <= 4 and is_numeric(leaf))


def is_numeric(array):
    return isinstance(array, torch.Tensor) or array.dtype.kind in "buif"


def is_set(leaf):
    """Whether a leaf holds several images: a list of them, or an array with one axis more."""
    if isinstance(leaf, (list, tuple)):
        return len(leaf) > 0 and is_image(leaf[0])
    return is_array(leaf) and leaf.ndim == 4


def plane(leaf):
    """(height, width) of a PIL image, an array (HWC) or a tensor (CHW), a batch of those, or a file's header; else None."""
    if is_picture(leaf):
        return leaf.size[1], leaf.size[0]
    if is_array(leaf):
        if isinstance(leaf, torch.Tensor):
            return tuple(leaf.shape[-2:])
        return tuple(leaf.shape[1:3] if leaf.ndim == 4 else leaf.shape[:2])
    header = peek(leaf)
    return header and header[0]


def channels(leaf):
    """How many values a pixel has; None where that cannot be seen."""
    if is_picture(leaf):
        return len(leaf.getbands())
    if is_array(leaf):
        return 1 if leaf.ndim == 2 else leaf.shape[-3 if isinstance(leaf, torch.Tensor) else -1]
    header = peek(leaf)
    return header and header[1]


def peek(leaf):
    """((height, width), channels) of an encoded leaf by its header, upright; None if it cannot be had."""
    from PIL import Image, ImageOps

    try:
        source = leaf if isinstance(leaf, (str, os.PathLike)) else io.BytesIO(bytes(memoryview(np.asarray(leaf))))
        if isinstance(leaf, (bytes, bytearray, memoryview)):
            source = io.BytesIO(leaf)
        with Image.open(source) as image:
            turned = image.getexif().get(ImageOps.ExifTags.Base.Orientation, 1) >= 5
            return (image.size if turned else image.size[::-1]), len(image.getbands())
    except Exception:  # no file, no image, damaged: whoever decodes it says so
        return None


def is_one_hot(leaf):
    """Whether an array holds nothing but 0 and 1."""
    return bool(((leaf == 0) | (leaf == 1)).all())


def has_fractions(leaf):
    """Whether an array holds numbers that are not whole."""
    floating = leaf.is_floating_point() and not leaf.is_meta if isinstance(leaf, torch.Tensor) else leaf.dtype.kind == "f"
    return bool(floating and (leaf % 1 != 0).any())


def is_mask_of(image, leaf):
    """Whether the second picture of a pair can only be the first one's mask: of its size, and of another kind.

    One value a pixel is a mask, unless both have one, with fractions: two gray images, of which only the first one would be
    normalized. Three or four, or as many as the image has, may be a second image; several others are
    class by class, if they are whole numbers, or 0 and 1: other floats may be a flow, which a flip would have to negate.
    """
    size = plane(leaf)
    if is_encoded(image) and is_encoded(leaf) and size is None:
        return True  # not to be read here: if it is no mask of this image, decoding says so
    if size is None or (plane(image) not in (size, None)):
        return False
    both = is_array(image) and is_array(leaf)
    if both and isinstance(image, torch.Tensor) is not isinstance(leaf, torch.Tensor) and leaf.ndim > 2:
        return False
    whole_batch = is_array(image) and image.ndim == 4
    if is_array(leaf) and leaf.ndim == 3 and whole_batch and len(leaf) == len(image):
        return True  # [B, H, W] beside [B, C, H, W]
    if is_array(leaf) and leaf.ndim > (4 if whole_batch else 3):
        return False
    count = channels(leaf)
    if count == 1:
        return not (both and channels(image) == 1 and has_fractions(leaf) and has_fractions(image))
    if count in (3, 4, channels(image)) or not is_array(leaf):
        return False
    floating = leaf.is_floating_point() if isinstance(leaf, torch.Tensor) else leaf.dtype.kind == "f"
    return not floating or is_one_hot(leaf)


def is_map(leaf, size):
    """Whether an array or tensor may be a map beside an image of `size` (height, width; None: not known).

    >>> is_map(np.zeros((5, 40, 30)), (80, 60)), is_map(np.eye(3), (80, 80)), is_map(np.zeros((1, 77), int), None)
    (True, False, False)
    """
    if not is_array(leaf) or leaf.ndim < 2 or not is_numeric(leaf):
        return False
    least = SMALL_MATRIX if leaf.ndim == 2 else SMALL_STACK
    for h, w in zip(leaf.shape, leaf.shape[1:]):
        if min(h, w) >= BIG or (size is not None and (h, w) == tuple(size) and min(h, w) > 1):
            return True
        if size is not None and min(h, w) >= least and (h * size[1] == w * size[0]):
            return True
    return False


def is_number(x):
    return isinstance(x, (numbers.Number, np.number, np.bool_)) or (is_array(x) and x.ndim == 0)


def is_table(x):
    """Whether a list holds numbers or rows of numbers: one entry of the sample, not a container of entries.

    >>> is_table([[1, 2, 3, 4, "cat"]]), is_table([1, 2]), is_table([np.zeros((8, 8)), 3])
    (True, True, False)
    """
    if not isinstance(x, (list, tuple)) or not x or is_namedtuple(x):
        return False
    return all(is_number(v) or _is_row(v) for v in x)


def _is_row(v):
    if is_array(v):
        return v.ndim == 1
    return isinstance(v, (list, tuple)) and len(v) > 0 and is_number(v[0]) and not any(is_array(e) and e.ndim for e in v)


def row_width(leaf):
    """How many columns rows of numbers have; 0 if there are no rows, None if the leaf is something else.

    >>> row_width([[1, 2, 3, 4, 0]]), row_width(np.zeros((0, 4))), row_width([]), row_width([1, 2]), row_width("a")
    (5, 0, 0, None, None)
    """
    if is_array(leaf):
        if leaf.ndim == 2 and (is_numeric(leaf) or leaf.dtype.kind == "O"):
            return int(leaf.shape[1]) if len(leaf) else 0
        return 0 if leaf.ndim == 1 and not len(leaf) else None
    if hasattr(leaf, "columns") and hasattr(leaf, "iloc"):  # a DataFrame, without importing pandas
        return len(leaf.columns) if len(leaf) else 0
    if not isinstance(leaf, (list, tuple)) or is_namedtuple(leaf):
        return None
    if not leaf:
        return 0
    return min(len(v) for v in leaf) if all(_is_row(v) for v in leaf) else None


def shape_of(leaf):
    """The shape of an array, or of numbers in nested lists as their first entries show it; None for everything else.

    >>> shape_of([[[1, 2], [3, 4], [5, 6]]]), shape_of(np.zeros((2, 17, 3))), shape_of(["a"])
    ((1, 3, 2), (2, 17, 3), None)
    """
    if is_array(leaf):
        return tuple(leaf.shape) if is_numeric(leaf) else None
    if is_number(leaf):
        return ()
    if not isinstance(leaf, (list, tuple)):
        return None
    if not leaf:
        return (0,)
    below = shape_of(leaf[0])
    return None if below is None else (len(leaf), *below)


def could_be_marks(leaf):
    """Whether numbers that have no name may be boxes or points: [n, 2 to 8] or [n, 4 or more, 2 or 3], one width for all.

    Small matrices and rows with a single 1 are none: cameras, poses, one-hot labels.

    >>> [could_be_marks(np.full(shape, 7.5)) for shape in ((68, 2), (5, 6), (2, 4, 2), (3, 4), (4, 4), (5, 10), (10,))]
    [True, True, True, False, False, False, False]
    """
    shape = shape_of(leaf)
    if shape is None or 0 in shape or len(shape) not in (2, 3) or (is_array(leaf) and leaf.dtype in (bool, torch.bool)):
        return False
    if len(shape) == 2 and (not 2 <= shape[1] <= 8 or shape in ((2, 2), (2, 3), (3, 3), (3, 4), (4, 4))):
        return False
    if len(shape) == 3 and (shape[1] < 4 or shape[2] not in (2, 3)):
        return False
    try:
        rows = leaf if is_array(leaf) else np.asarray(leaf, np.float64)
        return not (is_one_hot(rows) and (rows.sum(-1) == 1).all())
    except ValueError:  # rows of differing lengths: token ids
        return False


def is_annotations(x):
    """Whether a list is COCO's: a dict for each object, with its "bbox"."""
    return isinstance(x, (list, tuple)) and len(x) > 0 and all(isinstance(v, collections.abc.Mapping) and "bbox" in v for v in x)


CORNERS = [frozenset(keys.split()) for keys in ("xmin ymin xmax ymax", "x1 y1 x2 y2", "x y w h", "x y width height",
                                                "left top width height")]  # fmt: skip

CORNER_NAMES = frozenset().union(*CORNERS)


def boxes_by_key(x, path=()):
    """Paths of the dicts of a sample that hold a box number by number, as VOC's annotations do.

    >>> list(boxes_by_key({"object": [{"bndbox": {"xmin": "48", "ymin": "2", "xmax": "60", "ymax": "9"}}]}))
    [('object', 0, 'bndbox')]
    """
    if isinstance(x, collections.abc.Mapping):
        keys = {key.lower() for key in x if isinstance(key, str)}
        if any(corners <= keys for corners in CORNERS):
            yield path
    if not is_table(x):
        for key, child in children(x) or ():
            yield from boxes_by_key(child, (*path, key))


def leaves(x, whole=frozenset(), path=()):
    """(path, leaf) pairs of a sample; lists under names in `whole`, of words or annotations, and tables of numbers are leaves."""
    below = children(x)
    one = isinstance(x, (list, tuple)) and (not x or (len(path) > 0 and (path[-1] in whole or _are_words(x))))
    if below is None or one or is_table(x) or is_annotations(x):
        yield path, x
        return
    for key, child in below:
        yield from leaves(child, whole, (*path, key))


def _are_words(x):
    return not is_namedtuple(x) and all(isinstance(v, str) and not is_image_path(v) for v in x)


def within(x, depth=3, path=()):
    """(path, leaf) pairs of what objects of other classes keep as attributes: detectron2's Instances, a sample of the user's own.

    >>> list(within(types.SimpleNamespace(mask=np.eye(2, dtype=bool))))[0][0]
    ('mask',)
    """
    known = is_array(x) or is_picture(x) or isinstance(x, (type, types.ModuleType)) or callable(x)
    if depth and hasattr(x, "__dict__") and not known:
        for at, leaf in leaves(vars(x)):
            yield (*path, *at), leaf
            yield from within(leaf, depth - 1, (*path, *at))


def is_source(leaf):
    """Whether an image entry is a file: a path (any string), or bytes."""
    if is_array(leaf):
        try:
            return leaf.ndim == 1 and is_encoded(leaf) and bool(read_header(np.asarray(leaf)))
        except ValueError:
            return False
    return isinstance(leaf, str) or is_encoded(leaf)


def is_image_path(leaf):
    """Whether a leaf is a path with an image's suffix."""
    return isinstance(leaf, (str, os.PathLike)) and os.path.splitext(os.fspath(leaf))[1].lower() in IMAGE_SUFFIXES


def is_name_of(leaf, other):
    """Whether a path is but the name of another one: its end, or all of it."""
    if not isinstance(other, (str, os.PathLike)):
        return False
    a, b = os.fspath(leaf).replace("\\", "/"), os.fspath(other).replace("\\", "/")
    return a == b or a.endswith("/" + b) or b.endswith("/" + a)


def length(leaf):
    """How long it is; None for what has no length."""
    if is_array(leaf) and leaf.ndim == 0:
        return None
    try:
        return len(leaf)
    except TypeError:
        return None
