"""What trees of transforms are made of: Sequential, OneOf, SomeOf, RandomOrder, OneOrOther, NoOp."""

from __future__ import annotations

import copy
import inspect
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np

from .adopted import adopted
from .arguments import arguments
from .calls import Calls
from .checks import INTERPOLATIONS, boolean, integer, interpolation, is_number, probability
from .settings import Settings, more, settings
from .transform import Transform

# kernels/host/draws.hpp: a node of a tree of transforms as the library walks it
NODE = np.dtype(
    [
        ("kind", "i4"),
        ("first", "i4"),
        ("children", "i4"),
        ("count", "i4"),
        ("edges", "i4"),
        ("low", "i4"),
        ("high", "i4"),
        ("replace", "i4"),
        ("p", "f8"),
    ]
)
NODES = {name: i for i, name in enumerate(["leaf", "all", "one_of", "some_of", "random_order", "one_or_other"])}


class NoOp(Transform):
    """Leave the sample as it is: a branch of `OneOf` that does nothing.

    Args:
        p: probability, per sample; without effect.

    Targets: all. Source: albumentations ``NoOp``.

    Example:
        >>> import numpy as np, gpuaug as G
        >>> G.Compose([G.OneOf([G.InvertImg(), G.NoOp()], p=1)], seed=1)(np.zeros((6, 1, 1, 1), np.uint8)).ravel().tolist()
        [255, 0, 0, 0, 0, 0]
    """

    targets = ("image", "mask")
    moves_pixels = False

    def boxes(self, params, which, boxes, size, limits):
        return boxes, None

    def keypoints(self, params, which, points, size, limits):
        return points, None

    def lower(self, to, rows, params) -> None:
        return None

    def lower_scaled(self, to, rows, params, size) -> None:
        return None


class Group(Calls, Settings):
    """A node of the tree with children; what `OneOf`, `SomeOf` and the others share.

    Attributes:
        node: how the library chooses among the children (`NODES`).

    Example:
        >>> import gpuaug as G
        >>> isinstance(G.OneOf([G.Blur()]), G.BaseCompose)
        True
    """

    node = "all"
    _word = ""  # before the list, in repr

    def __init_subclass__(cls, **kwargs):
        super().__init_subclass__(**kwargs)
        if "__call__" in vars(cls) and not hasattr(cls, "forward"):
            raise TypeError(
                f"{cls.__name__} has a __call__ of its own, which a pipeline does not call: derive it from gpuaug.Compose and "
                f"call it yourself, or write what it does as an ImageOnlyTransform or a DualTransform"
            )
        if "__init__" in vars(cls):
            cls.__init__ = arguments(cls.__init__)

    def __init__(self, transforms: Sequence, p: float):
        if isinstance(transforms, (Transform, Group)):
            warnings.warn(
                f"{type(self).__name__}: transforms is a single transform; a list of it is taken", UserWarning, stacklevel=4
            )
            transforms = [transforms]
        if not isinstance(transforms, (list, tuple)):
            raise TypeError(f"{type(self).__name__}: transforms must be a list, got {transforms!r}")
        transforms = [t if isinstance(t, (Transform, Group)) else adopted(t) for t in transforms]
        for i, t in enumerate(transforms):
            if not isinstance(t, (Transform, Group)):
                raise TypeError(f"{type(self).__name__}: transforms[{i}] must be a gpuaug transform, got {t!r}")
        self.transforms = list(transforms)
        self.p = probability(p)
        if not self.transforms:
            self.node = "all"  # nothing to choose from: nothing is done

    def columns(self) -> int:
        return 0

    def __len__(self) -> int:
        return len(self.transforms)

    def __getitem__(self, i):
        return self.transforms[i]

    def __iter__(self):
        return iter(self.transforms)

    def __add__(self, other):
        """The same with a transform, a group, or a list of them behind its own."""
        return self._of([*self.transforms, *_listed(other)]) if _can_be_added(other) else NotImplemented

    def __radd__(self, other):
        """The same with them in front."""
        return self._of([*_listed(other), *self.transforms]) if _can_be_added(other) else NotImplemented

    def __sub__(self, kind: type):
        """The same without its first transform of this class."""
        if not isinstance(kind, type):
            return NotImplemented
        place = next((i for i, each in enumerate(self.transforms) if type(each) is kind), None)
        if place is None:
            has = ", ".join(type(each).__name__ for each in self.transforms) or "nothing"
            raise ValueError(f"{type(self).__name__} has no {kind.__name__} to take away, it has {has}")
        return self._of([*self.transforms[:place], *self.transforms[place + 1 :]])

    def _of(self, transforms: list):
        return type(self)(**settings(self) | {"transforms": transforms})

    @property
    def available_keys(self) -> set[str]:
        """The names of what its transforms change or read in a call."""
        return set().union(*(each.available_keys for each in self.transforms))

    @property
    def targets_as_params(self) -> list[str]:
        """Further entries of a call that its transforms read, by name."""
        return list(dict.fromkeys(name for each in self.transforms for name in each.targets_as_params))

    def __repr__(self) -> str:
        inner = ",\n".join("  " + repr(t).replace("\n", "\n  ") for t in self.transforms)
        inner = f"[\n{inner},\n]" if inner else "[]"
        others = more(self, "transforms")
        return f"{type(self).__name__}({self._word}{inner}{', ' if others else ''}{others})"

    def turns(self) -> int:
        """How often a child may be applied to one sample."""
        return 1

    def visits(self) -> int:
        """How many visits to children one walk may make."""
        return self.turns() * len(self.transforms)

    def picks(self) -> int:
        """How many children one sample may take."""
        return len(self.transforms)

    def _weights(self) -> np.ndarray:
        p = np.array([t.p for t in self.transforms], np.float64)
        if p.sum() <= 0:
            raise ValueError(f"{type(self).__name__} needs at least one transform with p above 0: p is the weight of the choice")
        return p / p.sum()


