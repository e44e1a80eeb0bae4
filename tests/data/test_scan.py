"""Which files and classes a folder or a table has: what is left behind by tools, links, empty classes, numeric labels."""

import os
import shutil

import numpy as np
import pytest
import torchvision
from conftest import jpeg
from PIL import Image

from gpuaug import DataLoader
from gpuaug.data import ImageCsv, ImageFolder, SegmentationFolder, SpectrogramFolder, scan
from gpuaug.data.scan import files_below

PICTURE = jpeg(0)


def put(path, data=PICTURE):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


@pytest.fixture
def folder(tmp_path):
    for name in ("cat/a.jpg", "cat/deep/b.JPG", "cat/c.Png", "dog/a.jpg", "dog/d.jpeg"):
        put(tmp_path / name)
    return tmp_path


def names(data, root):
    return [os.path.relpath(path, root) for path, _ in data.samples]


CLEAN = ["cat/a.jpg", "cat/c.Png", "cat/deep/b.JPG", "dog/a.jpg", "dog/d.jpeg"]


class TestLeftBehind:
    @pytest.mark.parametrize(
        "name",
        [
            ".ipynb_checkpoints/a-checkpoint.jpg",  # a class to torchvision, and number 0
            ".git/x.jpg",
            "__MACOSX/cat/._a.jpg",
            "cat/._a.jpg",
            "cat/.hidden.png",
            "cat/.ipynb_checkpoints/a.jpg",
            "cat/@eaDir/a.jpg/SYNOPHOTO_THUMB_M.jpg",
            "cat/Thumbs.db",
            "cat/desktop.ini",
            "cat/.DS_Store",
            "lost+found/x.jpg",
            "notes.jpg",
        ],
    )
    def test_is_no_sample_and_no_class(self, folder, name):
        put(folder / name)
        data = ImageFolder(folder)
        assert names(data, folder) == CLEAN
        assert data.classes == ["cat", "dog"]
        assert data.targets == [0, 0, 0, 1, 1]

    def test_nor_a_pair_or_a_spectrogram(self, tmp_path):
        put(tmp_path / "images/a.jpg")
        put(tmp_path / "masks/a.png", jpeg(0, format="PNG"))
        Image.new("L", (40, 30)).save(tmp_path / "masks/a.png")
        for name in ("images/._a.jpg", "images/.ipynb_checkpoints/b.jpg", "masks/._a.png"):
            put(tmp_path / name)
        assert len(SegmentationFolder(tmp_path / "images", tmp_path / "masks")) == 1
        np.save(tmp_path / "masks/x.npy", np.zeros((1, 2, 3), np.float32))
        for name in ("masks/._x.npy", "masks/.cache/y.npy", "masks/z.npy/w.txt"):
            put(tmp_path / name)
        with pytest.raises(ValueError, match=r"npy files of its own, such as x.npy, and folders, such as z.npy"):
            SpectrogramFolder(tmp_path / "masks")
        shutil.rmtree(tmp_path / "masks/z.npy")
        assert len(SpectrogramFolder(tmp_path / "masks")) == 1

    def test_an_empty_file_is_a_bad_sample_and_not_left_out_in_silence(self, folder):
        put(folder / "cat/c.Png", b"")
        loader = DataLoader(ImageFolder(folder), 1, on_error="skip", device="cpu")
        assert len([0 for _ in loader]) == 4
        assert [(bad.path, bad.reason) for bad in loader.errors] == [(str(folder / "cat/c.Png"), "empty file")]


