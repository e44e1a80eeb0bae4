"""The datasets by themselves and under torch's DataLoader, on small copies of two photographs."""

import csv
import io
import json
import pickle
import tarfile
import time

import numpy as np
import pytest
import torch
import torchvision
from PIL import Image
from sklearn.datasets import load_sample_images
from torch.utils.data import DataLoader, Subset
from torchvision.transforms import v2

from gpuaug.data import (
    HuggingFace,
    ImageCsv,
    ImageFolder,
    SegmentationFolder,
    SpectrogramFolder,
    WebDataset,
)
from gpuaug.data.indexed import IndexedShards
from gpuaug.data.protocol import EncodedDataset
from gpuaug.data.samplers import ImbalancedSampler, stratified_split

CHINA, FLOWER = (Image.fromarray(photo).resize((64, 48)) for photo in load_sample_images().images)


def jpeg(image, **options):
    stream = io.BytesIO()
    image.save(stream, "JPEG", quality=90, **options)
    return stream.getvalue()


def png(image):
    stream = io.BytesIO()
    image.save(stream, "PNG")
    return stream.getvalue()


@pytest.fixture
def folder(tmp_path):
    for name, photo, count in (("temple", CHINA, 4), ("dahlia", FLOWER, 3)):
        for i in range(count):
            path = tmp_path / name / "deeper" / f"{i}.jpg" if i == 2 else tmp_path / name / f"{i}.jpg"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(jpeg(photo.rotate(90 * i)))
    (tmp_path / "temple" / "notes.txt").write_text("not an image")
    return tmp_path


class TestImageFolder:
    def test_equals_torchvision(self, folder):
        ours, theirs = ImageFolder(folder), torchvision.datasets.ImageFolder(folder)
        assert ours.samples == theirs.samples
        assert (ours.classes, ours.class_to_idx, ours.targets) == (theirs.classes, theirs.class_to_idx, theirs.targets)
        for (image, label), (expected, expected_label) in zip(ours, theirs, strict=True):
            np.testing.assert_array_equal(image, np.asarray(expected))
            assert label == expected_label

    def test_encoded_is_the_file(self, folder):
        data = ImageFolder(folder)
        assert isinstance(data, EncodedDataset)
        path, label = data.encoded(5)
        assert (path, label) == data.samples[5] == (data.path_of(5), 1)

    def test_a_host_transform_hides_the_files(self, folder):
        data = ImageFolder(folder, transform=lambda image: image[:8, :8])
        assert data[0][0].shape == (8, 8, 3)
        assert data.encoded is None

    def test_torch_loader_in_workers(self, folder):
        data = ImageFolder(folder, transform=v2.functional.to_image)
        alone = torch.stack([image for image, _ in data])
        loaded = torch.cat([images for images, _ in DataLoader(data, batch_size=3, num_workers=2)])
        assert torch.equal(loaded, alone)

    def test_shared_classes(self, folder, tmp_path):
        validation = tmp_path / "other" / "temple"
        validation.mkdir(parents=True)
        (validation / "a.jpg").write_bytes(jpeg(CHINA))
        train = ImageFolder(folder, classes=["dahlia", "temple", "other"])
        assert ImageFolder(tmp_path / "other", classes=train.classes).targets == [1]
        with pytest.raises(ValueError, match=r"folders that are not in classes: temple; add them to classes"):
            ImageFolder(tmp_path / "other", classes=["dahlia"])

    def test_errors(self, folder, tmp_path):
        with pytest.raises(FileNotFoundError, match=r"nowhere does not exist; give the folder"):
            ImageFolder(tmp_path / "nowhere")
        (tmp_path / "empty").mkdir()
        with pytest.raises(FileNotFoundError, match="layout is root/class/file"):
            ImageFolder(tmp_path / "empty")
        (tmp_path / "empty").rmdir()
        data = ImageFolder(folder)
        path = data.path_of(1)
        for broken, reason in (
            (b"", "cannot identify"),
            (jpeg(CHINA)[:400], ".*[Tt]runcated"),
            (b"<html>", "cannot identify"),
        ):
            with open(path, "wb") as file:
                file.write(broken)
            with pytest.raises(ValueError, match=f"sample 1: {path} cannot be decoded: {reason}.*on_error='skip'"):
                data[1]


