"""Datasets, samplers and mixing through gpuaug.DataLoader, on small copies of two photographs."""

import csv
import itertools
import os
import re

import numpy as np
import pytest
import torch
from PIL import Image
from sklearn.datasets import load_sample_images
from test_datasets import jpeg, png, write_shard
from torch.utils.data import Subset

import gpuaug as G
from gpuaug.data import (
    BadSampleError,
    CutMix,
    GroupBatchSampler,
    HuggingFace,
    ImageCsv,
    ImageFolder,
    ImbalancedSampler,
    MixedBatchSampler,
    MixUp,
    RepeatBatchSampler,
    SegmentationFolder,
    SpectrogramFolder,
    WebDataset,
)
from gpuaug.data.samplers import occurrences

CHINA, FLOWER = (Image.fromarray(photo).resize((64, 48)) for photo in load_sample_images().images)
N = 14


def photo(i):
    return (CHINA, FLOWER)[i % 2].rotate(25 * i).crop((8, 4, 48 + i % 3, 40))


@pytest.fixture
def folder(tmp_path):
    for i in range(N):
        path = tmp_path / "images" / ("rare" if i % 7 == 0 else "usual") / f"{i:02}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(png(photo(i)))
    return tmp_path / "images"


def loader(data, *transforms, **arguments):
    compose = G.Compose([*transforms, G.CenterCrop(32, 32)], seed=7)
    return G.DataLoader(data, transform=compose, device="cpu", **arguments)


def images_of(batch):
    return batch[0] if isinstance(batch, (list, tuple)) else batch["img" if "img" in batch else "image"]


def expected(images, ids, *transforms):
    """The images that `loader` delivers, from pixels that the dataset decoded."""
    compose = G.Compose([*transforms, G.CenterCrop(32, 32)], seed=7)
    return compose.run({"image": [np.asarray(image) for image in images]}, ids=np.asarray(ids))["image"]


