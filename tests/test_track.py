"""Tracks: which launches they become, told from what `docs/architecture.md` says of stages."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from tracks import ALL, FILL, ONE, batch, beside, finished

import gpuaug as G
from gpuaug import maps
from gpuaug.batch import Batch
from gpuaug.ops import OPS
from gpuaug.track import Track


def kinds(plan) -> list[str]:
    return [f"{launch.kind} {launch.source} {launch.target} {sorted(launch.sample.tolist())}" for launch in plan.launches]


def one_weight(track: Track, rows) -> None:
    n = len(track.index(rows))
    track.filter(rows, "separable", ONE, np.zeros(n, np.int64), np.ones((n, 2), np.int64))


# ---- which launches ------------------------------------------------------------------------------


def test_filters_of_different_samples_are_one_launch():
    track = Track(batch())
    one_weight(track, np.array([0, 2]))
    one_weight(track, np.array([3]))
    plan, out = finished(track, "uint8")
    assert kinds(plan) == ["filter uint8 uint8 [0, 2, 3]", "fused uint8 uint8 [1]"]
    np.testing.assert_array_equal(out, track.batch.owner)


def test_stages_that_wait_for_each_other_are_not_one_launch():
    track = Track(batch(2))
    one_weight(track, np.array([0]))
    one_weight(track, np.array([0, 1]))
    plan, _ = finished(track, "uint8")
    assert kinds(plan) == ["filter uint8 uint8 [0]", "filter uint8 uint8 [0, 1]"]


def test_stages_that_end_with_other_types_are_not_one_launch():
    data = batch(2)
    track = Track(data)
    track.op(np.array([0]), "linear_u8", factor=1, offset=0)
    one_weight(track, np.array([0]))
    track.convert("float32", ALL)
    one_weight(track, np.array([1]))
    plan, out = finished(track, "float32")
    assert kinds(plan) == [
        "fused uint8 uint8 [0]",
        "filter uint8 uint8 [0]",
        "fused uint8 float32 [0, 1]",
        "filter float32 float32 [1]",
    ]
    np.testing.assert_array_equal(out, data.owner.astype(np.float32))


def test_views_are_no_launch():
    """Crops and turns of what lies in the caller's memory cost nothing; nothing is copied before a filter."""
    track = Track(batch())
    track.crop(ALL, 1, 1, 4, 6)
    track.orient(np.array([1, 2]), "rot180")
    one_weight(track, ALL)
    plan, out = finished(track, "uint8", (4, 6))
    assert kinds(plan) == ["filter uint8 uint8 [0, 1, 2, 3]"]
    want = track.batch.owner[:, 1:5, 1:7].copy()
    want[1:3] = want[1:3, ::-1, ::-1]
    np.testing.assert_array_equal(out, want)


def test_a_change_of_type_is_more_than_a_view():
    """A filter behind it reads what a launch has converted."""
    data = batch()
    track = Track(data)
    track.convert("float32", ALL)
    one_weight(track, ALL)
    plan, out = finished(track, "float32")
    assert kinds(plan) == ["fused uint8 float32 [0, 1, 2, 3]", "filter float32 float32 [0, 1, 2, 3]"]
    np.testing.assert_array_equal(out, data.owner.astype(np.float32))


def test_operations_are_told_of_a_turn_once():
    """The second operation that looks at positions is where the first one is."""
    track = Track(batch())
    track.op(ALL, "linear_u8", factor=1, offset=1)
    track.orient(ALL, "hflip")
    for value in (9, 5):
        track.op(ALL, "rects", table=np.tile(np.int32([[0, 0, 2, 1]]), (4, 1, 1)), **FILL | {"fill": track.colour(value)})
    plan, _ = finished(track, "uint8")
    row = plan.launches[0].rows[0]
    assert plan.launches[0].ops["code"][row["ops"] : row["ops"] + row["n_ops"]].tolist() == [
        OPS[name].code for name in ("linear_u8", "move", "rects", "rects")
    ]


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(
    "steps",
    [
        lambda: [G.Normalize(), G.Blur(p=0.5), G.Affine(rotate=(-20, 20), p=0.5), G.Blur(p=0.5), G.HorizontalFlip()],
        lambda: [G.RandomBrightnessContrast(p=1), G.Blur(p=0.5), G.Normalize(), G.Blur(p=0.5), G.Affine(scale=1.1, p=0.5)],
    ],
    ids=["float stages", "both types"],
)
def test_a_batch_whose_stages_have_several_types(steps, seed):
    """Launches are shared by samples of one type at the source and one at the target: as each sample alone."""
    compose, data = G.Compose(steps(), seed=seed), batch(12).owner
    together = compose.run({"image": data}, ids=np.arange(12), channels_last=True)["image"]
    for i in range(12):
        alone = compose.run({"image": data[i : i + 1]}, ids=np.array([i]), channels_last=True)["image"]
        np.testing.assert_array_equal(together[i], alone[0], err_msg=str(i))


