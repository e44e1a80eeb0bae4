"""What the pipeline is tried on: pictures that suit it, photographs, those of a folder, and the user's own."""

from __future__ import annotations

import ast
import io
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from ..data.host_read import rgb, values
from ..data.protocol import IMAGE_SUFFIXES
from ..data.scan import pictures_in
from ..photographs import photographs
from ..pictures import subjects

PIXELS = 50_000_000
"""Of a picture at most: what has more is refused before it is decoded."""

LISTED = 500
"""Pictures of a folder that can be chosen."""

IMPORTS = ("import numpy as np", "from PIL import Image")
READ = {rgb: "from gpuaug.data.host_read import rgb", values: "from gpuaug.data.host_read import values"}
"""What reads a picture, and a mask, as the loader does: upright, 16 bits scaled to 8, a palette's indices."""


@dataclass
class Sample:
    """What a call of the pipeline takes, how its labels are written, and Python that makes the same ``sample``, with what it
    imports."""

    targets: dict[str, Any]
    params: dict[str, Any]
    code: str
    imports: tuple[str, ...]


@dataclass
class Own:
    """A picture with labels.

    Attributes:
        image: a PIL image. image_code: an expression that gives it.
        mask: the same, or None. boxes: (x0, y0, x1, y1) in pixels of the image as it is shown. points: (x, y).
        longest: what its longer side is brought to where it is longer; None: as it is.
    """

    image: Any
    image_code: str
    mask: Any = None
    mask_code: str = ""
    boxes: list[tuple] = field(default_factory=list)
    points: list[tuple] = field(default_factory=list)
    longest: int | None = 640
    imports: tuple[str, ...] = IMPORTS

    def sample(self, names: Sequence[str]) -> Sample:
        """names: of the transforms, of which some take more than a picture."""
        from PIL import Image

        image, lines = self.image, [f"image = {self.image_code}"]
        if self.longest is not None and max(image.size) > self.longest:
            image = image.copy()
            image.thumbnail((self.longest, self.longest))
            lines.append(f"image.thumbnail(({self.longest}, {self.longest}))")
        lines.append("sample = {'image': np.asarray(image)}")
        targets, params = {"image": np.asarray(image)}, {}
        if self.mask is not None:
            targets["mask"] = np.asarray(self.mask.resize(image.size, Image.Resampling.NEAREST))
            lines.append(f"mask = {self.mask_code}.resize(image.size, Image.Resampling.NEAREST)")
            lines.append("sample['mask'] = np.asarray(mask)")
        if self.boxes:
            targets["bboxes"], targets["what"] = [box[:4] for box in self.boxes], [str((*box, "box")[4]) for box in self.boxes]
            params["bbox_params"] = {"format": "pascal_voc", "label_fields": ["what"]}
            lines.append(f"sample['bboxes'], sample['what'] = {targets['bboxes']!r}, {targets['what']!r}")
        if self.points:
            targets["keypoints"] = list(self.points)
            params["keypoint_params"] = {"format": "xy"}
            lines.append(f"sample['keypoints'] = {targets['keypoints']!r}")
        needed = [name for name in dict.fromkeys(names) if subjects.beside(name)]
        imports = (*self.imports, *(("from gpuaug.pictures import subjects",) if needed else ()))
        for name in needed:
            targets |= subjects.beside(name)
            lines.append(f"sample |= subjects.beside({name!r})")
        return Sample(targets, params, "\n".join(lines), imports)


def suited(names: Sequence[str]) -> Sample:
    """What suits these transforms: a photograph with labels, a spectrogram or a volume."""
    names = list(dict.fromkeys(names))
    targets, params = subjects.together(names)
    return Sample(targets, params, f"sample, _ = subjects.together({names!r})", ("from gpuaug.pictures import subjects",))


def photograph(name: str) -> Own:
    """One of those that packages bring."""
    from PIL import Image

    imports = (*IMPORTS, "from gpuaug.photographs import photographs")
    return Own(Image.fromarray(photographs()[name]), f"Image.fromarray(photographs()[{name!r}])", imports=imports)


def uploaded(name: str, data: bytes) -> Own:
    """A picture that was handed over; the code finds it under its name where it is run."""
    return _own(data, name, Path(name).name)


