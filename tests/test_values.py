"""Values do not change on the way: every element type, on every road."""

from __future__ import annotations

import warnings
from concurrent.futures import ThreadPoolExecutor

import albumentations as A
import numpy as np
import pytest
import torch
from PIL import Image
from torch._subclasses.fake_tensor import FakeTensorMode

import gpuaug as G
from gpuaug import audio
from gpuaug.batch import Batch

FLIP = G.Compose([G.HorizontalFlip(p=1)], additional_targets={"mask2": "mask"})
H, W = 5, 7

# ---- element types -----------------------------------------------------------------------------------

EXTREMES = {
    "bool": [False, True],
    "uint8": [0, 255],
    "int8": [-128, 127],
    "int16": [-(2**15), 2**15 - 1],
    "uint16": [0, 2**16 - 1],
    "int32": [-(2**31), 2**31 - 1, 123456789],
    "uint32": [0, 2**32 - 7, 2**31],
    "int64": [-(2**31), 2**31 - 1, 123456789],
    "uint64": [0, 2**31 - 1],
    "float16": [-0.5, 65504.0],
    "float32": [-1e38, 0.1, 16777216.0],
    "float64": [-0.5, 16777216.0, np.inf, np.nan],
}
TYPES = list(EXTREMES)
BIG_ENDIAN = [">i2", ">u2", ">u4", ">i8", ">f4", ">f8"]


def labels(dtype, seed=0, shape=(2, H, W)):
    """Masks of two samples that hold the extremes of a type, and no symmetry."""
    some = EXTREMES[np.dtype(dtype).name]
    return np.array(some, dtype)[np.random.default_rng(seed).integers(0, len(some), shape)]


class Pairs(torch.utils.data.Dataset):
    def __init__(self, images, masks):
        self.images, self.masks = images, masks

    def __len__(self):
        return len(self.images)

    def __getitem__(self, i):
        return {"image": self.images[i], "mask": self.masks[i]}


class Arrays(Pairs):
    """The memory road."""

    def arrays(self):
        return {"image": np.stack(list(self.images)), "mask": np.stack(list(self.masks))}


IMAGES = np.random.default_rng(9).integers(0, 256, (2, H, W, 3), np.uint8)


def loaded(dataset, transform=FLIP, **how):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # more workers than cores
        return next(iter(G.DataLoader(dataset, batch_size=len(dataset), transform=transform, device="cpu", **how)))


ROADS = {
    "one": lambda m: np.stack([FLIP(image=i, mask=x)["mask"] for i, x in zip(IMAGES, m)]),
    "batch": lambda m: FLIP(image=IMAGES, mask=m)["mask"],
    "list": lambda m: np.stack(FLIP(image=list(IMAGES), mask=list(m))["mask"]),
    "additional target": lambda m: FLIP(image=IMAGES, mask2=m)["mask2"],
    "set": lambda m: FLIP(image=IMAGES[0], masks=m)["masks"],
    "list of sets": lambda m: np.concatenate(FLIP(image=list(IMAGES), masks=[m[:1], m[1:]])["masks"]),
    "strided": lambda m: FLIP(image=IMAGES, mask=np.repeat(m, 2, 2)[:, :, ::2])["mask"],
    "read only": lambda m: FLIP(image=IMAGES, mask=np.frombuffer(m.tobytes(), m.dtype).reshape(m.shape))["mask"],
    "tensor": lambda m: FLIP(image=torch.from_numpy(IMAGES).permute(0, 3, 1, 2), mask=torch.from_numpy(m))["mask"],
    "to tensor": lambda m: G.Compose([G.HorizontalFlip(p=1), G.ToTensorV2()])(image=IMAGES, mask=m)["mask"],
    "run": lambda m: FLIP.run({"image": IMAGES, "mask": m}, ids=[0, 1])["mask"],
    "run, list": lambda m: FLIP.run({"image": list(IMAGES), "mask": list(m)}, ids=[0, 1])["mask"],
    "run, sets": lambda m: FLIP.run({"image": IMAGES, "masks": m[:, None]}, ids=[0, 1])["masks"][:, 0],
    "loader, memory": lambda m: loaded(Arrays(IMAGES, m))["mask"],
    "loader": lambda m: loaded(Pairs(IMAGES, m))["mask"],
    "loader, worker": lambda m: loaded(Pairs(IMAGES, m), num_workers=1)["mask"],
    "loader, tensors": lambda m: loaded(Pairs(torch.from_numpy(IMAGES).permute(0, 3, 1, 2), torch.from_numpy(m)))["mask"],
}
IN_TENSORS = ("tensor", "to tensor", "run", "loader")


