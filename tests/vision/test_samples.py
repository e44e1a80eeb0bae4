"""Samples of any structure: what torchvision's transforms change is changed, and comes back as what it was."""

from __future__ import annotations

import pickle
import warnings
from collections import namedtuple

import numpy as np
import PIL.Image
import pytest
import torch
from test_pixels import picture
from torch.utils.data import Dataset
from torchvision import transforms as V1
from torchvision import tv_tensors
from torchvision.transforms import v2 as V
from torchvision.transforms.v2 import functional as F

import gpuaug as G
from gpuaug import vision as T

MEAN, STD = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]


def pil(i: int = 0, size=(80, 60)) -> PIL.Image.Image:
    return F.to_pil_image(picture(3, size, i))


# ---- the pipeline of an article, as it stands there ---------------------------------------------------------------


def fashion(transforms, **more):
    return transforms.Compose(
        [
            transforms.RandomHorizontalFlip(p=0.5),
            transforms.ColorJitter(brightness=0.3, contrast=0.3, saturation=0.3, hue=0),
            transforms.RandomAffine(
                degrees=20,
                translate=(0.1, 0.1),
                scale=(0.8, 1.2),
                shear=None,
                resample=False,
                fillcolor=(255, 255, 255),
            ),
            transforms.ToTensor(),
            transforms.Normalize(MEAN, STD),
        ],
        **more,
    )


class Fashion(Dataset):
    def __init__(self, transform=None):
        self.transform = transform

    def __len__(self):
        return 10

    def __getitem__(self, i):
        img = pil(i)
        if self.transform:
            img = self.transform(img)
        return {"img": img, "labels": {"color_labels": i % 3, "gender_labels": i % 2, "article_labels": i}}


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_the_pipeline_of_an_article():
    with pytest.warns(DeprecationWarning, match="RandomAffine: resample= is interpolation= since torchvision 0.9"):
        aug = fashion(T, seed=3)
    want = []
    for i in range(10):
        drawn = {each.transform: each.params for each in aug.params([i], size=(80, 60))[0]}
        image = F.pil_to_tensor(pil(i))
        image = F.horizontal_flip(image) if "RandomHorizontalFlip" in drawn else image
        jitter = drawn["ColorJitter"]
        for k in jitter["fn_idx"]:
            name = ("brightness", "contrast", "saturation", "hue")[k]
            if f"{name}_factor" in jitter:
                image = getattr(F, f"adjust_{name}")(image, jitter[f"{name}_factor"])
        image = F.affine(image, **drawn["RandomAffine"], fill=[255, 255, 255])
        want.append(F.normalize(F.to_dtype(image, torch.float32, scale=True), MEAN, STD))
    want = torch.stack(want)
    # in a dataset, one by one; and in the loader, which is given pictures
    alone = torch.stack([aug(pil(i), ids=[i]) for i in range(10)])
    off = (alone - want).abs()
    assert (off > 1e-5).float().mean() < 5e-3  # a level of a colour, a place between two pixels
    assert off.median() < 1e-6
    dataset = Fashion(fashion(T, seed=3))
    sample = dataset[0]
    assert sample["img"].shape == (3, 80, 60)
    assert sample["img"].dtype == torch.float32
    batches = list(torch.utils.data.DataLoader(dataset, batch_size=5, num_workers=2))
    assert batches[0]["img"].shape == (5, 3, 80, 60)
    assert batches[1]["labels"]["article_labels"].tolist() == [5, 6, 7, 8, 9]
    loader = G.DataLoader(Fashion(), batch_size=5, transform=aug)
    batches = list(loader)
    assert torch.equal(torch.cat([batch["img"] for batch in batches]).cpu(), alone)
    assert batches[1]["labels"]["gender_labels"].tolist() == [1, 0, 1, 0, 1]
    assert G.from_dict(G.to_dict(aug)) == aug
    assert pickle.loads(pickle.dumps(aug)) == aug


# ---- structures ---------------------------------------------------------------------------------------------------

Pair = namedtuple("Pair", "image target")


