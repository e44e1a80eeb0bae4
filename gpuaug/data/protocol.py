"""What a dataset and a sampler may offer beyond torch's interface, and how the loader recognizes it.

Nothing here is required: any `torch.utils.data` dataset and sampler works. Whoever offers more is loaded faster
(encoded files go to DALI, arrays in memory are indexed as a batch) or resumes exactly (samplers).

Datasets
--------
A map-style dataset may have one of these methods beside `__len__` and `__getitem__`:

`encoded(index) -> sample`
    The sample that `dataset[index]` stands for, in the same structure (tuple, dict, namedtuple, dataclass, nested),
    but with each image and mask given as a path (str, os.PathLike) or as the bytes of an encoded file (bytes,
    bytearray, memoryview, uint8 array of one axis). Masks are decoded without colour conversion: a palette image
    yields its indices. It is called from one background thread, in the order of the epoch (see `thread_safe`); it should be
    cheap and must not decode. Raising marks the sample as bad, except ImportError, which ends the epoch.

`arrays() -> sample`
    The whole dataset at once, in the structure of one sample, each entry an array or tensor whose first axis is
    the sample. Only for data in memory (a memory map counts).

An iterable dataset yields such samples itself. `yields_encoded = True` (attribute, optional) says that they are encoded, and
that it may be iterated by a thread of the loader's process; without it torch's workers iterate over it.

`targets_hint` (attribute, optional): `{"image": where, "mask": where, ...}`, what `DataLoader(targets=...)` would say; an
explicit argument wins. `where` is a key, a position, a field name, or a tuple of these for nested structures; the entry
"untouched" lists those that stay as they are.

`thread_safe` (attribute, optional): `True` says that `encoded` and `__getitem__` may be called from several threads at a time.
The loader then does so, which matters where a sample is fetched from afar. Without it one thread asks, sample after sample.

`mask_types` (attribute, optional): `{"mask": "int32", ...}`, the NumPy types in which masks that are files are delivered:
"uint8", "int32" or "float32".

`path_of(index) -> str` (optional): names a sample in error messages when its image is given as bytes.

`fingerprint` (attribute, optional): a text that changes with the samples; caches believe it instead of looking at them.

`blocks` (attribute, optional): how many rows lie, and are read, together, block after block, an int array; with `block_bytes` and
`memory` (bytes that the dataset keeps). `BlockSampler` shuffles by it.

`set_epoch(epoch)` (optional, iterable datasets): called before each epoch.

`deals_out = True` (optional, iterable datasets and samplers): it gives each rank of torch.distributed its own part. Only asked
where a framework shares other datasets and samplers out (accelerate); torch's `DistributedSampler` need not say it.

Of other people's datasets these are recognized (`encoded_view`): torchvision's `DatasetFolder` and `ImageFolder` that have
no `transform` and torchvision's own file loader; `Subset` and `ConcatDataset` of anything recognized. A dataset whose
`__getitem__` returns a path or encoded bytes where the image is expected is asked by torch's workers, and decoded as well.

Samplers
--------
A sampler yields indices, a batch sampler lists of them. The id of a sample, which with seed, epoch and occurrence
decides its draw, is its index when that is an integer from 0 to 2^52 - 1, else a hash of its `repr` in that range. The
occurrence is how often the epoch's order has yielded the index before; the loader counts it, samplers need not.

To resume in the middle of an epoch the loader asks for the epoch's order again and skips what was delivered, so the
order must be a function of what can be saved. In this order of preference a sampler offers

1. `set_epoch(epoch)`: the order depends on constructor arguments and the epoch only (`DistributedSampler` does this);
2. `state_dict()` / `load_state_dict(state)`: the state at the start of an epoch is saved, of constant size;
3. a `generator` attribute: its state at the start of the epoch is saved; torch's samplers with `generator=None` get one
   that is derived from (seed, epoch).

`occurrences()` (optional): the occurrence number of everything that the sampler will yield this epoch (for a batch sampler
one array per batch), where the loader cannot count them: one rank's part of an order that repeats samples.

A batch sampler may instead have such a `sampler`. Whatever else it is, a checksum of the order delivered so far is saved,
and a sampler that gives another order after resuming is an error instead of lost samples.
"""

import os
from typing import Any, Protocol, runtime_checkable

from torch.utils.data import ConcatDataset, Subset


@runtime_checkable
class EncodedDataset(Protocol):
    """A map-style dataset that hands out files instead of pixels."""

    def __len__(self) -> int: ...
    def encoded(self, index: int) -> Any: ...


@runtime_checkable
class ArrayDataset(Protocol):
    """A dataset that lies in memory as arrays with the sample as first axis."""

    def __len__(self) -> int: ...
    def arrays(self) -> Any: ...


def parts(dataset):
    """The datasets that a `Subset` or `ConcatDataset` is made of; of another dataset itself."""
    if type(dataset) is Subset:
        return parts(dataset.dataset)
    if type(dataset) is ConcatDataset:
        return [part for inner in dataset.datasets for part in parts(inner)]
    return [dataset]


def is_thread_safe(dataset):
    """Whether its samples may be fetched by several threads at a time: it says so, or the class that defines the method does."""
    return all(_declares_safety(part) for part in parts(dataset))


def _declares_safety(dataset):
    if getattr(dataset, "thread_safe", None) is not True:
        return False
    if "thread_safe" in getattr(dataset, "__dict__", ()):
        return True
    method = "encoded" if getattr(dataset, "encoded", None) is not None else "__getitem__"
    # a class that has a method of its own does not inherit what was said of another
    first = next(cls for cls in type(dataset).__mro__ if method in cls.__dict__ or "thread_safe" in cls.__dict__)
    return "thread_safe" in first.__dict__


def mask_types(dataset):
    """{target: the NumPy type of masks of all parts of the dataset}."""
    found = {}
    for part in parts(dataset):
        for name, kind in getattr(part, "mask_types", {}).items():
            found[name] = max(kind, found.get(name, kind), key=MASK_TYPES.index)
    return found


MASK_TYPES = ("uint8", "int32", "float32")  # each holds what files of the ones before have, or reading says that it does not
IMAGE_SUFFIXES = frozenset(".jpg .jpeg .jpe .jfif .png .bmp .ppm .pgm .pnm .tif .tiff .webp .jp2 .j2k .gif .avif".split())


def is_encoded(leaf) -> bool:
    """Whether `leaf` is a path to an image file or the bytes of one.

    >>> is_encoded("cat.jpg"), is_encoded(b"..."), is_encoded("cat")
    (True, True, False)
    """
    if isinstance(leaf, (bytes, bytearray, memoryview, os.PathLike)):
        return True
    if isinstance(leaf, str):
        return os.path.splitext(leaf)[1].lower() in IMAGE_SUFFIXES
    return getattr(leaf, "ndim", None) == 1 and str(getattr(leaf, "dtype", "")) in ("uint8", "torch.uint8")
