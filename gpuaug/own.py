"""Transforms as albumentations' users write them: classes with ``apply``, on NumPy images, one by one, amid batches."""

from __future__ import annotations

import functools
import inspect
import random
from collections.abc import Callable
from typing import Any

import numpy as np

from .checks import probability
from .hints import Images
from .seeding import seed_all
from .transform import REGISTRY, Transform
from .whole import Whole

SETS = ("images", "masks", "volume", "volumes", "mask3d", "masks3d")
KINDS = ("image", "mask", *SETS, "bboxes", "keypoints")
_NEAREST = 0  # OpenCV's number


class _Schema:
    """``InitSchema``, from which that of a user's class may derive: pydantic's model, where there is pydantic."""

    def __get__(self, instance, owner):
        try:
            from pydantic import BaseModel, ConfigDict
        except ImportError:
            return type("InitSchema", (), {})

        class InitSchema(BaseModel):
            model_config = ConfigDict(arbitrary_types_allowed=True)
            p: float = 0.5
            strict: bool = False

        return InitSchema


class BasicTransform(Whole, register=False):
    """What a user's own transforms have in common; derive yours from `ImageOnlyTransform` or `DualTransform`.

    For every sample that drew it, a transform is called as albumentations 1.x and 2.x call it: ``get_params()``,
    ``update_params(params, **data)``, ``get_params_dependent_on_data(params, data)`` (or ``get_params_dependent_on_targets`` with
    ``targets_as_params``), then ``apply(image, **params)`` and the ``apply_to_..`` of the other targets. Around it
    ``self.py_random``, ``self.random_generator``, and the generators of ``random``, ``np.random`` and torch (the CPU's) are
    seeded by the sample, and the global ones put back behind it: what a sample gets does not depend on its batch, its
    neighbours or workers.

    Args:
        p: probability, per sample. always_apply: albumentations 1.x', before p: True is p=1.

    See docs/own-transforms.md.

    Example:
        >>> import gpuaug as G
        >>> issubclass(G.ImageOnlyTransform, G.BasicTransform)
        True
    """

    InitSchema = _Schema()
    why = "a transform of the caller's, sample by sample"

    def __init_subclass__(cls, register: bool = True, **kwargs):
        super(Transform, cls).__init_subclass__(**kwargs)  # arguments reach the class as they were given
        schema = vars(cls).get("InitSchema")
        if "__init__" in vars(cls) and hasattr(schema, "model_validate"):
            cls.__init__ = _validated(cls.__init__, schema)
        if "__call__" in vars(cls):
            raise TypeError(
                f"{cls.__name__} has a __call__ of its own, which a pipeline does not call: draw in get_params, work in apply"
            )
        if register and not cls.__name__.startswith("_"):
            REGISTRY[cls.__name__] = cls

    def __init__(self, *args: Any, p: float = 0.5, always_apply: bool = False):
        if args:
            if len(args) > 2:
                raise TypeError(f"{type(self).__name__}: super().__init__ takes p, or always_apply and p, got {args!r}")
            if len(args) == 1 and not isinstance(args[0], bool):
                p = args[0]
            else:
                always_apply, p = args if len(args) == 2 else (args[0], p)
        self.always_apply, self.p = bool(always_apply), probability(1.0 if always_apply else p)
        self.params: dict[str, Any] = {}
        self._reseed(None)
        for key in self.targets:
            if key not in KINDS:
                raise ValueError(f"{type(self).__name__}.targets names {key!r}; it may name {', '.join(KINDS)}")

    # ---- what users write --------------------------------------------------------------------

    @property
    def targets(self) -> dict[str, Callable]:
        """Which function changes which target, by its name."""
        raise NotImplementedError(
            f"{type(self).__name__} has no property targets, as {{'image': self.apply}}; derive it from ImageOnlyTransform or "
            f"DualTransform, which have"
        )

    @property
    def targets_as_params(self) -> list[str]:
        """Targets that ``get_params_dependent_on_data`` needs; a call without one of them is an error."""
        return []

    @property
    def available_keys(self) -> set[str]:
        return {*self.targets, *self.targets_as_params}

    def apply(self, img: np.ndarray, *args: Any, **params: Any) -> np.ndarray:
        """Change an image ``[H, W, C]``, or ``[H, W]`` if the caller's has no axis for channels."""
        raise NotImplementedError(f"{type(self).__name__} has no apply(self, img, **params)")

    def apply_to_images(self, images: Images, *args: Any, **params: Any):
        """Change a set of images: a list, or an array ``[T, H, W, C]``."""
        return _each(lambda image: self.apply(image, *args, **params), images)

    def apply_to_volume(self, volume, *args: Any, **params: Any):
        """Change a volume ``[D, H, W, C]``."""
        return self.apply_to_images(volume, *args, **params)

    def apply_to_volumes(self, volumes, *args: Any, **params: Any):
        """Change volumes ``[N, D, H, W, C]``."""
        return _each(lambda volume: self.apply_to_volume(volume, *args, **params), volumes)

    def get_params(self) -> dict[str, Any]:
        """What it draws without looking at the data."""
        return {}

    def update_params(self, params: dict[str, Any], **data: Any) -> dict[str, Any]:
        """Add what ``apply`` is told beside: ``shape``, ``rows``, ``cols``, and those of its own attributes that
        albumentations hands over."""
        shape = _shape(data)
        params.update(shape=shape, rows=shape[0], cols=shape[1])
        for name in ("interpolation", "fill", "fill_mask", "fill_value", "mask_fill_value"):
            if hasattr(self, name):
                params[name] = getattr(self, name)
        return params

    def update_transform_params(self, params: dict[str, Any], data: dict[str, Any]) -> dict[str, Any]:
        """The same, by albumentations 2.x' name."""
        return self.update_params(params, **data)

    def get_params_dependent_on_data(self, params: dict[str, Any], data: dict[str, Any]) -> dict[str, Any]:
        """What it draws that depends on the sample: ``data`` holds its targets by name, boxes as fractions."""
        return {}

    def get_params_dependent_on_targets(self, params: dict[str, Any]) -> dict[str, Any]:
        """albumentations 1.x': ``params`` holds the targets that ``targets_as_params`` names."""
        return {}

    def get_transform_init_args_names(self) -> tuple[str, ...]:
        """Names of its arguments."""
        names = {}
        for cls in reversed(type(self).__mro__):
            if "__init__" in vars(cls) and issubclass(cls, BasicTransform) and cls is not BasicTransform:
                for name, parameter in inspect.signature(cls.__init__).parameters.items():
                    if parameter.kind in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY):
                        names[name] = None
        return tuple(name for name in names if name not in ("self", "p", "always_apply", "strict"))

    def get_base_init_args(self) -> dict[str, Any]:
        return {"p": self.p}

    def get_transform_init_args(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.get_transform_init_args_names() if hasattr(self, name)}

    # ---- generators --------------------------------------------------------------------------

    def set_random_seed(self, seed: int | None) -> None:
        """Seed ``py_random`` and ``random_generator``, and calls of it by itself; in a pipeline every sample does."""
        super().set_random_seed(seed)
        self._reseed(seed)

    def _reseed(self, seed: int | None) -> None:
        self._seed, self._python, self._numpy = seed, None, None

    def set_random_state(self, random_generator: np.random.Generator, py_random: random.Random) -> None:
        self._numpy, self._python = random_generator, py_random

    @property
    def py_random(self) -> random.Random:
        """Python's generator, for the sample at hand."""
        if self._python is None:
            self._python = random.Random(self._seed)
        return self._python

    @py_random.setter
    def py_random(self, value: random.Random) -> None:
        self._python = value

    @property
    def random_generator(self) -> np.random.Generator:
        """NumPy's generator, for the sample at hand."""
        if self._numpy is None:
            self._numpy = np.random.default_rng(self._seed)
        return self._numpy

    @random_generator.setter
    def random_generator(self, value: np.random.Generator) -> None:
        self._numpy = value

    def get_applied_params(self) -> dict[str, Any]:
        """Parameters of the last sample that it was called for."""
        return self.params

    # ---- what the pipeline calls -------------------------------------------------------------

    def is_geometric(self) -> bool:
        return "mask" in self.targets

    def handles(self, kind: str) -> bool:
        return kind in self.targets

    def moves(self, hook: str) -> bool:
        targets, name = self.targets, "bboxes" if hook == "boxes" else "keypoints"
        if name not in targets:
            return "mask" not in targets
        whole, one = f"apply_to_{name}", f"apply_to_{name[:-1].replace('bboxe', 'bbox')}"
        return any(getattr(type(self), hook, None) is not getattr(DualTransform, hook, None) for hook in (whole, one))

    @property
    def reads(self) -> tuple[str, ...]:
        return tuple(name for name in self.targets_as_params if name not in KINDS)

    @property
    def looks(self) -> bool:
        """Whether it draws what depends on targets that it does not change."""
        hooks = "get_params_dependent_on_data", "get_params_dependent_on_targets", "update_params", "update_transform_params"
        mine = any(getattr(type(self), hook) is not getattr(BasicTransform, hook) for hook in hooks)
        return mine or bool(self.targets_as_params) or not set(self.targets) & set(KINDS[:8])

    def on_sample(self, sample: dict[str, Any], kinds: dict[str, str], seed: int) -> tuple[dict[str, Any], dict[str, Any]]:
        """Change one sample; see `gpuaug.handing`."""
        self._reseed(seed)
        seed_all(seed)
        params = dict(self.get_params() or {})
        params = self.update_transform_params(params=params, data=sample)
        needed = list(self.targets_as_params)
        missing = [name for name in needed if name not in sample]
        if missing:
            raise ValueError(f"it needs {missing[0]}= among the targets, as its targets_as_params say")
        params |= self.get_params_dependent_on_data(params=params, data=sample) or {}
        if type(self).get_params_dependent_on_targets is not BasicTransform.get_params_dependent_on_targets:
            params |= self.get_params_dependent_on_targets({name: sample[name] for name in needed}) or {}
        self.params = params
        functions = self.targets
        out = {}
        for name, value in sample.items():
            function = functions.get(kinds.get(name))
            nothing = kinds.get(name) in ("bboxes", "keypoints") and not len(value)
            out[name] = value if function is None or nothing else called(function, value, _of_kind(kinds[name], params))
        return out, params