class TestReading:
    """Odd files: what the host reads is upright RGB of 8 bits. The loader's own decoder is tested beside it."""

    @pytest.fixture
    def read(self, tmp_path):
        def read(data):
            (tmp_path / "class").mkdir(exist_ok=True)
            (tmp_path / "class" / "a.png").write_bytes(data)
            return ImageFolder(tmp_path)[0][0]

        return read

    def test_orientation(self, read):
        exif = Image.Exif()
        exif[0x0112] = 6  # to be shown turned by 90 degrees clockwise
        np.testing.assert_array_equal(read(jpeg(CHINA, exif=exif)), np.rot90(read(jpeg(CHINA)), -1))

    def test_palette_alpha_and_gray(self, read):
        palette = CHINA.quantize(16)
        np.testing.assert_array_equal(read(png(palette)), np.asarray(palette.convert("RGB")))
        transparent = CHINA.copy()
        transparent.putalpha(7)
        np.testing.assert_array_equal(read(png(transparent)), np.asarray(CHINA))
        gray = CHINA.convert("L")
        np.testing.assert_array_equal(read(png(gray)), np.repeat(np.asarray(gray)[..., None], 3, 2))

    def test_16_bits_are_scaled_not_clipped(self, read):
        gray = np.asarray(CHINA.convert("L"))
        wide = Image.fromarray(gray.astype(np.uint16) * 257)
        np.testing.assert_array_equal(read(png(wide))[..., 0], gray)

    def test_cmyk(self, read):
        mean = read(jpeg(CHINA.convert("CMYK"))).astype(float).mean()
        # an inverted reading would give about 255 - mean; JPEG moves the mean by less than a level
        assert mean == pytest.approx(np.asarray(CHINA, float).mean(), abs=1)


COLORS, SIZES = ["blue", "red", "teal"], ["L", "S"]


@pytest.fixture
def table(tmp_path):
    (tmp_path / "pictures").mkdir()
    rows = []
    for i in range(12):
        name = f"pictures/{i}.jpg"
        (tmp_path / name).write_bytes(jpeg((CHINA, FLOWER)[i % 2]))
        rows.append([name, COLORS[i % 3], SIZES[i % 2], f"{i / 4}", "free, text"])
    write_csv(tmp_path / "table.csv", [["path", "color", "size", "price", "note"], *rows])
    return tmp_path / "table.csv"


def write_csv(path, rows, **options):
    with open(path, "w", newline="", encoding=options.pop("encoding", "utf-8")) as file:
        csv.writer(file, **options).writerows(rows)


