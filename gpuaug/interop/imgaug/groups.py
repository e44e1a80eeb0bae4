"""imgaug's groups."""

from __future__ import annotations

from ... import groups
from ...checks import boolean, integer, is_number
from ...transform import Transform
from .augmenter import Augmenter
from .values import chance


def _children(name: str, value) -> list:
    """A list of augmenters of one, of a list, or of none."""
    if value is None:
        return []
    if isinstance(value, (Transform, groups.Group)):
        return [value]
    if not isinstance(value, (list, tuple)):
        raise TypeError(f"{name} must be an augmenter or a list of them, got {value!r}")
    return list(value)


class _Chosen(Augmenter, groups.SomeOf):
    """So many of the children, in the order of the list or in one that is drawn."""

    def _fill(self, children: list, n: tuple[int, int], random_order: bool) -> None:
        groups.Group.__init__(self, children, 1.0)
        self.n, self.replace = n, False
        if not children:
            return
        every = n == (len(children), len(children))
        self.node = "random_order" if random_order else "all" if every else "some_of"

    def columns(self) -> int:
        return 0 if self.node == "all" else 1 + len(self.transforms)

    def picks(self) -> int:
        return self.n[1] if self.transforms else 0

    def visits(self) -> int:
        return (self.n[1] if self.node == "random_order" else 1) * len(self.transforms)

    def add(self, augmenter) -> None:
        """Append an augmenter."""
        self._again([*self.transforms, augmenter])

    append = add

    def __repr__(self) -> str:
        inner = ",\n".join("  " + repr(t).replace("\n", "\n  ") for t in self.transforms)
        inner = f"[\n{inner},\n]" if inner else "[]"
        return f"{type(self).__name__}({self._word}{inner}, {self._rest()}seed={self.seed}, name={self.name!r})"


class Sequential(_Chosen):
    """Apply all augmenters, one after the other.

    Args:
        children: an augmenter, a list of them, or None. Transforms and groups of gpuaug may be among them.
        random_order: whether they come in an order that is drawn, for each image.
        seed, name, random_state, deterministic: see `Augmenter`.

    Source: imgaug ``Sequential``, which draws one order for a batch.

    Example:
        >>> import numpy as np
        >>> import gpuaug.interop.imgaug as iaa
        >>> seq = iaa.Sequential([iaa.Fliplr(1.0), iaa.Add(10)])
        >>> [image.tolist() for image in seq(images=[np.array([[1, 2]], np.uint8), np.array([[3]], np.uint8)])]
        [[[12, 11]], [[13]]]
    """

    _word = ""

    def __init__(self, children=None, random_order: bool = False, seed=None, name=None, random_state=None, deterministic=False):
        self.random_order = boolean("random_order", random_order)
        self._again(_children("children", children))
        self._begin(seed, name, random_state, deterministic)

    def _again(self, children: list) -> None:
        self._fill(children, (len(children), len(children)), self.random_order)
        object.__setattr__(self, "_alone", None)

    def _rest(self) -> str:
        return f"random_order={self.random_order}, "


class SomeOf(_Chosen):
    """Apply some augmenters, chosen for each image, each at most once.

    Args:
        n: how many: a number, (low, high) inclusive, (low, None) up to all, None all. More than there are is all.
        children, random_order, seed, name, random_state, deterministic: see `Sequential`.

    Source: imgaug ``SomeOf``.

    Example:
        >>> import numpy as np
        >>> import gpuaug.interop.imgaug as iaa
        >>> aug = iaa.SomeOf((1, None), [iaa.Add(1), iaa.Add(10)], seed=1)
        >>> sorted({int(image[0, 0]) for image in aug(images=np.zeros((40, 1, 1), np.uint8))})
        [1, 10, 11]
    """

    def __init__(
        self, n=None, children=None, random_order: bool = False, seed=None, name=None, random_state=None, deterministic=False
    ):
        pair = isinstance(n, (tuple, list)) and len(n) == 2 and is_number(n[0])
        if not (n is None or is_number(n) or (pair and (n[1] is None or is_number(n[1])))):
            raise TypeError(f"n must be a number, (low, high), (low, None) or None, got {n!r}")
        low, high = n if pair else (n, n)
        self.random_order = boolean("random_order", random_order)
        self._given = n
        self._low = None if low is None else integer("n", low, 0)
        self._high = None if high is None else integer("n", high, 0)
        if self._high is not None and self._low > self._high:
            raise ValueError(f"n must be (low, high) with low <= high, got {n!r}")
        self._again(_children("children", children))
        self._begin(seed, name, random_state, deterministic)

    def _again(self, children: list) -> None:
        most = len(children)
        self._fill(
            children, tuple(most if each is None else min(each, most) for each in (self._low, self._high)), self.random_order
        )
        object.__setattr__(self, "_alone", None)

    @property
    def _word(self) -> str:
        return f"{self._given!r}, "

    def _rest(self) -> str:
        return f"random_order={self.random_order}, "


class OneOf(_Chosen):
    """Apply one augmenter, each as likely as the others, chosen for each image.

    Args:
        children, seed, name, random_state, deterministic: see `Sequential`.

    Source: imgaug ``OneOf``.

    Example:
        >>> import numpy as np
        >>> import gpuaug.interop.imgaug as iaa
        >>> aug = iaa.OneOf([iaa.Add(1), iaa.Add(10)], seed=1)
        >>> sorted({int(image[0, 0]) for image in aug(images=np.zeros((40, 1, 1), np.uint8))})
        [1, 10]
    """

    _word = ""

    def __init__(self, children, seed=None, name=None, random_state=None, deterministic=False):
        self._again(_children("children", children))
        self._begin(seed, name, random_state, deterministic)

    def _again(self, children: list) -> None:
        self._fill(children, (min(len(children), 1),) * 2, False)
        object.__setattr__(self, "_alone", None)

    def _rest(self) -> str:
        return ""


class Sometimes(Augmenter, groups.OneOrOther):
    """Apply one list of augmenters to some images, another one to the others.

    Args:
        p: probability of the first, for each image.
        then_list: an augmenter or a list of them. else_list: the others' ; None: nothing.
        seed, name, random_state, deterministic: see `Augmenter`.

    Source: imgaug ``Sometimes``.

    Example:
        >>> import numpy as np
        >>> import gpuaug.interop.imgaug as iaa
        >>> aug = iaa.Sometimes(0.5, iaa.Add(1), iaa.Add([5, 10]), seed=1)
        >>> sorted({int(image[0, 0]) for image in aug(images=np.zeros((60, 1, 1), np.uint8))})
        [1, 5, 10]
    """

    def __init__(self, p=0.5, then_list=None, else_list=None, seed=None, name=None, random_state=None, deterministic=False):
        parts = [_children(what, value) for what, value in (("then_list", then_list), ("else_list", else_list))]
        groups.Group.__init__(self, [groups.Sequential(part, p=1.0) for part in parts], chance("p", p))
        self._begin(seed, name, random_state, deterministic)

    def __repr__(self) -> str:
        then, other = (repr(part.transforms) for part in self.transforms)
        return f"Sometimes({self.p}, {then}, {other}, seed={self.seed}, name={self.name!r})"