@pytest.mark.parametrize("road", ROADS)
@pytest.mark.parametrize("dtype", TYPES)
def test_masks_keep_values_and_type(road, dtype):
    mask = labels(dtype)
    got = ROADS[road](mask)
    if road.startswith(IN_TENSORS):
        assert isinstance(got, torch.Tensor)
        got = got.numpy()
    assert got.dtype == np.dtype(dtype)
    np.testing.assert_array_equal(got, mask[:, :, ::-1])


@pytest.mark.parametrize("road", ["one", "batch", "list", "set", "run", "loader", "loader, worker", "loader, memory"])
@pytest.mark.parametrize("dtype", BIG_ENDIAN)
def test_other_byte_orders(road, dtype):
    """A NumPy caller gets the byte order that he brought; a tensor has the machine's only."""
    mask = labels(dtype)
    got = ROADS[road](mask)
    got = got.numpy() if road.startswith(IN_TENSORS) else got
    stacked = road in ("one", "list")  # np.stack makes the machine's of it
    assert got.dtype == (
        np.dtype(dtype) if not stacked and not road.startswith(IN_TENSORS) else np.dtype(dtype).newbyteorder("=")
    )
    np.testing.assert_array_equal(got, mask[:, :, ::-1])
    if road == "one":
        assert FLIP(image=IMAGES[0], mask=mask[0])["mask"].dtype == np.dtype(dtype)


@pytest.mark.parametrize("road", [name for name in ROADS if name != "read only"])
def test_bool_whose_bytes_are_not_one(road):
    """What PIL gives for a 1-bit PNG, or np.frombuffer: any byte but 0 is True."""
    mask = np.frombuffer(b"\xff\x00\x02\x00\x01" * 14, bool).reshape(2, H, W).copy()
    want = (mask.view(np.uint8) != 0)[:, :, ::-1]
    got = np.asarray(ROADS[road](mask))
    assert got.dtype == bool
    np.testing.assert_array_equal(got.view(np.uint8), want.view(np.uint8))


def test_bool_whose_bytes_are_not_one_where_numbers_count():
    """Interpolated, a byte of 255 weighs as one of 1 does; and without a transform what is collated holds 0 and 1."""
    odd = np.frombuffer(b"\xff\x00\x01\x00\xff" * 14, bool).reshape(2, H, W).copy()
    clean = odd.view(np.uint8) != 0
    for make in (np.asarray, torch.from_numpy):
        resize = G.Compose([G.Resize(9, 11, mask_interpolation=1)])
        got, want = (np.asarray(resize(image=IMAGES, mask=make(mask.copy()))["mask"]) for mask in (odd, clean))
        np.testing.assert_array_equal(got, want)
        got = loaded(Pairs(IMAGES, make(odd.copy())), None, targets={"image": "image", "mask": "mask"})["mask"]
        np.testing.assert_array_equal(got.numpy().view(np.uint8), clean.view(np.uint8))


@pytest.mark.parametrize("road", [name for name in ROADS if name != "list of sets"])
@pytest.mark.parametrize(
    ("dtype", "value", "words"),
    [
        ("int64", 2**32 + 5, "4294967301.*int64.*32 bits"),
        ("int64", -(2**31) - 1, "-2147483649.*int64.*32 bits"),
        ("uint64", 2**64 - 1, "18446744073709551615.*uint64.*32 bits"),
        ("uint64", 2**31, "2147483648.*uint64.*32 bits"),
        ("float64", 16777217.0, "16777217.0.*float32"),
        ("float64", -1e300, "-1e.300.*float32"),
    ],
)
def test_a_value_that_would_change(road, dtype, value, words):
    mask = np.ones((2, H, W), dtype)
    mask[1, 2, 3] = value
    where = r"(mask2?|masks) 1 " if road != "one" else "mask 0 "
    if road == "run, sets":
        where = "masks 1 "
    with pytest.raises(ValueError, match=where + "holds " + words):
        ROADS[road](mask)


