"""Datasets of files, for torch's DataLoader and for gpuaug's.

``dataset[i]`` decodes on the host: images are uint8 arrays ``[H, W, 3]``, masks ``[H, W]``, spectrograms float32
tensors ``[C, F, T]``. ``dataset.encoded(i)`` is the same sample with paths or file contents in place of the pixels;
gpuaug.DataLoader asks for that (see protocol.py). With a `transform` a dataset decodes on the host: no `encoded` then.

Scanning a folder or a table happens once, in the constructor, and every complaint about it comes from there.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch.utils.data import Dataset, IterableDataset

from ..hints import Function, Path
from .faults import Unreadable, good_or_raise
from .headers import mask_type
from .host_read import read_image, read_mask, read_npy
from .protocol import IMAGE_SUFFIXES
from .remote import Remote
from .remote_scan import located
from .scan import SHOWN, directory, files_by_stem, files_in, files_of_classes, first, folders_in, table
from .table import class_names, numbers_of, read_csv
from .urls import join

__all__ = ["HuggingFace", "ImageCsv", "ImageFolder", "SegmentationFolder", "SpectrogramFolder", "WebDataset"]

RECENT = 4096  # samples of a stream whose names are kept for messages: more than are in flight


class _HostTransform:
    """Shared: a `transform` on the host rules out decoding elsewhere, from the moment at which it is set."""

    @property
    def transform(self):
        """What is called with each decoded image, or None."""
        return self._transform

    @transform.setter
    def transform(self, transform):
        if transform is not None and not callable(transform):
            raise TypeError(f"transform must be callable, got {type(transform).__name__}")
        self._transform = transform
        self.__dict__.pop("encoded", None)
        if transform is not None:
            self.encoded = None  # hides the method: to the loader the dataset is one of arrays

    def _transformed(self, image):
        return image if self.transform is None else self.transform(image)


class _Folder(_HostTransform, Dataset):
    """``root/class/.../file``: files by class, in torchvision's order, so that indices can be carried over."""

    suffixes = frozenset()
    thread_safe = True

    def __init__(
        self,
        root: Path,
        transform: Function | None = None,
        classes: Sequence[str] | None = None,
        allow_empty: bool = False,
        remote: Remote | None = None,
    ):
        folder = directory(root, remote)
        self.root = str(folder)
        self.transform = transform
        found = folders_in(folder)
        if classes is None:
            classes = found
        self.classes = _unique("classes", classes)
        unknown = sorted(set(found) - set(self.classes))
        if unknown:
            raise ValueError(
                f"{self.root} has folders that are not in classes: {first(unknown)}; "
                f"add them to classes, or build the dataset without the argument"
            )
        self.class_to_idx = {name: number for number, name in enumerate(self.classes)}
        files = files_of_classes(folder, found, self.suffixes)
        self.samples = [(path, self.class_to_idx[name]) for name in found for path in files[name]]
        endings = " ".join(sorted(self.suffixes))
        if not self.samples:
            loose = files_in(folder, self.suffixes)
            raise FileNotFoundError(
                f"no file in the sub-folders of {self.root} ends in {endings}; the layout is root/class/file"
                + (f", and {len(loose)} are in {self.root} itself, such as {loose[0]}: {self._unlabelled}" if loose else "")
            )
        empty = [name for name in found if not files[name]]
        if empty and not allow_empty:
            raise FileNotFoundError(
                f"{self.root} has folders without a file that ends in {endings}: {first(empty)}; each folder is a class: remove "
                f"them, or pass allow_empty=True to keep classes without samples"
            )
        self.targets = [label for _, label in self.samples]

    def __len__(self):
        return len(self.samples)

    def encoded(self, index) -> Any:
        return self.samples[index]

    def path_of(self, index) -> Any:
        return self.samples[index][0]


