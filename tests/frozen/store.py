"""The file: arrays behind each other by type, each kept once, and a JSON text that says where they lie."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np

FORMAT = 1


class Store:
    def get(self, place: list) -> np.ndarray:
        raise NotImplementedError

    def picture(self, place: list, dtype: str) -> np.ndarray:
        """Bytes as they are, floats as 1/255 of them, as tests/parity and tests/chains make them."""
        picture = self.get(place)
        return picture if dtype == "uint8" else (picture / np.float32(255)).astype(dtype)


class Writer(Store):
    def __init__(self):
        self._parts: dict[str, list[np.ndarray]] = {}
        self._sizes: dict[str, int] = {}
        self._there: dict[bytes, list] = {}
        self._arrays: dict[tuple, np.ndarray] = {}

    def put(self, array: np.ndarray) -> list:
        """Where it is: [type, offset in values, shape]."""
        array = np.ascontiguousarray(array)
        name = str(array.dtype)
        mark = hashlib.sha256(f"{name}{array.shape}".encode() + array.tobytes()).digest()
        if mark not in self._there:
            at = self._sizes.get(name, 0)
            self._parts.setdefault(name, []).append(array.ravel())
            self._sizes[name] = at + array.size
            self._there[mark] = [name, at, list(array.shape)]
            self._arrays[name, at, array.shape] = array
        return self._there[mark]

    def get(self, place: list) -> np.ndarray:
        return self._arrays[place[0], place[1], tuple(place[2])]

    def save(self, path: Path, record: dict) -> None:
        text = json.dumps({"format": FORMAT, **record}).encode()
        arrays = {name: np.concatenate(parts) for name, parts in self._parts.items()}
        path.parent.mkdir(parents=True, exist_ok=True)
        np.savez_compressed(path, record=np.frombuffer(text, np.uint8), **arrays)


class Reader(Store):
    """
    Attributes:
        record: what `Writer.save` was given.
    """

    def __init__(self, path: Path):
        with np.load(path) as file:
            self._arrays = {name: file[name] for name in file.files}
        self.record = json.loads(self._arrays.pop("record").tobytes())
        if self.record["format"] != FORMAT:
            raise ValueError(f"{path} has the format {self.record['format']}, this reads {FORMAT}: freeze the references again")

    def get(self, place: list) -> np.ndarray:
        name, at, shape = place
        return self._arrays[name][at : at + int(np.prod(shape))].reshape(shape)
