"""ReplayCompose: a call says what it drew, as plain Python, and the same can be applied to other images."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from .applied import one_of, params_of, places
from .compose import Compose
from .drawn import Drawn, unrolled
from .others import SAMPLES
from .ragged import Ragged
from .saving import from_dict
from .settings import CLASS, FORMAT
from .transform import REGISTRY, View
from .whole import Whole

_MORE = ("applied", "params", "order", "again", "types", "seed", "after")  # of a leaf, beside its arguments
_TOP = ("__format__", "drawn_for", "save_key", "applied", "params")
_INFERRED = (np.float64, np.int64, np.bool_)  # what NumPy makes of Python's numbers


class ReplayCompose(Compose):
    """A `Compose` whose results say what was drawn, under ``save_key``; `ReplayCompose.replay` applies that to other images.

    Args:
        transforms, bbox_params, keypoint_params, additional_targets, p, is_check_shapes, strict: see `Compose`.
        mask_interpolation, seed, label_geometry, lazy: see `Compose`.
        save_key: the name under which it stands in the results.

    What stands there is the pipeline as `to_dict` writes it, where every transform and group has two entries more: ``applied``,
    and ``params``, what the transform drew, or None. ``order`` counts what was applied; ``again`` holds further visits of the
    same transform by `SomeOf` and `RandomOrder`. Set ``applied`` to False to leave a transform out. It goes through JSON where
    what the transforms draw does. Of a batch it is a list with one for each sample.

    Raises:
        ValueError: see `to_dict`; a draw of other samples or images that the call brought (Mosaic, references of the call).

    Source: albumentations ``ReplayCompose``.

    Example:
        >>> import numpy as np, gpuaug as G
        >>> aug = G.ReplayCompose([G.HorizontalFlip(), G.RandomCrop(1, 2, p=1)], seed=1)
        >>> first = aug(image=np.array([[1, 2, 3, 4]], np.uint8))
        >>> first["replay"]["transforms"][0]["applied"], first["image"].tolist()
        (True, [[4, 3]])
        >>> G.ReplayCompose.replay(first["replay"], image=np.array([[5, 6, 7, 8]], np.uint8))["image"].tolist()
        [[8, 7]]
    """

    def __init__(
        self,
        transforms: Sequence,
        bbox_params: Any = None,
        keypoint_params: Any = None,
        additional_targets: dict[str, Any] | None = None,
        p: float = 1.0,
        is_check_shapes: bool = True,
        save_key: str = "replay",
        *,
        strict: bool = False,
        mask_interpolation: int | None = None,
        seed: int | None = None,
        label_geometry: str = "pixels",
        lazy: bool = False,
    ):
        super().__init__(
            transforms,
            bbox_params,
            keypoint_params,
            additional_targets,
            p,
            is_check_shapes,
            strict,
            mask_interpolation,
            seed,
            label_geometry=label_geometry,
            lazy=lazy,
        )
        if not isinstance(save_key, str) or not save_key:
            raise TypeError(f"save_key must be a name, got {save_key!r}")
        self.save_key = save_key

    def run(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        raise ValueError("ReplayCompose: batches of a loader have no place for what was drawn; give the loader a Compose")

    def _told(self, drawn: Drawn, given) -> dict[str, Any]:
        whole = _described(self)
        found = []
        leading = given.leading()
        for i in range(drawn.samples):
            tree = copy.deepcopy(whole)
            taken = drawn.applied is None or bool(drawn.applied[i])
            height, width = given.size[i].tolist()
            tree["drawn_for"] = {"size": [height, width], "channels": leading.channels, "dtype": leading.dtype, "taken": taken}
            if given.depth is not None:
                tree["drawn_for"]["depth"] = int(given.depth[i])
            found.append(tree)
        counts = [0] * drawn.samples
        for step in drawn.steps:
            _refuse(step.transform)
            for k, i in places(step, drawn.samples):
                leaf = found[i]
                for place in step.place:
                    leaf = leaf["transforms"][place]
                visit = {"params": params_of(step, k), "order": counts[i]} | _rest_of(step, k)
                if leaf["applied"]:
                    leaf.setdefault("again", []).append(visit)
                else:
                    leaf.update(visit, applied=True)
                counts[i] += 1
        for tree in found:
            _mark(tree)
        return {self.save_key: found[0] if given.one else found}

    @staticmethod
    def replay(saved_augmentations: Mapping | Sequence[Mapping], nonserializable: Mapping | None = None, **targets) -> dict:
        """Apply what was drawn to other images, masks, boxes and keypoints.

        Args:
            saved_augmentations: what a result holds, for one sample, or for all of a batch alike; or a list, one for each sample
                of the batch.
            nonserializable: see `gpuaug.from_dict`.
            targets: as for a call.

        Images of another size, type or number of channels than it was drawn for are taken where no draw hangs on that: flips
            do not, windows of crops do. Transforms of your own draw again with the seed that they had.

        Returns:
            As a call does, ``saved_augmentations`` under its key among them.

        Raises:
            ValueError: a draw that does not fit the images; not as many as there are samples; what `from_dict` refuses.
        """
        listed = saved_augmentations if isinstance(saved_augmentations, (list, tuple)) else [saved_augmentations]
        if not listed or not all(isinstance(each, Mapping) and "drawn_for" in each for each in listed):
            raise ValueError("replay takes what a ReplayCompose gave under its save_key, or a list of those")
        plain = _bare(listed[0])
        for i, each in enumerate(listed):
            if i and _bare(each) != plain:
                raise ValueError(f"replay {i} is of another pipeline than replay 0; replay one after the other")
        aug = from_dict({**plain, "transform": {**plain["transform"], CLASS: "Compose"}}, nonserializable)
        again = _Again.of(
            aug, list(map(_visits, listed)), [each["drawn_for"] for each in listed], single=listed is not saved_augmentations
        )
        return again(**targets) | {listed[0].get("save_key", "replay"): saved_augmentations}


# ---- writing -------------------------------------------------------------------------------------


def as_compose(compose: Compose) -> Compose:
    """A copy; of a `ReplayCompose` a `Compose` with the same draws, whose results do not hold what was drawn."""
    other = copy.copy(compose)
    if isinstance(other, ReplayCompose):
        other.__class__ = Compose
    return other


def _described(aug: ReplayCompose) -> dict:
    tree = {"__format__": f"gpuaug {FORMAT}", **aug.to_dict()["transform"]}
    _clear(tree)
    return tree


def _clear(node: dict) -> None:
    node.update(applied=False, params=None)
    for child in _below(node):
        _clear(child)


def _mark(node: dict) -> bool:
    """Set ``applied`` of groups."""
    if _is_group(node):
        below = [_mark(child) for child in node["transforms"]]
        node["applied"] = any(below)
    return node["applied"]


def _is_group(node: Mapping) -> bool:
    return "transforms" in node and node[CLASS] not in REGISTRY  # those that hold transforms are one step


def _below(node: Mapping) -> list:
    return node["transforms"] if _is_group(node) else []


def _refuse(transform) -> None:
    if transform.metadata_key is not None and (transform.brings == SAMPLES or transform.reference_images is None):
        raise ValueError(
            f"{type(transform).__name__} draws one of the images that come with a call, which a replay does not know: use Compose"
        )


def _rest_of(step, k: int) -> dict:
    """What it takes to make the parameters of NumPy again."""
    if isinstance(step.transform, Whole) and "seed" in step.params:
        return {"seed": int(step.params["seed"][k]), "after": step.params["after"][k].tolist()}
    types = {}
    for name, value in step.params.items():
        one = np.asarray(one_of(value, k))
        if one.dtype == object:
            continue
        if isinstance(value, Ragged) or one.dtype.type not in _INFERRED or not one.size:
            types[name] = ("ragged " if isinstance(value, Ragged) else "") + one.dtype.name
            if not one.size:
                types[name] += " " + "x".join(map(str, one.shape))
    return {"types": types} if types else {}


# ---- reading -------------------------------------------------------------------------------------


def _bare(saved: Mapping) -> dict:
    """The pipeline alone, as `to_dict` writes it."""

    def stripped(node, more):
        out = {key: value for key, value in node.items() if key not in more}
        if _is_group(out):
            out["transforms"] = [stripped(child, _MORE) for child in out["transforms"]]
        return out

    return {"__format__": saved.get("__format__", "unknown"), "transform": stripped(saved, _TOP)}


def _visits(saved: Mapping) -> list[tuple[tuple[int, ...], dict]]:
    """What was applied, in order: places and what was drawn there."""
    found = []

    def walk(node, place):
        for k, child in enumerate(_below(node)):
            walk(child, (*place, k))
        if not _is_group(node) and node.get("applied"):
            found.extend((place, visit) for visit in (node, *node.get("again", ())))

    walk(saved, ())
    return sorted(found, key=lambda one: one[1]["order"])


class _Again(Compose):
    """A pipeline that draws what was drawn."""

    @classmethod
    def of(cls, aug: Compose, visits: list, drawn_for: list[Mapping], single: bool) -> _Again:
        aug.__class__ = cls
        aug._visits, aug._drawn_for, aug._for_all = visits, drawn_for, single
        aug._single.able = False  # it draws by itself
        return aug

    def draw(self, size, *, channels=3, dtype="uint8", now=None, others=None, depth=None, **_) -> Drawn:
        samples = len(size)
        if self._for_all:
            self._visits, self._drawn_for = self._visits * samples, self._drawn_for * samples
        if len(self._visits) != samples:
            raise ValueError(f"there are {len(self._visits)} replays for {samples} samples; pass one for each, or one for all")
        then = _Then(self._drawn_for)
        view = View(np.asarray(size), channels, dtype, now, None, others or {}, depth)
        drawn = unrolled(self._tree, samples, view, self._steps(), then.draw, self.lazy)
        drawn.applied = np.array([bool(each.get("taken", True)) for each in self._drawn_for])
        return drawn

    def _steps(self):
        """The k-th visits of all samples, those together that are of one transform and of one shape."""
        for k in range(max(map(len, self._visits))):
            together: dict[tuple, list[int]] = {}
            for i, visits in enumerate(self._visits):
                if k < len(visits):
                    place, visit = visits[k]
                    params = None if "seed" in visit else _arrays(visit)
                    shapes = None if params is None else tuple((name, *_shape(value)) for name, value in params.items())
                    together.setdefault((place, shapes), []).append((i, visit, params))
            for (place, _), mine in together.items():
                transform = self
                for index in place:
                    transform = transform.transforms[index]
                yield transform, place, np.array([i for i, _, _ in mine]), mine


class _Then:
    """The images for which it was drawn: as large as they were at each step."""

    def __init__(self, drawn_for: list[Mapping]):
        self.size = np.array([each["size"] for each in drawn_for], np.int64).reshape(-1, 2)
        self.channels = [each["channels"] for each in drawn_for]
        self.dtype = [each["dtype"] for each in drawn_for]
        self.depth = [each.get("depth") for each in drawn_for]

    def draw(self, transform, mine, rows, here: View) -> dict:
        if "seed" in mine[0][1]:
            params = transform.draw(_uniforms([visit["seed"] for _, visit, _ in mine], transform.columns()), here)
            self.size[rows] = [visit["after"] for _, visit, _ in mine]
            return params
        params = {}
        for name in mine[0][2]:
            values = [each[name] for _, _, each in mine]
            if isinstance(values[0], Ragged):
                params[name] = Ragged.of_list([value.values for value in values], values[0].values[:0])
            elif isinstance(values[0], np.ndarray):
                params[name] = np.stack(values)
            else:  # objects of the caller's
                params[name] = np.empty(len(values), object)
                params[name][:] = values
        for k, i in enumerate(rows.tolist()):
            then = self.size[i], self.channels[i], self.dtype[i]
            now = here.size[k], here.channels, here.dtype
            if (then[0] != now[0]).any() or then[1:] != now[1:]:
                _check(transform, i, then, now)
            if transform.solid and self.depth[i] != int(here.depth[k]):
                raise ValueError(
                    f"{type(transform).__name__} was drawn for a volume of {self.depth[i]} slices at this step, volume {i} has "
                    f"{here.depth[k]}: replay it on a volume of the same size"
                )
        after = transform.size_after(params, self.size[rows])
        self.size[rows] = after
        for k, i in enumerate(rows.tolist()):
            if transform.solid:
                self.depth[i] = int(params["after"][k, 0])
            self.channels[i] = transform.channels_then(params, self.channels[i])
        return params


def _uniforms(seeds: list[int], columns: int) -> np.ndarray:
    """The uniforms that `gpuaug.seeding.seeds` makes these seeds of."""
    u = np.zeros((len(seeds), columns))
    u[:, 0], u[:, 1] = ([word / 2.0**32 for word in words] for words in zip(*(divmod(seed, 2**32)[::-1] for seed in seeds)))
    return u


def _check(transform, i: int, then: tuple, now: tuple) -> None:
    """Raise unless it draws alike for images of both kinds."""
    u = np.random.default_rng(0).random((16, transform.columns()))
    try:
        one, other = (transform.draw(u, View(np.tile(size, (16, 1)), channels, dtype)) for size, channels, dtype in (then, now))
        alike = one.keys() == other.keys() and all(_alike(one[name], other[name]) for name in one)
    except Exception:  # it looks at data, or does not fit
        alike = False
    if not alike:
        words = [f"{tuple(size.tolist())} of {channels} channels, {dtype}" for size, channels, dtype in (then, now)]
        raise ValueError(
            f"{type(transform).__name__} was drawn for an image that was {words[0]} at this step, image {i} is {words[1]}, and "
            f"what it draws hangs on that: replay it on an image of the same kind; the same luck on another one has "
            f"Compose(seed=..) with the same ids= and epoch="
        )


def _alike(one, other) -> bool:
    if isinstance(one, Ragged):
        one, other = np.append(one.values.ravel(), one.counts), np.append(other.values.ravel(), other.counts)
    one, other = np.asarray(one), np.asarray(other)
    return one.shape == other.shape and bool((one == other).all())


def _shape(value) -> tuple:
    """What has to agree so that parameters of several samples can lie in one array."""
    if isinstance(value, Ragged):
        return ("ragged", value.values.dtype.str, value.values.shape[1:])
    return (value.dtype.str, value.shape) if isinstance(value, np.ndarray) else ("object",)


def _arrays(visit: Mapping) -> dict:
    """A sample's parameters as they were drawn."""
    types, out = visit.get("types", {}), {}
    for name, value in visit["params"].items():
        words = types.get(name, "").split()
        ragged = bool(words) and words[0] == "ragged"
        words = words[ragged:]
        if not words and not isinstance(value, (bool, int, float, list)):
            out[name] = value
            continue
        array = np.asarray(value, words[0] if words else None)
        if len(words) > 1:
            array = array.reshape([int(side) for side in words[1].split("x")])
        out[name] = Ragged(array, [len(array)]) if ragged else array
    return out
