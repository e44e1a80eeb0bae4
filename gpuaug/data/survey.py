"""Looks at a loader's dataset once and decides how it is loaded."""

import contextlib
import os
import random
from dataclasses import dataclass

import numpy as np
import torch

from . import workers
from .encoded import Recipe
from .headers import read_header
from .protocol import is_encoded, is_thread_safe, mask_types
from .structure import SETS, find_targets, get, outline
from .views import array_view, encoded_view, path_view

TRIES = 32  # of the first samples, how many may be bad before the dataset counts as one of pixels


@dataclass
class SetUp:
    """The road of a map-style dataset and what it needs; kept from epoch to epoch."""

    kind: str  # "memory", "encoded" or "workers"
    view: object = None
    paths: dict | None = None
    recipe: Recipe | None = None
    packer: object = None
    requests: object = None
    loader: object = None


def survey(loader, first, single):
    """The SetUp of a loader whose first planned batch is `first` (None for an empty epoch)."""
    dataset = loader.dataset
    view = array_view(dataset) if not single and loader._user_collate is None else None
    if view is not None and first is not None and isinstance(first.indices[0], (int, np.integer)):
        return SetUp("memory", view=view, paths=targets_of(loader, view.sample()))
    if first is not None:
        fetch = encoded_view(dataset) or dataset.__getitem__
        sample = _probe(first, fetch)
        if sample is not None:
            paths = targets_of(loader, sample)
            if "image" in paths and is_source(get(sample, paths["image"])):
                return SetUp("encoded", recipe=recipe(loader, fetch, paths))
    return SetUp("workers", packer=packer(loader, single), requests=workers.Requests())


def _probe(first, fetch):
    """The first sample that can be had, or None."""
    indices = first.indices.tolist() if isinstance(first.indices, np.ndarray) else list(first.indices)
    for index in (indices + list(first.after))[:TRIES]:
        if isinstance(index, (list, tuple)):  # a sampler of lists: the dataset makes the batches
            return None
        with _random_states_kept(), contextlib.suppress(Exception):  # a bad sample is dealt with when it is its turn
            return fetch(index)
    return None


@contextlib.contextmanager
def _random_states_kept():
    # the host-side transforms of a probed sample must not shift what the user's program draws later
    states = random.getstate(), np.random.get_state(), torch.get_rng_state()  # noqa: NPY002
    try:
        yield
    finally:
        random.setstate(states[0])
        np.random.set_state(states[1])  # noqa: NPY002
        torch.set_rng_state(states[2])


def targets_of(loader, sample):
    """{target name: path} for samples like this one."""
    explicit = _explicit(loader)
    paths = find_targets(sample, explicit, label_fields(loader.transform))
    if loader.transform is None:
        return {name: path for name, path in paths.items() if role(None, name) != "as is"}
    if "image" not in paths and "images" not in paths:
        raise ValueError(
            f"no image was recognized in a sample, which is {outline(sample)}; say which entry it is: "
            f"DataLoader(targets={{'image': key or position}})"
        )
    for name, path in paths.items():
        try:
            role(loader.transform, name)
        except ValueError as error:
            if explicit is not None:
                raise
            raise ValueError(
                f"the sample's entry {path[0] if len(path) == 1 else path!r} looks like {name}, which this transform does not "
                f"handle ({error}); to hand it on unchanged, name the targets: DataLoader(targets={{'image': ...}})"
            ) from None
    return paths


def _explicit(loader):
    return loader.targets if loader.targets is not None else getattr(loader.dataset, "targets_hint", None)


def role(transform, name):
    """How a target is loaded: "image", "mask", or "as is" (boxes, keypoints and their labels, sets of images or masks).

    ValueError if the transform has no use for it.
    """
    for marks, params in (("bboxes", "bbox_params"), ("keypoints", "keypoint_params")):
        if name == marks and hasattr(transform, "kind_of") and getattr(transform, params, None) is None:
            raise ValueError(f"{marks} need a Compose with {params}")
    if name in ("bboxes", "keypoints", *label_fields(transform)):
        return "as is"
    kind = getattr(transform, "additional_targets", {}).get(name, name)
    if hasattr(transform, "kind_of"):
        transform.kind_of(name)  # raises what the transform has to say about a name that it does not know
    return "as is" if kind in SETS else "mask" if kind == "mask" else "image"


def label_fields(transform):
    """The labels that go with boxes and keypoints, and must be handed over with them."""
    both = (getattr(transform, name, None) for name in ("bbox_params", "keypoint_params"))
    return tuple(field for params in both if params is not None for field in params.label_fields or ())


class Roles:
    """`role` without the transform, for worker processes."""

    def __init__(self, transform, names):
        self._roles = {}
        for name in names:
            with contextlib.suppress(ValueError):
                self._roles[name] = role(transform, name)

    def __call__(self, name):
        if name not in self._roles:
            raise ValueError(f"this transform does not handle {name}; name the targets: DataLoader(targets={{'image': ...}})")
        return self._roles[name]


def is_source(leaf):
    """Whether an image entry is a file: a path (any string), or bytes."""
    if getattr(leaf, "ndim", None) == 1:
        try:
            return is_encoded(leaf) and bool(read_header(np.asarray(leaf)))
        except ValueError:
            return False
    return isinstance(leaf, str) or is_encoded(leaf)


def packer(loader, single):
    """What joins samples in worker processes."""
    fields = label_fields(loader.transform)
    names = {"image", "mask", *SETS, "bboxes", "keypoints", *fields, *(_explicit(loader) or ())}
    transforms = loader.transform is not None
    listed = transforms and loader._user_collate is not None
    roles = Roles(loader.transform, names)
    collate_fn = None if transforms else loader._user_collate
    return workers.Packer(_explicit(loader), roles, fields, single, listed, collate_fn, transforms)


def recipe(loader, fetch, paths):
    """What the DALI road does with samples like this."""
    roles = {name: role(loader.transform, name) for name in paths}
    return Recipe(
        fetch=fetch,
        paths=paths,
        masks=frozenset(n for n, r in roles.items() if r == "mask"),
        passed=frozenset(n for n, r in roles.items() if r == "as is"),
        on_error=loader.on_error,
        errors=loader._errors,
        max_pixels=loader.max_pixels,
        threads=loader.num_workers or len(os.sched_getaffinity(0)),
        ahead=loader.prefetch_factor or 2,
        capacity=loader.batch_size or getattr(loader.batch_sampler, "batch_size", None) or 1,
        device=loader.device,
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
