"""Pictures show what is there: pixels, masks, boxes and points at their places, and every transform."""

from __future__ import annotations

import albumentations as A
import numpy as np
import pytest
import torch
from albumentations.core.bbox_utils import convert_bboxes_from_albumentations
from PIL import Image

import gpuaug as G
from gpuaug import pictures
from gpuaug.pictures import display, marks, previews, subjects
from gpuaug.pictures.batches import _named
from gpuaug.pictures.sheet import Cell, draw

SIZE = (30, 50)


def test_boxes_of_every_format_are_those_of_albumentations():
    boxes = np.array([[0.1, 0.2, 0.5, 0.9], [0.0, 0.0, 1.0, 1.0]])
    want = boxes * (50, 30, 50, 30)
    for format in ("coco", "pascal_voc", "albumentations", "yolo"):
        size = {"height": 30, "width": 50}
        written = boxes if format == "albumentations" else convert_bboxes_from_albumentations(boxes, format, size)
        got = marks.corners(written, format, SIZE)
        np.testing.assert_allclose(got[:, 0], want[:, :2], atol=1e-5)  # float32 on albumentations' side: 50 * 2**-24
        np.testing.assert_allclose(got[:, 2], want[:, 2:], atol=1e-5)
        np.testing.assert_allclose(got[:, 1], want[:, [2, 1]], atol=1e-5)
    turned = marks.corners([(10, 10, 30, 20, 90)], "pascal_voc", SIZE, oriented=True)  # from x to y, which is down
    np.testing.assert_allclose(turned[0], [[25, 5], [25, 25], [15, 25], [15, 5]], atol=1e-9)


def test_a_preview_is_what_calls_give():
    image = np.random.default_rng(0).integers(0, 256, (20, 30, 3), np.uint8)
    mask = (image[..., 0] > 128).astype(np.uint8)
    aug = G.Compose([G.HorizontalFlip(), G.RandomCrop(10, 12, p=0.5), G.RandomGamma(p=1)], seed=4)
    rows = previews.cells(aug, [{"image": image, "mask": mask}] * 2, 6, 3, None)
    assert [len(row) for row in rows] == [7, 7]
    captions = set()
    for i, row in enumerate(rows):
        np.testing.assert_array_equal(row[0].image, image)
        for k, cell in enumerate(row[1:]):
            want = aug(image=image, mask=mask, ids=[i], epoch=3 + k)
            np.testing.assert_array_equal(cell.image, want["image"])
            np.testing.assert_array_equal(cell.masks[0], want["mask"])
            told = [each.transform for each in aug.params([i], size=(20, 30), epoch=3 + k)[0]]
            assert [line.split()[0] for line in cell.caption.splitlines()] == told
            captions.add(cell.caption)
    assert len(captions) > 6


def test_a_preview_reads_paths(tmp_path):
    image = np.random.default_rng(0).integers(0, 256, (20, 30, 3), np.uint8)
    mask = Image.fromarray((image[..., 0] > 128).astype(np.uint8)).convert("P")
    Image.fromarray(image).save(tmp_path / "a.png")
    mask.save(tmp_path / "m.png")
    aug = G.Compose([G.HorizontalFlip(p=1)], seed=4)
    (row,) = previews.cells(aug, [{"image": tmp_path / "a.png", "mask": str(tmp_path / "m.png")}], 1, 0, None)
    np.testing.assert_array_equal(row[1].image, image[:, ::-1])
    np.testing.assert_array_equal(row[1].masks[0], np.asarray(mask)[:, ::-1])
    assert previews.cells(aug, str(tmp_path / "a.png"), 1, 0, None)[0][0].image.shape == image.shape