class TestDatasets:
    """What the loader decodes equals what the dataset decodes: exactly, as the files are lossless."""

    def test_image_folder(self, folder):
        data = ImageFolder(folder)
        batches = list(loader(data, G.HorizontalFlip(), batch_size=4))
        assert [len(images) for images, _ in batches] == [4, 4, 4, 2]
        assert torch.cat([labels for _, labels in batches]).tolist() == data.targets
        whole = torch.cat([images for images, _ in batches])
        assert torch.equal(whole, expected([image for image, _ in data], range(N), G.HorizontalFlip()))

    def test_host_transform_runs_first(self, folder):
        data = ImageFolder(folder, transform=lambda image: 255 - image)
        images, _ = next(iter(loader(data, batch_size=N)))
        assert torch.equal(images, expected([image for image, _ in data], range(N)))

    def test_subset(self, folder):
        data = ImageFolder(folder)
        images, labels = next(iter(loader(Subset(data, [9, 0, 5]), batch_size=3)))
        assert torch.equal(images, expected([data[i][0] for i in (9, 0, 5)], range(3)))
        assert labels.tolist() == [data.targets[i] for i in (9, 0, 5)]

    def test_image_csv(self, folder, tmp_path):
        paths = sorted(folder.rglob("*.png"))
        with open(tmp_path / "t.csv", "w", newline="") as file:
            rows = [[p.relative_to(tmp_path), p.parent.name, i / 2] for i, p in enumerate(paths)]
            csv.writer(file).writerows([["path", "kind", "price"], *rows])
        data = ImageCsv(tmp_path / "t.csv", labels="kind", numeric="price")
        batch = next(iter(loader(data, batch_size=N)))
        assert torch.equal(batch["img"], expected([np.asarray(Image.open(p)) for p in paths], range(N)))
        assert batch["labels"]["kind"].tolist() == data.column("kind").tolist()
        assert batch["labels"]["price"].tolist() == [i / 2 for i in range(N)]

    def test_segmentation_folder(self, tmp_path):
        for where in ("images", "masks"):
            (tmp_path / where).mkdir()
        for i in range(N):
            photo(i).save(tmp_path / "images" / f"{i:02}.png")
            photo(i).quantize(6).save(tmp_path / "masks" / f"{i:02}.png")
        data = SegmentationFolder(tmp_path / "images", tmp_path / "masks")
        batch = next(iter(loader(data, G.HorizontalFlip(), batch_size=N)))
        compose = G.Compose([G.HorizontalFlip(), G.CenterCrop(32, 32)], seed=7)
        pairs = {name: [data[i][name] for i in range(N)] for name in ("image", "mask")}
        out = compose.run(pairs, ids=np.arange(N))
        assert torch.equal(batch["image"], out["image"])
        assert torch.equal(batch["mask"], out["mask"])
        assert int(batch["mask"].max()) == 5, "palette indices"

    @pytest.mark.parametrize("labelled", [True, False])
    @pytest.mark.parametrize("workers", [0, 1])
    def test_spectrogram_folder(self, tmp_path, labelled, workers):
        arrays = [np.asarray(photo(i), np.float32).transpose(2, 0, 1) / 4 - 80 for i in range(6)]
        for i, array in enumerate(arrays):
            path = tmp_path / "speech" / f"{i}.npy" if labelled else tmp_path / f"{i}.npy"
            path.parent.mkdir(exist_ok=True)
            np.save(path, array)
        mask = G.TimeMasking(time_mask_param=9, p=1.0)
        batch = next(iter(loader(SpectrogramFolder(tmp_path), mask, batch_size=6, num_workers=workers)))
        images = batch[0] if labelled else batch
        compose = G.Compose([mask, G.CenterCrop(32, 32)], seed=7)
        assert torch.equal(images, compose.run({"image": [torch.tensor(a) for a in arrays]}, ids=np.arange(6))["image"])
        assert images.dtype == torch.float32
        assert images.shape == (6, 3, 32, 32)

    @pytest.mark.parametrize("decode", [False, True])
    def test_web_dataset(self, tmp_path, decode):
        for shard in range(2):
            numbers = range(shard * 7, shard * 7 + 7)
            members = [m for i in numbers for m in ((f"{i:03}.png", png(photo(i))), (f"{i:03}.cls", str(i).encode()))]
            write_shard(tmp_path / f"{shard}.tar", members)
        data = WebDataset(str(tmp_path / "{0..1}.tar"), decode=decode)
        batches = list(loader(data, G.HorizontalFlip(), batch_size=4))
        whole = torch.cat([b["image"] for b in batches])
        assert torch.equal(whole, expected([photo(i) for i in range(N)], range(N), G.HorizontalFlip()))
        assert torch.cat([b["label"] for b in batches]).tolist() == list(range(N))
        assert batches[0]["key"][1] == f"{tmp_path}/0.tar/001"

    def test_hugging_face(self):
        datasets = pytest.importorskip("datasets")
        features = datasets.Features({"image": datasets.Image(), "label": datasets.Value("int64")})
        rows = {"image": [{"bytes": png(photo(i)), "path": None} for i in range(N)], "label": list(range(N))}
        data = HuggingFace(datasets.Dataset.from_dict(rows, features=features))
        batch = next(iter(loader(data, batch_size=N)))
        assert torch.equal(batch["image"], expected([photo(i) for i in range(N)], range(N)))
        assert batch["label"].tolist() == list(range(N))


def odd_files():
    turned = Image.Exif()
    turned[0x0112] = 6
    alpha = CHINA.copy()
    alpha.putalpha(FLOWER.convert("L"))
    wide = Image.fromarray(np.asarray(CHINA.convert("L")).astype(np.uint16) * 200)
    return {
        "rgb.jpg": (CHINA, {}),
        "turned.jpg": (CHINA, {"exif": turned}),
        "cmyk.jpg": (CHINA.convert("CMYK"), {}),
        "gray.jpg": (CHINA.convert("L"), {}),
        "alpha.png": (alpha, {}),
        "palette.png": (CHINA.quantize(16), {}),
        "wide.png": (wide, {}),
        "gray-alpha.png": (CHINA.convert("LA"), {}),
        "bits.png": (CHINA.convert("1"), {}),
        "alpha.webp": (alpha, {"lossless": True}),
        "rgb.gif": (CHINA, {}),
        "rgb.bmp": (CHINA, {}),
        "rgb.tif": (CHINA, {}),
    }


