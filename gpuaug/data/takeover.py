"""An existing loader of torch's whose dataset augments, taken over."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import torch
from torch.utils.data import BatchSampler, IterableDataset, RandomSampler, SequentialSampler, Subset, default_collate

from ..checks import one_of
from ..compose import Compose
from ..groups import Group
from ..seeding import apart
from ..transform import Transform
from .loader import DataLoader

TRIED = 8  # samples, from the first to the last
# the library that a class comes from, and what makes its pipelines gpuaug's
_FROM = {"albumentations": "from_albumentations", "torchvision": "from_torchvision", "kornia": "from_kornia"}


def accelerate(
    loader: torch.utils.data.DataLoader, *, transform: str | None = None, unsupported: str = "raise", **more: Any
) -> DataLoader:
    """Take over a `torch.utils.data.DataLoader` whose dataset has a transform: the same samples in the same batches, augmented by
    gpuaug behind the workers.

    The dataset is copied, with a transform that hands everything on as it came; its own, of gpuaug, albumentations, torchvision
    or Kornia, becomes the new loader's. It is tried on up to 8 samples, from the first to the last: each must call the transform
    once, and what that makes must be what ``__getitem__`` returns, or the loader is not taken over. All arguments of the loader
    are kept; a `Subset` (``random_split``) is looked into.

    Args:
        loader: torch's loader. It and its dataset stay as they are.
        transform: the attribute of the dataset that holds the transform, where there are several.
        unsupported: "raise", or "wrap": transforms that gpuaug does not have run on the host as they are.
        more: further arguments of `gpuaug.DataLoader`: ``device``, ``seed``, ``dtype``, ..

    Raises:
        ValueError: it cannot be taken over; the message lists why, item by item.
        TypeError: no loader of torch's.

    Source: ours.

    Example:
        >>> import numpy as np, torch, gpuaug as G
        >>> class Squares(torch.utils.data.Dataset):
        ...     def __init__(self, transform):
        ...         self.transform = transform
        ...     def __len__(self):
        ...         return 4
        ...     def __getitem__(self, i):
        ...         image = np.full((8, 8, 3), i, np.uint8)
        ...         return self.transform(image=image)["image"], i
        >>> slow = torch.utils.data.DataLoader(Squares(G.Compose([G.InvertImg(p=1), G.ToTensorV2()])), batch_size=2)
        >>> fast = G.accelerate(slow, device="cpu")
        >>> [(images.shape, images[:, 0, 0, 0].tolist(), numbers.tolist()) for images, numbers in fast]
        [(torch.Size([2, 3, 8, 8]), [255, 254], [0, 1]), (torch.Size([2, 3, 8, 8]), [253, 252], [2, 3])]
    """
    one_of("unsupported", unsupported, ("raise", "wrap"))
    if isinstance(loader, DataLoader):
        raise TypeError("accelerate takes torch's DataLoader; this one is gpuaug's already")
    if not isinstance(loader, torch.utils.data.DataLoader):
        raise TypeError(f"accelerate takes a torch.utils.data.DataLoader, got {type(loader).__name__}")
    faults: list[str] = []
    if type(loader) is not torch.utils.data.DataLoader:
        faults.append(f"it is a {type(loader).__name__}, whose own ways of loading would be lost: pass torch's DataLoader")
    dataset, pipeline, targets = _without_transform(loader.dataset, transform, unsupported, faults)
    if faults:
        raise ValueError("\n- ".join(["this loader cannot be taken over:", *faults]))
    how = _arguments(loader)
    if targets is not None:
        how["targets"] = targets
    return DataLoader(dataset, **{**how, "transform": pipeline, **more})


class _Pass:
    """A transform that hands on what it gets, and remembers its calls while it is tried."""

    def __init__(self):
        self.calls: list[tuple[tuple, dict[str, Any]]] | None = None

    def __call__(self, *args: Any, **named: Any) -> Any:
        if self.calls is not None:
            self.calls.append((args, named))
        if named:
            return named if not args else {"image": args[0], **named}
        return args[0] if len(args) == 1 else args


def _without_transform(dataset, name: str | None, unsupported: str, faults: list[str]):
    """(the dataset, its pipeline as gpuaug's, where its targets are in a sample)."""
    inner, wrappers = dataset, []
    while type(inner) is Subset:
        wrappers.append(inner)
        inner = inner.dataset
    if isinstance(inner, IterableDataset):
        faults.append(
            f"{type(inner).__name__} is an IterableDataset: nothing can be tried on it; pass transform= to gpuaug.DataLoader"
        )
        return None, None, None
    name, theirs = _transform_of(inner, name, faults)
    if name is None:
        return None, None, None
    pipeline = _converted(name, theirs, unsupported, faults)
    if not len(inner):
        faults.append(f"{type(inner).__name__} is empty: there is no sample to try")
        return None, None, None
    bare, tried = copy.copy(inner), _Pass()
    _put(bare, name, tried)
    with apart():
        for i in sorted({round(k * (len(inner) - 1) / max(TRIED - 1, 1)) for k in range(TRIED)}, reverse=True):
            tried.calls = []
            try:
                sample = bare[i]
            except Exception as error:
                faults.append(
                    f"{type(inner).__name__} works on what its {name} makes: with a transform that hands on what it gets, sample "
                    f"{i} fails: {type(error).__name__}: {error}"
                )
                return None, None, None
            targets = _found(sample, tried.calls, f"sample {i}", name, faults)
            if targets is None:
                return None, None, None
        tried.calls = None
        plain = copy.copy(inner)
        _put(plain, name, None)
        try:  # files that torchvision's datasets name are read by gpuaug's own threads, if nothing calls for their pixels
            same = _same(plain[0], sample)
        except Exception:
            same = False
    bare = plain if same else bare
    for wrapper in reversed(wrappers):
        bare = Subset(bare, wrapper.indices)
    return bare, pipeline, None if same else targets


def _transform_of(dataset, name: str | None, faults: list[str]):
    """The attribute that holds the dataset's transform, and the transform."""
    held = {key: value for key, value in vars(dataset).items() if _library(value) is not None}
    if name is not None:
        if name not in held:
            faults.append(
                f"transform={name!r}: {type(dataset).__name__} holds no transform there, but in {', '.join(held) or 'none'}"
            )
            return None, None
        return name, held[name]
    if len(held) != 1:
        faults.append(
            f"{type(dataset).__name__} holds {'several transforms: ' + ', '.join(held) if held else 'no transform'} (of gpuaug, "
            f"albumentations, torchvision or Kornia)"
            + ("; say which, transform='..'" if held else " among its attributes; pass transform= to gpuaug.DataLoader")
        )
        return None, None
    return next(iter(held.items()))


def _library(thing) -> str | None:
    if isinstance(thing, (Compose, Transform, Group)):
        return "gpuaug"
    if isinstance(thing, torch.nn.Sequential):
        return next((found for found in map(_library, thing) if found is not None), None)
    modules = [cls.__module__ for cls in type(thing).__mro__]
    if any(module.startswith("gpuaug.vision") for module in modules):
        return "gpuaug"
    heads = {"torchvision.transforms": "torchvision", "albumentations": "albumentations", "kornia.augmentation": "kornia"}
    return next((library for module in modules for head, library in heads.items() if module.startswith(head)), None)


def _converted(name: str, theirs, unsupported: str, faults: list[str]):
    import gpuaug

    library = _library(theirs)
    if library == "gpuaug":
        return theirs
    try:
        return getattr(gpuaug, _FROM[library])(theirs, unsupported=unsupported)
    except (TypeError, ValueError) as error:
        head, *items = str(error).split("\n- ")
        faults.extend(f"{name}: {item}" for item in items or [head])
        return None


def _put(dataset, name: str, value) -> None:
    setattr(dataset, name, value)
    both = getattr(dataset, "transforms", None)  # torchvision's datasets hold it twice
    if type(both).__name__ == "StandardTransform":
        both = copy.copy(both)
        both.transform = value
        dataset.transforms = both


def _found(sample, calls: list, who: str, name: str, faults: list[str]) -> dict[str, tuple] | None:
    """Where in a sample the things are that the transform got; None: there are faults."""
    if len(calls) != 1:
        faults.append(f"{who} was made with {len(calls)} calls of {name}; each sample must call it once, since the loader does")
        return None
    args, named = calls[0]
    if len(args) > 1:
        faults.append(f"{who} hands {len(args)} things to {name} by place: which are they? Name them, {name}(image=.., mask=..)")
        return None
    found, before = {}, len(faults)
    for target, value in (dict(zip(["image"], args)) | named).items():
        places = list(_places(sample, value))
        if isinstance(value, (str, bytes, int, float, type(None))):
            continue
        if len(places) != 1:
            how = (
                "several times"
                if places
                else "not as it is (something is done to it behind the transform, which would come before)"
            )
            faults.append(f"{target}: what {name} makes of it is in {who} {how}; __getitem__ must return it once and as it is")
        else:
            found[target] = places[0]
    return found if len(faults) == before else None


def _places(node, value, path: tuple = ()):
    if node is value:
        yield path
    elif isinstance(node, dict):
        for key, child in node.items():
            yield from _places(child, value, (*path, key))
    elif isinstance(node, (list, tuple)):
        for key, child in enumerate(node):
            yield from _places(child, value, (*path, key))


def _same(a, b) -> bool:
    if isinstance(a, dict):
        return isinstance(b, dict) and a.keys() == b.keys() and all(_same(a[key], b[key]) for key in a)
    if isinstance(a, (list, tuple)):
        return type(a) is type(b) and len(a) == len(b) and all(map(_same, a, b))
    if type(a) is not type(b):
        return False
    if isinstance(a, (np.ndarray, torch.Tensor)):
        return a.shape == b.shape and bool((a == b).all())
    return bool(a == b)


def _arguments(loader: torch.utils.data.DataLoader) -> dict[str, Any]:
    """Those with which gpuaug's loader gives the same samples in the same batches."""
    how: dict[str, Any] = {
        name: getattr(loader, name)
        for name in ("num_workers", "pin_memory", "timeout", "worker_init_fn", "prefetch_factor", "persistent_workers")
    }
    how["multiprocessing_context"] = loader.multiprocessing_context if loader.num_workers else None
    if loader.collate_fn is not default_collate and loader.batch_size is not None:
        how["collate_fn"] = loader.collate_fn
    if type(loader.batch_sampler) not in (BatchSampler, type(None)):
        return {**how, "batch_sampler": loader.batch_sampler}
    how |= {"batch_size": loader.batch_size, "drop_last": loader.drop_last}
    sampler = loader.sampler
    if type(sampler) is RandomSampler and not sampler.replacement and sampler._num_samples is None:
        return {**how, "shuffle": True, "generator": loader.generator}
    return how if type(sampler) is SequentialSampler else {**how, "sampler": sampler}
