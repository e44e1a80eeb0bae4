"""Caches: what comes out is what went in, on the loader's road and in torch's loader."""

import io
import json
import os
import pickle

import cv2
import numpy as np
import pyarrow as pa
import pytest
import torch
from PIL import Image

import gpuaug as A
from gpuaug.data import (
    BadSampleError,
    CacheError,
    DataLoader,
    HuggingFace,
    ImageCsv,
    ImageFolder,
    ImbalancedSampler,
    SegmentationFolder,
    cached,
    foresight,
)
from gpuaug.data.stored import build


@pytest.fixture(autouse=True)
def small_batches(monkeypatch):
    monkeypatch.setattr(foresight, "WORTH", 0)


@pytest.fixture(autouse=True)
def small_parts(monkeypatch):
    monkeypatch.setattr(build, "PART_SAMPLES", 8)
    monkeypatch.setattr(build, "GROUP", 3)


def picture(number, height, width):
    """Smooth, so that a filter's rounding shows and JPEG's does not."""
    y, x = np.mgrid[:height, :width].astype(np.float32)
    planes = [127 + 120 * np.sin(x / (7 + c) + y / (9 + number % 5) + number + c) for c in range(3)]
    return np.stack(planes, 2).round().astype(np.uint8)


@pytest.fixture
def folder(tmp_path):
    """21 images of two classes, of differing sizes, PNGs among JPEGs."""
    for number in range(21):
        where = tmp_path / "files" / ("ab"[number % 2])
        where.mkdir(parents=True, exist_ok=True)
        image = Image.fromarray(picture(number, 40 + number, 61 - number))
        image.save(where / f"{number:03}.{'png' if number % 5 == 0 else 'jpg'}")
    return tmp_path / "files"


def steps(seed=3):
    return A.Compose([A.RandomResizedCrop((24, 24)), A.HorizontalFlip(), A.Normalize(), A.ToTensorV2()], seed=seed)


def build_it(dataset, tmp_path, **given):
    return cached(dataset, tmp_path / "cache", progress=False, **given)


def same(one, other):
    if isinstance(one, dict):
        assert list(one) == list(other)
        return all(same(one[key], other[key]) for key in one)
    if isinstance(one, (tuple, list)):
        assert type(one) is type(other)
        assert len(one) == len(other)
        return all(map(same, one, other))
    if isinstance(one, (np.ndarray, torch.Tensor)):
        assert type(one) is type(other)
        assert (one.dtype, one.shape) == (other.dtype, other.shape)
        return bool((one == other).all())
    assert type(one) is type(other), (one, other)
    return (np.asarray(one) == np.asarray(other)).all() if isinstance(one, Image.Image) else one == other


def test_without_a_size_it_is_the_dataset(folder, tmp_path):
    source = ImageFolder(folder)
    there = build_it(source, tmp_path)
    assert len(there) == 21
    assert all(same(source[i], there[i]) for i in range(21))
    assert same(source[20], there[-1])
    with pytest.raises(IndexError, match="sample 21 of a cache of 21"):
        there[21]
    assert (there.classes, there.class_to_idx, there.targets) == (source.classes, source.class_to_idx, source.targets)
    assert there.path_of(4) == source.path_of(4)
    assert there.bad == []


def test_made_small_by_area(folder, tmp_path):
    source = ImageFolder(folder)
    there = build_it(source, tmp_path, size=32)
    for i in range(21):
        image = source[i][0]
        height, width = image.shape[:2]
        short = min(height, width)
        size = (round(width * 32 / short), round(height * 32 / short))
        wanted = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
        assert there[i][0].shape == wanted.shape
        assert np.abs(there[i][0].astype(int) - wanted).max() <= 1
        assert same(A.SmallestMaxSize(32, interpolation=cv2.INTER_AREA, p=1)(image=image)["image"], there[i][0])


def test_small_images_stay_as_they_are(folder, tmp_path):
    source = ImageFolder(folder)
    there = build_it(source, tmp_path, size=45)
    kept = [i for i in range(21) if min(source[i][0].shape[:2]) <= 45]
    assert 0 < len(kept) < 21
    assert all(same(source[i], there[i]) for i in kept)
    assert all(min(there[i][0].shape[:2]) == 45 for i in range(21) if i not in kept)


