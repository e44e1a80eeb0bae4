"""Windows before decoding: batches are those of images decoded whole, to the bit, and less was decoded."""

from __future__ import annotations

import io

import numpy as np
import pytest
import torch
from PIL import Image

import gpuaug as G
from gpuaug.data import decode, foresight, headers, turbo
from gpuaug.data import loader as of_loader
from gpuaug.photographs import photographs
from gpuaug.reach import Reach

pytest.importorskip("nvidia.dali")
pytestmark = pytest.mark.usefixtures("small_batches")
N = 30
PHOTOS = [photo for _, photo in sorted(photographs().items())]


def encoded(i: int) -> bytes:
    """Photographs in many sizes, formats, samplings and orientations."""
    rng = np.random.default_rng(i)
    height, width = (int(side) for side in rng.integers(60, 260, 2))
    image, file, exif = Image.fromarray(PHOTOS[i % len(PHOTOS)]).resize((width, height)), io.BytesIO(), Image.Exif()
    exif[0x112] = i % 9 or 1
    kind = ("JPEG", "JPEG", "JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF")[i % 8]
    if i % 5 == 4:
        image = image.convert("L")
    more = {"subsampling": i % 3, "quality": 80, "progressive": i % 4 == 3} if kind == "JPEG" else {}
    image.save(file, kind, **({"exif": exif} if kind in ("JPEG", "PNG", "WEBP") and i % 2 else {}), **more)
    return file.getvalue()


