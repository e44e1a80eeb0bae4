"""`gpuaug bench pipeline`: one's own pipeline on one's own pictures, through the loaders that people have."""

from __future__ import annotations

import json
import os
import statistics
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ..compose import Compose
from ..data.scan import pictures_in
from ..demo import race, single_threaded
from ..machine import best_device, cpu_name, device_name, told_device
from ..reports import versions
from .rivals import NotThere, to_albumentations, to_kornia, to_torchvision

OURS, ALBUMENTATIONS, TORCHVISION, KORNIA = "gpuaug", "albumentations", "torchvision", "Kornia"
THEIRS = ("albumentations", "torchvision", "kornia", "opencv-python-headless", "opencv-python")  # packages of theirs


class Pictures(torch.utils.data.Dataset):
    """The pictures below a folder, all of them, with the number 0: read by ``reader``, then given to ``transform``.

    For gpuaug's loader it hands out paths.
    """

    thread_safe = True

    def __init__(self, files: list[str], transform=None, reader=None):
        self.files, self.transform, self.reader = files, transform, reader
        if reader is not None:
            self.encoded = None

    def __len__(self):
        return len(self.files)

    def encoded(self, index):
        return self.files[index], 0

    def __getitem__(self, index):
        return self.transform(self.reader(self.files[index])), 0


def by_opencv(path: str) -> np.ndarray:
    import cv2

    return cv2.cvtColor(cv2.imread(path), cv2.COLOR_BGR2RGB)


def by_pillow(path: str):
    from PIL import Image

    return Image.open(path).convert("RGB")


@dataclass
class Augmented:
    """albumentations' pipeline, in a dataset."""

    pipeline: Any

    def __call__(self, image):
        out = self.pipeline(image=image)["image"]
        return out if isinstance(out, torch.Tensor) else torch.from_numpy(np.ascontiguousarray(out))


class Batched:
    """A loader whose batches another library augments on the device, in the loop."""

    def __init__(self, loader, augment, device):
        self.loader, self.augment, self.device = loader, augment, device

    def __iter__(self):
        for images, labels in self.loader:
            images = images.to(self.device, non_blocking=True).float() / 255
            with torch.no_grad():
                yield self.augment(images), labels


@dataclass
class Measured:
    """What `measure` found: a dict for each side as `race` gives it, why others are missing, and what limits ours."""

    sides: dict[str, dict]
    missing: dict[str, str]
    limit: str
    device: torch.device
    facts: dict[str, Any] = field(default_factory=dict)

    def ratio(self, name: str) -> tuple[float, float, float]:
        """Times as fast as that side, epoch by epoch: the lowest, the median, the highest."""
        pairs = zip(self.sides[OURS]["rates"], self.sides[name]["rates"], strict=True)
        found = [ours / theirs for ours, theirs in pairs]
        return min(found), statistics.median(found), max(found)

    def to_json(self) -> dict[str, Any]:
        ratios = {name: self.ratio(name) for name in self.sides if name != OURS}
        return {**self.facts, "sides": self.sides, "missing": self.missing, "ratios": ratios, "limit": self.limit}


def sides_of(pipeline: Compose, files: list[str], batch: int, workers: int, device: torch.device) -> tuple[dict, dict]:
    """({name: function that makes a loader}, {name: why it is missing})."""
    makers, missing = {}, {}

    def torch_loader(transform, reader):
        return torch.utils.data.DataLoader(
            Pictures(files, transform, reader), batch, shuffle=True, num_workers=workers, persistent_workers=workers > 0,
            worker_init_fn=single_threaded if reader is by_opencv else None, pin_memory=device.type == "cuda",
        )  # fmt: skip

    def kornia():
        first, rest = to_kornia(pipeline)
        return Batched(torch_loader(first, by_pillow), rest.to(device), device)

    found = {
        ALBUMENTATIONS: lambda: torch_loader(Augmented(to_albumentations(pipeline)), by_opencv),
        TORCHVISION: lambda: torch_loader(to_torchvision(pipeline), by_pillow),
        KORNIA: kornia,
    }
    for name, make in found.items():
        try:
            make()
            makers[name] = make
        except NotThere as error:
            missing[name] = str(error)
        except ImportError as error:
            missing[name] = f"{error.name} is not installed"

    def ours():
        from ..data.loader import DataLoader

        return DataLoader(Pictures(files), batch, shuffle=True, num_workers=workers, transform=pipeline, device=device, seed=0)

    return {**makers, OURS: ours}, missing


