"""Bad files and bad samples: named, skipped or replaced, never lost, never a hang."""

import builtins
import io
import itertools
import os
import struct
import sys
import time
import warnings
import zipfile
import zlib
from pathlib import Path

import numpy as np
import pytest
import torch
from conftest import N, jpeg
from fake_compose import FakeCompose
from PIL import Image
from torch.utils.data import Dataset
from torchvision.datasets import ImageFolder

from gpuaug import data
from gpuaug.data import BadSampleError, DataLoader
from gpuaug.data.faults import AllBadError

pytestmark = [pytest.mark.usefixtures("no_leaks"), pytest.mark.filterwarnings("error")]


def load(folder, batch_size=5, **kw):
    return DataLoader(ImageFolder(folder), batch_size, num_workers=1, transform=FakeCompose(8, seed=1), device="cpu", **kw)


def truncated(path):
    path.write_bytes(jpeg(0, (200, 150))[:1500])


def empty(path):
    path.write_bytes(b"")


def missing(path):
    path.unlink()


def directory(path):
    path.unlink()
    path.mkdir()


def garbage(path):
    path.write_bytes(np.random.default_rng(0).bytes(3000))


def html(path):
    path.write_bytes(b"<!DOCTYPE html><html><body>404 Not Found</body></html>")


def zipped(path):
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("a.jpg", jpeg(0))


def start_only(path):
    path.write_bytes(jpeg(0)[:3])


def header_only(path):
    path.write_bytes(jpeg(0)[:200])


def truncated_png(path):
    path.write_bytes(jpeg(0, format="PNG")[:-400])


def huge_jpeg(path):
    data = bytearray(jpeg(0))
    at = data.index(b"\xff\xc0")
    data[at + 5 : at + 9] = struct.pack(">HH", 65500, 65500)
    path.write_bytes(data)


def bomb(path):
    path.write_bytes(png_bomb(30000))


