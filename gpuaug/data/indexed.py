"""Tar shards by sample: an index of each shard's members, read once, and a range of bytes for each sample."""

from __future__ import annotations

import json
import os
import re
import tarfile
import zlib
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from torch.utils.data import Dataset

from ..hints import Function
from . import remote as reading
from . import shards
from .faults import one_line
from .host_read import read_image, read_mask
from .remote import Remote
from .remote_errors import RemoteError
from .urls import is_url

AT_ONCE = 4  # shards that are read to be indexed
VERSION = 1  # of what an index that is kept looks like


class IndexedShards(Dataset):
    """Samples of tar shards by number: ``{"image": ..., "label": ..., "key": "shard.tar/000017"}``, as `WebDataset` has them.

    Shards are read once, when the dataset is made, to learn where their members are; with ``Remote(cache=folder)`` that is kept,
    and the next run reads nothing. Then each sample is one range of bytes, so that an epoch can be shuffled over all samples,
    dealt out to ranks and continued in the middle as with files.

    `urls`: paths or URLs, with braces (``train-{000..099}.tar``), a list of them, or a folder, of which a URL ends in a slash.
    `image`, `mask`, `fields`: as `WebDataset` takes them. `transform` is called with each decoded image ``[H, W, 3]``. A shard
    that is cut or cannot be read is an error (`ValueError`, or an `OSError` of a URL), and so are two members of one name.

    Example:
        >>> import io, tarfile, tempfile
        >>> from PIL import Image
        >>> from gpuaug.data import IndexedShards
        >>> file, picture = tempfile.mkdtemp() + "/shard.tar", io.BytesIO()
        >>> Image.new("RGB", (8, 6)).save(picture, "PNG")
        >>> with tarfile.open(file, "w") as tar:
        ...     for name, data in (("000.png", picture.getvalue()), ("000.cls", b"7")):
        ...         info = tarfile.TarInfo(name)
        ...         info.size = len(data)
        ...         tar.addfile(info, io.BytesIO(data))
        >>> shards = IndexedShards(file)
        >>> len(shards), shards[0]["label"]
        (1, 7)
    """

    thread_safe = True

    def __init__(
        self,
        urls: str | Sequence[str],
        image: str = "jpg;jpeg;png;webp",
        mask: str | None = None,
        fields: Mapping[str, str] | None = None,
        transform: Function | None = None,
        remote: Remote | None = None,
    ):
        if transform is not None and not callable(transform):
            raise TypeError(f"transform must be callable, got {type(transform).__name__}")
        self.fields = shards.field_readers({"label": "cls"} if fields is None else fields)
        self.pictures = {"image": image} if mask is None else {"image": image, "mask": mask}
        self.targets_hint = {name: name for name in self.pictures}
        self.transform = transform
        if transform is not None:
            self.encoded = None  # hides the method: to the loader the dataset is one of arrays
        self.urls = [reading.known(url) if is_url(url) else url for url in shards.expand(urls, remote)]
        with ThreadPoolExecutor(AT_ONCE) as pool:
            self._tables = list(pool.map(lambda url: Table(index_of(url)), self.urls))
        self._ends = np.cumsum([len(table) for table in self._tables], dtype=np.int64)
        if not len(self):
            raise ValueError(f"{', '.join(map(str, self.urls[:3]))}: there is no sample in these shards")

    def __len__(self):
        return int(self._ends[-1])

    def _at(self, index):
        """(number of its shard, its key, {suffix: (first byte, size)})."""
        index = range(len(self))[index]
        number = int(np.searchsorted(self._ends, index, side="right"))
        return number, *self._tables[number][index - int(self._ends[number]) + len(self._tables[number])]

    def _raw(self, index):
        number, key, members = self._at(index)
        url = self.urls[number]
        wanted = {name for each in self.pictures.values() for name in each.split(";")}
        wanted |= {member for member, _ in self.fields.values()}
        taken = {name: place for name, place in members.items() if name in wanted}
        raw = {"__url__": url, "__key__": key, **dict.fromkeys(members)}
        if taken:
            start = min(at for at, _ in taken.values())
            data = memoryview(_range(url, start, max(at + size for at, size in taken.values())))
            raw |= {name: bytes(data[at - start : at - start + size]) for name, (at, size) in taken.items()}
        return raw

    def encoded(self, index: int) -> Any:
        return shards.pick(self._raw(index), self.pictures, self.fields)

    def __getitem__(self, index):
        sample = IndexedShards.encoded(self, index)
        image = read_image(sample["image"], sample["key"])
        sample["image"] = image if self.transform is None else self.transform(image)
        if "mask" in sample:
            sample["mask"] = read_mask(sample["mask"], sample["key"])
        return sample

    def path_of(self, index: int) -> Any:
        number, key, _ = self._at(index)
        return f"{self.urls[number]}/{key}"


