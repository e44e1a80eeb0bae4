"""Whole pipelines beside references that somebody else wrote.

Elsewhere each transform is compared alone, and fused pipelines are compared with our own transforms one at a time: neither sees a
step that uses the wrong step's size, order, or parameters. Here the reference is applied step after step, each time to what the
reference made so far, so that it works with the true intermediate image and its true size. There are two kinds of chains:

- of fixed parameters: albumentations' own `Compose` of the same calls, on image, mask, boxes and keypoints;
- of drawn parameters: every transform tells which uniforms it got (`Luck`), and albumentations, OpenCV and NumPy read the same
  ones, by the references of parity or as a script of albumentations' generators.
"""

from __future__ import annotations

import copy
import inspect
import warnings
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from itertools import combinations, permutations, product

import albumentations as A
import numpy as np
import parity
import pytest
import skimage.data
import torch
import torchvision.transforms.v2.functional as vision
from albumentations.augmentations.dropout import functional as fdropout

import gpuaug as G
from gpuaug import host
from gpuaug.batch import Batch
from gpuaug.deliver import deliver_ragged
from gpuaug.groups import Group
from gpuaug.transform import View

# ---- pictures -------------------------------------------------------------------------------

SIZES = ((61, 83), (96, 64), (48, 128), (120, 95), (77, 77), (50, 49))  # heights and widths, none below 48


@lru_cache(None)
def photograph(name: str) -> np.ndarray:
    return parity.case.photograph(name) if name in ("china", "flower") else getattr(skimage.data, name)()


def pictures(sizes, dtype: str = "uint8", channels: int = 3, seed: int = 0) -> list[np.ndarray]:
    """Crops of photographs at random places."""
    rng, out = np.random.default_rng(seed), []
    for i, (h, w) in enumerate(sizes):
        whole = photograph(("astronaut", "coffee", "chelsea", "china", "flower")[(i + seed) % 5])
        y, x = rng.integers(0, whole.shape[0] - h), rng.integers(0, whole.shape[1] - w)
        rgb = whole[y : y + h, x : x + w]
        part = rgb if channels == 3 else rgb[..., :1] if channels == 1 else np.dstack([rgb, rgb.max(2)])
        out.append(np.ascontiguousarray(part if dtype == "uint8" else part / np.float32(255)))
    return out


def layouts(layout: str, seed: int, count: int = 6) -> list[tuple[int, int]]:
    """Sizes of a batch: all alike (it is passed as one array) or not (as a list)."""
    return [SIZES[seed % len(SIZES)]] * count if layout == "dense" else [SIZES[(i + seed) % len(SIZES)] for i in range(count)]


def batched(layout: str, data: list, device=None):
    """The container that a user would have: NumPy, or tensors on a GPU."""
    if device is not None and device.type == "cuda":
        data = [torch.from_numpy(np.ascontiguousarray(x.transpose(2, 0, 1) if x.ndim == 3 else x)).to(device) for x in data]
        return torch.stack(data) if layout == "dense" else data
    return np.stack(data) if layout == "dense" else data


def unbatched(out) -> list[np.ndarray]:
    """Results as HWC (or HW) arrays."""
    return [x if isinstance(x, np.ndarray) else x.permute(1, 2, 0).cpu().numpy() if x.ndim == 3 else x.cpu().numpy() for x in out]


# ---- tolerances -------------------------------------------------------------------------------


@dataclass
class Drift:
    """How far a chain may be from its reference. Grows step by step from the bounds of parity, from nothing else.

    A step that is Lipschitz with the constant ``gain`` (in the maximum norm: 1 for whatever takes weighted means or moves pixels,
    the factor for contrast) turns a difference of d into at most gain * d, and adds what it is allowed alone. On uint8 both sides
    are whole numbers and rounding is monotone, so that gain * d is rounded up and nothing else is lost.

    What share of the values differs: of a value that differs by one, a step makes values that differ with a chance that is their
    weight for it, and these weights add up to 1 for each value that comes out: the share stays, and each step adds its own. Two
    differences add up where they meet: the product of the shares.

    Float values differ a little everywhere, and a blur spreads what is rare: only the largest difference is checked.

    Attributes:
        far: the largest difference.
        unit: the difference where only one step has made one.
        loose, twice: shares of the values that may differ at all; by more than ``unit``.
    """

    far: float = 0.0
    unit: float = 0.0
    loose: float = 0.0
    twice: float = 0.0

    def after(self, bound: parity.case.Bound, gain: float, whole: bool) -> Drift:
        up = np.ceil if whole else float
        own = 1 - bound.share
        grown = 0.0 if self.far == 0 else up(gain * self.far)
        return Drift(
            grown + bound.far,
            max(0.0 if self.unit == 0 else up(gain * self.unit), bound.far),
            self.loose + own,
            self.twice + self.loose * own,
        )


class Tally:
    """Differences of many values, each with what it is allowed."""

    def __init__(self, name: str):
        self.name = name
        self.values = self.loose = self.may_loose = self.twice = self.may_twice = 0

    def add(self, got: np.ndarray, want: np.ndarray, drift: Drift, what: str) -> None:
        assert got.shape == want.shape, f"{what}: {got.shape}, the reference has {want.shape}"
        assert got.dtype == want.dtype, f"{what}: {got.dtype}, the reference has {want.dtype}"
        difference = np.abs(got.astype(np.float64) - want.astype(np.float64))
        if got.dtype == np.float32:  # as in parity
            difference /= np.maximum(np.abs(want.astype(np.float64)), 1)
        worst = difference.max(initial=0)
        assert worst <= drift.far, f"{what}: differs by {worst:g}, allowed is {drift.far:g} ({drift})"
        if got.dtype == np.float32:
            return
        self.values += difference.size
        self.loose += np.count_nonzero(difference)
        self.twice += np.count_nonzero(difference > drift.unit)
        self.may_loose += drift.loose * difference.size
        self.may_twice += drift.twice * difference.size

    def check(self) -> None:
        """No more differences than allowed; where these are few, their number is left to chance (Poisson, false alarm 1e-4)."""
        rules = (self.loose, self.may_loose, "at all"), (self.twice, self.may_twice, "by more than one step's difference")
        for number, mean, how in rules:
            most = 0 if mean == 0 else mean + 4 * np.sqrt(mean) + 4
            assert number <= most, f"{self.name}: {number} of {self.values} values differ {how}, allowed are {mean:.1f}"


def gain(transform, params: dict) -> float:
    """Lipschitz constants; infinite where there is none."""
    name = type(transform).__name__
    if name == "HueSaturationValue":
        return np.inf  # the hue of a gray pixel is anybody's guess
    if name == "RandomBrightnessContrast":  # by mean: the mean moves as far as the values
        return abs(params["alpha"]) + (0 if transform.brightness_by_max else abs(params["beta"]))
    if name == "Normalize":
        return 1 / (min(transform.std) * transform.max_pixel_value)
    if getattr(transform, "interpolation", 0) == 2:
        return 1.375**2  # cubic weights, sum of absolutes, largest half way: 2 * (0.59375 + 0.09375) along each axis
    return 1.0


# OpenCV adds FLT_EPSILON to chroma and value before it divides by them: 2^-23 * 255 = 3e-5 of the darkest and grayest of values
# that are multiples of 1/255; these are rare among those of parity
FLOAT_HSV = replace(parity.case.FLOAT, far=parity.case.FLOAT.far + 2.0**-23 * 255)


def of_one_draw(transform, params: dict, dtype: str, usual: parity.case.Bound) -> parity.case.Bound:
    """The bounds of parity, but where they hold for many draws and images and not for each."""
    if isinstance(transform, G.HueSaturationValue) and dtype == "float32":
        return FLOAT_HSV
    if isinstance(transform, G.GaussNoise) and dtype == "float32":
        # the kernel's uniform (k + 0.5) 2^-24 is float32, which has no halves above 2^23: where it is nearest to 1 the radius
        # sqrt(-2 ln u) is off by as much as itself, sqrt(2^-24) = 2.5e-4
        return replace(usual, far=usual.far + 2.5e-4 * float(params["std"]))
    if isinstance(transform, G.MotionBlur) and dtype == "uint8":
        start, lengths = np.empty(1, np.int64), np.empty((1, 3), np.int64)
        host.library().motion(*(params[name][None] for name in ("ksize", "angle", "direction", "shift")), start, lengths)
        points = int(lengths[0, 2])
        if points % 2 == 0 and points & (points - 1):  # of the sums of 6 pixels a sixth is a tie, and 1/6 is no binary fraction
            return replace(parity.case.ROUNDED, share=1 - 1 / points)
    return usual