def test_jpeg(folder, tmp_path):
    source = ImageFolder(folder)
    there, raw = (
        build_it(source, tmp_path, size=32, store="jpeg", quality=97),
        cached(source, tmp_path / "raw", 32, progress=False),
    )
    for i in range(21):
        file = there.encoded(i)[0]
        assert same(there[i][0], np.asarray(Image.open(io.BytesIO(file.tobytes()))))
        assert there[i][0].shape == raw[i][0].shape
        assert np.abs(there[i][0].astype(int) - raw[i][0]).mean() < 3
    batches = list(DataLoader(there, 8, transform=steps(), device="cpu"))
    assert sum(len(images) for images, _ in batches) == 21


def test_upright(tmp_path):
    (tmp_path / "files" / "a").mkdir(parents=True)
    exif = Image.Exif()
    exif[274] = 6
    Image.fromarray(picture(0, 40, 60)).save(tmp_path / "files" / "a" / "0.jpg", exif=exif)
    there = build_it(ImageFolder(tmp_path / "files"), tmp_path)
    assert there[0][0].shape == (60, 40, 3)
    assert same(there[0], ImageFolder(tmp_path / "files")[0])


@pytest.mark.parametrize("workers", [0, 1, 3])
@pytest.mark.parametrize("shuffle", [False, True])
def test_the_loader_gives_what_it_gives_of_the_files(folder, tmp_path, workers, shuffle):
    source = ImageFolder(folder)
    there = build_it(source, tmp_path)
    given = {"batch_size": 4, "shuffle": shuffle, "seed": 5, "device": "cpu", "num_workers": workers}
    ours, theirs = (DataLoader(data, transform=steps(), **given) for data in (there, source))
    assert "cache" in repr(ours)
    for _ in range(2):
        pairs = list(zip(ours, theirs, strict=True))
        assert len(pairs) == 6
        assert all(same(a, b) for a, b in pairs)
    assert "pixels read from a cache" in repr(ours)


def test_a_subset_and_single_samples(folder, tmp_path):
    there = build_it(ImageFolder(folder), tmp_path)
    part = torch.utils.data.Subset(torch.utils.data.Subset(there, range(4, 20)), [3, 0, 9])
    loader = DataLoader(part, 2, transform=A.Compose([A.Resize(8, 8), A.ToTensorV2()]), device="cpu")
    assert "pixels read from a cache" in repr(loader)
    labels = torch.cat([labels for _, labels in loader]).tolist()
    assert labels == [there[i][1] for i in (7, 4, 13)]
    single = list(DataLoader(there, None, transform=A.Compose([A.Resize(8, 8), A.ToTensorV2()]), device="cpu"))
    assert len(single) == 21
    assert single[0][0].shape == (3, 8, 8)


def test_without_a_transform(folder, tmp_path):
    there = build_it(ImageFolder(folder), tmp_path)
    loader = DataLoader(torch.utils.data.Subset(there, [2, 2]), 2, device="cpu")
    ((images, labels),) = loader
    assert images.shape == (2, 3, *there[2][0].shape[:2])
    assert (images[1].permute(1, 2, 0).numpy() == there[2][0]).all()
    assert labels.tolist() == [there[2][1]] * 2


def test_a_collate_fn_of_the_users(folder, tmp_path):
    there = build_it(ImageFolder(folder), tmp_path)
    loader = DataLoader(there, 4, transform=steps(), device="cpu", collate_fn=lambda samples: [label for _, label in samples])
    assert [label for labels in loader for label in labels] == there.targets


def test_torchs_own_loader_with_workers(folder, tmp_path):
    source = ImageFolder(folder)
    there = build_it(source, tmp_path)
    loader = torch.utils.data.DataLoader(there, batch_size=1, num_workers=2, collate_fn=lambda samples: samples[0])
    assert all(same(a, source[i]) for i, a in enumerate(loader))