class ImageFolder(_Folder):
    """``root/class/.../image.jpg`` as ``(image, label)``: torchvision's class, order and attributes.

    `classes`: names in the order of their numbers; ``classes=train.classes`` gives a validation folder that lacks a
    class the numbers of the training folder. `transform` is called with the uint8 array ``[H, W, 3]``. A class whose folder
    has no image is an error unless `allow_empty`, as in torchvision.

    Unlike torchvision it takes no hidden folder or file (``.ipynb_checkpoints``, ``._a.jpg``) and nothing twice: links to
    folders are followed, those that lead up are not.

    Example:
        >>> from gpuaug.data import ImageFolder
        >>> from gpuaug.photographs import photo_folder
        >>> photos = ImageFolder(photo_folder(count=8, size=(24, 32)))
        >>> len(photos), photos.classes[:3], photos[0][0].ndim
        (8, ['astronaut', 'cat', 'coffee'], 3)
    """

    suffixes = IMAGE_SUFFIXES
    _unlabelled = (
        "put them into a folder for each class, or take gpuaug.data.ImageFiles, which has no labels (gpuaug cache build "
        "--unlabelled)"
    )
    targets_hint = {"image": 0}  # noqa: RUF012  read only

    def __getitem__(self, index):
        path, label = self.samples[index]
        return self._transformed(read_image(path, f"sample {index}")), label


class SpectrogramFolder(_Folder):
    """``.npy`` files as ``(spectrogram, label)`` from ``root/class/file.npy``, as spectrograms from ``root/file.npy``.

    A spectrogram is a float32 tensor ``[channels, frequency, time]``; `layout` says how the files hold it: ``"CHW"``
    (that order), ``"HWC"``, or ``"HW"`` (one channel). Files are memory-mapped and hold float16, 32 or 64; a file with
    pickled objects is refused. `channels`: how many every file must have; by default as many as the first one read.

    Example:
        >>> import tempfile, numpy as np
        >>> from gpuaug.data import SpectrogramFolder
        >>> folder = tempfile.mkdtemp()
        >>> np.save(f"{folder}/a.npy", np.zeros((20, 50), np.float32))
        >>> SpectrogramFolder(folder, layout="HW")[0].shape
        torch.Size([1, 20, 50])
    """

    suffixes = frozenset([".npy"])

    def __init__(
        self,
        root: Path,
        layout: str | None = "CHW",
        channels: int | None = None,
        transform: Function | None = None,
        classes: Sequence[str] | None = None,
        allow_empty: bool = False,
        remote: Remote | None = None,
    ):
        if layout not in ("CHW", "HWC", "HW"):
            raise ValueError(f'layout must be "CHW", "HWC" or "HW", got {layout!r}')
        self.layout, self.channels = layout, 1 if layout == "HW" else channels
        root = directory(root, remote)
        loose = files_in(root, self.suffixes)
        self.labelled = not loose
        if self.labelled:
            super().__init__(root, transform, classes, allow_empty)
        else:
            folders = folders_in(root)
            if folders or classes is not None:
                raise ValueError(
                    f"{root} has .npy files of its own, such as {os.path.basename(loose[0])}, "
                    f"and {'folders, such as ' + folders[0] if folders else 'classes were given'}; "
                    f"the layout is root/class/file.npy, or root/file.npy without labels"
                )
            self.root = str(root)
            self.transform = transform
            self.samples = [(path, None) for path in loose]
        self.targets_hint = {"image": 0} if self.labelled else {"image": ()}

    encoded = None  # nothing to decode: the loader takes the tensors

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
        labels, numeric = _names("labels", labels), _names("numeric", numeric)
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
            self.classes[name] = _unique(f"classes[{name!r}]", names)
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


