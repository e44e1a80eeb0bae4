"""What a call brings: images and masks as batches, sets of frames, boxes and keypoints, and what nothing moves."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch

from . import beside, instances
from .batch import Batch
from .elements import plain
from .frames import Frames
from .label_params import BboxParams, KeypointParams, reckoned
from .oriented import OrientedBoxes
from .others import IMAGES, SAMPLES, WHOLE, Others, listed
from .targets import Boxes, Keypoints
from .transform import Transform

# targets, how they are treated, and how many axes of one sample's value count frames: a volume is a set of its slices
KINDS = {
    "image": ("image", 0),
    "mask": ("mask", 0),
    "images": ("image", 1),
    "masks": ("mask", 1),
    "volume": ("image", 1),
    "mask3d": ("mask", 1),
    "volumes": ("image", 2),
    "masks3d": ("mask", 2),
}


@dataclass
class Declared:
    """What a pipeline knows of its targets: additional names, and how boxes and keypoints are written, also those of further
    sets, ``marks``, by name."""

    additional: dict[str, str]
    bbox_params: BboxParams | None
    keypoint_params: KeypointParams | None
    marks: dict[str, BboxParams | KeypointParams] = field(default_factory=dict)
    untouched: set[str] = field(default_factory=set)  # additional names that stay as they are
    strict: bool = False  # is what nobody declared an error?
    loose: bool = False  # may masks have sizes of their own?
    mover: Callable[[], str] = str  # says the name of the pipeline's first transform that moves pixels, or ""

    def take_beside(self, targets: dict, reads: set[str]) -> dict[str, Any]:
        """Take what is None, what is to stay, and what nobody declared; reads: names that transforms read."""
        known = {*KINDS, "bboxes", "keypoints", *self.additional, *self.marks, *self.labels(), *reads}
        return beside.take(targets, known, self.untouched, self.strict)

    def labels(self) -> set[str]:
        """The names of all label fields."""
        both = (self.bbox_params, self.keypoint_params, *self.marks.values())
        return {field for params in both if params is not None for field in params.label_fields}

    def kind_of(self, name: str) -> str:
        """``"image"`` or ``"mask"``: how a target of this name is treated."""
        kind = self.additional.get(name, name)
        if kind not in KINDS:
            raise ValueError(
                f"unknown target {name!r}: use {', '.join(KINDS)}, bboxes, keypoints, a label field of "
                f"bbox_params or keypoint_params, or declare it in additional_targets"
            )
        return KINDS[kind][0]

    def depth(self, name: str) -> int:
        """How many axes of one sample's value count frames: 0 of an image, 1 of a set or a volume, 2 of volumes."""
        return KINDS[self.additional.get(name, name)][1]

    def is_set(self, name: str) -> bool:
        return self.depth(name) > 0

    def is_solid(self, name: str) -> bool:
        """Whether its frames are slices of a volume."""
        return self.additional.get(name, name) in ("volume", "mask3d", "volumes", "masks3d")

    def take_marks(self, targets: dict, leaves: Sequence[Transform], more: dict | None, box_format: str | None) -> list:
        """Take boxes, keypoints and their label fields out of the targets: (class, name, data, fields, params) for each set.

        more: further fields by kind, as ``{"bboxes": ("area",)}``. box_format: how these boxes are written, if not as
        bbox_params say.
        """
        found = []
        sets = [(Boxes, "bboxes", self.bbox_params, "bbox_params")]
        sets.append((Keypoints, "keypoints", self.keypoint_params, "keypoint_params"))
        for name, params in self.marks.items():
            kind = Boxes if isinstance(params, BboxParams) else Keypoints
            sets.append((kind, name, params, f"additional_targets[{name!r}]"))
        for kind, name, params, word in sets:
            if name not in targets:
                continue
            if params is None:
                example = "BboxParams" if kind is Boxes else "KeypointParams"
                raise ValueError(f"{name}= needs {word}: Compose(.., {word}=gpuaug.{example}(..))")
            fields = (*params.label_fields, *(more or {}).get(name, ()))
            if name == "bboxes" and box_format is not None:
                params = copy.copy(params)
                params.format = box_format
            missing = [field for field in fields if field not in targets]
            if missing:
                raise ValueError(f"{word}.label_fields names {missing[0]!r}, which is not among the targets")
            still = [t.who for t in leaves if not t.moves(kind.hook)]
            if still:
                raise ValueError(f"{still[0]} does not move {kind.name} yet; leave {name}= or {still[0]} out")
            kind = OrientedBoxes if kind is Boxes and params.bbox_type == "obb" else kind
            found.append((kind, name, targets.pop(name), {field: targets[field] for field in fields}, params))
        for label in {label for _, _, _, fields, _ in found for label in fields}:  # which two sets may share
            del targets[label]
        return found

    def take_labels(self, targets: dict) -> dict:
        """Take the label fields whose boxes or keypoints are not among the targets: nothing changes them."""
        return {field: targets.pop(field) for field in self.labels() & set(targets) - set(self.additional)}


