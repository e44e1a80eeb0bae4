"""Transforms that are carried out while they are drawn, on whole samples: what they have in common."""

from __future__ import annotations

from .seeding import seeds
from .transform import Transform


class Whole(Transform, register=False):
    """A transform whose work is somebody else's code, so that nobody knows beforehand what it makes of a sample.

    A subclass says in ``handles`` what it changes, and does it in ``on_sample``; see `gpuaug.handing`.

    Attributes:
        why: what it does, for `Compose.explain`.
        looks: whether it wants to see targets that it does not change, too.
    """

    why = ""
    looks = False
    asks = True

    def handles(self, kind: str) -> bool:
        """Whether it changes targets of a kind: "image", "images", "mask", "masks", "volume", .., "bboxes", "keypoints"."""
        raise NotImplementedError

    def told(self, limits: dict) -> None:
        """Hear of the `gpuaug.BboxParams` and `gpuaug.KeypointParams`, by "bboxes" and "keypoints", before the samples."""

    def on_sample(self, sample: dict, kinds: dict[str, str], seed: int) -> tuple[dict, dict]:
        """New values of one sample by name, and what was drawn for it."""
        raise NotImplementedError

    def columns(self) -> int:
        return 2

    def draw(self, u, view):
        return self.carried(u, view)

    def carried(self, u, view, *, together: bool = False) -> dict:
        """Do it. together: samples of one size as tensors on their device (``on_batch``), not one by one."""
        if view.now is None:
            raise ValueError(
                f"{type(self).__name__} works on whole samples, which draw() was not given: call the pipeline with them"
            )
        return view.now.carry_out(self, seeds(u), view.size, together=together)

    def size_after(self, params, size):
        return params["after"]

    def channels_then(self, params, channels):
        return int(params["channels"][0])

    def lower(self, to, rows, params) -> None:
        """What it handles was carried out while it was drawn; the rest stays."""
        size = to.sizes(rows)
        if (size != params["after"]).any():
            i = int(to.index(rows)[(size != params["after"]).any(1).argmax()])
            raise ValueError(
                f"{to.doing} changed the size of sample {i} of the batch, but not that of its {to.kind}; they must agree"
            )

    def lower_scaled(self, to, rows, params, size) -> None:
        if (params["after"] != size).any():
            super().lower_scaled(to, rows, params, size)

    def boxes(self, params, which, boxes, size, limits):
        return boxes, None

    def keypoints(self, params, which, points, size, limits):
        return points, None