def test_values_without_a_transform_are_torchs():
    for dtype in TYPES:
        mask = labels(dtype)
        for dataset in (Pairs(IMAGES, mask), Arrays(IMAGES, mask)):
            got = loaded(dataset, None, targets={"image": "image", "mask": "mask"})["mask"]
            want = torch.utils.data.default_collate(list(mask))
            assert got.dtype == want.dtype
            np.testing.assert_array_equal(got.numpy(), want.numpy())


# ---- images ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "make",
    [
        lambda m: m.HorizontalFlip(p=1),
        lambda m: m.Transpose(p=1),
        lambda m: m.CenterCrop(3, 4),
        lambda m: m.Resize(9, 4),
        lambda m: m.Affine(rotate=(9, 9), p=1),
        lambda m: m.Normalize(),
        lambda m: m.ToTensorV2(),
        lambda m: m.Pad(2, fill=0.3, p=1),
        lambda m: m.RandomBrightnessContrast((0.1, 0.1), (0.2, 0.2), p=1),
        lambda m: m.Blur((3, 3), p=1),
        lambda m: m.XYMasking((1, 1), 0, (W, W), 0, fill=0.25, p=1),
    ],
    ids=lambda f: type(f(A)).__name__,
)
def test_float64_images_as_albumentations(make):
    image = np.random.default_rng(1).random((H, W, 3))
    want = A.Compose([make(A)])(image=image)["image"]
    got = G.Compose([make(G)])(image=image)["image"]
    assert got.dtype == want.dtype
    assert type(got) is type(want)
    if isinstance(make(G), G.Affine):  # OpenCV rounds places to 1/32 pixel in float64 only
        want = A.Compose([make(A)])(image=image.astype(np.float32))["image"]
    # float64 travels as float32: 2^-24 of values below 8, and of the sums of an interpolation
    np.testing.assert_allclose(np.asarray(got), np.asarray(want), rtol=0, atol=2e-5)
    for out in (
        G.Compose([make(G)]).run({"image": image[None]}, ids=[0])["image"],
        loaded(Pairs([image], [image[..., 0]]), G.Compose([make(G)]), targets={"image": "image"})["image"],
    ):
        assert out.dtype == (torch.float32 if got.dtype in (np.float32, torch.float32) else torch.float64)


def test_float64_images_beyond_float32():
    with pytest.raises(ValueError, match=r"image 0 holds 1e\+300"):
        FLIP(image=np.full((4, 4, 3), 1e300))
    assert FLIP(image=np.full((4, 4, 3), 16777217.0))["image"].max() == 16777216.0  # an intensity: rounded as any other


def test_float64_changes_its_type_for_a_whole_batch():
    with pytest.raises(ValueError, match=r"Normalize turns float64 images into float32.*every sample"):
        G.Compose([G.Normalize(p=0.5)], seed=1)(np.zeros((64, 4, 4, 3)))


@pytest.mark.parametrize("dtype", ["int8", "int16", "int32", "uint32", "int64", "uint64", "bool"])
def test_whole_images_are_moved_but_not_computed_with(dtype):
    image = labels(dtype, shape=(H, W, 3))
    got = FLIP(image)
    assert got.dtype == image.dtype
    np.testing.assert_array_equal(got, image[:, ::-1])
    transforms = [
        G.RandomBrightnessContrast(p=1),
        G.GaussNoise(p=1),
        G.XYMasking(1, 0, 2, 0, fill="random", p=1),
        G.CoarseDropout(fill="random_uniform", p=1),
        G.PixelDropout(0.5, drop_value=None, p=1),
    ]
    if dtype != "bool":
        transforms += [
            G.Resize(3, 3),
            G.GaussianBlur(p=1),
            G.Normalize(),
            G.Affine(rotate=9, p=1),
            G.Normalize(normalization="image"),
        ]
    for transform in transforms:
        with pytest.raises(TypeError, match=rf"{type(transform).__name__}.*images of type {dtype} hold labels"):
            G.Compose([transform])(image)