def test_forms_in_and_out():
    image, tensor = pil(), picture(3, (80, 60))
    flip = T.Compose([T.RandomHorizontalFlip(1)])
    out = flip(image)
    assert isinstance(out, PIL.Image.Image)
    assert torch.equal(F.pil_to_tensor(out), tensor.flip(-1))
    assert torch.equal(flip(tensor), tensor.flip(-1))
    wrapped = flip(tv_tensors.Image(tensor))
    assert isinstance(wrapped, tv_tensors.Image)
    gray = flip(image.convert("L"))
    assert gray.mode == "L"
    both = flip(image, {"label": 3, "name": "a"})
    assert isinstance(both, tuple)
    assert both[1] == {"label": 3, "name": "a"}
    pair = flip(Pair(tensor, [tensor, "x"]))
    assert isinstance(pair, Pair)
    assert torch.equal(pair.target[0], tensor)  # the first plain tensor is the image
    assert torch.equal(pair.image, tensor.flip(-1))
    nested = flip({"a": {"img": image}, "b": (tensor, 1)})  # a PIL image is, then no plain tensor
    assert torch.equal(nested["b"][0], tensor)
    assert torch.equal(F.pil_to_tensor(nested["a"]["img"]), tensor.flip(-1))
    two = T.Compose([T.RandomAffine(40)], seed=1)({"l": tv_tensors.Image(tensor), "r": tv_tensors.Image(tensor)})
    assert torch.equal(two["l"], two["r"])
    with pytest.raises(TypeError, match="found no image in this dict"):
        flip({"a": 1})


@pytest.mark.parametrize(
    "steps",
    [
        ["ToTensor"],
        ["PILToTensor"],
        ["ToImage"],
        ["ToImage", "ToPureTensor"],
        ["ToTensor", "ToPILImage"],
        ["ToImage", "ToPILImage"],
    ],
)
def test_conversions_are_torchvisions(steps):
    array = np.asarray(pil())
    for value in (pil(), pil().convert("L"), array, array[:, :, 0], picture(3), tv_tensors.Image(picture(3))):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            theirs = V.Compose([getattr(V, name)() for name in steps])
        if steps[0] == "PILToTensor" and not isinstance(value, PIL.Image.Image):
            continue
        got, want = T.Compose([getattr(T, name)() for name in steps])(value), theirs(value)
        if steps[0] == "ToTensor" and isinstance(value, torch.Tensor):
            want = F.to_dtype(value, torch.float32, scale=True)  # theirs passes over tensors
            if len(steps) > 1:
                want = F.to_pil_image(want)
        assert type(got) is type(want)
        if isinstance(got, PIL.Image.Image):
            assert got.mode == want.mode
            np.testing.assert_array_equal(np.asarray(got), np.asarray(want))
        else:
            assert got.dtype == want.dtype
            torch.testing.assert_close(torch.Tensor(got), torch.Tensor(want), rtol=0, atol=1e-7)


@pytest.mark.parametrize("scale", [True, False])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16, torch.uint8])
def test_types(dtype, scale):
    for image in (picture(3), picture(3).float() / 255):
        if image.dtype == torch.float32 and dtype == torch.uint8 and not scale:
            with pytest.raises(ValueError, match="say scale=True"):
                T.ToDtype(dtype, scale)(image)
            continue
        got, want = T.ToDtype(dtype, scale)(image), F.to_dtype(image, dtype, scale)
        assert got.dtype == want.dtype
        torch.testing.assert_close(got.float(), want.float(), rtol=0, atol=0 if dtype == torch.uint8 else 4e-3)
        if dtype == torch.float32:
            torch.testing.assert_close(got, want, rtol=1e-6, atol=1e-7)
    with pytest.raises(TypeError, match="ToDtype is for tensors, which this image is not yet"):
        T.Compose([T.ToDtype(torch.float32)])(pil())
    with pytest.raises(ValueError, match="dtype of images must be torch"):
        T.ToDtype(torch.float64)


def test_images_of_16_bits():
    wide = (np.arange(48, dtype=np.uint16) * 1390).reshape(6, 8)
    image = PIL.Image.fromarray(wide)
    assert image.mode == "I;16"
    np.testing.assert_array_equal(np.asarray(T.RandomHorizontalFlip(1)(image)), wide[:, ::-1])
    tensor = T.ToTensor()(image)
    assert tensor.dtype == torch.float32
    torch.testing.assert_close(tensor[0], torch.from_numpy(wide / 65535).float(), rtol=0, atol=1e-7)
    raw = torch.from_numpy(wide)[None]
    torch.testing.assert_close(T.ToDtype(torch.float32, scale=True)(raw), tensor)
    torch.testing.assert_close(T.ToDtype(torch.float32)(raw), torch.from_numpy(wide).float()[None], rtol=0, atol=4e-3)
    solarized = T.RandomSolarize(30000, 1)(raw)
    assert torch.equal(solarized[0], torch.from_numpy(np.where(wide >= 30000, 65535 - wide, wide)))
    with pytest.raises(TypeError, match="Normalize works on floats"):
        T.Normalize([0.5], [0.5])(raw)


