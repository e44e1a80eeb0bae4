"""Datasets of files, for torch's DataLoader and for gpuaug's.

``dataset[i]`` decodes on the host: images are uint8 arrays ``[H, W, 3]``, masks ``[H, W]``, spectrograms float32
tensors ``[C, F, T]``. ``dataset.encoded(i)`` is the same sample with paths or file contents in place of the pixels;
gpuaug.DataLoader asks for that (see protocol.py). With a `transform` a dataset decodes on the host: no `encoded` then.

Scanning a folder or a table happens once, in the constructor, and every complaint about it comes from there.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch.utils.data import Dataset

from ..hints import Function, Path
from .headers import mask_type
from .host_read import read_image, read_mask, read_npy
from .host_transform import HostTransform
from .protocol import IMAGE_SUFFIXES
from .remote import Remote
from .scan import directory, files_by_stem, files_in, files_of_classes, first, folders_in
from .table import unique


class _Folder(HostTransform, Dataset):
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
        self.classes = unique("classes", classes)
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


class SegmentationFolder(HostTransform, Dataset):
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
