"""What the loader does with what a dataset returns: it moves with the image, or is an error; nothing is left behind."""

import ast
import re
import types
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from sample_kinds import BOXES, LABELS, ORDINARY, OTHER, PICTURE, RECOGNIZED, REFUSED, H, W, table
from torch.utils.data import Dataset, default_collate
from torchvision import tv_tensors

import gpuaug as A
from gpuaug.data import DataLoader

FLIP = [A.HorizontalFlip(p=1)]
DOCS = Path(__file__).parents[2] / "docs" / "loading.md"


class Repeated(Dataset):
    def __init__(self, sample, n=4):
        self.sample, self.n = sample, n

    def __len__(self):
        return self.n

    def __getitem__(self, i):
        return self.sample


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("files")
    Image.fromarray(PICTURE).save(folder / "picture.png")
    Image.fromarray(OTHER).save(folder / "photo.jpg")
    Image.fromarray(LABELS.astype(np.uint8)).save(folder / "mask.png")
    return folder


def load(kind, files, workers=0, transforms=FLIP):
    loader = DataLoader(Repeated(kind.make(files)), 2, num_workers=workers, device="cpu", targets=kind.targets,
                        transform=A.Compose(transforms, **kind.compose))  # fmt: skip
    return next(iter(loader))


def of_batch(batch, path):
    """What the first sample of a batch has at a path; boxes and the like are lists with one entry for each sample."""
    for at, key in enumerate(path):
        if at and isinstance(key, int):  # annotations: a list for each sample
            batch = batch[0]
        batch = batch[key]
    return batch[0] if not (path and len(path) > 2) else batch


def of_sample(sample, path):
    for key in path:
        sample = sample[key]
    return np.array(Image.open(sample)) if isinstance(sample, str) else sample


def as_chw(x):
    """An image, a mask or a set of them with height and width as its last axes."""
    if isinstance(x, list):
        return np.stack([as_chw(v) for v in x])
    array = np.asarray(x)
    return array.transpose(2, 0, 1) if array.ndim == 3 and array.shape[2] == 3 else array


@pytest.mark.parametrize("workers", [0, 1])
@pytest.mark.parametrize("kind", RECOGNIZED, ids=lambda kind: kind.title)
def test_what_is_recognized_moves_with_the_image(kind, workers, files):
    sample, batch = kind.make(files), load(kind, files, workers)
    for path in kind.moved:
        want = as_chw(of_sample(sample, path))[..., ::-1]
        got = as_chw(of_batch(batch, path))
        np.testing.assert_array_equal(got.reshape(want.shape), want, err_msg=f"{path}")
    for path, want in kind.values.items():
        np.testing.assert_allclose(np.asarray(of_batch(batch, path), np.float64), want, atol=1e-5, err_msg=f"{path}")
    for path in kind.same:
        want, got = default_collate([sample[path[0]]] * 2), batch[path[0]]
        assert torch.equal(got, want) if isinstance(want, torch.Tensor) else list(got) == want


@pytest.mark.parametrize("workers", [0, 1])
@pytest.mark.parametrize("kind", REFUSED, ids=lambda kind: kind.title)
def test_what_could_be_a_target_is_an_error_at_the_first_batch(kind, workers, files):
    with pytest.raises(ValueError, match=r"targets=\{") as caught:
        load(kind, files, workers)
    assert f"{kind.error}" in str(caught.value)
    assert "'untouched': [" in str(caught.value)


@pytest.mark.parametrize("kind", [kind for kind in REFUSED if not kind.compose and "PIL" not in kind.title],
                         ids=lambda kind: kind.title)  # fmt: skip
def test_nothing_is_said_where_no_pixel_moves(kind, files):
    load(kind, files, transforms=[A.RandomBrightnessContrast(p=1), A.CoarseDropout(p=1), A.ToTensorV2()])


@pytest.mark.parametrize("kind", ORDINARY, ids=lambda kind: kind.title)
def test_an_ordinary_sample_passes_without_a_word(kind, files, recwarn):
    sample, batch = kind.make(files), load(kind, files)
    for path in kind.moved:
        np.testing.assert_array_equal(as_chw(of_batch(batch, path)), as_chw(of_sample(sample, path))[..., ::-1])
    assert not recwarn.list


@pytest.mark.parametrize("later", [torch.randn(2, 8, 8), torch.rand(1, 8, 8)], ids=["flow", "gray image"])
def test_a_first_partner_of_zeros_does_not_decide_for_the_others(later):
    class Pairs(Repeated):
        def __getitem__(self, i):
            image = torch.rand(1 if len(later) == 1 else 3, 8, 8)
            return image, torch.zeros_like(later) if i < 2 else later

    with pytest.raises(ValueError, match="looks like a map"):
        list(DataLoader(Pairs(None), 2, transform=A.Compose(FLIP), device="cpu"))


@pytest.mark.parametrize("workers", [0, 1])
def test_boxes_of_another_canvas_are_an_error(workers):
    boxes = tv_tensors.BoundingBoxes(torch.tensor([[2.0, 3, 4, 5]]), format="XYXY", canvas_size=(2 * H, 2 * W))
    compose = A.Compose(FLIP, bbox_params=A.BboxParams("pascal_voc"))
    sample = (tv_tensors.Image(torch.zeros(3, H, W, dtype=torch.uint8)), boxes)
    with pytest.raises(ValueError, match=rf"canvas_size of \({2 * H}, {2 * W}\), their image is \({H}, {W}\)"):
        next(iter(DataLoader(Repeated(sample), 2, transform=compose, num_workers=workers, device="cpu")))