class Pictures(torch.utils.data.Dataset):
    """Encoded images, with masks, boxes and points; `bad` ones are cut off in the middle of their pixels."""

    thread_safe = True

    def __init__(self, marks=False, bad=()):
        self.files, self.marks = [encoded(i) for i in range(N)], marks
        for i in bad:
            self.files[i] = self.files[i][: len(self.files[i]) // 5]

    def __len__(self):
        return N

    def __getitem__(self, i):
        if not self.marks:
            return self.files[i], i
        height, width = headers.read_header(self.files[i]).upright
        mask = np.add.outer(np.arange(height) // 20, np.arange(width) // 30) % 3
        return {"image": self.files[i], "mask": mask.astype(np.uint8), "bboxes": [[5, 6, width - 9, height - 20]], "labels": [i]}


class Stream(torch.utils.data.IterableDataset):
    yields_encoded = True

    def __iter__(self):
        pictures = Pictures()
        yield from (pictures[i] for i in range(N))


class Declared(Pictures):
    """Nothing is declared: workers are asked, and return bytes."""

    thread_safe = False


PIPELINES = {
    "RandomResizedCrop": lambda: [G.RandomResizedCrop((40, 40)), G.HorizontalFlip(), G.Normalize()],
    "one of crops": lambda: [
        G.OneOf([G.RandomCrop(40, 40), G.RandomResizedCrop((48, 44), scale=(0.05, 0.3)), G.Resize(60, 60)], p=0.8),
        G.Affine(scale=(1, 2), rotate=(-20, 20), p=0.5),
        G.RandomBrightnessContrast(),
        G.Resize(40, 40),
    ],
    "evaluation": lambda: [G.SmallestMaxSize(64), G.CenterCrop(56, 56), G.Normalize()],
    "antialiased": lambda: [G.RandomCrop(50, 50), G.Resize(40, 40, interpolation=3)],
    "nothing to gain": lambda: [G.GaussianBlur((3, 5), p=1), G.CLAHE(p=0.5), G.Resize(40, 40)],
    "nobody knows": lambda: [G.ImageCompression(p=0.5), G.RandomResizedCrop((40, 40))],
}


def batches(data, steps, windows=True, epochs=2, **how) -> tuple[list, G.DataLoader]:
    """What an epoch gives; windows=False: images are decoded whole."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        if not windows:
            monkeypatch.setattr(of_loader, "planner", lambda *of: None)
        params = {"bbox_params": G.BboxParams("pascal_voc", ["labels"])} if getattr(data, "marks", False) else {}
        how = {"shuffle": not isinstance(data, Stream), "num_workers": 2, "seed": 4, "device": "cpu", "batch_size": 7, **how}
        loader = G.DataLoader(data, transform=G.Compose(steps(), seed=5, **params), **how)
        return [batch for _ in range(epochs) for batch in loader], loader


def same(a, b) -> None:
    assert type(a) is type(b)
    if isinstance(a, torch.Tensor):
        assert torch.equal(a, b)
    elif isinstance(a, np.ndarray):
        np.testing.assert_array_equal(a, b)
    elif isinstance(a, dict):
        assert a.keys() == b.keys()
        for name in a:
            same(a[name], b[name])
    elif isinstance(a, (list, tuple)):
        assert len(a) == len(b)
        for x, y in zip(a, b):
            same(x, y)
    else:
        assert a == b


@pytest.mark.parametrize("name", PIPELINES)
@pytest.mark.parametrize("marks", [False, True], ids=["image", "with mask and boxes"])
def test_batches_are_those_of_whole_images(name, marks):
    """JPEG with all samplings, progressive too, PNG, WebP, BMP, TIFF and GIF; gray; every orientation."""
    got, loader = batches(Pictures(marks), PIPELINES[name])
    want, _ = batches(Pictures(marks), PIPELINES[name], windows=False)
    same(got, want)
    share = loader.stats()["decoded"]
    # TIFF, and GIF, which Pillow decodes, are a quarter of the files, and whole
    known = {"RandomResizedCrop": 0.65, "one of crops": 0.8, "evaluation": 0.95, "antialiased": 0.45}
    assert share <= known.get(name, 1.0), "less was decoded"
    assert (share == 1.0) == (name not in known)


@pytest.mark.parametrize(
    ("make", "how"),
    [
        (Stream, {}),
        (Declared, {}),
        (Pictures, {"batch_size": None}),
        (Pictures, {"collate_fn": lambda samples: (torch.stack([x for x, _ in samples]), [i for _, i in samples])}),
        (Pictures, {"batch_size": 1}),
        (Pictures, {"drop_last": True, "channels_last": True, "dtype": torch.float16}),
    ],
    ids=["stream", "workers", "single", "collate_fn", "ones", "dtype"],
)
def test_every_road(make, how):
    steps = PIPELINES["RandomResizedCrop"]
    got, loader = batches(make(), steps, **how)
    want, _ = batches(make(), steps, windows=False, **how)
    same(got, want)
    assert loader.stats()["decoded"] < 0.65


@pytest.mark.parametrize("policy", ["skip", "replace"])
def test_bad_files(policy):
    """Cut off before anything that is read; the same are bad, and stand in for each other."""
    bad, steps = (3, 8, 16), lambda: [G.RandomCrop(50, 50, p=0.9), G.Resize(40, 40), G.HorizontalFlip()]
    got, loader = batches(Pictures(bad=bad), steps, on_error=policy)
    want, whole = batches(Pictures(bad=bad), steps, windows=False, on_error=policy)
    assert {each.index for each in whole.errors} == set(bad)
    assert {each.index for each in loader.errors} == set(bad)
    same(got, want)


@pytest.mark.parametrize("policy", ["skip", "replace"])
def test_a_file_is_bad_whatever_its_window(policy):
    """Cut off behind all that is read of it: a bad sample in every epoch and batch, as if it had been decoded whole."""
    data, cut = Pictures(), [0, 1, 8, 17]
    for i in cut:
        assert data.files[i][:2] == b"\xff\xd8"
        data.files[i] = data.files[i][: len(data.files[i]) * 9 // 10]
    top = lambda: [G.Crop(0, 0, 40, 8), G.Resize(40, 40), G.HorizontalFlip()]  # noqa: E731
    got, loader = batches(data, top, on_error=policy)
    want, whole = batches(data, top, windows=False, on_error=policy)
    assert {each.index for each in loader.errors} == {each.index for each in whole.errors} == set(cut)
    same(got, want)
    assert loader.stats()["decoded"] < 0.6


def test_it_goes_on_where_it_was_left():
    steps = PIPELINES["RandomResizedCrop"]
    want, _ = batches(Pictures(), steps, epochs=1)
    loader = G.DataLoader(Pictures(), 7, shuffle=True, seed=4, num_workers=2, device="cpu", transform=G.Compose(steps(), seed=5))
    epoch = iter(loader)
    got = [next(epoch), next(epoch)]
    state = loader.state_dict()
    del epoch
    again = G.DataLoader(Pictures(), 7, shuffle=True, num_workers=2, device="cpu", transform=G.Compose(steps(), seed=5))
    again.load_state_dict(state)
    same([*got, *again], want)


def test_a_header_with_another_size_than_the_pixels(monkeypatch):
    """Were the orientation read otherwise than the decoder does, images would be decoded whole, and nothing be lost."""
    want, _ = batches(Pictures(), PIPELINES["one of crops"], windows=False)
    monkeypatch.setattr(headers.Header, "upright", property(lambda header: (header.height, header.width)))
    got, _ = batches(Pictures(), PIPELINES["one of crops"])
    same(got, want)


def test_a_decoder_that_refuses_windows(monkeypatch):
    """Each file by itself can be decoded, so that it must be the windows: then the epoch goes on without."""
    want, _ = batches(Pictures(), PIPELINES["RandomResizedCrop"], windows=False)
    take = decode.Decoder.take

    def refuse(self, stream=None):
        images = take(self, stream)
        if self.windows and self.capacity > 1:
            raise RuntimeError("no windows here")
        return images

    monkeypatch.setattr(decode.Decoder, "take", refuse)
    got, loader = batches(Pictures(), PIPELINES["RandomResizedCrop"])
    same(got, want)
    assert loader.errors == []


def test_without_dali(monkeypatch):
    monkeypatch.setattr(decode, "Decoder", lambda *of: (_ for _ in ()).throw(ImportError("no DALI")))
    got, loader = batches(Pictures(), PIPELINES["RandomResizedCrop"])
    want, _ = batches(Pictures(), PIPELINES["RandomResizedCrop"], windows=False)
    same(got, want)
    assert loader.stats()["decoded"] < 0.9, "JPEGs by libjpeg-turbo"
    monkeypatch.setattr(turbo, "is_there", lambda: False)
    got, loader = batches(Pictures(), PIPELINES["RandomResizedCrop"])
    same(got, want)
    assert loader.stats()["decoded"] == 1.0


@pytest.mark.parametrize("name", list(PIPELINES))
def test_dali_alone(name, monkeypatch):
    """Where libjpeg-turbo is not installed, DALI decodes the same windows to the same bits."""
    got, quick = batches(Pictures(), PIPELINES[name])
    monkeypatch.setattr(turbo, "is_there", lambda: False)
    want, slow = batches(Pictures(), PIPELINES[name])
    same(got, want)
    assert quick.stats()["decoded"] == slow.stats()["decoded"]


def test_a_pipeline_that_changes_in_the_middle():
    """p: what was drawn already stays. What windows depend on: an error that says what to do, and no other pixels."""
    crop, flip = G.RandomCrop(40, 40), G.HorizontalFlip()
    loader = G.DataLoader(Pictures(), 3, device="cpu", num_workers=2, transform=G.Compose([crop, flip], seed=5))
    want, seen = [image for image, _ in loader], []
    loader.set_epoch(0)
    for image, _ in loader:
        seen.append(image)
        flip.p = 0.0
    assert torch.equal(seen[0], want[0])
    assert not torch.equal(torch.cat(seen), torch.cat(want))
    affine = G.Affine(scale=(3, 3), rotate=(5, 5), p=1)
    loader = G.DataLoader(Pictures(), 3, device="cpu", num_workers=2, transform=G.Compose([affine, G.Resize(40, 40)], seed=5))

    def train():
        for _ in loader:
            affine.interpolation = 2

    with pytest.raises(RuntimeError, match="change it between epochs"):
        train()


def test_nobody_is_asked_for_ever(monkeypatch):
    asked, real = [], G.Compose.reach
    monkeypatch.setattr(G.Compose, "reach", lambda *of, **how: (asked.append(1), real(*of, **how))[1])
    batches(Pictures(), lambda: [G.ImageCompression(p=1), G.RandomResizedCrop((40, 40))], epochs=1, batch_size=2)
    assert len(asked) == foresight.TRIES


def test_small_batches_are_decoded_whole(monkeypatch):
    """Of less than WORTH pixels; larger ones of the same loader are planned."""
    monkeypatch.setattr(foresight, "WORTH", 60_000)
    asked, real = [], G.Compose.reach
    monkeypatch.setattr(G.Compose, "reach", lambda *of, **how: (asked.append(np.prod(of[1], 1).sum()), real(*of, **how))[1])
    got, _ = batches(Pictures(), PIPELINES["RandomResizedCrop"], batch_size=2)
    want, _ = batches(Pictures(), PIPELINES["RandomResizedCrop"], windows=False, batch_size=2)
    same(got, want)
    assert 0 < len(asked) < 30
    assert min(asked) >= 60_000


def test_a_compose_that_draws_otherwise_is_left_alone():
    class Mine(G.Compose):
        def draw(self, *of, **how):
            return super().draw(*of, **how)

    loader = G.DataLoader(Pictures(), 3, device="cpu", transform=Mine([G.RandomCrop(40, 40)], seed=5))
    assert of_loader.planner(loader, 0) is None


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("order", ["<", ">"])
def test_orientation_as_pillow_reads_it(form, order):
    image = Image.fromarray(np.zeros((20, 30, 3), np.uint8))
    for turn in (*range(1, 9), 0, 77):
        exif, file = Image.Exif(), io.BytesIO()
        exif.endian = order
        exif[0x10F], exif[0x112], exif[0x132] = "maker", turn, "2026:11:29 00:00:00"
        image.save(file, form, exif=exif)
        header = headers.read_header(file.getvalue())
        assert header.turn == (turn if 1 <= turn <= 8 else 1)
        file.seek(0)
        assert Image.open(file).getexif()[0x112] == turn
        assert header.upright == ((30, 20) if 5 <= turn <= 8 else (20, 30))


def test_a_reach_is_what_the_docs_say():
    reach = G.Compose([G.Crop(10, 20, 40, 60)], seed=0).reach([[100, 200]], ids=[5])
    assert isinstance(reach, Reach)
    assert reach.share() == 30 * 40 / (100 * 200)
