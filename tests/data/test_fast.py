"""decode="fast": JPEGs at 1/2, 1/4 and 1/8, against Pillow's scaled decoding followed by SciPy's interpolation at places computed
by hand; and everything that is not scaled, against decode="exact"."""

from __future__ import annotations

import io
import struct
import subprocess
import sys

import cv2
import numpy as np
import pytest
import torch
from PIL import Image, ImageOps
from scipy import ndimage

import gpuaug as G
from gpuaug.data import decode, foresight, headers, quick, turbo
from gpuaug.photographs import photographs

pytest.importorskip("nvidia.dali")
PHOTOS = [photo for _, photo in sorted(photographs().items())]
pytestmark = pytest.mark.usefixtures("small_batches")
SAMPLINGS = {"4:4:4": 0, "4:2:2": 1, "4:2:0": 2, "gray": None}


def jpeg(number: int, size=(203, 309), sampling="4:2:0", turn=1, progressive=False, mode=None) -> bytes:
    """A photograph; sizes that no scale divides, so that the last columns and lines are partly there."""
    height, width = size
    image, exif, file = Image.fromarray(PHOTOS[number % len(PHOTOS)]).resize((width, height)), Image.Exif(), io.BytesIO()
    exif[0x112] = turn
    if sampling == "gray" or mode:
        image = image.convert(mode or "L")
    more = {} if sampling == "gray" or mode else {"subsampling": SAMPLINGS[sampling]}
    image.save(file, "JPEG", quality=92, exif=exif, progressive=progressive, **more)
    return file.getvalue()


