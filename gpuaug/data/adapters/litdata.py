"""Folders that Lightning's LitData has optimized: its own reader finds a sample by its number, and leaves the images encoded."""

from __future__ import annotations

import hashlib
import json
import os
import threading
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ...hints import Function, Path
from ..faults import one_line
from .rows import CHANGED, Rows, missing, named, on_disk, stamp, starts

ENCODED = ("jpeg", "image", "bytes")  # formats of LitData's that are a file's bytes
REFUSED = ("pickle", "graph")


class LitData(Rows):
    """Samples of a folder made by ``litdata.optimize``, in its order: ``{"image": ..., "label": ...}``.

    `folder`: with its ``index.json``, on this machine. Samples must be dicts. `image`, `mask`: the keys of encoded images
    (LitData's formats "jpeg", "image:.." and "bytes"). `fields`: ``{name: key}`` of what else a sample has, or names; None: all
    other keys. `transform` is called with each decoded image ``[H, W, 3]``. Pickled entries are refused, and compressed folders.

    LitData's own ``StreamingDataset`` shuffles, shares out and downloads in its own way; here gpuaug.DataLoader does what it does
    with files.

    >>> import tempfile, numpy as np, litdata.streaming
    >>> from PIL import Image
    >>> folder, picture = tempfile.mkdtemp(), tempfile.mkdtemp() + "/a.jpg"
    >>> Image.fromarray(np.zeros((8, 8, 3), np.uint8)).save(picture)
    >>> writer = litdata.streaming.Cache(folder, chunk_size=2)  # what litdata.optimize runs in its processes
    >>> for i in range(3):
    ...     writer[i] = {"image": Image.open(picture), "label": i}
    >>> _ = writer.done(), writer.merge()
    >>> data = LitData(folder)
    >>> len(data), data[2]["image"].shape, data[2]["label"]
    (3, (8, 8, 3), 2)
    """

    def __init__(
        self,
        folder: Path,
        image: str = "image",
        mask: str | None = None,
        fields: Mapping[str, str] | Sequence[str] | None = None,
        transform: Function | None = None,
    ):
        try:
            import litdata  # noqa: F401
        except ImportError as error:
            raise missing("LitData", "litdata", "litdata") from error
        self.path = on_disk(folder, "a folder of LitData's", "litdata")
        self._describe(image, mask, transform)
        self._mine = None
        index = os.path.join(self.path, "index.json")
        if not os.path.isfile(index):
            raise FileNotFoundError(f"{self.path} has no index.json; give a folder that litdata.optimize has made")
        formats, chunks = _read(index)
        self.fields = named(fields, list(formats), self.pictures, self.path)
        for name, key in self.pictures.items():
            if formats[key].split(":")[0] not in ENCODED:
                have = [other for other, kind in formats.items() if kind.split(":")[0] in ENCODED]
                raise TypeError(
                    f"{self.path}: {key!r} for {name!r} is of the format {formats[key]!r}; images are {', '.join(ENCODED)}, "
                    f"as in {have or 'none of its keys'}: optimize it anew with files' bytes"
                )
        bad = [key for key, kind in formats.items() if kind.split(":")[0] in REFUSED]
        if bad:  # the reader reads whole samples
            raise ValueError(
                f"{self.path}: {bad[0]!r} is a pickle, which is not read, since that runs what is in it; optimize it anew with "
                f"plain values"
            )
        self._formats = sorted({kind.split(":")[0] for kind in formats.values()} & set(ENCODED))
        self._files = [os.path.join(self.path, each["filename"]) for each in chunks]
        for file, each in zip(self._files, chunks):
            if not os.path.isfile(file):
                raise FileNotFoundError(f"{file} does not exist; {self.path} lacks it: copy it again, or optimize it anew")
            if os.path.getsize(file) < each["chunk_bytes"]:
                raise ValueError(
                    f"{file} was cut off: it has {os.path.getsize(file):,} of {each['chunk_bytes']:,} bytes; copy it again"
                )
        self._starts = starts([each["chunk_size"] for each in chunks])
        self._stamps = {index: stamp(index), **{file: stamp(file) for file in self._files}}
        self.n = int(self._starts[-1])
        if not self.n:
            raise ValueError(f"{self.path} has no samples")

    def _name(self):
        return self.path

    @property
    def fingerprint(self) -> Any:
        """Of the files' sizes and times and of what is taken, for caches."""
        taken = (self.path, list(self._stamps.values()), self.pictures, self.fields)
        return hashlib.blake2b(repr(taken).encode(), digest_size=16).hexdigest()

    def column(self, name: str) -> Any:
        """All values of one field; LitData reads all of each sample for it."""
        if name not in self.fields:
            raise KeyError(f"{name!r} is not among the fields {list(self.fields)}")
        return np.asarray([self._sample(index)[self.fields[name]] for index in range(self.n)])

    def _sample(self, index):
        """What LitData has under a number. Its reader has one state: threads take turns (30 us)."""
        file = self._files[int(np.searchsorted(self._starts, index, side="right")) - 1]
        try:
            same = stamp(file) == self._stamps[file]
        except FileNotFoundError:
            same = False
        if not same:  # it would wait for a file that is not as its index says, for seconds
            raise ValueError(f"{file}: {CHANGED}")
        mine = self._mine  # another thread may put another one there
        if mine is None or mine[0] != os.getpid():  # a lock of its own, too: one of the parent's threads may have held that one
            mine = self._mine = os.getpid(), _reader(self.path, self._formats), threading.Lock()
        with mine[2]:
            try:
                return mine[1][index]
            except (MemoryError, ImportError):
                raise
            except Exception as error:
                raise ValueError(f"it cannot be read from {file} ({type(error).__name__}): {one_line(error)}") from None

    def _row(self, index):
        found = self._sample(index)
        sample = {name: found[key] for name, key in {**self.pictures, **self.fields}.items()}
        for name in self.pictures:
            if not len(sample[name]):
                raise ValueError(f"there is no {name} in {self.pictures[name]!r} (no bytes)")
        return sample

    def __getstate__(self):
        return {**self.__dict__, "_mine": None}