class TestImageCsv:
    def test_samples(self, table):
        data = ImageCsv(table, labels=["color", "size"], numeric="price")
        assert data.classes == {"color": COLORS, "size": SIZES}
        sample = data[5]
        assert sample["labels"] == {"color": 2, "size": 1, "price": 1.25}
        np.testing.assert_array_equal(sample["img"], np.asarray(Image.open(table.parent / "pictures/5.jpg")))
        assert data.encoded(5) == {**sample, "img": str(table.parent / "pictures/5.jpg")}
        assert ImageCsv(table).encoded(0) == {"img": str(table.parent / "pictures/0.jpg")}

    def test_torch_loader_keeps_the_structure(self, table):
        data = ImageCsv(table, labels=["color", "size"])
        batch = next(iter(DataLoader(data, batch_size=12)))
        assert batch["img"].shape == (12, 48, 64, 3)
        assert batch["labels"]["color"].tolist() == [0, 1, 2] * 4
        assert batch["labels"]["size"].dtype == torch.int64

    def test_split_and_samplers(self, table):
        data = ImageCsv(table, labels=["color", "size"])
        train, test = stratified_split(data, test_size=6, column="color")
        part = Subset(data, test)
        assert sorted(part[i]["labels"]["color"] for i in range(6)) == [0, 0, 1, 1, 2, 2]
        assert len(ImbalancedSampler(Subset(data, train), column=["color", "size"])) == 6

    def test_vocabulary_is_shared(self, table, tmp_path):
        train = ImageCsv(table, labels="color")
        write_csv(tmp_path / "val.csv", [["path", "color"], ["pictures/1.jpg", "teal"], ["pictures/2.jpg", "mauve"]])
        with pytest.raises(ValueError, match=r"val.csv, row 3: color='mauve' is not among its 3 classes blue, red, teal"):
            ImageCsv(tmp_path / "val.csv", labels="color", classes=train.classes)
        val = ImageCsv(tmp_path / "val.csv", labels="color", classes=train.classes, unknown=-1)
        assert val.column("color").tolist() == [2, -1]

    def test_missing_files_are_named_with_their_rows(self, table):
        for i in (3, 8):
            (table.parent / f"pictures/{i}.jpg").unlink()
        with pytest.raises(FileNotFoundError, match=r"2 of 12 files do not exist: row 5: .*3\.jpg; row 10: .*8\.jpg\. Paths"):
            ImageCsv(table, labels="color")
        kept = ImageCsv(table, labels="color", missing="skip")
        assert len(kept) == 10
        assert kept.column("color").tolist() == [i % 3 for i in range(12) if i not in (3, 8)]
        assert len(ImageCsv(table, missing="ignore")) == 12
        with pytest.raises(FileNotFoundError, match=r"sample 3 \(row 5 of .*table.csv\): .*3.jpg does not exist"):
            ImageCsv(table, missing="ignore")[3]

    def test_rows_are_numbered_as_an_editor_does(self, tmp_path):
        (tmp_path / "a.jpg").write_bytes(jpeg(CHINA))
        write_csv(tmp_path / "t.csv", [["path", "note"], ["a.jpg", "two\nlines"], [], ["b.jpg", ""]])
        with pytest.raises(FileNotFoundError, match=r"row 5: .*b\.jpg"):
            ImageCsv(tmp_path / "t.csv")

    def test_dialects(self, tmp_path):
        (tmp_path / "a.jpg").write_bytes(jpeg(CHINA))
        write_csv(tmp_path / "t.csv", [["path", "col;or"], ["a.jpg", "rosé"]], delimiter=";", encoding="utf-8-sig")
        assert ImageCsv(tmp_path / "t.csv", labels="col;or", delimiter=";").classes == {"col;or": ["rosé"]}

    @pytest.mark.parametrize(
        ("text", "arguments", "message"),
        [
            ("", {}, r"t.csv has no column path; its header is \[\]"),
            ("file\n", {}, r"t.csv has no column path; its header is \['file'\] \(delimiter=','\)"),
            ("path\n", {}, "has a header and no rows"),
            ("path,path\n", {}, "has path more than once"),
            ("path,a\nx.jpg,1,2\n", {}, "t.csv, row 2: 3 cells, the header has 2; quote"),
            ("path,a\n,1\n", {}, "no path in row 2; fill the cells"),
            ("path,a\nx.jpg,\n", {"labels": "a", "missing": "ignore"}, "row 2: a='' is not among its 0 classes"),
            ("path,a\nx.jpg,1e\n", {"numeric": "a", "missing": "ignore"}, "row 2: a='1e' is no number"),
            ("path,a\nx.jpg,1\n", {"classes": {"b": []}}, "classes names columns that are not in labels: b"),
            ("path,a\nx.jpg,1\n", {"labels": "a", "classes": {"a": ["1", "1"]}, "missing": "ignore"}, "has 1 more than once"),
            ("path,a\nx.jpg,1\n", {"missing": "maybe"}, 'missing must be "raise"'),
            (b"path,a\nx.jpg,\xe9\n", {}, "is not utf-8-sig: .*pass its encoding"),
        ],
    )
    def test_bad_tables(self, tmp_path, text, arguments, message):
        (tmp_path / "t.csv").write_bytes(text if isinstance(text, bytes) else text.encode())
        with pytest.raises((ValueError, FileNotFoundError), match=message):
            ImageCsv(tmp_path / "t.csv", **arguments)

    def test_40000_rows_in_two_seconds(self, tmp_path):
        (tmp_path / "a.jpg").write_bytes(jpeg(CHINA))
        rows = [["a.jpg", COLORS[i % 3], SIZES[i % 2], f"c{i % 700}", i] for i in range(40_000)]
        write_csv(tmp_path / "t.csv", [["path", "color", "size", "kind", "price"], *rows])
        start = time.process_time()
        data = ImageCsv(tmp_path / "t.csv", labels=["color", "size", "kind"], numeric="price")
        assert time.process_time() - start < 2  # 0.2 s on a 2 GHz core
        assert len(data) == 40_000
        assert len(pickle.dumps(data)) < 6e6, "workers are sent this"


