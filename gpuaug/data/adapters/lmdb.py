"""LMDB databases whose values are encoded images, or what a function of the user's makes of them."""

from __future__ import annotations

import hashlib
import json
import os
import threading
import weakref
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ...hints import Function, Path
from ..faults import one_line
from .rows import Rows, is_pickle, missing, nearest, on_disk, shown, stamp

READERS = {"text": bytes.decode, "int": int, "float": float, "json": json.loads}
KEY = "{key}"


class Lmdb(Rows):
    """Values of an LMDB database by the numbers of their keys: ``{"image": ..., "label": ...}``.

    `path`: the database's folder, or its file. `keys`: the samples' keys, text or bytes, in their order; None: all keys,
    sorted, but those that begin with ``__``, where tools keep lists of their own. `image`, `mask`: under which key of the
    database the picture is: a text with ``{key}`` in it, as in ``"image-{key}"``. `fields`: ``{name: (text with {key},
    kind)}`` with a kind of "text", "int", "float" and "json"; or ``{name: list}``, one value for each key. `decode`: a
    function from a value's bytes to a dict with "image", the encoded file, and whatever else a sample has, such as
    ``msgpack.unpackb``; it takes the place of `image`'s bytes. `transform` is called with each decoded image ``[H, W, 3]``.

    Pickles, which many recipes write, are refused: to read one is to run it. `decode` may do that, with data that you trust.

    >>> import io, os, tempfile, lmdb, numpy as np
    >>> from PIL import Image
    >>> file = io.BytesIO()
    >>> Image.fromarray(np.zeros((8, 8, 3), np.uint8)).save(file, "PNG")
    >>> path = tempfile.mkdtemp()
    >>> with lmdb.open(path) as database, database.begin(write=True) as writer:
    ...     _ = [writer.put(b"image-%d" % i, file.getvalue()) and writer.put(b"label-%d" % i, b"%d" % (i + 5)) for i in range(3)]
    >>> data = Lmdb(path, keys=range(3), image="image-{key}", fields={"label": ("label-{key}", "int")})
    >>> len(data), data[2]["image"].shape, data[2]["label"]
    (3, (8, 8, 3), 7)
    """

    def __init__(
        self,
        path: Path,
        keys: Sequence[str | bytes | int] | None = None,
        image: str = KEY,
        mask: str | None = None,
        fields: Mapping[str, Any] | None = None,
        decode: Function | None = None,
        transform: Function | None = None,
    ):
        try:
            import lmdb  # noqa: F401
        except ImportError as error:
            raise missing("Lmdb", "lmdb", "lmdb") from error
        if decode is not None and not callable(decode):
            raise TypeError(f"decode must be a function from a value's bytes to a dict, got {type(decode).__name__}")
        self.path = on_disk(path, "an LMDB database", "lmdb")
        self._file = os.path.join(self.path, "data.mdb") if os.path.isdir(self.path) else self.path
        self._describe(image, mask, transform)
        self.decode, self._mine = decode, None
        templates = {**self.pictures, **{n: f[0] for n, f in (fields or {}).items() if isinstance(f, tuple) and len(f) == 2}}
        for name, template in templates.items():
            if not isinstance(template, str) or KEY not in template:
                raise ValueError(f"{name} must be a text with {KEY} in it, such as 'image-{KEY}', got {template!r}")
        if keys is None and list(templates.values()) != [KEY]:
            raise ValueError(f"with {list(templates.values())} the database's keys are not the samples': give keys=")
        if not os.path.isfile(self._file):
            raise FileNotFoundError(f"{self.path} holds no LMDB database: there is no {os.path.basename(self._file)}")
        self._stamps = {self._file: stamp(self._file)}
        environment = self._opened()
        with environment.begin() as reader:
            if keys is None:
                keys = [bytes(key) for key in reader.cursor().iternext(values=False) if not bytes(key).startswith(b"__")]
            self.keys = list(keys)
            self.n = len(self.keys)
            if not self.n:
                raise ValueError(f"{self.path} has no keys" if not environment.stat()["entries"] else "keys is empty")
            self.fields = {name: self._field(name, field) for name, field in (fields or {}).items()}
            first = reader.get(self._key(image, self.keys[0]))
        if first is not None and decode is None and is_pickle(first):
            raise ValueError(f"{self.path_of(0)}: {PICKLE}")

    def _field(self, name, field):
        if name in self.pictures:
            raise ValueError(f"fields may not hold {name!r}: samples have a picture of that name")
        if isinstance(field, tuple) and len(field) == 2:
            if field[1] not in READERS:
                raise ValueError(f"fields[{name!r}]: the kind is one of {', '.join(READERS)}, got {field[1]!r}")
            return field
        if isinstance(field, str) or not hasattr(field, "__len__") or not hasattr(field, "__getitem__"):
            raise TypeError(f"fields[{name!r}] must be (text with {KEY}, kind) or a list of values, got {field!r}")
        if len(field) != self.n:
            raise ValueError(f"fields[{name!r}] has {len(field)} values, there are {self.n} keys")
        return field if isinstance(field, np.ndarray) else list(field)

    def _key(self, template, key):
        key = bytes(key) if isinstance(key, (bytes, bytearray)) else str(key).encode()
        return template.encode().replace(KEY.encode(), key)

    def _opened(self):
        """The environment of this process."""
        mine = self._mine  # another thread may put another one there
        if mine is None or mine.process != os.getpid():
            mine = self._mine = _shared(self.path)
        return mine.environment

    def _name(self):
        return self.path

    def path_of(self, index: int) -> Any:
        key = self.keys[self._at(index)]
        return f"{self.path} (key {key.decode('utf-8', 'replace') if isinstance(key, bytes) else key})"

    @property
    def fingerprint(self) -> Any:
        """Of the file's size and time and of what is taken, for caches."""
        taken = [list(self._stamps.values()), self.keys, self.pictures, {n: _hashable(f) for n, f in self.fields.items()}]
        return hashlib.blake2b(repr((self._file, taken)).encode(), digest_size=16).hexdigest()

    def column(self, name: str) -> Any:
        """All values of one field."""
        if name not in self.fields:
            raise KeyError(f"{name!r} is not among the fields {list(self.fields)}")
        with self._opened().begin() as reader:
            return np.asarray([self._value(reader, name, index) for index in range(self.n)])

    def _value(self, reader, name, index):
        field = self.fields[name]
        if not isinstance(field, tuple):
            return field[index].item() if isinstance(field, np.ndarray) and field.ndim == 1 else field[index]
        data = self._get(reader, name, field[0], index)
        try:
            return READERS[field[1]](data)
        except ValueError as error:
            raise ValueError(f"its {name} is no {field[1]}: {one_line(error)}") from None

    def _get(self, reader, name, template, index):
        key = self._key(template, self.keys[index])
        data = reader.get(key)
        if data is None:
            raise ValueError(f"the database has no key {key.decode('utf-8', 'replace')!r} for its {name}")
        return data

    def _row(self, index):
        self._unchanged()
        with self._opened().begin() as reader:
            sample = {name: self._get(reader, name, template, index) for name, template in self.pictures.items()}
            rest = {name: self._value(reader, name, index) for name in self.fields}
        if self.decode is None:
            if any(map(is_pickle, sample.values())):
                raise ValueError(PICKLE)
            return {**sample, **rest}
        made = self.decode(sample.pop("image"))
        if not isinstance(made, Mapping) or not isinstance(made.get("image"), (bytes, bytearray, memoryview)):
            have = f"a dict of {shown(made)}" if isinstance(made, Mapping) else type(made).__name__
            near = nearest("image", list(map(str, made))) if isinstance(made, Mapping) else ""
            raise ValueError(f"decode must give a dict with 'image', the bytes of a file, got {have}{near}")
        return {**made, **sample, **rest}

    def __getstate__(self):
        return {**self.__dict__, "_mine": None}


