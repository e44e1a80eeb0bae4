"""Mosaic beside albumentations: pixels, masks, boxes, keypoints and labels of the same cells; and who gets into them."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
import scipy.stats
import torch
from albumentations.augmentations.mixing import functional as reference
from parity.case import photograph

import gpuaug as G
from gpuaug.others import Others

TARGET, CELL, GRID = (151, 160), (90, 100), (2, 3)
FILL, FILL_MASK = (7, 8, 9), 5
SIZES = ((200, 300), (300, 160), (64, 90), (427, 640), (90, 100))


def mosaic(**more):
    return G.Mosaic(**{"grid_yx": GRID, "target_size": TARGET, "cell_shape": CELL, "p": 1, **more})


def samples(dtype="uint8") -> list[dict]:
    """Five photographs of several sizes with masks, boxes, keypoints, and labels that say whose they are."""
    rng, out = np.random.default_rng(0), []
    for i, (h, w) in enumerate(SIZES):
        image = np.ascontiguousarray(photograph("china" if i % 2 else "flower")[:h, :w])
        corners = np.sort(rng.uniform(0, 1, (5, 2, 2)), 1) * 0.9 + [[0, 0], [0.1, 0.1]]
        out.append(
            {
                "image": image if dtype == "uint8" else (image / 255).astype(dtype),
                "mask": image[..., 1] // 50,
                "bboxes": corners.reshape(5, 4) * [w, h, w, h],
                "labels": [f"{i}.{k}" for k in range(5)],
                "keypoints": rng.uniform(0, 1, (6, 2)) * [w - 1, h - 1],
                "names": [f"{i}.{k}" for k in range(6)],
            }
        )
    return out


def pipeline(*transforms, **more):
    boxes, points = G.BboxParams("pascal_voc", label_fields=["labels"]), G.KeypointParams("xy", label_fields=["names"])
    return G.Compose(transforms, bbox_params=boxes, keypoint_params=points, **{"seed": 3, **more})


def batch(items):
    return {name: [item[name] for item in items] for name in items[0]}


def drawn(compose, items, ids):
    return compose.draw(np.array([item["image"].shape[:2] for item in items]), ids=ids).steps[0].params


def cells(items, i, source, rects, **how) -> dict:
    """What albumentations makes of image i, whose cells ``rects`` show the samples ``source``."""
    whole = []
    for item in items:
        (h, w), n, m = item["image"].shape[:2], len(item["bboxes"]), len(item["keypoints"])
        whole.append(
            {
                "image": item["image"],
                "mask": item["mask"],
                "bboxes": np.c_[item["bboxes"] / [w, h, w, h], np.arange(n) + 10.0 * len(whole)],
                "keypoints": np.c_[item["keypoints"], np.zeros((m, 3)), np.arange(m) + 10.0 * len(whole)],
            }
        )
    shown = {tuple(map(int, r)): (i if s < 0 else int(s)) for r, s in zip(rects, source) if r[2] > r[0] and r[3] > r[1]}
    made = reference.process_all_mosaic_geometries(
        TARGET, CELL, shown, whole, FILL, FILL_MASK, how["fit"], how["interpolation"], 0
    )
    return reference.shift_all_coordinates(made, TARGET)


def put_together(made: dict, name: str, shape, fill, dtype):
    return reference.assemble_mosaic_from_processed_cells(made, shape, dtype, name, fill)


def rows(made: dict, name: str):
    return np.concatenate([cell[name] for cell in made.values() if len(cell[name])])


# The bounds of Resize in tests/parity/crop.py: OpenCV's weights have 11 bits, its means over areas one rounding.
@pytest.mark.parametrize("interpolation", [0, 1, 3])
@pytest.mark.parametrize("fit", ["cover", "contain"])
@pytest.mark.parametrize(("dtype", "far"), [("uint8", 1), ("float32", 2e-4)])
def test_as_albumentations(fit, interpolation, dtype, far):
    items, ids = samples(dtype), np.arange(5)
    compose = pipeline(
        mosaic(fit_mode=fit, interpolation=interpolation, fill=FILL, fill_mask=FILL_MASK), label_geometry="albumentations"
    )
    out = compose(**batch(items), ids=ids)
    # the cells before what "contain" leaves of them was cut off
    source, rect = (drawn(pipeline(mosaic(fit_mode="cover")), items, ids)[name] for name in ("source", "rect"))
    np.testing.assert_array_equal(drawn(compose, items, ids)["source"], source)
    for i in range(5):
        made = cells(items, i, source[i], rect[i], fit=fit, interpolation=interpolation)
        image = put_together(made, "image", (*TARGET, 3), FILL, dtype).astype(np.float64)
        different = np.abs(out["image"][i] - image)
        assert different.max() <= (0 if interpolation == 0 else far)
        assert (different > 0).mean() < 0.15 or dtype != "uint8"
        np.testing.assert_array_equal(out["mask"][i], put_together(made, "mask", TARGET, FILL_MASK, np.uint8))
        boxes, points = rows(made, "bboxes"), rows(made, "keypoints")
        assert out["labels"][i] == [f"{int(b) // 10}.{int(b) % 10}" for b in boxes[:, 4]]
        assert out["names"][i] == [f"{int(b) // 10}.{int(b) % 10}" for b in points[:, 5]]
        h, w = TARGET
        np.testing.assert_allclose(out["bboxes"][i], boxes[:, :4] * [w, h, w, h], atol=1e-3)
        np.testing.assert_allclose(out["keypoints"][i], points[:, :2], atol=1e-3)


def test_windows_as_albumentations():
    """The kept window, the cells in it, and which of them is the sample's own."""

    class Luck:
        def __init__(self, *u):
            self.u = iter(u)

        def uniform(self, low, high):
            return low + (high - low) * next(self.u)

        def shuffle(self, items):
            pass

    rng = np.random.default_rng(1)
    for grid, target, cell in (
        (GRID, TARGET, CELL),
        ((2, 2), (180, 200), CELL),
        ((1, 4), (33, 100), (40, 50)),
        ((3, 3), (10, 9), CELL),
    ):
        transform = mosaic(grid_yx=grid, target_size=target, cell_shape=cell, center_range=(0.1, 0.9))
        u = rng.random((200, transform.columns()))
        u[:4, :2] = [[0, 0], [0, 1 - 2**-30], [1 - 2**-30, 0], [0.5, 0.5]]
        size = np.full((200, 2), 50)
        params = transform.draw(u, G.transform.View(size, 3, "uint8", others={"": Others(size)}))
        for mine, rect in zip(u, params["rect"]):
            center = reference.calculate_mosaic_center_point(grid, cell, target, (0.1, 0.9), Luck(*mine[:2]))
            want = reference.calculate_cell_placements(grid, cell, target, center)
            first = next(iter(reference.assign_items_to_grid_cells(len(want), want, Luck())))
            shown = [tuple(r) for r in rect.tolist() if r[2] > r[0] and r[3] > r[1]]
            assert shown[0] == first
            assert shown[1:] == [r for r in want if r != first]


