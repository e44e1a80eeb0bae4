import collections
import dataclasses

import numpy as np
import pytest

from gpuaug.data.structure import Slot, children, collate, fill, get, outline, rebuild, replace, take_out

Point = collections.namedtuple("Point", "x y")


@dataclasses.dataclass(frozen=True)
class Frozen:
    image: object
    label: int = 0
    size: int = dataclasses.field(default=0, init=False)


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