class TestSegmentationFolder:
    @pytest.fixture
    def folders(self, tmp_path):
        self.masks = {}
        for i, photo in enumerate((CHINA, FLOWER)):
            for where in ("images/sub", "masks/sub"):
                (tmp_path / where).mkdir(parents=True, exist_ok=True)
            (tmp_path / f"images/sub/{i}.jpg").write_bytes(jpeg(photo))
            mask = photo.quantize(5)
            self.masks[i] = np.asarray(mask)
            (tmp_path / f"masks/sub/{i}_seg.png").write_bytes(png(mask))
        return tmp_path / "images", tmp_path / "masks"

    def test_pairs_by_name_and_keeps_palette_indices(self, folders):
        data = SegmentationFolder(*folders, mask_suffix="_seg")
        for i in range(2):
            sample = data[i]
            np.testing.assert_array_equal(sample["mask"], self.masks[i])
            assert sample["image"].shape == (48, 64, 3)
            assert {name: path[-9:] for name, path in data.encoded(i).items()} == {
                "image": f"sub/{i}.jpg",
                "mask": f"{i}_seg.png",
            }

    def test_unpaired_files_are_named(self, folders):
        with pytest.raises(FileNotFoundError, match=r"2 of 2 images have no mask .*0\.jpg, .*1\.jpg;.*pass mask_suffix"):
            SegmentationFolder(*folders)
        (folders[0] / "sub/1.jpg").unlink()
        with pytest.raises(FileNotFoundError, match=r"1 of 2 masks have no image .*1_seg\.png; add or remove the files$"):
            SegmentationFolder(*folders, mask_suffix="_seg")

    def test_bad_masks(self, folders):
        data = SegmentationFolder(*folders, mask_suffix="_seg")
        CHINA.save(data.pairs[0][1])
        with pytest.raises(ValueError, match=r"the mask .*0_seg.png has 3 channels; a mask has one"):
            SegmentationFolder(*folders, mask_suffix="_seg")
        CHINA.convert("L").resize((9, 7)).save(data.pairs[0][1])
        with pytest.raises(ValueError, match=r"0.jpg is 48 x 64 \(height x width\) but .*0_seg.png is 7 x 9"):
            data[0]
        (folders[1] / "sub/0_seg.bmp").write_bytes(b"")
        with pytest.raises(ValueError, match=r"0_seg.* and .*0_seg.* have the same name"):
            SegmentationFolder(*folders, mask_suffix="_seg")

    def test_16_bit_and_binary_masks(self, folders):
        data = SegmentationFolder(*folders, mask_suffix="_seg")
        wide = self.masks[0].astype(np.uint16) * 1000
        Image.fromarray(wide).save(data.pairs[0][1])
        with pytest.raises(ValueError, match=r"sample 0: .*_seg.png .*from 0 to [1-4]000, .* type was uint8 .* anew"):
            data[0]
        data = SegmentationFolder(*folders, mask_suffix="_seg")
        assert data[0]["mask"].dtype == np.int32
        np.testing.assert_array_equal(data[0]["mask"], wide)
        Image.fromarray(self.masks[0] > 2).save(data.pairs[0][1])
        np.testing.assert_array_equal(data[0]["mask"], self.masks[0] > 2)

    def test_orientation_is_that_of_the_image(self, folders):
        data = SegmentationFolder(*folders, mask_suffix="_seg")
        turned = Image.Exif()
        turned[0x0112] = 6
        CHINA.save(data.pairs[0][0], exif=turned)
        Image.fromarray(self.masks[0]).save(data.pairs[0][1], exif=turned)
        np.testing.assert_array_equal(data[0]["mask"], np.rot90(self.masks[0], -1))

    def test_albumentations_form_of_transform(self, folders):
        def crop(image, mask):
            return {"image": image[:5, :5], "mask": mask[:5, :5]}

        sample = SegmentationFolder(*folders, mask_suffix="_seg", transform=crop)[1]
        assert (sample["image"].shape, sample["mask"].shape) == ((5, 5, 3), (5, 5))