def test_samples_that_the_call_brings():
    """As if they were the others of the batch, but for who is drawn."""
    items = samples()
    compose = pipeline(mosaic(grid_yx=(1, 2), target_size=(90, 180)))
    own, brought = items[0], items[3]
    out = compose(**own, mosaic_metadata=[brought], ids=[7])
    pair = compose(**batch([own, brought]), ids=[7, 8])
    assert out["mosaic_metadata"][0] is brought  # handed on as it came
    for name in pair:
        one, other = out[name], pair[name][0]
        assert list(one) == list(other) if isinstance(one, list) else np.array_equal(one, other)
    assert {label[0] for label in out["labels"]} == {"0", "3"}
    # a list for each sample of a batch, of differing lengths
    out = compose(**batch([own, items[1]]), mosaic_metadata=[[brought], []], ids=[7, 8])
    np.testing.assert_array_equal(out["image"][0], pair["image"][0])
    assert {label[0] for label in out["labels"][1]} == {"1"}


def test_what_has_no_boxes_brings_none():
    own, brought = samples()[0], {name: samples()[3][name] for name in ("image", "mask")}
    out = pipeline(mosaic(grid_yx=(1, 2), target_size=(90, 180)))(**own, mosaic_metadata=[brought])
    assert {label[0] for label in out["labels"]} == {"0"}


