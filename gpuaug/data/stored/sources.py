"""What a cache is made of, as far as a look tells: so that what has changed is made anew."""

import hashlib
import os
import zlib

import numpy as np
import torch

from ..protocol import is_encoded
from ..structure import children, get
from ..views import encoded_view
from .files import VERSION

FILTER = "area"  # how pictures are made small; another way gets another name


class Sources:
    """The fingerprints of a dataset's samples.

    Of a sample that is files it is their paths, sizes and times, with all else that the sample holds; of encoded bytes a
    checksum. A dataset with an attribute `fingerprint` (a text that changes with its samples) is believed. Of samples that only
    ``dataset[i]`` gives nothing is known but how many there are.
    """

    def __init__(self, dataset, settings):
        self.dataset, self.settings = dataset, settings
        self.said = getattr(dataset, "fingerprint", None)
        self.encoded = encoded_view(dataset)

    def of_part(self, first, last):
        """The fingerprint of samples `first` to `last`: 16 hexadecimal digits."""
        digest = hashlib.blake2b(repr((VERSION, FILTER, self.settings, first, last)).encode(), digest_size=8)
        if self.said is not None:
            digest.update(repr(self.said).encode())
        elif self.encoded is None:
            digest.update(f"{type(self.dataset).__name__} {len(self.dataset)}".encode())
        else:
            for index in range(first, last):
                digest.update(repr(self._of(index)).encode())
        return digest.hexdigest()

    def _of(self, index):
        try:
            sample = self.encoded(index)
        except ImportError:
            raise
        except Exception as error:  # a bad sample
            return type(error).__name__, str(error)
        return _seen(sample)

    def files(self, index, paths):
        """{name of a picture: (path, size, time)} of a sample's pictures that are files."""
        if self.encoded is None:
            return {}
        try:
            sample = self.encoded(index)
            leaves = {name: get(sample, path) for name, path in paths.items()}
        except Exception:
            return {}
        files = {name: leaf for name, leaf in leaves.items() if isinstance(leaf, (str, os.PathLike))}
        return {name: (os.fspath(leaf), *_stat(leaf)) for name, leaf in files.items()}


def _stat(path):
    try:
        found = os.stat(path)
    except OSError:
        return None, None
    return found.st_size, found.st_mtime_ns


def _seen(leaf):
    if is_encoded(leaf):
        if isinstance(leaf, (str, os.PathLike)):
            return os.fspath(leaf), *_stat(leaf)
        data = memoryview(np.asarray(leaf) if isinstance(leaf, (np.ndarray, torch.Tensor)) else leaf)
        return len(data), zlib.crc32(data)
    if isinstance(leaf, (np.ndarray, torch.Tensor)):
        whole = np.ascontiguousarray(leaf)
        return whole.dtype.str, whole.shape, zlib.crc32(whole.data.cast("B") if whole.size else b"")
    below = children(leaf)
    return leaf if below is None else [(key, _seen(child)) for key, child in below]