def bound(transform, dtype: str) -> parity.case.Bound:
    """What a transform is allowed alone, by parity."""
    name, how = type(transform).__name__, getattr(transform, "interpolation", 0)
    if name in ("Affine", "ShiftScaleRotate"):
        assert how, "a nearest neighbour on a tie is no small difference"
        return parity.affine.LINEAR[dtype]
    if name in ("Resize", "RandomResizedCrop"):
        return parity.crop.resized(how)[dtype]
    if name in ("GaussianBlur", "MotionBlur"):
        return parity.blur._blur[dtype]
    if name == "Normalize" or (dtype == "float32" and name in ("Blur", "RandomBrightnessContrast", "HueSaturationValue")):
        return parity.case.FLOAT
    return parity.EXACT


def mask_bound(transform) -> parity.case.Bound:
    """Masks are moved exactly, but for coordinates on a tie (see case.NEAREST in parity)."""
    return parity.NEAREST if type(transform).__name__ in ("Affine", "ShiftScaleRotate") else parity.EXACT


def drifted(steps: list[Step], dtype: str) -> tuple[Drift, Drift]:
    """How far image and mask of a sample may be after its steps."""
    image = mask = Drift()
    for step in steps:
        factor, whole = gain(step.transform, step.params), dtype == "uint8" and type(step.transform) is not G.Normalize
        assert np.isfinite(factor) or image.far == 0, f"{step.transform} makes large differences of small ones; place it earlier"
        image = image.after(of_one_draw(step.transform, step.params, dtype, bound(step.transform, dtype)), factor, whole)
        mask = mask.after(mask_bound(step.transform), 1.0, False)
    return image, mask


# ---- what was drawn -----------------------------------------------------------------------------


@dataclass
class Step:
    """A transform that a sample took, the uniforms that it got, and what it made of them."""

    transform: G.Transform
    u: np.ndarray
    params: dict
    size: tuple[int, int]  # that it was told


def leaves(node) -> list[G.Transform]:
    return [leaf for child in node.transforms for leaf in leaves(child)] if hasattr(node, "transforms") else [node]


class Luck:
    """Listens to the draws of a Compose: which samples took which transform with which uniforms."""

    def __init__(self, compose: G.Compose):
        self.calls: list = []
        for leaf in {id(leaf): leaf for leaf in leaves(compose)}.values():
            leaf.draw = partial(self._draw, leaf, leaf.draw)

    def _draw(self, leaf, draw, u, view):
        params = draw(u, view)
        self.calls.append((leaf, view.rows, u.copy(), params, view.size.copy()))  # params as they are: steps must not share them
        return params

    def of(self, sample: int) -> list[Step]:
        """The steps of a sample, in order."""
        steps = []
        for leaf, rows, u, params, size in self.calls:
            at = sample if rows is None else int(np.flatnonzero(np.append(rows, sample) == sample)[0])
            if at < len(u):
                steps.append(Step(leaf, u[at], {k: v[at] for k, v in params.items()}, tuple(size[at].tolist())))
        return steps


def whole_holes(holes: np.ndarray) -> np.ndarray:
    """Those with an area: a batch pads the lists of its samples."""
    return holes[(holes[:, 2:] > holes[:, :2]).all(1)]


def check_params(step: Step, image: np.ndarray, what: str) -> None:
    """Parameters fit the image that the step is applied to, and are those of a draw that was told its size."""
    h, w = image.shape[:2]
    assert step.size == (h, w), f"{what}: was told {step.size}, the image is {h} x {w}"
    alone = step.transform.draw(step.u[None], View(np.array([[h, w]]), image.shape[2], str(image.dtype)))
    assert alone.keys() == step.params.keys()
    for name, value in step.params.items():
        want = alone[name][0]
        if name == "holes":
            value, want = whole_holes(value), whole_holes(want)
            assert (value >= 0).all()
            assert (value <= [w, h, w, h]).all(), f"{what}: holes {value.tolist()} in an image of {h} x {w}"
        np.testing.assert_array_equal(value, want, err_msg=f"{what}: {name} is not what {h} x {w} gives")
    if "crop_coords" in step.params:
        top, bottom, left, right = step.params.get("pad", np.zeros(4, int))
        x0, y0, x1, y1 = step.params["crop_coords"]
        assert 0 <= x0 < x1 <= w + left + right, what
        assert 0 <= y0 < y1 <= h + top + bottom, what
    if "output_shape" in step.params and not step.transform.fit_output:
        assert tuple(step.params["output_shape"]) == (h, w), what


def ends(node, taken: list, at: int, force: bool = False) -> set[int]:
    """Where a node may have ended that began at ``taken[at]``: are the transforms that a sample took a way through the tree?"""
    if not isinstance(node, Group):
        found = {at + 1} if at < len(taken) and taken[at] is node else set()
        return found if force or node.p == 1 else found | {at}

    def run(children) -> set[int]:
        here = {at}
        for child in children:
            here = {end for begin in here for end in ends(child, taken, begin)}
        return here

    found = set() if force or node.p == 1 else {at}
    if isinstance(node, (G.OneOf, G.OneOrOther)):
        return found.union(*(ends(child, taken, at, True) for child in node.transforms))
    if isinstance(node, G.SomeOf):
        for n in range(node.n[0], node.n[1] + 1):
            if isinstance(node, G.RandomOrder):
                ways = product(node.transforms, repeat=n) if node.replace else permutations(node.transforms, n)
            else:  # in the list's order
                where = [i for i in range(len(node)) for _ in range(n)] if node.replace else range(len(node))
                ways = ([node.transforms[i] for i in some] for some in combinations(where, n))
            found |= {end for way in ways for end in run(way)}
        return found
    return found | run(node.transforms)


# ---- albumentations, step after step --------------------------------------------------------------

# limits that no box of whole pixels meets exactly: there float32, in which albumentations keeps boxes, decides
LIMITS = {"min_visibility": 0.2137, "min_area": 4.3, "min_width": 0.77, "min_height": 0.77}
BOXES = {"format": "pascal_voc", "label_fields": ["labels"], **LIMITS}
POINTS = {"format": "xy", "label_fields": ["names"]}
FORMATS = (("pascal_voc", "xy"), ("coco", "yx"), ("albumentations", "xyas"), ("yolo", "xyz"))


