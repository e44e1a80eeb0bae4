"""Pipelines of other libraries made into gpuaug's: albumentations' objects, dicts and files, and torchaudio's modules."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from typing import Any

import torch

from ..adopted import adopted
from ..checks import one_of
from ..saving import described, made, other_version, read
from ..settings import CLASS, settings
from ..transform import Transform

# ---- albumentations ------------------------------------------------------------------------------


def from_albumentations(
    pipeline: Any, nonserializable: Mapping | None = None, *, seed: int | None = None, unsupported: str = "raise"
) -> Any:
    """A pipeline, a group or a transform of albumentations as one of gpuaug.

    Args:
        pipeline: an object of albumentations 2.0.8, its ``to_dict``, or the path of a JSON or YAML file of its ``save``.
        nonserializable: transforms that a dict or a file holds by name; see `gpuaug.from_dict`.
        seed: instead of the pipeline's own. Files and dicts hold none. What a seed draws is gpuaug's either way.
        unsupported: of transforms, and arguments of theirs, that gpuaug does not have: "raise", or "wrap", which lets
            albumentations run those, image by image on the host (docs/own-transforms.md; `explain` shows which). What
            albumentations does not have either is an error.

    Objects are read with their functions and images (`Lambda`, ``reference_images``, ``read_fn``), and the seed of ``Compose``.
    Arguments mean what they mean there: ``XYMasking(num_masks_x=5)`` is the range (0, 5).

    Raises:
        ValueError: transforms that gpuaug does not have, and arguments that it refuses: all in one message, with their places
            and the nearest names.
        TypeError: something else.

    Example:
        >>> import albumentations as A, gpuaug as G
        >>> G.from_albumentations(A.Compose([A.HorizontalFlip(p=1)], seed=3))
        Compose([
          HorizontalFlip(p=1.0),
        ], p=1.0, seed=3)
    """
    wrap = one_of("unsupported", unsupported, ("raise", "wrap")) == "wrap"
    if isinstance(pipeline, (str, os.PathLike, Mapping)):
        d = pipeline if isinstance(pipeline, Mapping) else read(pipeline)
        found = described(d, nonserializable, _wrapped_dict if wrap else None)
    elif _is_theirs(pipeline):
        version = getattr(sys.modules.get("albumentations"), "__version__", "of an unknown version")
        other_version(version, "this is of albumentations {}")
        head = f"this pipeline of albumentations {version} cannot be one of gpuaug:"
        node = _node(pipeline, outermost=True)
        found = made(node, head, nonserializable, theirs=True, instead=_wrapped_object if wrap else None)
    else:
        raise TypeError(
            f"from_albumentations takes albumentations' transforms, dicts and paths of its files, got {pipeline!r:.80}"
        )
    if seed is None:
        return found
    if not hasattr(found, "seed"):
        raise ValueError(f"seed= is of a Compose, this is a {type(found).__name__}")
    return with_seed(found, seed)


def with_seed(pipeline, seed: int):
    """The same pipeline with another seed."""
    return type(pipeline)(**{**settings(pipeline), "seed": seed})


class _Node(dict):
    """A node of an object, ``thing``."""


def _wrapped_object(node: Mapping):
    """albumentations' object in a step of gpuaug; None of what is no transform."""
    return adopted(node.thing) if isinstance(node, _Node) else None


def _wrapped_dict(node: Mapping):
    """A transform of a dict, made by albumentations; None if it cannot make it."""
    import albumentations
    from albumentations.core.serialization import SERIALIZABLE_REGISTRY

    name = albumentations.core.serialization.shorten_class_name(node[CLASS])
    if name not in SERIALIZABLE_REGISTRY:
        return None
    try:
        found = adopted(albumentations.from_dict({"transform": {**node, "strict": True}}))
    except (TypeError, ValueError):
        return None
    return found if isinstance(found, Transform) else None


def _is_theirs(thing) -> bool:
    return any(cls.__module__.split(".")[0] == "albumentations" for cls in type(thing).__mro__)


def _name(thing) -> str:
    cls = type(thing)
    return cls.__name__ if cls.__module__.split(".")[0] == "albumentations" else f"{cls.__module__}.{cls.__qualname__}"


def _node(thing, outermost: bool = False) -> _Node:
    """An object as its ``to_dict`` writes it, with what that leaves out or refuses: seeds, functions, images."""
    out = _Node({CLASS: _name(thing), "p": thing.p})
    out.thing = thing
    if hasattr(thing, "get_transform_init_args"):
        out |= thing.get_transform_init_args()
        if "custom_apply_fns" in vars(thing):  # a Lambda
            functions = vars(thing)["custom_apply_fns"].items()
            out |= {name: function for name, function in functions if not _is_of(function, "noop")}
        if out.get("reference_images", ()) is None:
            out.pop("read_fn", None)
        return out
    out["transforms"] = [_node(child) for child in thing.transforms]
    out |= {name: getattr(thing, name) for name in ("n", "replace", "channels", "save_key") if name in vars(thing)}
    if hasattr(thing, "processors") and "is_check_shapes" in vars(thing):  # a Compose
        for name, key in (("bbox_params", "bboxes"), ("keypoint_params", "keypoints")):
            processor = thing.processors.get(key)
            out[name] = None if processor is None else processor.params.to_dict_private()
        out |= {"additional_targets": thing.additional_targets, "is_check_shapes": thing.is_check_shapes}
        if outermost:
            out["seed"] = thing.seed
        if getattr(thing, "save_applied_params", False) and "save_key" not in out:
            out["save_applied_params"] = True
    return out