def test_normalize_makes_numbers_of_bool():
    out = G.Compose([G.Normalize(0.0, 1.0, max_pixel_value=1.0)])(labels("bool", shape=(H, W, 3)))
    assert out.dtype == np.float32
    assert set(np.unique(out)) == {0, 1}


def test_the_loaders_dtype_converts_what_travels_as_bits():
    image = labels("uint32")
    got = FLIP.run({"image": image}, ids=[0, 1], dtype=torch.float32)["image"]
    np.testing.assert_array_equal(got[:, 0].numpy(), image[:, :, ::-1].astype(np.float32))


# ---- fills -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("dtype", "fill"),
    [
        ("uint32", 2**32 - 7),
        ("uint16", 65535),
        ("int8", -128),
        ("int64", -(2**31)),
        ("uint64", 2**31 - 1),
        ("bool", True),
        ("bool", 255),
        ("float64", 0.5),
    ],
)
def test_fills_of_carried_types(dtype, fill):
    mask = np.zeros((H, W), dtype)
    for transform in (
        G.Pad(1, fill_mask=int(fill) if dtype == "bool" else fill, p=1),
        G.XYMasking(1, 0, W, 0, fill_mask=int(fill) if dtype == "bool" else fill, p=1),
    ):
        got = G.Compose([transform])(image=IMAGES[0], mask=mask)["mask"]
        assert got.dtype == np.dtype(dtype)
        assert got[0, 0] == np.array(fill).astype(dtype)


@pytest.mark.parametrize(
    ("dtype", "fill"), [("uint16", 65536), ("uint32", -1), ("int8", 128), ("uint64", 2**31), ("int64", 2**31)]
)
def test_a_fill_outside_the_type(dtype, fill):
    with pytest.raises(ValueError, match=f"fill_mask={fill}.* does not fit {dtype} masks"):
        G.Compose([G.Pad(1, fill_mask=fill, p=1)])(image=IMAGES[0], mask=np.zeros((H, W), dtype))


ROUNDED = {  # where the fill ends up, whatever is drawn
    "Pad": lambda m, fill: m.Pad(1, fill=fill, p=1),
    "CenterCrop": lambda m, fill: m.CenterCrop(H + 4, W + 4, pad_if_needed=True, fill=fill),
    "Affine": lambda m, fill: m.Affine(translate_px={"x": (3, 3)}, fill=fill, p=1),
    "XYMasking": lambda m, fill: m.XYMasking((1, 1), 0, (W, W), 0, fill=fill, p=1),
    "CoarseDropout": lambda m, fill: m.CoarseDropout((1, 1), (H, H), (W, W), fill=fill, p=1),
    "Erasing": lambda m, fill: m.Erasing((0.5, 0.5), (1, 1), fill=fill, p=1),
    "GridDropout": lambda m, fill: m.GridDropout(0.5, fill=fill, p=1),
    "PixelDropout": lambda m, fill: m.PixelDropout(1.0, drop_value=fill, p=1),
}


@pytest.mark.parametrize("name", ROUNDED)
@pytest.mark.parametrize("fill", [127.7, 126.5, 127.5, 0.9, 255.4])
def test_fractions_of_fills_as_albumentations(name, fill):
    """OpenCV's borders round, halves to even; NumPy cuts."""
    image = np.full((H, W, 3), 7, np.uint8)
    want = A.Compose([ROUNDED[name](A, fill)], seed=3)(image=image)["image"]
    got = G.Compose([ROUNDED[name](G, fill)], seed=3)(image=image)["image"]
    assert set(np.unique(got)) - {7} == set(np.unique(want)) - {7} != set()


@pytest.mark.parametrize("name", ["Pad", "CenterCrop", "Affine", "PixelDropout"])
@pytest.mark.parametrize("shape", [(H, W), (H, W, 1)])
def test_three_numbers_on_grey_images(name, shape):
    if name == "PixelDropout" and len(shape) == 3:
        pytest.skip("albumentations broadcasts [H, W, 1] to three channels")
    image = np.full(shape, 7, np.uint8)
    want = A.Compose([ROUNDED[name](A, (10, 20, 30))])(image=image)["image"]
    got = G.Compose([ROUNDED[name](G, (10, 20, 30))])(image=image)["image"]
    np.testing.assert_array_equal(got, want)


