"""What it takes to repeat a run: versions, seeds, the pipeline, the data, and one number for all of it."""

from __future__ import annotations

import hashlib
import json
import platform
from typing import Any

import numpy as np
import torch

from .checks import boolean
from .compose import Compose
from .settings import Settings

PACKAGES = ("gpuaug", "torch", "numpy", "pillow", "nvidia-dali-cuda130", "nvidia-dali-cuda120", "cupy-cuda13x", "cupy-cuda12x")


class Report(dict):
    """A `report`: a dict of plain Python that prints itself as text.

    Attributes:
        text: what ``print`` shows, a line for each entry.
    """

    @property
    def text(self) -> str:
        versions = ", ".join(f"{name} {version}" for name, version in self["versions"].items())
        lines = [
            f"run       {self['hash']}  (of all below but versions and device)",
            f"versions  {versions}",
            f"device    {self['device']}",
            f"seed      {self['seed']}",
        ]
        if "data" in self:
            data = self["data"]
            known = f"fingerprint {data['fingerprint']}" if data["fingerprint"] else "of which nothing more is known"
            many = "a stream" if data["samples"] is None else f"{data['samples']} samples"
            lines.append(f"data      {data['type']}, {many}, {known}")
            loading = ", ".join(f"{name}={value!r}" for name, value in self["loading"].items())
            lines.append(f"loading   {loading}")
        pipeline = self["pipeline"]
        text = pipeline if isinstance(pipeline, str) else json.dumps(pipeline["transform"], indent=1)
        return "\n".join([*lines, "pipeline", *(f"  {line}" for line in text.splitlines())])

    def __str__(self) -> str:
        return self.text


def versions(more: tuple[str, ...] = ()) -> dict[str, str]:
    """The versions of Python and of the packages that decide what pixels come out, and of others."""
    from .machine import versions as installed

    return {"python": platform.python_version(), **installed((*PACKAGES, *more))}


def report(compose: Compose, loader: Any = None, *, fingerprint: bool = True) -> Report:
    """What a paper needs to be repeated.

    Args:
        compose: the pipeline.
        loader: the `gpuaug.DataLoader` that feeds it, for its seed, its order and its data.
        fingerprint: look at all samples of the loader's dataset (paths, sizes and times of files; a checksum of encoded bytes,
            or a ``fingerprint`` that the dataset has): a second for 100,000 files. False leaves it out.

    Returns:
        A dict with ``versions``, ``device``, ``seed``, ``pipeline`` (as `to_dict` writes it, or its repr where functions of yours
        are in it), ``data`` and ``loading`` of the loader, and ``hash``: 16 digits of SHA-256 over gpuaug's version, seed,
        pipeline, data and loading (with the sampler's settings, as far as they are plain values or arrays). Versions of other
        packages and the device are not in it; nor are pixels of a dataset that has no files and no ``fingerprint``, nor what a
        function of yours does. ``print(report)`` is readable.

    Raises:
        TypeError: what is no Compose, or no loader of gpuaug's.
        ValueError: a pipeline without a seed, and no loader that has one: no two runs draw alike.

    Example:
        >>> import gpuaug as G
        >>> found = G.report(G.Compose([G.HorizontalFlip()], seed=3))
        >>> found["seed"], len(found["hash"])
        (3, 16)
    """
    from .data.loader import DataLoader

    if not isinstance(compose, Compose):
        raise TypeError(f"report takes a gpuaug.Compose, got {type(compose).__name__}")
    if loader is not None and not isinstance(loader, DataLoader):
        raise TypeError(f"loader must be a gpuaug.DataLoader, got {type(loader).__name__}")
    boolean("fingerprint", fingerprint)
    seed = compose.seed if compose.seed is not None else getattr(loader, "seed", None)
    if seed is None:
        where = "Compose(seed=..)" if loader is None else "Compose(seed=..) or DataLoader(seed=..)"
        raise ValueError(f"nothing has a seed, so no two runs draw alike: say {where}")
    found = Report(versions=versions(), device=_device(loader), seed=seed, pipeline=_pipeline(compose))
    if loader is not None:
        found["data"] = _data(loader.dataset, fingerprint)
        found["loading"] = _loading(loader)
    decisive = {name: found.get(name) for name in ("seed", "pipeline", "data", "loading")}
    decisive["gpuaug"] = found["versions"].get("gpuaug")
    text = json.dumps(decisive, sort_keys=True, default=str)
    found["hash"] = hashlib.sha256(text.encode()).hexdigest()[:16]
    return found


def _device(loader) -> str:
    from .machine import best_device, device_name

    return device_name(best_device() if loader is None else loader.device)


def _pipeline(compose: Settings):
    try:
        written = compose.to_dict()
    except ValueError:  # functions of the user's
        return repr(compose)
    written.pop("__version__", None)
    return written


def _data(dataset, fingerprint: bool) -> dict[str, Any]:
    try:
        samples = len(dataset)
    except TypeError:  # a stream
        samples = None
    found = {"type": type(dataset).__name__, "samples": samples, "fingerprint": None}
    if fingerprint and samples is not None:
        from .data.stored.sources import Sources

        sources = Sources(dataset, None)
        if sources.said is not None or sources.encoded is not None:
            found["fingerprint"] = sources.of_part(0, samples)
    return found


def _loading(loader) -> dict[str, Any]:
    sampler = loader.batch_sampler if loader.batch_size is None else loader.sampler
    found = {
        "batch_size": loader.batch_size,
        "drop_last": loader.drop_last,
        "sampler": {"type": type(sampler).__name__, **_told(sampler)},
        "shuffle": loader._shuffle,
        "seed": loader.seed,
        "decode": loader.decode,
        "on_error": loader.on_error,
        "max_pixels": loader.max_pixels,
        "dtype": None if loader.dtype is None else str(loader.dtype),
    }
    if loader.mix:
        found["mix"] = repr(loader.mix)
    return found


def _told(sampler) -> dict[str, Any]:
    """What a sampler was told, as far as it is plain values, or arrays, of which there is a checksum.

    Public names; of ours private ones, too, which hold the samples' classes and numbers. Where it is now is not its own.
    """
    from .data.samplers import _EpochSampler

    found = {}
    for name, value in sorted(getattr(sampler, "__dict__", {}).items()):
        hidden = name.startswith("_")
        if name in ("epoch", "generator") or (hidden and not isinstance(sampler, _EpochSampler)):
            continue
        arrays = value if isinstance(value, (list, tuple)) and value else [value]
        if all(isinstance(each, (np.ndarray, torch.Tensor)) and each.dtype != object for each in arrays):
            found[name] = _checksum(arrays)
        elif not hidden and _is_plain(value):
            long = isinstance(value, (list, tuple)) and len(value) > 16
            found[name] = _checksum([np.array(repr(value))]) if long else value
    return found


def _checksum(arrays) -> str:
    found = hashlib.sha256()
    for array in arrays:
        if isinstance(array, torch.Tensor):
            array = array.detach().cpu()
            array = array.double() if array.is_floating_point() else array  # NumPy has no bfloat16
        array = np.ascontiguousarray(array)
        found.update(f"{array.dtype.str}{array.shape}".encode() + array.tobytes())
    return found.hexdigest()[:16]


def _is_plain(value) -> bool:
    if isinstance(value, (list, tuple)):
        return all(map(_is_plain, value))
    return value is None or isinstance(value, (bool, int, float, str))
