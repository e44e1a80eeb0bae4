"""The demo: its photographs, its accounting, and the whole command."""

import itertools
import multiprocessing
import subprocess
import sys
import time

import numpy as np
import pytest
import torch
from PIL import Image

from gpuaug import demo, machine, photographs


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return photographs.photo_folder(tmp_path_factory.mktemp("photographs"), count=24, size=(60, 80))


def test_photographs_lie_in_class_folders(folder):
    classes = sorted(path.name for path in folder.iterdir())
    assert classes == sorted(photographs.PHOTOGRAPHS)
    files = sorted(folder.rglob("*.jpg"))
    assert len(files) == 24
    for file in files:
        with Image.open(file) as image:
            assert image.format == "JPEG"
            assert image.mode == "RGB"
            assert 72 <= image.width <= 88
            assert 54 <= image.height <= 66


def test_photographs_are_no_copies_of_one_another(folder):
    small = [np.asarray(Image.open(file).resize((16, 16)), np.int16) for file in sorted((folder / "cat").iterdir())]
    for i, one in enumerate(small):
        for other in small[:i]:
            assert np.abs(one - other).mean() > 2


def test_photographs_are_the_same_every_time_and_kept(folder, tmp_path):
    again = photographs.photo_folder(tmp_path, count=24, size=(60, 80))
    for file in sorted(folder.rglob("*.jpg")):
        assert (again / file.relative_to(folder)).read_bytes() == file.read_bytes()
    times = {file: file.stat().st_mtime_ns for file in again.rglob("*.jpg")}
    assert photographs.photo_folder(tmp_path, count=24, size=(60, 80)) == again
    assert {file: file.stat().st_mtime_ns for file in again.rglob("*.jpg")} == times


def test_without_variation_all_have_the_size(tmp_path):
    made = photographs.photo_folder(tmp_path, count=9, size=(40, 30), vary=0)
    assert {Image.open(file).size for file in made.rglob("*.jpg")} == {(30, 40)}


def test_an_unfinished_folder_is_made_again(tmp_path):
    made = photographs.photo_folder(tmp_path, count=8, size=(20, 30))
    made.with_suffix(".json").unlink()
    next(made.rglob("*.jpg")).unlink()
    assert len(list(photographs.photo_folder(tmp_path, count=8, size=(20, 30)).rglob("*.jpg"))) == 8


def burn(seconds, ready, go_on):
    end = time.process_time() + seconds
    while time.process_time() < end:
        pass
    ready.set()
    go_on.wait(60)


def test_processor_time_of_running_children_counts():
    """Workers of a DataLoader live on after an epoch: their time must count while they do, and only once after."""
    context = multiprocessing.get_context("fork" if sys.platform == "linux" else None)
    ready, go_on = context.Event(), context.Event()
    child = context.Process(target=burn, args=(0.3, ready, go_on))
    before, own = machine.cpu_seconds(), time.process_time()
    child.start()
    ready.wait(60)
    if sys.platform == "linux":
        running = machine.cpu_seconds() - before - (time.process_time() - own)
        assert 0.25 < running < 0.6  # /proc counts in steps of 10 ms; the start of a process costs some, too
    go_on.set()
    child.join()
    ended = machine.cpu_seconds() - before - (time.process_time() - own)
    assert 0.25 < ended < 0.6


@pytest.mark.slow
def test_the_command_runs_and_writes_its_picture(tmp_path):
    out = tmp_path / "grid.png"
    done = subprocess.run(
        [sys.executable, "-m", "gpuaug.cli", "demo", "--folder", tmp_path, "--count", "16", "--rounds", "1",
         "--batch-size", "8", "--workers", "1", "--device", "cpu", "--out", out],
        capture_output=True, text=True, check=False, timeout=600,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    for words in ("images/s", "CPU ms per image", "gpuaug is at", machine.cpu_name().split(",")[0], str(out)):
        assert words in done.stdout
    assert "of the time goes to" in done.stdout
    assert Image.open(out).size[0] > 8 * 200


def test_the_picture_shows_each_photograph_above_its_versions(folder, tmp_path, monkeypatch):
    from gpuaug.pictures import sheet

    drawn, real = [], sheet.draw
    monkeypatch.setattr(sheet, "draw", lambda rows: drawn.extend(rows) or real(rows))
    path = demo.picture(folder, tmp_path / "grid.png")
    assert path == tmp_path / "grid.png"
    assert [len(row) for row in drawn] == [8, 8, 8]
    for original, first, second in zip(*drawn, strict=True):
        assert original.caption in photographs.PHOTOGRAPHS
        assert "RandomResizedCrop" in first.caption
        assert all(cell.image.std() > 5 for cell in (original, first, second)), "photographs, not flat colours"
        assert np.abs(first.image.astype(int) - second.image).mean() > 2


@pytest.mark.parametrize("option", ["--out", "--folder"])
def test_what_cannot_be_written_is_found_before_anything_is_timed(tmp_path, option):
    (tmp_path / "file").write_text("not a folder")
    where = {"out": tmp_path / "out.png", "folder": tmp_path / "photographs"}
    where[option.strip("-")] = tmp_path / "file" / "below"
    with pytest.raises(ValueError, match=f"cannot be written .* with {option}"):
        demo.run(where["folder"], count=8, rounds=1, out=where["out"])
    assert not (tmp_path / "photographs").exists() or not list((tmp_path / "photographs").iterdir())


def test_a_race_is_timed_by_the_clock_that_it_is_given():
    ticks = itertools.count()
    found = demo.race({"a": lambda: [(torch.zeros(4, 1), torch.zeros(4))] * 2}, 3, torch.device("cpu"), clock=lambda: next(ticks))
    assert found["a"]["images"] == 8
    assert found["a"]["cpu_ms"] == 1000 / 8
