"""What a call brings to be laid over its image: pictures, and text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch

from ..batch import Batch
from ..checks import boolean, increasing, real
from ..deliver import settle
from ..hints import Range
from ..hosted import on_device, on_host
from ..inpainting import inpaint
from ..others import nothing_to_read
from ..track import Track
from ..transfer import moved
from ..transform import Transform
from .crop import resize


class _Overlaid(Transform, register=False):
    """What they share: a dict, or a list of dicts, for each sample, which a call brings under a name."""

    kept_as: ClassVar = {"metadata_key": "key"}  # Transform.metadata_key is of those that read other samples

    def __init__(self, metadata_key, p: float):
        super().__init__(p)
        if not isinstance(metadata_key, str) or not metadata_key:
            raise TypeError(f"metadata_key must be a name, got {metadata_key!r}")
        self.key, self.reads = metadata_key, (metadata_key,)

    def columns(self) -> int:
        return 1

    def draw(self, u, view):
        who, found = type(self).__name__, np.empty(len(u), object)
        if view.now is None or not view.now.has(self.reads[0]):
            nothing_to_read(who, f"{self.reads[0]}={{..}} in the call")
            found[:] = [[]] * len(u)
            return {"overlays": found}
        given = view.now.read(who, self.reads[0])
        for i, (mine, luck) in enumerate(zip(given, u[:, 0].tolist())):
            # any number of further draws, of the one that belongs to the sample
            rng = np.random.Generator(np.random.Philox(key=int(luck * 2**53)))
            try:
                found[i] = self._placed(_dicts(mine), view.size[i], rng)
            except (TypeError, ValueError) as error:
                raise type(error)(f"{who}: {self.reads[0]} of sample {view.sample(i)}: {error}") from error
        return {"overlays": found}

    def _placed(self, items: list[Mapping], size: np.ndarray, rng) -> list:
        """What to lay over an image of that size."""
        raise NotImplementedError


def _dicts(given) -> list[Mapping]:
    items = [given] if isinstance(given, Mapping) else given
    if not isinstance(items, (list, tuple)) or not all(isinstance(item, Mapping) for item in items):
        raise TypeError(f"it must be a dict or a list of dicts, got {given!r:.200}")
    return list(items)


def _needed(item: Mapping, name: str):
    if item.get(name) is None:
        raise ValueError(f"an item has no {name!r}; it holds {', '.join(map(str, item)) or 'nothing'}")
    return item[name]


def _place(bbox, size) -> tuple[int, int, int, int]:
    """A box of fractions in whole pixels (x0, y0, x1, y1), cut off."""
    box = np.asarray(bbox[:4], np.float64)
    if box.shape != (4,) or not ((box >= 0) & (box <= 1)).all() or not (box[:2] < box[2:]).all():
        raise ValueError(f"bbox must be (x0, y0, x1, y1), fractions of the image with x0 < x1 and y0 < y1, got {list(bbox)}")
    x0, y0, x1, y1 = (box * np.array([size[1], size[0]] * 2)).astype(int).tolist()
    if x0 == x1 or y0 == y1:
        raise ValueError(f"bbox {list(bbox)} of an image of height {size[0]}, width {size[1]} has no pixels")
    return x0, y0, x1, y1


class OverlayElements(_Overlaid):
    """Lay pictures over the image, where a box says or at a random place, and write their numbers into the mask.

    Args:
        metadata_key: under which name a call brings a dict, or a list of them, for its image (a batch: for each):
            ``"image"``, of the image's channels and type; ``"bbox"``, (x0, y0, x1, y1) as fractions of the image, to which it is
            resized (area); without one it lies at a random place, resized if it is larger than the image; ``"mask"``, of the
            picture's size: only where it is above 0 the picture is laid; ``"mask_id"``: the number that the mask gets there.
        p: probability, per sample.

    Shapes and dtypes: any. Targets: image, mask; boxes and keypoints stay as they are.
    Source: albumentations ``OverlayElements``.

    Raises:
        ValueError: a box outside of the image; a picture of another type or channel count; a mask of another size than its
            picture.
        TypeError: what is no dict.

    Example:
        >>> import numpy as np, gpuaug as G
        >>> aug = G.Compose([G.OverlayElements(p=1)])
        >>> sticker = {"image": np.full((1, 2), 9, np.uint8), "bbox": (0.5, 0, 1, 0.5)}
        >>> aug(image=np.zeros((2, 4), np.uint8), overlay_metadata=sticker)["image"].tolist()
        [[0, 0, 9, 9], [0, 0, 0, 0]]
    """

    targets = ("image", "mask")
    moves_pixels = False

    def __init__(self, metadata_key: str = "overlay_metadata", p: float = 0.5):
        super().__init__(metadata_key, p)

    def _placed(self, items, size, rng):
        found = []
        for item in items:
            picture, mask = _needed(item, "image"), item.get("mask")
            if isinstance(picture, torch.Tensor):  # [C, H, W], as everywhere
                picture = (picture.permute(1, 2, 0) if picture.ndim == 3 else picture).cpu()
            picture = np.asarray(picture)
            if picture.ndim not in (2, 3):
                raise ValueError(f"image must be [H, W] or [H, W, C], got shape {list(picture.shape)}")
            if mask is not None and np.asarray(mask).shape[:2] != picture.shape[:2]:
                raise ValueError(f"mask of {list(np.shape(mask))} for an image of {list(picture.shape)}; they must agree")
            if item.get("bbox") is not None:
                x0, y0, x1, y1 = _place(item["bbox"], size)
            else:
                h, w = picture.shape[:2] if (picture.shape[:2] <= size).all() else size.tolist()
                x0, y0 = int(rng.integers(0, size[1] - w + 1)), int(rng.integers(0, size[0] - h + 1))
                x1, y1 = x0 + w, y0 + h
            found.append((picture, mask, (x0, y0, x1, y1), item.get("mask_id")))
        return found

    def lower(self, to, rows, params) -> None:
        overlays = params["overlays"]
        index = to.index(rows)
        some = [k for k in range(len(index)) if any(to.kind == "image" or each[3] is not None for each in overlays[k])]
        if not some:
            return
        on_device(to, index[some], lambda k, image: self._laid(to, image, overlays[some[k]]), "lays pictures over them")

    def boxes(self, params, which, boxes, size, limits):
        return boxes, None

    def keypoints(self, params, which, points, size, limits):
        return points, None

    def _laid(self, to, image: torch.Tensor, overlays: list) -> torch.Tensor:
        out = image.clone()
        for picture, mask, (x0, y0, x1, y1), number in overlays:
            if to.kind == "mask" and number is None:
                continue
            part = out[:, y0:y1, x0:x1]
            shown = torch.ones((1, 1, 1), dtype=torch.bool, device=out.device)
            if mask is not None:
                mask = (np.asarray(mask) > 0).astype(np.uint8)
                shown = _resized(to, mask if mask.ndim == 2 else mask.max(2), (y1 - y0, x1 - x0), 0) > 0
            if to.kind == "mask":
                part.copy_(torch.where(shown, torch.as_tensor(number, dtype=out.dtype, device=out.device), part))
                continue
            laid = _resized(to, picture, (y1 - y0, x1 - x0), 3)
            mine, its = to.given or to.dtype, str(picture.dtype).removeprefix("torch.")
            if its != mine or len(laid) != len(out):
                raise ValueError(
                    f"an overlay is {its} with {len(laid)} channels, the image {mine} with {len(out)} channels; they must agree"
                )
            part.copy_(torch.where(shown, laid, part))
        return out


def _resized(to, picture: np.ndarray, size, interpolation: int) -> torch.Tensor:
    """A picture ``[H, W(, C)]`` as a tensor ``[C, *size]`` on the track's device."""
    track = Track(moved(Batch.of([np.ascontiguousarray(picture)], "HWC", name="overlay"), to.device))
    track.doing = to.doing
    resize(track, slice(None), size, interpolation)
    return settle(track)[0].permute(2, 0, 1)


