"""Functions of torch batches in the middle of a pipeline, on the device."""

from __future__ import annotations

import inspect
from collections.abc import Callable

import numpy as np
import torch

from .checks import integer
from .uniforms import spread
from .whole import Whole

_IMAGES, _MASKS = ("image", "images", "volume", "volumes"), ("mask", "masks", "mask3d", "masks3d")


class Torch(Whole, register=False):
    """Apply a function of a torch batch, or a module, to the images that drew it, on their device.

    ``fn(images)`` gets those samples of the batch that drew it, of one size, as a tensor ``[n, C, H, W]`` in the caller's element
    type (n is whatever it is: what a sample becomes must not depend on the others), and returns a tensor ``[n, ..]``.

    What is random comes by one of two arguments, if the function has them, seeded by the sample:

    - ``u``: a float32 tensor ``[n, draws]`` of uniform numbers in [0, 1), a line for each image: for functions of a whole batch.
    - ``generator``: a `torch.Generator` on the device, for functions that draw as they go: they get one sample a call, n = 1.

    A function that draws from torch's global generator is an error, as what it made would depend on the batch.

    Args:
        fn: the function. mask: the same for masks ``[n, C, H, W]`` (of labels, one channel); it gets the same ``u``, or a
            generator that begins anew. With it, boxes and keypoints are refused, as nobody knows where they go.
        draws: how many numbers ``u`` has for each sample.
        name: what ``explain()`` calls it.
        p: probability, per sample.

    Another size may come back where all targets of a sample agree, another number of channels or another type where every
    sample of the batch takes it. Gradients are not carried. Targets: image, images, volumes, and masks if there is a function
    for them. Source: ours.

    Raises:
        TypeError: what is no function, or returned no tensor.
        ValueError: a result of another batch size, on another device, or in a type that cannot be carried on; names the samples.

    Example:
        >>> import torch, gpuaug as G
        >>> def darker(images, u):
        ...     return (images * (1 - 0.5 * u[:, :1, None, None])).to(images.dtype)
        >>> aug = G.Compose([G.HorizontalFlip(), G.Torch(darker, draws=1)], seed=1)
        >>> aug(torch.full((4, 3, 8, 8), 100, dtype=torch.uint8)).amax((1, 2, 3)).tolist()
        [87, 67, 68, 85]
    """

    targets = ("image", "mask")
    moves_pixels = False
    by_name = True

    def __init__(self, fn: Callable, mask: Callable | None = None, draws: int = 0, name: str | None = None, p: float = 1.0):
        super().__init__(p)
        for what, function in (("fn", fn), ("mask", mask)):
            if not callable(function) and not (what == "mask" and function is None):
                raise TypeError(f"{what} must be a function of a tensor [n, C, H, W], or a module, got {function!r}")
        self.fn, self.mask, self.draws, self.name = fn, mask, integer("draws", draws, 0), name
        self._takes = {function: _takes(function) for function in (fn, mask) if function is not None}
        asked = set().union(*self._takes.values())
        if bool(draws) != ("u" in asked):
            raise ValueError(
                f"draws={draws}, but {'the function has no argument u' if draws else 'the function has an argument u'}: "
                f"u [n, draws] holds so many random numbers of each sample"
            )

    @property
    def why(self) -> str:
        return self.name or getattr(self.fn, "__name__", type(self.fn).__name__)

    def handles(self, kind: str) -> bool:
        return kind in _IMAGES or (self.mask is not None and kind in _MASKS)

    def is_geometric(self) -> bool:
        return self.mask is not None

    def moves(self, hook: str) -> bool:
        return self.mask is None

    def draw(self, u, view):
        return self.carried(u, view, together=True)

    def on_batch(self, images, kinds, seeds, whose):
        out = {}
        for name, batch in images.items():
            out[name] = self._applied(self.fn if kinds[name] in _IMAGES else self.mask, batch, seeds, whose[name])
        return out, None

    def _applied(self, function: Callable, batch: torch.Tensor, seeds: list[int], whose: np.ndarray) -> torch.Tensor:
        takes, more = self._takes[function], {}
        if "u" in takes:
            keys = np.array([[seed & 0xFFFFFFFF, seed >> 32] for seed in seeds], np.uint32)
            more["u"] = torch.from_numpy(spread(keys, self.draws)[whose].astype(np.float32)).to(batch.device)
        held = _states(batch.device)
        with torch.no_grad():
            if "generator" not in takes:
                out = function(batch, **more)
            else:
                out = []
                for k, i in enumerate(whose.tolist()):
                    generator = torch.Generator(batch.device).manual_seed(seeds[i])
                    one = {name: value[k : k + 1] for name, value in more.items()}
                    out.append(function(batch[k : k + 1], generator=generator, **one))
                    if not isinstance(out[-1], torch.Tensor) or len(out[-1]) != 1:
                        got = tuple(out[-1].shape) if isinstance(out[-1], torch.Tensor) else type(out[-1]).__name__
                        raise TypeError(f"it must return a tensor [1, C, H, W], got {got}")
                if len({(image.shape, image.dtype) for image in out}) > 1:
                    raise ValueError("samples of one size must come back with one size and type; make them so in the function")
                out = torch.cat(out)
        if any(not torch.equal(a, b) for a, b in zip(held, _states(batch.device))):
            raise ValueError(
                "the function draws from torch's global generator, so that what a sample gets would depend on its batch: take an "
                "argument generator (torch.rand(.., generator=generator)), or u"
            )
        return out


def _takes(function: Callable) -> frozenset[str]:
    """Which of ``u`` and ``generator`` a function has as arguments."""
    try:
        names = inspect.signature(function.forward if isinstance(function, torch.nn.Module) else function).parameters
    except (TypeError, ValueError):
        return frozenset()
    return frozenset({"u", "generator"} & set(names))


def _states(device: torch.device) -> list[torch.Tensor]:
    """The states of the global generators that functions on a device would use."""
    states = [torch.default_generator.get_state()]
    return [*states, torch.cuda.get_rng_state(device)] if device.type == "cuda" else states
