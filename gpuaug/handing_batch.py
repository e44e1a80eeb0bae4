"""Samples of one size handed over together, as tensors on their device, in the middle of a draw; see `gpuaug.handing`."""

from __future__ import annotations

import time

import numpy as np
import torch

from .deliver import given_back
from .elements import carried
from .handing import Handing


class BatchHanding(Handing):
    """One step of a pipeline: its samples, in groups of one size, on their way to a transform and back.

    The transform has ``on_batch(images, kinds, seeds, whose)``: tensors ``[m, C, H, W]`` by name, what each name is, a seed for
    each of n samples, and by name whose each image is, int ``[m]``. It returns tensors by name, and a matrix ``[n, 3, 3]`` by
    which points of the samples move (centres of pixels are whole numbers), or None: they stay.
    """

    rowwise = False

    def run(self, seeds: list[int]) -> dict:
        n, rows = len(self.rows), self.rows.tolist()
        matrices = np.empty((n, 3, 3))
        groups: dict[tuple, list[int]] = {}
        for k, i in enumerate(rows):
            counts = tuple(len(self._frames(name, i)) for name in self.handled)
            groups.setdefault((*self.size[k].tolist(), *counts), []).append(k)
        begin = time.perf_counter()
        for some in groups.values():
            index = {name: [j for k in some for j in self._frames(name, rows[k])] for name in self.handled}
            whose = {name: np.repeat(np.arange(len(some)), len(index[name]) // len(some)) for name in self.handled}
            given = {name: self._stacked(name, index[name]) for name in self.handled if index[name]}
            try:
                out, matrix = self.transform.on_batch(dict(given), self.kinds, [seeds[k] for k in some], whose)
                for name, tensor in given.items():
                    self._scatter(name, index[name], tensor, out.get(name))
            except Exception as error:
                kind = type(error) if isinstance(error, (TypeError, ValueError)) else RuntimeError
                which = f"sample {rows[some[0]]}" if len(some) == 1 else f"samples {_few([rows[k] for k in some])}"
                raise kind(f"{self.who} failed on {which} of the batch: {error}") from error
            matrices[some] = np.eye(3) if matrix is None else matrix
        spent = 1e3 * (time.perf_counter() - begin) / max(n, 1)
        return self._finish(np.empty(n, object), f"{spent:.2f} ms each", "torch") | {"matrix": matrices}

    def _stacked(self, name: str, index: list[int]) -> torch.Tensor:
        given = self.targets[name].track(self.drawn).given
        return given_back(torch.stack([self.views[name][j].permute(2, 0, 1) for j in index]), given)

    def _scatter(self, name: str, index: list[int], given: torch.Tensor, out) -> None:
        """Put what came back in its place, or aside."""
        if not isinstance(out, torch.Tensor):
            raise TypeError(f"of {name} it must return a tensor, got {'None' if out is None else type(out).__name__}")
        if out.ndim != 4 or len(out) != len(given) or 0 in out.shape:
            raise ValueError(f"of {name} {tuple(given.shape)} it must return [{len(given)}, C, H, W], got {tuple(out.shape)}")
        if out.device != given.device:
            raise ValueError(f"of {name} on {given.device} it must return a tensor there, got one on {out.device}")
        if out.dtype != given.dtype and out.dtype == torch.float64:
            raise ValueError(f"it returned float64 for {name} of {given.dtype}, and nothing is cast silently: return float32")
        target, track = self.targets[name], self.targets[name].track(self.drawn)
        out, labels = out.detach(), target.kind == "mask"
        if out.dtype != given.dtype or out.shape[1] != given.shape[1]:
            for j, image in zip(index, out):
                self.remade[name][j] = image.permute(1, 2, 0).contiguous()
            return
        if track.given:
            out = carried(out, track.given, name, True, labels)
        if out.shape == given.shape:
            for j, image in zip(index, out):
                self.views[name][j].copy_(image.permute(1, 2, 0))
        else:
            for j, image in zip(index, out):
                self.changed[name][j] = image.permute(1, 2, 0).contiguous().clone()


def _few(numbers: list[int], limit: int = 8) -> str:
    return ", ".join(map(str, numbers[:limit])) + (", .." if len(numbers) > limit else "")
