"""The road for data in memory: a batch is one indexing operation. No thread, as there is nothing to wait for."""

import numpy as np
import torch
from torch.utils.data import default_collate

from .encoded import Loaded
from .pixels import to_pixels
from .structure import Slot, children, is_namedtuple, rebuild, take_out


class MemoryRoad:
    """Iterates over Loaded batches cut out of an ArrayView."""

    def __init__(self, view, paths, plan, stats, plain):
        self._view, self._plan, self._stats = view, plan, stats
        # without a transform all is as torch gives it, except pictures, which it would refuse
        self._paths = paths if not plain or view.pictures else {}

    def __iter__(self):
        return self

    def close(self):
        self._plan = iter(())

    def __next__(self):
        planned = next(self._plan)
        with self._stats.time("load"):
            taken, rest = take_out(self._view.take(np.asarray(planned.indices, np.int64)), self._paths)
            taken = {name: to_pixels(leaf, name.startswith("mask")) for name, leaf in taken.items()}
            return Loaded(taken, as_collated(rest), planned.ids, planned.occurrence, planned.position, planned.ids)


def as_collated(batch):
    """A structure of arrays as collating its samples would give it: tensors, and a list for a tuple."""
    if isinstance(batch, (torch.Tensor, Slot)):
        return batch
    if isinstance(batch, np.ndarray):
        return torch.from_numpy(batch) if batch.dtype.kind in "biuf" else default_collate(batch.tolist())
    parts = [as_collated(child) for _, child in children(batch)]
    return parts if isinstance(batch, tuple) and not is_namedtuple(batch) else rebuild(batch, parts)