class TestSpectrogramFolder:
    @pytest.fixture
    def array(self):
        # real data of the shape in question: a photograph's channels in place of a spectrogram's
        return np.asarray(CHINA, np.float32).transpose(2, 0, 1) / 255 * 80 - 80

    @pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
    @pytest.mark.parametrize(("layout", "axes"), [("CHW", (0, 1, 2)), ("HWC", (1, 2, 0))])
    def test_layouts_and_dtypes(self, tmp_path, array, layout, axes, dtype):
        (tmp_path / "speech").mkdir()
        np.save(tmp_path / "speech" / "a.npy", array.transpose(axes).astype(dtype))
        spectrogram, label = SpectrogramFolder(tmp_path, layout=layout)[0]
        assert (spectrogram.shape, spectrogram.dtype, label) == ((3, 48, 64), torch.float32, 0)
        assert spectrogram.is_contiguous()
        np.testing.assert_array_equal(spectrogram, array.astype(dtype).astype(np.float32))

    def test_one_channel_without_labels(self, tmp_path, array):
        for i in range(3):
            np.save(tmp_path / f"{i}.npy", array[i])
        data = SpectrogramFolder(tmp_path, layout="HW")
        batch = next(iter(DataLoader(data, batch_size=3, num_workers=1)))
        np.testing.assert_array_equal(batch, array[:, None])

    def test_files_are_mapped_not_read(self, tmp_path, array, monkeypatch):
        np.save(tmp_path / "a.npy", array)
        seen, load = [], np.load
        monkeypatch.setattr(np, "load", lambda *args, **kwargs: seen.append(load(*args, **kwargs)) or seen[-1])
        SpectrogramFolder(tmp_path)[0]
        assert isinstance(seen[0], np.memmap)

    def test_pickles_are_refused_and_not_run(self, tmp_path):
        class Trap:
            def __reduce__(self):
                return (open, (str(tmp_path / "sprung"), "w"))

        np.save(tmp_path / "a.npy", np.array([Trap()], object), allow_pickle=True)
        (tmp_path / "b.npy").write_bytes(pickle.dumps(Trap()))
        data = SpectrogramFolder(tmp_path)
        for i, name in enumerate("ab"):
            with pytest.raises(ValueError, match=f"sample {i}: .*{name}.npy is no .npy file that can be memory-mapped.*save"):
                data[i]
        assert not (tmp_path / "sprung").exists()

    @pytest.mark.parametrize(
        ("content", "message"),
        [
            (b"", "is no .npy file"),
            (b"<html>", "is no .npy file"),
            ("truncated", "is no .npy file .*write the file anew"),
            (np.zeros((3, 4)), r"has shape \(3, 4\), layout='CHW' means 3 axes"),
            (np.zeros((1, 3, 4), np.int16), "holds int16; spectrograms are float16"),
            (np.zeros((2, 3, 4)), "has 2 channels, others have 3"),
        ],
    )
    def test_bad_files(self, tmp_path, array, content, message):
        np.save(tmp_path / "a.npy", array)
        if isinstance(content, np.ndarray):
            np.save(tmp_path / "b.npy", content)
        else:
            data = (tmp_path / "a.npy").read_bytes()[:5000] if content == "truncated" else content
            (tmp_path / "b.npy").write_bytes(data)
        data = SpectrogramFolder(tmp_path)
        data[0]
        with pytest.raises((ValueError, TypeError), match=f"sample 1: .*b.npy {message}"):
            data[1]

    def test_mixed_layout_of_folders(self, tmp_path, array):
        np.save(tmp_path / "a.npy", array)
        (tmp_path / "speech").mkdir()
        with pytest.raises(ValueError, match=r"has .npy files of its own, such as a.npy, and folders, such as speech"):
            SpectrogramFolder(tmp_path)


def write_shard(path, samples):
    with tarfile.open(path, "w") as tar:
        for name, content in samples:
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))


@pytest.fixture
def shards(tmp_path):
    for shard in range(4):
        members = []
        for i in range(5):
            number = shard * 5 + i
            members.append((f"{number:04}.jpg", jpeg((CHINA, FLOWER)[number % 2])))
            members.append((f"{number:04}.cls", str(number).encode()))
            members.append((f"{number:04}.json", json.dumps({"color": number % 3}).encode()))
            members.append((f"{number:04}.seg.png", png(CHINA.quantize(4))))
        write_shard(tmp_path / f"s-{shard}.tar", members)
    return str(tmp_path / "s-{0..3}.tar")


