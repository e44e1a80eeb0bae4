"""What trees of transforms are made of: Sequential, OneOf, SomeOf, RandomOrder, OneOrOther, NoOp."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from . import draw as philox
from .transform import Transform, boolean, integer, probability


class NoOp(Transform):
    """Leave the sample as it is: a branch of `OneOf` that does nothing.

    Args:
        p: probability, per sample; without effect.

    Targets: all. Source: albumentations ``NoOp``.
    """

    targets = ("image", "mask")

    def boxes(self, params, which, boxes, size, limits):
        return boxes, None

    def points(self, params, which, points, size, limits):
        return points, None

    def lower(self, to, rows, params) -> None:
        return None


class Group:
    """A node of the tree with children; what `OneOf`, `SomeOf` and the others share."""

    def __init__(self, transforms: Sequence, p: float):
        if isinstance(transforms, (Transform, Group)) or not isinstance(transforms, (list, tuple)):
            raise TypeError(f"{type(self).__name__}: transforms must be a list, got {transforms!r}")
        for i, t in enumerate(transforms):
            if not isinstance(t, (Transform, Group)):
                raise TypeError(f"{type(self).__name__}: transforms[{i}] must be a gpuaug transform, got {t!r}")
        self.transforms = list(transforms)
        self.p = probability(p)

    def columns(self) -> int:
        return 0

    def __len__(self) -> int:
        return len(self.transforms)

    def __getitem__(self, i):
        return self.transforms[i]

    def __iter__(self):
        return iter(self.transforms)

    def __repr__(self) -> str:
        inner = ",\n".join("  " + repr(t).replace("\n", "\n  ") for t in self.transforms)
        return f"{type(self).__name__}([\n{inner},\n], p={self.p})"

    def turns(self) -> int:
        """How often a child may be applied to one sample."""
        return 1

    def walk(self, drawer, place, rows, u: np.ndarray) -> None:
        """Visit children (``place.children[turn][i]``) with the samples that take them; see `gpuaug.compose`."""
        raise NotImplementedError

    def _weights(self) -> np.ndarray:
        p = np.array([t.p for t in self.transforms], np.float64)
        if not self.transforms or p.sum() <= 0:
            raise ValueError(f"{type(self).__name__} needs at least one transform with p above 0: p is the weight of the choice")
        return p / p.sum()


class Sequential(Group):
    """Apply all children in order, or, with probability 1 - p, none.

    Args:
        transforms: list of transforms.
        p: probability, per sample.
    """

    def __init__(self, transforms: Sequence, p: float = 0.5):
        super().__init__(transforms, p)

    def walk(self, drawer, place, rows, u) -> None:
        for child in place.children[0]:
            drawer.visit(child, rows)


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

    def __init__(self, transforms: Sequence, p: float = 0.5):
        super().__init__(transforms, p)
        self._edges = np.cumsum(self._weights())[:-1]

    def columns(self) -> int:
        return 1

    def walk(self, drawer, place, rows, u) -> None:
        choice = np.searchsorted(self._edges, u[:, 0], side="right")
        index = drawer.index(rows)
        for i, child in enumerate(place.children[0]):
            drawer.visit(child, index[choice == i], force=True)


class SomeOf(Group):
    """Apply ``n`` children, chosen per sample, in the order of the list; a chosen child still has its own ``p``.

    Args:
        transforms: list of transforms.
        n: how many, or (low, high) inclusive.
        replace: whether a child may be chosen more than once.
        p: probability, per sample.
    """

    def __init__(self, transforms: Sequence, n: int | tuple[int, int] = 1, replace: bool = False, p: float = 1.0):
        super().__init__(transforms, p)
        if not (isinstance(n, int) or (isinstance(n, (tuple, list)) and len(n) == 2)):
            raise TypeError(f"n must be a whole number or a pair (low, high), got {n!r}")
        low, high = (n, n) if isinstance(n, int) else n
        if not self.transforms:
            raise ValueError(f"{type(self).__name__} needs at least one transform")
        self.n = integer("n", low, 0), integer("n", high, 0)
        self.replace = boolean("replace", replace)
        if self.n[0] > self.n[1] or (not self.replace and self.n[1] > len(transforms)):
            raise ValueError(f"n must be (low, high) with low <= high <= {len(transforms)}, the number of transforms, got {n!r}")

    def columns(self) -> int:
        return 1 + (self.n[1] if self.replace else len(self.transforms))

    def turns(self) -> int:
        return max(self.n[1], 1) if self.replace else 1

    def walk(self, drawer, place, rows, u) -> None:
        index, k = drawer.index(rows), len(self.transforms)
        n = philox.integers(u[:, 0], *self.n)
        if self.replace:
            taken = philox.integers(u[:, 1:], 0, k - 1)
            taken = np.where(np.arange(self.n[1]) < n[:, None], taken, -1)
            times = (taken[:, :, None] == np.arange(k)).sum(1)
        else:  # the n smallest of k uniforms
            rank = np.argsort(np.argsort(u[:, 1:], 1, kind="stable"), 1, kind="stable")
            times = (rank < n[:, None]).astype(int)
        for i in range(k):
            for turn in range(int(times[:, i].max(initial=0))):
                drawer.visit(place.children[turn][i], index[times[:, i] > turn])


class RandomOrder(SomeOf):
    """As `SomeOf`, but the chosen children are applied in an order drawn per sample."""

    def __init__(self, transforms: Sequence, n: int | tuple[int, int] = 1, replace: bool = False, p: float = 1.0):
        super().__init__(transforms, n, replace, p)

    def walk(self, drawer, place, rows, u) -> None:
        index, k = drawer.index(rows), len(self.transforms)
        n = philox.integers(u[:, 0], *self.n)
        order = philox.integers(u[:, 1:], 0, k - 1) if self.replace else np.argsort(u[:, 1:], 1, kind="stable")
        for position in range(self.n[1]):
            children = place.children[position if self.replace else 0]
            for i, child in enumerate(children):
                drawer.visit(child, index[(order[:, position] == i) & (position < n)])


class OneOrOther(Group):
    """Apply ``first`` with probability ``p``, else ``second``; per sample.

    Args:
        first, second: transforms; or pass them as a list of two.
        p: probability of the first.
    """

    def __init__(self, first=None, second=None, transforms: Sequence | None = None, p: float = 0.5):
        super().__init__([first, second] if transforms is None else transforms, p)
        if len(self.transforms) != 2:
            raise ValueError(f"OneOrOther takes two transforms, got {len(self.transforms)}")
        self.first_p, self.p = self.p, 1.0

    def columns(self) -> int:
        return 1

    def walk(self, drawer, place, rows, u) -> None:
        index, first = drawer.index(rows), u[:, 0] < self.first_p
        drawer.visit(place.children[0][0], index[first], force=True)
        drawer.visit(place.children[0][1], index[~first], force=True)