def test_three_numbers_on_grey_images_where_there_is_no_first():
    """albumentations' holes refuse them on [H, W, 1]; on [H, W] they become three columns."""
    with pytest.raises(ValueError, match="3 values for images of 1 channels"):
        G.Compose([ROUNDED["CoarseDropout"](G, (10, 20, 30))])(np.zeros((H, W, 1), np.uint8))


@pytest.mark.parametrize("shape", [(H, W), (H, W, 1)])
@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_normalize_of_grey_images(shape, dtype):
    image = np.random.default_rng(2).integers(0, 256, shape).astype(dtype)
    want = A.Compose([A.Normalize()])(image=image)["image"]
    # one grey level is 1 / (0.229 * 255); float32 of values below 3
    np.testing.assert_allclose(G.Compose([G.Normalize()])(image=image)["image"], want, rtol=0, atol=1e-6)
    with pytest.raises(ValueError, match="3 values for images of 2 channels"):
        G.Compose([G.Normalize()])(np.zeros((H, W, 2), dtype))


# ---- tensors whose values are not in memory ------------------------------------------------------------


def test_lazy_signs():
    z = torch.complex(torch.rand(2, 3, H, W), torch.rand(2, 3, H, W))
    image = z.conj().imag
    assert image.is_neg()
    assert torch.equal(FLIP(image), -z.imag.flip(3))
    assert torch.equal(FLIP.run({"image": image}, ids=[0, 1])["image"], -z.imag.flip(3))
    assert torch.equal(FLIP([image[0]])[0], -z.imag[0].flip(2))
    masks = audio.TimeMasking(1)
    assert torch.equal(masks(image), -z.imag)


def resized(size):
    tensor = torch.ones(1, 3, H, W)
    tensor.untyped_storage().resize_(size)
    return tensor


def fake():
    with FakeTensorMode():
        return torch.ones(1, 3, H, W)


NO_MEMORY = {
    "fake": fake,
    "zero": lambda: torch._efficientzerotensor((1, 3, H, W)),
    "freed": lambda: resized(0),
    "too short": lambda: resized(100),
    "meta": lambda: torch.ones(1, 3, H, W, device="meta"),
    "sparse": lambda: torch.ones(1, 3, H, W).to_sparse(),
    "nested": lambda: torch.nested.nested_tensor([torch.ones(3, H, W)]),
}


@pytest.mark.parametrize("name", NO_MEMORY)  # not the tensors: torch dies of printing them
def test_tensors_without_memory(name):
    data, canvas = NO_MEMORY[name](), np.zeros((1, H, W, 3), np.uint8)
    calls = {
        "image": [lambda: FLIP(data), lambda: FLIP.run({"image": data}, ids=[0]), lambda: Batch.of(data)],
        "mask": [lambda: FLIP(image=canvas, mask=data), lambda: FLIP.run({"image": canvas, "mask": data}, ids=[0])],
        "spectrogram": [lambda: audio.TimeMasking(3)(data)] if name not in ("sparse", "nested") else [],
    }
    for argument, some in calls.items():
        for call in some:
            try:
                call()
            except (ValueError, TypeError) as error:
                text = str(error)
            else:
                text = "nothing raised"
            assert argument in text
            assert "memory behind it" in text or "device 'meta'" in text or "layout" in text


def test_a_default_device_of_torch():
    """Results are made where the samples lie, whatever torch.set_default_device says."""
    with torch.device("meta"):
        out = FLIP(torch.from_numpy(IMAGES))
        assert torch.equal(torch.compile(G.Compose([G.HorizontalFlip(p=1)]), backend="eager")(torch.from_numpy(IMAGES)), out)
    assert torch.equal(out, torch.from_numpy(IMAGES).flip(3))


