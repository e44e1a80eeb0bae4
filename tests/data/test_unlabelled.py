"""Pictures without labels: the pixels of the folder's, with their paths."""

import os
import pickle
import shutil

import numpy as np
import pytest
import torch
from conftest import jpeg
from typer.testing import CliRunner

import gpuaug
from gpuaug import cli
from gpuaug.data import Cached, CacheError, DataLoader, ImageFiles, ImageFolder, cached


def epoch(dataset, **how):
    steps = gpuaug.Compose([gpuaug.RandomResizedCrop((24, 24)), gpuaug.ToTensorV2()], seed=3)
    return DataLoader(dataset, **{"batch_size": 8, "shuffle": True, "seed": 0, "device": "cpu", "transform": steps, **how})


def test_pixels_and_draws_are_those_of_the_folder(shared_folder, no_leaks):
    data, files = ImageFiles(shared_folder), ImageFolder(shared_folder)
    assert data.files == [path for path, _ in files.samples]
    assert np.array_equal(data[11]["image"], files[11][0])
    loader = epoch(data)
    for batch, (images, _) in zip(loader, epoch(files), strict=True):
        assert torch.equal(batch["image"], images)
    assert "files read and decoded" in loader.stats()["road"]
    paths = [path for batch in epoch(pickle.loads(pickle.dumps(data)), shuffle=False) for path in batch["path"]]
    assert paths == data.files


def test_a_list_has_its_own_order_and_names(shared_folder, tmp_path):
    files = [path for path, _ in ImageFolder(shared_folder).samples]
    bare = tmp_path / "no-ending"
    shutil.copy(files[3], bare)
    data = ImageFiles([files[5], bare, f"file://{files[0]}"])
    assert data.files == [files[5], os.fspath(bare), files[0]]
    batch = next(iter(DataLoader(data, 3, device="cpu", transform=gpuaug.Compose([gpuaug.Resize(16, 16)]))))
    assert batch["path"] == data.files
    assert batch["image"].shape == (3, 3, 16, 16)
    own = ImageFiles(files, transform=lambda image: image[:4, :4])
    assert own[2]["image"].shape == (4, 4, 3)
    assert torch.utils.data.default_collate([own[0], own[1]])["path"] == files[:2]


def test_what_cannot_be_decoded_is_left_out_with_its_path(folder):
    (folder / "cat" / "002.jpg").write_bytes(b"\xff\xd8 no picture")
    data = ImageFiles(folder)
    loader = epoch(data, on_error="skip", shuffle=False)
    paths = [path for batch in loader for path in batch["path"]]
    assert paths == data.files[:2] + data.files[3:]
    assert [bad.path for bad in loader.errors] == [data.files[2]]


def test_by_url(shared_folder, tmp_path):
    fsspec = pytest.importorskip("fsspec")
    memory, top = fsspec.filesystem("memory"), f"/unlabelled-{tmp_path.name}"
    here = ImageFiles(shared_folder)
    for path in here.files:
        memory.put(path, f"{top}/{os.path.relpath(path, shared_folder)}")
    try:
        far = ImageFiles(f"memory:/{top}")
        assert [os.path.relpath(path, shared_folder) for path in here.files] == [
            path.partition(f"{top}/")[2] for path in far.files
        ]
        for there, batch in zip(epoch(here), epoch(ImageFiles(far.files)), strict=True):
            assert torch.equal(there["image"], batch["image"])
        with pytest.raises(FileNotFoundError, match=r"1 of 2 files do not exist: memory:/.*none\.jpg; correct the list"):
            ImageFiles([far.files[0], f"memory:/{top}/none.jpg"])
    finally:
        memory.rm(top, recursive=True)


def test_a_cache_of_it(shared_folder, tmp_path):
    kept, files = cached(ImageFiles(shared_folder), tmp_path / "a", size=20, progress=False), ImageFolder(shared_folder)
    small = cached(files, tmp_path / "b", size=20, progress=False)
    assert np.array_equal(kept[7]["image"], small[7][0])
    assert kept[7]["path"] == files.samples[7][0]
    cached(ImageFiles(shared_folder), tmp_path / "a", size=20, build=False)  # is found to be up to date


def test_a_folder_without_classes(tmp_path):
    flat = tmp_path / "flat"
    flat.mkdir()
    for i in range(3):
        (flat / f"{i}.jpg").write_bytes(jpeg(i))

    def command(*words):
        return CliRunner().invoke(cli.build(), ["cache", "build", str(flat), "--out", str(tmp_path / "cache"), *words])

    says = (
        "the layout is root/class/file, and 3 are in .*flat itself, such as .*0.jpg: put them .* or take gpuaug.data.ImageFiles"
    )
    with pytest.raises(FileNotFoundError, match=says):
        ImageFolder(flat)
    done = command()
    assert done.exit_code == 2
    assert "gpuaug cache build --unlabelled" in " ".join(done.output.split())
    for more in (("--masks", str(flat)), ("--image", "x")):
        assert command("--unlabelled", *more).exit_code == 2
    assert command("--unlabelled").exit_code == 0
    assert len(Cached(tmp_path / "cache")) == 3
    (flat / "1.jpg").write_bytes(jpeg(9))
    with pytest.raises(CacheError, match=r"cache build .*flat --as raw --unlabelled --out"):
        Cached(tmp_path / "cache")[1]


@pytest.mark.parametrize(
    ("files", "kind", "says"),
    [
        ([], ValueError, "files is empty"),
        (["none.jpg"], FileNotFoundError, r"1 of 1 files do not exist: none\.jpg; correct the list"),
        ("none", FileNotFoundError, "none does not exist; give the folder that holds the files"),
        (".", FileNotFoundError, r"no file in \. or below it ends in .*\.jpg.*; give the folder of the pictures"),
        (["a.jpg", 3], TypeError, "files must be a folder or a list of paths, each a str or pathlib.Path, got 3"),
        (None, TypeError, "files must be .* got None"),
        (b"a.jpg", TypeError, "files must be .* got b'a.jpg'"),
    ],
)
def test_what_is_no_picture(files, kind, says, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(kind, match=says):
        ImageFiles(files)