def test_a_preview_of_volumes_and_sets_is_what_calls_give():
    """As arrays, as tensors, and sent to a device (a CPU here), by themselves and behind ToTensor3D."""
    rng = np.random.default_rng(2)
    volume, labels = rng.integers(0, 256, (5, 12, 16, 3), np.uint8), rng.integers(0, 4, (5, 12, 16), np.uint8)
    flip = G.Compose([G.HorizontalFlip(p=1)], seed=1)
    solid = G.Compose([G.HorizontalFlip(p=1), G.ToTensor3D()], seed=1)
    samples = [{"volume": volume, "mask3d": labels}, {"volumes": volume[None], "masks3d": labels[None]}]
    want = display.picture(volume[:, :, ::-1])
    for aug in (flip, solid):
        for sample in samples:
            for device in (None, "cpu"):
                cell = previews.cells(aug, sample, 1, 0, device)[0][1]
                np.testing.assert_array_equal(cell.image, want)
                np.testing.assert_array_equal(cell.masks[0].reshape(labels.shape), labels[:, :, ::-1])
    frames = {"images": volume, "mask": labels[0], "masks": list(labels[:2])}
    tensors = {
        "images": torch.from_numpy(volume).permute(0, 3, 1, 2), "mask": torch.from_numpy(labels[0]),
        "masks": torch.from_numpy(labels[:2]),
    }  # fmt: skip
    for sample, device in ((frames, None), (frames, "cpu"), (tensors, "cpu")):
        cell = previews.cells(flip, sample, 1, 0, device)[0][1]
        np.testing.assert_array_equal(cell.image, want)
        for got, each in zip(cell.masks, (labels[0], labels[0], labels[1] * 2), strict=True):
            np.testing.assert_array_equal(got, each[:, ::-1])


def test_a_preview_of_what_tells_its_draws():
    image = np.random.default_rng(0).integers(0, 256, (20, 30, 3), np.uint8)
    params = G.BboxParams("pascal_voc")
    replayed = G.ReplayCompose([G.HorizontalFlip(), G.RandomGamma(p=1)], params, seed=4)
    same = G.Compose([G.HorizontalFlip(), G.RandomGamma(p=1)], params, seed=4)
    sample = {"image": image, "bboxes": [(1, 2, 8, 9)]}
    got, want = (previews.cells(aug, sample, 3, 0, None)[0] for aug in (replayed, same))
    for one, other in zip(got, want, strict=True):
        np.testing.assert_array_equal(one.image, other.image)
        np.testing.assert_array_equal(one.boxes, other.boxes)
        assert one.caption == other.caption
    assert "RandomGamma" in got[1].caption
    assert type(replayed) is G.ReplayCompose
    assert "replay" in replayed(**sample)


def test_what_is_left_out_of_a_batch_is_told():
    shown = G.show(np.zeros((5, 8, 8, 3), np.uint8), limit=3)
    texts = [text.get_text() for axes in shown.figure.axes for text in axes.texts]
    assert texts == ["and 2 more: limit=5"]
    assert not [text for axes in G.show(np.zeros((3, 8, 8, 3), np.uint8), limit=3).figure.axes for text in axes.texts]


def test_normalize_is_put_back():
    image = np.random.default_rng(1).integers(0, 256, (8, 9, 3), np.uint8)
    for steps in ([G.Normalize()], [G.Normalize(), G.ToTensorV2()], [G.Normalize(mean=0.3, std=(0.1, 0.2, 0.3))]):
        cell = previews.cells(G.Compose(steps, seed=0), image, 1, 0, None)[0][1]
        np.testing.assert_array_equal(cell.image, image)
    shown = pictures.show(
        G.Compose([G.Normalize(), G.ToTensorV2()])(image), mean=(0.485, 0.456, 0.406), std=(0.229, 0.224, 0.225)
    )
    assert len(shown.figure.axes) == 1


def test_what_is_drawn_lies_where_it_is():
    """A sheet of one cell: colours are looked for at their places in the picture."""
    grey = np.full((100, 100, 3), 128, np.uint8)
    mask = np.zeros((50, 50), np.uint8)  # half the size: it is stretched
    mask[10:20, 30:40] = 1
    corners = marks.corners([(20, 60, 50, 90)], "pascal_voc", (100, 100))
    sheet = draw([[Cell(grey, [mask], corners, np.array([[80.0, 80.0]]))]])
    pixels = sheet.array().astype(int)
    axes = sheet.figure.axes[0].get_window_extent()
    scale = axes.width / 100

    def at(x, y):
        return pixels[round(pixels.shape[0] - axes.y1 + (y + 0.5) * scale), round(axes.x0 + (x + 0.5) * scale)]

    def coloured(x, y):
        found = at(x, y)
        return found.max() - found.min() > 40

    assert coloured(70, 30), "the mask"
    assert not coloured(30, 70)
    assert not coloured(57, 30)
    assert not coloured(83, 30)
    assert not coloured(70, 15)
    for x, y in ((35, 59.5), (35, 89.5), (19.5, 75), (49.5, 75)):
        assert coloured(x, y), (x, y)
    assert not coloured(35, 75)
    assert not coloured(60, 75)
    assert coloured(80, 80), "the point"
    assert not coloured(86, 80)