def _is_of(function, name: str) -> bool:
    """Whether it is albumentations' function of that name."""
    module = getattr(function, "__module__", None) or ""
    return getattr(function, "__name__", "") == name and module.split(".")[0] == "albumentations"


# ---- torchaudio ----------------------------------------------------------------------------------

_INSTEAD = {
    "AddNoise": "gpuaug.audio.AddNoise makes the noise itself, for each waveform",
    "InverseMelScale": "run it on what the pipeline gives",
    "MelScale": "gpuaug.audio.MelSpectrogram makes mel spectrograms of waveforms",
    "Speed": "resample before the loader",
    "SpeedPerturbation": "resample before the loader",
    "TimeStretch": "gpuaug.audio.TimeWarp bends the time axis of power spectrograms",
    "Vol": "gpuaug.audio.Gain draws one for each waveform",
}
_SPECTROGRAM = ("n_fft", "win_length", "hop_length", "power", "normalized", "center", "pad_mode", "onesided")
_MASKING = ("n_time_masks", "time_mask_param", "n_freq_masks", "freq_mask_param", "iid_masks", "p", "zero_masking")


def from_torchaudio(modules: Any, *, seed: int | None = None) -> Any:
    """Modules of ``torchaudio.transforms`` as a `gpuaug.audio.Compose`.

    Args:
        modules: a module, a list, or an ``nn.Sequential`` of them, nested too: Spectrogram, MelSpectrogram, AmplitudeToDB,
            TimeMasking, FrequencyMasking, SpecAugment, and steps of `gpuaug.audio`. Windows and filterbanks are taken over.
        seed: see `gpuaug.audio.Compose`.

    What is masked is drawn for every sample, where torchaudio masks a batch alike without ``iid_masks``.

    Raises:
        ValueError: modules, and arguments of theirs, that gpuaug.audio does not have: all in one message.
        TypeError: something else.

    Example:
        >>> import torch, torchaudio.transforms as T, gpuaug as G
        >>> aug = G.from_torchaudio(torch.nn.Sequential(T.Spectrogram(n_fft=64), T.TimeMasking(8)), seed=1)
        >>> aug(torch.rand(2, 640)).shape
        torch.Size([2, 33, 21])
    """
    from .. import audio

    found, faults = [], []
    for place, module in _flat(modules, "modules"):
        name = type(module).__name__
        if isinstance(module, audio.Augmentation):
            found.append(module)
        elif isinstance(module, torch.nn.Identity):
            continue
        elif type(module).__module__.split(".")[0] != "torchaudio":
            raise TypeError(f"from_torchaudio takes modules of torchaudio.transforms, {place} is {module!r:.80}")
        elif name not in _STEPS:
            hint = _INSTEAD.get(name, "run it before the loader, or on what the pipeline gives")
            faults.append(f"{place}: gpuaug.audio has no {name}: {hint}")
        elif wrong := _refused(module):
            faults += [f"{place}: {name}: {words}" for words in wrong]
        else:
            found.append(_STEPS[name](audio, module))
    if faults:
        raise ValueError("\n- ".join(["these modules cannot be steps of gpuaug.audio:", *faults]))
    return audio.Compose(found, seed=seed)


def _flat(modules, place: str):
    if isinstance(modules, (torch.nn.Sequential, torch.nn.ModuleList, list, tuple)):
        for i, module in enumerate(modules):
            yield from _flat(module, f"{place}[{i}]")
    else:
        yield place, modules


def _refused(module) -> list[str]:
    """What of its arguments cannot be kept."""
    words = []
    if getattr(module, "pad", 0):
        words.append(f"pad={module.pad} is not there: pad the waveforms themselves")
    if hasattr(module, "amin") and (module.amin, module.ref_value) != (1e-10, 1.0):
        words.append("amin and ref_value are torchaudio's own, 1e-10 and 1")
    return words


def _named(module, names) -> dict:
    return {name: getattr(module, name) for name in names}


def _frontend(name: str, arguments):
    def step(audio, module):
        step = getattr(audio, name)(**arguments(module))
        step.inner.load_state_dict(module.state_dict())  # windows and filterbanks
        return step

    return step


def _mel(module) -> dict:
    out = _named(module.spectrogram, [name for name in _SPECTROGRAM if name != "onesided"])
    out |= _named(module, ["sample_rate", "f_min", "f_max", "n_mels"])
    return out | {"norm": module.mel_scale.norm, "mel_scale": module.mel_scale.mel_scale}


_STEPS = {
    "AmplitudeToDB": lambda audio, m: audio.AmplitudeToDB(m.stype, m.top_db),
    "FrequencyMasking": lambda audio, m: audio.FrequencyMasking(m.mask_param, m.iid_masks),
    "MelSpectrogram": _frontend("MelSpectrogram", _mel),
    "SpecAugment": lambda audio, m: audio.SpecAugment(**_named(m, _MASKING)),
    "Spectrogram": _frontend("Spectrogram", lambda m: _named(m, _SPECTROGRAM)),
    "TimeMasking": lambda audio, m: audio.TimeMasking(m.mask_param, m.iid_masks, m.p),
}