def test_it_is_pickled_small(folder, tmp_path):
    there = build_it(ImageFolder(folder), tmp_path)
    there[3]
    text = pickle.dumps(there)
    assert len(text) < 5000
    assert same(pickle.loads(text)[9], there[9])


def test_resume_in_the_middle_of_an_epoch(folder, tmp_path):
    source = ImageFolder(folder)
    there = build_it(source, tmp_path)

    def loader(data):
        return DataLoader(data, 4, shuffle=True, seed=9, transform=steps(), device="cpu")

    whole = [*loader(source)]
    first = loader(there)
    at = iter(first)
    head = [next(at), next(at)]
    state = json.loads(json.dumps(first.state_dict()))
    second = loader(there)
    second.load_state_dict(state)
    assert all(same(a, b) for a, b in zip([*head, *second], whole, strict=True))


def test_a_state_of_the_files_goes_on_with_the_cache(folder, tmp_path):
    source = ImageFolder(folder)
    there = build_it(source, tmp_path)
    one, other = (DataLoader(data, 4, shuffle=True, seed=9, transform=steps(), device="cpu") for data in (source, there))
    at = iter(one)
    next(at)
    other.load_state_dict(one.state_dict())
    assert all(same(a, b) for a, b in zip(at, other, strict=True))


def test_many_epochs_take_no_more_memory_or_files(folder, tmp_path):
    there = build_it(ImageFolder(folder), tmp_path)
    loader = DataLoader(there, 4, transform=steps(), device="cpu")
    list(loader)
    before = len(os.listdir("/proc/self/fd")), len(os.listdir("/proc/self/task"))
    for _ in range(20):
        list(loader)
    assert (len(os.listdir("/proc/self/fd")), len(os.listdir("/proc/self/task"))) == before


def test_few_descriptors_serve_many_parts(folder, tmp_path, monkeypatch):
    from gpuaug.data.stored import files

    source = ImageFolder(folder)
    there = build_it(source, tmp_path)
    monkeypatch.setattr(files, "OPEN_FILES", 1)
    assert all(same(there[i], source[i]) for i in (0, 9, 20, 1, 10, 19))
    assert len(there._parts._files) == 1


# ---- bad samples -------------------------------------------------------------------------------------------------------


@pytest.fixture
def spoilt(folder):
    (folder / "a" / "004.jpg").write_bytes(b"no image")
    (folder / "b" / "011.jpg").write_bytes((folder / "b" / "011.jpg").read_bytes()[:40])
    return folder


def test_bad_samples_are_in_the_cache(spoilt, tmp_path):
    source = ImageFolder(spoilt)
    there = build_it(source, tmp_path)
    files = [str(spoilt / "a" / "004.jpg"), str(spoilt / "b" / "011.jpg")]
    assert [bad.path for bad in there.bad] == files
    assert [source.path_of(bad.index) for bad in there.bad] == files
    assert "not an image" in there.bad[0].reason
    with pytest.raises(ValueError, match=r"004.jpg: not an image"):
        there[there.bad[0].index]


@pytest.mark.parametrize("policy", ["skip", "replace"])
def test_policies(spoilt, tmp_path, policy):
    source = ImageFolder(spoilt)
    there = build_it(source, tmp_path)
    given = {"batch_size": 4, "shuffle": True, "seed": 5, "device": "cpu", "on_error": policy}
    ours, theirs = (DataLoader(data, transform=steps(), **given) for data in (there, source))
    assert all(same(a, b) for a, b in zip(ours, theirs, strict=True))
    assert ours.errors == theirs.errors
    assert len(ours.errors) == 2


def test_the_policy_raise(spoilt, tmp_path):
    there = build_it(ImageFolder(spoilt), tmp_path)
    with pytest.raises(BadSampleError, match=r"sample 2 \(.*004.jpg\): not an image"):
        list(DataLoader(there, 4, transform=steps(), device="cpu"))


