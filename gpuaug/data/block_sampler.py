"""An order that is shuffled, and yet reads data that lies in blocks block by block."""

from __future__ import annotations

from typing import Any

import numpy as np

from .samplers import _EpochSampler, _Stream, _whole


class BlockSampler(_EpochSampler):
    """Every row once an epoch, shuffled so that only `window` blocks (and one that ends) are in use at a time.

    For data that is read in blocks of rows, such as `Parquet`'s row groups. Blocks are shuffled; then each row of the k-th one
    moves to a random place among the rows of the blocks k to k + window, so that blocks come and go one by one.
    `window` >= the number of blocks is nearly a full shuffle; the first rows of an epoch are of few blocks.

    `data`: a dataset with `blocks`, or how many rows each block has. Where the dataset keeps fewer bytes (`memory`) than
    `window` + 1 blocks take, that is an error. Ranks have stretches of the order, not every n-th entry, so that each reads its
    own blocks; where they are filled up to one length, rows of the order's start come a second time, as another occurrence.

    >>> order = BlockSampler([2, 2, 2], window=1, seed=1)
    >>> sorted(order), len(order)
    ([0, 1, 2, 3, 4, 5], 6)
    """

    together = 2**40  # all of a process's

    def __init__(
        self,
        data: Any,
        window: int = 8,
        seed: int | None = 0,
        num_replicas: int | None = None,
        rank: int | None = None,
        drop_last: bool = False,
    ):
        super().__init__(seed, num_replicas, rank, drop_last)
        self.window = _whole("window", window, least=1)
        blocks = getattr(data, "blocks", None) if hasattr(data, "__getitem__") and hasattr(data, "encoded") else data
        if blocks is None:
            raise TypeError(f"{type(data).__name__} has no blocks: it is read row by row, and shuffle=True does as well")
        try:
            self.blocks = np.array(blocks, np.int64).reshape(-1)
        except (TypeError, ValueError):
            raise TypeError(
                f"data must be a dataset with `blocks` or a list of how many rows each has, got {type(data).__name__}"
            ) from None
        if not len(self.blocks) or self.blocks.min() < 1:
            raise ValueError("each block must have at least one row, and there must be one")
        sizes, memory = getattr(data, "block_bytes", None), getattr(data, "memory", None)
        if sizes is not None and memory is not None:
            most = int(np.sort(sizes)[-self.window - 1 :].sum())
            if most > memory:
                raise ValueError(
                    f"window={window} takes up to {window + 1} blocks, {most:,} bytes, and the dataset keeps memory={memory:,}: "
                    f"each would be read again and again; lower window, or raise memory"
                )

    def total(self) -> int:
        return int(self.blocks.sum())

    def order(self, epoch: int) -> Any:
        stream = _Stream(self.seed, epoch)
        turn = np.empty(len(self.blocks))
        turn[stream.shuffled(np.arange(len(self.blocks)))] = np.arange(len(self.blocks))
        return np.argsort(np.repeat(turn, self.blocks) + self.window * stream.uniforms(self.total()), kind="stable")

    def _stretch(self):
        _, rank = self.world_and_rank()
        return np.arange(len(self)) + rank * len(self)

    def positions(self) -> Any:
        return self._stretch() % self.total()

    def occurrences(self) -> Any:
        """For each index that this process yields: how often the epoch's whole order had it before."""
        return self._stretch() // self.total()
