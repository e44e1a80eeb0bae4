"""Datasets of files, for torch's DataLoader and for gpuaug's.

``dataset[i]`` decodes on the host: images are uint8 arrays ``[H, W, 3]``, masks ``[H, W]``, spectrograms float32
tensors ``[C, F, T]``. ``dataset.encoded(i)`` is the same sample with paths or file contents in place of the pixels;
gpuaug.DataLoader asks for that (see protocol.py). With a `transform` a dataset decodes on the host: no `encoded` then.

Scanning a folder or a table happens once, in the constructor, and every complaint about it comes from there.
"""

import csv
import itertools
import os
from pathlib import Path

import numpy as np
import torch
from torch.utils.data import Dataset, IterableDataset

from .host_read import read_image, read_mask, read_npy
from .protocol import IMAGE_SUFFIXES

__all__ = ["HuggingFace", "ImageCsv", "ImageFolder", "SegmentationFolder", "SpectrogramFolder", "WebDataset"]

RECENT = 4096  # samples of a stream whose names are kept for messages: more than are in flight
SHOWN = 10  # of many bad files or rows, a message names the first so many


class _HostTransform:
    """Shared: a `transform` on the host rules out decoding elsewhere."""

    def _set_transform(self, transform):
        if transform is not None and not callable(transform):
            raise TypeError(f"transform must be callable, got {type(transform).__name__}")
        self.transform = transform
        if transform is not None:
            self.encoded = None  # hides the method: to the loader the dataset is one of arrays

    def _transformed(self, image):
        return image if self.transform is None else self.transform(image)


class _Folder(_HostTransform, Dataset):
    """``root/class/.../file``: files by class, in torchvision's order, so that indices can be carried over."""

    suffixes = frozenset()

    def __init__(self, root, transform=None, classes=None):
        self.root = _directory(root)
        self._set_transform(transform)
        found = sorted(entry.name for entry in os.scandir(self.root) if entry.is_dir())
        if classes is None:
            classes = found
        self.classes = _unique("classes", classes)
        unknown = sorted(set(found) - set(self.classes))
        if unknown:
            raise ValueError(
                f"{self.root} has folders that are not in classes: {_first(unknown)}; "
                f"add them to classes, or build the dataset without the argument"
            )
        self.class_to_idx = {name: number for number, name in enumerate(self.classes)}
        self.samples = []
        for name in found:
            label = self.class_to_idx[name]
            self.samples += [(path, label) for path in _files_below(os.path.join(self.root, name), self.suffixes)]
        if not self.samples:
            raise FileNotFoundError(
                f"no file in the sub-folders of {self.root} ends in {' '.join(sorted(self.suffixes))}; "
                f"the layout is root/class/file"
            )
        self.targets = [label for _, label in self.samples]

    def __len__(self):
        return len(self.samples)

    def encoded(self, index):
        return self.samples[index]

    def path_of(self, index):
        return self.samples[index][0]


class ImageFolder(_Folder):
    """``root/class/.../image.jpg`` as ``(image, label)``: torchvision's class, order and attributes.

    `classes`: names in the order of their numbers; ``classes=train.classes`` gives a validation folder that lacks a
    class the numbers of the training folder. `transform` is called with the uint8 array ``[H, W, 3]``.
    """

    suffixes = IMAGE_SUFFIXES
    targets_hint = {"image": 0}  # noqa: RUF012  read only

    def __getitem__(self, index):
        path, label = self.samples[index]
        return self._transformed(read_image(path, f"sample {index}")), label