def _can_be_added(other) -> bool:
    items = other if isinstance(other, (list, tuple)) else [other]
    return all(isinstance(each, (Transform, Group)) for each in items)


def _listed(other) -> list:
    return list(other) if isinstance(other, (list, tuple)) else [other]


def masks_by(mask_interpolation: int, node):
    """The same transform or group, whose masks, and those of all within, are interpolated so; what changes is a copy."""
    node = copy.copy(node)
    if isinstance(node, Group):
        node.transforms = [masks_by(mask_interpolation, child) for child in node.transforms]
    elif hasattr(node, "masks_by"):
        node.masks_by(mask_interpolation)
    elif "mask_interpolation" in inspect.signature(type(node).__init__).parameters:  # flips have none, and take any number
        what = f"mask_interpolation (of {type(node).__name__}, by Compose)"
        node.mask_interpolation = interpolation(what, mask_interpolation, getattr(node, "interpolations", INTERPOLATIONS))
    return node


class Sequential(Group):
    """Apply all children in order, or, with probability 1 - p, none.

    Args:
        transforms: list of transforms.
        p: probability, per sample.

    Example:
        >>> import numpy as np, gpuaug as G
        >>> both = G.Sequential([G.HorizontalFlip(p=1), G.InvertImg(p=1)], p=1)
        >>> aug = G.Compose([G.OneOf([both, G.Transpose(p=1)], p=1)], seed=0)
        >>> aug(np.array([[0, 255]], np.uint8)).shape in ((1, 2), (2, 1))
        True
    """

    def __init__(self, transforms: Sequence, p: float = 0.5):
        super().__init__(transforms, p)