def test_a_group_of_bad_samples_and_a_bad_end(folder, tmp_path):
    for number in (0, 2, 4, 6, 8, 10, 19):
        for file in folder.rglob(f"{number:03}.*"):
            file.write_bytes(b"")
    source = ImageFolder(folder)
    there = build_it(source, tmp_path)
    bad = {bad.index for bad in there.bad}
    assert bad == {0, 1, 2, 3, 4, 5, 20}
    assert all(same(source[i], there[i]) for i in range(21) if i not in bad)


def test_nothing_but_bad_samples(tmp_path):
    (tmp_path / "files" / "a").mkdir(parents=True)
    for number in range(9):
        (tmp_path / "files" / "a" / f"{number}.jpg").write_bytes(b"")
    with pytest.raises(CacheError, match=r"not one sample can be decoded.*0.jpg.*empty file"):
        build_it(ImageFolder(tmp_path / "files"), tmp_path)


# ---- other datasets ----------------------------------------------------------------------------------------------------


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


class Returned(torch.utils.data.Dataset):
    """Arrays, tensors and all that a sample may hold beside its picture."""

    def __init__(self, image=lambda i: picture(i, 20 + i, 30), **more):
        self.image, self.more = image, more

    def __len__(self):
        return 11

    def __getitem__(self, i):
        if i == 6:
            raise ValueError("six is not there")
        rest = {"id": i, "name": f"é{i}", "raw": bytes([i]), "flag": i % 2 == 0, "score": i / 3, "nothing": None}
        rest |= {"vector": np.arange(i, dtype=np.float32), "matrix": torch.full((2, i), i, dtype=torch.int16)}
        rest |= {"scalar": np.float64(i / 9), "words": ["a"] * i, "pair": (i, (float(i),))}
        return {"image": self.image(i), **rest, **{key: make(i) for key, make in self.more.items()}}


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


# ---- windows -------------------------------------------------------------------------------------------------------------


