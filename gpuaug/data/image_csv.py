"""Images that a table names, with its other columns as labels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from torch.utils.data import Dataset

from ..hints import Function, Path
from .host_read import read_image
from .host_transform import HostTransform
from .remote import Remote
from .remote_scan import located
from .scan import SHOWN, first, table
from .table import class_names, listed, numbers_of, read_csv, unique
from .urls import join


class ImageCsv(HostTransform, Dataset):
    """A table of paths and labels, as ``{"img": image, "labels": {column: label, ...}}``.

    `file`: a .csv file with a header. `image`: the column of the paths, which are relative to `root`, by default the
    folder of the file. `labels`: the columns of classes. `numeric`: columns of numbers, floats among the labels.
    `classes`: ``{column: names}``; others' names are those that occur, sorted, and numbers by their value. Whole numbers must
    then be all of 0 to n - 1 and stand for themselves; ``classes={"label": range(10)}`` says that cells are class numbers of
    which some may be missing. ``classes=train.classes`` shares the classes of another table.
    `unknown`: the number of a class that `classes` lacks, or of an empty cell; by default that is an error.
    ``missing="skip"`` leaves out rows whose file does not exist, ``"ignore"`` does not look.

    Example:
        >>> import tempfile
        >>> from gpuaug.data import ImageCsv
        >>> file = tempfile.mkdtemp() + "/table.csv"
        >>> _ = open(file, "w").write("path,colour\\na.jpg,red\\nb.jpg,blue\\n")
        >>> table = ImageCsv(file, labels=["colour"], missing="ignore")
        >>> len(table), list(table.classes["colour"])
        (2, ['blue', 'red'])
    """

    targets_hint = {"image": "img"}  # noqa: RUF012  read only
    thread_safe = True

    def __init__(
        self,
        file: Path,
        image: str = "path",
        labels: Sequence[str] = (),
        root: Path | None = None,
        classes: Mapping[str, Sequence[str]] | None = None,
        numeric: Sequence[str] = (),
        unknown: int | None = None,
        missing: str = "raise",
        delimiter: str | None = ",",
        encoding: str = "utf-8-sig",
        transform: Function | None = None,
        remote: Remote | None = None,
    ):
        if missing not in ("raise", "skip", "ignore"):
            raise ValueError(f'missing must be "raise", "skip" or "ignore", got {missing!r}')
        self.transform = transform
        file, root = table(file, root, remote)
        self.file, self.root = str(file), str(root)
        labels, numeric = listed("labels", labels), listed("numeric", numeric)
        classes = dict(classes or {})
        stray = sorted(set(classes) - set(labels))
        if stray:
            raise ValueError(f"classes names columns that are not in labels: {first(stray)}; labels are {labels}")
        self.rows, columns = read_csv(file, [image, *labels, *numeric], delimiter, encoding)
        self.paths, there = located([join(root, path) for path in columns[image]], missing)
        self._check_paths(columns[image], missing, there)
        self.columns, self.classes = {}, {}
        for name in labels:
            names = classes.get(name)
            if names is None:
                names = class_names(self.file, name, columns[name])
            self.classes[name] = unique(f"classes[{name!r}]", names)
            self.columns[name] = self._numbers(name, columns[name], unknown)
        for name in numeric:
            self.columns[name] = self._floats(name, columns[name])
        if missing == "skip":
            self._keep([i for i, found in enumerate(there) if columns[image][i] and found])

    def _check_paths(self, cells, missing, there):
        empty = [row for row, cell in zip(self.rows, cells, strict=True) if not cell]
        if empty and missing != "skip":
            raise ValueError(f"{self.file}: no path in row {first(empty)}; fill the cells, or pass missing='skip'")
        if missing == "raise":
            absent = [i for i, found in enumerate(there) if not found]
            if absent:
                shown = "; ".join(f"row {self.rows[i]}: {self.paths[i]}" for i in absent[:SHOWN])
                raise FileNotFoundError(
                    f"{self.file}: {len(absent)} of {len(self.paths)} files do not exist: {shown}"
                    f"{'; ...' if len(absent) > SHOWN else ''}. Paths are relative to root={self.root!r}; "
                    f"missing='skip' leaves the rows out"
                )

    def _numbers(self, name, cells, unknown):
        number_of = numbers_of(self.classes[name])
        numbers = [number_of(cell) for cell in cells]
        if unknown is None:
            bad = [i for i, number in enumerate(numbers) if number is None]
            if bad:
                row, cell = self.rows[bad[0]], cells[bad[0]]
                raise ValueError(
                    f"{self.file}, row {row}: {name}={cell!r} is not among its {len(self.classes[name])} classes "
                    f"{first(self.classes[name])} ({len(bad)} such rows); "
                    f"correct the table, add it to classes, or pass unknown=<number>"
                )
        return np.array([unknown if number is None else number for number in numbers], np.int64)

    def _floats(self, name, cells):
        try:
            return np.array(cells, np.float32)
        except ValueError:
            for row, cell in zip(self.rows, cells, strict=True):
                try:
                    float(cell)
                except ValueError:
                    raise ValueError(
                        f"{self.file}, row {row}: {name}={cell!r} is no number; correct it, or move {name!r} to labels"
                    ) from None
            raise

    def _keep(self, indices):
        if not indices:
            raise FileNotFoundError(f"{self.file}: none of its files exist; paths are relative to root={self.root!r}")
        self.rows = [self.rows[i] for i in indices]
        self.paths = [self.paths[i] for i in indices]
        self.columns = {name: values[indices] for name, values in self.columns.items()}

    def __len__(self):
        return len(self.paths)

    def column(self, name: str) -> Any:
        """The labels of one column: class numbers int64, numeric columns float32."""
        if name not in self.columns:
            raise KeyError(f"{name!r} is not among the label columns {list(self.columns)} of {self.file}")
        return self.columns[name]

    def _sample(self, index, image):
        if not self.columns:
            return {"img": image}
        return {"img": image, "labels": {name: values[index].item() for name, values in self.columns.items()}}

    def __getitem__(self, index):
        image = read_image(self.paths[index], f"sample {index} (row {self.rows[index]} of {self.file})")
        return self._sample(index, self._transformed(image))

    def encoded(self, index: int) -> Any:
        return self._sample(index, self.paths[index])

    def path_of(self, index: int) -> Any:
        return self.paths[index]