class SegmentationFolder(_HostTransform, Dataset):
    """Images and masks of the same name in two folders, as ``{"image": [H, W, 3], "mask": [H, W]}``.

    Names are compared without suffix and relative to the folders; `mask_suffix` is what a mask's has more, as in
    ``a.jpg`` and ``a_mask.png``. A mask's values are its pixels' (a palette image's: the indices). All have one type,
    `mask_type`, which the headers of the files decide: uint8, int32 if one of them has 16 bits or more, float32 if one has
    floating-point numbers. A mask with colours is an error that names it. `transform` is called as albumentations' are:
    ``transform(image=..., mask=...)``, and returns a dict.

    Where masks are resized use ``mask_interpolation=6`` (``cv2.INTER_NEAREST_EXACT``): with 0, albumentations' default, they
    land beside their images, by 1.5 pixels when 256 become 64 (docs/targets.md).

    Example:
        >>> import tempfile, numpy as np
        >>> from PIL import Image
        >>> from gpuaug.data import SegmentationFolder
        >>> scans, labels = tempfile.mkdtemp(), tempfile.mkdtemp()
        >>> Image.fromarray(np.zeros((6, 8, 3), np.uint8)).save(f"{scans}/a.png")
        >>> Image.fromarray(np.ones((6, 8), np.uint8)).save(f"{labels}/a_mask.png")
        >>> sample = SegmentationFolder(scans, labels, mask_suffix="_mask")[0]
        >>> sample["image"].shape, sample["mask"].shape
        ((6, 8, 3), (6, 8))
    """

    targets_hint = {"image": "image", "mask": "mask"}  # noqa: RUF012  read only
    thread_safe = True

    def __init__(
        self,
        images: Path,
        masks: Path,
        mask_suffix: str = "",
        transform: Function | None = None,
        remote: Remote | None = None,
    ):
        self.transform = transform
        images, masks = directory(images, remote), directory(masks, remote)
        by_stem = files_by_stem(images, "")
        masks_by_stem = files_by_stem(masks, mask_suffix)
        for have, other, what, where in (
            (by_stem, masks_by_stem, "images have no mask", masks),
            (masks_by_stem, by_stem, "masks have no image", images),
        ):
            unpaired = sorted(have.keys() - other.keys())
            if unpaired:
                shown = first([have[stem] for stem in unpaired])
                raise FileNotFoundError(
                    f"{len(unpaired)} of {len(have)} {what} of the same name in {where}: {shown}; "
                    f"add or remove the files"
                    + ("" if mask_suffix else ", or pass mask_suffix if the masks' names have an ending of their own")
                )
        self.pairs = [(by_stem[stem], masks_by_stem[stem]) for stem in sorted(by_stem)]
        if not self.pairs:
            raise FileNotFoundError(f"no images in {images}: none of {' '.join(sorted(IMAGE_SUFFIXES))}")
        self.mask_type = np.dtype(mask_type([mask for _, mask in self.pairs]))
        self.mask_types = {"mask": self.mask_type.name}

    def __len__(self):
        return len(self.pairs)

    def __getitem__(self, index):
        image_path, mask_path = self.pairs[index]
        image = read_image(image_path, f"sample {index}")
        mask = read_mask(mask_path, f"sample {index}", self.mask_type)
        if image.shape[:2] != mask.shape:
            raise ValueError(
                f"sample {index}: {image_path} is {image.shape[0]} x {image.shape[1]} (height x width) but "
                f"{mask_path} is {mask.shape[0]} x {mask.shape[1]}; a mask needs its image's size"
            )
        return {"image": image, "mask": mask} if self.transform is None else self.transform(image=image, mask=mask)

    def encoded(self, index: int) -> Any:
        image_path, mask_path = self.pairs[index]
        return {"image": image_path, "mask": mask_path}

    def path_of(self, index: int) -> Any:
        return self.pairs[index][0]


class HuggingFace(_HostTransform, Dataset):
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


