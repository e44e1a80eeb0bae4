"""A pipeline beside albumentations, transform by transform, with the same parameters on the caller's images."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from ... import uniforms
from ...checks import integer
from ...groups import Group
from ...hints import Any, Images
from ...transform import Transform
from .compared import Result, difference, line, ours
from .precision import single_precision

HEAD = ("transform", "reference", "type", "values", "equal", "largest difference")


@dataclass(frozen=True)
class Row:
    """A transform of a pipeline beside its reference.

    Attributes:
        transform: name of its class. place: where it stands, an index for each level of the tree.
        reference: who made the other result; "" if nobody did.
        dtype: element type of the images that it got.
        result: all differences: ``exact``, the share of values that are equal, ``worst``, the largest difference (grey levels for
            uint8 results, else relative to max(1, |reference|)); None if nothing was compared.
        why: why not.
    """

    transform: str
    place: tuple[int, ...]
    reference: str
    dtype: str
    result: Result | None = field(repr=False)
    why: str = ""

    def __str__(self) -> str:
        name = f"{self.transform} {list(self.place)}"
        if self.result is None:
            return line([name, f"not compared: {self.why}", self.dtype, "", "", ""])
        return line([name, self.reference, self.dtype, *self.result.cells()])


class Parity(list):
    """The rows of a comparison, in the pipeline's order; as text a table."""

    @property
    def worst(self) -> float:
        """The largest difference of uint8 results, in grey levels."""
        return max((row.result.worst for row in self if row.result is not None and row.dtype == "uint8"), default=0.0)

    @property
    def missing(self) -> list[Row]:
        """The rows of which nothing was compared."""
        return [row for row in self if row.result is None]

    def __str__(self) -> str:
        return "\n".join([line(HEAD), "|---|---|---|---:|---:|---:|", *map(str, self)])

    __repr__ = __str__


def parity(pipeline: Any, images: Images, *, seed: int = 0) -> Parity:
    """Compare a pipeline with albumentations, transform by transform, on images of your own.

    Args:
        pipeline: a `gpuaug.Compose`, group or transform; or albumentations' object, its dict, or the path of its file, which is
            converted (`gpuaug.from_albumentations`).
        images: arrays ``[H, W]`` or ``[H, W, C]`` of uint8 or float32, a list of any sizes or one array ``[B, H, W, C]``.
        seed: of what is drawn.

    Every transform is applied to all images, whatever its ``p``, with parameters that are drawn for each, and albumentations gets
    the same ones. Each works on what those before it made of the images (of a `OneOf` or `SomeOf` all work on the same, and the
    first one's result goes on), so that differences do not add up. What cannot be compared so is
    listed with the reason: transforms that look at masks, boxes or other samples, that work on volumes, that albumentations lacks
    or does otherwise, and a few arguments. On processors with AVX512-FP16, where albumentations sums two uint8 images in half
    precision, it is made to sum them as on all others. The table of docs/parity.md is made by the same code.

    Returns:
        A list of `Row`, whose text is a table; ``worst``, and ``missing``, the rows that were not compared.

    Raises:
        TypeError: other images, or no pipeline. ImportError: albumentations is not there.

    Example:
        >>> import numpy as np, gpuaug as G
        >>> images = np.random.default_rng(0).integers(0, 256, (4, 40, 50, 3), np.uint8)
        >>> print(G.parity(G.Compose([G.HorizontalFlip(), G.PlasmaShadow(), G.MaskDropout()]), images))
        | transform | reference | type | values | equal | largest difference |
        |---|---|---|---:|---:|---:|
        | HorizontalFlip [0] | albumentations | uint8 | 24,000 | 100 % | 0 |
        | PlasmaShadow [1] | albumentations, its fields from our words | uint8 | 24,000 | 100 % | 0 |
        | MaskDropout [2] | not compared: it looks at masks, boxes or other samples (docs/parity.md) | uint8 |  |  |  |
    """
    if not isinstance(pipeline, (Transform, Group)):
        known = isinstance(pipeline, (str, os.PathLike, Mapping))
        if not known and type(pipeline).__module__.split(".")[0] != "albumentations":
            raise TypeError(f"parity takes a pipeline of gpuaug's or albumentations', got {pipeline!r:.80}")
        from ..converted import from_albumentations

        pipeline = from_albumentations(pipeline, unsupported="wrap")
    walk = _Walk(integer("seed", seed, 0, 2**64 - 1))
    with single_precision():
        walk.node(pipeline if isinstance(pipeline, Group) else _One(pipeline), (), _arrays(images))
    return walk.rows