def test_the_errors_way_out_works(files):
    """The two lines that the message shows, tried."""
    dataset = Repeated({"image": PICTURE, "depth": LABELS})
    flip, said = FLIP, {"depth": ("depth",)}
    with pytest.raises(ValueError, match="looks like a map") as caught:
        next(iter(DataLoader(dataset, 2, transform=A.Compose(flip), device="cpu")))
    assert f"targets={said}" in str(caught.value)
    assert "additional_targets={'depth': 'mask'}" in str(caught.value)
    compose = A.Compose(flip, additional_targets={"depth": "mask"})
    batch = next(iter(DataLoader(dataset, 2, transform=compose, targets=said, device="cpu")))
    np.testing.assert_array_equal(batch["depth"][0], LABELS[:, ::-1])
    batch = next(iter(DataLoader(dataset, 2, transform=A.Compose(flip), targets={"untouched": [("depth",)]}, device="cpu")))
    np.testing.assert_array_equal(batch["depth"][0], LABELS)


def test_the_documented_table_is_this_one():
    """docs/loading.md; `python tests/data/sample_kinds.py` prints it."""
    assert table() in DOCS.read_text()


def test_boxes_of_annotations_are_cocos_or_an_error():
    """A list of {"bbox"} under pascal_voc would be moved as x, y, width, height."""
    dataset = Repeated({"image": PICTURE, "objects": [{"bbox": [2, 3, 6, 8]}]})
    with pytest.raises(ValueError, match=r"'objects'.*COCO.*pascal_voc.*BboxParams\('coco'\)"):
        next(iter(DataLoader(dataset, 2, transform=A.Compose(FLIP, bbox_params=A.BboxParams("pascal_voc")), device="cpu")))


def test_a_text_is_no_row_of_boxes():
    """Of two letters beside two boxes."""
    sample = {"image": PICTURE, "bboxes": [[2, 3, 6, 8], [1, 2, 3, 4]], "label": "ok"}
    loader = DataLoader(Repeated(sample), 2, transform=A.Compose(FLIP, bbox_params=A.BboxParams("pascal_voc")), device="cpu")
    assert next(iter(loader))["label"] == ["ok", "ok"]


def test_what_is_beside_dropped_boxes_goes_with_them():
    objects = {"bbox": [[2, 3, 4, 5], [10, 4, 20, 16]], "id": [7, 8], "category": [1, 2], "text": ["a", "b"]}
    crop = A.Compose([A.CenterCrop(8, 8)], bbox_params=A.BboxParams("coco"))
    got = next(iter(DataLoader(Repeated({"image": PICTURE, "objects": objects}), 1, transform=crop, device="cpu")))["objects"]
    assert got == {"bbox": [[[0, 0, 8, 8]]], "id": [[8]], "category": [[2]], "text": [["b"]]}


class Own:
    def __init__(self):
        self.image = PICTURE


def test_an_object_of_another_class_is_an_error_that_says_so():
    for targets, words in (({"image": "image"}, "dicts, tuples, lists and dataclasses only"), (None, "no image was recognized")):
        with pytest.raises(ValueError, match=words):
            next(iter(DataLoader(Repeated(Own()), 2, transform=A.Compose(FLIP), targets=targets, device="cpu")))


@pytest.mark.parametrize("kind", [kind for kind in REFUSED if not kind.compose], ids=lambda kind: kind.title)
def test_the_line_that_hands_on_works(kind, files):
    """Pasted from the message, until there is nothing left to say."""

    def first(kept):
        return next(iter(DataLoader(Repeated(kind.make(files)), 2, transform=A.Compose(FLIP), targets={"untouched": kept},
                                    device="cpu", collate_fn=list)))  # fmt: skip

    kept = []
    for _ in range(4):
        try:
            assert len(first(kept)) == 2
            return
        except ValueError as error:
            kept = [*kept, *ast.literal_eval(re.search(r"'untouched': (\[.*?\])\}\)", str(error))[1])]
    raise AssertionError(kept)


HELD = [{"gt_boxes": types.SimpleNamespace(tensor=np.ones((2, 4)))}, {"gt_masks": np.zeros((2, 24, 40))}]


@pytest.mark.parametrize("held", HELD)
def test_what_an_object_of_another_class_holds_is_looked_at(held):
    """As detectron2's Instances do, which only a collate_fn of the user's takes."""
    dataset = Repeated({"image": PICTURE, "instances": types.SimpleNamespace(size=(24, 40), fields=held)})

    def first(**more):
        return next(iter(DataLoader(dataset, 2, transform=A.Compose(FLIP), device="cpu", collate_fn=list, **more)))

    with pytest.raises(ValueError, match=r"'instances' looks like a SimpleNamespace whose fields.gt_(.|\n)*as a dict"):
        first()
    assert len(first(targets={"untouched": [("instances",)]})) == 2


def test_names_beside_dropped_boxes_go_with_them():
    sample = {"image": PICTURE, "bboxes": BOXES, "labels": ["cat", "dog"], "tags": ["a", "b"]}
    crop = A.Compose([A.CenterCrop(8, 8)], bbox_params=A.BboxParams("pascal_voc"))
    batch = next(iter(DataLoader(Repeated(sample), 1, transform=crop, device="cpu")))
    assert batch["labels"] == [["dog"]]
    assert batch["tags"] == [("a",), ("b",)]


def test_what_an_object_holds_later_is_looked_at_too():
    """The first image has no boxes."""

    class Pictures(Dataset):
        def __len__(self):
            return 2

        def __getitem__(self, i):
            boxes = types.SimpleNamespace(tensor=np.ones((i, 4)))
            return {"image": PICTURE, "instances": types.SimpleNamespace(fields={"gt_boxes": boxes})}

    loader = DataLoader(Pictures(), 1, transform=A.Compose(FLIP), device="cpu", collate_fn=list)
    with pytest.raises(ValueError, match="gt_boxes"):
        list(loader)
