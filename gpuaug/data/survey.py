"""Looks at a loader's dataset and decides how it is loaded. Of the user's code it runs only what was declared to be run here."""

import contextlib
import os
from dataclasses import dataclass, replace

import numpy as np

from . import workers
from .asked import MARKS, UNTOUCHED, Asked, Row, as_asked
from .encoded import Recipe
from .finder import Finder
from .leaves import is_source
from .protocol import is_thread_safe, mask_types
from .recognize import check_image
from .replies import Requests
from .stored.columns import slots
from .stored.dataset import stored_view
from .structure import get
from .views import array_view, encoded_view, path_view
from .volumes import check_axes

TRIES = 32  # of the first samples, how many may be bad, or without boxes, before what was found has to do


@dataclass
class SetUp:
    """How a dataset's batches are loaded; kept from epoch to epoch.

    kind: "memory" (arrays are indexed), "stored" (pixels are read), "encoded" (files are read and decoded here), or "workers"
    (torch's DataLoader calls `__getitem__`; whether that gives pixels or files is seen from the first batch).
    """

    kind: str
    view: object = None
    paths: dict | None = None
    recipe: Recipe | None = None
    packer: object = None
    requests: object = None
    loader: object = None
    looks: tuple = ()  # what `changeable` and `asked_of` said
    epoch: int = 0  # the last one of a stream's workers
    turn: int = 0  # of the workers, the one that had the first turn


def changeable(dataset):
    """What may be set on a dataset between epochs and decides how it is loaded; of what it wraps, too."""
    inner = [getattr(dataset, "dataset", None), *(getattr(dataset, "datasets", None) or ())]
    mine = tuple(id(getattr(dataset, name, None)) for name in ("transform", "target_transform", "transforms", "loader"))
    return (mine, getattr(dataset, "encoded", None) is None, *(changeable(d) for d in inner if d is not None))


def survey(loader, first, single):
    """The SetUp of a loader whose first planned batch is `first` (None for an empty epoch)."""
    view = array_view(loader.dataset) if not single and loader._user_collate is None else None
    if view is not None and first is not None and isinstance(first.indices[0], (int, np.integer)):
        paths = targets_of(loader, view.sample())
        if loader.transform is not None:
            check_axes(paths, view.sample(), asked_of(loader))
        return SetUp("memory", view=view, paths=paths)
    stored = stored_view(loader.dataset)
    if stored is not None and first is not None:
        recipe_ = _recipe_of_stored(loader, first, stored)
        if recipe_ is not None:
            return SetUp("stored", recipe=recipe_)
    fetch = declared(loader.dataset)
    # without a transform a path or bytes are what was asked for, unless the dataset says that they are images
    decodes = loader.transform is not None or loader.targets is not None or encoded_view(loader.dataset) is not None
    if first is not None and fetch is not None and decodes:
        recipe_ = _recipe_of_first(loader, first, fetch)
        if recipe_ is not None:
            return SetUp("encoded", recipe=recipe_)
    return SetUp("workers", packer=packer(loader, single), requests=Requests())


def declared(dataset):
    """What gives a map-style dataset's encoded samples in a thread of this process, or None if nobody said that it may."""
    return encoded_view(dataset) or (dataset.__getitem__ if is_thread_safe(dataset) else None)


def _recipe_of_first(loader, first, fetch, held=False):
    """The Recipe for samples like the first ones; None if they cannot be had, or hold pixels (`held`: which they may)."""
    told = asked_of(loader)
    wanted = [name for name, given in zip(MARKS, (told.boxes, told.points)) if given]
    for index in (first.index_list() + list(first.after))[:TRIES]:
        if isinstance(index, (list, tuple)):  # a sampler of lists: the dataset makes the batches
            return None
        with contextlib.suppress(Exception):  # a bad sample is dealt with when it is its turn
            sample = fetch(index)
            if sample is None:
                continue
            break
    else:
        return None
    paths = targets_of(loader, sample)
    if "image" not in paths or not (held or is_source(get(sample, paths["image"]))):
        return None
    if any(name not in paths for name in wanted):
        paths = {**paths, **_of_others(loader, first, fetch)}
    return recipe(loader, fetch, paths)


def _recipe_of_stored(loader, first, stored):
    """The Recipe for a cache's pixels; None where the targets are not the pictures that it holds."""
    made = _recipe_of_first(loader, first, loader.dataset.__getitem__, held=True)
    pictures = slots(stored[0]._index["template"])
    if made is None or pictures != {name: made.paths[name] for name in (*made.images, *made.masks)}:
        return None
    made.stored, told = stored, made.find.asked
    made.find = Finder(replace(told, explicit={**pictures, **told.explicit}))  # that are not read yet when a sample is looked at
    return made