class TextImage(_Overlaid):
    """Write text into boxes of the image.

    Args:
        font_path: file of a TrueType or OpenType font; None: the font that comes with Pillow.
        stopwords: words that "insertion" takes.
        augmentations: one is drawn for each text: None, as it is; "insertion" of stopwords at random places, "swap" of two words,
            "deletion" of words: half of the words each, at least one. (A text that this leaves as it is is not written.)
        fraction_range: range of the share of boxes that are written into.
        font_size_fraction_range: range of the font's size as a fraction of its box's height.
        font_color: a number for each channel; of images of one channel the mean of three. Or a colour's name, "yellow" or
            "#ffff00", as Pillow takes it; or a list of these, of which each text draws one.
        clear_bg: fill the boxes from their surroundings first (``cv2.inpaint``, which needs OpenCV).
        metadata_key: under which name a call brings a dict, or a list of them, for its image (a batch: for each): ``"bbox"``,
            (x0, y0, x1, y1) as fractions of the image, and ``"text"``.
        p: probability, per sample.

    Shapes and dtypes: any channel count; uint8 and floats in [0, 1], of which 8 bits are written. Targets: image; it is a host
    stage. Source: albumentations ``TextImage``, PIL ``ImageDraw.text``; the drawn texts are not returned.

    Raises:
        ValueError: a box outside of the image, or too flat for a font of one pixel; a range out of order; too few colours.
        TypeError: what is no dict.

    Example:
        >>> import numpy as np, gpuaug as G
        >>> aug = G.Compose([G.TextImage(font_path="DejaVuSans.ttf", p=1)])
        >>> aug(image=np.full((40, 90, 3), 255, np.uint8), textimage_metadata=[])["image"].min()
        np.uint8(255)
    """

    def __init__(
        self,
        font_path: str | Path | None = None,
        stopwords: Sequence[str] = ("the", "is", "in", "at", "of"),
        augmentations: Sequence[Any] = (None,),
        fraction_range: Range = (1.0, 1.0),
        font_size_fraction_range: Range = (0.8, 0.9),
        font_color: Any = (0, 0, 0),
        clear_bg: bool = False,
        metadata_key: str = "textimage_metadata",
        p: float = 0.5,
    ):
        super().__init__(metadata_key, p)
        if isinstance(stopwords, str) or not all(isinstance(word, str) for word in stopwords or ()):
            raise TypeError(f"stopwords must be a list of words, got {stopwords!r}")
        self.font_path, self.stopwords = font_path, tuple(stopwords or ())
        self.augmentations = tuple(augmentations or (None,))
        wrong = [each for each in self.augmentations if each not in (None, "insertion", "swap", "deletion")]
        if wrong:
            raise ValueError(f"augmentations are None, 'insertion', 'swap' or 'deletion', got {wrong[0]!r}")
        if "insertion" in self.augmentations and not self.stopwords:
            raise ValueError("augmentation 'insertion' needs stopwords, got none")
        self.fraction_range = increasing("fraction_range", fraction_range, 0, 1)
        self.font_size_fraction_range = increasing("font_size_fraction_range", font_size_fraction_range, 0, 1)
        if isinstance(font_color, (tuple, list)) and any(isinstance(each, (str, tuple, list)) for each in font_color):
            self.font_color = [_colour(each) for each in font_color]
        else:
            self.font_color = _colour(font_color)
        self.clear_bg = boolean("clear_bg", clear_bg)

    def _placed(self, items, size, rng):
        if not items:
            return []
        low, high = self.fraction_range
        number = int(len(items) * (low + (high - low) * rng.random()))
        found = []
        for k in rng.permutation(len(items))[:number].tolist():
            text, place = str(_needed(items[k], "text")), _place(_needed(items[k], "bbox"), size)
            low, high = self.font_size_fraction_range
            points = int((low + (high - low) * rng.random()) * (place[3] - place[1]))
            if points < 1:
                raise ValueError(f"bbox {list(items[k]['bbox'])} is {place[3] - place[1]} pixels high: too flat for a font")
            change = self.augmentations[rng.integers(len(self.augmentations))]
            text = text if change is None else self._changed(text, change, rng)
            which = (int(rng.integers(len(self.font_color))),) if isinstance(self.font_color, list) else ()
            found.append((text, place, points, *which))
        return found

    def _changed(self, text: str, change: str, rng) -> str:
        words = text.split()
        number = max(1, len(words) // 2)
        if change == "insertion":
            for _ in range(number):
                words.insert(int(rng.integers(len(words) + 1)), self.stopwords[rng.integers(len(self.stopwords))])
        elif change == "swap" and len(words) > 1:
            for _ in range(number):
                i, j = rng.choice(len(words), 2, replace=False).tolist()
                words[i], words[j] = words[j], words[i]
        elif change == "deletion":
            gone = set(rng.choice(len(words), number, replace=False).tolist()) if number < len(words) else range(len(words))
            words = [word for k, word in enumerate(words) if k not in gone]
        changed = " ".join(words)
        return "" if changed == text else changed

    def lower(self, to, rows, params) -> None:
        to.no_labels("written on")
        for color in self._colours():
            if len(color) < to.channels and to.channels > 1:
                raise ValueError(f"{to.doing}: font_color={color!r} has {len(color)} numbers for {to.channels} channels")
        overlays, index = params["overlays"], to.index(rows)
        some = [k for k in range(len(index)) if overlays[k]]
        if some:
            on_host(to, index[some], lambda k, image: self._written(image, overlays[some[k]]), "writes text", threads=True)

    def _colours(self) -> list:
        return self.font_color if isinstance(self.font_color, list) else [self.font_color]

    def _written(self, image: np.ndarray, overlays: list) -> np.ndarray:
        from PIL import Image, ImageDraw, ImageFont

        whole = image if image.dtype == np.uint8 else np.clip(np.rint(image.astype(np.float32) * 255), 0, 255).astype(np.uint8)
        drawn = _cleared(whole, [place for _, place, *_ in overlays]) if self.clear_bg else whole
        colours = self._colours()
        if image.shape[2] == 1:
            colours = [(sum(color[:3]) / 3,) if len(color) > 1 else color for color in colours]
        planes = [Image.fromarray(np.ascontiguousarray(drawn[..., c])) for c in range(image.shape[2])]
        for text, (x0, y0, *_), points, *which in overlays:
            font = ImageFont.load_default(points) if self.font_path is None else ImageFont.truetype(str(self.font_path), points)
            for plane, value in zip(planes, colours[which[0] if which else 0]):
                ImageDraw.Draw(plane).text((x0, y0), text, font=font, fill=int(value))
        drawn = np.dstack([np.asarray(plane) for plane in planes])
        if image.dtype == np.uint8:
            return drawn
        return np.where(drawn == whole, image, (drawn / np.float32(255)).astype(image.dtype))


def _colour(color) -> tuple:
    if isinstance(color, str):
        from PIL import ImageColor

        try:
            return ImageColor.getrgb(color)[:3]
        except ValueError as error:
            raise ValueError(f"font_color must be a number for each channel, or a colour's name: {error}") from None
    if not isinstance(color, (tuple, list)):
        raise TypeError(f"font_color must be a number for each channel, or a colour's name, got {color!r}")
    return tuple(real("font_color", value, 0, 255) for value in color)


def _cleared(image: np.ndarray, places: list) -> np.ndarray:
    """Boxes filled from their surroundings."""
    mask, out = np.zeros(image.shape[:2], np.uint8), image.copy()
    for x0, y0, x1, y1 in places:
        mask[y0:y1, x0:x1], out[y0:y1, x0:x1] = 255, 0
    return inpaint(out, mask, "inpaint_telea")