class _One:
    """A transform by itself, as a group of one."""

    node = "all"

    def __init__(self, transform):
        self.transforms = [transform]


def _arrays(images) -> list[np.ndarray]:
    if not isinstance(images, np.ndarray) and not isinstance(images, Sequence):
        raise TypeError(f"images must be a list of arrays, or one array [B, H, W, C], got {type(images).__name__}")
    found = []
    for i, image in enumerate(images):
        if not isinstance(image, np.ndarray) or image.ndim not in (2, 3) or image.dtype not in (np.uint8, np.float32):
            what = f"{image.dtype} {image.shape}" if isinstance(image, np.ndarray) else type(image).__name__
            raise TypeError(f"image {i} must be an array [H, W] or [H, W, C] of uint8 or float32, got {what}")
        found.append(np.ascontiguousarray(image if image.ndim == 3 else image[..., None]))
    if not found:
        raise ValueError("parity needs an image")
    return found


class _Walk:
    """From transform to transform, with the images that each gets."""

    def __init__(self, seed: int):
        self.seed, self.rows, self.count = seed, Parity(), 0

    def node(self, group, place: tuple[int, ...], images: list[np.ndarray]) -> list[np.ndarray]:
        """What comes of the images behind a group."""
        first = None
        for k, child in enumerate(group.transforms):
            if isinstance(child, (Group, _One)):
                done = self.node(child, (*place, k), images)
            else:
                done = self.leaf(child, (*place, k), images)
            first = done if first is None else first
            images = done if group.node == "all" else images
        return images if group.node == "all" or first is None else first

    def leaf(self, transform: Transform, place: tuple[int, ...], images: list[np.ndarray]) -> list[np.ndarray]:
        from .references import Undriven, reference

        self.count += 1
        need = max(transform.columns(), 1)
        blocks = np.arange(-(-need // 4), dtype=np.uint32)
        ids, once = np.arange(len(images)), np.zeros(len(images), np.uint32)
        u = uniforms.table(self.seed, 0, ids, once, np.full(len(blocks), self.count, np.uint32), blocks).T[:, :need]
        name, dtype = type(transform).__name__, str(images[0].dtype)
        try:
            beside = reference(transform)
            got = ours(transform, images, np.ascontiguousarray(u[:, : transform.columns()]))
            parts = []
            for i, (image, mine) in enumerate(zip(images, got)):
                want = np.asarray(beside.run(image.copy(), u[i, : transform.columns()]))
                want = want if want.ndim == 3 else want[..., None]
                if want.shape != mine.shape:
                    raise ValueError(f"image {i} becomes {mine.shape}, of the reference {want.shape}")
                parts.append(difference(mine, want, mine.dtype != np.uint8))
            self.rows.append(Row(name, place, beside.source, dtype, Result(np.concatenate(parts))))
            return got
        except Undriven as why:
            self.rows.append(Row(name, place, "", dtype, None, str(why)))
        except (ValueError, TypeError) as error:
            self.rows.append(Row(name, place, "", dtype, None, f"{error}"))
        except Exception as error:  # whatever albumentations and OpenCV have to say of an image that they do not take
            what = " ".join(str(error).split())
            self.rows.append(Row(name, place, "", dtype, None, f"albumentations fails: {type(error).__name__}: {what}"))
        return self._on(transform, images)

    def _on(self, transform: Transform, images: list[np.ndarray]) -> list[np.ndarray]:
        """What a transform that was not compared makes of the images, if it can be asked alone."""
        from ...compose import Compose

        try:
            done = Compose([transform], seed=self.seed)(image=images, ids=np.arange(len(images)))["image"]
            return _arrays([each if isinstance(each, np.ndarray) else each.movedim(0, -1).numpy() for each in done])
        except (ValueError, TypeError):
            return images


__all__ = ["Parity", "Row", "parity"]