def test_tensors_and_tables_are_joined():
    items = samples()
    boxes = G.BboxParams("coco", label_fields=["numbers"])
    compose = G.Compose([mosaic()], bbox_params=boxes, seed=3)
    coco = [np.c_[item["bboxes"][:, :2], item["bboxes"][:, 2:] - item["bboxes"][:, :2]] for item in items]
    image = [torch.from_numpy(item["image"]).permute(2, 0, 1) for item in items]
    out = compose(
        image=image,
        bboxes=[torch.from_numpy(b) for b in coco],
        numbers=[torch.arange(5) + 10 * i for i in range(5)],
        ids=range(5),
    )
    whole = compose(
        image=image, bboxes=[b.tolist() for b in coco], numbers=[[10 * i + k for k in range(5)] for i in range(5)], ids=range(5)
    )
    for i in range(5):
        assert isinstance(out["bboxes"][i], torch.Tensor)
        np.testing.assert_allclose(out["bboxes"][i], whole["bboxes"][i])
        assert out["numbers"][i].tolist() == whole["numbers"][i]


def test_min_visibility_counts_what_the_cells_cut_off():
    """A box of which the cell shows a quarter, by hand: the sample of 90 x 100 fills its cell, whose corner is kept."""
    image = np.zeros((90, 100, 3), np.uint8)
    boxes = [[0, 0, 100, 90]]
    for least, left in ((0.2, 2), (0.3, 0)):
        params = G.BboxParams("pascal_voc", min_visibility=least)
        compose = G.Compose([G.Mosaic((1, 2), (45, 100), CELL, (0.5, 0.5), p=1)], bbox_params=params)
        out = compose(image=np.stack([image] * 2), bboxes=[boxes] * 2)
        assert [len(b) for b in out["bboxes"]] == [left] * 2


def test_in_a_pipeline():
    """Its own image as the steps before left it, the others as they came; and boxes of samples that did not draw it stay."""
    items = samples()
    compose = pipeline(G.HorizontalFlip(p=1), mosaic(grid_yx=(1, 2), target_size=(90, 200)), seed=1)
    out = compose(**batch(items), ids=np.arange(5))
    flipped = [{**item, "image": np.ascontiguousarray(item["image"][:, ::-1])} for item in items]
    source = compose.draw(np.array(SIZES), ids=np.arange(5)).steps[1].params["source"]
    for i in range(5):
        pair = [flipped[i], items[source[i, 1]]]
        alone = G.Compose([mosaic(grid_yx=(1, 2), target_size=(90, 200), center_range=(0, 0))])
        want = alone(image=[p["image"] for p in pair])["image"][0]
        np.testing.assert_array_equal(out["image"][i], want)
    half = pipeline(mosaic(p=0.5), G.VerticalFlip(p=1))
    out, took = half(**batch(items), ids=np.arange(5)), half.draw(np.array(SIZES), ids=np.arange(5)).steps[0].rows
    assert 0 < len(took) < 5
    for i in set(range(5)) - set(took.tolist()):
        np.testing.assert_array_equal(out["image"][i], items[i]["image"][::-1])
        assert out["labels"][i] == items[i]["labels"]
        assert out["names"][i] == items[i]["names"]


def test_others_are_drawn_alike_and_none_twice():
    """Of 5 others 3 are taken: each of the 60 orders equally often (chi-squared; false alarm once in 10^6)."""
    u = np.random.default_rng(5).random((60_000, 3))
    chosen = Others(np.zeros((6, 2), int)).choose(u, np.full(len(u), 2))
    assert not (chosen == 2).any()
    orders, counts = np.unique(chosen, axis=0, return_counts=True)
    assert len(orders) == 60
    assert all(len(set(order)) == 3 for order in orders.tolist())
    assert scipy.stats.chisquare(counts).pvalue > 1e-6
    few = Others(np.zeros((7, 2), int), np.array([2, 0, 5]), object()).choose(u[:6000], np.full(6000, 0))
    assert set(np.sort(few, 1).ravel().tolist()) == {-1, 0, 1}
    assert (np.sort(few, 1) == [-1, 0, 1]).all()
    assert scipy.stats.chisquare(np.unique(few, axis=0, return_counts=True)[1]).pvalue > 1e-6
    last = Others(np.zeros((7, 2), int), np.array([2, 0, 5]), object()).choose(u[:10], np.full(10, 2))
    assert last.min() >= 2


