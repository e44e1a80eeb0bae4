"""gpuaug's results beside a reference's: differences, and how they are told."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from ...batch import Batch
from ...compose import Compose
from ...deliver import deliver_ragged
from ...track import Track
from ...transfer import moved
from ...transform import View
from ...whole import Whole


def ours(transform, data: list[np.ndarray], u: np.ndarray, kind: str = "image", device=None) -> list[np.ndarray]:
    """A transform with given uniforms, on a ragged batch; what is carried out while it is drawn draws its own."""
    if isinstance(transform, Whole):
        if device is not None and torch.device(device).type != "cpu":
            data = [torch.from_numpy(np.ascontiguousarray(image)).to(device) for image in data]
        found = Compose([transform], seed=0)(**{"image": data, kind: data}, layout="HWC")[kind]
        found = [image.cpu().numpy() if isinstance(image, torch.Tensor) else image for image in found]
        return [image if image.ndim == 3 else image[..., None] for image in found]
    batch = Batch.of(data, "HWC", name=kind)
    params = transform.draw(u, View(batch.size.astype(np.int64), batch.channels, batch.dtype))
    track = Track(moved(batch, device), kind)
    track.doing = type(transform).__name__
    if kind in transform.targets:
        transform.lower(track, slice(None), params)
    return [out.cpu().numpy() for out in deliver_ragged(track, planar=False)]


def difference(got: np.ndarray, want: np.ndarray, relative: bool) -> np.ndarray:
    """Of all values; relative: to max(1, |want|)."""
    got, want = got.astype(np.float64), want.astype(np.float64)
    found = np.abs(got - want)
    return (found / np.maximum(np.abs(want), 1) if relative else found).ravel()


@dataclass
class Result:
    """Differences of all values."""

    difference: np.ndarray  # grey levels, or relative to max(1, |reference|)

    @property
    def exact(self) -> float:
        return float((self.difference == 0).mean())

    @property
    def worst(self) -> float:
        return float(self.difference.max(initial=0))

    def within(self, near: float) -> float:
        return float((self.difference <= near).mean())

    def cells(self) -> list[str]:
        """How many values, which share is equal, the largest difference: as tables show them."""
        return [f"{len(self.difference):,}", share(self.exact), f"{self.worst:.3g}"]


def share(x: float) -> str:
    if x == 1:
        return "100 %"
    return f"{min(100 * x, 99.9999):.4f} %"


def line(cells) -> str:
    """A line of a table."""
    return "| " + " | ".join(cells) + " |"
