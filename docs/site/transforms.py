"""A page for each transform: its picture, what its docstring says, and how it compares; the gallery; the table of targets."""

from __future__ import annotations

import inspect
import json
import warnings
from pathlib import Path

import gpuaug
from gpuaug.pictures import example, subjects
from gpuaug.transform import Transform

from .. import generate

ROOT = Path(__file__).resolve().parents[2]
_COMPARED = "Compared with implementations that somebody else wrote, given the same parameters ([how](../parity.md)):"
TARGETS = ("image", "mask", "masks", "boxes", "keypoints", "images", "volumes")


def pages(folder: Path) -> dict[str, str]:
    """{path: text}; writes the pictures, and raises for a transform that has none."""
    pictures = folder / "pictures"
    pictures.mkdir()
    parity, speed = _parity(), _speed()
    names = ours()
    for name in names:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            example(name, pictures / f"{name}.png")
    made = {f"transforms/{name}.md": _page(name, parity.get(name, []), speed.get(name)) for name in names}
    made["transforms/index.md"] = _gallery(names)
    made["targets-table.md"] = _targets(names)
    return made


def ours() -> list[str]:
    """The transforms of the package, which users' own may stand beside in the registry."""
    return sorted(name for name, cls in gpuaug.REGISTRY.items() if cls.__module__.startswith("gpuaug.transforms"))


def _parity() -> dict[str, list[list[str]]]:
    """The rows of docs/parity.md by transform."""
    found: dict[str, list[list[str]]] = {}
    for line in (ROOT / "docs" / "parity.md").read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if line.startswith("| ") and len(cells) == 8 and cells[0] in gpuaug.REGISTRY:
            found.setdefault(cells[0], []).append(cells[1:])
    return found


def _speed() -> dict[str, str]:
    """A sentence for each transform that bench.every measured, or why it did not."""
    measured = json.loads((ROOT / "bench" / "results" / "every-cpu.json").read_text())
    said = {}
    for row in measured["results"]:
        low, median, high = row["ratios"]["image"]
        said[row["case"]] = (
            f"**{median:.2f}x** of albumentations on one thread of a CPU, {row['batch']} windows of 224 x 224, default arguments "
            f"(quartiles {low:.2f} to {high:.2f}; {measured['date'][:10]})."
        )
        if median < 1 and row["behind"]:
            said[row["case"]] += f" Why it is behind: {row['behind']}."
    for name, why in measured["unmeasured"].items():
        said[name] = f"Not measured: {why}."
    return said


EXCEPT = {
    "Mosaic": {"images", "volumes"},  # it refuses sets
    "OverlayElements": {"boxes", "keypoints"},  # what it lays over an image leaves the labels beneath
    "ToTensor": {"boxes", "keypoints"},  # a layout
    "ToTensorV2": {"boxes", "keypoints"},
    "ToTensor3D": {"keypoints"},
}


def moves(cls: type[Transform]) -> dict[str, bool]:
    """Which targets a transform moves or changes."""
    mask = "mask" in cls.targets
    image = "image" in cls.targets or cls.solid
    found = {
        "image": image and not cls.solid,
        "mask": mask and not cls.solid,
        "masks": mask and not cls.solid,
        "boxes": mask and not cls.solid,
        "keypoints": mask or cls.solid,
        "images": image and not cls.solid,
        "volumes": image,
    }
    return {target: there and target not in EXCEPT.get(cls.__name__, ()) for target, there in found.items()}


def _page(name: str, parity: list[list[str]], speed: str | None) -> str:
    given = subjects.given(name)
    shown = ", ".join(f"{key}={value!r}" for key, value in given.items())
    if name == "TextImage":
        shown = "font_path=.., p=1"
    lines = [f"# {name}", "", f"![{name}: the original and four draws](/pictures/{name}.png)", ""]
    lines += [f"`gpuaug.{name}({shown})`, with the seed 0 in epochs 0 to 3.", ""]
    reached = [target for target, there in moves(gpuaug.REGISTRY[name]).items() if there]
    lines += [f"**Targets**: {', '.join(reached)}.", ""]
    lines += ["```{eval-rst}", f".. autoclass:: gpuaug.{name}", "```", ""]
    if speed:
        lines += ["## Speed", "", speed, ""]
    if parity:
        lines += [
            "## Parity",
            "",
            _COMPARED,
            "",
        ]
        lines += ["| case | reference | type | values | equal | largest difference | bound |", "|---|---|---|---:|---:|---:|---|"]
        lines += [f"| {' | '.join(row)} |" for row in parity]
    return "\n".join(lines) + "\n"


def _gallery(names: list[str]) -> str:
    families, _, _, _ = generate.sorted_out()
    lines = ["# Transforms", "", "Each with a draw of its own for every sample; arguments and defaults are albumentations'.", ""]
    left = set(names)
    for family, members in families.items():
        mine = [name for name in members if name in left]
        if not mine:
            continue
        left -= set(mine)
        lines += [f"## {family.capitalize()}", "", "::::{grid} 1 1 2 2", ":gutter: 2", ""]
        for name in mine:
            lines += [
                f":::{{grid-item-card}} {name}",
                f":link: {name}",
                ":link-type: doc",
                f":img-bottom: /pictures/{name}.png",
                "",
            ]
            lines += [inspect.getdoc(gpuaug.REGISTRY[name]).splitlines()[0].replace("`", ""), ":::"]
        lines += ["::::", ""]
    if left:
        raise SystemExit(f"docs/site: {', '.join(sorted(left))} have no family in docs/generate.py")
    lines += ["```{toctree}", ":hidden:", "", *names, "```"]
    return "\n".join(lines) + "\n"


_TARGETS = """Which targets a transform moves or changes; all others pass as they are. `masks` and `images` are sets,
`volumes` stands for `volume`, `volumes`, `mask3d` and `masks3d`, slice by slice but for the transforms of volumes. What moves
pixels moves boxes and keypoints with them; a dropout drops those that it hides ([how](targets.md))."""


def _targets(names: list[str]) -> str:
    lines = ["# Transforms and targets", "", _TARGETS, ""]
    lines += [f"| transform | {' | '.join(TARGETS)} |", f"|---|{':---:|' * len(TARGETS)}"]
    for name in names:
        reached = moves(gpuaug.REGISTRY[name])
        lines.append(f"| [{name}](transforms/{name}.md) | {' | '.join('x' if reached[t] else '' for t in TARGETS)} |")
    return "\n".join(lines) + "\n"
