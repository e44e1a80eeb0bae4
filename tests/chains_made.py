"""Random chains: of the cases of parity, and of links that albumentations reads the same uniforms by."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Callable
from dataclasses import dataclass

import albumentations as A
import numpy as np
import parity

import gpuaug as G
from gpuaug.interop.parity import references
from gpuaug.transform import View

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
    # a tie may change a value by any amount: of the nearest pixel, and of the nearest 1/32 of one, which Lanczos takes
    if case.name in ("Affine", "ShiftScaleRotate") and case.ours.interpolation in (0, 4):
        return False
    # more than one reflection away from the image, cv2.warpAffine's cubic reads other pixels than those that are reflected there
    if case.note in ("cubic reflect_101", "no window fits"):  # the latter makes images of 9 columns
        return False
    return case.bits == 30 and case.keep(np.zeros((16, 16, 3), np.uint8))


CASES = [case for case in parity.CASES if usable(case)] + [own_holes("TimeMasking", 12), own_holes("FrequencyMasking", 9)]
# who stands beside a transform in random chains: a fixed list, so that a new transform changes no chain but its own
NEIGHBOURS = {
    "turn": ("HorizontalFlip", "VerticalFlip", "Transpose", "RandomRotate90", "Flip", "TimeReverse"),
    "warp": ("Affine", "ShiftScaleRotate"),
    "size": ("Resize", "RandomCrop", "CenterCrop", "RandomResizedCrop", "Pad", "PadIfNeeded"),
    "blur": ("Blur", "GaussianBlur", "MotionBlur"),
    "colour": ("RandomBrightnessContrast", "HueSaturationValue", "GaussNoise", "ChannelDropout"),
    "dropout": ("XYMasking", "CoarseDropout", "Erasing", "GridDropout", "PixelDropout", "TimeMasking", "FrequencyMasking"),
}


def brightest(transform) -> float:
    return max(np.max(getattr(transform, name, 0)) for name in ("fill", "drop_value"))


def in_range(case: parity.case.Case, image: np.ndarray, u: np.ndarray) -> tuple[np.ndarray, float]:
    """A blur of float values outside of 0..1, which albumentations clips: of the values in that range, and back. How much wider
    theirs is."""
    low, high = min(image.min(), 0.0), max(image.max(), 1.0)
    width = np.float32(high - low)
    return case.reference((image - low) / width, u, "image") * width + low, float(width)


def steady(case: parity.case.Case) -> bool:
    """Whether small differences stay small in it."""
    return parity.ABOUT[case.name].gain is not parity.about.unsteady


class Forest:
    """Random trees of cases, of which one is of a given transform; remembers which leaf has which case."""

    def __init__(self, name: str, seed: int, dtype: str, channels: int):
        self.rng = np.random.default_rng([seed, *name.encode()])  # of its own: other names leave it alone
        self.cases, self.dtype, self.exact = {}, dtype, True
        some = [case for case in CASES if dtype in case.bounds and channels in case.channels]
        some = [case for case in some if dtype == "uint8" or brightest(case.ours) <= 9]
        self.mine = [case for case in some if case.name == name]
        self.pool = {family: [case for case in some if case.name in names] for family, names in NEIGHBOURS.items()}

    def chance(self) -> float:
        return (1.0, 1.0, 0.5, 0.8)[int(self.rng.integers(4))]

    def steps(self) -> list:
        """The transform between trees of others; or first, where it would make large differences of small ones."""
        mine = self.mine[int(self.rng.integers(len(self.mine)))]
        first = [] if steady(mine) and self.rng.random() < 0.7 else [self.of(mine)]
        nodes = [self.node() for _ in range(int(self.rng.integers(1, 4)))]
        return [*first, *nodes] if first else [nodes[0], self.of(mine), *nodes[1:]]

    def leaf(self):
        while True:
            family = list(NEIGHBOURS)[self.rng.choice(len(NEIGHBOURS), p=list(parity.FAMILIES.values()))]
            case = self.pool[family][int(self.rng.integers(len(self.pool[family])))]
            if steady(case) or self.exact:
                return self.of(case)

    def of(self, case: parity.case.Case):
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
            return Link(lambda L, p: getattr(L, cls)(p=p, **kwargs), references.affine_order(getattr(A, cls)(**kwargs)))


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
        references.stripes(3, 4, (1, 3), (0, 4)),
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
