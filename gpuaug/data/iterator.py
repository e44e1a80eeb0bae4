"""One pass over a loader."""

import time
import warnings

from ..pool import count_batch


class LoaderIterator:
    """One pass over a DataLoader."""

    def __init__(self, loader, road, progress):
        self._loader, self._road, self._progress = loader, road, progress
        self._left, self._yielded = None, 0
        self._workers = getattr(road, "workers", [])  # as torch's iterator has them: people look for their processes there

    def __iter__(self):
        return self

    def __len__(self):
        return len(self._loader)

    def __next__(self):
        loader, stats = self._loader, self._loader._stats
        entered = time.perf_counter()
        if self._left is not None:
            stats.seconds["consumer"] += entered - self._left
            stats.elapsed += entered - self._left
        try:
            with stats.time("wait"):
                loaded = next(self._road)
            batch = loader._deliver(loaded, self._progress.epoch)
        except StopIteration:
            self._progress.done = True
            if loader.persistent_workers and not loader._streams:
                loader._kept = self._progress.states
            self._left = None
            raise
        except BaseException:
            self._road.close()
            self._road, self._left = iter(()), None
            raise
        self._progress.advance(loaded)
        self._yielded += 1
        if loader._streams:
            _check_length(loader, self._yielded)
        stats.images += len(loaded.ids)
        stats.batches += 1
        count_batch()
        self._left = time.perf_counter()
        stats.elapsed += self._left - entered
        return batch


def _check_length(loader, yielded):
    """Warns as torch's loader does, and only where `len(loader)` was asked for: a wrong length misleads a schedule."""
    said = loader._IterableDataset_len_called  # torch's `__len__` sets it
    if said is None or yielded <= said:
        return
    text = (
        f"Length of IterableDataset {loader.dataset} was reported to be {said} (when accessing len(dataloader)), but {yielded} "
        f"samples have been fetched."
    )
    if loader.num_workers:
        text += (
            " For multiprocessing data-loading, this happens where each worker yields the whole dataset: let it yield its part, "
            "which torch.utils.data.get_worker_info() tells"
        )
    warnings.warn(text, stacklevel=3)