def test_values_of_any_kind_are_shown():
    ramp = np.linspace(-3, 5, 12).reshape(3, 4)
    shown = display.picture(ramp)
    assert shown.shape == (3, 4, 3)
    assert shown[0, 0, 0] == 0
    assert shown[-1, -1, 0] == 255
    assert display.picture(np.full((2, 2), np.nan)).max() == 0
    assert display.picture(np.full((2, 2, 3), 7.0)).shape == (2, 2, 3), "nothing to stretch"
    assert (display.picture(np.array([[True, False]]))[0, :, 0] == (255, 0)).all()
    np.testing.assert_array_equal(display.picture(np.array([[0, 65535]], np.uint16))[0, :, 0], (0, 255))
    two = display.picture(np.full((2, 2, 2), 9, np.uint8))
    assert (two[..., :2] == 9).all()
    assert (two[..., 2] == 0).all()
    five = np.arange(20, dtype=np.uint8).reshape(2, 2, 5)
    np.testing.assert_array_equal(display.picture(five), five[..., :3])
    slices = np.arange(7, dtype=np.uint8)[:, None, None, None] * np.ones((1, 2, 3, 1), np.uint8)
    np.testing.assert_array_equal(display.picture(slices)[::2, ::3, 0], [[0, 2], [4, 6]])
    for bad in (np.zeros((0, 3, 3)), np.zeros(5), np.zeros((2, 0))):
        with pytest.raises(ValueError, match="with pixels in it"):
            display.picture(bad)


def batches():
    """(batch, images, the axes that carry more than the picture)."""
    tensors, arrays = torch.zeros(3, 3, 8, 9, dtype=torch.uint8), np.zeros((3, 8, 9, 3), np.uint8)
    mask = torch.randint(0, 2, (3, 8, 9))
    boxes = [{"boxes": torch.tensor([[1.0, 1, 5, 6]]), "labels": torch.tensor([2])} for _ in range(3)]
    yield tensors, 3, set()
    yield arrays, 3, set()
    yield arrays[0], 1, set()
    yield tensors[0].permute(1, 2, 0).numpy(), 1, set()
    yield list(tensors), 3, set()
    yield [Image.new("RGB", (9, 8)), Image.new("RGB", (7, 5))], 2, set()
    yield (tensors, torch.arange(3)), 3, {"label"}
    yield [tensors, torch.arange(3)], 3, {"label"}  # as torch collates
    yield (tensors, torch.rand(3, 4)), 3, {"label"}
    yield (tensors, mask), 3, {"mask"}
    yield (tensors, mask.bool()), 3, {"mask"}
    yield (tensors, mask[:, None]), 3, {"mask"}
    yield (tensors, ["a", "b", "c"]), 3, {"label"}
    yield (list(tensors), boxes), 3, {"bboxes", "label", "box_format"}
    yield {"image": tensors, "mask": mask, "label": torch.arange(3)}, 3, {"mask", "label"}
    yield {"pixel_values": tensors, "labels": torch.arange(3)}, 3, {"label"}
    yield {"image": arrays, "keypoints": [[(1, 2)], [], [(3, 4), (5, 6)]]}, 3, {"keypoints"}
    yield {"image": list(arrays), "masks": [mask, mask, mask]}, 3, {"mask"}
    yield list(zip(tensors, boxes, strict=True)), 3, {"bboxes", "label", "box_format"}  # samples, not collated
    yield (tensors[0], boxes[0]), 1, {"bboxes", "label", "box_format"}
    yield list(zip(tensors, mask, strict=True)), 3, {"mask"}
    yield list(zip([Image.new("RGB", (9, 8))] * 3, range(3), strict=True)), 3, {"label"}
    yield [{"image": image, "label": 1} for image in arrays], 3, {"label"}
    yield {"image": tensors, "label": mask}, 3, {"mask"}  # MONAI
    yield {"image": tensors, "label": torch.rand(3, 4)}, 3, {"label"}  # of MixUp
    yield {"image": tensors, "annotation": [{"boxes": []}] * 3}, 3, set()
    yield {"image": list(arrays), "annotation": [None, Image.new("L", (9, 8)), None]}, 3, {"mask"}
    yield {"image": tensors, "masks": [[mask[0], mask[1]], [], [mask[2]]]}, 3, {"mask"}  # one for each object
    yield (list(tensors), [{**each, "annotation": {"id": 1}} for each in boxes]), 3, {"bboxes", "label", "box_format"}


