"""Transforms of volumes as a whole, beside albumentations and NumPy; volumes turn and points with them."""

from __future__ import annotations

from functools import partial

import albumentations as A
import numpy as np
import pytest
import scipy.stats
import torch
from albumentations.augmentations.transforms3d import functional as reference
from test_volumes import volume

import gpuaug as G
from gpuaug.transforms import volume as ours

FILLS = {"fill": 7, "fill_mask": 3}
FIXED = [
    lambda L: L.CenterCrop3D((3, 40, 30)),
    lambda L: L.CenterCrop3D((9, 40, 81), pad_if_needed=True, **FILLS),
    lambda L: L.Pad3D(2, **FILLS),
    lambda L: L.Pad3D((1, 0, 3), **FILLS),
    lambda L: L.Pad3D((1, 0, 2, 3, 4, 5), **FILLS),
    lambda L: L.PadIfNeeded3D((8, 60, 75), **FILLS),
    lambda L: L.PadIfNeeded3D(pad_divisor_zyx=(4, 16, 7), **FILLS),
]


@pytest.mark.parametrize("make", FIXED)
@pytest.mark.parametrize("channels", [1, 3])
def test_fixed_as_albumentations(make, channels):
    data, labels = volume(channels), volume(1) // 50
    points = [[3, 4, 2], [60.5, 50, 4], [33, 30, 2]]
    given = {"volume": data, "mask3d": labels, "keypoints": points}
    want = A.Compose([make(A)], keypoint_params=A.KeypointParams("xyz"))(**{**given, "keypoints": np.array(points, np.float32)})
    got = G.Compose([make(G)], keypoint_params=G.KeypointParams("xyz"))(**given)
    np.testing.assert_array_equal(got["volume"], want["volume"])
    np.testing.assert_array_equal(got["mask3d"], want["mask3d"])
    np.testing.assert_allclose(np.array(got["keypoints"]).reshape(-1, 3), np.array(want["keypoints"])[:, :3], atol=1e-4)


def draw(transform, value, u, view):
    return type(transform).draw(transform, np.full_like(u, value), view)


def test_the_48_symmetries_are_albumentations():
    cube, flat = np.arange(2 * 3 * 5 * 3, dtype=np.uint8).reshape(2, 3, 5, 3), np.arange(30, dtype=np.int32).reshape(2, 3, 5)
    for index in range(48):
        compose = G.Compose([G.CubicSymmetry()], keypoint_params=G.KeypointParams("xyz"))
        transform = compose.transforms[0]
        transform.draw = partial(draw, transform, (index + 0.5) / 48)
        out = compose(volume=cube, mask3d=flat, keypoints=[[4, 0, 1], [1, 2, 0]])
        np.testing.assert_array_equal(out["volume"], reference.transform_cube(cube, index))
        np.testing.assert_array_equal(out["mask3d"], reference.transform_cube(flat, index))
        for (x, y, z), (x0, y0, z0) in zip(out["keypoints"], ([4, 0, 1], [1, 2, 0])):  # a point stays on its voxel
            assert out["mask3d"][int(z), int(y), int(x)] == flat[z0, y0, x0]
    assert len({(tuple(o), tuple(f)) for o, f in zip(ours._ORDER.tolist(), ours._FLIP.tolist())}) == 48


def test_symmetries_are_drawn_alike_often():
    params = G.Compose([G.CubicSymmetry()], seed=1).draw(np.full((9600, 2), 4), ids=range(9600), depth=np.full(9600, 4))
    counts = np.bincount(params.steps[0].params["index"], minlength=48)
    assert scipy.stats.chisquare(counts).pvalue > 1e-6


def test_random_crops_and_holes_are_where_they_say():
    data, labels = volume(), volume(1) // 50
    compose = G.Compose(
        [G.RandomCrop3D((3, 20, 30)), G.CoarseDropout3D((2, 3), (0.3, 0.5), (0.2, 0.4), (0.2, 0.4), 9, 5, p=1)], seed=2
    )
    batch = [volume(seed=s) for s in range(4)]
    out = compose(volume=batch, mask3d=[labels] * 4, ids=range(4))
    drawn = compose.draw(np.array([data.shape[1:3]] * 4), ids=range(4), depth=np.full(4, 5))
    start, holes = drawn.steps[0].params["start"], drawn.steps[1].params["holes"]
    for i, image in enumerate(batch):
        z, y, x = start[i]
        window = image[z : z + 3, y : y + 20, x : x + 30]
        mine = holes[i][(holes[i][:, 3:] > holes[i][:, :3]).all(1)]
        assert 2 <= len(mine) <= 3
        np.testing.assert_array_equal(out["volume"][i], reference.cutout3d(window, mine, 9))
        mask = labels[z : z + 3, y : y + 20, x : x + 30]
        np.testing.assert_array_equal(out["mask3d"][i], reference.cutout3d(mask, mine, 5))
    assert len(np.unique(start, axis=0)) > 1


