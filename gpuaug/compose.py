"""Compose: a tree of transforms is drawn for a batch, lowered to plans, and executed."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from . import uniforms
from .batch import Batch
from .deliver import Container, deliver, deliver_ragged
from .device import chosen
from .drawn import Drawn, draw_tree
from .elements import plain
from .frames import Frames
from .groups import Group
from .label_params import GEOMETRIES, BboxParams, KeypointParams, reckoned
from .strangers import first_scale, refuse_kornia, still_unsure
from .streams import Stream
from .targets import Boxes, Keypoints, Marks
from .track import Track
from .transform import Transform, View, integer, one_of
from .tree import Tree


class Now:
    """What draws that depend on the data may ask for: masks and boxes as they are at that step. Computed only when asked."""

    def __init__(self, compose: Compose, masks: Batch | None, boxes: Boxes | None, drawn: Drawn | None = None, rows=None):
        self._compose, self._masks, self._boxes, self._drawn, self._rows = compose, masks, boxes, drawn, rows

    def at(self, drawn: Drawn, rows: np.ndarray) -> Now:
        return Now(self._compose, self._masks, self._boxes, drawn, rows)

    def masks(self, who: str) -> list[np.ndarray]:
        """The masks ``[H, W]`` of the samples in question, in the host's memory.  # synchronizes a GPU"""
        batch, rows = self._masks, self._rows
        if batch is None:
            raise ValueError(f"{who} needs mask= among the targets: its objects are regions of the mask")
        if batch.channels != 1:
            raise ValueError(f"{who} needs masks of one channel, got {batch.channels}")
        # in the type that travels: labels are numbers here
        some = Batch(batch.address[rows], batch.size[rows], batch.stride[rows], 1, batch.dtype, batch.device, batch.owner)
        track = self._compose.lower(some, self._drawn.repeated(rows), "mask")
        return [mask[..., 0].cpu().numpy() for mask in deliver_ragged(track, planar=False)]

    def boxes(self, who: str, labels) -> list[np.ndarray]:
        """The boxes ``[k, 4]`` in pixels, of given labels, of the samples in question."""
        if self._boxes is None:
            raise ValueError(f"{who} needs bboxes= among the targets and bbox_params")
        boxes = self._boxes.copy()
        self._drawn.move_marks(boxes, boxes.size)
        found = []
        for i in self._rows.tolist():
            mine = boxes.sample == i
            wanted = [boxes.label(i, k) in labels for k in boxes.origin[mine].tolist()]
            found.append(boxes.values[mine][np.array(wanted, bool)])
        return found