class ImageOnlyTransform(BasicTransform, register=False):
    """Base class of your own transforms of images; masks, boxes and keypoints stay as they are.

    Write ``apply(self, img, **params)``, and ``get_params`` or ``get_params_dependent_on_data`` for what it draws. It runs on the
    host, for the samples that drew it, in its place of the pipeline (docs/own-transforms.md).

    Args:
        p: probability, per sample. always_apply: albumentations 1.x', before p: True is p=1.

    ``apply`` gets and returns an array ``[H, W, C]`` (``[H, W]`` if the caller's has no axis for channels), in the caller's
    element type. It may return other values; another number of channels or another type where every sample of the batch takes
    it; another size where there is nothing beside the image. Targets: image, images, volume, volumes.

    Raises:
        TypeError, ValueError: what comes back is no array, has no pixels, or a type or shape that the pipeline cannot carry on;
            names class and sample.

    Source: albumentations ``ImageOnlyTransform``.

    Example:
        >>> import numpy as np, gpuaug as G
        >>> class Darken(G.ImageOnlyTransform):
        ...     def get_params(self):
        ...         return {"by": self.py_random.randint(1, 9)}
        ...
        ...     def apply(self, img, by, **params):
        ...         return img - np.uint8(by)
        >>> aug = G.Compose([Darken(p=1), G.HorizontalFlip(p=1)], seed=1)
        >>> out = aug(np.full((4, 1, 2, 3), 100, np.uint8))  # four images, four draws
        >>> out.shape, len(np.unique(out)) > 1
        ((4, 1, 2, 3), True)
    """

    @property
    def targets(self):
        return {
            "image": self.apply,
            "images": self.apply_to_images,
            "volume": self.apply_to_volume,
            "volumes": self.apply_to_volumes,
        }


