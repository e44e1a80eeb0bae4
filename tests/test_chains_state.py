"""Draws that look at masks and boxes of their step, and what steps, samples and calls must not share; see test_chains.py."""

from __future__ import annotations

import copy
import sys
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import albumentations as A
import numpy as np
import pytest
from albumentations.augmentations.dropout import functional as fdropout
from chains import BOXES, POINTS, Luck, albumentations, layouts, marks, pictures, scene, whole_holes
from chains_made import CASES, NEIGHBOURS, WHOLE, Forest, Link

import gpuaug as G
from gpuaug.batch import Batch
from gpuaug.deliver import deliver_ragged
from gpuaug.regions import chosen_by

# ---- draws that look at masks and boxes ------------------------------------------------------------------


def objects(mask: np.ndarray) -> list[np.ndarray]:
    """Regions of a mask, as albumentations finds them."""
    labels, count = fdropout.label(mask, return_num=True)
    return [labels == k + 1 for k in range(count)]


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
                lost = chosen_by(step.params["dropped"], *step.params["map_size"])
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
    steps = [*geometry[:3], on_boxes, *geometry[3:], on_boxes]
    compose = G.Compose(steps, seed=seed, bbox_params=G.BboxParams(**BOXES), label_geometry="albumentations")
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
    names = {name for names in NEIGHBOURS.values() for name in names}
    some = [case for case in CASES if case.name in names and 3 in case.channels and "uint8" in case.bounds]
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
    forest = Forest("Affine", 3, "uint8", 3)
    compose = G.Compose([forest.node() for _ in range(6)], seed=1)
    data = pictures(layouts("ragged", 1))
    drawn = compose.draw(np.array([x.shape[:2] for x in data]), ids=np.arange(len(data)))

    def run(pictures, kind="image"):
        track = drawn.lower(Batch.of(pictures, name=kind), kind)
        return [x.numpy() for x in deliver_ragged(track, planar=False)]

    want = run(data)
    turned = run([x[..., ::-1] for x in data])
    run([x[..., :1] for x in data], "mask")
    for a, b, c in zip(run(data), want, turned):
        np.testing.assert_array_equal(a, b)
        assert a.shape == c.shape
    same({"x": compose(image=data, ids=np.arange(len(data)))["image"]}, {"x": want})


def alone(name: str) -> G.Compose:
    """A pipeline around one transform."""
    case = next(case for case in CASES if case.name == name and 3 in case.channels and "uint8" in case.bounds)
    mine = copy.copy(case.ours)
    mine.p = 1
    beside = [G.OneOf([G.HorizontalFlip(), G.GaussianBlur((3, 5))]), G.ColorJitter(p=0.3), G.Resize(32, 40)]
    return G.Compose([G.RandomCrop(32, 40), mine, *beside], seed=1)


def test_calls_at_the_same_time():
    """A loader for a GPU runs its pipeline in a thread of its own, beside calls of the user's: one pipeline in four threads,
    which change places as often as they can, for every transform."""
    names = sorted({case.name for case in CASES if 3 in case.channels and "uint8" in case.bounds})
    long = everything(3)[0]
    long = G.Compose([*long, G.Resize(32, 40)], bbox_params=long.bbox_params, keypoint_params=long.keypoint_params, seed=3)
    composes = [*map(alone, names), long]
    data = np.random.default_rng(0).integers(0, 256, (4, 48, 56, 3), np.uint8)
    marked = {name: [value] * 4 for name, value in marks((48, 56)).items()} | {"mask": [scene((48, 56), i) for i in range(4)]}

    def run(compose, epoch: int) -> np.ndarray:
        given = {"image": data} | (marked if compose.bbox_params else {})
        return compose.run(given, ids=np.arange(4) + epoch, epoch=epoch)["image"].numpy()

    want = [[run(compose, epoch) for epoch in range(3)] for compose in composes]

    def thread(turn: int) -> list:
        order = np.random.default_rng(turn).permutation(len(composes)).tolist()
        return [(k, epoch) for k in order for epoch in range(3) if not np.array_equal(run(composes[k], epoch), want[k][epoch])]

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        with ThreadPoolExecutor(4) as pool:
            wrong = list(pool.map(thread, range(4)))
    finally:
        sys.setswitchinterval(interval)
    assert wrong == [[]] * 4, [[*names, "all"][k] for found in wrong for k, _ in found]
