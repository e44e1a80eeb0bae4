"""What the pipeline is tried on: pictures that suit it, photographs, those of a folder, and the user's own."""

from __future__ import annotations

import ast
import glob
import io
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from ..photographs import photographs, pictures_in
from ..pictures import subjects

PIXELS = 50_000_000
"""Of a picture at most: what has more is refused before it is decoded."""

LISTED = 500
"""Pictures of a folder that can be chosen."""

IMPORTS = ("import numpy as np", "from PIL import Image")


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
    return Own(_decoded(io.BytesIO(data), name, "RGB"), f"Image.open({Path(name).name!r}).convert('RGB')")


def with_mask(own: Own, name: str, data: bytes) -> None:
    """Give it a mask that was handed over."""
    own.mask, own.mask_code = _mask(io.BytesIO(data), name, Path(name).name)


def _mask(source, name: str, path: str) -> tuple[Any, str]:
    mask = _decoded(source, name, None)
    if mask.mode in ("L", "P", "1", "I", "I;16"):
        return mask, f"Image.open({path!r})"
    return mask.convert("L"), f"Image.open({path!r}).convert('L')"


def _decoded(source, name: str, mode: str | None):
    from PIL import Image

    try:
        with Image.open(source) as image:
            if image.width * image.height > PIXELS:
                raise ValueError(
                    f"{name} has {image.width} x {image.height} pixels; the explorer takes pictures of up to {PIXELS // 10**6} "
                    "million: make it smaller"
                )
            image.load()
            return image.convert(mode) if mode else image.copy()
    except (OSError, SyntaxError, Image.DecompressionBombError) as error:
        raise ValueError(f"{name} cannot be read as a picture: {error}") from error


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
        own = Own(_decoded(path, str(path), "RGB"), f"Image.open({str(path)!r}).convert('RGB')")
        if self.masks is not None:
            beside = sorted((self.masks / self.files[number]).parent.glob(f"{glob.escape(path.stem)}.*"))
            beside = [each for each in beside if each.resolve().is_relative_to(self.masks)]
            if beside:
                own.mask, own.mask_code = _mask(beside[0], str(beside[0]), str(beside[0]))
        return own


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