class DualTransform(BasicTransform, register=False):
    """Base class of your own transforms that change masks, boxes and keypoints with the image.

    Write ``apply(self, img, **params)``; ``apply_to_mask`` (by default ``apply`` with a nearest interpolation);
    ``apply_to_bboxes(self, bboxes, **params)``, which gets rows (x0, y0, x1, y1, labels ..) in fractions of the image, or
    ``apply_to_bbox`` for one; ``apply_to_keypoints``, rows (x, y, z, angle in radians, scale, labels ..) in pixels, or
    ``apply_to_keypoint``, (x, y, angle, scale). Rows may be dropped; labels are numbers, as albumentations' are. Without
    them a call with boxes or keypoints is refused.

    Args:
        p: probability, per sample. always_apply: albumentations 1.x', before p: True is p=1.

    Sizes may change, where image and masks agree. The rest is as in `ImageOnlyTransform`. Targets: all.

    Raises:
        TypeError, ValueError: see `ImageOnlyTransform`; rows of another width, or with labels that none had.

    Source: albumentations ``DualTransform``.

    Example:
        >>> import numpy as np, gpuaug as G
        >>> class Left(G.DualTransform):
        ...     def apply(self, img, **params):
        ...         return img[:, : img.shape[1] // 2]
        >>> out = G.Compose([Left(p=1)])(image=np.zeros((4, 6, 3), np.uint8), mask=np.zeros((4, 6), np.uint8))
        >>> out["image"].shape, out["mask"].shape
        ((4, 3, 3), (4, 3))
    """

    @property
    def targets(self):
        return {
            "image": self.apply,
            "images": self.apply_to_images,
            "mask": self.apply_to_mask,
            "masks": self.apply_to_masks,
            "mask3d": self.apply_to_mask3d,
            "masks3d": self.apply_to_masks3d,
            "bboxes": self.apply_to_bboxes,
            "keypoints": self.apply_to_keypoints,
            "volume": self.apply_to_volume,
            "volumes": self.apply_to_volumes,
        }

    def apply_to_mask(self, mask: np.ndarray, *args: Any, **params: Any) -> np.ndarray:
        """Change a mask ``[H, W]`` or ``[H, W, C]``."""
        return called(self.apply, mask, params, *args)

    def apply_to_masks(self, masks, *args: Any, **params: Any):
        """Change a set of masks: a list, or an array ``[T, H, W]``."""
        return _each(lambda mask: self.apply_to_mask(mask, *args, **params), masks)

    def apply_to_mask3d(self, mask3d, *args: Any, **params: Any):
        """Change the mask ``[D, H, W]`` of a volume."""
        return self.apply_to_masks(mask3d, *args, **params)

    def apply_to_masks3d(self, masks3d, *args: Any, **params: Any):
        """Change masks ``[N, D, H, W]`` of volumes."""
        return _each(lambda mask3d: self.apply_to_mask3d(mask3d, *args, **params), masks3d)

    def apply_to_bbox(self, bbox: tuple, *args: Any, **params: Any):
        """Move one box, (x0, y0, x1, y1) in fractions of the image: albumentations 1.x'."""
        raise NotImplementedError(f"{type(self).__name__} has no apply_to_bboxes(self, bboxes, **params)")

    def apply_to_bboxes(self, bboxes: np.ndarray, *args: Any, **params: Any):
        """Move boxes."""
        moved = [called(self.apply_to_bbox, tuple(row[:4].tolist()), params, *args) for row in bboxes]
        return [(*one[:4], *row[4:]) for one, row in zip(moved, bboxes)]

    def apply_to_keypoint(self, keypoint: tuple, *args: Any, **params: Any):
        """Move one keypoint, (x, y, angle, scale): albumentations 1.x'."""
        raise NotImplementedError(f"{type(self).__name__} has no apply_to_keypoints(self, keypoints, **params)")

    def apply_to_keypoints(self, keypoints: np.ndarray, *args: Any, **params: Any):
        """Move keypoints."""
        moved = [called(self.apply_to_keypoint, tuple(row[[0, 1, 3, 4]].tolist()), params, *args) for row in keypoints]
        return [(*one[:2], row[2], *one[2:4], *row[5:]) for one, row in zip(moved, keypoints)]


