"""Tools of the tests of chains: pictures, how errors add up, and albumentations applied step after step to what we drew."""

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
import skimage.data
import torch
from allowed import Drift, Tally

import gpuaug as G
from gpuaug import library
from gpuaug.groups import Group
from gpuaug.interop.parity import driven, references
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


def of_one_draw(transform, params: dict, dtype: str, usual: parity.case.Bound) -> parity.case.Bound:
    """The bounds of parity, but where they hold for many draws and images and not for each."""
    if isinstance(transform, G.GaussNoise) and dtype == "float32":
        # the kernel's uniform (k + 0.5) 2^-24 is float32, which has no halves above 2^23: where it is nearest to 1 the radius
        # sqrt(-2 ln u) is off by as much as itself, sqrt(2^-24) = 2.5e-4
        return replace(usual, far=usual.far + 2.5e-4 * float(params["std"]))
    if isinstance(transform, G.MotionBlur) and dtype == "uint8":
        start, lengths = np.empty(1, np.int64), np.empty((1, 3), np.int64)
        library.load().motion(*(params[name][None] for name in ("ksize", "angle", "direction", "shift")), start, lengths)
        points = int(lengths[0, 2])
        if points % 2 == 0 and points & (points - 1):  # of the sums of 6 pixels a sixth is a tie, and 1/6 is no binary fraction
            return replace(parity.case.ROUNDED, share=1 - 1 / points)
    return usual


def drifted(steps: list[Step], dtype: str) -> tuple[Drift, Drift]:
    """How far image and mask of a sample may be after its steps."""
    image = mask = Drift()
    for step in steps:
        about = parity.ABOUT[type(step.transform).__name__]
        factor = about.gain(step.transform, step.params)
        whole = dtype == "uint8" and type(step.transform) is not G.Normalize
        assert np.isfinite(factor) or image.far == 0, f"{step.transform} makes large differences of small ones; place it earlier"
        image = image.after(of_one_draw(step.transform, step.params, dtype, about.bound(step.transform, dtype)), factor, whole)
        mask = mask.after(about.mask_bound, 1.0, False)
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
            return driven.in_vectors(lambda line: references.hsv(A.HueSaturationValue(), line, shifts).reshape(line.shape), image)

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
    for name, width in (("bboxes", 4), ("keypoints", 2)):
        a, b = (np.asarray(x[name], np.float64)[:, :width] if len(x[name]) else np.zeros((0, width)) for x in (got, want))
        atol = 2e-4 / (40 if fractions and name == "bboxes" else 1)
        np.testing.assert_allclose(a, b, atol=atol, rtol=0, err_msg=f"{what}: {name}")
    if len(got["keypoints"]) and len(got["keypoints"][0]) == 4:  # xyas; angles are float32 radians: 2^-22 * 57.3 for each step
        a, b = (np.asarray(x["keypoints"], np.float64)[:, 2:] for x in (got, want))
        np.testing.assert_allclose((a - b + 180)[:, 0] % 360, 180, atol=2e-4, rtol=0, err_msg=f"{what}: angles")
        np.testing.assert_allclose(a[:, 1], b[:, 1], rtol=2e-6, err_msg=f"{what}: scales")


MORE = {"other": "image", "depth": "mask", "clip": "images"}


class Pair:
    """A tree of ours and the same of albumentations, run beside each other on a batch.

    Args:
        make: builds the list of transforms from a library.
        orders: how albumentations reads the uniforms of each leaf; None: nothing is drawn.
        formats: of boxes and keypoints.
        each: whether their limits apply after each transform, or at the end only.

    Attributes:
        ids, wanted: of the last run: the samples' numbers; (image, mask, their drifts) of each reference.
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
            label_geometry="albumentations",
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
        self.ids, self.wanted = ids, []
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
            self.wanted.append((want["image"], want["mask"], drift, mask_drift))
            for name, results in got.items():
                tally, allowed = (labels, mask_drift) if name in ("mask", "masks", "depth") else (images, drift)
                tally.add(results[i], np.asarray(want[name]), allowed, f"{what}, {name}")
            if with_marks:
                fractions = self.formats[0] in ("albumentations", "yolo")
                compare_marks({name: out[name][i] for name in columns}, want, what, fractions)
        images.check()
        labels.check()


# Calls that both libraries understand. Ranges whose ends are equal draw what is known beforehand, whoever draws.


def scene(size, seed: int) -> np.ndarray:
    """A mask of overlapping rectangles of three labels."""
    rng, mask = np.random.default_rng(seed), np.zeros(size, np.uint8)
    for k in range(7):
        y, x = rng.integers(0, size[0] - 6), rng.integers(0, size[1] - 6)
        mask[y : y + rng.integers(4, 20), x : x + rng.integers(4, 20)] = 1 + k % 3
    return mask
