"""Which entries of a sample are a transform's targets, and whether another one should have been.

The transform says what it was told to move (`Asked`), the sample's structure says where that is (`find`). Whatever else could
be a picture, a map, boxes or points would stay where it is while the image moves: it is an error until the user has said what
it is.
docs/loading.md has a table of what happens to which sample; tests/data/test_recognized.py writes it.
"""

import collections.abc
import os

from .asked import MARKS, UNTOUCHED, VOLUMES, Row, shown
from .leaves import (
    CORNER_NAMES,
    ROW_WIDTH,
    boxes_by_key,
    channels,
    could_be_marks,
    has_fractions,
    is_annotations,
    is_array,
    is_image,
    is_image_path,
    is_map,
    is_mask_of,
    is_name_of,
    is_picture,
    is_set,
    leaves,
    length,
    peek,
    plane,
    row_width,
    shape_of,
    within,
)
from .names import (
    BOX_NAMES,
    FILE_NAMES,
    IMAGE_NAMES,
    KEYPOINT_NAMES,
    LABEL_NAMES,
    MASK_NAMES,
    META_NAMES,
    OBJECT_NAMES,
    ROW_NAMES,
    TARGET_NAMES,
    is_about_points,
    named_as_marks,
)
from .protocol import is_encoded
from .structure import children, get, outline
from .volumes import is_volume, lead_of, slice_plane

ROWS_OF_BOXES = "rows [[x0, y0, x1, y1], ..]"


def find(sample, asked):
    """{target name: path} of a sample. ValueError for an entry that could be one and is not.

    >>> import numpy as np
    >>> from gpuaug.data.asked import Asked
    >>> find({"img": np.zeros((4, 4, 3), np.uint8), "labels": {"color": 1}}, Asked())
    {'image': ('img',)}
    >>> find(("cat.jpg", "cat.png"), Asked()), find(("cat.jpg", 3), Asked())
    ({'image': (0,), 'mask': (1,)}, {'image': (0,)})
    """
    return _Search(sample, asked).result()


def check_image(paths, sample, asked):
    """ValueError if no image and no volume was found."""
    if lead_of(paths, asked) is None:
        raise ValueError(
            f"no image was recognized in a sample, and no volume; it is {outline(sample)}; say which entry it is: "
            f"DataLoader(targets={{'image': key or position}}), or 'images', 'volume', 'volumes'"
        )


def shipped(paths):
    """The targets that travel: masks that are rows of the boxes, too, do so once."""
    return {name: path for name, path in paths.items() if not (isinstance(name, Row) and paths.get("masks") == name.path)}


def disagreement(paths, found, sample):
    """What a sample in which `found` was found has not, or has elsewhere than `paths` says: a name; None if all is well.

    Boxes and the like may be missing where the sample has nothing: an empty list cannot be told from another one.
    """
    for name in {**paths, **found}:
        if paths.get(name) == found.get(name) or (name not in found and length(_at(sample, paths[name])) == 0):
            continue
        return name
    return None


def _at(sample, path):
    try:
        return get(sample, path)
    except (KeyError, IndexError, AttributeError, TypeError):
        return None