class TestWebDataset:
    @pytest.fixture(autouse=True)
    def package(self):
        pytest.importorskip("webdataset")

    def test_a_folder_is_its_tar_files(self, shards, tmp_path):
        (tmp_path / "notes.txt").write_text("no shard")
        want = [sample["key"] for sample in WebDataset(shards)]
        assert [sample["key"] for sample in WebDataset(str(tmp_path))] == want
        by_number = IndexedShards(tmp_path)
        assert [by_number.path_of(i) for i in range(len(by_number))] == want
        (tmp_path / "empty").mkdir()
        with pytest.raises(FileNotFoundError, match=r"empty: there is no file that ends in \.tar"):
            IndexedShards(tmp_path / "empty")

    def test_samples(self, shards):
        data = WebDataset(shards, mask="seg.png", fields={"label": "cls", "meta": "json"})
        samples = list(data)
        assert [s["label"] for s in samples] == list(range(20))
        assert samples[7]["meta"] == {"color": 1}
        assert samples[7]["key"] == shards.replace("{0..3}", "1") + "/0007"
        assert samples[7]["image"] == jpeg(FLOWER)
        decoded = list(WebDataset(shards, mask="seg.png", decode=True))[7]
        np.testing.assert_array_equal(decoded["image"], np.asarray(Image.open(io.BytesIO(jpeg(FLOWER)))))
        np.testing.assert_array_equal(decoded["mask"], np.asarray(CHINA.quantize(4)))

    @pytest.mark.parametrize("split", ["shard", "sample"])
    def test_workers_share_the_samples(self, shards, split):
        loader = DataLoader(WebDataset(shards, decode=True, split=split), batch_size=2, num_workers=2)
        batches = list(loader)
        assert sorted(label for b in batches for label in b["label"].tolist()) == list(range(20))
        assert batches[0]["image"].shape == (2, 48, 64, 3)

    def test_too_few_shards_for_the_readers(self, shards, monkeypatch):
        # not in real workers: torch takes 10 s to join them after an exception
        monkeypatch.setattr("gpuaug.data.shards._part", lambda: (1, 8))
        with pytest.raises(ValueError, match=r"4 shards cannot be split between 8 readers.*split=\"sample\""):
            list(WebDataset(shards))
        assert [s["label"] for s in WebDataset(shards, split="sample")] == [1, 9, 17]

    def test_shuffling_is_a_function_of_the_epoch(self, shards):
        def labels(epoch, **options):
            data = WebDataset(shards, shuffle=6, seed=3, **options)
            data.set_epoch(epoch)
            return [s["label"] for s in data]

        assert sorted(labels(0)) == list(range(20)) != labels(0)
        assert labels(0) == labels(0) != labels(1)

    def test_url_handlers(self, shards):
        data = WebDataset(f"pipe:cat {shards.replace('{0..3}', '2')}")
        assert [s["label"] for s in data] == [10, 11, 12, 13, 14]

    @pytest.mark.parametrize("name", ["/etc/0000.jpg", "../0000.jpg", "a/../../0000.jpg", "C:/0000.jpg", "..\\0000.jpg"])
    def test_members_outside_are_refused(self, tmp_path, name):
        write_shard(tmp_path / "bad.tar", [("ok.jpg", jpeg(CHINA)), ("ok.cls", b"1"), (name, jpeg(CHINA))])
        with pytest.raises(ValueError, match=r"bad.tar cannot be read \(ValueError\): member '.*' has an absolute path or"):
            list(WebDataset(str(tmp_path / "bad.tar")))

    @pytest.mark.parametrize(
        ("members", "arguments", "message"),
        [
            ([("a.jpg", b"x")], {}, r"bad.tar/a has none of cls for 'label'; it has jpg: say which"),
            ([("a.cls", b"1")], {}, r"bad.tar/a has none of jpg, jpeg, png, webp for 'image'; it has cls"),
            ([("a.jpg", b"x"), ("a.cls", b"one")], {}, "bad.tar/a: cls cannot be read as the field 'label'"),
            ([("a.jpg", b"x"), ("a.cls", b"1")], {"decode": True}, "bad.tar/a: an image of 1 bytes cannot be decoded"),
            ([("a.jpg", b"x"), ("a.jpg", b"x")], {}, r"bad.tar/a.* duplicate|duplicate file name"),
        ],
    )
    def test_bad_samples(self, tmp_path, members, arguments, message):
        write_shard(tmp_path / "bad.tar", members)
        with pytest.raises(ValueError, match=message):
            list(WebDataset(str(tmp_path / "bad.tar"), **arguments))

    def test_bad_shards(self, tmp_path):
        (tmp_path / "bad.tar").write_bytes(b"<html>" * 200)
        for name in ("bad", "absent"):
            with pytest.raises(ValueError, match=f"{name}.tar cannot be read"):
                list(WebDataset(str(tmp_path / f"{name}.tar")))
        write_shard(tmp_path / "cut.tar", [("a.jpg", jpeg(CHINA)), ("a.cls", b"1")])
        (tmp_path / "cut.tar").write_bytes((tmp_path / "cut.tar").read_bytes()[:1500])
        with pytest.raises(ValueError, match=r"cut.tar cannot be read .*unexpected end of data"):
            list(WebDataset(str(tmp_path / "cut.tar")))

    def test_arguments(self, shards):
        with pytest.raises(ValueError, match=r"fields\['label'\]='pyd' cannot be read; .*\(no pickles\)"):
            WebDataset(shards, fields={"label": "pyd"})
        with pytest.raises(ValueError, match="transform works on decoded images"):
            WebDataset(shards, transform=abs)
        with pytest.raises(TypeError, match="pass length="):
            len(WebDataset(shards))
        assert len(WebDataset(shards, length=20)) == 20