@pytest.mark.parametrize("number", range(29))
def test_batches_of_any_structure(number, tmp_path):
    batch, images, named = list(batches())[number]
    sheet = G.show(batch, tmp_path / "sheet.png")
    assert len(sheet.figure.axes) == images
    assert set(_named(batch)) - {"image"} == named
    assert Image.open(tmp_path / "sheet.png").size[0] > 100


def test_batches_of_our_loader():
    images = np.random.default_rng(0).integers(0, 256, (6, 16, 16, 3), np.uint8)
    data = [{"image": image, "bboxes": [(1, 2, 8, 9)], "labels": [i]} for i, image in enumerate(images)]
    aug = G.Compose([G.HorizontalFlip(p=1)], bbox_params=G.BboxParams("pascal_voc", label_fields=["labels"]), seed=0)
    batch = next(iter(G.DataLoader(data, batch_size=4, transform=aug, device="cpu")))
    sheet = G.show(batch, box_format="pascal_voc", classes=list("abcdef"))
    assert [axes.texts[0].get_text() for axes in sheet.figure.axes] == list("abcd")
    edges = sheet.figure.axes[0].patches[0].get_xy()
    assert edges[:, 0].min() == 16 - 8 - 0.5
    assert edges[:, 0].max() == 16 - 1 - 0.5
    with pytest.raises(ValueError, match="say how the boxes are written"):
        G.show(batch)
    with pytest.raises(TypeError, match=r"next\(iter\(loader\)\)"):
        G.show(G.DataLoader(data, device="cpu"))


def test_what_cannot_be_shown_says_so(tmp_path):
    images = np.zeros((2, 8, 8, 3), np.uint8)
    for bad, words in (
        ({"label": [1, 2]}, "no entry of"),
        ((images, np.zeros((2, 8, 8), np.float32)), "entry 1 of the tuple is float32"),
        ([], "no images|no image"),
    ):
        with pytest.raises((ValueError, TypeError), match=words):
            G.show(bad)
    with pytest.raises(ValueError, match="ends in one of"):
        G.show(images, tmp_path / "sheet.gift")
    with pytest.raises(ValueError, match="both, or none"):
        G.show(images, mean=0.5)
    with pytest.raises(ValueError, match="columns"):
        G.show(images, columns=0)
    aug = G.Compose([G.HorizontalFlip()], seed=0)
    with pytest.raises(ValueError, match="no samples"):
        aug.preview([])
    with pytest.raises(ValueError, match="draws"):
        aug.preview(images[0], draws=0)
    with pytest.raises(ValueError, match="did you mean 'GaussNoise'"):
        pictures.example("GausNoise")
    with pytest.raises(TypeError, match=r"takes a gpuaug\.Compose"):
        previews.preview(A.Compose([]), images[0])


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", sorted(name for name, cls in G.REGISTRY.items() if cls.__module__.startswith("gpuaug.")))
def test_every_transform_has_a_picture(name):
    """On its subject its draws differ from the original, unless it is one that changes the type or nothing."""
    sample, params = subjects.subject(name)
    row = previews.cells(subjects.pipeline(name, params), sample, 3, 0, None)[0]
    still = {"NoOp", "Lambda", "ToTensor", "ToTensorV2", "ToTensor3D", "ToFloat", "FromFloat", "Normalize", "ToRGB"}
    changed = [cell.image.shape != row[0].image.shape or (cell.image != row[0].image).any() for cell in row[1:]]
    assert any(changed) != (name in still)
    assert all(cell.caption.split()[0] == name for cell in row[1:] if cell.caption)
