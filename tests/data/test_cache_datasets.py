"""Caches of other datasets than folders: masks, tables, arrays, boxes; and what other programs read of them."""

import os

import cv2
import numpy as np
import pyarrow as pa
import pytest
import torch
from cached_pictures import Returned, build_it, fill, picture, same
from PIL import Image

import gpuaug as A
from gpuaug.data import (
    CacheError,
    DataLoader,
    HuggingFace,
    ImageCsv,
    ImageFolder,
    ImbalancedSampler,
    SegmentationFolder,
    cached,
)

pytestmark = pytest.mark.usefixtures("small_batches", "small_parts")


@pytest.fixture
def folder(tmp_path):
    return fill(tmp_path)


@pytest.fixture
def pairs(tmp_path):
    (tmp_path / "images").mkdir()
    (tmp_path / "masks").mkdir()
    for number in range(11):
        Image.fromarray(picture(number, 40 + number, 55)).save(tmp_path / "images" / f"{number:02}.jpg")
        mask = (picture(number + 9, 40 + number, 55)[..., 0] // 40).astype(np.uint8)
        Image.fromarray(mask.astype(np.uint16) * 100 if number == 3 else mask).save(tmp_path / "masks" / f"{number:02}.png")
    return SegmentationFolder(tmp_path / "images", tmp_path / "masks")


@pytest.mark.parametrize("store", ["raw", "jpeg"])
def test_masks(pairs, tmp_path, store):
    there = build_it(pairs, tmp_path, size=32, store=store)
    for i in range(11):
        image, mask = pairs[i]["image"], pairs[i]["mask"]
        size = tuple(there[i]["image"].shape[1::-1])
        exact = np.dtype(np.float32)  # cv2 resizes no int32 by this; class numbers are whole in float32
        wanted = cv2.resize(mask.astype(exact), size, interpolation=cv2.INTER_NEAREST_EXACT)
        assert there[i]["mask"].dtype == np.int32
        assert (there[i]["mask"] == wanted).all()
        assert image.shape[0] > there[i]["image"].shape[0]
    transform = A.Compose([A.RandomCrop(24, 24), A.ToTensorV2()], seed=1)
    batches = list(DataLoader(there, 4, transform=transform, device="cpu"))
    assert [tuple(batch["mask"].shape) for batch in batches] == [(4, 24, 24), (4, 24, 24), (3, 24, 24)]
    assert batches[0]["mask"].dtype == torch.int32


def test_masks_without_a_size(pairs, tmp_path):
    there = build_it(pairs, tmp_path)
    assert all(same(pairs[i], there[i]) for i in range(11))
    given = {
        "transform": A.Compose([A.RandomCrop(24, 24), A.Normalize(), A.ToTensorV2()], seed=1),
        "device": "cpu",
        "shuffle": True,
    }
    for a, b in zip(DataLoader(there, 4, seed=2, **given), DataLoader(pairs, 4, seed=2, **given), strict=True):
        assert same(a, b)


def test_a_table(folder, tmp_path):
    lines = [f"{'ab'[n % 2]}/{n:03}.{'png' if n % 5 == 0 else 'jpg'},{'xyz'[n % 3]},{n / 7}" for n in range(21)]
    (tmp_path / "table.csv").write_text("path,kind,much\n" + "\n".join(lines))
    source = ImageCsv(tmp_path / "table.csv", labels=["kind"], numeric=["much"], root=folder)
    there = build_it(source, tmp_path)
    assert all(same(source[i], there[i]) for i in range(21))
    assert there.column(("labels", "kind")).tolist() == source.column("kind").tolist()
    assert there.classes == {"kind": ["x", "y", "z"]}
    with pytest.raises(KeyError, match="no column of single values"):
        there.column("img")


def test_torchvisions_folder_gives_pil(folder, tmp_path):
    from torchvision.datasets import ImageFolder as Theirs

    source = Theirs(folder)
    there = build_it(source, tmp_path)
    assert all(same(source[i], there[i]) for i in range(21))
    sampler = ImbalancedSampler(there, seed=0)
    assert len(list(sampler)) == 21


@pytest.mark.parametrize("workers", [1, 2])
def test_a_dataset_of_arrays_with_all_kinds_of_entries(tmp_path, workers):
    source = Returned()
    there = build_it(source, tmp_path, workers=workers)
    assert all(same(source[i], there[i]) for i in range(11) if i != 6)
    assert [bad.index for bad in there.bad] == [6]
    assert "six is not there" in there.bad[0].reason


@pytest.mark.parametrize(
    "image",
    [
        lambda i: picture(i, 20, 30 + i)[..., 0],
        lambda i: torch.from_numpy(picture(i, 20 + i, 30)).permute(2, 0, 1).contiguous(),
        lambda i: torch.rand(1, 20, 30 + i, generator=torch.Generator().manual_seed(i)),
        lambda i: Image.fromarray(picture(i, 20, 30 + i)[..., 0]),
        lambda i: (picture(i, 20, 30) * 257.0).astype(np.uint16),
    ],
    ids=["gray", "tensor", "floats", "PIL", "uint16"],
)
def test_kinds_of_images(tmp_path, image):
    source = Returned(image)
    there = build_it(source, tmp_path)
    assert all(same(source[i], there[i]) for i in range(11) if i != 6)
    given = {"device": "cpu", "on_error": "skip", "targets": {"untouched": ["vector", "matrix"]}}
    crop = A.Compose([A.RandomCrop(8, 8), A.ToTensorV2()], seed=0)
    ours, theirs = (
        DataLoader(d, 4, transform=crop, collate_fn=lambda s: [each["image"] for each in s], **given) for d in (there, source)
    )
    assert "pixels read" in repr(ours)
    assert all(same(a, b) for a, b in zip(ours, theirs, strict=True))


def test_boxes_stay_where_sizes_stay(tmp_path):
    source = Returned(
        lambda i: picture(i, 20, 30), boxes=lambda i: [[1.0, 2.0, 9.0, 12.0]] * (i % 3), labels=lambda i: [7] * (i % 3)
    )
    there = build_it(source, tmp_path)
    assert same(source[5], there[5])
    params = A.BboxParams("pascal_voc", ["labels"])
    given = {
        "device": "cpu",
        "on_error": "skip",
        "collate_fn": lambda samples: samples,
        "targets": {"untouched": ["matrix", "vector"]},
    }
    ours, theirs = (
        DataLoader(data, 4, transform=A.Compose([A.HorizontalFlip(p=1), A.ToTensorV2()], bbox_params=params, seed=0), **given)
        for data in (there, source)
    )
    pairs = [(a, b) for x, y in zip(ours, theirs, strict=True) for a, b in zip(x, y, strict=True)]
    assert len(pairs) == 10
    assert all(same(a["image"], b["image"]) and same(a["boxes"], b["boxes"]) for a, b in pairs)


def test_boxes_and_other_maps_are_not_left_behind(tmp_path):
    with pytest.raises(ValueError, match="boxes"):
        build_it(Returned(boxes=lambda i: [[1.0, 2.0, 9.0, 12.0]]), tmp_path, size=16)
    with pytest.raises(ValueError, match="depth"):
        build_it(Returned(depth=lambda i: np.zeros((20 + i, 30), np.float32)), tmp_path, size=16)
    there = build_it(
        Returned(boxes=lambda i: [[0.1, 0.2, 0.9, 0.8]]), tmp_path, size=16, targets={"untouched": ["boxes", "matrix", "vector"]}
    )
    assert there[1]["boxes"] == [[0.1, 0.2, 0.9, 0.8]]


class Two(ImageFolder):
    """A dataset with a second picture."""

    thread_safe = True
    targets_hint = {"image": "image"}  # noqa: RUF012

    def __getitem__(self, i):
        return {"image": super().__getitem__(i)[0], "other": super().__getitem__(i)[0]}

    def encoded(self, i):
        return {"image": self.samples[i][0], "other": self.samples[i][0]}


def test_another_picture_is_refused(folder, tmp_path):
    with pytest.raises(CacheError, match="'other' of a sample is Image"):
        build_it(Returned(other=lambda i: Image.fromarray(picture(i, 20, 20))), tmp_path)
    with pytest.raises(CacheError, match=r"'other' of a sample is ndarray\[40, 61, 3\] in dataset\[i\].*one image and one mask"):
        build_it(Two(folder), tmp_path)


def test_what_no_column_holds_is_refused(tmp_path):
    with pytest.raises(CacheError, match=r"'odd' of a sample is .*set"):
        build_it(Returned(odd=lambda i: {1, 2}), tmp_path)
    with pytest.raises(CacheError, match="sample 1: its entry 'odd' is 'x', where the first sample has int"):
        build_it(Returned(odd=lambda i: "x" if i else 3), tmp_path)
    with pytest.raises(CacheError, match=r"'odd' is .*, where the first sample has json; a column of a cache has one type"):
        build_it(Returned(odd=lambda i: [{1, 2}] if i else [3]), tmp_path)
    with pytest.raises(CacheError, match=r"sample 2: its image is uint8 with 3 axes and 1 channels"):
        build_it(Returned(lambda i: picture(i, 20, 20)[..., : 1 if i == 2 else 3]), tmp_path)


def test_masks_of_another_size_are_refused(tmp_path):
    with pytest.raises(CacheError, match="sample 0: its mask is 10x15, but the image is 20x30"):
        build_it(
            Returned(lambda i: picture(i, 20, 30), mask=lambda i: np.zeros((10, 15), np.uint8)),
            tmp_path,
            targets={"image": "image", "mask": "mask"},
        )


def test_hugging_face(folder, tmp_path):
    datasets = pytest.importorskip("datasets")
    rows = {"image": [file.read_bytes() for file in sorted(folder.rglob("*.jpg"))]}
    rows["image"] = [{"bytes": data, "path": None} for data in rows["image"]]
    rows["label"] = list(range(len(rows["image"])))
    features = datasets.Features({"image": datasets.Image(), "label": datasets.Value("int64")})
    source = HuggingFace(datasets.Dataset.from_dict(rows, features=features))
    there = build_it(source, tmp_path)
    assert all(same(source[i], there[i]) for i in range(len(source)))
    assert cached(source, tmp_path / "cache", build=False).folder == there.folder


# ---- what others read ----------------------------------------------------------------------------------------------------


def test_any_arrow_reads_it(folder, tmp_path):
    there = build_it(ImageFolder(folder), tmp_path, size=32)
    parts = sorted((tmp_path / "cache").glob("part-*.arrow"))
    assert len(parts) == 3
    table = pa.concat_tables([pa.ipc.open_file(str(part)).read_all() for part in parts])
    assert table.column("index").to_pylist() == list(range(21))
    row = table.slice(13, 1).to_pylist()[0]
    image = np.frombuffer(row["image"], np.uint8).reshape(row["height"], row["width"], 3)
    assert (image == there[13][0]).all()
    assert row["sample.1"] == there[13][1]
    assert row["source"] == there.path_of(13)
    assert row["source_size"] == os.path.getsize(row["source"])
    assert row["error"] is None


def test_little_more_than_its_pixels(tmp_path):
    (tmp_path / "files" / "a").mkdir(parents=True)
    for number in range(12):
        Image.fromarray(picture(number, 256, 300)).save(tmp_path / "files" / "a" / f"{number}.jpg")
    there = build_it(ImageFolder(tmp_path / "files"), tmp_path)
    size = sum(file.stat().st_size for file in (tmp_path / "cache").iterdir())
    assert size <= 1.02 * sum(there[i][0].nbytes for i in range(12))
