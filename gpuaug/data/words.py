"""A loader in words: what `repr` and `stats` tell."""

import os

from torch.utils.data import IterableDataset

from .decode import decoder_name
from .doubled import steps
from .stored.dataset import stored_view
from .survey import length
from .views import array_view, encoded_view


def in_words(loader):
    """Dataset, batches, how it is loaded, where to, and what is done: on one line."""
    n, size = length(loader.dataset), loader.batch_size or getattr(loader.batch_sampler, "batch_size", None)
    found = "of unknown length" if n is None else f"of {n} samples"
    batches = "single samples" if size is None else f"batches of {size}"
    names = [] if loader.transform is None else [type(step).__name__ for step in steps(loader.transform)]
    return (
        f"DataLoader({type(loader.dataset).__name__} {found}, {batches}{', shuffled' if loader._shuffle else ''}; "
        f"{road_in_words(loader)}; on {loader.device}; transform: {', '.join(names) or 'none'}; on_error={loader.on_error!r})"
    )


def road_in_words(loader):
    """How the loader's samples are loaded, and by how many."""
    kind = _kind(loader)
    if kind == "memory":
        return "in memory, indexed as a batch"
    if kind == "stored":
        return f"pixels read from a cache by {loader.num_workers or len(os.sched_getaffinity(0))} threads"
    if kind == "encoded":
        more = ", JPEGs at a scale by libjpeg-turbo," if loader.decode == "fast" and loader.device.type == "cpu" else ""
        return f"files read and decoded by {decoder_name()}{more} in {loader.num_workers or len(os.sched_getaffinity(0))} threads"
    return f"__getitem__ in {f'{loader.num_workers} worker processes' if loader.num_workers else 'this process'}"


def _kind(loader):
    """The kind of SetUp, as far as the dataset's declarations tell it."""
    if loader._set_up is not None:
        return loader._set_up.kind
    if getattr(loader.dataset, "yields_encoded", False):
        return "encoded"
    if isinstance(loader.dataset, IterableDataset):
        return "workers"
    if stored_view(loader.dataset) is not None:
        return "stored"
    if loader.batch_size is not None and loader._user_collate is None and array_view(loader.dataset) is not None:
        return "memory"
    return "encoded" if encoded_view(loader.dataset) is not None else "workers"
