"""Caches: what comes out is what went in, on the loader's road and in torch's loader."""

import io
import json
import pickle

import cv2
import numpy as np
import pytest
import torch
from cached_pictures import Returned, build_it, fill, picture, same, steps
from conftest import eventually, held
from PIL import Image

import gpuaug as A
from gpuaug.data import (
    BadSampleError,
    CacheError,
    DataLoader,
    ImageFolder,
    cached,
)

pytestmark = pytest.mark.usefixtures("small_batches", "small_parts")


@pytest.fixture
def folder(tmp_path):
    return fill(tmp_path)


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
    threads, files = held()
    for _ in range(20):
        list(loader)
    eventually(lambda: held()[0] <= threads and held()[1] <= files, held)


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
