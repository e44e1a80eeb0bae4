"""Hugging Face's datasets, whose images stay encoded until the loader wants them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from torch.utils.data import Dataset

from ..hints import Function
from .host_read import read_image, read_mask
from .host_transform import HostTransform
from .table import listed


class HuggingFace(HostTransform, Dataset):
    """A split of a ``datasets`` dataset, its images undecoded until needed. Samples are dicts with the split's columns.

    `image`, `mask`: the columns of images and, if there are, masks. `columns`: which others to keep, by default all.

    Example:
        >>> import datasets
        >>> from PIL import Image
        >>> from gpuaug.data import HuggingFace
        >>> split = datasets.Dataset.from_dict({"image": [Image.new("RGB", (8, 6))], "label": [3]})
        >>> split = split.cast_column("image", datasets.Image())
        >>> sample = HuggingFace(split)[0]
        >>> sample["image"].shape, sample["label"]
        ((6, 8, 3), 3)
    """

    thread_safe = True  # a row is read from memory-mapped Arrow tables

    def __init__(
        self,
        split: Any,
        image: str = "image",
        mask: str | None = None,
        columns: Sequence[str] | None = None,
        transform: Function | None = None,
    ):
        try:
            import datasets
        except ImportError as error:
            raise ImportError("HuggingFace needs the datasets package: pip install 'gpuaug[huggingface]'") from error
        if not isinstance(split, datasets.Dataset):
            what = "pick a split, such as dataset['train']" if hasattr(split, "keys") else "load it without streaming"
            raise TypeError(f"HuggingFace takes a datasets.Dataset, got {type(split).__name__}; {what}")
        self.transform = transform
        pictures = [image] if mask is None else [image, mask]
        others = [c for c in split.column_names if c not in pictures] if columns is None else listed("columns", columns)
        for name in [*pictures, *others]:
            if name not in split.column_names:
                raise KeyError(f"the split has no column {name!r}; it has {split.column_names}")
        split = split.with_format(None).select_columns([*pictures, *others])
        for name in pictures:
            if not isinstance(split.features[name], datasets.Image):
                images = [c for c, f in split.features.items() if isinstance(f, datasets.Image)]
                raise TypeError(f"column {name!r} holds {split.features[name]}, not images; image columns are {images}")
            split = split.cast_column(name, datasets.Image(decode=False))
        self.split, self.image, self.mask = split, image, mask
        self.targets_hint = dict(zip(("image", "mask"), pictures, strict=False))

    def __len__(self):
        return len(self.split)

    @property
    def fingerprint(self) -> Any:
        """What the datasets package says of the split's data, for caches."""
        return getattr(self.split, "_fingerprint", None)

    def column(self, name: str) -> Any:
        """All values of one column, without touching the images."""
        if name not in self.split.column_names or name in (self.image, self.mask):
            raise KeyError(f"{name!r} is not a label column; columns are {self.split.column_names}")
        return np.asarray(self.split.select_columns([name])[:][name])

    def encoded(self, index: int) -> Any:
        sample = dict(self.split[index])
        for name in self.targets_hint.values():
            cell = sample[name]
            if cell is None or (cell["bytes"] is None and cell["path"] is None):
                raise ValueError(f"row {index} of the split has no image in column {name!r}; filter such rows out")
            sample[name] = cell["path"] if cell["bytes"] is None else cell["bytes"]
        return sample

    def __getitem__(self, index):
        sample = HuggingFace.encoded(self, index)
        sample[self.image] = self._transformed(read_image(sample[self.image], f"row {index} of the split"))
        if self.mask is not None:
            sample[self.mask] = read_mask(sample[self.mask], f"row {index} of the split")
        return sample

    def path_of(self, index: int) -> Any:
        return f"{(self.split[index][self.image] or {}).get('path') or 'image'} (row {index} of the split)"