def test_normalize():
    image = picture(3).float() / 255
    torch.testing.assert_close(T.Normalize(MEAN, STD)(image), F.normalize(image, MEAN, STD), rtol=1e-6, atol=1e-6)
    with pytest.raises(TypeError, match="Normalize works on floats: put ToTensor"):
        T.Normalize(MEAN, STD)(picture(3))
    with pytest.raises(ValueError, match="mean has 3 values for images of 1 channels"):
        T.Normalize(MEAN, STD)(image[:1])


def test_conversions_stand_where_all_images_pass():
    with pytest.raises(ValueError, match="ToTensor stands in a group that may leave it out"):
        T.Compose([T.RandomApply([T.ToTensor()])])
    nested = T.Compose([T.Compose([T.Resize(20), T.ToTensor()]), T.RandomChoice([T.RandomInvert(1), T.RandomInvert(0)])])
    assert nested(pil()).dtype == torch.float32


# ---- targets ------------------------------------------------------------------------------------------------------


def detection(size=(80, 60)):
    boxes = torch.tensor([[5, 6, 20, 30], [30, 40, 59, 79], [0, 0, 4, 4.0]])
    masks = torch.zeros(3, *size, dtype=torch.bool)
    for mask, (x0, y0, x1, y1) in zip(masks, boxes.int().tolist()):
        mask[y0:y1, x0:x1] = True
    return {
        "boxes": tv_tensors.BoundingBoxes(boxes, format="XYXY", canvas_size=size),
        "masks": tv_tensors.Mask(masks),
        "points": tv_tensors.KeyPoints(torch.tensor([[10.0, 12.0], [50.0, 70.0]]), canvas_size=size),
        "labels": torch.tensor([1, 2, 3]),
        "id": 7,
    }


def test_boxes_and_masks_follow():
    image, target = tv_tensors.Image(picture(3, (80, 60))), detection()
    _, got = T.Compose([T.RandomHorizontalFlip(1), T.Pad(5), T.Resize((45, 140))])(image, target)
    reference = V.Compose([V.RandomHorizontalFlip(1), V.Pad(5), V.Resize((45, 140))])
    _, want = reference(image, {name: value for name, value in target.items() if name != "points"})
    torch.testing.assert_close(got["boxes"], want["boxes"], rtol=1e-5, atol=1e-4)
    assert got["boxes"].canvas_size == want["boxes"].canvas_size == (45, 140)
    assert got["boxes"].format == want["boxes"].format
    assert torch.equal(got["masks"], want["masks"])
    assert isinstance(got["masks"], tv_tensors.Mask)
    assert isinstance(got["points"], tv_tensors.KeyPoints)
    assert torch.equal(got["labels"], target["labels"])
    assert got["id"] == 7
    for word in ("XYWH", "CXCYWH"):
        converted = F.convert_bounding_box_format(target["boxes"], new_format=word)
        _, out = T.Compose([T.RandomHorizontalFlip(1), T.Pad(5), T.Resize((45, 140))])(image, {"boxes": converted})
        back = F.convert_bounding_box_format(out["boxes"], new_format="XYXY")
        torch.testing.assert_close(back, want["boxes"], rtol=1e-5, atol=1e-4)
    whole = tv_tensors.BoundingBoxes(target["boxes"].int(), format="XYXY", canvas_size=(80, 60))
    assert T.RandomHorizontalFlip(1)(image, whole)[1].dtype == torch.int32


def test_boxes_that_leave():
    image, target = tv_tensors.Image(picture(3, (80, 60))), detection()
    crop = [T.CenterCrop((40, 30))]
    _, got = T.Compose(crop)(image, target)
    assert got["boxes"].tolist() == [[0, 0, 5, 10], [15, 20, 30, 40], [0, 0, 0, 0]]
    assert len(got["masks"]) == len(got["labels"]) == 3
    _, got = T.Compose([*crop, T.SanitizeBoundingBoxes()])(image, target)
    _, want = V.Compose([V.CenterCrop((40, 30)), V.SanitizeBoundingBoxes()])(
        image, {n: v for n, v in target.items() if n != "points"}
    )
    for name in ("boxes", "masks", "labels"):
        assert torch.equal(got[name], want[name])
    _, got = T.Compose([*crop, T.SanitizeBoundingBoxes(min_size=11, labels_getter=lambda x: x[1]["labels"])])(image, target)
    assert got["labels"].tolist() == [2]
    with pytest.raises(ValueError, match="SanitizeBoundingBoxes found no labels"):
        T.SanitizeBoundingBoxes()(image, {"boxes": target["boxes"]})
    no_labels = T.SanitizeBoundingBoxes(labels_getter=None)(image, {"boxes": target["boxes"]})
    assert len(no_labels[1]["boxes"]) == 3


