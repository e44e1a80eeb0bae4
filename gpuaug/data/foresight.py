"""Windows before decoding: what a batch's draw will read of its images, known from their headers' sizes."""

import warnings

import numpy as np

from ..batch import Batch
from ..compose import Compose
from . import turbo

# pixels of a batch below which it is not planned: that takes 0.3 ms of Python, what it saves is a sixth of 3.4 ns a pixel
WORTH = 1_000_000
TRIES = 3  # batches in which nobody knew, and none before: then nobody is asked again


class Planner:
    """Plans the batches of an epoch before they are decoded; `planner` makes it."""

    def __init__(self, loader, epoch):
        self._loader, self._transform, self._epoch, self._seed = loader, loader.transform, epoch, loader._draw_seed()
        self._left = TRIES
        self.shrinks = loader.decode == "fast"
        self.quick = self.shrinks or turbo.is_there()

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
            if not self._left:
                self.give_up("what the transform reads is not known before it has seen pixels, masks or other samples")
        return reach

    def give_up(self, why):
        """Nothing will be asked; say so where decode="fast" hangs on it."""
        say_exact(self._loader, why)


def planner(loader, epoch):
    """What plans a loader's batches ahead; None where nothing can be known, or nothing is gained."""
    transform = loader.transform
    if loader.device.type != "cpu":
        say_exact(loader, f"batches go to {loader.device}, and this is for the CPU alone")
        return None  # on a GPU a window's pixels were not yet compared with those of the whole
    ours = isinstance(transform, Compose)
    if not ours or any(
        getattr(type(transform), name) is not getattr(Compose, name) for name in ("draw", "reach", "run", "_augmented")
    ):
        say_exact(loader, f"the transform is {'one of your own' if transform is not None else 'None'}, and no gpuaug.Compose")
        return None
    return Planner(loader, epoch)


def say_exact(loader, why):
    """Warn, once a loader, that decode="fast" changes nothing."""
    if loader.decode == "fast" and not loader._said_exact:
        loader._said_exact = True
        warnings.warn(f"decode='fast' decodes as 'exact' does here: {why}", RuntimeWarning, stacklevel=2)


def window_of(reach):
    """(start, end) of each image as fractions of its height and width, float32, as DALI takes them: it rounds to pixels."""
    size = reach.size.astype(np.float64)
    return (reach.window[:, :2] / size).astype(np.float32), (reach.window[:, 2:] / size).astype(np.float32)


def within(images, reach):
    """What was decoded of a batch as images of which only that is there; None if it is not what was asked for."""
    parts, part = Batch.of(images), reach.part
    if not np.array_equal(parts.size, part[:, 2:] - part[:, :2]):
        return None
    return Batch.within(parts, part[:, :2], reach.size, reach)