class Transform3D(DualTransform, register=False):
    """Base class of your own transforms of volumes: write ``apply_to_volume(self, volume, **params)``, ``[D, H, W, C]``.

    ``apply_to_mask3d`` is by default the same; ``apply_to_keypoints`` as in `DualTransform`. The number of slices stays. Targets:
    volume, volumes, mask3d, masks3d, keypoints. Source: albumentations ``Transform3D``.

    Example:
        >>> import numpy as np, gpuaug as G
        >>> class Upside(G.Transform3D):
        ...     def apply_to_volume(self, volume, **params):
        ...         return volume[::-1].copy()
        >>> G.Compose([Upside(p=1)], seed=0)(volume=np.arange(3, dtype=np.uint8).reshape(3, 1, 1, 1))["volume"].ravel().tolist()
        [2, 1, 0]
    """

    @property
    def targets(self):
        return {
            "volume": self.apply_to_volume,
            "volumes": self.apply_to_volumes,
            "mask3d": self.apply_to_mask3d,
            "masks3d": self.apply_to_masks3d,
            "keypoints": self.apply_to_keypoints,
        }

    def is_geometric(self) -> bool:
        return True

    def apply_to_volume(self, volume, *args: Any, **params: Any):
        raise NotImplementedError(f"{type(self).__name__} has no apply_to_volume(self, volume, **params)")

    def apply_to_mask3d(self, mask3d, *args: Any, **params: Any):
        return self.apply_to_volume(mask3d, *args, **params)