def test_only_the_lines_of_the_window_are_read(folder, tmp_path, monkeypatch):
    from gpuaug.data.stored import files

    source = ImageFolder(folder)
    there = build_it(source, tmp_path)
    lines, read = [], files.Parts.read

    def counted(self, number, row, name, into, first, line):
        if line:  # not the first sample, which is looked at
            lines.append((len(into) // line, int(self.table(number).height[row])))
        into[:] = 77
        return read(self, number, row, name, into, first, line)

    monkeypatch.setattr(files.Parts, "read", counted)
    given = {"batch_size": 4, "shuffle": True, "seed": 5, "device": "cpu"}
    ours, theirs = (DataLoader(data, transform=steps(), **given) for data in (there, source))
    assert all(same(a, b) for a, b in zip(ours, theirs, strict=True))
    assert len(lines) == 21
    assert sum(few for few, _ in lines) < 0.9 * sum(all_ for _, all_ in lines)
    assert ours.stats()["decoded"] < 0.8


@pytest.mark.parametrize("policy", ["skip", "replace"])
@pytest.mark.parametrize("size", [1, 4, 30])
@pytest.mark.parametrize("spoilt", [[0], [20], [5, 6], [0, 1, 2, 3], [16, 17, 18, 19, 20], [3, 4, 11]])
def test_damage_that_is_found_while_reading(folder, tmp_path, policy, size, spoilt):
    """What was planned for a batch is not what is left of it: the pixels are those that files give whose damage is the same."""
    source = ImageFolder(folder)
    there = build_it(source, tmp_path)
    for index in spoilt:
        number, row = there.locate(index)
        path, at = there._parts.path(number), int(there._parts.table(number).start["image"][row])
        with open(path, "r+b") as file:
            file.seek(at + 50)
            byte = file.read(1)[0]
            file.seek(at + 50)
            file.write(bytes([byte ^ 255]))
        with open(source.path_of(index), "wb") as file:
            file.write(b"no image")
    given = {"batch_size": size, "device": "cpu", "on_error": policy}
    ours, theirs = (DataLoader(data, transform=steps(), **given) for data in (there, source))
    assert all(same(a, b) for a, b in zip(ours, theirs, strict=True))
    assert sorted(bad.index for bad in ours.errors) == spoilt
    assert all("checksum" in bad.reason for bad in ours.errors)


def test_gray_and_floats_are_read_whole(tmp_path):
    for name, image in (
        ("gray", lambda i: picture(i, 20, 30)[..., 0]),
        ("floats", lambda i: picture(i, 20, 30) / np.float32(255)),
    ):
        there = cached(Returned(image), tmp_path / name, progress=False)
        given = {
            "device": "cpu",
            "on_error": "skip",
            "targets": {"untouched": ["vector", "matrix"]},
            "collate_fn": lambda samples: samples,
        }
        crop = A.Compose([A.RandomResizedCrop((8, 8)), A.HorizontalFlip(), A.ToTensorV2()], seed=0)
        ours, theirs = (DataLoader(data, 4, transform=crop, **given) for data in (there, Returned(image)))
        assert "pixels read" in repr(ours)
        assert all(same(a["image"], b["image"]) for x, y in zip(ours, theirs, strict=True) for a, b in zip(x, y, strict=True))


class Marked(torch.utils.data.Dataset):
    """Images with masks, boxes and points."""

    def __init__(self, dtype):
        self.dtype = dtype

    def __len__(self):
        return 12

    def __getitem__(self, i):
        image = picture(i, 60 + i, 50)
        image = image if self.dtype == np.uint8 else image.astype(self.dtype) / 256
        mask = (picture(i + 5, 60 + i, 50)[..., 0] // 50).astype(np.uint8)
        boxes = np.array([[5.0, 6, 40, 50], [1, 1, 20, 20]][: i % 3], np.float32).reshape(-1, 4)
        return {
            "image": image,
            "mask": mask,
            "bboxes": boxes,
            "labels": np.arange(len(boxes)),
            "keypoints": [[9.0, 9.0]],
            "name": f"{i}",
        }


@pytest.mark.parametrize("targets", [None, {"untouched": ["name"]}])
@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_windows_with_masks_boxes_and_points(tmp_path, dtype, targets):
    there = cached(Marked(dtype), tmp_path / "cache", progress=False)
    params = {"bbox_params": A.BboxParams("pascal_voc", ["labels"]), "keypoint_params": A.KeypointParams("xy")}
    steps = [A.RandomResizedCrop((24, 24), scale=(0.1, 0.4)), A.HorizontalFlip(), A.ToTensorV2()]
    given = {"device": "cpu", "collate_fn": lambda samples: samples, "targets": targets}
    ours, theirs = (DataLoader(data, 4, transform=A.Compose(steps, **params, seed=0), **given) for data in (there, Marked(dtype)))
    pairs = [(a, b) for x, y in zip(ours, theirs, strict=True) for a, b in zip(x, y, strict=True)]
    assert len(pairs) == 12
    assert "pixels read" in repr(ours)
    assert all(same(a, b) for a, b in pairs)
    assert (ours.stats()["decoded"] < 0.5) == (dtype == np.uint8)


def test_a_mask_that_stays(tmp_path):
    there = cached(Marked(np.uint8), tmp_path / "cache", progress=False)
    given = {"device": "cpu", "collate_fn": lambda samples: samples, "targets": {"untouched": ["mask", "bboxes", "keypoints"]}}
    crop = A.Compose([A.RandomResizedCrop((24, 24)), A.ToTensorV2()], seed=0)
    ours, theirs = (DataLoader(data, 4, transform=crop, **given) for data in (there, Marked(np.uint8)))
    pairs = [(a, b) for x, y in zip(ours, theirs, strict=True) for a, b in zip(x, y, strict=True)]
    assert all(same(a["image"], b["image"]) and same(np.asarray(a["mask"]), np.asarray(b["mask"])) for a, b in pairs)


def test_caches_in_a_row(folder, tmp_path):
    one, two = (
        cached(ImageFolder(folder), tmp_path / name, size=size, progress=False) for name, size in (("one", 30), ("two", 35))
    )
    loader = DataLoader(torch.utils.data.ConcatDataset([one, two]), 4, transform=steps(), device="cpu")
    assert sum(len(images) for images, _ in loader) == 42