def drafted(file: bytes, scale: int) -> np.ndarray:
    """libjpeg's scaled image by Pillow, upright."""
    image = Image.open(io.BytesIO(file))
    width, height = image.size
    image.draft(None, (width // scale, height // scale))
    assert image.size == (-(-width // scale), -(-height // scale))
    return np.asarray(ImageOps.exif_transpose(image).convert("RGB"))


class Files(torch.utils.data.Dataset):
    thread_safe = True

    def __init__(self, files, marks=False):
        self.files, self.marks = files, marks

    def __len__(self):
        return len(self.files)

    def __getitem__(self, i):
        if not self.marks:
            return self.files[i], i
        height, width = headers.read_header(self.files[i]).upright
        mask = (np.add.outer(np.arange(height) // 20, np.arange(width) // 30) % 3).astype(np.uint8)
        boxes, points = [[5, 6, width - 9, height - 20]], [[width / 3, height / 2]]
        return {"image": self.files[i], "mask": mask, "bboxes": boxes, "labels": [i], "keypoints": points}


def load(data, steps, how="fast", epochs=1, **more) -> tuple[list, G.DataLoader]:
    params = {}
    if getattr(data, "marks", False):
        points = G.KeypointParams("xy", remove_invisible=False)
        params = {"bbox_params": G.BboxParams("pascal_voc", ["labels"]), "keypoint_params": points}
    more = {"batch_size": 5, "num_workers": 2, "seed": 4, "device": "cpu", "decode": how, **more}
    transform = steps if isinstance(steps, G.Compose) else G.Compose(steps, seed=5, **params)
    loader = G.DataLoader(data, transform=transform, **more)
    return [batch for _ in range(epochs) for batch in loader], loader


def images(batches) -> np.ndarray:
    return torch.cat([batch["image"] if isinstance(batch, dict) else batch[0] for batch in batches]).numpy()


def same(a, b) -> None:
    if isinstance(a, torch.Tensor):
        assert torch.equal(a, b)
    elif isinstance(a, dict):
        assert a.keys() == b.keys()
        for name in a:
            same(a[name], b[name])
    elif isinstance(a, (list, tuple)):
        assert len(a) == len(b)
        for x, y in zip(a, b):
            same(x, y)
    else:
        np.testing.assert_array_equal(a, b)


def blended(scaled: np.ndarray, x: np.ndarray, y: np.ndarray, scale: int, turn: int, size, mode="nearest", fill=0) -> np.ndarray:
    """Linear interpolation of an upright scaled image at places in the whole one, whose pixels' centres are whole numbers."""
    # libjpeg rounds the size up: where the file was turned, what is too much lies at the upright image's start
    over = [scaled.shape[k] - size[k] / scale if turn in axis else 0 for k, axis in enumerate(((3, 4, 7, 8), (2, 3, 6, 7)))]
    at = [(y + 0.5) / scale - 0.5 + over[0], (x + 0.5) / scale - 0.5 + over[1]]
    planes = [ndimage.map_coordinates(scaled[..., c].astype(float), at, order=1, mode=mode, cval=fill) for c in range(3)]
    return np.stack(planes)


@pytest.mark.parametrize("progressive", [False, True], ids=["baseline", "progressive"])
@pytest.mark.parametrize("sampling", SAMPLINGS)
def test_crops_that_are_resized(sampling, progressive):
    """Each of the scales, every orientation, flipped before and behind the crop."""
    files = [jpeg(i, (203 + i, 309 - i), sampling, 1 + i % 8, progressive) for i in range(24)]
    side, seen = 19, set()
    for before in (False, True):
        flip = [G.HorizontalFlip(p=1), G.VerticalFlip(p=1)] if before else []
        steps = [*flip, G.RandomResizedCrop((side, side), scale=(0.02, 1)), G.HorizontalFlip(p=0 if before else 1)]
        got, loader = load(Files(files), steps)
        sizes = [headers.read_header(file).upright for file in files]
        for i, (file, size, image) in enumerate(zip(files, sizes, images(got))):
            (of,) = (p for name, p, _ in loader.transform.params([i], size=size)[0] if name == "RandomResizedCrop")
            x0, y0, x1, y1 = of["crop_coords"]
            step = (x1 - x0) / side, (y1 - y0) / side
            scale = next((k for k in (8, 4, 2) if min(step) >= k), 1)
            seen.add(scale)
            if scale == 1:
                continue
            x, y = np.meshgrid(x0 + (np.arange(side) + 0.5) * step[0] - 0.5, y0 + (np.arange(side) + 0.5) * step[1] - 0.5)
            if before:  # places in the image that was turned
                x, y = size[1] - 1 - x, size[0] - 1 - y
            else:
                x, y = x[:, ::-1], y[:, ::-1]
            want = blended(drafted(file, scale), x, y, scale, 1 + i % 8, size)
            assert np.abs(image - want).max() <= 1.01, (i, scale)  # OpenCV's weights have 11 bits, and halves
        told = loader.stats()
        assert sum(told["scaled"].values()) > 12
        assert told["decoded"] < 0.2
    assert seen >= {2, 4, 8}


MEANS = {
    "area": ({"interpolation": 3}, lambda image, side: cv2.resize(image, (side, side), interpolation=cv2.INTER_AREA)),
    "linear": ({"antialias": True}, lambda image, side: antialiased(image, side, "bilinear")),
    "cubic": ({"interpolation": 2, "antialias": True}, lambda image, side: antialiased(image, side, "bicubic")),
}


def antialiased(image: np.ndarray, side: int, mode: str) -> np.ndarray:
    tensor = torch.from_numpy(np.ascontiguousarray(image)).permute(2, 0, 1)[None].float()
    scaled = torch.nn.functional.interpolate(tensor, (side, side), mode=mode, antialias=True)
    return scaled[0].permute(1, 2, 0).clamp(0, 255).numpy()


@pytest.mark.parametrize("turned", [False, True], ids=["upright", "turned"])
@pytest.mark.parametrize("kind", MEANS)
def test_means_over_what_scaled_pixels_stand_for(kind, turned):
    """OpenCV's and torch's resize of the scaled image, each of whose pixels is as many as it stands for."""
    how, resized = MEANS[kind]
    turns = [1 + i % 8 for i in range(24)]
    files = [jpeg(i, (203 + i, 309 - i), turn=turn) for i, turn in enumerate(turns)]
    side, seen = 21, set()
    flip = [G.HorizontalFlip(p=1), G.Transpose(p=1)] if turned else []
    got, loader = load(Files(files), [*flip, G.RandomResizedCrop((side, side), scale=(0.05, 1), **how), G.Normalize()])
    back = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])
    for i, (file, turn, image) in enumerate(zip(files, turns, images(got))):
        size = headers.read_header(file).upright
        (of,) = (p for name, p, _ in loader.transform.params([i], size=size)[0] if name == "RandomResizedCrop")
        x0, y0, x1, y1 = of["crop_coords"]
        scale = next((k for k in (8, 4, 2) if min(x1 - x0, y1 - y0) >= k * side), 1)
        seen.add(scale)
        if scale == 1:
            continue
        large = drafted(file, scale).repeat(scale, 0).repeat(scale, 1)
        top, left = (0 if turn not in axis else large.shape[k] - size[k] for k, axis in enumerate(((3, 4, 7, 8), (2, 3, 6, 7))))
        large = large[top : top + size[0], left : left + size[1]]
        large = large[:, ::-1].transpose(1, 0, 2) if turned else large
        want = resized(np.ascontiguousarray(large[y0:y1, x0:x1]), side)
        image = (image.transpose(1, 2, 0) * back[1] + back[0]) * 255
        assert np.abs(image - want).max() <= 1.02, (i, scale)
    assert seen >= {2, 4, 8}
    assert sum(loader.stats()["scaled"].values()) > 15


@pytest.mark.parametrize("border", [0, 1])
@pytest.mark.parametrize("turn", range(1, 9))
def test_rotations_and_perspectives(turn, border):
    """By the places that the whole image's map has (others' tests compare these with albumentations')."""
    files = [jpeg(i, (203, 309 + i), turn=turn) for i in range(8)]
    zoom = G.Affine(scale=(0.1, 0.4), rotate=(-40, 40), shear=(-10, 10), p=1, border_mode=border, fill=60)
    perspective = [G.Perspective(scale=(0.02, 0.06), p=1, border_mode=border, fill=60)] if turn % 2 else []
    compose = G.Compose([zoom, *perspective, G.CenterCrop(60, 60)], seed=5, lazy=True)  # one map of both
    got, loader = load(Files(files), compose)
    scaled = sum(loader.stats()["scaled"].values())
    assert scaled >= 6
    for i, (file, image) in enumerate(zip(files, images(got))):
        size = np.array([headers.read_header(file).upright])
        drawn = loader.transform.draw(size, ids=[i])
        maps = [step for step in drawn.steps if type(step.transform).__name__ != "CenterCrop"]
        reach = loader.transform.reach(size, ids=[i])
        reach.shrink(np.ones(1, bool), np.array([turn]))
        scale = int(reach.scale[0])
        if scale == 1:
            continue
        top, left = (size[0] - 60) // 2
        x, y = np.meshgrid(left + np.arange(60.0), top + np.arange(60.0))
        points = np.stack([x.ravel(), y.ravel()], 1)
        for step in reversed(maps):
            points = step.transform.map(step.params, size).source(np.zeros(len(points), np.int64), points)
        x, y = points.T.reshape(2, 60, 60)
        mode = "grid-constant" if border == 0 else "nearest"
        want = blended(drafted(file, scale), x, y, scale, turn, size[0], mode, 60)
        off = np.abs(image - want)
        assert np.percentile(off, 99) <= 4, (i, scale)  # weights of 5 bits: a sixteenth of a step between pixels
        assert off.mean() < 0.7


PLAIN = {
    "views": lambda: [G.RandomCrop(64, 64), G.HorizontalFlip()],
    "cubic without antialias": lambda: [G.Resize(40, 40, interpolation=2)],
    "Lanczos": lambda: [G.Resize(40, 40, interpolation=4)],
    "nearest": lambda: [G.Resize(40, 40, interpolation=0)],
    "smaller steps than two": lambda: [G.RandomResizedCrop((120, 120), scale=(0.3, 0.5))],
    "larger": lambda: [G.Affine(scale=(1.5, 3), rotate=(-20, 20), p=1), G.CenterCrop(50, 50)],
    "read once more": lambda: [G.OneOf([G.GaussianBlur((3, 5)), G.CLAHE()], p=1), G.Resize(40, 40)],
    "another map": lambda: [G.ElasticTransform(p=1), G.Resize(40, 40)],
}


@pytest.mark.parametrize("name", PLAIN)
def test_what_needs_all_pixels_gets_them(name):
    kinds = [*SAMPLINGS] * 2
    data = Files([jpeg(i, (203 - i, 309), kinds[i % 4 - 1], 1 + i % 8, i % 3 == 1) for i in range(16)])
    got, loader = load(data, PLAIN[name]())
    same(got, load(data, PLAIN[name](), "exact")[0])
    assert sum(loader.stats()["scaled"].values()) == 0


def others() -> list[bytes]:
    """JPEGs of four colours and formats that are none, each kind between JPEGs that are scaled."""
    made = []
    for i, form in enumerate(("CMYK", "PNG", "WEBP", "TIFF", "GIF", "BMP", "PNG 16")):
        file = io.BytesIO()
        image = Image.fromarray(PHOTOS[i % len(PHOTOS)]).resize((300, 200))
        if form == "CMYK":
            image.convert("CMYK").save(file, "JPEG")
        elif form == "PNG 16":
            Image.fromarray(np.asarray(image.convert("L")).astype(np.uint16) * 257).save(file, "PNG")
        else:
            image.save(file, form)
        made += [file.getvalue(), jpeg(i, turn=1 + i)]
    return made


@pytest.mark.parametrize("batch_size", [1, 3, 14])
def test_other_files_are_as_exact(batch_size):
    data, steps = Files(others()), lambda: [G.Resize(30, 40)]
    got, loader = load(data, steps(), batch_size=batch_size)
    want, _ = load(data, steps(), "exact", batch_size=batch_size)
    got, want = images(got), images(want)
    np.testing.assert_array_equal(got[::2], want[::2])
    assert all((a != b).any() for a, b in zip(got[1::2], want[1::2]))
    assert loader.stats()["scaled"] == {"1/2": 0, "1/4": 7, "1/8": 0}


def test_masks_boxes_and_points_are_those_of_exact():
    data = Files([jpeg(i, (203 + i, 309), turn=1 + i % 8) for i in range(16)], marks=True)
    steps = lambda: [G.HorizontalFlip(), G.RandomResizedCrop((24, 24), scale=(0.2, 1)), G.Affine(rotate=(-9, 9))]  # noqa: E731
    got, loader = load(data, steps(), epochs=2)
    want, _ = load(data, steps(), "exact", epochs=2)
    assert sum(loader.stats()["scaled"].values()) == 32
    assert (images(got) != images(want)).any()
    for a, b in zip(got, want):
        a.pop("image"), b.pop("image")
        same(a, b)


@pytest.mark.parametrize("policy", ["skip", "replace"])
@pytest.mark.parametrize("at", [0.2, 0.9])
def test_bad_files_are_those_of_exact(policy, at):
    """Cut off in front of and behind what is read; the same are bad in every epoch, and stand in for each other."""
    files = [jpeg(i, turn=1 + i % 8) for i in range(16)]
    for i in (2, 3, 11):
        files[i] = files[i][: int(len(files[i]) * at)]
    steps = lambda: [G.Crop(0, 0, 200, 60), G.Resize(20, 20)]  # noqa: E731
    more = {"on_error": policy, "epochs": 2, "shuffle": True}
    got, loader = load(Files(files), steps(), **more)
    want, exact = load(Files(files), steps(), "exact", **more)
    assert [each.index for each in loader.errors] == [each.index for each in exact.errors]
    assert {each.index for each in loader.errors} == {2, 3, 11}
    assert [len(batch[0]) for batch in got] == [len(batch[0]) for batch in want]
    same([batch[1] for batch in got], [batch[1] for batch in want])
    assert np.abs(images(got).astype(int) - images(want)).mean() < 8
    assert sum(loader.stats()["scaled"].values()) >= 26


def test_a_file_that_libjpeg_warns_of_is_decoded_as_exact():
    """Bytes between the last block and the end: DALI reads over them."""
    files = [jpeg(i) for i in range(6)]
    files[2] = files[2][:-2] + b"\0\0\0\0" + files[2][-2:]
    steps = lambda: [G.Resize(30, 40)]  # noqa: E731
    with pytest.raises(ValueError, match="extraneous bytes"):
        turbo.Scaler().decode(
            np.frombuffer(files[2], np.uint8), 1, (0, 0, 203, 309), np.empty((203, 309, 3), np.uint8), (203, 309)
        )
    got, loader = load(Files(files), steps(), epochs=2)
    want, _ = load(Files(files), steps(), "exact", epochs=2)
    assert loader.errors == []
    got, want = images(got), images(want)
    differ = [bool((a != b).any()) for a, b in zip(got, want)]
    assert differ == [True, True, not (got[2] == want[2]).all(), True, True, True] * 2


def test_a_damaged_file_has_the_pixels_of_the_whole_in_every_window():
    """Scans of a progressive file that end early: what is blended for them depends on what is decoded."""
    files = []
    for at in (993, 3808, 12217):
        file = jpeg(1, progressive=True)
        files.append(file[:at] + b"\xff\xd9" + file[at + 2 :])
    for how in ("fast", "exact"):
        got, loader = load(Files(files), [G.Crop(45, 37, 141, 101)], how)
        for image, file in zip(images(got), files, strict=True):
            whole = decode.Decoder(["image"], 1, 1)
            whole.feed({"image": [np.frombuffer(file, np.uint8)]})
            want = np.array(whole.take()["image"][0])[37:101, 45:141]
            np.testing.assert_array_equal(image.transpose(1, 2, 0), want)
        assert loader.stats()["decoded"] < 1


def exif(order: str, *entries: tuple[int, int, int, bytes]) -> bytes:
    """A segment of a JPEG with these entries: tag, type, number of values, four bytes."""
    block = struct.pack(order + "HIH", 42, 8, len(entries))
    for tag, kind, count, value in entries:
        block += struct.pack(order + "HHI", tag, kind, count) + value
    data = b"Exif\0\0" + {"<": b"II", ">": b"MM"}[order] + block + bytes(4)
    return b"\xff\xe1" + struct.pack(">H", len(data) + 2) + data


def oddly_turned() -> dict[str, bytes]:
    short = {order: [struct.pack(order + "HH", turn, 0) for turn in range(9)] for order in "<>"}
    wide = {order: [struct.pack(order + "I", turn) for turn in range(9)] for order in "<>"}
    once = [exif("<", (0x112, 3, 1, short["<"][turn])) for turn in range(9)]
    made = {f"blocks with turns {a} and {b}": once[a] + once[b] for a, b in ((6, 3), (8, 1), (3, 6), (2, 4), (5, 7))}
    for order in "<>":
        made |= {f"{order} four bytes, {turn}": exif(order, (0x112, 4, 1, wide[order][turn])) for turn in (3, 6)}
        made |= {f"{order} {n} values": exif(order, (0x112, 3, n, short[order][3])) for n in (0, 2)}
        made[f"{order} twice"] = exif(order, (0x112, 3, 1, short[order][3]), (0x112, 3, 1, short[order][6]))
        far = (0x10F, 2, 500, wide[order][8])  # beyond the end
        made[f"{order} text outside"] = exif(order, far, (0x112, 3, 1, short[order][6]))
        made[f"{order} type 99"] = exif(order, (0x10F, 99, 1, bytes(4)), (0x112, 3, 1, short[order][6]))
    return made


@pytest.mark.filterwarnings("ignore:.*EXIF:UserWarning", "ignore:.*Tag data:UserWarning", "ignore:Truncated:UserWarning")
@pytest.mark.parametrize("how", ["exact", "fast"])
@pytest.mark.parametrize("planned", [True, False])
def test_turned_as_pillow_does_whatever_the_exif_data(how, planned, monkeypatch):
    """DALI reads orientations of any type, of the last block, and writes beyond its memory where two of them disagree."""
    if not planned:
        monkeypatch.setattr(foresight, "WORTH", 10**9)
    odd = oddly_turned()
    plain = io.BytesIO()
    Image.fromarray(PHOTOS[0]).resize((60, 40)).save(plain, "JPEG")
    files = {name: plain.getvalue()[:2] + block + plain.getvalue()[2:] for name, block in odd.items()}
    got, _ = load(Files(list(files.values())), [G.Crop(3, 5, 30, 35)], how, batch_size=7)
    for name, image in zip(files, images(got), strict=True):
        want = np.asarray(ImageOps.exif_transpose(Image.open(io.BytesIO(files[name]))))[5:35, 3:30]
        np.testing.assert_array_equal(image.transpose(1, 2, 0), want, err_msg=name)


def test_a_decoder_that_fails_in_the_middle(monkeypatch):
    """Whatever libjpeg-turbo refuses is decoded as without it: nothing is lost, and no batch."""
    real, turn = turbo.Scaler.decode, iter(range(10_000))

    def refuse(self, *given):
        if next(turn) % 3 == 1:
            raise ValueError("no")
        return real(self, *given)

    monkeypatch.setattr(quick.Scaler, "decode", refuse)
    data, steps = Files([jpeg(i, turn=1 + i % 8) for i in range(15)]), lambda: [G.RandomResizedCrop((24, 24), scale=(0.3, 1))]
    got, loader = load(data, steps(), epochs=3)
    want, _ = load(data, steps(), "exact", epochs=3)
    assert 0 < sum(loader.stats()["scaled"].values()) < 45
    equal = [(a == b).all() for a, b in zip(images(got), images(want))]
    assert sum(equal) == 45 - sum(loader.stats()["scaled"].values())
    monkeypatch.setattr(decode, "Decoder", lambda *of: (_ for _ in ()).throw(ImportError("no DALI")))
    got, _ = load(data, steps(), epochs=1)  # Pillow in its place
    assert np.abs(images(got).astype(int) - images(want)[:15]).mean() < 8


def test_the_draw_and_the_order_decide_alone():
    """Batch size, workers and where an epoch is continued change no pixel."""
    data = Files([jpeg(i, (203 + i, 309), turn=1 + i % 8) for i in range(17)])
    steps = lambda: [G.RandomResizedCrop((30, 30)), G.HorizontalFlip()]  # noqa: E731
    want, _ = load(data, steps(), shuffle=True)
    for how in ({"batch_size": 17}, {"batch_size": 2, "num_workers": 1}, {"batch_size": 3, "num_workers": 4}):
        np.testing.assert_array_equal(images(load(data, steps(), shuffle=True, **how)[0]), images(want))
    loader = G.DataLoader(data, 5, shuffle=True, seed=4, device="cpu", decode="fast", transform=G.Compose(steps(), seed=5))
    epoch = iter(loader)
    got, state = [next(epoch)], loader.state_dict()
    again = G.DataLoader(data, 5, shuffle=True, device="cpu", decode="fast", transform=G.Compose(steps(), seed=5))
    again.load_state_dict(state)
    same([*got, *again], want)


def test_it_is_told():
    compose = G.Compose([G.Resize(50, 50), G.Normalize()], seed=0)
    assert compose.explain((200, 200)).endswith("JPEGs of this size, with decode='fast': 64 of 64 at 1/4, 6% of the pixels")
    assert "fast" not in compose.explain((90, 90))
    _, loader = load(Files([jpeg(i) for i in range(3)]), [G.Resize(40, 40)])
    assert "JPEGs at a scale by libjpeg-turbo" in repr(loader)
    assert loader.stats()["scaled"] == {"1/2": 0, "1/4": 3, "1/8": 0}


def test_arguments():
    with pytest.raises(ValueError, match="decode must be one of exact, fast, got 'quick'"):
        G.DataLoader(Files([b""]), decode="quick")


def test_without_the_library(monkeypatch):
    monkeypatch.setattr(turbo, "_candidates", lambda: iter(["nowhere.so"]))
    turbo.library.cache_clear()
    try:
        with pytest.raises(ImportError, match=r"decode='fast' needs libturbojpeg 3.*pip install 'gpuaug\[fast\]'"):
            G.DataLoader(Files([b""]), decode="fast")
    finally:
        monkeypatch.undo()
        turbo.library.cache_clear()


def test_it_is_loaded_where_it_is_asked_for_alone():
    code = "import gpuaug, gpuaug.data.loader; print(gpuaug.data.turbo.library.cache_info().currsize)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "0\n"


class Pairs(Files):
    def __getitem__(self, i):
        return {"image": self.files[i], "image2": self.files[i]}


class Pixels(torch.utils.data.Dataset):
    def __len__(self):
        return 4

    def __getitem__(self, i):
        return np.zeros((80, 90, 3), np.uint8), i


@pytest.mark.parametrize(
    ("data", "transform", "why"),
    [
        (Pixels(), G.Compose([G.Resize(20, 20)]), "the dataset returns pixels"),
        (torch.utils.data.TensorDataset(torch.zeros(4, 3, 8, 8, dtype=torch.uint8)), None, "the dataset holds pixels"),
        (Files([jpeg(0, (50, 60))] * 4), None, "the transform is None"),
        (
            Pairs([jpeg(0)] * 4),
            G.Compose([G.Resize(20, 20)], additional_targets={"image2": "image"}),
            "samples have the images image, image2",
        ),
        (Files([jpeg(0)] * 4), G.Compose([G.ImageCompression(p=1), G.Resize(20, 20)]), "before it has seen pixels"),
    ],
    ids=["pixels", "memory", "no transform", "two images", "nobody knows"],
)
def test_where_it_changes_nothing_it_says_so(data, transform, why):
    how = {"targets": {"image": 0}} if transform is None and isinstance(data, Files) else {}
    loader = G.DataLoader(data, 1, device="cpu", decode="fast", transform=transform, **how)
    with pytest.warns(RuntimeWarning, match=f"decode='fast' decodes as 'exact' does here: .*{why}") as told:
        list(loader), list(loader)
    assert len([each for each in told if "decode=" in str(each.message)]) == 1