class _Search:
    def __init__(self, sample, asked):
        self.sample, self.asked, self.found = sample, asked, {}
        for name, path in asked.explicit.items():
            try:
                get(sample, path)
            except (KeyError, IndexError, AttributeError, TypeError):
                where = f"targets={{{name!r}: {shown(path)}}}"
                raise KeyError(f"{where}: the sample has no such entry; it is {outline(sample)}") from None
            if any(children(get(sample, path[:k])) is None for k in range(len(path))):
                raise ValueError(
                    f"targets={{{name!r}: {shown(path)}}}: the sample is {outline(sample)}; entries can be replaced in dicts, "
                    f"tuples, lists and dataclasses only: let the dataset return one of these"
                )
            self.found[name] = path
        self.open = {path: leaf for path, leaf in leaves(sample, asked.whole()) if not self._is_settled(path)}

    def _is_settled(self, path):
        said = [*self.asked.explicit.values(), *(where for where in self.asked.untouched if isinstance(where, tuple))]
        names = {where for where in self.asked.untouched if not isinstance(where, tuple)}
        return any(path[: len(where)] == where for where in said) or any(key in names for key in path)

    def claim(self, name, path):
        self.found[name] = path
        del self.open[path]

    def result(self):
        self._by_type()
        self._by_declared_name()
        self._volumes_by_name()
        self._image_by_name()
        if not self._has_image():
            first = next((path for path, leaf in self.open.items() if is_image(leaf)), None)
            if first is not None:
                self.claim("image", first)
        if self._has_image():
            self._mask_by_name()
            self._mask_of_pair()
            self._marks()
            self._rows()
            self._beside_points()
            if self.asked.mover:
                self._check()
        return self.found

    def _lead(self):
        return lead_of(self.found, self.asked)

    def _has_image(self):
        """Whether it is known what the sample is of: an image, a set of them, a volume."""
        return self._lead() is not None

    def _place(self):
        """Where that is."""
        return self.found.get(self._lead(), ())

    def _image(self):
        return get(self.sample, self.found["image"]) if "image" in self.found else None

    # ---- finding -------------------------------------------------------------------------------------------------------

    def _by_type(self):
        """torchvision's tv_tensors say what they are."""
        boxes = [path for path, leaf in self.open.items() if tv_kind(leaf) == "bboxes"]
        for path, leaf in list(self.open.items()):
            name = tv_kind(leaf)
            if name == "mask" and boxes and leaf.ndim == 3 and len(leaf) == len(get(self.sample, boxes[0])):
                name = "masks"  # of each object its own
            if name is not None and name not in self.found:
                self.claim(name, path)

    def _named(self, names, fits, exact=False):
        """The path of the open leaf with the first of these names for which `fits(leaf, name)`."""
        for name in names:
            for path, leaf in self.open.items():
                key = path[-1] if path else None
                if isinstance(key, str) and (key if exact else key.lower()) == name and fits(leaf, name):
                    return path
        return None

    def _by_declared_name(self):
        for name in (*self.asked.additional, *self.asked.labels()):
            if name not in self.found:
                path = self._named([name], lambda leaf, _: leaf is not None, exact=True)
                if path is not None:
                    self.claim(name, path)

    def _volumes_by_name(self):
        for name in VOLUMES:
            path = None if name in self.found else self._named([name], is_volume)
            if path is not None:
                self.claim(name, path)

    def _image_by_name(self):
        if "image" in self.found or "images" in self.found:
            return

        def fits(leaf, name):
            # under a name like "image" any string is taken for a path; under "path" it must look like an image file
            named = name in ("image", "img", "jpg", "jpeg", "png", "webp")
            return is_set(leaf) or is_image(leaf) or (isinstance(leaf, str) and named)

        pixels = any(is_picture(leaf) or is_map(leaf, None) for path, leaf in self.open.items() if not _keys(path))

        def is_file(leaf, name):  # beside a picture without a name a path is a name, as in VOC's annotations
            return fits(leaf, name) and not (pixels and isinstance(leaf, (str, os.PathLike)))

        path = self._named(IMAGE_NAMES, fits) or self._named(FILE_NAMES, is_file)
        if path is not None:
            self.claim("images" if is_set(self.open[path]) else "image", path)

    def _mask_by_name(self):
        if "mask" in self.found or "masks" in self.found:
            return
        path = self._named(MASK_NAMES, self._may_be_mask)
        if path is not None:
            self.claim("masks" if path[-1].lower() == "masks" else "mask", path)
            return
        image = self._image()
        if image is None:
            return
        path = self._named(LABEL_NAMES, lambda leaf, _: is_image(leaf) and not is_encoded(leaf) and is_mask_of(image, leaf))
        if path is not None:
            self.claim("mask", path)

    def _may_be_mask(self, leaf, _):
        if self._is_of_volumes():  # three axes may be those of a volume: that is left over, and asked for
            return is_image(leaf) and (not is_array(leaf) or leaf.ndim == 2)
        return is_image(leaf) or is_set(leaf)

    def _mask_of_pair(self):
        """The other picture of a tuple, if there is one only, and it can only be a mask."""
        where = self.found.get("image", ())
        if "mask" in self.found or "masks" in self.found or not where or not isinstance(where[-1], int):
            return
        image = self._image()
        beside = [path for path, leaf in self.open.items() if path[:-1] == where[:-1] and self._could_be_picture(path, leaf)]
        if len(beside) == 1 and is_image(self.open[beside[0]]) and is_mask_of(image, self.open[beside[0]]):
            self.claim("mask", beside[0])

    def _marks(self):
        """Boxes and points: by name, else, where the transform has params for them, the only rows of numbers."""
        for name, names, width in (("bboxes", BOX_NAMES, 4), ("keypoints", KEYPOINT_NAMES, self.asked.points or 2)):
            if name not in self.found:
                path = self._named(names, _is_marks)
                if path is None and (self.asked.boxes if name == "bboxes" else self.asked.points):
                    path = self._only_rows(width)
                if path is not None:
                    self.claim(name, path)
            given = self.asked.boxes if name == "bboxes" else self.asked.points
            if name in self.found and not given and self.asked.mover:
                params = {"bboxes": "bbox_params=gpuaug.BboxParams(..)", "keypoints": "keypoint_params=gpuaug.KeypointParams(..)"}
                raise ValueError(
                    f"the sample's entry {shown(self.found[name])} looks like {name}, which need a Compose with {params[name]}; "
                    f"to hand it on as it is: DataLoader(targets={{{UNTOUCHED!r}: [{shown(self.found[name])}]}})"
                )
            if name in self.found and not given:
                del self.found[name]

    def _only_rows(self, width):
        rows = [path for path, leaf in self.open.items() if self._could_be_rows(path, leaf, width) or is_annotations(leaf)]
        return rows[0] if len(rows) == 1 else None

    def _could_be_rows(self, path, leaf, width):
        if tv_kind(leaf) is not None or (is_array(leaf) and is_map(leaf, None)):
            return False
        key = path[-1] if path else None
        if isinstance(key, str) and key.lower() in ROW_NAMES:
            return False
        return width <= (row_width(leaf) or 0) < ROW_WIDTH

    def _rows(self):
        """What stands beside the boxes with one entry for each of them."""
        if "bboxes" not in self.found:
            return
        where = self.found["bboxes"]
        if is_annotations(get(self.sample, where)):
            if self.asked.box_format not in ("", "coco"):
                raise ValueError(
                    f"the sample's entry {shown(where)} is a list of objects, each with its 'bbox', which is read as COCO's "
                    f"x, y, width, height; bbox_params say {self.asked.box_format!r}: say BboxParams('coco'), or, if they hold "
                    f"other numbers, give them as rows in the dataset: [object['bbox'] for object in objects]"
                )
            return
        count = length(get(self.sample, where))
        apart = where[:-1] != self._place()[:-1]
        for path, leaf in list(self.open.items()):
            named = str(path[-1]).lower() in (ROW_NAMES + OBJECT_NAMES if apart else ROW_NAMES) if path else False
            if path[:-1] == where[:-1] and named and _entries(leaf) == count:
                self.claim(Row("bboxes", path), path)
        masks = self.found.get("masks", ())
        dropped = self.asked.instance_masks == "masks"
        if masks and not dropped and masks[:-1] == where[:-1] and length(get(self.sample, masks)) == count:
            self.found[Row("bboxes", masks)] = masks
        if where and isinstance(where[-1], int):
            self._label_of_tuple("bboxes")

    def _label_of_tuple(self, mark):
        """In (image, boxes, labels) nothing is called "labels": one label field and one entry of that length belong together."""
        where, fields = self.found[mark], self.asked.fields.get(mark, ())
        count = length(get(self.sample, where))
        missing = [name for name in fields if name not in self.found]
        beside = [(path, leaf) for path, leaf in self.open.items() if path[:-1] == where[:-1] and not isinstance(leaf, str)]
        alike = [path for path, leaf in beside if length(leaf) == count]
        if len(missing) == 1 and len(alike) == 1:
            self.claim(missing[0], alike[0])
        elif alike and not missing and count > 1 and self.asked.mover:
            raise ValueError(self._goes_with(mark, alike[0], count))

    def _beside_points(self):
        """What has one value for each of the points, which may be dropped: in a tuple, or under a name like "visibility"."""
        where = self.found.get("keypoints", ())
        if not where or self.asked.points_stay:
            return
        if isinstance(where[-1], int):
            self._label_of_tuple("keypoints")
            return
        count = length(get(self.sample, where))
        for path, leaf in self.open.items():
            if path[:-1] == where[:-1] and is_about_points(path) and _entries(leaf) == count and count > 1 and self.asked.mover:
                raise ValueError(self._goes_with("keypoints", path, count))

    def _goes_with(self, mark, path, count):
        params, they = ("BboxParams", "boxes") if mark == "bboxes" else ("KeypointParams", "keypoints")
        name = path[-1] if isinstance(path[-1], str) else "labels"
        return (
            f"the sample's entry {shown(path)} has one value for each of the {count} {they}; {they} that leave the image "
            f"are dropped, and it must lose the same: {params}(.., label_fields=[{name!r}]) and "
            f"DataLoader(targets={{{name!r}: {path!r}}}); if it has nothing to do with them: "
            f"targets={{{UNTOUCHED!r}: [{path!r}]}}"
        )

    # ---- what is left over -----------------------------------------------------------------------------------------------

    def _could_be_picture(self, path, leaf):
        return is_picture(leaf) or is_map(leaf, self._size()) or self._is_file(path, leaf)

    def _size(self):
        lead = self._lead()
        return slice_plane(get(self.sample, self.found[lead]), self.asked.kind(lead))

    def _is_of_volumes(self):
        return self.asked.kind(self._lead()) in VOLUMES

    def _is_file(self, path, leaf):
        """Whether an entry is an encoded picture, or the path of one, and not just the name of the image's own file."""
        if not is_encoded(leaf):
            return False
        if not is_image_path(leaf):
            return peek(leaf) is not None
        key = next((key for key in reversed(path) if isinstance(key, str)), None)
        own = self._image()
        if (key is not None and key.lower() in META_NAMES) or is_name_of(leaf, own):
            return False
        where = self.found.get("image", ())
        if path and path[:-1] == where[:-1] and isinstance(path[-1], int) and path[-1] == where[-1] + 1:
            return True  # right behind the image, where a mask stands
        # further on, as in (image, label, path): the image's own file, unless it is a map's
        header = peek(leaf)
        return header is not None and (is_encoded(own) or header[1] == 1 or header[0] != plane(own))

    def _check(self):
        for path, leaf in self.open.items():
            what = self._looks_like(path, leaf)
            if what is not None:
                raise ValueError(self._text(path, *what))
            for at, inner in within(leaf):
                named = (named_as_marks(at[:end], inner) for end in range(len(at), 0, -1))  # Instances.gt_boxes.tensor
                what = self._looks_like(at, inner) or next(filter(None, named), None)
                if what is not None:
                    inside = f"a {type(leaf).__name__} whose {'.'.join(map(str, at))} is {what[0]}"
                    raise ValueError(self._text(path, inside, what[1], "a dict or a dataclass"))
        for path in boxes_by_key(self.sample):
            keys = [(*path, key) for key in get(self.sample, path) if str(key).lower() in CORNER_NAMES]
            if not self._is_settled(path) and not any(map(self._is_settled, keys)):
                above = path == self._place()[: len(path)]  # what holds the image, too, cannot be handed on as a whole
                raise ValueError(self._text(path, "a box, number by number", "bboxes", ROWS_OF_BOXES, keys if above else None))

    def _looks_like(self, path, leaf):
        """(in words, kind of target) of an entry that could be one; None."""
        kind = tv_kind(leaf)
        if kind is not None:
            return f"a tv_tensors.{type(leaf).__name__}", kind
        if is_picture(leaf):
            return f"a PIL image of {leaf.size[1]}x{leaf.size[0]}", "mask" if channels(leaf) == 1 else "image"
        if is_map(leaf, self._size()):
            size = self._size()
            of = f"slices of {size[0]}x{size[1]}" if self._is_of_volumes() else f"an image of {size[0]}x{size[1]}" if size else ""
            beside = f" beside {of}" if size else ""
            if self._is_of_volumes() and leaf.ndim > 2:
                return f"a volume or a set of images of shape {tuple(leaf.shape)}{beside}", "mask3d"
            several = leaf.ndim > 2 and is_image(leaf) and channels(leaf) in (3, 4)
            if not several and self._is_gray_pair(leaf):
                beside += " (a mask would be moved by nearest neighbours and not changed, an image treated like the other)"
                several = True
            return f"a map or an image of shape {tuple(leaf.shape)}{beside}", "image" if several else "mask"
        if self._is_file(path, leaf):
            return ("a path of an image" if is_image_path(leaf) else "an encoded image"), "mask"
        return self._looks_like_marks(path, leaf)

    def _is_gray_pair(self, leaf):
        image = self._image()
        both = is_array(image) and is_image(leaf) and channels(leaf) == channels(image) == 1
        return both and has_fractions(leaf) and has_fractions(image)

    def _looks_like_marks(self, path, leaf):
        width = row_width(leaf) or 0
        if is_annotations(leaf):
            return "COCO's annotations", "bboxes"
        by_name = named_as_marks(path, leaf)
        if by_name is not None:
            return by_name
        beside = not _keys(path) and path[:-1] == self._place()[:-1]
        names = (*TARGET_NAMES, *ROW_NAMES) if self.asked.boxes and "bboxes" not in self.found else TARGET_NAMES
        named = width >= 4 and bool(path) and isinstance(path[-1], str) and path[-1].lower() in names
        if (beside or named) and could_be_marks(leaf):
            return f"boxes or points: numbers of shape {shape_of(leaf)}", "bboxes" if width >= 4 else "keypoints"
        matrix = is_array(leaf) and tuple(leaf.shape) in ((3, 4), (4, 4))
        if (self.asked.boxes or self.asked.points) and not matrix and self._could_be_rows(path, leaf, 4):
            return f"rows of {width} numbers, as boxes or points are", "bboxes" if self.asked.boxes else "keypoints"
        return None

    def _text(self, path, what, kind, form="", settle=None):
        """form: how the dataset must give it before it can be moved. settle: what to hand on, if not the entry itself."""
        if kind in MARKS and not form and not is_annotations(leaf := get(self.sample, path)) and row_width(leaf) is None:
            form = ROWS_OF_BOXES if kind == "bboxes" else "rows [[x, y], ..]"
        below = [key for at, key in enumerate(path) if isinstance(key, str) and any(isinstance(k, int) for k in path[at + 1 :])]
        key = path[-1] if path and isinstance(path[-1], str) else None
        free = {"mask": {"mask", "masks"}, "mask3d": {"mask3d"}}.get(kind, set(self.found))  # is there one of the kind already?
        if kind in MARKS or ((kind == "mask3d" or (key or "gt") in ("gt", "target")) and not free & set(self.found)):
            name = kind
        else:
            name = f"{kind}2" if key is None or key in (*IMAGE_NAMES, *MASK_NAMES) else key
        declared = {"image", "mask", "images", "masks", *VOLUMES, *MARKS, *self.asked.additional}
        how = "" if name in declared else f", with Compose(.., additional_targets={{{name!r}: {kind!r}}})"
        if kind in MARKS:
            params = "bbox_params" if kind == "bboxes" else "keypoint_params"
            value = "BboxParams('coco')" if is_annotations(get(self.sample, path)) else ".."
            how = f", with Compose(.., {params}={value})"
        settled = ", ".join(f"{n}: {shown(p)}" for n, p in self.found.items() if not isinstance(n, Row))
        first = f"    give it as {form} in the dataset, then" if form else "   "
        moved = "volume" if self._is_of_volumes() else "image"
        # of a list, whose length may be another in the next sample, all
        where = path if not below else (path[-1] if isinstance(path[-1], str) else below[-1])
        return (
            f"the sample's entry {shown(path)} looks like {what}, and would stay as it is while {self.asked.mover} moves the "
            f"{moved} (the sample is {outline(self.sample)}; found: {settled}). Say what it is:\n"
            f"{first} DataLoader(targets={{{name!r}: {path!r}}})  # to be moved with the image{how}\n"
            f"    DataLoader(targets={{{UNTOUCHED!r}: {settle or [where]!r}}})  # to be handed on as it is"
        )


def tv_kind(leaf):
    """What a tv_tensor of torchvision's is: "image", "mask", "bboxes" or "keypoints"; None for everything else."""
    if not type(leaf).__module__.startswith("torchvision.tv_tensors"):
        return None
    return {"Image": "image", "Video": "images", "Mask": "mask", "BoundingBoxes": "bboxes", "KeyPoints": "keypoints"}.get(
        type(leaf).__name__
    )


def _is_marks(leaf, name):
    return row_width(leaf) is not None or is_annotations(leaf) or _is_one_box(leaf)


def _is_one_box(leaf):
    return length(leaf) == 4 and not isinstance(leaf, str)


def _keys(path):
    return [key for key in path if isinstance(key, str)]


def _entries(leaf):
    """How many entries a leaf has one after another; a text has none."""
    return None if isinstance(leaf, (str, bytes, collections.abc.Mapping)) else length(leaf)
