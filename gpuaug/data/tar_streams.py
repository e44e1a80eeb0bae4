"""Streams of tar files in the layout of the package webdataset."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

from torch.utils.data import IterableDataset

from ..hints import Function
from .faults import Unreadable, good_or_raise
from .host_read import read_image, read_mask
from .host_transform import HostTransform
from .remote import Remote

RECENT = 4096  # samples of a stream whose names are kept for messages: more than are in flight


class WebDataset(HostTransform, IterableDataset):
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