PICKLE = "its value is a pickle, which is not read, since that runs what is in it; give decode=, a function that reads it"


def _hashable(field):
    return field if isinstance(field, tuple) else hashlib.blake2b(repr(list(field)).encode()).hexdigest()


# lmdb opens a database once in a process; datasets share it, and it is closed with the last of them
_open: Any = weakref.WeakValueDictionary()
_opening = threading.Lock()


def _unlocked_after_fork():
    global _opening
    _opening = threading.Lock()


os.register_at_fork(after_in_child=_unlocked_after_fork)


class _Shared:
    """An environment, and the process that has opened it."""

    __slots__ = ("__weakref__", "environment", "process")

    def __init__(self, environment):
        self.environment, self.process = environment, os.getpid()


def _shared(path):
    """The environment of a database in this process, opened where nobody has."""
    import lmdb

    real = os.path.realpath(path)
    with _opening:
        found = _open.get(real)
        if found is not None and found.process == os.getpid():
            return found
        if found is not None:
            found.environment.close()  # of the parent of this process; there it stays open
        try:
            environment = lmdb.open(
                real, readonly=True, lock=False, readahead=False, subdir=os.path.isdir(real), max_spare_txns=16
            )
        except PermissionError:
            raise
        except lmdb.Error as error:
            raise ValueError(f"{path} cannot be opened as an LMDB database: {one_line(error)}") from None
        file, told = os.path.join(real, "data.mdb") if os.path.isdir(real) else real, environment.info()
        pages = (told["last_pgno"] + 1) * environment.stat()["psize"]
        if os.path.getsize(file) < pages:  # it is memory that is mapped: to read behind the end would end the process
            environment.close()
            raise ValueError(f"{path} was cut off: it has {os.path.getsize(file):,} of {pages:,} bytes; write it anew")
        made = _open[real] = _Shared(environment)
        return made