class SpectrogramFolder(_Folder):
    """``.npy`` files as ``(spectrogram, label)`` from ``root/class/file.npy``, as spectrograms from ``root/file.npy``.

    A spectrogram is a float32 tensor ``[channels, frequency, time]``; `layout` says how the files hold it: ``"CHW"``
    (that order), ``"HWC"``, or ``"HW"`` (one channel). Files are memory-mapped and hold float16, 32 or 64; a file with
    pickled objects is refused. `channels`: how many every file must have; by default as many as the first one read.
    """

    suffixes = frozenset([".npy"])

    def __init__(self, root, layout="CHW", channels=None, transform=None, classes=None):
        if layout not in ("CHW", "HWC", "HW"):
            raise ValueError(f'layout must be "CHW", "HWC" or "HW", got {layout!r}')
        self.layout, self.channels = layout, 1 if layout == "HW" else channels
        loose = [p for p in sorted(os.listdir(_directory(root))) if p.lower().endswith(".npy")]
        self.labelled = not loose
        if self.labelled:
            super().__init__(root, transform, classes)
        else:
            folders = sorted(entry.name for entry in os.scandir(root) if entry.is_dir())
            if folders or classes is not None:
                raise ValueError(
                    f"{root} has .npy files of its own, such as {loose[0]}, "
                    f"and {'folders, such as ' + folders[0] if folders else 'classes were given'}; "
                    f"the layout is root/class/file.npy, or root/file.npy without labels"
                )
            self.root = os.fspath(root)
            self._set_transform(transform)
            self.samples = [(os.path.join(self.root, name), None) for name in loose]
        self.targets_hint = {"image": 0} if self.labelled else {"image": ()}
        self.encoded = None  # nothing to decode: the loader takes the tensors

    def __getitem__(self, index):
        path, label = self.samples[index]
        spectrogram = torch.from_numpy(read_npy(path, self.layout, f"sample {index}"))
        if self.channels is None:
            self.channels = len(spectrogram)
        if len(spectrogram) != self.channels:
            raise ValueError(
                f"sample {index}: {path} has {len(spectrogram)} channels, others have {self.channels} "
                f"(read as layout={self.layout!r}); a batch needs the same number in all"
            )
        spectrogram = self._transformed(spectrogram)
        return (spectrogram, label) if self.labelled else spectrogram


class ImageCsv(_HostTransform, Dataset):
    """A table of paths and labels, as ``{"img": image, "labels": {column: label, ...}}``.

    `file`: a .csv file with a header. `image`: the column of the paths, which are relative to `root`, by default the
    folder of the file. `labels`: the columns of classes. `numeric`: columns of numbers, floats among the labels.
    `classes`: ``{column: names}``; others' names are those that occur, sorted. ``classes=train.classes`` shares them.
    `unknown`: the number of a class that `classes` lacks, or of an empty cell; by default that is an error.
    ``missing="skip"`` leaves out rows whose file does not exist, ``"ignore"`` does not look.
    """

    targets_hint = {"image": "img"}  # noqa: RUF012  read only

    def __init__(
        self,
        file,
        image="path",
        labels=(),
        root=None,
        classes=None,
        numeric=(),
        unknown=None,
        missing="raise",
        delimiter=",",
        encoding="utf-8-sig",
        transform=None,
    ):
        if missing not in ("raise", "skip", "ignore"):
            raise ValueError(f'missing must be "raise", "skip" or "ignore", got {missing!r}')
        self._set_transform(transform)
        self.file = os.fspath(file)
        self.root = os.path.dirname(self.file) if root is None else _directory(root)
        labels, numeric = _names("labels", labels), _names("numeric", numeric)
        classes = dict(classes or {})
        stray = sorted(set(classes) - set(labels))
        if stray:
            raise ValueError(f"classes names columns that are not in labels: {_first(stray)}; labels are {labels}")
        self.rows, columns = _read_csv(self.file, [image, *labels, *numeric], delimiter, encoding)
        self.paths = [os.path.join(self.root, path) for path in columns[image]]
        self._check_paths(columns[image], missing)
        self.columns, self.classes = {}, {}
        for name in labels:
            names = classes.get(name)
            if names is None:
                names = sorted(set(columns[name]) - {""})
            self.classes[name] = _unique(f"classes[{name!r}]", names)
            self.columns[name] = self._numbers(name, columns[name], unknown)
        for name in numeric:
            self.columns[name] = self._floats(name, columns[name])
        if missing == "skip":
            self._keep([i for i, path in enumerate(self.paths) if columns[image][i] and os.path.isfile(path)])

    def _check_paths(self, cells, missing):
        empty = [row for row, cell in zip(self.rows, cells, strict=True) if not cell]
        if empty and missing != "skip":
            raise ValueError(f"{self.file}: no path in row {_first(empty)}; fill the cells, or pass missing='skip'")
        if missing == "raise":
            absent = [i for i, path in enumerate(self.paths) if not os.path.isfile(path)]
            if absent:
                shown = "; ".join(f"row {self.rows[i]}: {self.paths[i]}" for i in absent[:SHOWN])
                raise FileNotFoundError(
                    f"{self.file}: {len(absent)} of {len(self.paths)} files do not exist: {shown}"
                    f"{'; ...' if len(absent) > SHOWN else ''}. Paths are relative to root={self.root!r}; "
                    f"missing='skip' leaves the rows out"
                )

    def _numbers(self, name, cells, unknown):
        number = {cls: i for i, cls in enumerate(self.classes[name])}
        if unknown is None:
            bad = [i for i, cell in enumerate(cells) if cell not in number]
            if bad:
                row, cell = self.rows[bad[0]], cells[bad[0]]
                raise ValueError(
                    f"{self.file}, row {row}: {name}={cell!r} is not among its {len(number)} classes "
                    f"{_first(self.classes[name])} ({len(bad)} such rows); "
                    f"correct the table, add it to classes, or pass unknown=<number>"
                )
        return np.array([number.get(cell, unknown) for cell in cells], np.int64)

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

    def column(self, name):
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

    def encoded(self, index):
        return self._sample(index, self.paths[index])

    def path_of(self, index):
        return self.paths[index]