class OneOf(Group):
    """Apply one child, chosen per sample; the children's ``p``, normalized, are the weights of the choice.

    Args:
        transforms: list of transforms.
        p: probability, per sample, that a child is applied at all.

    Example:
        >>> import gpuaug as G
        >>> G.OneOf([G.HorizontalFlip(p=1), G.VerticalFlip(p=2 / 3)], p=0.9)._weights().round(2).tolist()
        [0.6, 0.4]
    """

    node = "one_of"

    def __init__(self, transforms: Sequence, p: float = 0.5):
        super().__init__(transforms, p)
        self._edges = np.cumsum(self._weights())[:-1] if self.transforms else ()

    def columns(self) -> int:
        return 1

    def picks(self) -> int:
        return 1


class SomeOf(Group):
    """Apply ``n`` children, chosen per sample, in the order of the list; a chosen child still has its own ``p``.

    Args:
        transforms: list of transforms.
        n: how many, or (low, high) inclusive; without replace at most as many as there are transforms (more: a warning).
        replace: whether a child may be chosen more than once.
        p: probability, per sample.

    Example:
        >>> import numpy as np, gpuaug as G
        >>> two = G.SomeOf([G.HorizontalFlip(p=1), G.VerticalFlip(p=1), G.InvertImg(p=1)], n=3)
        >>> G.Compose([two])(np.array([[1, 2], [3, 4]], np.uint8)).tolist()
        [[251, 252], [253, 254]]
    """

    node = "some_of"

    def __init__(self, transforms: Sequence, n: int | tuple[int, int] = 1, replace: bool = False, p: float = 1.0):
        super().__init__(transforms, p)
        if not (is_number(n) or (isinstance(n, (tuple, list)) and len(n) == 2)):
            raise TypeError(f"n must be a whole number or a pair (low, high), got {n!r}")
        low, high = (n, n) if is_number(n) else n
        self.n = integer("n", low, 0), integer("n", high, 0)
        self.replace = boolean("replace", replace)
        if self.n[0] > self.n[1]:
            raise ValueError(f"n must be (low, high) with low <= high, got {n!r}")
        most = len(self.transforms)
        if self.n[1] > most and not (self.replace and most):
            warnings.warn(f"n={n!r} is more than there are transforms; {most} is taken", UserWarning, stacklevel=3)
            self.n = min(self.n[0], most), most

    def columns(self) -> int:
        return 1 + (self.n[1] if self.replace else len(self.transforms))

    def turns(self) -> int:
        return max(self.n[1], 1) if self.replace else 1

    def picks(self) -> int:
        return self.n[1]


class RandomOrder(SomeOf):
    """As `SomeOf`, but the chosen children are applied in an order drawn per sample.

    Example:
        >>> import numpy as np, gpuaug as G
        >>> aug = G.Compose([G.RandomOrder([G.HorizontalFlip(p=1), G.VerticalFlip(p=1)], n=2)], seed=0)
        >>> aug(np.array([[1, 2], [3, 4]], np.uint8)).tolist()
        [[4, 3], [2, 1]]
    """

    node = "random_order"

    def __init__(self, transforms: Sequence, n: int | tuple[int, int] = 1, replace: bool = False, p: float = 1.0):
        super().__init__(transforms, n, replace, p)

    def visits(self) -> int:
        return self.n[1] * len(self.transforms)


class OneOrOther(Group):
    """Apply ``first`` with probability ``p``, else ``second``; per sample.

    Args:
        first, second: transforms; or pass them as a list of two.
        p: probability of the first.

    Example:
        >>> import numpy as np, gpuaug as G
        >>> aug = G.Compose([G.OneOrOther(G.HorizontalFlip(p=1), G.InvertImg(p=1), p=1)], seed=0)
        >>> aug(np.array([[1, 2]], np.uint8)).tolist()
        [[2, 1]]
    """

    node = "one_or_other"
    _word = "transforms="

    def __init__(self, first: Any = None, second: Any = None, transforms: Sequence | None = None, p: float = 0.5):
        super().__init__([first, second] if transforms is None else transforms, p)
        if len(self.transforms) != 2:
            raise ValueError(f"OneOrOther takes two transforms, got {len(self.transforms)}")

    def columns(self) -> int:
        return 1

    def picks(self) -> int:
        return 1