def with_mask(own: Own, name: str, data: bytes) -> None:
    """Give it a mask that was handed over."""
    _masked(own, data, name, Path(name).name)


def _own(source: bytes | str, name: str, path: str) -> Own:
    return Own(_decoded(source, name, rgb), f"Image.fromarray(rgb({path!r}))", imports=(*IMPORTS, READ[rgb]))


def _masked(own: Own, source: bytes | str, name: str, path: str) -> None:
    mask = _decoded(source, name, values)
    if mask.size != own.image.size:
        raise ValueError(
            f"{name} has {mask.width} x {mask.height} pixels, and the picture {own.image.width} x {own.image.height}; a mask "
            f"needs its picture's size"
        )
    own.mask, own.mask_code = mask, f"Image.fromarray(values({path!r}))"
    own.imports = tuple(dict.fromkeys((*own.imports, READ[values])))


def _decoded(source: bytes | str, name: str, read):
    """source: what a file holds, or its path. read: `rgb` or `values`."""
    from PIL import Image

    try:
        with Image.open(io.BytesIO(source) if isinstance(source, bytes) else source) as image:
            width, height = image.size
        pixels = read(source) if width * height <= PIXELS else None
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise ValueError(f"{name} cannot be read as a picture: {error}") from error
    if pixels is None:
        raise ValueError(
            f"{name} has {width} x {height} pixels; the explorer takes pictures of up to {PIXELS // 10**6} million: make it "
            f"smaller"
        )
    if read is values and pixels.ndim != 2:
        raise ValueError(f"{name} has {pixels.shape[2]} channels; a mask has one, with a number for each class: save it so")
    return Image.fromarray(pixels)


class Folder:
    """The pictures of a folder and all below it, and the masks of the same names in another folder.

    Raises:
        ValueError: no such folder; no picture in it.
    """

    def __init__(self, folder: Path, masks: Path | None = None):
        if masks and not masks.is_dir():
            raise ValueError(f"{masks}: there is no such folder")
        found = pictures_in(folder.resolve())
        self.folder, self.masks = folder.resolve(), masks.resolve() if masks else None
        inside = [path for path in found if path.resolve().is_relative_to(self.folder)]  # no links out of it
        self.files = [path.relative_to(self.folder) for path in inside[:LISTED]]
        self.left_out = len(inside) - len(self.files)
        if not self.files:
            raise ValueError(f"{folder}: all of its pictures are links to files outside of it, which are not read")

    def own(self, number: int) -> Own:
        """The picture of that number."""
        path = self.folder / self.files[number]
        own = _own(str(path), str(path), str(path))
        beside = [] if self.masks is None else self._masks_of(self.masks, self.files[number])
        if len(beside) > 1:
            raise ValueError(f"{path} has two masks, {beside[0]} and {beside[1].name}: remove one")
        if beside:
            _masked(own, *[str(beside[0])] * 3)
        return own

    @staticmethod
    def _masks_of(masks: Path, file: Path) -> list[Path]:
        """The pictures of the same name but for its end; no links out of the folder of masks."""
        there = (masks / file).parent
        found = sorted(there.iterdir()) if there.is_dir() else []
        found = [each for each in found if each.stem == file.stem and each.suffix.lower() in IMAGE_SUFFIXES and each.is_file()]
        return [each for each in found if each.resolve().is_relative_to(masks)]


def rows(text: str, least: int, what: str) -> list[tuple]:
    """Boxes or points that were typed: a list of rows of numbers.

    Example:
        >>> rows("[(1, 2, 30, 40, 'cat')]", 4, "boxes")
        [(1, 2, 30, 40, 'cat')]
        >>> rows("", 2, "keypoints")
        []
    """
    if not text.strip():
        return []
    try:
        found = ast.literal_eval(text.strip())
        found = [found] if found and not isinstance(found[0], (list, tuple)) else found
        made = [tuple(row) for row in found]
        [float(each) for row in made for each in row[:least]]
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError, KeyError) as error:
        raise ValueError(f"{what} must be a list of rows of numbers, as [[10, 20, 110, 90]], got {text[:60]!r}") from error
    if any(len(row) < least for row in made):
        raise ValueError(f"{what} must have {least} numbers in each row, got {text[:60]!r}")
    return made