def _read(index):
    """({key: format} of a sample, the chunks) of an index.json."""
    try:
        with open(index, encoding="utf-8") as file:
            found = json.load(file)
        config, chunks = found["config"], found["chunks"]
        spec = json.loads(config["data_spec"])[1]
        keys = json.loads(spec["context"]) if spec["type"] in ("builtins.dict", "collections.OrderedDict") else None
        flat = keys is not None and all(child["type"] is None for child in spec["children_spec"])
        formats = dict(zip(keys, config["data_format"], strict=True)) if flat else None
        chunks = [{name: each[name] for name in ("filename", "chunk_size", "chunk_bytes")} for each in chunks]
    except (ValueError, KeyError, TypeError, IndexError) as error:
        text = f"{type(error).__name__}: {one_line(error)}"
        raise ValueError(f"{index} is no index of LitData's, or of another version ({text}); optimize the folder anew") from None
    if formats is None:
        raise TypeError(f"{os.path.dirname(index)}: samples must be dicts of single values, {{'image': .., 'label': ..}}")
    if config.get("compression") or config.get("encryption"):
        raise ValueError(
            f"{os.path.dirname(index)} is compressed or encrypted: LitData unpacks whole chunks into files; images gain nothing "
            f"by it: optimize it anew without"
        )
    return formats, chunks


def _reader(folder, formats):
    import litdata
    from litdata.streaming.serializers import Serializer

    class AsItIs(Serializer):
        """Leaves an image encoded."""

        def serialize(self, data):
            raise NotImplementedError

        def deserialize(self, data):
            return bytes(data)

        def can_serialize(self, data):
            return False

    return litdata.StreamingDataset(folder, serializers={name: AsItIs() for name in formats})