class Table:
    """``[(key, {suffix: (first byte, size)}), ...]`` of a shard, in arrays: 40 bytes and the key for two members, not 800."""

    __slots__ = ("_ends", "_first", "_keys", "_kind", "_kinds", "_places")

    def __init__(self, samples):
        keys = [key.encode("utf-8", "surrogateescape") for key, _ in samples]
        self._keys = b"".join(keys)
        self._ends = np.cumsum([len(key) for key in keys], dtype=np.uint32)
        kinds = {}
        numbers = [kinds.setdefault(tuple(members), len(kinds)) for _, members in samples]
        self._kinds = list(kinds)
        self._kind = np.array(numbers, np.min_scalar_type(len(kinds)))
        self._first = np.cumsum([0] + [len(members) for _, members in samples[:-1]], dtype=np.uint32)
        self._places = np.array([place for _, members in samples for place in members.values()], np.int64).reshape(-1, 2)

    def __len__(self):
        return len(self._ends)

    def __getitem__(self, k):
        start = int(self._ends[k - 1]) if k else 0
        key = self._keys[start : int(self._ends[k])].decode("utf-8", "surrogateescape")
        suffixes, first = self._kinds[self._kind[k]], int(self._first[k])
        places = self._places[first : first + len(suffixes)].tolist()
        return key, {suffix: tuple(place) for suffix, place in zip(suffixes, places, strict=True)}


def _range(url, start, stop):
    if is_url(url):
        return reading.read(url, start, stop)
    with open(url, "rb", buffering=0) as file:
        return os.pread(file.fileno(), stop - start, start)


def index_of(url):
    """``[(key, {suffix: (first byte, size)}), ...]`` of a shard."""
    settings = reading.settings(url) if is_url(url) else None
    kept = reading.kept(url, settings) if settings is not None else None
    name = ("index", VERSION, str.__str__(url), url.size, url.tag) if kept else None
    data = kept.get(name, 0) if kept else None
    if data is not None:
        return [(key, {suffix: tuple(place) for suffix, place in members}) for key, members in json.loads(bytes(data))]
    found = _read(url)
    if kept:
        kept.put(name, 0, json.dumps([(key, list(members.items())) for key, members in found]).encode())
    return found


def _read(url):
    from webdataset.tariterators import base_plus_ext

    samples = []
    try:
        with shards.stream_of(url) as stream, tarfile.open(fileobj=stream, mode="r|", tarinfo=shards._Member) as tar:
            tar.ended = False
            for info in tar:
                tar.members = []
                if not info.isreg() or re.match(r"__[^/]*__($|/)", info.name):
                    continue
                shards._check_name(info.name)
                key, suffix = base_plus_ext(info.name)
                if key is None:
                    continue
                if not samples or samples[-1][0] != key:
                    samples.append((key, {}))
                if suffix.lower() in samples[-1][1]:
                    raise ValueError(f"{info.name} is there twice (duplicate file name)")
                samples[-1][1][suffix.lower()] = (info.offset_data, info.size)
            if not tar.ended:
                raise tarfile.ReadError(
                    f"it ends at byte {tar.offset} without the zero blocks that end a tar file; write it anew"
                )
    except RemoteError:
        raise
    except (OSError, ValueError, EOFError, tarfile.TarError, zlib.error) as error:
        raise ValueError(f"{url} cannot be indexed ({type(error).__name__}): {one_line(error)}") from error
    return samples
