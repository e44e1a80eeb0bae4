"""Programs of articles, with nothing changed but their import lines: examples/swapped."""

from __future__ import annotations

import importlib.util
import re
import warnings
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from parity.case import photograph

import gpuaug as G
from gpuaug.functional import mask_contour

# the share of strong_aug's calls, of those that p=0.9 lets in, in which nothing is drawn, or a turn by 0 degrees alone
STAYS = (0.5 + 0.5 / 4) * 0.5 * 0.5 * 0.8**4 * 0.7 * 0.7
PROGRAMS = Path(__file__).resolve().parents[1] / "examples" / "swapped"


def load(name):
    spec = importlib.util.spec_from_file_location(name, PROGRAMS / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(autouse=True)
def quiet():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        yield


@pytest.mark.parametrize("path", sorted(PROGRAMS.glob("*.py")), ids=lambda path: path.stem)
def test_nothing_but_import_lines_changed(path):
    """With what stands behind "was:" put back, the program speaks of the original alone."""
    text = path.read_text()
    before = re.sub(r"^.*# was: (.*)$", r"\1", text, flags=re.M)
    compile(before, path.name, "exec")
    code = before.partition('"""')[2].partition('"""')[2]
    assert re.search(r"^(import|from) (albumentations|torchaudio|torchvision|imgaug)", code, re.M)
    assert not re.search(r"^(import|from) gpuaug", code, re.M)
    assert not re.search(r"\b(G|gpuaug)\.(?!functional.mask_contour)", code)


def test_strong_aug():
    program = load("strong_aug")
    out = program.main()
    assert (out["image"].shape, out["mask"].shape) == ((300, 300, 3), (300, 300))
    assert (out["whatever_data"], out["additional"]) == ("my name", "hello")


def test_strong_aug_does_what_it_says():
    """On photographs, batches and in the loader: masks turn with images, a tenth stays as it came, every branch is drawn."""
    image = photograph("china")[:240, :300]
    mask = np.uint8(image[..., 2] > 128)
    aug = load("strong_aug").strong_aug(p=0.9)
    aug.seed = 3
    out = aug(image=[image] * 400, mask=[mask] * 400, ids=range(400))
    same = np.array([a.shape == image.shape and (a == image).all() for a in out["image"]])
    assert abs(same.mean() - (0.1 + 0.9 * STAYS)) < 0.06  # four deviations
    got = [{step[0] for step in each} for each in aug.params(range(400), size=(240, 300))]
    assert set().union(*got) == {
        *("RandomRotate90", "Flip", "Transpose", "GaussNoise", "MotionBlur", "MedianBlur", "Blur", "ShiftScaleRotate"),
        *("OpticalDistortion", "GridDistortion", "PiecewiseAffine", "CLAHE", "Sharpen", "Emboss", "RandomBrightnessContrast"),
        "HueSaturationValue",
    }
    still = {"RandomRotate90", "Flip", "Transpose"}
    plain = [i for i in range(400) if got[i] and got[i] <= still]
    assert len(plain) > 20
    for i in plain:  # where colours stayed, the mask is still that of the image
        np.testing.assert_array_equal(out["mask"][i], np.uint8(out["image"][i][..., 2] > 128))
    batch = aug(image=np.stack([image[:, :240]] * 4), mask=np.stack([mask[:, :240]] * 4), ids=[0, 1, 2, 3])
    assert batch["image"].shape == (4, 240, 240, 3)
    loader = G.DataLoader([(image[:, :240], mask[:, :240])] * 4, batch_size=4, transform=aug)
    images, masks = next(iter(loader))
    assert (tuple(images.shape), tuple(masks.shape)) == ((4, 3, 240, 240), (4, 240, 240))


def test_eeg_masks():
    program = load("eeg_masks")
    first, second = program.main()
    assert (first.shape, second.shape, first.dtype) == ((8, 128, 256, 8), (8, 128, 256, 8), torch.float64)
    plain, seen, values = program.Spectrograms(augment=False), 0, np.arange(8.0)
    for i in range(16):
        clean, image = plain[i].numpy().astype(np.float32), program.Spectrograms()[i].numpy()  # docs/types.md: carried as float32
        image = min(image, image[:, ::-1], key=lambda way: (way != clean).sum())  # the flip undone
        changed = image != clean
        # what is not as it was has the value of its channel, in whole lines and columns of all channels
        np.testing.assert_array_equal(image[changed], np.broadcast_to(values, clean.shape)[changed])
        masked = (image == values).all(2)
        assert (changed.any(2) <= (masked.all(1)[:, None] | masked.all(0)[None])).all()
        seen += changed.any()
    assert seen >= 4  # 0.7 ** 3 of 16 have none


def test_moth_contours():
    program = load("moth_contours")
    torch.manual_seed(0)
    images, masks, weights = program.main()
    assert (tuple(images.shape), tuple(masks.shape), tuple(weights.shape)) == ((4, 3, 224, 224), (4, 224, 224), (4, 224, 224))
    assert set(np.unique(weights)) == {1.0, 5.0}
    for i in range(4):  # the band still lies along the contour of the mask: where the masks of moved moths begin and end
        edge = cv2.morphologyEx(masks[i].numpy(), cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8), borderType=cv2.BORDER_REPLICATE)
        assert (weights[i].numpy()[edge == 1] == 5).mean() > 0.99
        assert 0.3 < edge.sum() / (weights[i] == 5).sum() < 0.75
    drawn = [program.moth(np.random.default_rng(i))[1] for i in range(3)]
    np.testing.assert_array_equal(mask_contour(np.stack(drawn), 5, iterations=2), [program.contour(mask) for mask in drawn])