def png_bomb(side):
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = zlib.compress(bytes((side + 7) // 8 + 1) * 100, 9)  # the size is in the header; no need for all rows
    head = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


BAD = {
    truncated: "truncated",
    empty: "empty file",
    missing: "no such file",
    directory: "it is a directory",
    garbage: "not an image",
    html: "it looks like HTML",
    zipped: "it looks like a zip archive",
    start_only: "truncated|cut off",
    header_only: "(?i)truncated",
    truncated_png: "cannot be decoded|truncated",
    huge_jpeg: "65500x65500",
    bomb: "30000x30000 = 900000000 pixels, more than max_pixels=",
}


@pytest.mark.parametrize("spoil", BAD, ids=lambda f: f.__name__)
def test_raise_names_path_and_index_in_one_line(folder, spoil):
    dataset = ImageFolder(folder)
    path = folder / "dog" / "013.jpg"
    spoil(path)
    loader = DataLoader(dataset, 5, transform=FakeCompose(8), device="cpu")
    got, started = [], time.process_time()
    with pytest.raises(BadSampleError, match=BAD[spoil]) as caught:  # noqa: PT012
        for _, y in loader:
            got.append(len(y))
    assert time.process_time() - started < 5, "a bomb was decoded"
    assert got == [5, 5]  # what came before the bad batch was delivered
    text = str(caught.value)
    assert text.startswith(f"sample 13 ({path}): ")
    assert "\n" not in text
    assert (caught.value.index, caught.value.path) == (13, str(path))
    assert [bad.index for bad in loader.errors] == [13]
    # and the loader is usable afterwards
    assert len(next(iter(loader))[0]) == 5


@pytest.mark.parametrize("policy", ["skip", "replace"])
def test_all_kinds_of_faults_in_one_epoch(folder, policy):
    paths = [path for path, _ in ImageFolder(folder).samples]
    clean = [x for b, _ in load(folder, 1) for x in b]
    dataset = ImageFolder(folder)
    at = dict(zip((0, 3, 4, 5, 6, 7, 8, 9, 14, 18, 21, 22), BAD))  # the first, the last, and a whole batch of 5 to 9
    for i, spoil in at.items():
        spoil(Path(paths[i]))
    for epoch in range(2):
        loader = DataLoader(dataset, 5, num_workers=1, on_error=policy, transform=FakeCompose(8, seed=1), device="cpu")
        loader.set_epoch(0)
        batches = list(loader)
        assert {bad.index for bad in loader.errors} == set(at)
        assert all(bad.path == paths[bad.index] and bad.reason for bad in loader.errors)
        x = torch.cat([x for x, _ in batches])
        y = torch.cat([y for _, y in batches])
        if policy == "skip":
            good = [i for i in range(N) if i not in at]
            assert [len(b) for b, _ in batches] == [2, 4, 4, 1]  # [1, 2], then 5..9 all bad, ...
        else:
            good = [max((j for j in range(i + 1) if j not in at), default=1) for i in range(N)]
            assert [len(b) for b, _ in batches] == [5, 5, 5, 5, 3]
        assert y.tolist() == [dataset.samples[i][1] for i in good]
        for k, i in enumerate(good):
            if policy == "skip" or i == k:
                assert torch.equal(x[k], clean[i]), (epoch, k)


@pytest.mark.parametrize("size", [1, 4, 23])
@pytest.mark.parametrize("policy", ["skip", "replace"])
def test_what_stands_in_does_not_depend_on_the_batch_size(folder, policy, size):
    for i in (0, 1, 2, 7, 22):
        truncated(next(folder.glob(f"*/{i:03}.jpg")))
    kw = {"on_error": policy, "shuffle": True, "seed": 4}
    assert torch.equal(torch.cat([x for x, _ in load(folder, 6, **kw)]), torch.cat([x for x, _ in load(folder, size, **kw)]))


@pytest.mark.parametrize("policy", ["raise", "skip", "replace"])
@pytest.mark.parametrize("spoil", [truncated, html])
def test_all_bad_is_an_error(folder, policy, spoil):
    for path in folder.glob("*/*.jpg"):
        spoil(path)
    loader = load(folder, on_error=policy)
    for _ in range(2):
        with pytest.raises(BadSampleError if policy == "raise" else AllBadError, match="sample 0"):
            list(loader)
    if policy != "raise":
        assert len(loader.errors) == N


def test_a_known_bad_sample_costs_no_second_look(folder, monkeypatch):
    from gpuaug.data import decode

    truncated(folder / "cat" / "004.jpg")
    loader = load(folder, on_error="skip")
    list(loader)
    monkeypatch.setattr(decode, "find_faults", None)
    assert sum(len(x) for x, _ in loader) == N - 1
    assert len(loader.errors) == 1


def test_a_repaired_file_is_good_again(folder):
    path = folder / "cat" / "004.jpg"
    truncated(path)
    loader = load(folder)
    with pytest.raises(BadSampleError, match="sample 4"):
        list(loader)
    path.write_bytes(jpeg(4))
    assert sum(len(x) for x, _ in loader) == N


def test_numbers_of_a_stream_mean_others_in_the_next_epoch(shared_folder):
    good = [Path(p).read_bytes() for p, _ in ImageFolder(shared_folder).samples][:6]

    class Turning(torch.utils.data.IterableDataset):
        turn = 0

        def set_epoch(self, epoch):
            self.turn = epoch

        def __iter__(self):
            return iter([{"jpg": b"nothing" if n == self.turn else data, "n": n} for n, data in enumerate(good)])

    loader = DataLoader(Turning(), 6, on_error="skip", transform=FakeCompose(4), device="cpu")
    for epoch in range(3):
        assert [n for b in loader for n in b["n"].tolist()] == [n for n in range(6) if n != epoch]


def test_batches_of_many_sizes_with_faults(folder):
    for i in (3, 9, 21):
        truncated(next(folder.glob(f"*/{i:03}.jpg")))
    batches = [[0, 1], [2, 3, 4], [5], [6], list(range(7, 15)), [15, 16], [17, 18, 19, 20, 21, 22], [22, 3, 0]]
    clean = {i: x for i, (x, _) in enumerate(load(folder, 1, on_error="replace"))}
    transform = FakeCompose(8, seed=1)
    loader = DataLoader(ImageFolder(folder), batch_sampler=batches, on_error="skip", transform=transform, device="cpu")
    for (x, _), indices in zip(loader, batches, strict=True):
        good = [i for i in indices if i not in (3, 9, 21)]
        assert len(x) == len(good)
        for image, i in zip(x[: len(good) - (indices == batches[-1]) * 2], good):
            assert torch.equal(image, clean[i][0])


def test_without_dali_pillow_decodes(folder, monkeypatch):
    from gpuaug.data import decode

    truncated(folder / "cat" / "004.jpg")
    with_dali = [x for x, _ in load(folder, on_error="replace")]

    def absent(*args):
        raise ImportError("No module named 'nvidia.dali'")

    assert decode.decoder_name().startswith("DALI 2.")
    monkeypatch.setattr(decode, "Decoder", absent)
    monkeypatch.setattr(decode.importlib.util, "find_spec", lambda name: None)
    assert decode.decoder_name().startswith("Pillow ")
    decode._warn_of_pillow.cache_clear()
    loader = load(folder, on_error="replace")
    with pytest.warns(RuntimeWarning, match=r"DALI cannot be imported \(No module .*Pillow decodes.*half the speed: pip"):
        by_pillow = [x for x, _ in loader]
    assert all(torch.equal(a, b) for a, b in zip(by_pillow, with_dali, strict=True))
    assert [bad.index for bad in loader.errors] == [4]
    list(load(folder, on_error="replace"))  # said once: warnings are errors in this file


@pytest.mark.parametrize("policy", ["raise", "skip", "replace"])
def test_a_missing_package_is_no_bad_sample(folder, policy, monkeypatch):
    for path in folder.glob("*/*.jpg"):
        path.with_suffix(".gif").write_bytes(jpeg(0, format="GIF"))  # which only Pillow reads
        path.unlink()
    monkeypatch.setitem(sys.modules, "PIL.Image", None)
    with pytest.raises(ImportError, match=r"read with Pillow, which cannot be imported .*: pip install pillow"):
        list(DataLoader(data.ImageFolder(folder), 5, num_workers=1, on_error=policy, device="cpu"))


@pytest.mark.parametrize("workers", [0, 1])
@pytest.mark.parametrize("encoded", [False, True])
def test_a_package_that_a_dataset_misses_is_no_bad_sample(shared_folder, workers, encoded):
    paths = [path for path, _ in ImageFolder(shared_folder).samples]

    class Needs(Dataset):
        def __len__(self):
            return 20

        def __getitem__(self, i):
            if i == 7:
                raise ImportError("No module named 'h5py'")
            return paths[i] if encoded else np.zeros((9, 9, 3), np.uint8)

    loader = DataLoader(Needs(), 5, num_workers=workers, on_error="skip", transform=FakeCompose(4), device="cpu")
    with pytest.raises(ImportError, match="h5py"):
        list(loader)
    assert not loader.errors


def test_permission_denied_is_named(folder, monkeypatch):
    # root may read anything, so that a file mode proves nothing: the system call is made to refuse
    path = folder / "cat" / "002.jpg"
    path.chmod(0)
    if os.access(path, os.R_OK):
        real = open

        def refuse(name, *args, **kw):
            if str(name) == str(path):
                raise PermissionError(13, "Permission denied")
            return real(name, *args, **kw)

        monkeypatch.setattr(builtins, "open", refuse)
    with pytest.raises(BadSampleError, match=r"sample 2 .*002.jpg\): permission denied"):
        list(load(folder))


UNUSUAL = {
    "cmyk": (lambda im: im.convert("CMYK"), "JPEG", 1),
    "gray": (lambda im: im.convert("L"), "JPEG", 0),
    "palette": (lambda im: im.convert("P"), "PNG", 0),
    "alpha": (lambda im: im.convert("RGBA"), "PNG", 0),
    "one_bit": (lambda im: im.convert("1"), "PNG", 0),
    "gif": (lambda im: im.convert("P"), "GIF", 0),
    "webp": (lambda im: im, "WEBP", 0),
    "bmp": (lambda im: im, "BMP", 0),
    "tiff": (lambda im: im, "TIFF", 0),
    "ppm": (lambda im: im, "PPM", 0),
    "progressive": (lambda im: im, "JPEG", 0),
}


@pytest.mark.parametrize("kind", UNUSUAL)
def test_unusual_images_are_read_as_pillow_reads_them(tmp_path, kind):
    convert, form, tolerance = UNUSUAL[kind]
    (tmp_path / "a").mkdir()
    path = tmp_path / "a" / "0.jpg"  # a wrong extension, except for JPEGs
    image = Image.open(io.BytesIO(jpeg(1)))
    convert(image).save(path, form, **({"progressive": True} if kind == "progressive" else {}))
    got = next(iter(DataLoader(ImageFolder(tmp_path), device="cpu")))[0][0].permute(1, 2, 0).numpy()
    with Image.open(path) as image:
        want = np.asarray(image.convert("RGB"))
    assert np.abs(got.astype(int) - want).max() <= tolerance


def test_sixteen_bits_are_scaled_to_eight(tmp_path):
    (tmp_path / "a").mkdir()
    deep = np.arange(30 * 40, dtype=np.uint16).reshape(30, 40) * 50
    Image.fromarray(deep).save(tmp_path / "a" / "0.png")
    got = next(iter(DataLoader(ImageFolder(tmp_path), device="cpu")))[0][0, 0].numpy()
    assert np.abs(got.astype(float) - deep / 257).max() <= 1


def test_images_are_turned_upright_as_exif_says(tmp_path):
    (tmp_path / "a").mkdir()
    image = Image.open(io.BytesIO(jpeg(1)))
    exif = Image.Exif()
    exif[0x0112] = 6
    image.save(tmp_path / "a" / "0.jpg", exif=exif, quality=95)
    got = next(iter(DataLoader(ImageFolder(tmp_path), device="cpu")))[0]
    assert got.shape == (1, 3, 40, 30)


def test_max_pixels_is_the_users(folder):
    with pytest.raises(BadSampleError, match=r"40x30 = 1200 pixels, more than max_pixels=1199"):
        list(load(folder, max_pixels=1199))
    assert sum(len(x) for x, _ in load(folder, max_pixels=42 * 34)) == N


class Raising(Dataset):
    """Samples 0 to 19 of which some raise."""

    def __init__(self, bad):
        self.bad = bad

    def __len__(self):
        return 20

    def __getitem__(self, i):
        if i in self.bad:
            raise KeyError(f"no row {i}")
        return {"image": np.full((9, 9, 3), i, np.uint8), "y": i, "name": str(i)}


@pytest.mark.parametrize("workers", [0, 1])
@pytest.mark.parametrize("bad", [{0}, {19}, {5, 6, 7, 8, 9}, {0, 1, 2, 3, 4, 5}])
def test_a_dataset_that_raises(bad, workers):
    def loader(policy):
        return DataLoader(Raising(bad), 5, num_workers=workers, on_error=policy, transform=FakeCompose(4), device="cpu")

    with pytest.raises(BadSampleError, match=rf"sample {min(bad)}: KeyError: 'no row {min(bad)}'"):
        list(loader("raise"))
    skip = loader("skip")
    assert [i for b in skip for i in b["y"].tolist()] == [i for i in range(20) if i not in bad]
    assert {e.index for e in skip.errors} == bad
    replace = loader("replace")
    batches = list(replace)
    assert len(batches) == len(replace)
    want = [max((j for j in range(i + 1) if j not in bad), default=max(bad) + 1) for i in range(20)]
    assert [i for b in batches for i in b["y"].tolist()] == want
    assert [n for b in batches for n in b["name"]] == [str(i) for i in want]
    assert {e.index for e in replace.errors} == bad


@pytest.mark.parametrize("workers", [0, 1])
@pytest.mark.parametrize("policy", ["skip", "replace"])
def test_a_dataset_that_always_raises(policy, workers):
    loader = DataLoader(Raising(set(range(20))), 5, num_workers=workers, on_error=policy, transform=FakeCompose(4), device="cpu")
    with pytest.raises(AllBadError, match="samples are bad; the first: sample 0"):
        list(loader)


def test_an_encoded_dataset_that_raises(shared_folder):
    files = ImageFolder(shared_folder).samples

    class Paths(Raising):
        def __getitem__(self, i):
            return files[super().__getitem__(i)["y"]]

    loader = DataLoader(Paths({0, 3}), 5, on_error="skip", transform=FakeCompose(4), device="cpu")
    assert [len(x) for x, _ in loader] == [3, 5, 5, 5]


def test_masks_that_do_not_fit_are_bad_samples(tmp_path):
    for i in range(6):
        (tmp_path / f"{i}.jpg").write_bytes(jpeg(i))
        Image.fromarray(np.full((30, 40 - (i == 4)), i, np.uint8)).convert("P").save(tmp_path / f"{i}.png")

    class Pairs(Dataset):
        def __len__(self):
            return 6

        def __getitem__(self, i):
            return {"image": str(tmp_path / f"{i}.jpg"), "mask": str(tmp_path / f"{i}.png")}

    def loader(policy):
        return DataLoader(Pairs(), 2, on_error=policy, transform=FakeCompose(8), device="cpu")

    with pytest.raises(BadSampleError, match=r"sample 4 .*4.jpg\): its mask is 30x39, but the image is 30x40"):
        list(loader("raise"))
    batches = list(loader("skip"))
    assert [b["mask"][:, 0, 0].tolist() for b in batches] == [[0, 1], [2, 3], [5]]


def test_iterable_with_bad_members(shared_folder):
    files = [Path(p).read_bytes() for p, _ in ImageFolder(shared_folder).samples]
    files[0] = files[9] = b"nothing"
    files[12] = files[12][:400]

    class Members(torch.utils.data.IterableDataset):
        def __iter__(self):
            return ({"jpg": data, "n": n} for n, data in enumerate(files))

    def loader(policy):
        return DataLoader(Members(), 5, on_error=policy, transform=FakeCompose(4), device="cpu")

    with pytest.raises(BadSampleError, match="sample 0: not an image"):
        list(loader("raise"))
    assert [n for b in loader("skip") for n in b["n"].tolist()] == [i for i in range(N) if i not in (0, 9, 12)]
    assert [n for b in loader("replace") for n in b["n"].tolist()] == [1, *range(1, 9), 8, 10, 11, 11, *range(13, N)]


def test_an_endless_sampler_over_bad_samples_ends(folder):
    for path in folder.glob("*/*.jpg"):
        empty(path)
    loader = DataLoader(ImageFolder(folder), 512, sampler=itertools.cycle(range(N)), on_error="skip", device="cpu", num_workers=1)
    with pytest.raises(AllBadError):
        list(loader)


def test_the_bomb_is_one():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert Image.open(io.BytesIO(png_bomb(10000))).size == (10000, 10000)