class TestEmptyClasses:
    def test_are_an_error_as_in_torchvision(self, folder):
        (folder / "bird" / "deeper").mkdir(parents=True)
        put(folder / "fish" / "notes.txt")
        with pytest.raises(FileNotFoundError, match="bird, fish"):
            torchvision.datasets.ImageFolder(folder)
        with pytest.raises(FileNotFoundError, match=r"folders without a file .*: bird, fish; .*pass allow_empty=True"):
            ImageFolder(folder)
        ours, theirs = ImageFolder(folder, allow_empty=True), torchvision.datasets.ImageFolder(folder, allow_empty=True)
        assert ours.classes == theirs.classes == ["bird", "cat", "dog", "fish"]
        assert ours.samples == theirs.samples

    def test_a_class_without_a_folder_may_be_named(self, folder):
        assert ImageFolder(folder, classes=["bird", "cat", "dog"]).targets == [1, 1, 1, 2, 2]

    def test_of_spectrograms(self, tmp_path):
        (tmp_path / "speech").mkdir()
        (tmp_path / "noise").mkdir()
        np.save(tmp_path / "speech/a.npy", np.zeros((1, 2, 3), np.float32))
        with pytest.raises(FileNotFoundError, match="noise"):
            SpectrogramFolder(tmp_path)
        assert SpectrogramFolder(tmp_path, allow_empty=True).targets == [1]


class TestLinks:
    def test_to_a_folder_above_is_not_followed(self, folder):
        (folder / "cat" / "up").symlink_to(folder)
        (folder / "dog" / "self").symlink_to(folder / "dog")
        (folder / "dog" / "far").symlink_to(folder.parent)
        assert names(ImageFolder(folder), folder) == CLEAN

    def test_to_a_folder_elsewhere_is_followed_once(self, folder, tmp_path_factory):
        other = tmp_path_factory.mktemp("other")
        put(other / "deep" / "x.jpg")
        (other / "back").symlink_to(other)
        (other / "deep" / "home").symlink_to(folder)
        (folder / "cat" / "more").symlink_to(other)
        (folder / "cat" / "again").symlink_to(other)
        assert names(ImageFolder(folder), folder) == [*CLEAN[:2], "cat/again/deep/x.jpg", *CLEAN[2:]]
        assert ImageFolder(folder).targets == [0, 0, 0, 0, 1, 1]

    def test_to_a_class_and_to_a_file(self, folder, tmp_path_factory):
        other = tmp_path_factory.mktemp("birds")
        put(other / "x.jpg")
        (folder / "bird").symlink_to(other)
        (folder / "cat" / "z.jpg").symlink_to(folder / "dog" / "a.jpg")
        (folder / "dog" / "gone.jpg").symlink_to(folder / "nowhere.jpg")
        data = ImageFolder(folder)
        assert data.samples == torchvision.datasets.ImageFolder(folder).samples
        assert names(data, folder)[0] == "bird/x.jpg"
        loader = DataLoader(data, 1, on_error="skip", device="cpu")
        assert sum(1 for _ in loader) == 7
        assert [bad.reason for bad in loader.errors] == ["no such file"]

    def test_that_gives_files_two_labels_is_an_error(self, folder, tmp_path_factory):
        (folder / "cat" / "dogs").symlink_to(folder / "dog")
        with pytest.raises(ValueError, match=r"cat/dogs links to .*dog, which .*dog holds as well: .*two labels; remove"):
            ImageFolder(folder)
        (folder / "cat" / "dogs").unlink()
        other = tmp_path_factory.mktemp("shared")
        for name in ("cat", "dog"):
            (folder / name / "shared").symlink_to(other)
        with pytest.raises(ValueError, match=r"dog/shared links to .*, which .*cat holds as well"):
            ImageFolder(folder)
        (folder / "puppy").symlink_to(folder / "dog")
        with pytest.raises(ValueError, match=r"dog and .*puppy are the same folder"):
            ImageFolder(folder)

    def test_no_real_folder_is_read_twice(self, folder, monkeypatch):
        (folder / "cat" / "up").symlink_to(folder)
        read, walk = [], os.walk

        def noted(top, **how):
            for step in walk(top, **how):
                read.append(os.path.realpath(step[0]))
                yield step

        monkeypatch.setattr(os, "walk", noted)
        files_below([str(folder / "cat"), str(folder / "dog")], frozenset([".jpg"]))
        assert sorted(read) == [str(folder / "cat"), str(folder / "cat/deep"), str(folder / "dog")]


