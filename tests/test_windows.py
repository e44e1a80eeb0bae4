"""Batches of which only windows are there: what a plan reads, known from sizes alone, is all that the result depends on."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch
from chains import scene
from chains_made import CASES, Forest

import gpuaug as G
from gpuaug.batch import Batch
from gpuaug.transforms._geometric import Geometric

SIZES = [(48, 60), (33, 75), (61, 40), (50, 50), (37, 91)]
NAMES = sorted({case.name for case in CASES if 3 in case.channels and "uint8" in case.bounds})


def pictures(seed: int = 0, sizes=SIZES) -> list[np.ndarray]:
    rng = np.random.default_rng(seed)
    return [rng.integers(0, 256, (*size, 3), np.uint8) for size in sizes]


def within(images: list, reach) -> Batch:
    """The windows in memory of their own, each between bytes that are none of the image's."""
    parts = []
    for image, (y0, x0, y1, x1) in zip(images, reach.window.tolist()):
        memory = np.random.default_rng(1).integers(0, 256, 4096 + 3 * (y1 - y0) * (x1 - x0), np.uint8)
        part = memory[2048:-2048].reshape(y1 - y0, x1 - x0, 3)
        part[:] = image[y0:y1, x0:x1]
        parts.append(part)
    return Batch.within(Batch.of(parts), reach.window[:, :2], np.array([image.shape[:2] for image in images]), reach)


def both(compose, images, epoch: int = 0, **more) -> tuple[dict, dict, object]:
    """What comes of the images whole, and of their windows."""
    ids = np.arange(len(images)) + 10 * epoch
    reach = compose.reach([image.shape[:2] for image in images], ids=ids, epoch=epoch)
    whole = compose.run({"image": images, **more}, ids=ids, epoch=epoch)
    if reach is None:
        return whole, whole, None
    return whole, compose.run({"image": within(images, reach), **more}, ids=ids, epoch=epoch), reach


def same(a: dict, b: dict) -> None:
    assert a.keys() == b.keys()
    for name in a:
        if isinstance(a[name], torch.Tensor):
            assert torch.equal(a[name], b[name]), name
        else:
            for x, y in zip(a[name], b[name]):
                np.testing.assert_array_equal(x, y)


@pytest.mark.parametrize("name", NAMES)
def test_every_transform_reads_in_its_windows_alone(name):
    """First, behind a crop, before one, and in a chain; half of the samples draw it. Those that nobody can know are whole."""
    cases = [case for case in CASES if case.name == name and 3 in case.channels and "uint8" in case.bounds]
    for number, case in enumerate(cases[:4]):
        mine = copy.copy(case.ours)
        shapes = [
            [mine],
            [G.RandomCrop(33, 40), mine],
            [mine, G.RandomCrop(20, 20, pad_if_needed=True, p=0.8)],
            [G.RandomResizedCrop((32, 40)), mine],
        ]
        for turn, steps in enumerate(shapes):
            compose = G.Compose([*steps, G.Resize(24, 28)], seed=number)
            for epoch in range(2):
                a, b, _ = both(compose, pictures(turn, [size for size in SIZES if min(size) >= 37]), epoch)
                same(a, b)


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("name", ["RandomResizedCrop", "Affine", "Transpose", "Resize", "GaussianBlur", "CoarseDropout"])
def test_chains_read_in_their_windows_alone(name, seed):
    compose = G.Compose(
        [*Forest(name, seed, "uint8", 3).steps(), G.Resize(20, 30, interpolation=(0, 1, 2, 3, 4)[seed % 5])], seed=seed
    )
    a, b, _ = both(compose, pictures(seed), seed)
    same(a, b)


@pytest.mark.parametrize("lazy", [False, True])
@pytest.mark.parametrize("border", range(5))
@pytest.mark.parametrize("interpolation", range(5))
def test_maps_at_every_border(interpolation, border, lazy):
    """Rotations, zooms and perspectives behind crops, near the image's edges and far from them."""
    how = {"interpolation": interpolation, "border_mode": border, "p": 0.8}
    steps = [
        G.RandomCrop(30, 36, p=0.7),
        G.Affine(scale=(0.3, 2.5), rotate=(-90, 90), shear=(-20, 20), translate_percent=(-0.4, 0.4), **how),
        G.CenterCrop(18, 20, p=0.7),
        G.Perspective(p=0.5),
        G.Resize(16, 16),
    ]
    compose = G.Compose(steps, seed=interpolation, lazy=lazy)
    for epoch in range(6):
        a, b, reach = both(compose, pictures(epoch), epoch)
        same(a, b)
        assert (reach.window >= 0).all()
        assert (reach.window[:, 2:] <= SIZES).all()


def test_windows_are_tight():
    """Of crops what they keep, to the pixel; of a zoom, and of a resize that is cropped, what is around the part that is read."""
    sizes = [[375, 500]] * 4
    crop = G.Compose(
        [G.HorizontalFlip(p=1), G.Crop(10, 20, 110, 220), G.RandomBrightnessContrast(), G.Crop(5, 0, 20, 30)], seed=0
    )
    assert crop.reach(sizes, ids=range(4)).window.tolist() == [[20, 470, 50, 485]] * 4
    turned = G.Compose([G.Transpose(p=1), G.Crop(10, 20, 40, 60)], seed=0)
    assert turned.reach(sizes, ids=range(4)).window.tolist() == [[10, 20, 40, 60]] * 4
    evaluation = G.Compose([G.SmallestMaxSize(256), G.CenterCrop(224, 224)], seed=0)
    (y0, x0, y1, x1), share = evaluation.reach(sizes, ids=range(4)).window[0], 375 / 256 * 224
    assert share <= y1 - y0 <= share + 8
    assert share <= x1 - x0 <= share + 8
    zoom = G.Compose([G.Affine(scale=(2, 2), p=1)], seed=0).reach(sizes, ids=range(4))
    assert 0.25 < zoom.share() < 0.27
    cropped = G.Compose([G.RandomResizedCrop((224, 224), scale=(0.1, 0.1))], seed=0).reach(sizes, ids=range(4))
    assert 0.099 < cropped.share() < 0.101