class SegmentationFolder(_HostTransform, Dataset):
    """Images and masks of the same name in two folders, as ``{"image": [H, W, 3], "mask": [H, W]}``.

    Names are compared without suffix and relative to the folders; `mask_suffix` is what a mask's has more, as in
    ``a.jpg`` and ``a_mask.png``. A mask's values are its pixels' (a palette image's: the indices). `transform` is
    called as albumentations' are: ``transform(image=..., mask=...)``, and returns a dict.

    Where masks are resized use ``mask_interpolation=6`` (``cv2.INTER_NEAREST_EXACT``): with 0, albumentations' default, they
    land beside their images, by 1.5 pixels when 256 become 64 (docs/targets.md).
    """

    targets_hint = {"image": "image", "mask": "mask"}  # noqa: RUF012  read only

    def __init__(self, images, masks, mask_suffix="", transform=None):
        self._set_transform(transform)
        by_stem = _by_stem(_directory(images), "")
        masks_by_stem = _by_stem(_directory(masks), mask_suffix)
        for have, other, what, where in (
            (by_stem, masks_by_stem, "images have no mask", masks),
            (masks_by_stem, by_stem, "masks have no image", images),
        ):
            unpaired = sorted(have.keys() - other.keys())
            if unpaired:
                shown = _first([have[stem] for stem in unpaired])
                raise FileNotFoundError(
                    f"{len(unpaired)} of {len(have)} {what} of the same name in {os.fspath(where)}: {shown}; "
                    f"add or remove the files"
                    + ("" if mask_suffix else ", or pass mask_suffix if the masks' names have an ending of their own")
                )
        self.pairs = [(by_stem[stem], masks_by_stem[stem]) for stem in sorted(by_stem)]
        if not self.pairs:
            raise FileNotFoundError(f"no images in {os.fspath(images)}: none of {' '.join(sorted(IMAGE_SUFFIXES))}")

    def __len__(self):
        return len(self.pairs)

    def __getitem__(self, index):
        image_path, mask_path = self.pairs[index]
        image = read_image(image_path, f"sample {index}")
        mask = read_mask(mask_path, f"sample {index}")
        if image.shape[:2] != mask.shape:
            raise ValueError(
                f"sample {index}: {image_path} is {image.shape[0]} x {image.shape[1]} (height x width) but "
                f"{mask_path} is {mask.shape[0]} x {mask.shape[1]}; a mask needs its image's size"
            )
        return {"image": image, "mask": mask} if self.transform is None else self.transform(image=image, mask=mask)

    def encoded(self, index):
        image_path, mask_path = self.pairs[index]
        return {"image": image_path, "mask": mask_path}

    def path_of(self, index):
        return self.pairs[index][0]


