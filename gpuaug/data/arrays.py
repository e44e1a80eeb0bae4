"""The road for data in memory: a batch is one indexing operation. No thread, as there is nothing to wait for."""

import numpy as np
import torch
from torch.utils.data import default_collate

from .encoded import Loaded
from .pixels import to_pixels
from .recognize import shipped
from .structure import Slot, children, is_namedtuple, rebuild, take_out


class MemoryRoad:
    """Iterates over Loaded batches cut out of an ArrayView."""

    def __init__(self, view, paths, asked, plan, stats, plain):
        self._view, self._asked, self._plan, self._stats = view, asked, plan, stats
        # without a transform all is as torch gives it, except pictures, which it would refuse
        self._paths = paths if not plain or view.pictures else {}

    def __iter__(self):
        return self

    def close(self):
        self._plan = iter(())

    def __next__(self):
        planned = next(self._plan)
        with self._stats.time("load"):
            taken, rest = take_out(self._view.take(np.asarray(planned.indices, np.int64)), shipped(self._paths))
            data = dict.fromkeys(self._paths)  # in this order; masks that are rows of the boxes do not travel twice
            for name, leaf in taken.items():
                role = self._asked.role(name)
                data[name] = leaf if role == "as is" else to_pixels(leaf, role == "mask")
            return Loaded(data, as_collated(rest), planned.ids, planned.occurrence, planned.position, planned.ids)


def as_collated(batch):
    """A structure of arrays as collating its samples would give it: tensors, and a list for a tuple."""
    if isinstance(batch, (torch.Tensor, Slot)):
        return batch
    if isinstance(batch, np.ndarray):
        return torch.from_numpy(batch) if batch.dtype.kind in "biuf" else default_collate(batch.tolist())
    parts = [as_collated(child) for _, child in children(batch)]
    return parts if isinstance(batch, tuple) and not is_namedtuple(batch) else rebuild(batch, parts)