def marks(size, boxes_as: str = "pascal_voc", points_as: str = "xy") -> dict:
    """Boxes and points of an image, on whole pixels: small, large, at the rims."""
    h, w = size
    boxes = [(0, 0, w, h), (3, 5, w // 2, h // 3), (w // 3, h // 4, w // 3 + 9, h // 4 + 14), (w - 12, h - 20, w, h - 3)]
    points = [(0.0, 0.0), (w - 1.0, h - 1.0), (0.3371 * w, 0.2113 * h), (w / 2 + 0.2371, 7.613), (4.137, h - 9.291)]
    boxes, points = np.array(boxes, np.float64), np.array(points)
    if boxes_as in ("coco", "yolo"):
        boxes[:, 2:] -= boxes[:, :2]
    if boxes_as == "yolo":
        boxes[:, :2] += boxes[:, 2:] / 2
    if boxes_as in ("albumentations", "yolo"):
        boxes /= [w, h, w, h]
    points = points[:, ::-1] if points_as == "yx" else np.c_[points, np.full((len(points), len(points_as) - 2), 3.0)]
    return {"bboxes": boxes.tolist(), "labels": list("abcd"), "keypoints": points.tolist(), "names": list("vwxyz")}


HALF = np.array([[1, 0, 0.5], [0, 1, 0.5], [0, 0, 1]])


def as_documented(theirs: A.BasicTransform) -> A.BasicTransform:
    """albumentations' transform without what it is known to do otherwise than it says."""
    plain = type(theirs)
    if isinstance(theirs, A.HueSaturationValue):
        # uint8: rounded at the ends of lines; float: rounded to 8 bits; see docs/parity.md
        def apply(image, hue_shift, sat_shift, val_shift, **params):
            shifts = {"hue_shift": hue_shift, "sat_shift": sat_shift, "val_shift": val_shift}
            return parity.color.in_vectors(
                lambda line: parity.color.hsv(A.HueSaturationValue(), line, shifts).reshape(line.shape), image
            )

        theirs.apply = apply
    if isinstance(theirs, A.Affine) and theirs.fit_output:
        # its boxes have a matrix whose offset is rounded by itself, so that they lie up to a pixel beside what they enclose: here
        # they get the image's, half a pixel apart, as edges lie from centres
        def apply_to_bboxes(bboxes, matrix, **params):
            return plain.apply_to_bboxes(theirs, bboxes, **{**params, "bbox_matrix": HALF @ matrix @ np.linalg.inv(HALF)})

        theirs.apply_to_bboxes = apply_to_bboxes
    if hasattr(theirs, "apply_to_bboxes") and "holes" in inspect.signature(theirs.apply_to_bboxes).parameters:
        # it truncates the sides of boxes, which are float32 fractions of the image: 10 is 9.9999995 and becomes 9
        def apply_to_bboxes_in_holes(bboxes, shape, **params):
            bboxes = bboxes.copy().reshape(-1, bboxes.shape[-1] if bboxes.size else 5)
            bboxes[:, :4] += 1e-4 / np.array(shape)[[1, 0, 1, 0]]
            return plain.apply_to_bboxes(theirs, bboxes, shape=shape, **params)

        theirs.apply_to_bboxes = apply_to_bboxes_in_holes
    theirs._set_keys()
    return theirs


def albumentations(links: list[A.BasicTransform], scripts: list[parity.case.Script | None], targets: dict, **params) -> dict:
    """albumentations' own Compose of some transforms, on one sample; scripts: where their luck is not their own."""
    steps = [copy.copy(link) for link in links]  # the same one may be taken twice
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        compose = A.Compose([as_documented(step) for step in steps], **params)
        for step, script in zip(steps, scripts, strict=True):
            step.p = 1.0  # whether it is taken is decided
            if script is not None:
                step.py_random = step.random_generator = script
        return compose(**copy.deepcopy(targets))


def compare_marks(got: dict, want: dict, what: str, fractions: bool = False) -> None:
    """Boxes and points: the same ones, at the same place. albumentations keeps boxes as float32 fractions of the image's size,
    and points in float32: 2^-25 of 300 pixels is 9e-6, twice for each of ten steps."""
    assert list(got["labels"]) == list(want["labels"]), what
    assert list(got["names"]) == list(want["names"]), what
    for name, width in (("bboxes", 4), ("keypoints", 2)):  # where a direction points to is in test_targets.py
        a, b = (np.asarray(x[name], np.float64)[:, :width] if len(x[name]) else np.zeros((0, width)) for x in (got, want))
        atol = 2e-4 / (40 if fractions and name == "bboxes" else 1)
        np.testing.assert_allclose(a, b, atol=atol, rtol=0, err_msg=f"{what}: {name}")


MORE = {"other": "image", "depth": "mask", "clip": "images"}


class Pair:
    """A tree of ours and the same of albumentations, run beside each other on a batch.

    Args:
        make: builds the list of transforms from a library.
        orders: how albumentations reads the uniforms of each leaf; None: nothing is drawn.
        formats: of boxes and keypoints.
        each: whether their limits apply after each transform, or at the end only.
    """

    def __init__(self, make: Callable, seed: int, orders: list | None = None, formats=FORMATS[0], each: bool = True):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            theirs = make(A)
        self.formats = formats
        check = {"check_each_transform": each}
        self.boxes, self.points = {**BOXES, "format": formats[0], **check}, {**POINTS, "format": formats[1], **check}
        self.compose = G.Compose(
            make(G),
            seed=seed,
            bbox_params=G.BboxParams(**self.boxes),
            keypoint_params=G.KeypointParams(**self.points),
            additional_targets=MORE,
        )
        self.links = dict(zip(map(id, leaves(self.compose)), leaves(A.Sequential(theirs)), strict=True))
        self.orders = dict(zip(map(id, leaves(self.compose)), orders or [None] * len(leaves(self.compose))))
        self.luck = Luck(self.compose)

    def run(self, data: list[np.ndarray], layout: str, device=None, with_marks: bool = True, more: bool = False) -> None:
        """Every target of every sample beside its reference. more: sets and additional targets, each with pictures of its own."""
        sizes = [x.shape[:2] for x in data]
        dtype = str(data[0].dtype)
        masks = [np.ascontiguousarray(x[..., 0] if dtype == "uint8" else np.rint(x[..., 0] * 255).astype(np.uint8)) for x in data]
        given = [marks(size, *self.formats) for size in sizes] if with_marks else [{}] * len(data)
        ids = np.arange(len(data)) * 1_000_003 + 5
        columns = {name: [m[name] for m in given] for name in given[0]}
        others = [(x[::-1].copy(), m[::-1].copy()) for x, m in zip(data, masks)] if more else []
        sets = [
            {"other": x2, "images": np.stack([x2, x, x2]), "clip": np.stack([x, x2]), "masks": np.stack([m, m2]), "depth": m2}
            for x, m, (x2, m2) in zip(data, masks, others)
        ] or [{}] * len(data)
        stacks = {name: batched(layout, [one[name] for one in sets]) for name in sets[0]}
        self.luck.calls.clear()
        given_batch = {"image": batched(layout, data, device), "mask": batched(layout, masks, device), **columns, **stacks}
        out = self.compose(ids=ids, **{name: given_batch[name] for name in sorted(given_batch, reverse=more)})
        got = {name: unbatched(out[name]) for name in ("image", "mask", *sets[0])}
        images, labels = Tally("images"), Tally("masks")
        for i, (image, mask) in enumerate(zip(data, masks)):
            steps = self.luck.of(i)
            assert len(steps) in ends(self.compose, [s.transform for s in steps], 0), f"sample {i} took {steps}"
            links = [self.links[id(step.transform)] for step in steps]
            orders = [self.orders[id(step.transform)] for step in steps]
            scripts = [order and order(step.u) for order, step in zip(orders, steps)]
            params = {"additional_targets": MORE}
            if with_marks:
                params.update(bbox_params=A.BboxParams(**self.boxes), keypoint_params=A.KeypointParams(**self.points))
            want = albumentations(links, scripts, {"image": image, "mask": mask, **given[i], **sets[i]}, **params)
            what = f"sample {i} of {image.shape} through {[type(s.transform).__name__ for s in steps]}"
            drift, mask_drift = drifted(steps, dtype)
            for name, results in got.items():
                tally, allowed = (labels, mask_drift) if name in ("mask", "masks", "depth") else (images, drift)
                tally.add(results[i], np.asarray(want[name]), allowed, f"{what}, {name}")
            if with_marks:
                fractions = self.formats[0] in ("albumentations", "yolo")
                compare_marks({name: out[name][i] for name in columns}, want, what, fractions)
        images.check()
        labels.check()


# Calls that both libraries understand. Ranges whose ends are equal draw what is known beforehand, whoever draws.
FIXED = {
    "affine resize": lambda L: [L.Affine(rotate=(30, 30), scale=(0.8, 0.8), p=1), L.Resize(64, 64)],
    "resize crop": lambda L: [L.Resize(90, 110), L.CenterCrop(80, 72), L.HorizontalFlip(p=1)],
    "resize crop normalize": lambda L: [L.Resize(90, 110), L.CenterCrop(80, 72), L.Normalize()],
    "pad affine crop": lambda L: [
        L.PadIfNeeded(128, 130),
        L.Affine(rotate=(-17, -17), translate_percent={"x": (0.1, 0.1), "y": (-0.2, -0.2)}, p=1),
        L.CenterCrop(96, 80),
    ],
    "letterbox": lambda L: [
        L.Resize(60, 90),
        L.PadIfNeeded(None, None, pad_height_divisor=32, pad_width_divisor=32),
        L.Transpose(p=1),
        L.VerticalFlip(p=1),
    ],
    "fit output": lambda L: [
        L.Affine(rotate=(25, 25), fit_output=True, p=1),
        L.CenterCrop(70, 90, pad_if_needed=True),
        L.Affine(rotate=(-60, -60), fit_output=True, p=1),
        L.Resize(80, 60),
    ],
    "turn between affines": lambda L: [
        L.Affine(scale=(1.17, 1.17), translate_px={"x": (9, 9), "y": (-7, -7)}, p=1),
        L.Transpose(p=1),
        L.Affine(translate_percent={"x": (0.2, 0.2), "y": (0.05, 0.05)}, rotate=(10, 10), p=1),
        L.Resize(100, 40),
        L.Affine(translate_percent={"x": (-0.2, -0.2), "y": (0.1, 0.1)}, p=1),
    ],
    "shift scale rotate": lambda L: [
        L.CenterCrop(44, 46),
        L.ShiftScaleRotate(shift_limit=(0.1, 0.1), scale_limit=(0.3, 0.3), rotate_limit=(40, 40), p=1),
        L.Pad((3, 9, 20, 1)),
        L.ShiftScaleRotate(shift_limit=(-0.1, -0.1), scale_limit=(-0.2, -0.2), rotate_limit=(-15, -15), p=1),
    ],
    "whole windows": lambda L: [
        L.Resize(60, 80),
        L.RandomResizedCrop((50, 45), scale=(1, 1), ratio=(4 / 3, 4 / 3)),
        L.Pad(7),
        L.RandomCrop(64, 59),
        L.RandomCrop(80, 70, pad_if_needed=True),
    ],
    "nearest": lambda L: [
        L.HorizontalFlip(p=1),
        L.Resize(33, 91, interpolation=0),
        L.Transpose(p=1),
        L.Resize(57, 50, interpolation=0),
        L.CenterCrop(40, 40),
    ],
    "cubic": lambda L: [L.Resize(70, 75, interpolation=2), L.VerticalFlip(p=1), L.Affine(rotate=(12, 12), interpolation=2, p=1)],
    "blurs": lambda L: [
        L.CenterCrop(45, 47),
        L.GaussianBlur(blur_limit=(5, 5), sigma_limit=(1.2, 1.2), p=1),
        L.HorizontalFlip(p=1),
        L.Blur((3, 3), p=1),
        L.MotionBlur((5, 5), angle_range=(45, 45), direction_range=(0, 0), allow_shifted=False, p=1),
    ],
    "colour first": lambda L: [
        L.HorizontalFlip(p=1),
        L.HueSaturationValue((11, 11), (-20, -20), (9, 9), p=1),
        L.RandomBrightnessContrast((0.1, 0.1), (0.2, 0.2), p=1),
        L.Affine(rotate=(33, 33), p=1),
        L.Blur((5, 5), p=1),
        L.Resize(50, 70),
    ],
    "colour last": lambda L: [
        L.Transpose(p=1),
        L.RandomBrightnessContrast((-0.1, -0.1), (-0.3, -0.3), brightness_by_max=False, p=1),
        L.Resize(70, 50),
        L.RandomBrightnessContrast((0.05, 0.05), (0.4, 0.4), p=1),
        L.RandomBrightnessContrast((0.1, 0.1), (-0.2, -0.2), brightness_by_max=False, p=1),
        L.Normalize(mean=0.4, std=0.3),
    ],
    "grid": lambda L: [
        L.Resize(60, 80),
        L.GridDropout(ratio=0.4, random_offset=False, holes_number_xy=(4, 4), shift_xy=(3, 2), fill=7, fill_mask=9, p=1),
        L.Transpose(p=1),
        L.PadIfNeeded(96, 64, position="bottom_left"),
        L.GridDropout(ratio=0.5, random_offset=False, holes_number_xy=(8, 8), fill=0, fill_mask=200, p=1),
    ],
    "groups": lambda L: [
        L.Sequential([L.Transpose(p=1), L.Affine(rotate=(20, 20), p=1), L.Sequential([L.Resize(66, 50)], p=1)], p=1),
        L.OneOf([L.CenterCrop(40, 44)], p=1),
        L.SomeOf([L.HorizontalFlip(p=1), L.Pad((2, 5))], n=2, p=1),
        L.Affine(translate_percent={"x": (0.25, 0.25), "y": (0.1, 0.1)}, p=1),
    ],
}


@pytest.mark.parametrize("layout", ["ragged", "dense"])
@pytest.mark.parametrize("dtype", ["uint8", "float32"])
@pytest.mark.parametrize("name", FIXED)
def test_fixed_chain(name, dtype, layout, device):
    seed = list(FIXED).index(name)
    pair = Pair(FIXED[name], seed)
    # under holes albumentations rounds boxes to whole pixels, see docs/masking.md
    pair.run(pictures(layouts(layout, seed), dtype, seed=seed), layout, device, with_marks=name != "grid")


# Some samples take a step and some do not; every tree ends with a fixed size, so that a batch can be dense. Of sets of images
# albumentations' crops pad none.
COINS = {
    "affine resize": lambda L: [L.Affine(rotate=(30, 30), p=0.6), L.Resize(70, 80, p=0.5), L.Transpose(p=0.5), L.Resize(64, 72)],
    "all, then some": lambda L: [
        L.Affine(rotate=(-50, -50), p=1),
        L.Resize(70, 80, p=0.5),
        L.Affine(translate_percent={"x": (0.1, 0.1), "y": (0.2, 0.2)}, p=1),
        L.Transpose(p=0.5),
        L.ShiftScaleRotate(shift_limit=(0.1, 0.1), scale_limit=(0.2, 0.2), rotate_limit=(20, 20), p=1),
        L.Resize(64, 72),
    ],
    "sizes by chance": lambda L: [
        L.Transpose(p=0.5),
        L.Affine(scale=(1.31, 1.31), translate_percent={"x": (0.1, 0.1), "y": (-0.1, -0.1)}, p=0.5),
        L.PadIfNeeded(90, 70, p=0.5),
        L.ShiftScaleRotate(shift_limit=(0.2, 0.2), scale_limit=(-0.3, -0.3), rotate_limit=(45, 45), p=0.5),
        L.CenterCrop(46, 40, p=0.5),
        L.Resize(50, 50),
    ],
    "fit output by chance": lambda L: [
        L.Affine(rotate=(25, 25), fit_output=True, p=0.5),
        L.VerticalFlip(p=0.5),
        L.Affine(rotate=(-40, -40), fit_output=True, p=0.5),
        L.PadIfNeeded(66, 66),
        L.CenterCrop(60, 66),
    ],
    "colour and blur": lambda L: [
        L.HueSaturationValue((-9, -9), (25, 25), (-4, -4), p=0.5),
        L.Pad((5, 8), p=0.5),
        L.Blur((3, 3), p=0.5),
        L.Transpose(p=0.5),
        L.RandomBrightnessContrast((0.1, 0.1), (-0.3, -0.3), p=0.5),
        L.Resize(66, 58),
    ],
    "one of": lambda L: [
        L.OneOf([L.Resize(60, 90, p=1), L.Transpose(p=1), L.Pad((9, 4), p=1), L.NoOp(p=1)], p=0.9),
        L.OneOf([L.Affine(rotate=(15, 15), p=0.3), L.Blur((5, 5), p=0.3), L.Sequential([L.CenterCrop(44, 40), L.Transpose()])]),
        L.Affine(translate_percent={"x": (0.2, 0.2), "y": (0.1, 0.1)}, rotate=(5, 5), p=0.7),
        L.Resize(64, 48),
    ],
    "groups in groups": lambda L: [
        L.Sequential(
            [
                L.SomeOf([L.Transpose(p=0.6), L.Pad((3, 1, 0, 7), p=0.9), L.Resize(52, 63, p=0.8), L.HorizontalFlip(p=0.5)], n=2),
                L.OneOrOther(L.Affine(rotate=(-33, -33), p=1), L.Sequential([L.Transpose(p=0.5), L.CenterCrop(40, 42)], p=0.1)),
                L.Compose([L.VerticalFlip(p=0.5), L.Affine(scale=(0.93, 0.93), p=0.5)], p=0.7),
            ],
            p=0.8,
        ),
        L.RandomOrder([L.Resize(61, 55, p=0.7), L.Transpose(p=0.7), L.CenterCrop(39, 38, p=0.7)], n=3, p=0.9),
        L.PadIfNeeded(48, 48),
        L.CenterCrop(48, 48),
    ],
    "repeated": lambda L: [
        L.SomeOf([L.Pad((1, 2, 3, 4), p=0.8), L.Transpose(p=0.5), L.Affine(translate_px={"x": 3}, p=0.6)], n=4, replace=True),
        L.RandomOrder([L.Pad((4, 0, 1, 0)), L.Transpose(p=1), L.Resize(51, 70, interpolation=0)], n=4, replace=True),
        L.Resize(48, 51),
    ],
}


@pytest.mark.parametrize("layout", ["ragged", "dense"])
@pytest.mark.parametrize("dtype", ["uint8", "float32"])
@pytest.mark.parametrize("name", COINS)
def test_chain_that_some_samples_take(name, dtype, layout, device):
    seed = list(COINS).index(name)
    pair = Pair(COINS[name], 100 + seed)
    data = pictures(layouts(layout, seed, 12), dtype, seed=seed)
    pair.run(data, layout, device, more=device.type == "cpu")
    ways = {tuple(id(step.transform) for step in pair.luck.of(i)) for i in range(12)}
    assert len(ways) >= 4, "the samples take different ways"


# ---- drawn parameters: the references of parity, step after step ------------------------------------


def own_holes(cls: str, *args) -> parity.case.Case:
    """The axis masks of parity need uniforms of 12 bits; here their rectangles are ours, and NumPy fills them."""
    transform = getattr(G, cls)(*args, p=1)

    def run(image, u, kind):
        out = image.copy()
        for x0, y0, x1, y1 in transform.draw(u[None], View(np.array([image.shape[:2]]), 3, "uint8"))["holes"][0]:
            out[y0:y1, x0:x1] = 0
        return out

    return parity.case.Case(transform, run, "NumPy, our rectangles", parity.case.SAME, mask=True)


def usable(case: parity.case.Case) -> bool:
    """What can stand anywhere in a chain of images of at least 16 pixels a side, and leaves them so."""
    if case.name in ("Normalize", "ToTensorV2"):  # end a chain
        return False
    if case.name in ("Affine", "ShiftScaleRotate") and case.ours.interpolation == 0:  # a tie may change a value by any amount
        return False
    # more than one reflection away from the image, cv2.warpAffine's cubic reads other pixels than those that are reflected there
    if case.note in ("cubic reflect_101", "no window fits"):  # the latter makes images of 9 columns
        return False
    return case.bits == 30 and case.keep(np.zeros((16, 16, 3), np.uint8))


CASES = [case for case in parity.CASES if usable(case)] + [own_holes("TimeMasking", 12), own_holes("FrequencyMasking", 9)]
FAMILIES = {
    "turn": {"HorizontalFlip", "VerticalFlip", "Transpose", "RandomRotate90", "Flip", "TimeReverse", "NoOp"},
    "warp": {"Affine", "ShiftScaleRotate"},
    "size": {"Resize", "RandomCrop", "CenterCrop", "RandomResizedCrop", "Pad", "PadIfNeeded"},
    "blur": {"Blur", "GaussianBlur", "MotionBlur"},
    "colour": {"RandomBrightnessContrast", "HueSaturationValue", "GaussNoise", "ChannelDropout"},
    "dropout": {"XYMasking", "CoarseDropout", "Erasing", "GridDropout", "PixelDropout", "TimeMasking", "FrequencyMasking"},
}


def brightest(transform) -> float:
    return max(np.max(getattr(transform, name, 0)) for name in ("fill", "drop_value"))


def in_range(case: parity.case.Case, image: np.ndarray, u: np.ndarray) -> tuple[np.ndarray, float]:
    """A blur of float values outside of 0..1, which albumentations clips: of the values in that range, and back. How much wider
    theirs is."""
    low, high = min(image.min(), 0.0), max(image.max(), 1.0)
    width = np.float32(high - low)
    return case.reference((image - low) / width, u, "image") * width + low, float(width)


class Forest:
    """Random trees of cases; remembers which leaf has which case."""

    def __init__(self, seed: int, dtype: str, channels: int):
        self.rng, self.cases = np.random.default_rng(seed), {}
        some = [case for case in CASES if dtype in case.bounds and channels in case.channels]
        some = [case for case in some if dtype == "uint8" or brightest(case.ours) <= 9]
        self.pool = {family: [case for case in some if case.name in names] for family, names in FAMILIES.items()}
        self.dtype, self.exact = dtype, True

    def chance(self) -> float:
        return (1.0, 1.0, 0.5, 0.8)[int(self.rng.integers(4))]

    def leaf(self):
        while True:
            family = list(FAMILIES)[self.rng.choice(len(FAMILIES), p=(0.2, 0.2, 0.3, 0.1, 0.1, 0.1))]
            case = self.pool[family][int(self.rng.integers(len(self.pool[family])))]
            if case.name != "HueSaturationValue" or self.exact:
                break
        self.exact &= case.bounds[self.dtype].far == 0 and (self.dtype == "uint8" or brightest(case.ours) <= 1)
        ours = copy.copy(case.ours)
        ours.p = self.chance()
        self.cases[id(ours)] = case
        return ours

    def node(self, depth: int = 0):
        if depth == 2 or self.rng.random() < 0.65:
            return self.leaf()
        exact = self.exact
        some = [self.node(depth + 1) for _ in range(int(self.rng.integers(2, 4)))]
        if self.rng.random() < 0.4 and not exact:
            some.append(some[0])  # the same object at two places
        kinds = [
            lambda: G.OneOf(some, p=self.chance()),
            lambda: G.SomeOf(some, n=(1, 2), p=self.chance()),
            lambda: G.Sequential(some, p=self.chance()),
            lambda: G.OneOrOther(some[0], some[1], p=self.chance()),
            lambda: G.Compose(some, p=self.chance()),
        ]
        if not exact:  # else a hue may follow a blur
            kinds += [lambda: G.RandomOrder(some, n=2, p=self.chance()), lambda: G.SomeOf(some, n=2, replace=True)]
        return kinds[int(self.rng.integers(len(kinds)))]()


@pytest.mark.parametrize("dtype", ["uint8", "float32"])
@pytest.mark.parametrize("seed", range(30))
def test_random_chain(seed, dtype, device):
    """Random trees of all transforms, on images and masks of 32 bits: every step by its reference in parity."""
    channels = (3, 3, 1, 4)[seed % 4]
    forest = Forest(seed, dtype, channels)
    compose = G.Compose([forest.node() for _ in range(int(forest.rng.integers(2, 6)))], seed=seed)
    data = pictures(layouts("ragged", seed), dtype, channels, seed)
    palette = parity.run.LABELS.astype(np.int32)
    palette[[0, 3, 4, 5, 7]] = [0, 3, 4, 5, 7]  # fills of masks keep their value
    labels = [np.ascontiguousarray(x[..., :1]) for x in pictures(layouts("ragged", seed), "uint8", 3, seed)]
    luck = Luck(compose)
    ids = forest.rng.integers(0, 1 << 40, len(data))
    masks = batched("ragged", [palette[x[..., 0]] for x in labels], device)
    out = compose(image=batched("ragged", data, device), mask=masks, ids=ids)
    got_images, got_masks = unbatched(out["image"]), unbatched(out["mask"])
    pixels, values = Tally("images"), Tally("masks")
    for i, (image, mask) in enumerate(zip(data, labels)):
        steps = luck.of(i)
        assert len(steps) in ends(compose, [s.transform for s in steps], 0), f"no way through the tree: {steps}"
        drift = mask_drift = Drift()
        for k, step in enumerate(steps):
            case = forest.cases[id(step.transform)]
            what = f"sample {i} of {data[i].shape}, step {k} of {[type(s.transform).__name__ for s in steps]}"
            check_params(step, image, what)
            factor = gain(step.transform, step.params)
            assert np.isfinite(factor) or drift.far == 0
            allowed = of_one_draw(step.transform, step.params, dtype, case.bounds[dtype])
            if case.name in FAMILIES["blur"] and dtype == "float32":
                image, width = in_range(case, image, step.u)
                allowed = replace(allowed, far=allowed.far * width)  # sums of values that are larger by so much
            else:
                image = np.asarray(case.reference(image.copy(), step.u, "image"))
            image = image.reshape(*image.shape[:2], channels)
            drift = drift.after(allowed, factor, dtype == "uint8")
            if case.mask:
                mask = np.asarray(case.reference(mask.copy(), step.u, "mask"))
                mask = mask.reshape(*mask.shape[:2], 1)
                mask_drift = mask_drift.after(parity.EXACT if case.exact_mask else parity.NEAREST, 1.0, False)
        what = f"sample {i} of {data[i].shape} through {steps}"
        pixels.add(got_images[i], image, drift, what)
        values.add(got_masks[i], palette[mask[..., 0]], mask_drift, what + ", mask")
    pixels.check()
    values.check()


# ---- drawn parameters: albumentations reads them as a script, and moves boxes and keypoints ------------------


@dataclass
class Link:
    """A call that both libraries understand, and the order in which albumentations asks for the uniforms that it gets."""

    make: Callable
    order: Callable = parity.case.Script  # uniforms -> Script

    @staticmethod
    def affine(cls: str, **kwargs) -> Link:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return Link(lambda L, p: getattr(L, cls)(p=p, **kwargs), parity.affine.affine_order(getattr(A, cls)(**kwargs)))


def crop_order(u):
    return parity.case.Script([], u[:2])


def placed_crop_order(u):
    return parity.case.Script([u[2], u[3]], u[:2])


# all leave at least 38 rows and columns
WHOLE = [  # pixels stay on the grid, and corners of boxes on whole numbers
    Link(lambda L, p: L.HorizontalFlip(p=p)),
    Link(lambda L, p: L.VerticalFlip(p=p)),
    Link(lambda L, p: L.Transpose(p=p)),
    Link(lambda L, p: L.Transpose(p=p)),
    Link(lambda L, p: L.RandomRotate90(p=p)),
    Link(lambda L, p: L.RandomRotate90(p=p)),
    Link(lambda L, p: L.RandomCrop(38, 38, p=p), crop_order),
    Link(lambda L, p: L.RandomCrop(60, 45, pad_if_needed=True, p=p), crop_order),
    Link(lambda L, p: L.RandomCrop(50, 71, pad_if_needed=True, pad_position="top_left", p=p), crop_order),
    # albumentations asks for a place only where something is missing along an axis
    Link(lambda L, p: L.CenterCrop(40, 46, pad_if_needed=True, pad_position="bottom_right", p=p)),
    Link(lambda L, p: L.CenterCrop(38, 38, p=p)),
    Link(lambda L, p: L.Pad((3, 1, 0, 7), p=p)),
    Link(lambda L, p: L.PadIfNeeded(70, 75, position="random", p=p)),
    Link(lambda L, p: L.PadIfNeeded(None, 64, pad_height_divisor=24, position="top_right", p=p)),
]
RESIZES = [
    Link(lambda L, p: L.Resize(52, 67, p=p)),
    Link(lambda L, p: L.Resize(80, 41, interpolation=0, p=p)),
    Link(
        lambda L, p: L.RandomResizedCrop((57, 45), p=p),
        lambda u: parity.case.Script(np.ravel(np.stack([u[:10], u[10:20]], 1)), u[20:]),
    ),
]
OFF_GRID = [
    Link.affine("Affine", **parity.affine._wide),
    Link.affine("Affine", rotate=(-180, 180), fit_output=True),
    Link.affine("Affine", scale=(0.7, 1.2), rotate=(-40, 40), translate_px={"x": (-9, 9), "y": (-5, 5)}, keep_ratio=True),
    Link.affine("ShiftScaleRotate"),
    Link.affine("ShiftScaleRotate", shift_limit=0.3, scale_limit=(-0.4, 0.6), rotate_limit=(-90, 170)),
    *RESIZES,
]
HOLES = [
    Link(
        lambda L, p: L.CoarseDropout((1, 6), (0.1, 0.4), (0.05, 0.5), fill=0, fill_mask=200, p=p),
        lambda u: parity.case.Script(u[:1], blocks=u[1:].reshape(4, 6)),
    ),
    Link(
        lambda L, p: L.CoarseDropout((3, 5), (1, 8), (2, 20), fill=1, p=p),
        lambda u: parity.case.Script(u[:1], blocks=u[1:].reshape(4, 5)),
    ),
    Link(
        lambda L, p: L.XYMasking((1, 3), (0, 4), (0, 10), (2, 12), fill=0, fill_mask=9, p=p),
        parity.dropout.stripes(3, 4, (1, 3), (0, 4)),
    ),
]
PIXELS = [
    Link(lambda L, p: L.GaussianBlur(p=p)),
    Link(lambda L, p: L.Blur((3, 5), p=p)),
    Link(lambda L, p: L.RandomBrightnessContrast(p=p)),
    Link(lambda L, p: L.NoOp(p=p)),
]
GROUPS = [
    lambda L, some, p: L.OneOf(some, p=p),
    lambda L, some, p: L.SomeOf(some, n=2, p=p),
    lambda L, some, p: L.SomeOf(some, n=2, replace=True, p=p),
    lambda L, some, p: L.RandomOrder(some, n=2, p=p),
    lambda L, some, p: L.Sequential(some, p=p),
    lambda L, some, p: L.OneOrOther(some[0], some[1], p=p),
]


def plan(rng, links: list[Link], depth: int = 0):
    """A random tree: (link, p), or (kind of group, p, children)."""
    p = (1.0, 1.0, 0.5, 0.8)[int(rng.integers(4))]
    if depth == 2 or rng.random() < 0.7:
        return links[int(rng.integers(len(links)))], p
    kind = GROUPS[int(rng.integers(len(GROUPS)))]
    return kind, p, [plan(rng, links, depth + 1) for _ in range(2 if "OneOrOther" in kind.__code__.co_names else 3)]


def build(L, node):
    return node[0].make(L, node[1]) if len(node) == 2 else node[0](L, [build(L, child) for child in node[2]], node[1])


def orders(node) -> list:
    return [node[0].order] if len(node) == 2 else [order for child in node[2] for order in orders(child)]


@pytest.mark.parametrize("kind", ["off grid", "holes", "limits at the end"])
@pytest.mark.parametrize("dtype", ["uint8", "float32"])
@pytest.mark.parametrize("seed", range(10))
def test_random_chain_of_all_targets(seed, dtype, kind, device):
    """Random trees on image, mask, boxes and keypoints: albumentations' Compose of what each sample took, from the same uniforms.
    Holes only among whole pixels: albumentations rounds boxes under them, see docs/masking.md. Limits that are applied at the end
    only, without the affine maps and holes of albumentations, which drop or misread boxes outside of the image by themselves."""
    rng = np.random.default_rng(seed)
    links = [*WHOLE, *PIXELS, *{"off grid": OFF_GRID * 2, "holes": HOLES * 2, "limits at the end": RESIZES * 2}[kind]]
    nodes = [plan(rng, links) for _ in range(int(rng.integers(2, 6)))]
    layout = ("ragged", "dense")[seed % 2]
    if layout == "dense":
        nodes.append((Link(lambda L, p: L.CenterCrop(55, 66, pad_if_needed=True, p=p)), 1.0))
    formats = FORMATS[seed % (2 if kind == "holes" else 4)]  # whole pixels as fractions are not quite whole
    drawn = [order for node in nodes for order in orders(node)]
    pair = Pair(lambda L: [build(L, node) for node in nodes], seed, drawn, formats, each=kind != "limits at the end")
    pair.run(pictures(layouts(layout, seed), dtype, seed=seed), layout, device)


# ---- draws that look at masks and boxes ------------------------------------------------------------------


def objects(mask: np.ndarray) -> list[np.ndarray]:
    """Regions of a mask, as albumentations finds them."""
    labels, count = fdropout.label(mask, return_num=True)
    return [labels == k + 1 for k in range(count)]


def scene(size, seed: int) -> np.ndarray:
    """A mask of overlapping rectangles of three labels."""
    rng, mask = np.random.default_rng(seed), np.zeros(size, np.uint8)
    for k in range(7):
        y, x = rng.integers(0, size[0] - 6), rng.integers(0, size[1] - 6)
        mask[y : y + rng.integers(4, 20), x : x + rng.integers(4, 20)] = 1 + k % 3
    return mask


def exact_links(rng) -> list[Link]:
    """Some geometry, in random order, that moves images and masks exactly."""
    links = [
        *WHOLE,
        Link(lambda L, p: L.Resize(80, 61, interpolation=0, p=p)),
        Link.affine("Affine", translate_px={"x": (-9, 9), "y": (-5, 5)}),
    ]
    return [links[i] for i in rng.permutation(len(links))[:9]]


@pytest.mark.parametrize("seed", range(8))
def test_objects_are_those_of_the_mask_at_that_step(seed):
    """Geometry before, between and after dropouts of objects: they drop objects of the mask that the reference has by then."""
    rng = np.random.default_rng(seed)
    links = exact_links(rng)
    geometry = [link.make(G, 0.6) for link in links]
    dropout = G.MaskDropout((1, 3), fill=(1, 2, 3), fill_mask=0, p=0.8)
    regions = G.ConstrainedCoarseDropout((1, 3), (0.2, 0.4), (0.3, 0.5), fill=77, fill_mask=0, mask_indices=[1, 3], p=0.8)
    middle = [*geometry[3:6], dropout, regions]
    compose = G.Compose([*geometry[:3], dropout, G.RandomOrder(middle, n=5), *geometry[6:], regions], seed=seed)
    luck = Luck(compose)
    data = pictures(layouts("ragged", seed), seed=seed)
    masks = [scene(x.shape[:2], seed + i) for i, x in enumerate(data)]
    out = compose(image=data, mask=masks, ids=np.arange(len(data)))
    dropped = 0
    for i, now in enumerate({"image": image, "mask": mask} for image, mask in zip(data, masks)):
        for step in luck.of(i):
            image, mask = now["image"], now["mask"]
            assert step.size == image.shape[:2]
            if step.transform is dropout:
                lost = step.params["dropout_mask"]
                assert lost.shape == image.shape[:2]
                there = objects(mask)
                gone = [one for one in there if lost[one].any()]
                assert all(lost[one].all() for one in gone), "objects vanish whole"
                assert lost.sum() == sum(one.sum() for one in gone), "and nothing else"
                assert min(1, len(there)) <= len(gone) <= 3
                dropped += len(gone)
                now = {"image": np.where(lost[..., None], np.uint8([1, 2, 3]), image), "mask": np.where(lost, np.uint8(0), mask)}
            elif step.transform is regions:
                there = np.isin(mask, [1, 3])  # values that touch are one object
                holes = whole_holes(step.params["holes"])
                assert len(holes) <= 3 * len(objects(there.astype(np.uint8)))
                now = copy.deepcopy(now)
                for x0, y0, x1, y1 in holes:
                    assert there[y0 : y1 + 1, x0 : x1 + 1].any(), "holes lie around pixels of objects"
                    now["image"][y0:y1, x0:x1], now["mask"][y0:y1, x0:x1] = 77, 0
                dropped += len(holes)
            else:
                link = links[geometry.index(step.transform)]
                now = albumentations([link.make(A, 1)], [link.order(step.u)], now)
        np.testing.assert_array_equal(out["image"][i], now["image"])
        np.testing.assert_array_equal(out["mask"][i], now["mask"])
    assert dropped > 10


@pytest.mark.parametrize("seed", range(6))
def test_holes_in_boxes_are_in_the_boxes_of_that_step(seed):
    rng = np.random.default_rng(seed)
    links = [link for link in exact_links(rng) if "Resize" not in repr(link.make(G, 1))]
    geometry = [link.make(G, 0.6) for link in links]
    on_boxes = G.ConstrainedCoarseDropout((1, 2), (0.3, 0.5), (0.2, 0.5), fill=200, bbox_labels=["a", "c"], p=0.9)
    compose = G.Compose([*geometry[:3], on_boxes, *geometry[3:], on_boxes], seed=seed, bbox_params=G.BboxParams(**BOXES))
    luck = Luck(compose)
    data = pictures(layouts("ragged", seed), seed=seed)
    given = [{name: column for name, column in marks(x.shape[:2]).items() if name in ("bboxes", "labels")} for x in data]
    out = compose(image=data, **{name: [m[name] for m in given] for name in given[0]}, ids=np.arange(len(data)))
    for i, now in enumerate({"image": image, **boxes} for image, boxes in zip(data, given)):
        for step in luck.of(i):
            if step.transform is on_boxes:
                inside = [box for box, label in zip(now["bboxes"], now["labels"]) if label in "ac"]
                holes = whole_holes(step.params["holes"])
                assert len(holes) <= 2 * len(inside)
                assert len(holes) or not any(c - a >= 5 and d - b >= 4 for a, b, c, d in inside), "sides below 1 are none"
                for x0, y0, x1, y1 in holes:
                    assert any(a <= x0 + 1e-3 and b <= y0 + 1e-3 and x1 <= c + 1e-3 and y1 <= d + 1e-3 for a, b, c, d in inside)
                theirs, script = A.CoarseDropout(fill=200), None
                theirs.get_params_dependent_on_data = partial(lambda drawn, params, data: drawn, {"holes": holes, "seed": 0})
            else:
                link = links[geometry.index(step.transform)]
                theirs, script = link.make(A, 1), link.order(step.u)
            now = albumentations([theirs], [script], now, bbox_params=A.BboxParams(**BOXES))
        np.testing.assert_array_equal(out["image"][i], now["image"])
        assert list(out["labels"][i]) == list(now["labels"])
        np.testing.assert_allclose(out["bboxes"][i], now["bboxes"], atol=1e-3)  # see as_documented


# ---- nothing is shared that somebody writes --------------------------------------------------------------


def locked(array: np.ndarray) -> None:
    """Nobody may write into an array from here on, nor into what it is a view of."""
    while isinstance(array, np.ndarray):
        array.flags.writeable = False
        array = array.base


def everything(seed: int) -> tuple[G.Compose, dict]:
    """A long chain of all kinds of transforms, and a batch with all kinds of targets."""
    rng = np.random.default_rng(seed)
    some = [case for case in CASES if 3 in case.channels and "uint8" in case.bounds]
    some = [case for case in some if case.name != "ChannelDropout"]  # see test_a_mask_may_come_first
    steps = []
    for case in (some[i] for i in rng.permutation(len(some))[:25]):
        steps.append(copy.copy(case.ours))
        steps[-1].p = (1.0, 0.5)[int(rng.integers(2))]
    steps[5:5] = [G.MaskDropout(p=1), G.ConstrainedCoarseDropout(mask_indices=[2], p=0.7)]
    steps[9:9] = [G.ConstrainedCoarseDropout(bbox_labels=["a"], fill="random", p=1), G.MaskDropout((1, 2), p=0.5)]
    data = pictures(layouts("ragged", seed), seed=seed)
    given = [marks(x.shape[:2]) for x in data]
    run = {
        "image": data,
        "mask": [scene(x.shape[:2], i) for i, x in enumerate(data)],
        "images": [np.stack([x, x]) for x in data],
        **{name: [m[name] for m in given] for name in given[0]},
        "ids": np.arange(len(data)) + 7,
    }
    params = {"bbox_params": G.BboxParams(**BOXES), "keypoint_params": G.KeypointParams(**POINTS)}
    return G.Compose(steps, seed=seed, **params), run


def same(a: dict, b: dict) -> None:
    assert a.keys() == b.keys()
    for name in a:
        for x, y in zip(a[name], b[name], strict=True):
            np.testing.assert_array_equal(x, y, err_msg=name)


@pytest.mark.parametrize("seed", range(6))
def test_parameters_are_written_by_nobody(seed):
    """Neither by later steps, nor where they are lowered, nor where boxes, points and sets of images follow them: parameters, and
    the sizes and uniforms that draws were shown, are read-only from then on."""
    compose, run = everything(seed)
    want = compose(**run)
    kept = []

    def draw(plain, u, view):
        params = plain(u, view)
        for array in (u, view.size, *params.values()):
            locked(array)
            kept.append(array)
        return params

    for step in compose:
        step.draw = partial(draw, step.draw)
    same(compose(**run), want)
    assert len(kept) > 60


@pytest.mark.parametrize("seed", range(3))
def test_a_compose_remembers_nothing_but_its_counter(seed):
    """Other sizes and other types between two calls, the order of the keywords, and what was drawn before change nothing."""
    compose, run = everything(seed)
    want = compose(**run)
    other = pictures(layouts("dense", seed + 1, 3), "float32", seed=9)
    compose(image=other, mask=[scene(x.shape[:2], 1) for x in other], bboxes=[[]] * 3, labels=[[]] * 3)
    turned = compose(**dict(reversed(run.items())))
    same({name: turned[name] for name in want}, want)
    # the same transforms in another tree
    G.Compose([G.OneOf(list(compose), p=1)], seed=3, bbox_params=compose.bbox_params)(
        image=run["image"], mask=run["mask"], bboxes=run["bboxes"], labels=run["labels"]
    )
    same(compose(**run), want)


@pytest.mark.parametrize("seed", range(3))
def test_a_sample_alone_gets_the_same(seed):
    """All targets through the long chain, alone and among others in another order: nothing of a neighbour's is read."""
    compose, run = everything(seed)
    want = compose(**run)
    order = np.random.default_rng(seed).permutation(len(run["ids"]))
    turned = compose(**{name: column[order] if name == "ids" else [column[i] for i in order] for name, column in run.items()})
    same(turned, {name: [column[i] for i in order] for name, column in want.items()})
    for i in range(len(order)):
        one = compose(**{name: column[i] for name, column in run.items()})
        same({name: [value] for name, value in one.items()}, {name: [column[i]] for name, column in want.items()})


def test_what_was_drawn_can_be_used_again():
    """A `Drawn` lowered twice, in between for masks and for another batch of these sizes."""
    forest = Forest(3, "uint8", 3)
    compose = G.Compose([forest.node() for _ in range(6)], seed=1)
    data = pictures(layouts("ragged", 1))
    drawn = compose.draw(np.array([x.shape[:2] for x in data]), ids=np.arange(len(data)))

    def run(pictures, kind="image"):
        track = compose.lower(Batch.of(pictures, name=kind), drawn, kind)
        return [x.numpy() for x in deliver_ragged(track, planar=False)]

    want = run(data)
    turned = run([x[..., ::-1] for x in data])
    run([x[..., :1] for x in data], "mask")
    for a, b, c in zip(run(data), want, turned):
        np.testing.assert_array_equal(a, b)
        assert a.shape == c.shape
    same({"x": compose(image=data, ids=np.arange(len(data)))["image"]}, {"x": want})


# ---- another library ----------------------------------------------------------------------------------


def test_a_chain_as_torchvision_computes_it():
    """Float images through torchvision's operations with fixed parameters, one after the other. Its grids are float32 fractions
    of the image's size: coordinates are right to 2^-24 * 100 * 2 = 1.2e-5 pixels along each of two axes, on either side, and the
    image changes by at most 1 from pixel to pixel: 5e-5 for each of three interpolations; Normalize divides by 0.224 at least."""
    data = pictures(layouts("ragged", 2), "float32", seed=2)
    out = G.Compose(
        [
            G.Affine(rotate=(20, 20), scale=(0.8, 0.8), translate_px={"x": (5, 5), "y": (-3, -3)}, p=1),
            G.Resize(70, 90),
            G.HorizontalFlip(p=1),
            G.CenterCrop(60, 80),
            G.Affine(rotate=(-35, -35), p=1),
            G.Transpose(p=1),
            G.Pad((2, 3, 4, 5)),
            G.Normalize(max_pixel_value=1.0),
        ]
    )(image=data)["image"]
    bilinear = {"interpolation": vision.InterpolationMode.BILINEAR}
    for image, got in zip(data, out, strict=True):
        x = torch.from_numpy(image).permute(2, 0, 1)
        # torchvision turns clockwise
        x = vision.affine(x, angle=-20, translate=[5, -3], scale=0.8, shear=[0, 0], **bilinear)
        x = vision.resize(x, [70, 90], antialias=False, **bilinear)
        x = vision.center_crop(vision.horizontal_flip(x), [60, 80])
        x = vision.affine(x, angle=35, translate=[0, 0], scale=1.0, shear=[0, 0], **bilinear)
        x = vision.pad(x.mT, [2, 3, 4, 5])
        x = vision.normalize(x, mean=[0.485, 0.456, 0.406], std=[0.229, 0.224, 0.225])
        np.testing.assert_allclose(got, x.permute(1, 2, 0).numpy(), atol=1.5e-4 / 0.224)


# ---- found by reading what differed ----------------------------------------------------------------------


@pytest.mark.parametrize("name", ["image", "images"])
def test_a_mask_may_come_first(name):
    image = pictures([(50, 60)])[0]
    compose = G.Compose([G.ChannelDropout((1, 2), p=1)], seed=1)
    image = image[None] if name == "images" else image
    want = compose(**{name: image}, ids=0)[name]
    np.testing.assert_array_equal(compose(**{"mask": scene((50, 60), 0), name: image}, ids=0)[name], want)


def test_holes_cut_boxes_alike_in_every_format():
    """A box on whole pixels, whose first column a hole begins with: it is cut whatever the box is written in."""
    image, cut = np.zeros((77, 77), np.uint8), 0
    for i in range(30):
        found = []
        for form, box in (("pascal_voc", (5, 3, 25, 38)), ("albumentations", (5 / 77, 3 / 77, 25 / 77, 38 / 77))):
            compose = G.Compose([G.XYMasking(1, 0, 8, 0, p=1)], seed=0, bbox_params=G.BboxParams(form))
            found.append(np.array(compose(image=image, bboxes=[box], ids=i)["bboxes"]) * (77 if form == "albumentations" else 1))
        cut += abs(found[0] - (5, 3, 25, 38)).max() > 1
        np.testing.assert_allclose(found[1], found[0], atol=1e-6)
    assert cut


def test_p_can_be_changed():
    """As in albumentations, where schedules of augmentation set it between epochs."""
    image = pictures([(50, 60)])[0]
    for L in (A, G):
        compose = L.Compose([L.HorizontalFlip(p=0)])
        compose[0].p = 1
        np.testing.assert_array_equal(compose(image=image)["image"], image[:, ::-1])


def test_one_or_other_has_its_own_weight():
    """In albumentations a child's weight in OneOf is its p, that of OneOrOther included."""

    def make(L):
        return [L.OneOf([L.OneOrOther(L.NoOp(p=1), L.NoOp(p=1), p=0.5), L.HorizontalFlip(p=0.5)], p=1)]

    drawn = G.Compose(make(G), seed=1).draw(np.full((4000, 2), 9), ids=np.arange(4000))
    flipped = sum(len(step.rows) for step in drawn.steps if isinstance(step.transform, G.HorizontalFlip)) / 4000
    assert abs(flipped - A.Compose(make(A)).transforms[0].transforms_ps[1]) < 0.04  # five standard deviations of 4000 coins