def more_marks(additional: dict, bbox_params, keypoint_params, geometry: str) -> dict[str, BboxParams | KeypointParams]:
    """Of additional targets those that are boxes or keypoints, with how they are written; checks what the others are."""
    found = {}
    for name, kind in additional.items():
        if isinstance(kind, (BboxParams, KeypointParams)):
            found[name] = reckoned(kind, geometry)
        elif kind in ("bboxes", "keypoints"):
            params = bbox_params if kind == "bboxes" else keypoint_params
            if params is None:
                word = "bbox_params" if kind == "bboxes" else "keypoint_params"
                raise ValueError(f"additional_targets[{name!r}] is {kind!r}, which needs {word}=")
            found[name] = copy.copy(params)  # its labels are what follows the coordinates
            found[name].label_fields = ()
        elif kind not in KINDS and kind != beside.UNTOUCHED:
            raise ValueError(
                f"additional_targets[{name!r}] must be one of {', '.join(map(repr, KINDS))}, 'bboxes', 'keypoints', the "
                f"BboxParams or KeypointParams of a further set, or {beside.UNTOUCHED!r}, got {kind!r}"
            )
    return found


class Inputs:
    """A call's targets, described.

    Attributes:
        values: by name, images and masks as the caller passed them; of a set all frames, one after the other.
        kinds: by name, ``"image"`` or ``"mask"``.
        sets: by name, the `Frames` of those that are sets.
        labels: label fields that nothing changes.
        read: what transforms read (`Transform.reads`), by name, as it came. brought: the same of other samples (`metadata_key`).
        beside: what is handed on as it came, by name.
        others: samples that transforms read beside their own, by the name under which they came (`gpuaug.others`).
        one: a single sample, no batch.
        names: of everything that was passed.
    """

    def __init__(
        self,
        declared: Declared,
        targets: dict[str, Any],
        leaves: Sequence[Transform],
        *,
        one: bool | None,
        layout: str | None,
        fields: dict | None = None,
        box_format: str | None = None,
        beside: dict[str, Any] | None = None,
        names: list[str] | None = None,
    ):
        """
        Args:
            one: None: find out from the images, which must be there.
            fields, box_format: see `Declared.take_marks`. beside: what was taken out by `Declared.take_beside`.
            names: of everything that was passed, in order; by default those of ``targets``.
        """
        targets, self.names, self.layout = dict(targets), names or list(targets), layout
        self._declared, self.others, self.beside, self._fields = declared, {}, beside or {}, fields
        self._readers = {leaf.metadata_key: leaf for leaf in leaves if leaf.metadata_key is not None}
        self.brought = {key: targets.pop(key) for key in self._readers if targets.get(key) is not None}
        self._marks, self.labels = declared.take_marks(targets, leaves, fields, box_format), declared.take_labels(targets)
        reads = {name for leaf in leaves for name in leaf.reads}
        self.read = {name: targets.pop(name) for name in reads & set(targets)}
        self.kinds = {name: declared.kind_of(name) for name in targets}
        if one is None:
            images = [name for name in targets if self.kinds[name] == "image" and declared.is_set(name)]
            lead = "image" if "image" in targets else next(iter(images), None)
            if lead is None:
                raise ValueError(f"Compose needs image=, images= or volume=, got {', '.join(self.names) or 'nothing'}")
        targets = {name: plain(value, self.kinds[name] == "mask") for name, value in targets.items()}
        self.empty = False
        if one is None:
            image = targets[lead]
            one = Frames.is_one(image, declared.depth(lead)) if declared.is_set(lead) else getattr(image, "ndim", None) in (2, 3)
            self.empty = isinstance(image, (list, tuple)) and not image  # nothing to learn the channels from
        self.one = one
        if self.empty:
            return
        self.sets = {
            name: Frames(value, one, name, declared.depth(name), solid=declared.is_solid(name))
            for name, value in targets.items()
            if declared.is_set(name)
        }
        reader = next((leaf for leaf in self._readers.values() if leaf.brings == SAMPLES), None)
        whole = sorted(self.sets.keys() - {getattr(params, "instance_masks", None) for *_, params in self._marks})
        if whole and reader is not None:
            raise ValueError(
                f"{type(reader).__name__} takes image= and mask=, not sets of them ({whole[0]}=), but for masks of which each "
                f"belongs to a box: BboxParams(.., instance_masks='masks')"
            )
        self.values = {name: self.sets[name].flat if name in self.sets else value for name, value in targets.items()}

    def describe(self) -> None:
        """Find everything in memory, and check that it fits.

        Afterwards there are ``batches`` by name, ``size`` int ``[B, 2]`` before anything is done, and ``marks``.
        """
        self.batches = {}
        for name, data in self.values.items():
            data = [data] if self.one and name not in self.sets else data
            labels = self.kinds[name] == "mask"
            self.batches[name] = data if isinstance(data, Batch) else Batch.of(data, self.layout, name=name, labels=labels)
        self.depth = self._depth()
        first = next((name for name in self.batches if name not in self.sets), None) or next(iter(self.batches))
        self.size = self._size_of(first)
        for name, batch in self.batches.items():
            if name != first or name in self.sets:
                self._check(name, batch, first)
        self.marks = [kind(data, fields, params, self.size, self.one, name) for kind, name, data, fields, params in self._marks]
        for marks in self.marks:
            if getattr(marks.params, "instance_masks", None) is not None:
                instances.check(marks, self.sets, self.batches)
        for name, value in self.read.items():
            if not self.one and len(value) != len(self.size):
                raise ValueError(f"{name} has entries for {len(value)} samples, the batch has {len(self.size)}")
        if self._readers:
            self._describe_others()
        if self.beside:
            counts = {m.name: np.bincount(m.sample, minlength=len(self.size)).tolist() for m in self.marks}
            who = self._declared
            beside.check(self.beside, who.untouched, self.size, counts, who.mover(), bool(self.one))

    def beside_samples(self) -> dict[str, Any]:
        """Of what is handed on, what there is of each sample: of a batch an entry each, or the whole if it has not so many."""
        if self.one:
            return self.beside
        count = len(self.size)
        found = {name: beside.entries(value, count) or [value] * count for name, value in self.beside.items()}
        return {name: values for name, values in found.items() if self.beside[name] is not None}

    def _describe_others(self) -> None:
        """Find the samples that transforms read beside their own: those of the batch, and what was passed for it."""
        self.others[WHOLE], self._brought_inputs = Others(self.size), []
        for marks in self.marks:
            marks.others[WHOLE] = marks.copy()
        for key, value in self.brought.items():
            what = self._readers[key].brings
            items, count = listed(key, value, self.one, len(self.size), list(self.batches), what)
            if what == IMAGES:
                batch = Batch.of([plain(item, False) for item in items], self.layout, name=key)
                images = {name: batch for name, kind in self.kinds.items() if kind == "image"}
                self.others[key] = Others(batch.size, count, images)
                continue
            targets = {name: [item[name] for item in items] for name in self.batches}
            for marks in self.marks:  # what has no boxes has none of their labels
                for name in (marks.name, *marks.fields):
                    targets[name] = [item.get(name, []) for item in items]
            given = Inputs(self._declared, targets, (), one=False, layout=self.layout, fields=self._fields)
            given.describe()
            self._brought_inputs.append(given)
            self.others[key] = Others(given.size, count, given.batches)
            for marks, more in zip(self.marks, given.marks):
                marks.adopt(key, more)

    def brought_sets(self, name: str) -> list[Frames]:
        """That set of the samples that were brought along, in the order in which their marks were adopted."""
        return [given.sets[name] for given in self._brought_inputs]

    def others_of(self, name: str) -> dict[str, Batch]:
        """The target of that name of the samples that were brought along, by the name under which they were."""
        others = self.others
        return {key: other.batches[name] for key, other in others.items() if name in (other.batches or ())} if others else {}

    def _depth(self) -> np.ndarray | None:
        """How many slices each sample's volumes have, which must agree; None: there are none."""
        known = {name: frames.depth() for name, frames in self.sets.items() if frames.solid}
        for name, depth in known.items():
            first = next(iter(known))
            if len(depth) == len(known[first]) and (depth != known[first]).any():
                i = int(np.flatnonzero(depth != known[first])[0])
                raise ValueError(f"{name} of sample {i} has {depth[i]} slices, {first} has {known[first][i]}; they must agree")
        return next(iter(known.values()), None)

    def _size_of(self, first: str) -> np.ndarray:
        if first not in self.sets:
            return self.batches[first].size
        counts = self.sets[first].counts
        if min(counts, default=1) == 0:
            empty = counts.index(0)
            raise ValueError(f"{first} of sample {empty} is empty; pass image=, or at least one image for each sample")
        return self.batches[first].size[np.cumsum([0, *counts[:-1]])]

    def _check(self, name: str, batch: Batch, first: str) -> None:
        """Raise unless there are as many samples as of the first target, of the same sizes."""
        of = self.sets[name].of if name in self.sets else None
        count = len(batch) if of is None else len(self.sets[name].counts)
        if count != len(self.size):
            raise ValueError(f"{name} has {count} samples, {first} has {len(self.size)}; they must agree")
        want = self.size if of is None else self.size[of]
        if self._declared.loose and self.kinds[name] == "mask":
            return
        differs = (batch.size != want).any(1)
        if differs.any():
            i = int(np.flatnonzero(differs)[0])
            raise ValueError(
                f"{name} {i} is {tuple(batch.size[i].tolist())} (height, width), but {first} "
                f"{i if of is None else int(of[i])} is {tuple(want[i].tolist())}; they must agree"
                f"{' (masks need not, with is_check_shapes=False)' if self.kinds[name] == 'mask' else ''}"
            )

    def target_of(self, name: str) -> str:
        """What a target of a name of the caller's is: "image", "masks", .."""
        return self._declared.additional.get(name, name)

    def leading(self) -> Batch:
        """The images, whose channels and element type draws see; masks where there are none."""
        return self.batches[next((name for name in self.batches if self.kinds[name] == "image"), next(iter(self.batches)))]

    def blanks(self, name: str, samples: Sequence[int]) -> Batch:
        """A frame of zeros for each sample whose set has none; where nothing says what frames it would have, of uint8."""
        blank = [self.sets[name].blank(i) for i in samples]
        if any(frame is None for frame in blank):
            blank = [np.zeros(tuple(self.size[i]), np.uint8) for i in samples]
        batch = Batch.of(blank, self.layout, name=name, labels=self.kinds[name] == "mask")
        for i, mine in zip(samples, batch.size.tolist()):
            if mine != self.size[i].tolist():
                raise ValueError(
                    f"{name} of sample {i} has no frames of {tuple(mine)} (height, width), but the sample is "
                    f"{tuple(self.size[i].tolist())}; they must agree"
                )
        return batch


def is_nothing(declared: Declared, targets: dict) -> bool:
    """Whether it is a batch without samples that says what they would be. [0, H, W] is a sample without pixels."""
    kinds = {name: declared.additional.get(name, name) for name in targets}
    lead = next((name for name, kind in kinds.items() if kind in ("images", "volume")), None)
    lead, rank = ("image", 4) if "image" in targets else (lead, 5)
    value = targets.get(lead)
    if not isinstance(value, (np.ndarray, torch.Tensor)) or value.ndim != rank or getattr(value, "is_nested", False):
        return False
    return value.shape[0] == 0 and 0 not in value.shape[1:]


def of_nothing(targets: dict, call) -> dict:
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