def test_iou_crop():
    image, target = tv_tensors.Image(picture(3, (80, 60))), detection()
    aug = T.Compose([T.RandomIoUCrop(), T.SanitizeBoundingBoxes()], seed=1)
    shapes = set()
    for i in range(60):
        got_image, got = aug(image, target, ids=[i])
        assert len(got["boxes"]) == len(got["labels"]) == len(got["masks"]) >= 1
        shapes.add(tuple(got_image.shape))
        for box, mask in zip(got["boxes"], got["masks"]):
            rows, columns = torch.nonzero(mask.any(1)).flatten(), torch.nonzero(mask.any(0)).flatten()
            around = [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
            assert torch.allclose(box, torch.stack(around).float())
    assert len(shapes) > 20
    assert (3, 80, 60) in shapes
    torch.manual_seed(0)  # how often each size and label is met is torchvision's
    theirs = V.Compose([V.RandomIoUCrop(), V.SanitizeBoundingBoxes()])
    kept = {name: value for name, value in target.items() if name != "points"}
    many = 400
    ours = [aug(image, kept, ids=[1000 + i]) for i in range(many)]
    reference = [theirs(image, kept) for _ in range(many)]
    for of in (lambda out: out[0].shape[-1] / 60, lambda out: out[0].shape[-2] / 80, lambda out: (out[1]["labels"] == 2).sum()):
        mine, other = (np.array([float(of(out)) for out in outs]) for outs in (ours, reference))
        assert abs(mine.mean() - other.mean()) < 4 * np.hypot(mine.std(), other.std()) / many**0.5
    none = tv_tensors.wrap(target["boxes"][:0], like=target["boxes"])
    alone = T.RandomIoUCrop()(image, {"boxes": none})
    assert alone[0].shape == image.shape
    assert alone[1]["boxes"].shape == (0, 4)
    with pytest.raises(ValueError, match="RandomIoUCrop needs bboxes="):
        T.RandomIoUCrop()(image)


class Detection(Dataset):
    def __len__(self):
        return 6

    def __getitem__(self, i):
        target = detection()
        return tv_tensors.Image(picture(3, (80, 60), i)), {name: target[name] for name in ("boxes", "masks", "labels", "id")}


def test_detection_in_the_loader():
    """Boxes, masks and labels are those of a call; the rest is collated."""
    steps = [
        T.RandomPhotometricDistort(),
        T.RandomZoomOut((123, 117, 104)),
        T.RandomIoUCrop(),
        T.RandomHorizontalFlip(),
        T.Resize((64, 64)),
        T.ToDtype(torch.float32, scale=True),
        T.SanitizeBoundingBoxes(min_size=14),
    ]
    aug, data = T.Compose(steps, seed=2), Detection()
    seen = 0
    for images, targets in G.DataLoader(data, batch_size=3, transform=aug):
        for k, image in enumerate(images):
            want_image, want = aug(*data[seen], ids=[seen])
            assert torch.equal(image, want_image)
            assert torch.equal(torch.as_tensor(targets["labels"][k]), want["labels"])
            torch.testing.assert_close(torch.as_tensor(targets["boxes"][k]), torch.Tensor(want["boxes"]))
            assert torch.equal(torch.as_tensor(targets["masks"][k]), torch.as_tensor(want["masks"]))
            seen += 1
    assert seen == 6
    sides = [box[2:] - box[:2] for i in range(40) for box in aug(*data[0], ids=[100 + i])[1]["boxes"]]
    assert min(side.min() for side in sides) >= 14


def test_batches_draw_for_each():
    batch = torch.stack([picture(3)] * 16)
    out = T.Compose([T.RandomHorizontalFlip(), T.ColorJitter(0.5)], seed=2)(batch)
    assert out.shape == batch.shape
    assert len({image.numpy().tobytes() for image in out}) == 16
    aug = T.Compose([T.RandomAffine(30), T.RandAugment()], seed=2)
    assert torch.equal(aug(batch, ids=range(16))[5], aug(batch[5], ids=[5]))
    masks = tv_tensors.Mask(torch.zeros(16, 41, 54, dtype=torch.uint8))
    with_masks = T.RandomHorizontalFlip(1)(tv_tensors.Image(batch), masks)
    assert with_masks[1].shape == masks.shape
    with pytest.raises(ValueError, match=r"a batch .* goes with batches of images and masks alone"):
        aug(tv_tensors.Image(batch), detection()["boxes"])


def test_videos():
    video = tv_tensors.Video(torch.stack([picture(3, seed=i) for i in range(4)]))
    out = T.Compose([T.RandomHorizontalFlip(1), T.ColorJitter(0.5)], seed=1)(video)
    assert isinstance(out, tv_tensors.Video)
    assert out.shape == video.shape
    one = T.Compose([T.RandomHorizontalFlip(1), T.ColorJitter(0.5)], seed=1)
    assert torch.equal(one(tv_tensors.Image(video[2]), ids=[0]), one(video, ids=[0])[2])


def test_groups():
    image = picture(3)
    none = T.Compose([T.RandomApply([T.RandomInvert(1)], p=0)])(image)
    assert torch.equal(none, image)
    choice = T.Compose([T.RandomChoice([T.RandomInvert(1), T.RandomInvert(0), T.RandomHorizontalFlip(1)], p=[5, 3, 0])], seed=1)
    inverted = [bool((choice(image, ids=[i]) == 255 - image).all()) for i in range(400)]
    assert all(torch.equal(choice(image, ids=[i]), image) for i in range(400) if not inverted[i])
    assert abs(np.mean(inverted) - 5 / 8) < 0.1
    order = T.Compose([T.RandomOrder([T.Pad(1), T.Resize((10, 10))])], seed=1)
    assert {tuple(order(image, ids=[i]).shape) for i in range(20)} == {(3, 10, 10), (3, 12, 12)}
    with pytest.raises(ValueError, match="p has 1 weights for 2 transforms"):
        T.RandomChoice([T.RandomInvert(), T.RandomInvert()], p=[1])


def test_seeds_and_transforms_by_themselves():
    image = picture(3)
    torch.manual_seed(5)
    first = T.RandomAffine(90)(image)
    torch.manual_seed(5)
    assert torch.equal(T.RandomAffine(90)(image), first)
    jitter = T.ColorJitter(0.9)
    assert not torch.equal(jitter(image), jitter(image))
    assert isinstance(jitter(pil()), PIL.Image.Image)


@pytest.mark.parametrize("name", T.__all__)
def test_names_are_torchvisions(name):
    assert hasattr(V, name) or hasattr(V1, name)


EVERY = [
    T.AugMix(2, fill=3),
    T.AutoAugment(T.AutoAugmentPolicy.SVHN),
    T.CenterCrop((3, 4)),
    T.ColorJitter(0.1, (0.5, 2), hue=0.2),
    T.ElasticTransform(9.0, [2.0, 3.0]),
    T.GaussianBlur((3, 5), 2.0),
    T.GaussianNoise(),
    T.Grayscale(3),
    T.Pad([1, 2], (1, 2, 3), "edge"),
    T.PILToTensor(),
    T.RandAugment(3),
    T.RandomAdjustSharpness(2),
    T.RandomAffine(5, [0.1, 0.2], (0.5, 1), 3, T.InterpolationMode.BILINEAR, center=(1, 2)),
    T.RandomApply([T.RandomInvert(), T.RandomEqualize()], p=0.3),
    T.RandomChoice([T.RandomAutocontrast(), T.RandomSolarize(9)], [1, 2]),
    T.RandomCrop(9, 3, True, 4, "reflect"),
    T.RandomErasing(value="random"),
    T.RandomIoUCrop(sampler_options=[0.1, 1.0]),
    T.RandomOrder([T.RandomPosterize(3), T.RandomGrayscale()]),
    T.RandomPerspective(0.3, fill=[1, 2, 3]),
    T.RandomPhotometricDistort(p=0.2),
    T.RandomResizedCrop(9, antialias=None),
    T.RandomResize(3, 9),
    T.RandomRotation((1, 2), 2, True),
    T.RandomShortestSize(9),
    T.RandomZoomOut(3),
    T.Resize([9], T.InterpolationMode.BICUBIC, 20),
    T.SanitizeBoundingBoxes(2.0),
    T.ScaleJitter((4, 5)),
    T.ToPILImage(),
    T.ToTensor(),
    T.TrivialAugmentWide(9),
]


@pytest.mark.parametrize("step", EVERY, ids=lambda step: type(step).__name__)
def test_written_and_made_again(step):
    again = G.from_dict(G.to_dict(step))
    assert again == step
    assert type(again) is type(step)
    assert eval(repr(step), vars(T)) == step
    assert pickle.loads(pickle.dumps(step)) == step


def test_files_name_what_is_not_there():
    written = G.to_dict(T.Compose([T.RandomInvert()]))
    written["transform"]["transforms"][0]["__class_fullname__"] = "vision.RandomInver"
    with pytest.raises(ValueError, match=r"gpuaug\.vision has no RandomInver; did you mean 'RandomInvert'"):
        G.from_dict(written)