def test_hole_sizes_and_places_are_albumentations():
    """Of 2000 draws: sides and starts by Kolmogorov-Smirnov (false alarm once in 10^6 a test)."""
    make = {"hole_depth_range": (0.2, 0.7), "hole_height_range": (0.1, 0.6), "hole_width_range": (0.3, 0.9)}
    drawn = G.Compose([G.CoarseDropout3D(**make, p=1)], seed=3).draw(
        np.full((2000, 2), 50), ids=range(2000), depth=np.full(2000, 40)
    )
    mine = drawn.steps[0].params["holes"][:, 0]
    theirs, data = A.CoarseDropout3D(**make, p=1), {"volume": np.zeros((40, 50, 50), np.uint8)}
    theirs.set_random_seed(3)
    want = np.array([theirs.get_params_dependent_on_data({}, data)["holes"][0] for _ in range(2000)])
    for axis in range(3):
        for a, b in ((mine[:, axis], want[:, axis]), (mine[:, axis + 3] - mine[:, axis], want[:, axis + 3] - want[:, axis])):
            assert scipy.stats.ks_2samp(a, b).pvalue > 1e-6


def test_slices_and_volumes_in_one_pipeline():
    """A chain of both kinds is what its parts are one after the other, for one sample, a batch, lists, sets of volumes."""
    parts = [
        [G.RandomBrightnessContrast(p=1), G.HorizontalFlip(p=1)],
        [G.CubicSymmetry(), G.CenterCrop3D((4, 50, 50), pad_if_needed=True, fill=5)],
        [G.Affine(rotate=(-20, 20), p=1), G.Blur(p=1)],
        [G.CoarseDropout3D(fill=9, p=1), G.Pad3D(1)],
    ]
    compose = G.Compose([step for part in parts for step in part], seed=4)
    data = [volume(depth=5, seed=s)[:, :60, :60] for s in range(3)]
    cubes = [np.ascontiguousarray(np.concatenate([d] * 12)) for d in data]  # 60 slices, so that turns keep shapes
    out = compose(volume=np.stack(cubes), ids=range(3))["volume"]
    for i, cube in enumerate(cubes):
        np.testing.assert_array_equal(compose(volume=cube, ids=[i])["volume"], out[i])
    listed = compose(volume=cubes, volumes=[np.stack([c, c]) for c in cubes], ids=range(3))
    for i in range(3):
        np.testing.assert_array_equal(listed["volume"][i], out[i])
        np.testing.assert_array_equal(listed["volumes"][i], np.stack([out[i]] * 2))


def test_tensors():
    data, labels = volume(), volume(1) // 50
    compose = G.Compose([G.CenterCrop3D((3, 20, 30)), G.ToTensor3D()])
    out = compose(volume=data, mask3d=labels, volumes=np.stack([data] * 2))
    want = A.Compose([A.CenterCrop3D((3, 20, 30)), A.pytorch.ToTensor3D()])(volume=data, mask3d=labels)
    for name in ("volume", "mask3d"):
        assert torch.equal(out[name], want[name])
    assert torch.equal(out["volumes"][1], want["volume"])
    batch = compose(volume=np.stack([data] * 2), mask3d=[labels] * 2)
    assert torch.equal(batch["volume"][1], want["volume"])
    assert torch.equal(batch["mask3d"][1], want["mask3d"])
    run = compose.run({"volume": np.stack([data] * 2), "mask3d": np.stack([labels] * 2)}, ids=[0, 1])
    assert torch.equal(run["volume"][0], want["volume"])
    assert torch.equal(run["mask3d"][0], want["mask3d"])


def test_images_beside_volumes_stay():
    out = G.Compose([G.Pad3D(2)])(image=volume()[0], volume=volume())
    assert out["image"].shape == (60, 70, 3)
    assert out["volume"].shape == (9, 64, 74, 3)


def test_what_does_not_fit():
    data = volume()
    with pytest.raises(ValueError, match="Pad3D needs volume= or mask3d= among the targets"):
        G.Compose([G.Pad3D(1)])(image=data[0])
    with pytest.raises(ValueError, match=r"CenterCrop3D: size=\(6, 9, 9\) is larger than the volume of sample 0, \(5, 60, 70\)"):
        G.Compose([G.CenterCrop3D((6, 9, 9))])(volume=data)
    with pytest.raises(ValueError, match="mask3d of sample 0 has 4 slices, volume has 5; they must agree"):
        G.Compose([G.Pad3D(1)])(volume=data, mask3d=volume(1)[:4])
    with pytest.raises(ValueError, match="CubicSymmetry does not move bboxes"):
        G.Compose([G.CubicSymmetry()], bbox_params=G.BboxParams("coco"))(volume=data, bboxes=[[1, 2, 3, 4]])
    with pytest.raises(ValueError, match="volume of a batch end with different numbers of slices"):
        G.Compose([G.CubicSymmetry()], seed=1)(volume=np.stack([data] * 6), ids=range(6))
    with pytest.raises(ValueError, match="one of min_zyx and pad_divisor_zyx"):
        G.PadIfNeeded3D()
    with pytest.raises(ValueError, match="p of ToTensor3D must be 1"):
        G.ToTensor3D(p=0.5)
    with pytest.raises(TypeError, match="size must be three whole numbers"):
        G.CenterCrop3D((1, 2))