def test_a_stage_reads_what_the_one_before_it_wrote():
    data = batch()
    track = Track(data)
    track.convert("float32", ALL)
    track.gather(ALL, beside(4), (6, 8), 0)  # closes: the stage is more than a view
    plan, out = finished(track, "float32")
    assert kinds(plan) == ["fused uint8 float32 [0, 1, 2, 3]", "fused float32 float32 [0, 1, 2, 3]"]
    np.testing.assert_array_equal(out, data.owner.astype(np.float32))


# ---- reductions ----------------------------------------------------------------------------------


def moments_of(images: np.ndarray) -> np.ndarray:
    """Number, sum, least and largest value of each channel ``[n, C, 4]``."""
    v = images.reshape(len(images), -1, images.shape[-1]).astype(np.float64)
    return np.stack([np.full((len(v), v.shape[2]), v.shape[1]), v.sum(1), v.min(1), v.max(1)], 2)


def test_moments_behind_a_filter():
    """What they read stays where it is; the caller gets a copy."""
    data = batch()
    track = Track(data)
    one_weight(track, ALL)
    track.reduce(ALL, "moments")
    plan, out = finished(track, "uint8")
    np.testing.assert_array_equal(out, data.owner)
    np.testing.assert_array_equal(plan.found.reshape(4, 3, 5)[..., :4], moments_of(data.owner))


def test_moments_twice_have_a_place_each():
    data = batch()
    track = Track(data)
    track.reduce(np.array([3, 1]), "moments")
    track.crop(ALL, 0, 0, 2, 3)
    track.reduce(ALL, "moments", width=np.array([3, 2, 1, 3]))
    plan, _ = finished(track, "uint8", (2, 3))
    found = plan.found.reshape(6, 3, 5)[..., :4]
    np.testing.assert_array_equal(found[:2], moments_of(data.owner[[3, 1]]))
    for i, width in enumerate((3, 2, 1, 3)):
        np.testing.assert_array_equal(found[2 + i], moments_of(data.owner[i : i + 1, :2, :width])[0])


def test_nothing_that_uses_moments_comes_before_them():
    """The first sample's stage may not join the launch that was made for the second."""
    data = batch(2)
    track = Track(data)
    track.op(np.array([1]), "linear_u8", factor=1, offset=0)
    one_weight(track, np.array([1]))
    mean = track.reduce(np.array([0]), "moments")
    track.op(np.array([0]), "linear_u8_mean", factor=0, offset=1, mean=mean)  # the mean
    one_weight(track, np.array([0]))
    plan, out = finished(track, "uint8")
    assert kinds(plan) == [
        "fused uint8 uint8 [1]",
        "filter uint8 uint8 [1]",
        "reduce uint8 uint8 [0]",
        "fused uint8 uint8 [0]",
        "filter uint8 uint8 [0]",
    ]
    np.testing.assert_array_equal(out[0], np.full_like(out[0], int(data.owner[0].astype(np.float64).mean())))
    np.testing.assert_array_equal(out[1], data.owner[1])


# ---- scratch memory ------------------------------------------------------------------------------