class TestHuggingFace:
    @pytest.fixture
    def split(self):
        datasets = pytest.importorskip("datasets")
        features = datasets.Features(
            {
                "photo": datasets.Image(),
                "label": datasets.ClassLabel(names=["temple", "dahlia"]),
                "note": datasets.Value("string"),
            }
        )
        rows = {
            "photo": [{"bytes": jpeg((CHINA, FLOWER)[i % 2]), "path": None} for i in range(6)],
            "label": [i % 2 for i in range(6)],
            "note": [f"n{i}" for i in range(6)],
        }
        return datasets.Dataset.from_dict(rows, features=features)

    def test_samples(self, split):
        data = HuggingFace(split, image="photo")
        assert data.encoded(3) == {"photo": jpeg(FLOWER), "label": 1, "note": "n3"}
        np.testing.assert_array_equal(data[3]["photo"], np.asarray(split[3]["photo"]))
        assert data.column("label").tolist() == [0, 1] * 3
        assert isinstance(data, EncodedDataset)
        assert len(ImbalancedSampler(data, column="label")) == 6

    def test_torch_loader_in_workers(self, split):
        data = HuggingFace(split, image="photo", columns="label")
        labels = [b["label"].tolist() for b in DataLoader(data, batch_size=3, num_workers=2)]
        assert labels == [[0, 1, 0], [1, 0, 1]]

    def test_files_stay_paths(self, tmp_path):
        datasets = pytest.importorskip("datasets")
        (tmp_path / "a.jpg").write_bytes(jpeg(CHINA))
        split = datasets.Dataset.from_dict({"image": [str(tmp_path / "a.jpg"), None]}).cast_column("image", datasets.Image())
        data = HuggingFace(split)
        assert data.encoded(0) == {"image": str(tmp_path / "a.jpg")}
        with pytest.raises(ValueError, match="row 1 of the split has no image in column 'image'"):
            data[1]

    def test_errors(self, split):
        datasets = pytest.importorskip("datasets")
        with pytest.raises(KeyError, match="the split has no column 'image'; it has"):
            HuggingFace(split)
        with pytest.raises(TypeError, match=r"column 'note' holds .*, not images; image columns are \['photo'\]"):
            HuggingFace(split, image="note")
        with pytest.raises(TypeError, match=r"got DatasetDict; pick a split"):
            HuggingFace(datasets.DatasetDict({"train": split}), image="photo")
        with pytest.raises(TypeError, match="without streaming"):
            HuggingFace(split.to_iterable_dataset(), image="photo")