class WebDataset(_HostTransform, IterableDataset):
    """Samples from tar shards by the webdataset package: ``{"image": ..., "label": ..., "key": "shard.tar/000017"}``.

    `urls`: what webdataset takes: paths, braces (``train-{000..099}.tar``), ``http:``, ``s3:``, ``pipe:``, or a list.
    `image`, `mask`: the members that are pictures, first match of ``"jpg;png"``. `fields`: ``{name: member}`` of the
    rest, by their suffix: ``cls`` and ``id`` whole numbers, ``txt`` text, ``json``, ``npy``; pickles are refused.
    `decode`: False gives encoded images, for gpuaug.DataLoader; True decodes them, for torch's.
    `split`: how ranks and workers share: by "shard", or by "sample" (each reads all and keeps its part: equal shares).
    `shuffle`: the size of the buffer that shuffles samples; above 0 the shards are shuffled too, both by (seed, epoch).
    `length`: samples of an epoch on this rank, if ``len()`` is wanted.

    What cannot be read (a sample without its label, a shard that is cut) is an error here and under torch's DataLoader;
    gpuaug.DataLoader does with it what its `on_error` says, and goes on behind it.

    Example:
        >>> import io, tarfile, tempfile
        >>> from PIL import Image
        >>> from gpuaug.data import WebDataset
        >>> file, picture = tempfile.mkdtemp() + "/shard.tar", io.BytesIO()
        >>> Image.new("RGB", (8, 6)).save(picture, "PNG")
        >>> with tarfile.open(file, "w") as tar:
        ...     for name, data in (("000.png", picture.getvalue()), ("000.cls", b"7")):
        ...         info = tarfile.TarInfo(name)
        ...         info.size = len(data)
        ...         tar.addfile(info, io.BytesIO(data))
        >>> [(sample["image"].shape, sample["label"]) for sample in WebDataset(file, decode=True)]
        [((6, 8, 3), 7)]
    """

    deals_out = True

    def __init__(
        self,
        urls: str | Sequence[str],
        image: str = "jpg;jpeg;png;webp",
        mask: str | None = None,
        fields: Mapping[str, str] | None = None,
        decode: bool = False,
        split: str = "shard",
        shuffle: int = 0,
        seed: int | None = 0,
        length: int | None = None,
        transform: Function | None = None,
        remote: Remote | None = None,
    ):
        from . import shards

        if split not in ("shard", "sample"):
            raise ValueError(f'split must be "shard" or "sample", got {split!r}')
        if transform is not None and not decode:
            raise ValueError("transform works on decoded images: pass decode=True, or let gpuaug.DataLoader transform")
        self.transform = transform
        self.urls = shards.expand(urls, remote)
        self.fields = shards.field_readers({"label": "cls"} if fields is None else fields)
        self.pictures = {"image": image} if mask is None else {"image": image, "mask": mask}
        self.targets_hint = {name: name for name in self.pictures}
        self.decode, self.split, self.shuffle, self.seed, self.length = decode, split, shuffle, seed, length
        self.yields_encoded = not decode  # to be iterated in the loader's own process
        self.epoch, self._recent = 0, {}

    def set_epoch(self, epoch: int) -> None:
        self.epoch = epoch

    def path_of(self, number: int) -> Any:
        """The shard and key of a sample that was lately read in this process, by its running number over all ranks."""
        return self._recent[number]

    def __len__(self):
        if self.length is None:
            raise TypeError("the number of samples in tar shards is not known; pass length=... if you know it")
        return self.length

    def __iter__(self):
        return good_or_raise(self.marked())

    def marked(self) -> Any:
        """The samples, and an `Unreadable` for each, or for the rest of a shard, that cannot be read; see faults.py."""
        from . import shards

        self._recent = {}
        numbers = itertools.count(*shards.rank_and_world())
        for number, raw in zip(numbers, shards.read(self.urls, self.split, self.shuffle, self.seed, self.epoch)):
            if isinstance(raw, Unreadable):
                yield raw
                continue
            self._recent[number] = shards.name_of(raw)
            if len(self._recent) > RECENT:
                del self._recent[next(iter(self._recent))]
            try:
                sample = self._sample(shards.pick(raw, self.pictures, self.fields))
            except ValueError as error:
                if shards.CUT in raw:
                    continue
                sample = Unreadable(error, shards.name_of(raw))
            if self.decode and not isinstance(sample, Unreadable):
                sample["image"] = self._transformed(sample["image"])
            yield sample

    def _sample(self, sample):
        if self.decode:
            sample["image"] = read_image(sample["image"], sample["key"])
            if "mask" in sample:
                sample["mask"] = read_mask(sample["mask"], sample["key"])
        return sample


def _names(argument, value):
    if isinstance(value, str):
        return [value]
    return _unique(argument, value)


def _unique(argument, names):
    names = list(names)
    twice = sorted({str(name) for name in names if names.count(name) > 1}) if len(set(names)) < len(names) else []
    if twice:
        raise ValueError(f"{argument} has {first(twice)} more than once; each name stands for one number")
    return names