def _shape(data: dict) -> tuple[int, ...]:
    """The shape of a sample's image, as albumentations finds it."""
    for name, depth in (("volume", 1), ("volumes", 2), ("image", 0), ("images", 1)):
        if name in data:
            value = data[name]
            for _ in range(depth):
                value = value[0]
            return tuple(value.shape)
    value = next(value for value in data.values() if getattr(value, "ndim", 0) >= 2)
    return tuple(value.shape)


def _of_kind(kind: str, params: dict) -> dict:
    """Parameters for a target: masks hold labels, which are not interpolated."""
    return params | {"interpolation": _NEAREST} if kind.startswith("mask") and "interpolation" in params else params


def called(function: Callable, value, params: dict, *args):
    """A call with those of the parameters that the function takes."""
    first, known = _names(getattr(function, "__func__", function), hasattr(function, "__func__"))
    if known is not None or first in params:
        params = {name: each for name, each in params.items() if name != first and (known is None or name in known)}
    return function(value, *args, **params)


@functools.lru_cache(256)
def _names(function: Callable, bound: bool) -> tuple[str, frozenset | None]:
    """What a function calls that which it changes, and the keywords that it takes beside (None: any). Asking Python takes it
    80 us."""
    try:
        parameters = list(inspect.signature(function).parameters.values())[bound:]
    except (TypeError, ValueError):  # of C
        return "", frozenset()
    first = parameters[0].name if parameters else ""
    if any(p.kind is p.VAR_KEYWORD for p in parameters):
        return first, None
    return first, frozenset(p.name for p in parameters[1:] if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY))


def _each(function: Callable, values):
    """A function of each of a set's images; an array of them where one came, and they are alike."""
    done = [function(value) for value in values]
    return np.stack(done) if isinstance(values, np.ndarray) and len({np.shape(each) for each in done}) == 1 else done


def _validated(init: Callable, schema) -> Callable:
    """A constructor whose arguments pass a pydantic model first, as albumentations 2.x has it."""
    signature = inspect.signature(init)

    def wrapper(self, *args, **kwargs):
        bound = signature.bind(self, *args, **kwargs)
        bound.apply_defaults()
        given = {name: value for name, value in bound.arguments.items() if name in schema.model_fields}
        if "strict" in schema.model_fields:
            given.setdefault("strict", False)
        model = schema.model_validate(given)
        for name in given:
            if name in bound.arguments:
                bound.arguments[name] = getattr(model, name)
        init(*bound.args, **bound.kwargs)

    wrapper.__signature__, wrapper.__doc__, wrapper.__name__ = signature, init.__doc__, "__init__"
    return wrapper
