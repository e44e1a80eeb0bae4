"""Windows before decoding: what a batch's draw will read of its images, known from their headers' sizes."""

import numpy as np

from ..batch import Batch
from ..compose import Compose

# pixels of a batch below which it is not planned: that takes 0.4 ms of Python and more, what it saves is a sixth of 3 ns a pixel
WORTH = 2_000_000
TRIES = 3  # batches in which nobody knew, and none before: then nobody is asked again


class Planner:
    """Plans the batches of an epoch before they are decoded; `planner` makes it."""

    def __init__(self, loader, epoch):
        self._transform, self._epoch, self._seed = loader.transform, epoch, loader._draw_seed()
        self._left = TRIES

    def __call__(self, size, ids, occurrence):
        """The `gpuaug.reach.Reach` for images of sizes ``[B, 2]``, or None."""
        size = np.array(size, np.int64)
        if not self._left or size.prod(1).sum() < WORTH:
            return None
        reach = self._transform.reach(size, ids=ids, epoch=self._epoch, occurrence=occurrence, seed=self._seed)
        if reach is not None:
            self._left = -1
        elif self._left > 0:
            self._left -= 1
        return reach


def planner(loader, epoch):
    """What plans a loader's batches ahead; None where nothing can be known, or nothing is gained."""
    transform = loader.transform
    if not isinstance(transform, Compose) or loader.device.type != "cpu":
        return None  # on a GPU a window's pixels were not yet compared with those of the whole
    for name in ("draw", "reach", "run", "_augmented"):
        if getattr(type(transform), name) is not getattr(Compose, name):
            return None
    return Planner(loader, epoch)


def window_of(reach):
    """(start, end) of each image as fractions of its height and width, float32, as DALI takes them: it rounds to pixels."""
    size = reach.size.astype(np.float64)
    return (reach.window[:, :2] / size).astype(np.float32), (reach.window[:, 2:] / size).astype(np.float32)


def within(images, reach):
    """What was decoded of a batch as images of which only that is there; None if it is not what was asked for."""
    parts, window = Batch.of(images), reach.window
    if not np.array_equal(parts.size, window[:, 2:] - window[:, :2]):
        return None
    return Batch.within(parts, window[:, :2], reach.size, reach)
