"""References that are carried to a GPU (`frozen`): each is the test's that it comes from, and what is altered is found out."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import parity
import pytest
from frozen import replay
from frozen.freeze import freeze
from frozen.store import Reader
from test_chains import COINS, FIXED

from gpuaug.whole import Whole


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    path = tmp_path_factory.mktemp("frozen") / "references.npz"
    freeze(path)
    return path


def test_all_are_met(file, device):
    rows = replay.replay(file, device)
    wrong = [f"{row['case']}, {row['kind']}, {row['dtype']}: {row['wrong']}" for row in rows if row["wrong"]]
    assert not wrong, "\n".join(wrong)
    assert sum(row["values"] for row in rows) > 10_000_000


def test_nothing_is_missing(file):
    """Each case with bytes and with float32 images, and with masks; each chain with both; but what is named."""
    record = Reader(file).record
    left_out = {repr(case) for case in parity.CASES if isinstance(case.ours, Whole)}
    assert set(record["left_out"]) == left_out
    assert len(left_out) <= 2
    there = {(row["name"], row["kind"], row["dtype"]) for row in record["rows"]}
    for case in parity.CASES:
        if repr(case) not in left_out:
            assert {(repr(case), "image", dtype) for dtype in ("uint8", "float32") if dtype in case.bounds} <= there
            assert not case.mask or (repr(case), "mask", "int32") in there
    assert {(f"chain: {name}", "chain", dtype) for name in (*FIXED, *COINS) for dtype in ("uint8", "float32")} <= there


def test_bounds_are_those_of_the_tests(file):
    cases = {repr(case): case for case in parity.CASES}
    for row in Reader(file).record["rows"]:
        if row["kind"] == "chain":
            continue
        case = cases[row["name"]]
        bound = (parity.EXACT if case.exact_mask else parity.NEAREST) if row["kind"] == "mask" else case.bounds[row["dtype"]]
        assert row["bound"] == {"near": bound.near, "far": bound.far, "share": bound.share}, row["name"]


def altered(value):
    """What no bound allows of one value: the far side of its range."""
    if value.dtype == np.uint8:
        return np.where(value < 128, 255, 0).astype(np.uint8)
    return value + 1


def test_an_altered_reference_is_found_out(file):
    """The first value of one picture of each reference; where a bound lets a few values differ by as much, all of them."""
    store, blind = Reader(file), []
    for row in store.record["rows"]:
        wants = replay.wanted(row, store)
        got = replay.one(row, store, "cpu")
        chain = row["kind"] == "chain"
        k = int(np.argmax([np.size(want[0] if chain else want) for want in wants]))
        want = (wants[k][0] if chain else wants[k]).copy()
        lenient = not chain and row["bound"]["far"] >= (127 if row["dtype"] == "uint8" else 0.5)
        some = slice(None) if lenient else slice(1)
        want.reshape(-1)[some] = altered(want.reshape(-1)[some])
        wants[k] = (want, wants[k][1]) if chain else want
        if not replay.check(row, wants, got)["wrong"]:
            blind.append((row["name"], row["kind"], row["dtype"], row.get("bound")))
    assert not blind


def test_shape_and_type_are_compared(file):
    store = Reader(file)
    row = next(row for row in store.record["rows"] if (row["name"], row["dtype"]) == ("HorizontalFlip", "uint8"))
    wants, got = replay.wanted(row, store), replay.one(row, store, "cpu")
    assert not replay.check(row, wants, got)["wrong"]
    assert "the reference has" in replay.check(row, wants, [image[:, :-1] for image in got])["wrong"]
    assert "the reference has uint8" in replay.check(row, wants, [image.astype(np.float32) for image in got])["wrong"]


def test_an_error_is_a_reference_that_is_not_met(file, monkeypatch):
    monkeypatch.setattr(replay, "ours", lambda *given, **how: 1 / 0)
    rows = replay.replay(file, "cpu", only="HorizontalFlip")
    assert all(row["wrong"].startswith("ZeroDivisionError") for row in rows if row["kind"] != "chain")


ROOT = Path(__file__).parents[1]
ENV = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "tests")])}
BARE = "albumentations albucore sklearn skimage scipy torchvision kornia parity chains"


def test_a_bare_machine(file, tmp_path):
    """Without the references' libraries, as a command."""
    code = f"""
import runpy, sys
sys.modules.update(dict.fromkeys({BARE.split()!r}))
sys.argv = ["replay", {str(file)!r}, "--only", "Flip,chain: blurs,Affine-linear", "--out", {str(tmp_path / "parity.json")!r}]
runpy.run_module("frozen.replay", run_name="__main__")"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=ENV)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "references met" in done.stdout
    record = json.loads((tmp_path / "parity.json").read_text())
    assert record["machine"]["device"] == "cpu"
    assert {"Affine-linear", "chain: blurs", "HorizontalFlip"} <= {row["case"] for row in record["results"]}


def test_a_file_that_is_not_there(tmp_path, monkeypatch):
    monkeypatch.setattr("sys.argv", ["replay", str(tmp_path / "none.npz")])
    with pytest.raises(SystemExit, match=r"python -m frozen\.freeze"):
        replay.main()


def test_a_file_of_another_format(tmp_path):
    np.savez(tmp_path / "old.npz", record=np.frombuffer(b'{"format": 0}', np.uint8))
    with pytest.raises(ValueError, match="has the format 0, this reads 1: freeze the references again"):
        Reader(tmp_path / "old.npz")