class HuggingFace(_HostTransform, Dataset):
    """A split of a ``datasets`` dataset, its images undecoded until needed. Samples are dicts with the split's columns.

    `image`, `mask`: the columns of images and, if there are, masks. `columns`: which others to keep, by default all.
    """

    def __init__(self, split, image="image", mask=None, columns=None, transform=None):
        try:
            import datasets
        except ImportError as error:
            raise ImportError("HuggingFace needs the datasets package: pip install 'gpuaug[huggingface]'") from error
        if not isinstance(split, datasets.Dataset):
            what = "pick a split, such as dataset['train']" if hasattr(split, "keys") else "load it without streaming"
            raise TypeError(f"HuggingFace takes a datasets.Dataset, got {type(split).__name__}; {what}")
        self._set_transform(transform)
        pictures = [image] if mask is None else [image, mask]
        others = [c for c in split.column_names if c not in pictures] if columns is None else _names("columns", columns)
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

    def column(self, name):
        """All values of one column, without touching the images."""
        if name not in self.split.column_names or name in (self.image, self.mask):
            raise KeyError(f"{name!r} is not a label column; columns are {self.split.column_names}")
        return np.asarray(self.split.select_columns([name])[:][name])

    def encoded(self, index):
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

    def path_of(self, index):
        return f"{(self.split[index][self.image] or {}).get('path') or 'image'} (row {index} of the split)"


class WebDataset(_HostTransform, IterableDataset):
    """Samples from tar shards by the webdataset package: ``{"image": ..., "label": ..., "key": "shard.tar/000017"}``.

    `urls`: what webdataset takes: paths, braces (``train-{000..099}.tar``), ``http:``, ``s3:``, ``pipe:``, or a list.
    `image`, `mask`: the members that are pictures, first match of ``"jpg;png"``. `fields`: ``{name: member}`` of the
    rest, by their suffix: ``cls`` and ``id`` whole numbers, ``txt`` text, ``json``, ``npy``; pickles are refused.
    `decode`: False gives encoded images, for gpuaug.DataLoader; True decodes them, for torch's.
    `split`: how ranks and workers share: by "shard", or by "sample" (each reads all and keeps its part: equal shares).
    `shuffle`: the size of the buffer that shuffles samples; above 0 the shards are shuffled too, both by (seed, epoch).
    `length`: samples of an epoch on this rank, if ``len()`` is wanted.
    """

    def __init__(
        self,
        urls,
        image="jpg;jpeg;png;webp",
        mask=None,
        fields=None,
        decode=False,
        split="shard",
        shuffle=0,
        seed=0,
        length=None,
        transform=None,
    ):
        from . import shards

        if split not in ("shard", "sample"):
            raise ValueError(f'split must be "shard" or "sample", got {split!r}')
        if transform is not None and not decode:
            raise ValueError("transform works on decoded images: pass decode=True, or let gpuaug.DataLoader transform")
        self._set_transform(transform)
        self.urls = shards.expand(urls)
        self.fields = shards.field_readers({"label": "cls"} if fields is None else fields)
        self.pictures = {"image": image} if mask is None else {"image": image, "mask": mask}
        self.targets_hint = {name: name for name in self.pictures}
        self.decode, self.split, self.shuffle, self.seed, self.length = decode, split, shuffle, seed, length
        self.yields_encoded = not decode  # to be iterated in the loader's own process
        self.epoch, self._recent = 0, {}

    def set_epoch(self, epoch):
        self.epoch = epoch

    def path_of(self, number):
        """The shard and key of a sample that was lately read in this process, by its running number over all ranks."""
        return self._recent[number]

    def __len__(self):
        if self.length is None:
            raise TypeError("the number of samples in tar shards is not known; pass length=... if you know it")
        return self.length

    def __iter__(self):
        from . import shards

        self._recent = {}
        numbers = itertools.count(*shards.rank_and_world())
        for number, raw in zip(numbers, shards.read(self.urls, self.split, self.shuffle, self.seed, self.epoch)):
            sample = shards.pick(raw, self.pictures, self.fields)
            self._recent[number] = sample["key"]
            if len(self._recent) > RECENT:
                del self._recent[next(iter(self._recent))]
            if self.decode:
                sample["image"] = self._transformed(read_image(sample["image"], sample["key"]))
                if "mask" in sample:
                    sample["mask"] = read_mask(sample["mask"], sample["key"])
            yield sample