def measure(
    pipeline: Compose,
    folder: Path,
    *,
    batch: int = 64,
    workers: int = 2,
    rounds: int = 5,
    device: Any = None,
    progress: Any = None,
) -> Measured:
    """Whole epochs of each side in turn, after one of each to warm up.

    Args:
        pipeline: with a transform that makes one size.
        folder: pictures, at any depth.
        batch: samples of a batch. workers: processes of torch's loaders, threads of ours. rounds: epochs of each.
        device: by default a GPU where there is one.
        progress: called with (side, number of images) for each batch.

    Raises:
        ValueError: no pictures; what the pipeline raises on them.
    """
    files = [str(path) for path in pictures_in(folder)]
    device = torch.device(device) if device is not None else best_device()
    makers, missing = sides_of(pipeline, files, batch, workers, device)
    kept = {}

    def remembered(name, make):
        def made():
            kept[name] = make()
            return kept[name]

        return made

    told = None if progress is None else lambda name, _, images: progress(name, images)
    sides = race({name: remembered(name, make) for name, make in makers.items()}, rounds, device, told)
    facts = {
        "pictures": len(files), "folder": os.fspath(folder), "batch": batch, "workers": workers, "rounds": rounds,
        "device": device.type, "device_name": device_name(device), "cpu": cpu_name(), "versions": versions(THEIRS),
        "load": os.getloadavg()[0],
    }  # fmt: skip
    return Measured(sides, missing, kept[OURS].stats()["bottleneck"], device, facts)


def table(found: Measured):
    """A rich table: images per second with the spread, CPU time, and how many times as fast ours is."""
    from rich.table import Table

    facts = found.facts
    shown = Table(
        title=f"{facts['pictures']} pictures, batches of {facts['batch']}, {facts['workers']} workers, on {found.device}",
        caption="gpuaug: its loader; the others: in torch's DataLoader, Kornia on whole batches; draws and defaults of "
        "interpolation are each library's own",
    )
    shown.add_column()
    for heading in ("images/s", "lowest - highest", "CPU ms", "gpuaug is at"):
        shown.add_column(heading, justify="right")
    for name, side in found.sides.items():
        lowest, median, highest = found.ratio(name)
        ratio = "" if name == OURS else f"{median:.2f}x ({lowest:.2f} - {highest:.2f})"
        rates = f"{min(side['rates']):.0f} - {max(side['rates']):.0f}"
        shown.add_row(name, f"{side['rate']:.0f}", rates, f"{side['cpu_ms']:.2f}", ratio)
    return shown


def chart(found: Measured, path: Path) -> Path:
    """Bars of images per second, each epoch as a dot."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure((7, 0.9 + 0.5 * len(found.sides)), layout="constrained")
    FigureCanvasAgg(figure)
    axes, names = figure.subplots(), list(found.sides)
    colours = ["tab:orange" if name == OURS else "tab:grey" for name in names]
    axes.barh(names, [found.sides[name]["rate"] for name in names], color=colours, height=0.6)
    for row, name in enumerate(names):
        rates = found.sides[name]["rates"]
        axes.plot(rates, [row] * len(rates), ".", color="black", markersize=4)
    axes.set(xlabel=f"images per second (median of {found.facts['rounds']} epochs; dots: each)")
    axes.invert_yaxis()
    figure.savefig(path, dpi=110)
    return path


def run(pipeline: Compose, folder: Path, out: Path, batch: int, workers: int, rounds: int, device: str | None) -> Measured:
    """All of the command: progress, table, what limits, JSON and PNG beside each other."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    out = out.with_suffix(".json")
    if not out.parent.is_dir():
        raise ValueError(f"{out.parent}: there is no such folder; name another one with --out")
    console, count, device = Console(highlight=False), len(pictures_in(folder)), told_device(device)
    columns = (TextColumn("{task.description:14}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console) as bars:
        tasks = {}

        def progress(name, images):
            if name not in tasks:
                tasks[name] = bars.add_task(name, total=(rounds + 1) * count)
            bars.update(tasks[name], advance=images)

        found = measure(pipeline, folder, batch=batch, workers=workers, rounds=rounds, device=device, progress=progress)
    console.print(table(found))
    for name, why in found.missing.items():
        console.print(f"{name} is not there: {why}")
    console.print(f"gpuaug's loader: {found.limit}")
    out.write_text(json.dumps(found.to_json(), indent=1) + "\n")
    console.print(f"{out}, {chart(found, out.with_suffix('.png'))}", soft_wrap=True)
    return found
