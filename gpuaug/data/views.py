"""Datasets that can be loaded faster than sample by sample: who hands out files, and who lies in memory.

`encoded_view(dataset)` and `array_view(dataset)` return None unless the result is provably what `dataset[i]` stands for: a
subclass that overrides `__getitem__`, a host-side `transform` or a loader of the user's own is left to `__getitem__`.
"""

import bisect
import sys

import numpy as np
import torch
from torch.utils.data import ConcatDataset, Subset, TensorDataset

from .structure import children, rebuild


def encoded_view(dataset):
    """A function index -> sample with encoded leaves, or None."""
    if getattr(dataset, "encoded", None) is not None:  # None: a dataset's way to say "not this one"
        return dataset.encoded
    if type(dataset) is Subset:
        inner = encoded_view(dataset.dataset)
        return inner and (lambda i: inner(dataset.indices[i]))
    if type(dataset) is ConcatDataset:
        inner = [encoded_view(d) for d in dataset.datasets]
        return (lambda i: _of_concat(dataset, inner, i)) if inner and all(inner) else None
    return _folder(dataset)


def _of_concat(dataset, inner, i):
    if i < 0:
        i += len(dataset)
    which = bisect.bisect_right(dataset.cumulative_sizes, i)
    return inner[which](i - (dataset.cumulative_sizes[which - 1] if which else 0))


def _folder(dataset):
    datasets = sys.modules.get("torchvision.datasets")  # where nobody imported it (1 s), nothing can be one of its
    base = getattr(datasets, "DatasetFolder", None)
    if base is None or not isinstance(dataset, base) or type(dataset).__getitem__ is not base.__getitem__:
        return None
    if dataset.transform is not None or dataset.loader not in (datasets.folder.default_loader, datasets.folder.pil_loader):
        return None

    def sample(i):
        path, target = dataset.samples[i]
        return path, target if dataset.target_transform is None else dataset.target_transform(target)

    return sample


def path_view(dataset):
    """A function index -> path for error messages, or None."""
    if getattr(dataset, "path_of", None) is not None:
        return dataset.path_of
    if type(dataset) is Subset:
        inner = path_view(dataset.dataset)
        return inner and (lambda i: inner(dataset.indices[i]))
    if hasattr(dataset, "samples"):
        return lambda i: str(dataset.samples[i][0])
    return None


class ArrayView:
    """A dataset in memory: `take(indices)` gives the batch that collating its samples would give."""

    def __init__(self, arrays, pictures=False):
        self._arrays = _map(_indexable, arrays)
        self.pictures = pictures  # `dataset[i]` has a PIL image, not this array

    def sample(self):
        """The first sample, to find the targets in."""
        return _map(lambda a: a[0], self._arrays)

    def take(self, indices):
        return _map(lambda a: _take(a, indices), self._arrays)


def array_view(dataset):
    """An ArrayView, or None."""
    if type(dataset) is TensorDataset:
        return ArrayView(dataset.tensors) if len(dataset) else None
    if type(dataset) is Subset:
        inner = array_view(dataset.dataset)
        return inner and _SubsetView(inner, np.asarray(dataset.indices))
    if getattr(dataset, "arrays", None) is not None:
        return ArrayView(dataset.arrays()) if len(dataset) else None
    return _torchvision(dataset)


class _SubsetView:
    def __init__(self, inner, indices):
        self._inner, self._indices, self.sample, self.pictures = inner, indices, inner.sample, inner.pictures

    def take(self, indices):
        return self._inner.take(self._indices[indices])


def _torchvision(dataset):
    datasets = sys.modules.get("torchvision.datasets")
    for name in ("CIFAR10", "MNIST"):
        base = getattr(datasets, name, None)
        if base is None or not isinstance(dataset, base) or type(dataset).__getitem__ is not base.__getitem__:
            continue
        if dataset.transform is None and dataset.target_transform is None and len(dataset):
            return ArrayView((np.asarray(dataset.data), np.asarray(dataset.targets)), pictures=True)
    return None


def _map(function, x):
    below = children(x)
    if below is None or (isinstance(x, list) and not any(_is_array(c) or children(c) for _, c in below)):
        return function(x)
    return rebuild(x, [_map(function, child) for _, child in below])


def _is_array(x):
    return isinstance(x, (np.ndarray, torch.Tensor))


def _indexable(leaf):
    return leaf if _is_array(leaf) else np.asarray(leaf)


def _take(array, indices):
    if isinstance(array, torch.Tensor):
        return array.index_select(0, torch.from_numpy(indices)) if array.device.type == "cpu" else array[indices.tolist()]
    return array[indices]
