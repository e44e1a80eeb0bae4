"""What every augmentation is: arguments, a draw, and a lowering to kernels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from . import ops
from .arguments import arguments
from .calls import Calls
from .checks import probability
from .others import SAMPLES
from .settings import Settings

REGISTRY: dict[str, type[Transform]] = {}
CHANGES = [0]  # how often an attribute of any transform was set: what was made of one (`gpuaug.single`) may be another's then


@dataclass(slots=True)
class View:
    """What a draw may look at: the samples' sizes now (int ``[n, 2]``), channel count, element type; and, for the few that need
    them, masks and boxes (`gpuaug.now.Now`), the other samples that there are (`gpuaug.others.Others`, by name), and how many
    slices volumes have (int ``[n]``)."""

    size: np.ndarray
    channels: int
    dtype: str
    now: object | None = None
    rows: np.ndarray | None = None
    others: dict | None = None
    depth: np.ndarray | None = None

    def sample(self, i: int) -> int:
        """The place in the batch of the i-th sample of this draw, for errors."""
        return i if self.rows is None else int(self.rows[i])


class Params(dict):
    """Parameters that samples drew, and what a target made of them that another target of the same samples needs, too.

    Attributes:
        mapped: `gpuaug.maps.Map` and the sizes that it is for, where it is a table.
    """

    __slots__ = ("mapped",)


class Transform(Calls, Settings):
    """An augmentation with per-sample random parameters.

    A subclass checks its arguments in ``__init__``, says in `columns` how many uniforms one sample needs, turns them into
    parameters in `draw` (the only random step) and adds itself to a plan in `lower` (deterministic). It registers itself.

    Attributes:
        p: probability, per sample.
        ops: names of the pixel operations (`gpuaug.ops`) that `lower` may append: a GPU's kernel holds those of its pipeline.
        targets: what `lower` handles: ``("image",)`` for pixel operations, ``("image", "mask")`` for geometry and dropout.

    Example:
        >>> import gpuaug as G
        >>> issubclass(G.Blur, G.Transform), G.Blur().columns() >= 1
        (True, True)
    """

    ops: tuple[str, ...] = ()
    targets: tuple[str, ...] = ("image",)
    stencil = False  # does it read a pixel's neighbours (a filter), so that what it reads must have been written?
    elements: tuple[str, ...] = ()  # names of what it draws one of (`element_of`), where a label's mapping hangs on it
    reads: tuple[str, ...] = ()  # further entries of a call, one for each sample, that `draw` asks `view.now` for
    metadata_key: str | None = None  # the argument of a call that brings samples that it reads; None: it reads none but its own
    brings = SAMPLES  # what that argument holds: `gpuaug.others.SAMPLES`, or `IMAGES`
    asks = False  # does `draw` ask for masks, boxes or other samples (`View.now`, `View.others`)?
    mask_size: tuple[int, int] | None = None  # of a resize: height and width of masks, where they are not the images'
    solid = False  # does it work on volumes as a whole (`gpuaug.solids`)? All others work on their slices
    splits = False  # are its boxes cut apart (`gpuaug.split`)?
    moves_pixels: bool | None = None  # None: yes if it handles masks; holes, which do too, leave pixels where they are

    @property
    def who(self) -> str:
        """What errors and `Compose.explain` call it."""
        return type(self).__name__

    def __init_subclass__(cls, register: bool = True, **kwargs):
        super().__init_subclass__(**kwargs)
        if register and {"apply", "get_params"} & set(vars(cls)):
            raise TypeError(
                f"{cls.__name__} has apply or get_params, which a gpuaug transform is never asked for: derive it from "
                f"gpuaug.ImageOnlyTransform or gpuaug.DualTransform"
            )
        if "__init__" in vars(cls):
            cls.__init__ = arguments(cls.__init__)
        if "ops" in vars(cls):
            unknown = {cls.ops} if isinstance(cls.ops, str) else set(cls.ops) - set(ops.OPS)
            if unknown:
                raise ValueError(
                    f"{cls.__name__}: ops must be a tuple of operations of gpuaug/ops.py, as ops = ('invert',), got {cls.ops!r}"
                )
        if register and not cls.__name__.startswith("_"):
            REGISTRY[cls.__name__] = cls

    @arguments
    def __init__(self, p: float = 0.5):
        self.p = probability(p)

    def __setattr__(self, name: str, value) -> None:
        CHANGES[0] += 1
        object.__setattr__(self, name, value)
        if self._alone is not None:  # made of what it was
            object.__setattr__(self, "_alone", None)

    @property
    def emits(self) -> tuple[str, ...]:
        """Those of `ops` that `lower` appends as its arguments are now: a kernel for a GPU holds no more.

        A class that narrows them leaves a subclass its own.
        """
        return self.ops

    @property
    def targets_as_params(self) -> list[str]:
        """Further entries of a call that it reads, by name."""
        return [*self.reads, *([] if self.metadata_key is None else [self.metadata_key])]

    @property
    def available_keys(self) -> set[str]:
        """The names of what it changes or reads in a call; ``additional_targets`` of a pipeline are treated as one of them."""
        keys = {"image", "images", "volume", "volumes"} if "image" in self.targets else set()
        if "mask" in self.targets:
            keys |= {"mask", "masks", "mask3d", "masks3d"}
            keys |= {name for name, hook in (("bboxes", "boxes"), ("keypoints", "keypoints")) if self.moves(hook)}
        return keys | set(self.targets_as_params)

    def columns(self) -> int:
        """How many uniforms `draw` takes for one sample."""
        return 0

    def draw(self, u: np.ndarray, view: View) -> dict[str, np.ndarray]:
        """Parameters of ``n`` samples from uniforms ``[n, columns]``; each array's first axis is ``n``."""
        return {}

    def size_after(self, params: dict, size: np.ndarray) -> np.ndarray:
        """Sizes ``[n, 2]`` after the transform."""
        return size

    def channels_after(self, channels: int) -> int:
        """How many channels images have after the transform."""
        return channels

    def channels_then(self, params: dict, channels: int) -> int:
        """The same, where the draw decides."""
        return self.channels_after(channels)

    def lower(self, to, rows, params: dict) -> None:
        """Add the transform of samples ``rows`` (indices, or a slice for all) to a `gpuaug.track.Track`."""
        raise NotImplementedError(f"{type(self).__name__} has no lower(to, rows, params), which says what it does to images")

    def lower_scaled(self, to, rows, params: dict, size: np.ndarray) -> None:
        """The same for masks that have not the ``size`` ``[n, 2]`` of their images, for which it was drawn: what it does to an
        image, at the same fractions of height and width."""
        raise ValueError(
            f"{type(self).__name__} cannot be applied to a {to.kind} of another size than the image's: the {to.kind} is "
            f"{tuple(to.sizes(rows)[0].tolist())} (height, width), the image {tuple(size[0].tolist())}; resize one before, or "
            f"leave {type(self).__name__} out"
        )

    def lower_solid(self, solid, place: np.ndarray, params: dict) -> None:
        """Of a ``solid`` transform: change the volumes of a `gpuaug.solids.Solid`; place ``[B]``: each sample's row of the
        parameters, or -1."""
        raise NotImplementedError(f"{type(self).__name__} has no lower_solid(solid, place, params)")

    def solid_points(self, params: dict, which: np.ndarray, points: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
        """Of a ``solid`` transform: where points ``[N, 3]`` (x, y, z) go, and which are left (None: all)."""
        raise NotImplementedError(f"{type(self).__name__} has no solid_points(params, which, points)")

    def joins(self, kind: str) -> tuple | None:
        """With which neighbours it is lowered together by ``Compose(lazy=True)``; see `gpuaug.lazily`. None: with none."""
        return None

    def boxes(
        self, params: dict, which: np.ndarray, boxes: np.ndarray, size: np.ndarray, limits
    ) -> tuple[np.ndarray, np.ndarray | None]:
        """Move boxes.

        Args:
            params: as `draw` returns them. which: int ``[N]``, each box's row of them.
            boxes: ``[N, 4]`` (x0, y0, x1, y1) in pixels. size: ``[N, 2]``, of each box's image before the transform.
            limits: the caller's `gpuaug.BboxParams`.

        Returns:
            The boxes ``[N, 4]`` after it, and what share of each is left where pixels of it were lost (None: all). What leaves
            the image is not counted here.
        """
        if type(self).moves("boxes"):
            return boxes, None
        raise NotImplementedError

    def cuts(self, params: dict, which: np.ndarray) -> np.ndarray | None:
        """Rectangles ``[N, K, 4]`` of pixels that each box's image loses (of no area: none), or None."""
        return None

    def keypoints(
        self, params: dict, which: np.ndarray, points: np.ndarray, size: np.ndarray, limits
    ) -> tuple[np.ndarray, np.ndarray | None]:
        """Move keypoints ``[N, 4]`` (x, y, angle in radians, scale); the rest is as in `boxes`, `limits` is the caller's
        `gpuaug.KeypointParams`, and what is left of a point is true or false."""
        if type(self).moves("keypoints"):
            return points, None
        raise NotImplementedError

    def repeats(self) -> bool:
        """Whether boxes and keypoints are repeated where its border reflects the image; then `shown` says how much it reads."""
        return False

    def element_of(self, params: dict) -> np.ndarray:
        """Which of ``elements`` each sample drew, int ``[n]``."""
        raise NotImplementedError

    @classmethod
    def moves(cls, hook: str) -> bool:
        """Whether boxes (hook "boxes") or keypoints ("keypoints") come through rightly: it says how, or works on pixels alone."""
        return getattr(cls, hook) is not getattr(Transform, hook) or "mask" not in cls.targets

    def is_geometric(self) -> bool:
        """Whether pixels change their place, so that whatever lies beside the image must move too."""
        return "mask" in self.targets if self.moves_pixels is None else self.moves_pixels