def test_a_sample_alone_repeats_and_says_so():
    image = samples()[0]["image"]
    with pytest.warns(UserWarning, match="Mosaic has no other sample to read and repeats its own: pass mosaic_metadata="):
        out = G.Compose([mosaic()], seed=1)(image=image)["image"]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        same = G.Compose([mosaic()], seed=1)(image=image, mosaic_metadata=[{"image": image}])["image"]
    np.testing.assert_array_equal(out, same)


@pytest.mark.parametrize(
    ("more", "kind", "text"),
    [
        ({"mosaic_metadata": {"image": 1}}, TypeError, r"mosaic_metadata must be a list of dicts, got \{'image': 1\}"),
        ({"mosaic_metadata": [3]}, TypeError, r"mosaic_metadata: item 0 must be a dict of image=, mask=, \.\., got 3"),
        ({"mosaic_metadata": [{"image": samples()[1]["image"]}]}, ValueError, "item 0 has no 'mask', which the call has"),
        (
            {"mosaic_metadata": [{"image": np.zeros((9, 9), np.uint8), "mask": np.zeros((9, 9), np.uint8)}]},
            ValueError,
            "mosaic_metadata holds images of uint8 with 1 channels on cpu, those of the batch are uint8 with 3 channels",
        ),
    ],
)
def test_what_is_brought_must_fit(more, kind, text):
    own = {name: samples()[0][name] for name in ("image", "mask")}
    with pytest.raises(kind, match=text):
        G.Compose([mosaic()])(**own, **more)


def test_others_must_still_be_as_they_came():
    images = np.zeros((2, 20, 20, 3), np.uint8)
    with pytest.raises(ValueError, match=r"Mosaic reads other samples as they came, images of uint8 .* place it before what"):
        G.Compose([G.Normalize(), mosaic()])(images)
    with pytest.raises(ValueError, match=r"Mosaic takes image= and mask=, not sets of them \(images=\)"):
        G.Compose([mosaic()])(images=images[None])


def test_arguments():
    with pytest.raises(ValueError, match=r"target_size must be at most cell_shape times grid_yx, \(180, 300\)"):
        mosaic(target_size=(181, 300))
    with pytest.raises(ValueError, match="fit_mode"):
        mosaic(fit_mode="fill")
    with pytest.raises(TypeError, match="metadata_key must be a name"):
        mosaic(metadata_key="")
    with pytest.raises(TypeError, match="grid_yx must be two whole numbers"):
        mosaic(grid_yx=2)


def test_containers_that_differ_are_not_joined():
    items = samples()[:2]
    items[1]["labels"] = np.array(items[1]["labels"])
    with pytest.raises(TypeError, match="labels of one sample are list, of another ndarray"):
        pipeline(mosaic(grid_yx=(1, 2), target_size=(90, 200)))(**batch(items))


def test_arrays_of_other_types_are_not_joined():
    """NumPy would make text of numbers, and floats of whole ones."""
    items = samples()[:2]
    for one, other in ((np.arange(5), np.array(list("abcde"))), (np.arange(5) + 2**60, np.arange(5.0))):
        items[0]["labels"], items[1]["labels"] = one, other
        with pytest.raises(TypeError, match=r"labels of one sample are .*, of another .*; samples that are put together must"):
            pipeline(mosaic(grid_yx=(1, 2), target_size=(90, 200)))(**batch(items))
    items[0]["labels"], items[1]["labels"] = np.array(["a"] * 5), np.array(["long"] * 5)
    out = pipeline(mosaic(grid_yx=(1, 2), target_size=(90, 200)))(**batch(items))
    assert set(out["labels"][0].tolist()) == {"a", "long"}
