"""Compose: a tree of transforms is drawn for a batch, lowered to plans, and executed."""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch

from . import beside, compiled, gathered, instances, uniforms
from .applied import APPLIED, Applied, applied
from .batch import Batch
from .captured import Captured
from .checks import boolean, integer, is_number, one_of
from .device import chosen
from .drawn import Drawn, draw_tree
from .executed import Executed
from .groups import Group, masks_by
from .hints import Size
from .inputs import Declared, Inputs, is_nothing, more_marks, of_nothing
from .label_params import GEOMETRIES, BboxParams, KeypointParams, reckoned
from .now import Now, Unseen
from .others import WHOLE, Others
from .outputs import AsCame, Dense
from .plan import explained
from .reach import Reach
from .single import Single
from .strangers import first_scale, refuse_kornia, still_unsure
from .streams import Seeded, Stream
from .targets import Boxes
from .transform import Transform, View
from .tree import Tree
from .whole import Whole


class Compose(Seeded, torch.nn.Module, Group):
    """A pipeline of transforms whose every random number depends on the sample, not on the batch.

    Args:
        transforms: list of transforms and groups (`OneOf`, `SomeOf`, `Sequential`, ...).
        bbox_params: `BboxParams`, or a dict of its arguments; needed for ``bboxes=``.
        keypoint_params: `KeypointParams`, or a dict of its arguments; needed for ``keypoints=``.
        additional_targets: names of further targets and what they are: "image", "mask", "images" or "masks", e.g.
            ``{"image2": "image", "depth": "mask"}``; "bboxes" or "keypoints": further sets, written and limited as the first
            are, whose labels stand in their rows; a further set's own `BboxParams` or `KeypointParams`, with its label fields; or
            "untouched": handed on as it came.
        p: probability, per sample, that anything is applied; else boxes and keypoints stay as they came, too.
        is_check_shapes: True: images and masks of one sample must have one size. False: masks may have sizes of their own; what
            is drawn for the image happens to them at the same fractions of height and width (docs/targets.md).
        strict: refuse entries of a call that nobody declared; else they are handed on as they came, but for those that could be
            pictures, or labels of boxes (docs/targets.md). Arguments that a transform does not have are refused either way.
        mask_interpolation: OpenCV's number of the interpolation of masks for every transform inside that has an argument
            ``mask_interpolation``, whatever it says itself; nested pipelines too. Transforms that were passed stay as they are.
        seed: 64-bit seed: with it every run of a program draws the same. None: torch's generator decides, see "Seeds".
        save_applied_params: results have one entry more, "applied_transforms": for one sample the list of (name of the
            transform, what it drew) that it got, in order; for a batch a list of those. `params` says it without the data.
        lazy: lower consecutive transforms whose maps are matrices (Affine, Perspective, Resize, crops, pads, flips, ...) and that
            interpolate alike as one: a sample is read and interpolated once. What a crop or a border would have cut off between
            them comes back where a later one turns it into view, so pixels there differ, and where a resize would have repeated
            the outermost half pixel the border begins; boxes and keypoints are moved, and dropped, one transform after the other.
        label_geometry: "pixels": keypoints, their angles, and what is visible of boxes follow the pixels. "albumentations":
            albumentations' numbers, to reproduce what was trained with them; docs/targets.md lists what differs.

    Call it with one NumPy image (HWC) or one torch image (CHW), with a batch (NHWC array, NCHW tensor, or a list of samples
    of differing sizes), or with keywords ``image=``, ``mask=`` (then the result is a dict). ``images=`` and ``masks=`` are sets
    that share one draw: ``[T, H, W, C]``, or a list, for one sample; a list of those, or ``[B, T, ..]``, for a batch. So are
    ``volume=`` and ``mask3d=``, ``[D, H, W, C]``, and ``volumes=`` and ``masks3d=``, ``[N, D, H, W, C]``, of slices.
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
        bbox_params: BboxParams | dict | None = None,
        keypoint_params: KeypointParams | dict | None = None,
        additional_targets: dict[str, Any] | None = None,
        p: float = 1.0,
        is_check_shapes: bool = True,
        strict: bool = False,
        mask_interpolation: int | None = None,
        seed: int | None = None,
        save_applied_params: bool = False,
        *,
        label_geometry: str = "pixels",
        lazy: bool = False,
    ):
        torch.nn.Module.__init__(self)
        Group.__init__(self, transforms, p)
        self.is_check_shapes = boolean("is_check_shapes", is_check_shapes)
        self.strict = boolean("strict", strict)
        self.mask_interpolation = mask_interpolation
        if mask_interpolation is not None:
            self.transforms = [masks_by(mask_interpolation, t) for t in self.transforms]
        self.save_applied_params = boolean("save_applied_params", save_applied_params)
        self.seed = None if seed is None else integer("seed", seed, 0, 2**64 - 1)
        if additional_targets is not None and not isinstance(additional_targets, Mapping):
            raise TypeError(f"additional_targets must be a dict of names and kinds, got {additional_targets!r}")
        self.additional_targets = dict(additional_targets or {})
        marks = (("bbox_params", bbox_params, BboxParams), ("keypoint_params", keypoint_params, KeypointParams))
        found = []
        for name, params, kind in marks:
            params = kind(**params) if isinstance(params, dict) else params
            if params is not None and not isinstance(params, kind):
                hint = f"; the probability is a keyword, p={params!r}" if is_number(params) else ""
                raise TypeError(f"{name} must be gpuaug.{kind.__name__}, or a dict of its arguments, got {params!r}{hint}")
            found.append(params)
        self.label_geometry = one_of("label_geometry", label_geometry, GEOMETRIES)
        self.bbox_params, self.keypoint_params = (reckoned(params, label_geometry) for params in found)
        self._more_marks = more_marks(self.additional_targets, self.bbox_params, self.keypoint_params, label_geometry)
        self.lazy = boolean("lazy", lazy)
        self._stream = Stream()
        self._scales = first_scale(self._leaves())  # a Normalize whose input is still to be looked at
        self._tree = Tree(self, not self.is_check_shapes)
        own = any(getattr(type(self), name) is not getattr(Compose, name) for name in ("draw", "_augmented", "_told"))
        self._single = Single(self._tree, not (own or self.lazy or self.save_applied_params))

        # of these nobody knows beforehand how many are left
        self._counted = {
            "bboxes",
            "keypoints",
            *self._more_marks,
            *self._declared().labels(),
        }
        self._number = compiled.register(self)
        with torch.inference_mode(False):  # calls count in it, wherever they are made
            self._calls = torch.zeros(1, dtype=torch.int64, device="cpu")

    def __setstate__(self, state: dict) -> None:
        super().__setstate__(state)
        self._number = compiled.register(self)

    __repr__ = Group.__repr__

    # ---- the three steps: draw, plan, execute ------------------------------------------

    def draw(
        self,
        size: Any,
        *,
        ids: Any,
        epoch: int = 0,
        occurrence: Any = None,
        channels: int = 3,
        dtype: str = "uint8",
        now: Now | None = None,
        seed: int | None = None,
        others: dict | None = None,
        depth: Any = None,
    ) -> Drawn:
        """Draw everything for a batch.

        Args:
            size: int ``[B, 2]``, heights and widths.
            ids: int64 ``[B]``, the samples' numbers in the dataset.
            epoch: number of the epoch.
            occurrence: int ``[B]``, how often the epoch has yielded the sample before; default 0.
            now: for transforms whose draw depends on masks or boxes.
            seed: the caller's, where this Compose has none of its own.
            others: samples that transforms may read beside their own, by name; by default those of the batch.
            depth: int ``[B]``, how many slices each sample's volumes have.
        """
        ids, occurrence = uniforms.check_counters(ids, epoch, occurrence, len(size))
        if len(ids) != len(size):
            raise ValueError(f"ids has {len(ids)} numbers for {len(size)} samples")
        seed = self._stream.fixed(self.seed) if seed is None else seed
        u = uniforms.table(seed, epoch, ids, occurrence, self._tree.slots, self._tree.blocks)
        size = np.asarray(size)
        drawn = draw_tree(
            self._tree, u, View(size, channels, dtype, now, None, others or {WHOLE: Others(size)}, depth), self.lazy
        )
        drawn.applied = u[0] < self.p if self.p < 1 else None  # the root's coin is the first number of all
        return drawn

    def reach(self, size: Any, *, ids: Any, epoch: int = 0, occurrence: Any = None, seed: int | None = None) -> Reach | None:
        """What a batch of RGB images will be read in, found out before they are decoded.

        Args:
            size: int ``[B, 2]``, heights and widths of the images.
            ids, epoch, occurrence, seed: see `draw`.

        Returns:
            A `gpuaug.reach.Reach`, whose ``window`` is int64 ``[B, 4]``, (y0, x0, y1, x1) of each image. What is there of images
            then is a batch for `run` (`Batch.within`), which goes on from the draw that was made here. None: nobody knows before
            pixels, masks or boxes are there, or the pipeline does not fit the sizes, which `run` will say.

        Raises:
            ValueError, TypeError: sizes that are none, and what `draw` raises of ids, epoch and occurrence.

        Example:
            >>> import gpuaug as G
            >>> G.Compose([G.Crop(10, 20, 40, 60), G.Resize(8, 8), G.Normalize()], seed=0).reach([[100, 200]], ids=[5]).window
            array([[20, 10, 60, 40]])
        """
        size = np.asarray(size)
        if size.ndim != 2 or size.shape[1] != 2 or size.dtype.kind not in "iu" or (size < 1).any():
            raise ValueError(
                f"size must be whole numbers [B, 2], a height and a width >= 1 for each image, got {size.tolist()!r}"
            )
        ids, occurrence = uniforms.check_counters(ids, epoch, occurrence, len(size))
        if any(leaf.metadata_key is not None or leaf.solid or isinstance(leaf, Whole) for leaf in self._leaves()):
            return None
        seed = self._stream.fixed(self.seed) if seed is None else seed
        try:
            drawn = self.draw(size, ids=ids, epoch=epoch, occurrence=occurrence, now=Unseen(), seed=seed)
            return Reach(drawn, size, (ids, epoch, occurrence, seed))
        except (
            ValueError
        ):  # what looks at pixels, at memory that nothing lies in, says so; what is wrong is said when they are there
            return None

    def params(
        self,
        ids: Any,
        *,
        size: Any,
        epoch: int = 0,
        occurrence: Any = None,
        channels: int = 3,
        dtype: str = "uint8",
        seed: int | None = None,
    ) -> list[list[Applied]]:
        """What samples get in an epoch, found out without their data.

        Args:
            ids: the samples' numbers in the dataset.
            size: (height, width) of the images as they come in, or one pair for each sample: what is drawn depends on it.
            epoch: number of the epoch. occurrence: how often it has yielded each sample before; default 0.
            channels, dtype: of the images.
            seed: the loader's, where this Compose has none.

        Returns:
            For each sample the transforms that are applied to it, in order: ``(transform, params, place)``, its name, what it
            drew, as plain Python, and where it stands, an index for each level of the tree: ``compose[place[0]]..``.

        Raises:
            ValueError: a transform whose draw looks at the data (masks, boxes); no seed.

        Example:
            >>> import gpuaug as G
            >>> aug = G.Compose([G.OneOf([G.Blur(7), G.Transpose()], p=1)], seed=0)
            >>> [(got.transform, got.params, got.place) for (got,) in aug.params([4711, 4712], epoch=3, size=(64, 64))]
            [('Blur', {'kernel': 5}, (0, 0)), ('Blur', {'kernel': 3}, (0, 0))]
        """
        seed = self.seed if seed is None else seed
        if seed is None:
            raise ValueError(
                "this pipeline has no seed, so nothing says what it drew: pass seed=, a loader's is DataLoader(seed=..)"
            )
        ids = np.atleast_1d(np.asarray(ids))
        size = np.broadcast_to(np.asarray(size, np.int64), (len(ids), 2))
        how = {"occurrence": occurrence, "channels": channels, "dtype": dtype, "seed": seed}
        return applied(self.draw(size, ids=ids, epoch=epoch, now=Unseen(), **how))

    def set_random_seed(self, seed: int | None) -> None:
        """Draw by another 64-bit seed, from the beginning; None: by torch's generator."""
        self.seed = None if seed is None else integer("seed", seed, 0, 2**64 - 1)
        self._stream = Stream()

    @property
    def available_keys(self) -> set[str]:
        """The names of what its transforms change or read in a call, with those of ``additional_targets`` and label fields."""
        marks = (self.bbox_params, self.keypoint_params, *self._more_marks.values())
        labels = {field for params in marks if params is not None for field in params.label_fields}
        return super().available_keys | set(self.additional_targets) | labels

    def kind_of(self, name: str) -> str:
        """``"image"`` or ``"mask"``: how a target of this name is treated."""
        return self._declared().kind_of(name)

    def moving(self) -> Transform | None:
        """The first transform of the pipeline that moves pixels; None if whatever lies beside the image may stay as it is."""

        def first(node):
            if isinstance(node, Group):
                return next((found for child in node.transforms if (found := first(child)) is not None), None)
            return node if node.is_geometric() else None

        return first(self)

    def _mover(self) -> str:
        found = self.moving()
        return "" if found is None else type(found).__name__

    def _leaves(self) -> list[Transform]:
        nodes, found = list(self.transforms), []
        while nodes:
            node = nodes.pop()
            nodes.extend(node.transforms) if isinstance(node, Group) else found.append(node)
        return found

    def _declared(self) -> Declared:
        stay = {name for name, kind in self.additional_targets.items() if kind == beside.UNTOUCHED}
        plain = {
            name: kind for name, kind in self.additional_targets.items() if name not in self._more_marks and name not in stay
        }
        return Declared(
            plain,
            self.bbox_params,
            self.keypoint_params,
            self._more_marks,
            stay,
            self.strict,
            not self.is_check_shapes,
            self._mover,
        )

    def _augmented(self, given: Inputs, deliver, *, ids, epoch, occurrence, seed=None) -> dict[str, Any]:
        """Draw for what was passed, move boxes and keypoints, and let ``deliver`` make each target."""
        given.describe()
        leading = given.leading()
        if self._scales:
            self._scales = still_unsure(self._scales, leading)
        others, now = given.others, Now.of(given, getattr(deliver, "device", None))
        samples = len(given.size)
        seed, ids = self._stream.call(self.seed, ids, samples) if seed is None else (seed, np.atleast_1d(ids))
        like = {"channels": leading.channels, "dtype": leading.dtype}
        reach = next((batch.parts[2] for batch in given.batches.values() if batch.parts is not None), None)
        if reach is None:
            more = {"now": now, "seed": seed, "others": others, "depth": given.depth, **like}
            drawn = self.draw(given.size, ids=ids, epoch=epoch, occurrence=occurrence, **more)
        else:
            drawn = reach.drawn_for(ids, epoch, occurrence, seed)
        for marks in given.marks:
            drawn.move_marks(marks, given.size)
        apart = gathered.wanderers(drawn, given.marks)
        out = {name: deliver(given, name, drawn) for name in given.batches if name not in apart}
        out |= {name: gathered.put_together(given, marks, drawn, deliver) for name, marks in apart.items()}
        for k, marks in enumerate(given.marks):
            for other in given.marks[:k]:
                other.agree(marks, drawn.applied)
            out.update(marks.results(drawn.size, drawn.applied))
            masks = getattr(marks.params, "instance_masks", None)
            if masks is not None and masks not in apart:
                out[masks] = instances.kept(marks, out[masks], drawn.applied, bool(given.one), drawn.size)
        out |= given.labels | given.read | given.brought | given.beside
        ordered = {name: out.pop(name) for name in given.names if name in out}  # as they came
        return ordered | out | self._told(drawn, given)

    def _told(self, drawn: Drawn, given: Inputs) -> dict[str, Any]:
        """What a call says beside its targets: which parameters its samples got."""
        if not self.save_applied_params:
            return {}
        told = [[(each.transform, each.params) for each in mine] for mine in applied(drawn)]
        return {APPLIED: told[0] if given.one else told}

    def run(
        self,
        targets: dict[str, Any],
        *,
        ids: Any,
        epoch: int = 0,
        occurrence: Any = None,
        device: Any = None,
        dtype: Any = None,
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
        device, declared = chosen(device), self._declared()
        if self.save_applied_params:
            raise ValueError(
                "save_applied_params=True: batches of a loader have no place for it; leave it out, and ask "
                "Compose.params(ids, epoch=.., size=..) what samples got"
            )
        if is_nothing(declared, targets):
            how = {"device": device, "dtype": dtype, "channels_last": channels_last, "layout": layout, "seed": seed}
            return of_nothing(targets, lambda blank: self.run(blank, ids=[0], epoch=epoch, **how))
        more = {"fields": fields, "box_format": box_format}
        given = Inputs(declared, targets, self._leaves(), one=False, layout=layout, **more)
        dense = Dense(device, dtype, channels_last)
        return self._augmented(given, dense, ids=ids, epoch=epoch, occurrence=occurrence, seed=seed)

    def capture(
        self,
        targets: dict[str, Any],
        *,
        ids: Any = None,
        epoch: int = 0,
        rehearse: int = 8,
        device: Any = None,
        dtype: Any = None,
        channels_last: bool = False,
        layout: str | None = None,
        seed: int | None = None,
        fields: dict | None = None,
        box_format: str | None = None,
    ) -> Captured:
        """The pipeline with its launches as CUDA graphs, for batches that are like these samples.

        It is for pipelines of many launches on small batches, where queueing them takes longer than the kernels; of one launch
        nothing is gained. What is drawn differs from batch to batch, and with it what is launched: a graph has room for all that
        it has met, and grows where that is not enough. On a CPU there is nothing to launch, and calls are those of `run`.

        Args:
            targets: a batch, as for `run`; it is augmented and the results are dropped.
            ids: its samples' numbers; by default 0, 1, ..
            epoch: the first that is rehearsed.
            rehearse: epochs, at least 1: so many draws are carried out at once, so that graphs seldom grow later.
            device, dtype, channels_last, layout, seed, fields, box_format: of all calls, as for `run`.

        Returns:
            A callable: ``captured(targets, ids=.., epoch=.., occurrence=..)`` gives what ``run`` does.

        Raises:
            ValueError, TypeError: as `run`; rehearse.

        Example:
            >>> import numpy as np, gpuaug as G
            >>> aug = G.Compose([G.HorizontalFlip(), G.GaussianBlur((3, 7)), G.Normalize()], seed=1)
            >>> batch = {"image": np.zeros((4, 8, 8, 3), np.uint8)}
            >>> captured = aug.capture(batch, device="cpu")
            >>> captured(batch, ids=[7, 5, 3, 1], epoch=2)["image"].shape
            torch.Size([4, 3, 8, 8])
        """
        how = {"device": device, "dtype": dtype, "channels_last": channels_last, "layout": layout, "seed": seed}
        captured = Captured(self, how | {"fields": fields, "box_format": box_format})
        ids = np.arange(_samples(targets)) if ids is None else ids
        for turn in range(integer("rehearse", rehearse, 1)):
            captured(targets, ids=ids, epoch=epoch + turn)
        return captured

    def explain(self, size: Size = (224, 224), *, samples: int = 64, channels: int = 3, dtype: str = "uint8") -> str:
        """What a batch of ``samples`` images (with empty masks) would launch, in words; of RGB images also what share of the
        pixels a loader would decode, where it is not all (`reach`)."""
        image = np.zeros((1, *size, channels), np.dtype(dtype) if dtype != "bfloat16" else np.float16)
        batch = Batch.of(np.broadcast_to(image, (samples, *size, channels)))
        seed = self.seed if self.seed is not None else 0
        ids, occurrence = uniforms.check_counters(np.arange(samples), 0, None)
        u = uniforms.table(seed, 0, ids, occurrence, self._tree.slots, self._tree.blocks)
        masks = Batch.of(np.broadcast_to(np.zeros((1, *size), np.uint8), (samples, *size)), name="mask")
        boxes = Boxes([[]] * samples, {}, BboxParams("pascal_voc"), batch.size, False)
        names = {"image": "image", "mask": "mask", "bboxes": "bboxes"}
        now = Now({"image": Executed(batch, "image"), "mask": Executed(masks, "mask")}, [boxes], names)
        drawn = draw_tree(self._tree, u, View(batch.size, channels, dtype, now, None, {WHOLE: Others(batch.size)}), self.lazy)
        track = drawn.lower(batch) if drawn.begun is None else now.rest("image", drawn, None)
        plan = track.finish(np.zeros(samples), np.zeros((samples, 3)), track.dtype)
        told = drawn.explain() + "\n" + explained([*track.segments, plan])
        if channels == 3 and dtype == "uint8":
            reach = self.reach(batch.size, ids=ids, seed=seed)
            if reach is not None and (share := reach.share()) < 0.995:
                told += f"\nfiles of this size: {share:.0%} of the pixels are decoded"
            if reach is not None:
                told += reach.scaled_in_words()
        return told

    def preview(self, samples: Any, path: Any = None, *, draws: int = 4, epoch: int = 0, device: Any = None) -> Any:
        """A picture of what the pipeline makes of images: see `gpuaug.pictures.preview`."""
        pictures = importlib.import_module(".pictures", __package__)  # it stands on pipelines, and takes matplotlib
        return pictures.preview(self, samples, path, draws=draws, epoch=epoch, device=device)

    # ---- the call ----------------------------------------------------------------------

    def forward(
        self,
        data: Any = None,
        *,
        ids: Any = None,
        epoch: int = 0,
        occurrence: Any = None,
        layout: str | None = None,
        force_apply: bool = False,
        **targets: Any,
    ) -> Any:
        """Augment; see the class. force_apply: whatever its own ``p`` says, not those of its transforms."""
        how = {"ids": ids, "epoch": epoch, "occurrence": occurrence, "layout": layout, "force_apply": force_apply}
        if not torch.compiler.is_compiling():
            return self._call(data, targets, **how)
        if occurrence is layout is None and not force_apply and not self.save_applied_params:
            named = targets if data is None else {"image": data, **targets}
            out = compiled.call(self, named, ids, epoch)
            if out is not None:
                return out["image"] if data is not None and len(out) == 1 else out
        return self._uncompiled(data, targets, **how)

    @torch.compiler.disable
    def _uncompiled(self, data, targets, **how):
        return self._call(data, targets, **how)

    def _call(self, data, targets, *, ids, epoch, occurrence, layout, force_apply):
        if force_apply and self.p < 1:
            forced = self._of(self.transforms)
            forced.p, forced._stream = 1.0, self._stream
            how = {"ids": ids, "epoch": epoch, "occurrence": occurrence, "layout": layout}
            return forced._call(data, targets, force_apply=False, **how)
        if data is not None:
            refuse_kornia(self)
            if "image" in targets:
                raise ValueError("pass the image either as the first argument or as image=, not both")
            targets["image"] = data
        if self._single.able and ids is None and occurrence is None and layout is None and epoch == 0 and _few_arrays(targets):
            out = self._single(self, targets)
            if out is not None:
                return out["image"] if data is not None and len(out) == 1 else out
        declared, leaves, order = self._declared(), self._leaves(), list(targets)
        reads = {name for leaf in leaves for name in (*leaf.reads, leaf.metadata_key) if name}
        stays = declared.take_beside(targets, reads)
        if is_nothing(declared, targets):
            out = of_nothing(targets, lambda blank: self.forward(ids=[0], epoch=epoch, layout=layout, **blank)) | stays
        else:
            given = Inputs(declared, targets, leaves, one=None, layout=layout, beside=stays, names=order)
            if given.empty:
                out = {name: [] for name in given.names} | ({APPLIED: []} if self.save_applied_params else {}) | stays
            else:
                out = self._augmented(given, AsCame(), ids=ids, epoch=epoch, occurrence=occurrence)
        return out["image"] if data is not None and len(out) == 1 else out


def _samples(targets: dict) -> int:
    """How many samples a batch has: of the first target that is there."""
    if not isinstance(targets, Mapping) or not targets:
        raise TypeError(f"a batch is a dict of targets, such as {{'image': images}}, got {targets!r:.80}")
    return next((len(value) for value in targets.values() if value is not None and hasattr(value, "__len__")), 0)


def _few_arrays(targets: dict) -> bool:
    """Whether they are an image, or an image and its mask, in NumPy's arrays."""
    few = type(targets.get("image")) is np.ndarray
    return few and (len(targets) == 1 or (len(targets) == 2 and type(targets.get("mask")) is np.ndarray))