def test_explain_tells_the_share():
    steps = [G.CenterCrop(112, 112), G.Normalize()]
    assert G.Compose(steps).explain().endswith("files of this size: 25% of the pixels are decoded")
    assert "decoded" not in G.Compose(steps).explain(dtype="float32")
    for whole in ([G.HorizontalFlip()], [G.ImageCompression(p=1), *steps]):
        assert "decoded" not in G.Compose(whole).explain()


def test_masks_boxes_and_points_are_in_the_whole_images_frame():
    steps = [G.RandomCrop(30, 36), G.Affine(rotate=(-30, 30), p=0.7), G.HorizontalFlip(), G.Resize(20, 20)]
    points = {"bbox_params": G.BboxParams("pascal_voc", ["k"]), "keypoint_params": G.KeypointParams("xy", remove_invisible=False)}
    compose, images = G.Compose(steps, seed=4, **points), pictures()
    more = {
        "mask": [scene(image.shape[:2], i) for i, image in enumerate(images)],
        "bboxes": [[[3, 4, 30, 28]]] * 5,
        "k": [[1]] * 5,
        "keypoints": [[[7, 9], [20, 30]]] * 5,
    }
    for epoch in range(5):
        a, b, reach = both(compose, images, epoch, **more)
        assert reach.share() < 0.8
        same(a, b)


@pytest.mark.parametrize(
    "steps",
    [
        [G.ImageCompression(p=1)],
        [G.Crop(0, 0, 9, 9), G.Superpixels(p=1)],
        [G.Mosaic(p=1)],
        [G.Lambda(image=np.array)],
        [G.MaskDropout(p=1)],
        [G.CropNonEmptyMaskIfExists(8, 8, p=1)],
    ],
    ids=lambda steps: type(steps[-1]).__name__,
)
def test_nobody_knows(steps):
    """What has to look at pixels, masks or other samples first."""
    assert G.Compose(steps, seed=0).reach([[40, 40]] * 3, ids=range(3)) is None


def test_a_pipeline_that_was_changed_meanwhile_is_an_error():
    images = pictures()
    crop, zoom, flip = G.RandomCrop(20, 20), G.Affine(scale=(2, 2), p=1, border_mode=0), G.HorizontalFlip()
    compose = G.Compose([flip, crop, zoom, G.Resize(8, 8)], seed=0)
    reach = compose.reach([image.shape[:2] for image in images], ids=range(5))
    batch = within(images, reach)
    flip.p = 0.0  # of what was drawn already
    compose.run({"image": batch}, ids=range(5))
    zoom.interpolation = 2
    with pytest.raises(RuntimeError, match=r"changed after images of this batch were decoded.*change it between epochs"):
        compose.run({"image": batch}, ids=range(5))


@pytest.mark.parametrize(
    ("name", "how"),
    [
        ("ids", {"ids": [1, 2, 3, 4, 5]}),
        ("epoch", {"epoch": 1}),
        ("occurrence", {"occurrence": [0, 0, 1, 0, 0]}),
        ("seed", {"seed": 9}),
    ],
)
def test_windows_of_other_samples_are_an_error(name, how):
    images, compose = pictures(), G.Compose([G.RandomCrop(20, 20)], seed=0)
    reach = compose.reach([image.shape[:2] for image in images], ids=range(5))
    with pytest.raises(ValueError, match=f"{name}=.*were found for {name}=.*pass the same, or images that are whole"):
        compose.run({"image": within(images, reach)}, **{"ids": range(5), **how})


@pytest.mark.parametrize(
    ("size", "how", "message"),
    [
        ([100, 200], {}, r"size must be whole numbers \[B, 2\], a height and a width >= 1 for each image, got \[100, 200\]"),
        ([[10.5, 20]], {}, r"size must be whole numbers .* got \[\[10.5"),
        ([[0, 20]], {}, r"size must be whole numbers .* got \[\[0, 20\]\]"),
        ([[50, 60]], {"ids": [1, 2]}, r"ids must hold one number for each sample \(1\), got shape \(2,\)"),
        ([[50, 60]], {"epoch": -1}, r"epoch must lie in 0 .. 2\^32 - 1, got -1"),
    ],
)
def test_bad_input(size, how, message):
    with pytest.raises(ValueError, match=message):
        G.Compose([G.RandomCrop(20, 20)], seed=0).reach(size, **{"ids": [0], **how})


def test_sizes_that_the_pipeline_does_not_take():
    """Nobody knows; when the images are there it is said of which."""
    assert G.Compose([G.RandomCrop(20, 20)], seed=0).reach([[50, 60], [8, 8]], ids=[0, 1]) is None


def test_what_a_view_reads_is_seen_where_the_image_is_one_pixel_wide():
    for size in ((40, 1), (1, 40), (2, 2), (1, 1), (40, 2)):
        compose = G.Compose([G.RandomCrop(1, 1), G.Resize(3, 3), G.HorizontalFlip()], seed=0)
        a, b, reach = both(compose, pictures(0, [size] * 4))
        same(a, b)
        assert (reach.window[:, 2:] - reach.window[:, :2]).min() >= 1


def test_the_transforms_that_move_pixels_were_tried():
    assert {name for name in NAMES if issubclass(G.REGISTRY[name], Geometric)} >= {"Affine", "ElasticTransform", "Perspective"}
