"""Volumes and their masks: slices that share one draw, as albumentations treats them."""

from __future__ import annotations

import albumentations as A
import numpy as np
import pytest
import torch
from parity.case import photograph

import gpuaug as G

PIPELINE = [
    G.Affine(rotate=(-20, 20), scale=(0.8, 1.2), p=1),
    G.RandomCrop(40, 50),
    G.HorizontalFlip(),
    G.RandomBrightnessContrast(p=1),
    G.GaussianBlur(p=0.5),
]


def volume(channels=3, depth=5, seed=0):
    h, w = 60, 70
    out = np.stack(
        [photograph("china")[9 * (k + seed) : 9 * (k + seed) + h, 11 * k : 11 * k + w, :channels] for k in range(depth)]
    )
    return np.ascontiguousarray(out[..., 0] if channels == 1 else out)


@pytest.mark.parametrize("channels", [1, 3])
def test_shapes_are_albumentations(channels):
    data, labels = volume(channels), volume(1) // 50
    both = np.stack([data, data[::-1]])
    given = {"volume": data, "mask3d": labels, "volumes": both, "masks3d": np.stack([labels, labels[::-1]])}
    for make in (
        lambda L: [L.HorizontalFlip(p=1)],
        lambda L: [L.CenterCrop(30, 40)],
        lambda L: [L.Transpose(p=1), L.PadIfNeeded(80, 90, fill=7, fill_mask=2)],
    ):
        ours = G.Compose(make(G))(**given)
        theirs = A.Compose(make(A))(**{name: given[name] for name in ("volume", "mask3d", "volumes")})
        for name in theirs:
            np.testing.assert_array_equal(ours[name], theirs[name])
        # albumentations 2.0.8 cannot transpose or pad masks3d without channels
        for k in range(2):
            np.testing.assert_array_equal(
                ours["masks3d"][k], A.Compose(make(A))(volume=data, mask3d=given["masks3d"][k])["mask3d"]
            )


def test_slices_are_what_they_are_alone():
    """The same draw for every slice: that of an image with the sample's number."""
    compose = G.Compose(PIPELINE, seed=3)
    data, labels = volume(), volume(1) // 50
    out = compose(volume=data, mask3d=labels, ids=[7])
    for k in range(5):
        alone = compose(image=data[k], mask=labels[k], ids=[7])
        np.testing.assert_array_equal(out["volume"][k], alone["image"])
        np.testing.assert_array_equal(out["mask3d"][k], alone["mask"])


def test_batches():
    compose = G.Compose(PIPELINE, seed=3)
    data, labels = [volume(seed=s) for s in range(3)], [volume(1, seed=s) // 50 for s in range(3)]
    one = [compose(volume=d, mask3d=m, ids=[i]) for i, (d, m) in enumerate(zip(data, labels))]
    dense = compose(volume=np.stack(data), mask3d=np.stack(labels), ids=range(3))
    listed = compose(volume=data, mask3d=labels, ids=range(3))
    for i in range(3):
        for name in ("volume", "mask3d"):
            np.testing.assert_array_equal(dense[name][i], one[i][name])
            np.testing.assert_array_equal(listed[name][i], one[i][name])
    pairs = np.stack([np.stack([d, d[::-1]]) for d in data])  # [B, N, D, H, W, C]
    several = compose(volumes=pairs, masks3d=np.stack([labels, labels], 1), ids=range(3))
    assert several["volumes"].shape == (3, 2, 5, 40, 50, 3)
    assert several["masks3d"].shape == (3, 2, 5, 40, 50)
    for i in range(3):
        np.testing.assert_array_equal(several["volumes"][i, 0], one[i]["volume"])
        np.testing.assert_array_equal(several["volumes"][i, 1], one[i]["volume"][::-1])
        np.testing.assert_array_equal(several["masks3d"][i, 1], one[i]["mask3d"])
    ragged = compose(volumes=[pairs[0], pairs[1, :1], pairs[2]], ids=range(3))["volumes"]
    assert [v.shape[:2] for v in ragged] == [(2, 5), (1, 5), (2, 5)]
    np.testing.assert_array_equal(ragged[1][0], one[1]["volume"])


def test_tensors_are_slices_of_planes():
    compose = G.Compose(PIPELINE, seed=3)
    data = volume()
    out = compose(volume=torch.from_numpy(data).permute(0, 3, 1, 2), ids=[7])["volume"]
    np.testing.assert_array_equal(out.permute(0, 2, 3, 1).numpy(), compose(volume=data, ids=[7])["volume"])


def test_a_loader_s_call():
    compose = G.Compose([*PIPELINE, G.Normalize()], seed=3)
    data = np.stack([volume(seed=s) for s in range(2)])
    out = compose.run({"volume": data, "volumes": np.stack([data, data], 1)}, ids=[0, 1])
    assert out["volume"].shape == (2, 5, 3, 40, 50)
    assert out["volumes"].shape == (2, 2, 5, 3, 40, 50)
    assert torch.equal(out["volumes"][:, 0], out["volume"])


def test_additional_targets_and_boxes_beside_them():
    compose = G.Compose(
        [G.HorizontalFlip(p=1)], additional_targets={"ct": "volume", "organs": "mask3d"}, keypoint_params=G.KeypointParams("xy")
    )
    data, labels = volume(), volume(1) // 50
    out = compose(volume=data, ct=data[..., :1], organs=labels, keypoints=[[3, 4]])
    np.testing.assert_array_equal(out["ct"], data[:, :, ::-1, :1])
    np.testing.assert_array_equal(out["organs"], labels[:, :, ::-1])
    assert out["keypoints"] == [[66, 4]]


def test_what_does_not_fit():
    data = volume()
    with pytest.raises(ValueError, match=r"volumes must be arrays \[N, D, H, W\(, C\)\] of at least one volume"):
        G.Compose([])(image=data[0], volumes=data[0, :, :, 0])
    with pytest.raises(ValueError, match="they must agree"):
        G.Compose([])(volume=data, mask3d=volume(1)[:, 1:])
    with pytest.raises(ValueError, match="Compose needs image=, images= or volume=, got vol"):
        G.Compose([])(vol=data)
