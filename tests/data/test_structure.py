import collections
import dataclasses

import numpy as np
import pytest
import torch
from PIL import Image
from torchvision import tv_tensors

from gpuaug.data.structure import Slot, children, collate, fill, find_targets, get, outline, rebuild, replace, take_out

Point = collections.namedtuple("Point", "x y")
image, mask, other = np.zeros((8, 6, 3), np.uint8), np.zeros((8, 6), np.int64), np.zeros((5, 5), np.float32)


@dataclasses.dataclass(frozen=True)
class Frozen:
    image: object
    label: int = 0
    size: int = dataclasses.field(default=0, init=False)


@pytest.mark.parametrize(
    ("sample", "found"),
    [
        ((image, 3), {"image": (0,)}),
        ((3, image), {"image": (1,)}),
        ((image, mask), {"image": (0,), "mask": (1,)}),
        ((image, other), {"image": (0,)}),
        ((image, image), {"image": (0,), "mask": (1,)}),
        ((image, np.arange(3)), {"image": (0,)}),
        (Image.new("RGB", (6, 8)), {"image": ()}),
        ((Image.new("RGB", (6, 8)), Image.new("L", (6, 8))), {"image": (0,), "mask": (1,)}),
        (("a.jpg", "b.png", 1), {"image": (0,), "mask": (1,)}),
        (("a.jpg", "a cat"), {"image": (0,)}),
        ((torch.zeros(3, 8, 6), torch.zeros(8, 6)), {"image": (0,), "mask": (1,)}),
        ({"image": image, "mask": mask}, {"image": ("image",), "mask": ("mask",)}),
        ({"image": image, "bboxes": [[1, 2, 3, 4]]}, {"image": ("image",), "bboxes": ("bboxes",)}),
        ({"Image": image, "path": "a.jpg"}, {"image": ("Image",)}),
        ({"path": "a.jpg", "y": 1}, {"image": ("path",)}),
        ({"jpg": b"...", "json": {"label": 1}}, {"image": ("jpg",)}),
        ({"a": {"img": image}, "labels": {"color": 1}}, {"image": ("a", "img")}),
        ({"image": image, "masks": [mask, mask]}, {"image": ("image",), "masks": ("masks",)}),
        ({"images": [image, image]}, {"images": ("images",)}),
        ({"images": image}, {"image": ("images",)}),
        ((image, {"boxes": np.zeros((2, 4)), "labels": [1, 2]}), {"image": (0,)}),
        (Frozen(image), {"image": ("image",)}),
        ({"features": np.zeros(5)}, {}),
        (5, {}),
        ((tv_tensors.Mask(mask), tv_tensors.Image(torch.zeros(3, 8, 6))), {"image": (1,), "mask": (0,)}),
    ],
)
def test_targets_are_recognized(sample, found):
    assert find_targets(sample) == found


def test_labels_of_boxes_are_looked_for():
    sample = {"image": image, "bboxes": [], "meta": {"cls": [1, 2]}}
    assert find_targets(sample, fields=("cls",)) == {"image": ("image",), "bboxes": ("bboxes",), "cls": ("meta", "cls")}
    assert find_targets(sample, {"image": "image"}, ("cls",)) == {"image": ("image",), "cls": ("meta", "cls")}


SAMPLES = [
    5,
    (1, [2, 3], {"a": 4}),
    Point(1, Point(2, 3)),
    {"a": {"b": (1, 2)}},
    collections.OrderedDict(b=1, a=2),
    collections.defaultdict(int, a=1),
    Frozen(1, 2),
]


@pytest.mark.parametrize("sample", SAMPLES, ids=outline)
def test_rebuilding_gives_the_same(sample):
    below = children(sample)
    if below is not None:
        same = rebuild(sample, [c for _, c in below])
        assert same == sample
        for key, child in below:
            assert get(sample, (key,)) == child
            assert get(replace(sample, {(key,): "new"}), (key,)) == "new"
            assert get(sample, (key,)) == child  # not changed in place
    assert replace(sample, {}) is sample
    assert replace(sample, {(): 7}) == 7


def test_there_and_back():
    samples = [{"x": (i, Point(i, str(i))), "y": Frozen(i, i)} for i in range(3)]
    paths = {"image": ("x", 0), "mask": ("y", "image")}
    taken, rests = zip(*(take_out(s, paths) for s in samples))
    assert [t["mask"] for t in taken] == [0, 1, 2]
    batch = collate(list(rests))
    assert isinstance(batch["x"][0], Slot)
    done = fill(batch, {"image": "I", "mask": "M"})
    assert done["x"][0] == "I"
    assert done["x"][1].x.tolist() == [0, 1, 2]
    assert done["x"][1].y == ("0", "1", "2")
    assert (done["y"].image, done["y"].label.tolist()) == ("M", [0, 1, 2])


def test_uneven_samples_are_refused_as_torch_does():
    with pytest.raises(RuntimeError, match="equal size"):
        collate([[1, 2], [1]])
    with pytest.raises(RuntimeError, match="equal size"):
        collate([{"a": np.zeros(2)}, {"a": np.zeros(3)}])