def _directory(path):
    if not os.path.isdir(path):
        reason = "is not a folder" if os.path.exists(path) else "does not exist"
        raise FileNotFoundError(f"{os.fspath(path)} {reason}; give the folder that holds the files")
    return os.fspath(path)


def _files_below(folder, suffixes):
    for parent, _, names in sorted(os.walk(folder, followlinks=True)):
        for name in sorted(names):
            if os.path.splitext(name)[1].lower() in suffixes:
                yield os.path.join(parent, name)


def _by_stem(root, ending):
    """``{name relative to root without suffix and ending: path}``."""
    found = {}
    for path in _files_below(root, IMAGE_SUFFIXES):
        stem = Path(path).relative_to(root).with_suffix("").as_posix()
        if not stem.endswith(ending):
            continue
        stem = stem[: len(stem) - len(ending)]
        if stem in found:
            raise ValueError(f"{found[stem]} and {path} have the same name; rename or remove one: files pair by name")
        found[stem] = path
    return found


def _read_csv(file, wanted, delimiter, encoding):
    """The line number of each row, as an editor shows it, and ``{column: cells}`` of the wanted columns."""
    with open(file, newline="", encoding=encoding) as stream:
        reader = csv.reader(stream, delimiter=delimiter)
        try:
            header = next(reader, [])
            twice = sorted({name for name in header if header.count(name) > 1} & set(wanted))
            if twice:
                raise ValueError(f"{file}: the header has {_first(twice)} more than once; rename one")
            absent = [name for name in wanted if name not in header]
            if absent:
                raise ValueError(
                    f"{file} has no column {_first(absent)}; its header is {header} (delimiter={delimiter!r})"
                )
            numbers, rows = [], []
            for row in reader:
                if not row:
                    continue
                if len(row) != len(header):
                    raise ValueError(
                        f"{file}, row {reader.line_num}: {len(row)} cells, the header has {len(header)}; "
                        f"quote cells that contain {delimiter!r}"
                    )
                numbers.append(reader.line_num)
                rows.append(row)
        except csv.Error as error:
            raise ValueError(f"{file}, row {reader.line_num}: {error}") from error
        except UnicodeDecodeError as error:
            raise ValueError(f"{file} is not {encoding}: {error}; pass its encoding, such as 'cp1252'") from error
    if not rows:
        raise ValueError(f"{file} has a header and no rows")
    cells = list(zip(*rows, strict=True))
    return numbers, {name: cells[header.index(name)] for name in wanted}


def _names(argument, value):
    if isinstance(value, str):
        return [value]
    return _unique(argument, value)


def _unique(argument, names):
    names = list(names)
    twice = sorted({str(name) for name in names if names.count(name) > 1}) if len(set(names)) < len(names) else []
    if twice:
        raise ValueError(f"{argument} has {_first(twice)} more than once; each name stands for one number")
    return names


def _first(values):
    shown = ", ".join(map(str, values[:SHOWN]))
    return f"{shown}, ... ({len(values)} in all)" if len(values) > SHOWN else shown