class Compose(torch.nn.Module, Group):
    """A pipeline of transforms whose every random number depends on the sample, not on the batch.

    Args:
        transforms: list of transforms and groups (`OneOf`, `SomeOf`, `Sequential`, ...).
        p: probability, per sample, that anything is applied; else boxes and keypoints stay as they came, too.
        seed: 64-bit seed: with it every run of a program draws the same. None: torch's generator decides, see "Seeds".
        additional_targets: names of further targets and what they are: "image", "mask", "images" or "masks", e.g.
            ``{"image2": "image", "depth": "mask"}``.
        bbox_params: `BboxParams`, or a dict of its arguments; needed for ``bboxes=``.
        keypoint_params: `KeypointParams`, or a dict of its arguments; needed for ``keypoints=``.
        label_geometry: "pixels": keypoints, their angles, and what is visible of boxes follow the pixels. "albumentations":
            albumentations' numbers, to reproduce what was trained with them; docs/targets.md lists what differs.

    Call it with one NumPy image (HWC) or one torch image (CHW), with a batch (NHWC array, NCHW tensor, or a list of samples
    of differing sizes), or with keywords ``image=``, ``mask=`` (then the result is a dict). ``images=`` and ``masks=`` are sets
    that share one draw: ``[T, H, W, C]``, or a list, for one sample; a list of those, or ``[B, T, ..]``, for a batch.
    ``bboxes=``, ``keypoints=`` and their label fields are lists or arrays of rows; for a batch, lists of those. What goes in
    comes out: NumPy for NumPy, tensors for tensors, a list for a list, in the element type that came in (docs/types.md) unless a
    transform makes another; arrays for PIL images; after `ToTensorV2` tensors (CHW). Inputs are never written.

    Seeds. A call with ``ids`` (numbers of the samples in the dataset) draws from (seed, epoch, id, occurrence) alone: the same
    in every process and for every number of workers. Without ``ids``

    - and with a seed, samples are numbered by a counter that is part of ``state_dict()``, which resumes exactly. Two pipelines
      with one seed draw alike.
    - and without a seed, each call draws one from torch's generator, as torchvision does: no two calls, pipelines or workers
      draw alike, ``torch.manual_seed`` repeats a run, and torch's generator is the state that resumes it. (Calls with ``ids``
      keep the seed that the first of them drew.)

    `gpuaug.DataLoader` passes ids, epochs and, where the pipeline has none, its own seed.

    Copies. Without ``ids`` a copy that a fork or pickle brings into another process (torch's workers, a pool, joblib) draws
    otherwise than the original and all other copies. Which copy it is counts, the n-th fork or pickle since the pipeline was
    made, so with a seed every run with as many workers draws the same. What is loaded twice from one pickle draws alike.
    ``copy.deepcopy`` makes a twin: with a seed it goes on as the original does.

    Raises:
        ValueError: samples and masks that do not fit each other, an argument that does not fit the data, a value that would
            change on the way, a tensor that requires a gradient or has no memory.
        TypeError: an element type or a container that cannot be read; a transform that calculates with labels.

    Source: albumentations ``Compose``.

    Example:
        >>> import numpy as np, gpuaug as G
        >>> aug = G.Compose([G.HorizontalFlip(p=1), G.Normalize()], seed=1)
        >>> aug(image=np.zeros((4, 6, 3), np.uint8))["image"].shape
        (4, 6, 3)
    """

    def __init__(
        self,
        transforms: Sequence,
        p: float = 1.0,
        *,
        seed: int | None = None,
        additional_targets: dict[str, str] | None = None,
        bbox_params: BboxParams | None = None,
        keypoint_params: KeypointParams | None = None,
        label_geometry: str = "pixels",
    ):
        torch.nn.Module.__init__(self)
        Group.__init__(self, transforms, p)
        self.seed = None if seed is None else integer("seed", seed, 0, 2**64 - 1)
        self.additional_targets = dict(additional_targets or {})
        for name, kind in self.additional_targets.items():
            if kind not in _KINDS:
                raise ValueError(f"additional_targets[{name!r}] must be one of {', '.join(map(repr, _KINDS))}, got {kind!r}")
        marks = (("bbox_params", bbox_params, BboxParams), ("keypoint_params", keypoint_params, KeypointParams))
        found = []
        for name, params, kind in marks:
            params = kind(**params) if isinstance(params, dict) else params
            if params is not None and not isinstance(params, kind):
                raise TypeError(f"{name} must be gpuaug.{kind.__name__}, or a dict of its arguments, got {params!r}")
            found.append(params)
        self.label_geometry = one_of("label_geometry", label_geometry, GEOMETRIES)
        self.bbox_params, self.keypoint_params = (reckoned(params, label_geometry) for params in found)
        self._stream = Stream()
        self._scales = first_scale(self._leaves())  # a Normalize whose input is still to be looked at
        self._tree = Tree(self)

    __repr__ = Group.__repr__

    # ---- state -----------------------------------------------------------------------

    def get_extra_state(self) -> dict:
        """Seed and sample counter: part of ``state_dict()``, so that a restored module goes on where it was.

        A checkpoint without them, of the same model before it had this pipeline, loads with strict=True, too, and leaves both.
        """
        return {"seed": self.seed, **self._stream.state()}

    def set_extra_state(self, state: dict) -> None:
        self.seed = state["seed"]
        self._stream.load(state)

    def _load_from_state_dict(self, state_dict, prefix, metadata, strict, missing, *args) -> None:
        super()._load_from_state_dict(state_dict, prefix, metadata, strict, missing, *args)
        uniforms.state_is_optional(prefix, missing)

    # ---- the three steps: draw, plan, execute ------------------------------------------

    def draw(
        self,
        size,
        *,
        ids,
        epoch: int = 0,
        occurrence=None,
        channels: int = 3,
        dtype: str = "uint8",
        targets=None,
        seed: int | None = None,
    ) -> Drawn:
        """Draw everything for a batch.

        Args:
            size: int ``[B, 2]``, heights and widths.
            ids: int64 ``[B]``, the samples' numbers in the dataset.
            epoch: number of the epoch.
            occurrence: int ``[B]``, how often the epoch has yielded the sample before; default 0.
            targets: `Now`, for transforms whose draw depends on masks or boxes.
            seed: the caller's, where this Compose has none of its own.
        """
        ids, occurrence = uniforms.check_counters(ids, epoch, occurrence, len(size))
        if len(ids) != len(size):
            raise ValueError(f"ids has {len(ids)} numbers for {len(size)} samples")
        seed = self._stream.fixed(self.seed) if seed is None else seed
        u = uniforms.table(seed, epoch, ids, occurrence, self._tree.slots, self._tree.blocks)
        drawn = draw_tree(self._tree, u, View(np.asarray(size), channels, dtype, targets))
        drawn.applied = u[0] < self.p if self.p < 1 else None  # the root's coin is the first number of all
        return drawn

    def kind_of(self, name: str) -> str:
        """``"image"`` or ``"mask"``: how a target of this name is treated."""
        kind = self.additional_targets.get(name, name)
        if kind not in _KINDS:
            raise ValueError(
                f"unknown target {name!r}: use image, mask, images, masks, bboxes, keypoints, a label field of "
                f"bbox_params or keypoint_params, or declare it in additional_targets"
            )
        return kind.rstrip("s")

    def _is_set(self, name: str) -> bool:
        return self.additional_targets.get(name, name) in ("images", "masks")

    def _take_marks(self, targets: dict, more: dict | None = None, box_format: str | None = None) -> list:
        """Take boxes, keypoints and their label fields out of the targets: (class, data, fields, params) for each kind.

        more: further fields by kind, as ``{"bboxes": ("area",)}``. box_format: how these boxes are written, if not as
        bbox_params say.
        """
        found = []
        both = ((Boxes, self.bbox_params, "bbox_params"), (Keypoints, self.keypoint_params, "keypoint_params"))
        for kind, params, word in both:
            if kind.name not in targets:
                continue
            if params is None:
                example = "BboxParams" if kind is Boxes else "KeypointParams"
                raise ValueError(f"{kind.name}= needs {word}: Compose(.., {word}=gpuaug.{example}(..))")
            fields = (*params.label_fields, *(more or {}).get(kind.name, ()))
            if kind is Boxes and box_format is not None:
                params = copy.copy(params)
                params.format = box_format
            missing = [field for field in fields if field not in targets]
            if missing:
                raise ValueError(f"{word}.label_fields names {missing[0]!r}, which is not among the targets")
            still = [type(t).__name__ for t in self._leaves() if not type(t).moves(kind.hook)]
            if still:
                raise ValueError(f"{still[0]} does not move {kind.name} yet; leave {kind.name}= or {still[0]} out")
            found.append((kind, targets.pop(kind.name), {field: targets.pop(field) for field in fields}, params))
        return found

    def moving(self) -> Transform | None:
        """The first transform of the pipeline that moves pixels; None if whatever lies beside the image may stay as it is."""

        def first(node):
            if isinstance(node, Group):
                return next((found for child in node.transforms if (found := first(child)) is not None), None)
            return node if node.is_geometric() else None

        return first(self)

    def _take_labels(self, targets: dict) -> dict:
        """Take the label fields whose boxes or keypoints are not among the targets: nothing changes them."""
        both = (self.bbox_params, self.keypoint_params)
        fields = {field for params in both if params is not None for field in params.label_fields}
        return {field: targets.pop(field) for field in fields & set(targets) - set(self.additional_targets)}

    def _leaves(self) -> list[Transform]:
        nodes, found = list(self.transforms), []
        while nodes:
            node = nodes.pop()
            nodes.extend(node.transforms) if isinstance(node, Group) else found.append(node)
        return found

    def _batches(self, targets: dict, sets: dict[str, Frames], layout) -> dict[str, Batch]:
        """Describe all images and masks, and check that they fit each other."""
        batches = {}
        for name, data in targets.items():
            known = isinstance(data, Batch)
            batches[name] = data if known else Batch.of(data, layout, name=name, labels=self.kind_of(name) == "mask")
        first = next((name for name in batches if name not in sets), None) or next(iter(batches))
        size = batches[first].size
        if first in sets:
            start = np.cumsum([0, *sets[first].counts[:-1]])
            if min(sets[first].counts, default=1) == 0:
                empty = sets[first].counts.index(0)
                raise ValueError(f"{first} of sample {empty} is empty; pass image=, or at least one image for each sample")
            size = size[start]
        for name, batch in batches.items():
            if name == first and name not in sets:
                continue
            count = len(sets[name].counts) if name in sets else len(batch)
            if count != len(size):
                raise ValueError(f"{name} has {count} samples, {first} has {len(size)}; they must agree")
            want = size[sets[name].of] if name in sets else size
            differs = (batch.size != want).any(1)
            if differs.any():
                i = int(np.flatnonzero(differs)[0])
                of = int(sets[name].of[i]) if name in sets else i
                raise ValueError(
                    f"{name} {i} is {tuple(batch.size[i].tolist())} (height, width), but {first} {of} is "
                    f"{tuple(want[i].tolist())}; they must agree"
                )
        return batches

    def _draw_for(
        self, batches: dict, sets: dict, marks: list, one: bool, ids, epoch, occurrence, seed=None
    ) -> tuple[Drawn, list[Marks]]:
        """Draw for what was passed, and move boxes and keypoints."""
        # channels and element type are an image's, whatever comes first
        batch = batches[next((name for name in batches if self.kind_of(name) == "image"), next(iter(batches)))]
        size = self._sizes(batches, sets)
        made = [kind(data, fields, params, size, one) for kind, data, fields, params in marks]
        seen = Now(self, batches.get("mask"), next((m for m in made if isinstance(m, Boxes)), None))
        if self._scales:
            self._scales = still_unsure(self._scales, batch)
        seed, ids = self._stream.call(self.seed, ids, len(size)) if seed is None else (seed, np.atleast_1d(ids))
        drawn = self.draw(
            size, ids=ids, epoch=epoch, occurrence=occurrence, channels=batch.channels, dtype=batch.dtype, targets=seen, seed=seed
        )
        for m in made:
            drawn.move_marks(m, size)
        return drawn, made

    def lower(self, batch: Batch, drawn: Drawn, kind: str = "image") -> Track:
        """Lower what was drawn to launches for one target; `Track.finish` makes it a plan."""
        track = Track(batch, kind)
        steps = [step for step in drawn.steps if kind in step.transform.targets]
        closed = 0
        for i, step in enumerate(steps):
            track.doing = type(step.transform).__name__
            if step.transform.stencil and i >= closed:
                # branches of one OneOf(blurs): what they all read is written by one launch, not by one for each
                closed = i + 1
                while closed < len(steps) and steps[closed].transform.stencil:
                    closed += 1
                if closed > i + 1:
                    track.close(np.unique(np.concatenate([track.index(s.rows) for s in steps[i:closed]])))
            step.transform.lower(track, step.rows, step.params)
        return track

    def run(
        self,
        targets: dict[str, Any],
        *,
        ids,
        epoch: int = 0,
        occurrence=None,
        device=None,
        dtype=None,
        channels_last: bool = False,
        layout: str | None = None,
        seed: int | None = None,
        fields: dict | None = None,
        box_format: str | None = None,
    ) -> dict[str, torch.Tensor]:
        """What a loader calls: a batch in, dense tensors out.

        Args:
            targets: ``{"image": data, "mask": data, ...}``, each what `Batch.of` takes.
            ids, epoch, occurrence: see `draw`.
            device: where to compute and deliver; by default where the data lies.
            dtype: torch dtype of images; by default what the transforms leave (masks keep theirs).
            channels_last: deliver images ``[B, C, H, W]`` in channels-last memory.
            seed: see `draw`.
            fields: label fields beyond those of bbox_params, as ``{"bboxes": ("area",)}``.
            box_format: how these boxes are written, if not as bbox_params say.

        Returns:
            ``{"image": [B, C, H, W], "mask": [B, H, W] or [B, C, H, W], ...}``; sets ``[B, T, ..]`` (a list of ``[T, ..]`` where
            they are not equally long); boxes, keypoints and their labels as lists with one entry for each sample.

        Raises:
            ValueError: samples that end with different sizes; names two of them.
        """
        targets, device = dict(targets), chosen(device)
        if self._is_nothing(targets):
            how = {"device": device, "dtype": dtype, "channels_last": channels_last, "layout": layout, "seed": seed}
            return _of_nothing(targets, lambda blank: self.run(blank, ids=[0], epoch=epoch, **how))
        marks, labels = self._take_marks(targets, fields, box_format), self._take_labels(targets)
        kinds = {name: self.kind_of(name) for name in targets}
        targets = {name: plain(value, kinds[name] == "mask") for name, value in targets.items()}
        sets = {name: Frames(value, False, name) for name, value in targets.items() if self._is_set(name)}
        batches = self._batches({**targets, **{name: frames.flat for name, frames in sets.items()}}, sets, layout)
        drawn, made = self._draw_for(batches, sets, marks, False, ids, epoch, occurrence, seed)
        out = {}
        for name, batch in batches.items():
            kind, of = kinds[name], sets[name].of if name in sets else None
            none = name in sets and not len(batch)
            if none:  # no sample has a frame: what one of each would become, less the frame
                of = np.arange(drawn.samples)
                batch = self._blanks(sets[name], self._sizes(batches, sets), name, layout, kind)
            track = self.lower(batch.to(device), drawn if of is None else drawn.repeated(of), kind)
            done = deliver(track, name, dtype if kind == "image" else None, channels_last, squeeze=kind == "mask")
            if none:
                done = done[:, None][:, :0]
            elif name in sets:
                counts = sets[name].counts
                done = done.view(len(counts), -1, *done.shape[1:]) if len(set(counts)) == 1 else list(done.split(counts))
            out[name] = done
        for m in made:
            out.update(m.results(drawn.size, drawn.applied))
        return out | labels

    def _is_nothing(self, targets: dict) -> bool:
        """Whether it is a batch without samples that says what they would be. [0, H, W] is a sample without pixels."""
        lead = next((name for name in targets if self.additional_targets.get(name, name) == "images"), None)
        lead, rank = ("image", 4) if "image" in targets else (lead, 5)
        value = targets.get(lead)
        if not isinstance(value, (np.ndarray, torch.Tensor)) or value.ndim != rank or getattr(value, "is_nested", False):
            return False
        return value.shape[0] == 0 and 0 not in value.shape[1:]

    def _sizes(self, batches: dict, sets: dict) -> np.ndarray:
        """Heights and widths of the samples before anything is done, ``[B, 2]``."""
        first = next((name for name in batches if name not in sets), None) or next(iter(batches))
        size = batches[first].size
        return size[np.cumsum([0, *sets[first].counts[:-1]])] if first in sets else size

    def _blanks(self, frames: Frames, size: np.ndarray, name: str, layout, kind: str, samples=None) -> Batch:
        """A frame of zeros for each of the samples that have none; where nothing says what frames they would have, of uint8."""
        samples = range(len(size)) if samples is None else samples
        blank = [frames.blank(i) for i in samples]
        if any(frame is None for frame in blank):
            blank = [np.zeros(tuple(size[i]), np.uint8) for i in samples]
        batch = Batch.of(blank, layout, name=name, labels=kind == "mask")
        for i, mine in zip(samples, batch.size.tolist()):
            if mine != size[i].tolist():
                raise ValueError(
                    f"{name} of sample {i} has no frames of {tuple(mine)} (height, width), but the sample is "
                    f"{tuple(size[i].tolist())}; they must agree"
                )
        return batch

    def explain(self, size=(224, 224), *, samples: int = 64, channels: int = 3, dtype: str = "uint8") -> str:
        """What a batch of ``samples`` images (with empty masks) would launch, in words."""
        image = np.zeros((1, *size, channels), np.dtype(dtype) if dtype != "bfloat16" else np.float16)
        batch = Batch.of(np.broadcast_to(image, (samples, *size, channels)))
        seed = self.seed if self.seed is not None else 0
        ids, occurrence = uniforms.check_counters(np.arange(samples), 0, None)
        u = uniforms.table(seed, 0, ids, occurrence, self._tree.slots, self._tree.blocks)
        masks = Batch.of(np.broadcast_to(np.zeros((1, *size), np.uint8), (samples, *size)), name="mask")
        boxes = Boxes([[]] * samples, {}, BboxParams("pascal_voc"), batch.size, False)
        drawn = draw_tree(self._tree, u, View(batch.size, channels, dtype, Now(self, masks, boxes)))
        track = self.lower(batch, drawn)
        plan = track.finish(np.zeros(samples), np.zeros((samples, 3)), track.dtype)
        return drawn.explain() + "\n" + plan.explain()

    # ---- the call ----------------------------------------------------------------------

    def forward(self, data: Any = None, *, ids=None, epoch: int = 0, occurrence=None, layout: str | None = None, **targets):
        """Augment; see the class."""
        if data is not None:
            refuse_kornia(self)
            if "image" in targets:
                raise ValueError("pass the image either as the first argument or as image=, not both")
            targets["image"] = data
        if self._is_nothing(targets):
            out = _of_nothing(targets, lambda blank: self.forward(ids=[0], epoch=epoch, layout=layout, **blank))
            return out["image"] if data is not None and len(out) == 1 else out
        marks, labels = self._take_marks(targets), self._take_labels(targets)
        kinds = {name: self.kind_of(name) for name in targets}
        sets_of_images = (name for name in targets if kinds[name] == "image" and self._is_set(name))
        lead = "image" if "image" in targets else next(sets_of_images, None)
        if lead is None:
            raise ValueError(f"Compose needs image= or images=, got {', '.join(targets) or 'nothing'}")
        targets = {name: plain(value, kinds[name] == "mask") for name, value in targets.items()}
        image = targets[lead]
        one = Frames.is_one(image) if self._is_set(lead) else getattr(image, "ndim", None) in (2, 3)
        if isinstance(image, (list, tuple)) and not image:  # nothing to learn the channels from
            names = [*targets, *(kind.name for kind, *_ in marks), *(f for m in marks for f in m[2]), *labels]
            empty = {name: [] for name in names}
            return empty["image"] if data is not None and len(empty) == 1 else empty
        sets = {name: Frames(value, one, name) for name, value in targets.items() if self._is_set(name)}
        packed, containers = {}, {}
        for name, value in targets.items():
            single = one and name not in sets
            value = sets[name].flat if name in sets else value
            containers[name] = Container(value, single, layout)
            packed[name] = [value] if single else value
        batches = self._batches(packed, sets, layout)
        drawn, made = self._draw_for(batches, sets, marks, one, ids, epoch, occurrence)
        out = {}
        for name, batch in batches.items():
            done = []
            if name not in sets or len(batch):
                track = self.lower(batch, drawn.repeated(sets[name].of) if name in sets else drawn, kinds[name])
                done = containers[name].delivered(track, name)
            if name in sets:
                done = sets[name].group(
                    done,
                    lambda i, name=name: self._no_frames(
                        sets[name], i, drawn, self._sizes(batches, sets), name, layout, kinds[name]
                    ),
                )
            out[name] = done
        for m in made:
            out.update(m.results(drawn.size, drawn.applied))
        out.update(labels)
        return out["image"] if data is not None and len(out) == 1 else out

    def _no_frames(self, frames: Frames, i: int, drawn: Drawn, size: np.ndarray, name: str, layout, kind: str):
        """What becomes of sample i's set of no frames, an array: none of the size and type that they would have."""
        blank = frames.blank(i)
        if blank is None:
            return frames.parts[i]
        track = self.lower(self._blanks(frames, size, name, layout, kind, [i]), drawn.repeated(np.array([i])), kind)
        return Container([blank], False, layout).delivered(track, name)[0][None][:0]


_KINDS = ("image", "mask", "images", "masks")


def _of_nothing(targets: dict, call) -> dict:
    """What a pipeline makes of a batch without samples: what it makes of one blank sample, less the sample."""
    blank, unknown = {}, {}
    for name, value in targets.items():
        if len(value):
            raise ValueError(f"{name} has {len(value)} samples, the images have 0; they must agree")
        shape = tuple(getattr(value, "shape", ()))[1:]
        if len(shape) < 2 or 0 in shape:
            unknown[name] = value
        elif isinstance(value, torch.Tensor):
            blank[name] = value.new_zeros((1, *shape))
        else:
            blank[name] = np.zeros((1, *shape), value.dtype)
    return {name: value[:0] for name, value in call(blank).items()} | unknown
