"""A page for every public name that is no transform."""

from __future__ import annotations

import importlib
import inspect

import gpuaug

from .transforms import ours

MODULES = {
    "gpuaug": "Pipelines, groups, files, and what stands beside them.",
    "gpuaug.data": "The loader, datasets, samplers, mixes.",
    "gpuaug.audio": "Waveforms and spectrograms, as torch modules.",
    "gpuaug.vision": "torchvision's names: [torchvision.md](../torchvision.md) says what differs.",
    "gpuaug.functional": "Single steps, for use in models and losses.",
    "gpuaug.pictures": "Pictures of batches, pipelines and transforms.",
    "gpuaug.interop.dali": "In a DALI pipeline of your own.",
    "gpuaug.interop.lightning": "With Lightning.",
    "gpuaug.interop.ray": "With Ray Data.",
}
DATA = {"REGISTRY": "Every transform by name, yours among them: ``{name: class}``."}
LAZY = ("accelerate", "from_albumentations", "from_kornia", "from_torchaudio", "from_torchvision", "parity", "report", "show")


def public(module: str) -> list[str]:
    """The names that a module shows, without transforms, which have pages of their own."""
    found = importlib.import_module(module)
    names = list(getattr(found, "__all__", ()) or [
        name for name, value in vars(found).items()
        if not name.startswith("_") and getattr(value, "__module__", "").startswith("gpuaug") and callable(value)
        and getattr(value, "__module__", "") == module
    ])  # fmt: skip
    if module == "gpuaug":
        names = sorted({*names, *LAZY} - set(ours()))
    if module == "gpuaug.data":
        names = [name for name in names if name != "DataLoader"]  # it is gpuaug.DataLoader, too
    return sorted(names, key=str.lower)


def pages() -> dict[str, str]:
    made, index = {}, ["# Reference", "", "Every public name. Transforms have [pages with pictures](../transforms/index.md).", ""]
    for module, said in MODULES.items():
        names = public(module)
        index += [
            f"## {module}",
            "",
            said,
            "",
            "```{toctree}",
            ":maxdepth: 1",
            "",
            *(f"{module}.{name}" for name in names),
            "```",
            "",
        ]
        for name in names:
            made[f"api/{module}.{name}.md"] = _page(module, name)
    made["api/index.md"] = "\n".join(index)
    return made


def _page(module: str, name: str) -> str:
    value = getattr(importlib.import_module(module), name)
    if inspect.isclass(value):
        members = [] if name in gpuaug.REGISTRY else [" :members:"]
        directive = [f".. autoclass:: {module}.{name}", *(f"  {member}" for member in members)]
    elif callable(value):
        directive = [f".. autofunction:: {module}.{name}"]
    else:
        directive = [f".. py:data:: {module}.{name}", "", f"   {DATA.get(name, '')}"]
    return "\n".join([f"# {module}.{name}", "", "```{eval-rst}", *directive, "```", ""])