def test_intermediate_images_have_memory_of_their_own():
    """Each at a multiple of 256, 64 bytes behind it free; who reads one reads what was written last of its sample."""
    track = Track(Batch.of([np.zeros((h, 7, 3), np.uint8) for h in (64, 5, 9)]))
    track.op(ALL, "linear_u8", factor=1, offset=1)
    one_weight(track, np.array([2, 0]))
    track.reduce(ALL, "moments")
    track.convert("float32", ALL)
    one_weight(track, np.array([0, 1]))
    plan = track.finish(np.full(3, 7), np.zeros((3, 3)), "uint8")
    plan.place(1 << 20)
    room, last = [], {}
    for launch in plan.launches:
        for sample, row in zip(launch.sample.tolist(), launch.rows):
            if row["src"] >= 1 << 20 and row["src"] < (1 << 20) + plan.scratch_bytes:
                assert row["src"] == last[sample]
            if launch.kind != "reduce" and row["dst"] != 7:
                last[sample] = int(row["dst"])
                h, w = (row["dh"], row["dw"])
                room.append((last[sample], int(h) * int(w) * 3 * (4 if launch.target == "float32" else 1)))
            if launch.kind == "reduce":
                assert row["dst"] == 0
    room.sort()
    assert len(room) == 3 + 2 + 2 + 2
    assert all(at % 256 == 0 for at, _ in room)
    assert room[0][0] == 1 << 20
    assert all(at + size + 64 <= following for (at, size), (following, _) in itertools.pairwise(room))
    assert room[-1][0] + room[-1][1] + 64 <= (1 << 20) + plan.scratch_bytes
    assert plan.scratch_bytes == sum(-(-(size + 64) // 256) * 256 for _, size in room)


# ---- what `explain` tells ------------------------------------------------------------------------


def test_each_launch_is_told_what_it_does():
    track = Track(batch(2))
    track.doing = "A"
    track.op(np.array([1]), "linear_u8", factor=1, offset=0)
    track.doing = "B"
    one_weight(track, np.array([1]))
    track.doing = "C"
    track.op(np.array([0]), "linear_u8", factor=1, offset=0)
    track.doing = "D"
    one_weight(track, np.array([0]))
    track.reduce(ALL, "moments")
    track.doing = "E"
    track.gather(ALL, maps.Resize(track.size, (6, 8)), (6, 8), 1)  # they have that size: nothing
    track.gather(np.array([1]), maps.Resize(track.size[1:], (3, 3)), (3, 3), 1)
    plan = track.finish(np.zeros(2), np.zeros((2, 3)), "uint8")
    assert plan.explain().splitlines() == [
        "1. fused on all samples: A (linear_u8) on 1, C (linear_u8) on 1 [uint8 -> uint8]",
        "2. filter on all samples: B (separable) on 1, D (separable) on 1 [uint8 -> uint8]",
        "3. reduce on all samples: D (moments) [uint8 -> uint8]",
        "4. fused on all samples: E (linear) on 1 [uint8 -> uint8]",
    ]


def test_what_closed_a_stage_is_not_part_of_it():
    track = Track(batch(2))
    track.doing = "A"
    track.op(ALL, "linear_u8", factor=1, offset=0)
    for track.doing in ("B", "C"):
        track.gather(ALL, beside(2), (6, 8), 1)
    track.doing = "D"
    track.gather(ALL, maps.Resize(track.size, (3, 3)), (3, 3), 0)
    plan = track.finish(np.zeros(2), np.zeros((2, 3)), "uint8")
    assert plan.explain().splitlines() == [
        "1. fused on all samples: A (linear_u8) [uint8 -> uint8]",
        "2. fused on all samples: B (linear) [uint8 -> uint8]",
        "3. fused on all samples: C (linear) [uint8 -> uint8]",
        "4. fused on all samples: D (nearest) [uint8 -> uint8]",
    ]


def test_samples_that_have_the_size_are_not_told_to_resize():
    track = Track(Batch.of([np.zeros((3, 4), np.uint8), np.zeros((5, 6), np.uint8)]))
    track.doing = "A"
    track.gather(ALL, maps.Resize(track.size, (3, 4)), (3, 4), 1)
    track.doing = "B"
    one_weight(track, np.array([0]))
    plan = track.finish(np.zeros(2), np.zeros((2, 3)), "uint8")
    assert plan.explain().splitlines() == [
        "1. filter on 1 of 2 samples: B (separable) [uint8 -> uint8]",
        "2. fused on 1 of 2 samples: A (linear) [uint8 -> uint8]",
    ]


# ---- the end -------------------------------------------------------------------------------------


def test_a_stage_that_was_closed_writes_to_each_samples_place():
    data = batch()
    track = Track(data)
    track.op(np.array([2, 0, 3]), "linear_u8", factor=0, offset=9)
    track.close(np.array([2, 0, 1]))
    plan, out = finished(track, "uint8")
    assert kinds(plan) == ["fused uint8 uint8 [0, 1, 2, 3]"]
    np.testing.assert_array_equal(out, np.where(np.array([1, 0, 1, 1])[:, None, None, None], 9, data.owner))


def test_another_type_than_the_last_launch_writes():
    """A filter writes what it reads; to be delivered as float32 its result is copied."""
    data = batch()
    track = Track(data)
    one_weight(track, ALL)
    plan, out = finished(track, "float32")
    assert kinds(plan) == ["filter uint8 uint8 [0, 1, 2, 3]", "fused uint8 float32 [0, 1, 2, 3]"]
    np.testing.assert_array_equal(out, data.owner.astype(np.float32))


def test_labels_reach_their_place():
    data = Batch.of(np.arange(2 * 3 * 4, dtype=np.int32).reshape(2, 3, 4) - 7)
    track = Track(data, "mask")
    track.orient(np.array([1]), "hflip")
    _, out = finished(track, "int32", (3, 4))
    np.testing.assert_array_equal(out[..., 0], np.stack([data.owner[0], data.owner[1, :, ::-1]]))