def test_unet_sizes():
    program = load("unet_sizes")
    torch.manual_seed(1)
    images, masks = program.main()
    assert (tuple(images.shape), tuple(masks.shape)) == ((6, 1, 572, 572), (6, 388, 388))
    for image, mask in zip(images, masks):  # cells are dark: as large, the mask lies on them
        large = cv2.resize(mask.numpy(), (572, 572), interpolation=cv2.INTER_NEAREST_EXACT)
        dark = cv2.GaussianBlur(image[0].numpy(), (0, 0), 1.5) < 0.2
        assert (large != dark).mean() < 0.02
        assert large.mean() > 0.02


def test_torchaudio_masks():
    """The oracle is torchaudio: the same program with its import line as it was makes the same features, masked by as much."""
    T = pytest.importorskip("torchaudio").transforms
    program = load("torchaudio_masks")
    torch.manual_seed(0)
    clean, masked = program.main()
    assert clean.shape == masked.shape == (8, 80, 101)
    program.T = T
    theirs, masked_there = program.main()
    torch.testing.assert_close(clean, theirs, atol=1e-3, rtol=1e-4)
    for one, whole in ((masked, clean), (masked_there, theirs)):
        changed = one != whole
        assert (one[changed] == 0).all()
        for each in changed:  # one stripe of each kind
            rows, columns = each.all(1), each.all(0)
            assert rows.sum() < 20
            assert columns.sum() < 30
            assert (each == rows[:, None] | columns[None]).all()
    shares = {float((a != b).float().mean()) for a, b in zip(masked, clean)}
    assert len(shares) > 3  # each has its own


def test_imgaug_list():
    """imgaug has no NumPy 2; what it computes is compared one by one in tests/interop/test_imgaug.py."""
    program = load("imgaug_list")
    torch.manual_seed(0)
    first, second = program.main(), program.main()
    for images in (first, second):
        assert isinstance(images, list)
        assert {(image.shape, image.dtype.name) for image in images} == {((96, 128, 3), "uint8")}
    plain = program.iaa.Resize({"height": 96, "width": 128})(images=program.pictures())
    assert sum(not np.array_equal(a, b) for a, b in zip(first, plain)) >= 6
    assert sum(not np.array_equal(a, b) for a, b in zip(first, second)) >= 6
    aug = G.Compose([program.seq, G.Normalize(), G.ToTensorV2()], seed=1)
    batch = next(iter(G.DataLoader([(image, 0) for image in program.pictures()], batch_size=8, transform=aug)))[0]
    assert (tuple(batch.shape), batch.dtype) == ((8, 3, 96, 128), torch.float32)


def test_fashion():
    """A dataset's pictures in torch's loader: as torchvision makes them without a draw, and others in every epoch with one."""
    program = load("fashion")
    first, second = program.main(workers=0), program.main(workers=2)
    assert [tuple(batch["img"].shape) for batch in first] == [(16, 3, 80, 60)] * 6
    for batch in (*first, *second):
        assert batch["img"].dtype == torch.float32
        assert set(batch["labels"]) == {"color_labels", "gender_labels", "article_labels"}
    from torchvision.transforms.v2 import functional

    plain = program.FashionDataset(32)
    for i in (0, 20):
        image = functional.to_dtype(functional.pil_to_tensor(plain[i]["img"]), torch.float32, scale=True)
        want = functional.normalize(image, program.mean, program.std)
        torch.testing.assert_close(first[4 + i // 16]["img"][i % 16], want, rtol=1e-6, atol=1e-6)
    assert torch.equal(first[5]["img"], second[5]["img"])
    drawn = [program.FashionDataset(4, program.train_transform)[0]["img"] for _ in range(8)]
    assert len({image.numpy().tobytes() for image in drawn}) == 8