@pytest.mark.parametrize("name", odd_files())
def test_host_and_loader_decode_alike(tmp_path, name):
    (tmp_path / "class").mkdir()
    image, options = odd_files()[name]
    image.save(tmp_path / "class" / name, **options)
    data = ImageFolder(tmp_path)
    images, _ = next(iter(G.DataLoader(data, device="cpu")))
    # both contain libjpeg-turbo, and the rest is lossless
    np.testing.assert_array_equal(images[0].permute(1, 2, 0), data[0][0])


class TestFaults:
    def test_bad_file_is_named(self, folder):
        data = ImageFolder(folder)
        path = data.path_of(6)
        with open(path, "wb") as file:
            file.write(png(photo(1))[:300])
        with pytest.raises(BadSampleError, match=rf"sample 6 \({re.escape(path)}\)"):
            list(loader(data, batch_size=4))
        skipping = loader(data, batch_size=4, on_error="skip")
        assert sum(len(images) for images, _ in skipping) == N - 1
        assert [bad.path for bad in skipping.errors] == [path]

    @pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
    def test_permission_denied(self, folder):
        os.chmod(ImageFolder(folder).path_of(2), 0)
        with pytest.raises(BadSampleError, match="permission denied"):
            list(loader(ImageFolder(folder), batch_size=4))

    def test_bad_member_of_a_shard_is_named(self, tmp_path):
        members = [("a.jpg", jpeg(photo(0))), ("a.cls", b"0"), ("b.jpg", b"<html>"), ("b.cls", b"1")]
        write_shard(tmp_path / "s.tar", members)
        data = WebDataset(str(tmp_path / "s.tar"))
        with pytest.raises(BadSampleError, match=rf"sample 1 \({tmp_path}/s.tar/b\)"):
            list(loader(data, batch_size=2))
        batches = list(loader(data, batch_size=2, on_error="skip"))
        assert batches[0]["label"].tolist() == [0]

    def test_bad_names_in_a_shard(self, tmp_path):
        write_shard(tmp_path / "s.tar", [("../a.jpg", jpeg(photo(0))), ("../a.cls", b"0")])
        with pytest.raises(BadSampleError, match=r"s\.tar\): cannot be read .*'\.\./a\.jpg' has an absolute path"):
            list(loader(WebDataset(str(tmp_path / "s.tar")), batch_size=2))

    @pytest.mark.parametrize("workers", [0, 1])
    def test_pickle_among_spectrograms(self, tmp_path, workers):
        for i in range(4):
            np.save(tmp_path / f"{i}.npy", np.zeros((1, 40, 40), np.float32))
        np.save(tmp_path / "2.npy", np.array([{}], object), allow_pickle=True)
        data = SpectrogramFolder(tmp_path)
        with pytest.raises(BadSampleError, match=r"sample 2.*2\.npy"):
            list(loader(data, batch_size=4, num_workers=workers))
        skipping = loader(data, batch_size=4, num_workers=workers, on_error="skip")
        assert [len(b) for b in skipping] == [3]


SAMPLERS = {
    "imbalanced": lambda data: {"sampler": ImbalancedSampler(data, seed=3), "batch_size": 4},
    "repeat": lambda data: {"batch_sampler": RepeatBatchSampler(data, 3, seed=3)},
    "group": lambda data: {"batch_sampler": GroupBatchSampler(data, 3, seed=3)},
    "mixed": lambda data: {"batch_sampler": MixedBatchSampler(data, 6, seed=3)},
}