def _of_others(loader, first, fetch):
    """Boxes and points that the first sample has none of, from those behind it."""
    found = {}
    for index in (first.index_list() + list(first.after))[1:TRIES]:
        with contextlib.suppress(Exception):
            paths = targets_of(loader, fetch(index))
            found |= {n: p for n, p in paths.items() if n in MARKS or isinstance(n, Row) or n in asked_of(loader).labels()}
    return found


def asked_of(loader):
    """What the loader's transform was told to move, and where the user or the dataset say that it is."""
    said = loader.targets if loader.targets is not None else getattr(loader.dataset, "targets_hint", None)
    found = asked(loader.transform, said)
    if loader.mix and not found.mover:  # what lies beside an image does not fit a mixture of two either
        found = replace(found, mover=type(loader.mix[0]).__name__)
    return found


def asked(transform, hint=None):
    """What a transform was told to move. hint: what the user says as targets=."""
    explicit, untouched = as_asked(hint)
    params = {name: getattr(transform, word, None) for name, word in zip(MARKS, ("bbox_params", "keypoint_params"))}
    fields = {name: tuple(p.label_fields or ()) for name, p in params.items() if p is not None}
    leaves = transform._leaves() if hasattr(transform, "_leaves") else ()
    further = getattr(transform, "_more_marks", {})
    read = {name for leaf in leaves for name in (*leaf.reads, leaf.metadata_key) if name}
    beside = read | {n for params in further.values() for n in params.label_fields}
    fields[""] = tuple(sorted(beside | set(further)))  # what is loaded as it is, beside image, boxes and keypoints
    additional = getattr(transform, "additional_targets", None) or {}
    found = Asked(
        explicit,
        (*untouched, *(name for name, kind in additional.items() if kind == UNTOUCHED)),
        {name: kind for name, kind in additional.items() if name not in further and kind != UNTOUCHED},
        boxes=params["bboxes"] is not None,
        points=0 if params["keypoints"] is None else len(params["keypoints"].format),
        fields=fields,
        mover=mover(transform),
        points_stay=not getattr(params["keypoints"], "remove_invisible", False),
        box_format=getattr(params["bboxes"], "format", ""),
        instance_masks=getattr(params["bboxes"], "instance_masks", None) or "",
    )
    for name in explicit if hasattr(transform, "kind_of") else ():
        if name in MARKS:
            if params[name] is None:
                word = "bbox_params" if name == "bboxes" else "keypoint_params"
                raise ValueError(f"targets names {name}, which need a Compose with {word}")
        elif name not in found.labels():
            transform.kind_of(name)  # raises what the transform has to say about a name that it does not know
    return found


def mover(transform):
    """The name of the first transform that moves pixels, or "" if none does."""
    if transform is None:
        return ""
    if not hasattr(transform, "moving"):
        return type(transform).__name__
    found = transform.moving()
    return "" if found is None else type(found).__name__


def targets_of(loader, sample):
    """{target name: path} for samples like this one."""
    paths = Finder(asked_of(loader))(sample)
    if loader.transform is None:
        return {name: path for name, path in paths.items() if name in ("image", "mask")}
    check_image(paths, sample, asked_of(loader))
    return paths


def packer(loader, single):
    """What joins samples in worker processes."""
    transforms = loader.transform is not None
    listed = transforms and loader._user_collate is not None
    collate_fn = None if transforms else loader._user_collate
    return workers.Packer(asked_of(loader), single, listed, collate_fn, transforms, loader.max_pixels)


def recipe(loader, fetch, paths, keyed=True):
    """What the road that decodes does with samples like those in which `paths` were found."""
    told = asked_of(loader)
    roles = {name: told.role(name) for name in paths}
    return Recipe(
        fetch=fetch,
        paths=paths,
        find=Finder(told),
        masks=frozenset(n for n, r in roles.items() if r == "mask"),
        passed=frozenset(n for n, r in roles.items() if r == "as is"),
        on_error=loader.on_error,
        errors=loader._errors,
        max_pixels=loader.max_pixels,
        threads=loader.num_workers or len(os.sched_getaffinity(0)),
        ahead=loader.prefetch_factor or 2,
        capacity=loader.batch_size or getattr(loader.batch_sampler, "batch_size", None) or 1,
        device=loader.device,
        keyed=keyed,
        path_of=path_view(loader.dataset),
        length=length(loader.dataset),
        thread_safe=is_thread_safe(loader.dataset),
        mask_types=mask_types(loader.dataset),
        listed=loader._user_collate is not None,
    )


def length(dataset):
    try:
        return len(dataset)
    except TypeError:
        return None
