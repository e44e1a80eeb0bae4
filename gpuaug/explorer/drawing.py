"""What the page shows of a pipeline on a sample: draws, code, time and launches."""

from __future__ import annotations

import base64
import statistics
import time
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from ..compose import Compose
from ..now import Unseen
from ..pictures.previews import cells
from ..pictures.sheet import Cell, alone
from .samples import Sample
from .steps import Pipeline

LARGEST = 8192
"""Pixels of a side of what a pipeline makes on the page."""

BATCH = 16
SECONDS = 0.4  # that measuring may take, about


@dataclass
class Shown:
    """One picture: as a data URL, and what was drawn."""

    url: str
    caption: str
    size: str


def draws(compose: Compose, sample: Sample, count: int, epoch: int, labels: bool) -> list[Shown]:
    """The original, and so many draws, of ``epoch`` and on.

    labels: whether masks, boxes and keypoints are drawn over them.

    Raises:
        ValueError, TypeError: what the call raises; pictures of more than `LARGEST` pixels.
    """
    _small_enough(compose, sample, count, epoch)
    return [shown(cell, labels) for cell in cells(compose, [sample.targets], count, epoch, None)[0]]


def _small_enough(compose: Compose, sample: Sample, count: int, epoch: int) -> None:
    """Refuse before there is memory for it what would be too large; what asks for pixels or labels is not known before."""
    image = sample.targets.get("image")
    if image is None or any(leaf.targets_as_params for leaf in compose._leaves()):
        return
    for number in range(epoch, epoch + count):
        try:
            drawn = compose.draw([image.shape[:2]], ids=[0], epoch=number, now=Unseen())
            sizes = [np.array([image.shape[:2]])]
            for step in drawn.steps:
                sizes.append(step.transform.size_after(step.params, sizes[-1]))
        except Exception:
            return
        height, width = np.max(np.concatenate(sizes), 0)
        if max(height, width) > LARGEST:
            raise ValueError(
                f"this makes pictures of {height} x {width} pixels; the page shows up to {LARGEST} a side: run it in Python"
            )


def shown(cell: Cell, labels: bool) -> Shown:
    if not labels:
        cell = Cell(cell.image, caption=cell.caption)
    url = "data:image/png;base64," + base64.b64encode(alone(cell)).decode()
    return Shown(url, cell.caption, f"{cell.image.shape[1]} × {cell.image.shape[0]}")


def python(pipeline: Pipeline, sample: Sample, count: int, epoch: int) -> str:
    """A program that makes the first draw of the page, and a sheet of all."""
    leading = "image" if "image" in sample.targets else "volume"
    imports = sorted(("import gpuaug as A", *sample.imports), key=lambda line: (line.startswith("from"), line))
    text = "\n\n".join(
        [
            "\n".join(imports),
            pipeline.python(sample.params),
            f"# what the page shows it on\n{sample.code}",
            f"# the first draw of the page, and all of them as one picture\n"
            f"augmented = pipeline(**sample, ids=[0], epoch={epoch})[{leading!r}]\n"
            f"pipeline.preview(sample, 'draws.png', draws={count}, epoch={epoch})\n",
        ]
    )
    return "\n".join(line if set(line) & set('"\\') else line.replace("'", '"') for line in text.split("\n"))


def measured(compose: Compose, sample: Sample) -> str:
    """How long an image takes here, in words."""
    targets = {name: value for name, value in sample.targets.items() if name in ("image", "volume")}
    leading, image = next(iter(targets.items()))
    what = f"{image.shape[-2]} × {image.shape[-3]}" if leading == "image" else " × ".join(map(str, image.shape[:3]))
    beside = {name: value for name, value in sample.targets.items() if name.endswith("_metadata")}
    if leading == "image" and not beside:
        batch = np.stack([image] * BATCH)
        try:
            seconds = _seconds(lambda: compose(image=batch, ids=range(BATCH))) / BATCH
        except (ValueError, TypeError, KeyError):  # it needs labels
            pass
        else:
            return (
                f"{told(seconds)} per image: batches of {BATCH} images of {what} pixels, without labels, on the CPU with "
                f"{torch.get_num_threads()} thread{'s' if torch.get_num_threads() > 1 else ''}"
            )
    seconds = _seconds(lambda: compose(**sample.targets, ids=[0]))
    return f"{told(seconds)} per {leading}: one of {what} at a time, with its labels, on the CPU"


def _seconds(call: Any) -> float:
    call()
    found: list[float] = []
    while sum(found) < SECONDS and len(found) < 9:
        begun = time.perf_counter()
        call()
        found.append(time.perf_counter() - begun)
    return statistics.median(found)


def told(seconds: float) -> str:
    """A time in words.

    Example:
        >>> told(0.00042), told(0.0513), told(2.04)
        ('0.42 ms', '51 ms', '2.0 s')
    """
    if seconds >= 1:
        return f"{seconds:.1f} s"
    return f"{seconds * 1000:.{max(0, 2 - len(str(int(seconds * 1000))) + (seconds < 0.001))}f} ms"


def launches(compose: Compose, sample: Sample) -> str:
    """What a batch would launch, in words; or why that cannot be told."""
    image = sample.targets.get("image")
    if image is None:
        return "What volumes launch is told in Python only, slice by slice."
    try:
        return compose.explain(image.shape[:2], samples=64, channels=image.shape[2], dtype=str(image.dtype))
    except Exception as error:
        return f"This cannot be told beforehand: {error}"