def test_inference_mode():
    """What a pipeline keeps from a call within it, or was made with, serves the calls outside."""

    def work():
        with torch.inference_mode():
            compose = G.Compose([G.HorizontalFlip(p=1)])
            out = [compose(IMAGES)]
        out += [compose(IMAGES), torch.compile(compose, backend="eager")(torch.from_numpy(IMAGES)).numpy()]
        return [np.array_equal(each, IMAGES[..., ::-1] if each is out[2] else IMAGES[:, :, ::-1]) for each in out]

    with ThreadPoolExecutor(1) as fresh:  # a thread keeps what it draws seeds into
        assert all(fresh.submit(work).result())


# ---- PIL images and the state of a module ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("mode", "image", "mask"),
    [
        ("L", "uint8", "uint8"),
        ("RGB", "uint8", "uint8"),
        ("RGBA", "uint8", "uint8"),
        ("1", "uint8", "bool"),
        ("P", "uint8", "uint8"),
        ("I;16", "uint16", "uint16"),
        ("I", "int32", "int32"),
        ("F", "float32", "float32"),
    ],
)
def test_pil_images(mode, image, mask):
    picture = Image.fromarray(np.arange(H * W, dtype=np.uint8).reshape(H, W) * 7).convert("L" if mode == "I;16" else mode)
    if mode == "I;16":
        picture = Image.fromarray(np.arange(H * W, dtype=np.uint16).reshape(H, W) * 1800)
    numbers = np.asarray(picture)
    colours = {"P": np.asarray(picture.convert("RGB")), "1": numbers.astype(np.uint8) * 255}.get(mode, numbers)
    out = FLIP(image=picture, mask=picture, masks=[picture, picture], mask2=picture)
    assert out["image"].dtype == image
    np.testing.assert_array_equal(out["image"], colours[:, ::-1])
    for got in (out["mask"], out["mask2"], *out["masks"]):
        assert got.dtype == mask
        np.testing.assert_array_equal(got, numbers[:, ::-1])
    np.testing.assert_array_equal(FLIP([picture])[0], colours[:, ::-1])
    np.testing.assert_array_equal(FLIP(images=[picture])["images"][0], colours[:, ::-1])
    np.testing.assert_array_equal(FLIP(images=[[picture]] * 2)["images"][1][0], colours[:, ::-1])
    batch = FLIP.run({"image": [picture], "mask": [picture]}, ids=[0])
    np.testing.assert_array_equal(
        batch["mask"][0].numpy(), (numbers[:, ::-1] if numbers.ndim == 2 else numbers[:, ::-1].transpose(2, 0, 1))
    )
    batch = loaded(Pairs([picture], [picture]))
    assert batch["mask"].numpy().dtype == mask
    np.testing.assert_array_equal(batch["image"][0].permute(1, 2, 0).numpy(), colours[:, ::-1].reshape(H, W, -1))


def test_old_checkpoints_load_strictly():
    net = torch.nn.Conv2d(3, 2, 3)
    old = {f"1.{name}": value for name, value in net.state_dict().items()}
    for step in (G.Compose([G.HorizontalFlip()], seed=1), audio.TimeMasking(3), audio.Compose([audio.TimeMasking(3)])):
        model = torch.nn.Sequential(step, net)
        assert model.load_state_dict(old, strict=True).missing_keys == []
        assert model.load_state_dict(model.state_dict(), strict=True).missing_keys == []
        with pytest.raises(RuntimeError, match=r"Missing key.*1\.bias"):
            model.load_state_dict({"1.weight": old["1.weight"]})


@pytest.mark.parametrize("dtype", ["uint8", "float32"])
@pytest.mark.parametrize("hue", [200, -350, 540])
def test_hues_go_around(hue, dtype):
    """More than a full turn is what is left of it, as in albumentations."""
    image = np.random.default_rng(0).integers(0, 256, (40, 40, 3), dtype=np.uint8)
    image = image if dtype == "uint8" else image.astype(np.float32) / 255
    more, less = (G.HueSaturationValue((h, h), (300, 300), (0, 0), p=1)(image=image)["image"] for h in (hue, hue % 180))
    np.testing.assert_array_equal(more, less)
    if dtype == "uint8":  # floats go through bytes there
        want = A.HueSaturationValue((hue, hue), (300, 300), (0, 0), p=1)(image=image)["image"]
        assert abs(more.astype(int) - want).max() <= 1  # OpenCV's vectors, and what is left of a line, round differently
