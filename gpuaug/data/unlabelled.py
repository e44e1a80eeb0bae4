"""Pictures of which nothing is known but their pixels: to be predicted, or learned from without labels."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from typing import Any

from torch.utils.data import Dataset

from ..hints import Function, Path
from .host_read import read_image
from .host_transform import HostTransform
from .protocol import IMAGE_SUFFIXES
from .remote import Remote, check, checked
from .remote_scan import located
from .scan import directory, files_in_and_below, first
from .urls import is_url, local


class ImageFiles(HostTransform, Dataset):
    """Pictures without labels, as ``{"image": [H, W, 3], "path": ..}``: the path tells which one a prediction is of.

    `files`: a folder, of which all pictures in it and below it are taken, by folder, then by name; or a list of paths or URLs, in
    its own order, whatever their names end in. `transform` is called with each decoded image. `remote`: how URLs are read.
    A folder without pictures and a path that does not exist are a FileNotFoundError, an empty list is a ValueError.

    Example:
        >>> from gpuaug.data import ImageFiles
        >>> from gpuaug.photographs import photo_folder
        >>> pictures = ImageFiles(photo_folder(count=8, size=(24, 32)))
        >>> len(pictures), pictures[0]["image"].ndim, pictures[0]["path"] == pictures.files[0]
        (8, 3, True)
    """

    targets_hint = {"image": "image"}  # noqa: RUF012  read only
    thread_safe = True

    def __init__(self, files: Path | Sequence[Path], transform: Function | None = None, remote: Remote | None = None):
        self.transform = transform
        if isinstance(files, (str, os.PathLike)):
            folder = directory(files, remote)
            self.files = files_in_and_below(folder, IMAGE_SUFFIXES)
            if not self.files:
                endings = " ".join(sorted(IMAGE_SUFFIXES))
                raise FileNotFoundError(f"no file in {folder} or below it ends in {endings}; give the folder of the pictures")
            return
        check(remote)
        paths = list(files) if isinstance(files, Iterable) and not isinstance(files, bytes) else [files]
        strange = [path for path in paths if not isinstance(path, (str, os.PathLike))]
        if strange:
            raise TypeError(f"files must be a folder or a list of paths, each a str or pathlib.Path, got {strange[0]!r:.60}")
        paths = [local(os.fspath(path)) for path in paths]
        if not paths:
            raise ValueError("files is empty; give a folder, or a list of at least one path")
        self.files, there = located([checked(path, remote) if is_url(path) else path for path in paths], "raise")
        absent = [path for path, found in zip(self.files, there, strict=True) if not found]
        if absent:
            raise FileNotFoundError(f"{len(absent)} of {len(paths)} files do not exist: {first(absent)}; correct the list")

    def __len__(self):
        return len(self.files)

    def __getitem__(self, index):
        path = self.files[index]
        return {"image": self._transformed(read_image(path, f"sample {index}")), "path": path}

    def encoded(self, index: int) -> Any:
        return {"image": self.files[index], "path": self.files[index]}

    def path_of(self, index: int) -> Any:
        return self.files[index]