def test_a_folder_that_may_not_be_read_is_an_error(folder, monkeypatch):
    scandir = os.scandir  # root may read anything, so that the system call is made to refuse

    def refuse(path="."):
        if str(path).endswith("deep"):
            raise PermissionError(13, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)
    with pytest.raises(PermissionError, match="deep"):
        ImageFolder(folder)


class TestNumericLabels:
    @pytest.fixture
    def table(self, tmp_path):
        def table(cells, **arguments):
            put(tmp_path / "a.jpg")
            lines = ["path,label", *(f"a.jpg,{cell}" for cell in cells)]
            (tmp_path / "t.csv").write_text("\n".join(lines))
            return ImageCsv(tmp_path / "t.csv", labels="label", **arguments)

        return table

    def test_stand_for_themselves(self, table):
        cells = [11, 0, 2, 10, 1, 3, 4, 5, 6, 7, 8, 9, 2]
        data = table(cells)
        assert data.column("label").tolist() == cells
        assert data.classes == {"label": [str(k) for k in range(12)]}
        assert data.encoded(0)["labels"] == {"label": 11}

    def test_that_pandas_wrote_as_floats(self, table):
        assert table(["10.0", "2.0", *(f"{k}.0" for k in range(10)), ""], unknown=-1).column("label").tolist() == [
            10, 2, *range(10), -1,
        ]  # fmt: skip

    @pytest.mark.parametrize("cells", [[1, 2, 3], [0, 2], [-1, 0, 1], [0.5, 1.5], [7]])
    def test_with_holes_could_be_read_in_two_ways(self, table, cells):
        with pytest.raises(ValueError, match=r"t.csv: column 'label' holds .* not all of 0 to n - 1.*range\(.*numeric='label'"):
            table(cells)
        named = table(cells, classes={"label": [str(cell) for cell in cells]})
        assert named.column("label").tolist() == list(range(len(cells)))

    def test_that_are_class_numbers_may_lack_some(self, table):
        data = table(["3", "7.0", "03"], classes={"label": range(10)})
        assert data.column("label").tolist() == [3, 7, 3]
        assert data.classes == {"label": list(range(10))}
        assert table(["3", "7.0", "03"], classes={"label": np.arange(10)}).column("label").tolist() == [3, 7, 3]
        with pytest.raises(ValueError, match="row 2: label='12' is not among its 10 classes 0, 1, 2"):
            table([12], classes={"label": range(10)})

    def test_written_in_two_ways(self, table):
        with pytest.raises(ValueError, match=r"column 'label' writes one number as 1.0 and 1|1 and 1.0"):
            table(["0", "1", "1.0"])

    @pytest.mark.parametrize("cells", [["b", "a", "10"], ["nan", "1"], ["1_0", "2"], ["inf", "0"]])
    def test_names_are_sorted_as_text(self, table, cells):
        assert table(cells).classes == {"label": sorted(cells)}


def test_the_transform_decides_the_road_when_it_is_set(folder):
    data = ImageFolder(folder)
    assert data.encoded(0) == data.samples[0]
    data.transform = lambda image: image[:8, :8]
    assert data.encoded is None
    assert data[0][0].shape == (8, 8, 3)
    assert next(iter(DataLoader(data, 5, device="cpu")))[0].shape == (5, 3, 8, 8)
    data.transform = None
    assert data.encoded(0) == data.samples[0]
    with pytest.raises(TypeError, match="transform must be callable, got int"):
        data.transform = 3
    assert next(iter(DataLoader(data, 5, device="cpu")))[0].shape == (5, 3, 30, 40)


def test_a_long_walk_says_how_far_it_is(tmp_path, monkeypatch, caplog):
    for i in range(3):
        path = tmp_path / "a" / str(i) / "x.png"
        path.parent.mkdir(parents=True)
        path.touch()
    monkeypatch.setattr(scan, "SILENCE", -1.0)
    with caplog.at_level("INFO", logger="gpuaug.scan"):
        files_below([str(tmp_path / "a")], {".png"})
    assert [record.getMessage().split(": ")[1] for record in caplog.records] == [f"{n} files so far" for n in (0, 1, 2, 3)]