@pytest.mark.parametrize("kind", SAMPLERS)
class TestSamplers:
    NOISE = G.RandomBrightnessContrast(p=1.0)

    def loaded(self, folder, kind, **world):
        data = ImageFolder(folder)
        how = SAMPLERS[kind](data)
        sampler = how.get("sampler") or how["batch_sampler"]
        return data, sampler, loader(data, self.NOISE, **how)

    def test_each_appearance_gets_its_own_draw(self, folder, kind):
        data, sampler, batches = self.loaded(folder, kind)
        entries = list(sampler)
        ids = np.array(entries if kind == "imbalanced" else list(itertools.chain(*entries)))
        compose = G.Compose([self.NOISE, G.CenterCrop(32, 32)], seed=7)
        images = [data[i][0] for i in ids]
        out = compose.run({"image": images}, ids=ids, occurrence=occurrences(ids))["image"]
        loaded = torch.cat([images for images, _ in batches])
        assert torch.equal(loaded, out)
        again = np.flatnonzero(ids == np.bincount(ids).argmax())[:2]
        if kind != "group":
            assert not torch.equal(loaded[again[0]], loaded[again[1]])

    def test_epochs_advance_by_themselves(self, folder, kind):
        data, sampler, batches = self.loaded(folder, kind)
        orders = []
        for epoch in range(2):
            labels = torch.cat([labels for _, labels in batches]).tolist()
            sampler.set_epoch(epoch)
            entries = list(sampler)
            ids = entries if kind == "imbalanced" else list(itertools.chain(*entries))
            assert labels == [data.targets[i] for i in ids]
            orders.append(ids)
        assert orders[0] != orders[1]

    def test_resume_in_the_middle(self, folder, kind):
        whole = list(self.loaded(folder, kind)[2])
        first = self.loaded(folder, kind)[2]
        iterator = iter(first)
        taken = [next(iterator) for _ in range(2)]
        state = first.state_dict()
        second = self.loaded(folder, kind)[2]
        second.load_state_dict(state)
        resumed = taken + list(second)
        assert len(resumed) == len(whole)
        for (images, labels), (other_images, other_labels) in zip(resumed, whole, strict=True):
            assert torch.equal(images, other_images)
            assert torch.equal(labels, other_labels)


class TestMixing:
    @pytest.mark.parametrize("mix", [MixUp(num_classes=2), CutMix(num_classes=2), [MixUp(num_classes=2, p=0.5), CutMix()]])
    def test_in_the_loader_is_the_call_on_its_batches(self, folder, mix):
        data = ImageFolder(folder)
        plain, mixed = (loader(data, batch_size=4, shuffle=True, seed=9, mix=m) for m in (None, mix))
        numbers = loader(IndexedFolder(folder), batch_size=4, shuffle=True, seed=9)
        for epoch in range(2):
            for batch, (images, soft), (_, ids) in zip(plain, mixed, numbers, strict=True):
                for m in mix if isinstance(mix, list) else [mix]:
                    batch = m(batch, ids=ids.numpy(), epoch=epoch, seed=9)
                assert torch.equal(images, batch[0])
                assert torch.equal(soft, batch[1])
                assert soft.shape == (len(ids), 2)

    def test_nested_labels_of_a_table(self, folder, tmp_path):
        paths = sorted(folder.rglob("*.png"))
        with open(tmp_path / "t.csv", "w", newline="") as file:
            csv.writer(file).writerows([["path", "kind"], *([p, p.parent.name] for p in paths)])
        data = ImageCsv(tmp_path / "t.csv", labels="kind")
        batch = next(iter(loader(data, batch_size=N, mix=MixUp(num_classes={"kind": 2}, seed=1))))
        assert batch["labels"]["kind"].shape == (N, 2)
        torch.testing.assert_close(batch["labels"]["kind"].sum(1), torch.ones(N))

    def test_single_samples_have_nobody_to_mix_with(self, folder):
        with pytest.raises(ValueError, match="mix needs batches"):
            loader(ImageFolder(folder), batch_size=None, mix=MixUp())


class IndexedFolder(ImageFolder):
    """Labelled with the sample's number."""

    def encoded(self, index):
        return self.samples[index][0], index
