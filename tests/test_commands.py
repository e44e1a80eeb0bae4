"""The command: what it prints and writes, and one sentence with exit code 2 for what is the user's to mend."""

from __future__ import annotations

import subprocess
import sys

import albumentations as A
import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

import gpuaug as G
from gpuaug.cli import build

runner = CliRunner()


def run(*words):
    found = runner.invoke(build(), [str(word) for word in words])
    assert found.exception is None or isinstance(found.exception, SystemExit), found.exception
    return found


@pytest.fixture
def theirs(tmp_path):
    path = tmp_path / "theirs.json"
    A.save(A.Compose([A.RandomCrop(16, 24), A.OneOf([A.Blur(7), A.HorizontalFlip(p=0.3)], p=0.4)]), path)
    return path


def test_convert_and_explain(theirs, tmp_path):
    want = G.Compose([G.RandomCrop(16, 24), G.OneOf([G.Blur(7), G.HorizontalFlip(p=0.3)], p=0.4)])
    printed = run("convert", theirs)
    (tmp_path / "printed.yaml").write_text(printed.output)
    assert G.load(tmp_path / "printed.yaml") == want
    run("convert", theirs, "--out", tmp_path / "ours.json")
    assert G.load(tmp_path / "ours.json") == want
    assert run("convert", theirs, "--to", "json").output.startswith("{")
    told = run("explain", tmp_path / "printed.yaml", "--height", 40, "--width", 60, "--samples", 8).output
    assert told.strip() == G.Compose(want.transforms, seed=0).explain((40, 60), samples=8)


def test_preview_of_files_and_names(theirs, tmp_path):
    for i in range(3):
        (tmp_path / "photos").mkdir(exist_ok=True)
        Image.fromarray(np.full((30, 40, 3), 60 * i, np.uint8)).save(tmp_path / "photos" / f"{i}.jpg")
    out = tmp_path / "sheet.png"
    assert run("preview", theirs, "--images", tmp_path / "photos", "--out", out, "--count", 2).output.strip() == str(out)
    tall = Image.open(out).size[1]
    run("preview", theirs, "--images", tmp_path / "photos", "--out", out, "--count", 3)
    assert Image.open(out).size[1] > tall
    run("preview", "Transpose", "--out", out, "--draws", 2)
    run("preview", "Transpose", "--images", tmp_path / "photos", "--out", out)


def test_info_says_what_is_missing(monkeypatch):
    from gpuaug import machine
    from gpuaug.commands import info

    assert {"gpuaug", "torch", "CPU kernels", "GPU"} <= {row.what for row in info.rows()}
    monkeypatch.setattr(machine, "versions", lambda packages: {})
    remarks = {row.what: row.remark for row in info.rows()}
    assert remarks["PyYAML"].endswith("pip install 'gpuaug[yaml]'")
    told = run("info").output
    assert "CPU kernels" in told
    assert "gpuaug[yaml]" in told


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("preview", "{empty}/nothing.yaml"), "there is no such file"),
        (("preview", "HorizontalFlp"), "did you mean 'HorizontalFlip'"),
        (("preview", "HorizontalFlip", "--images", "{empty}"), "no pictures are in it"),
        (("preview", "HorizontalFlip", "--images", "{empty}/none"), "there is no such folder"),
        (("preview", "HorizontalFlip", "--images", "{broken}"), "cannot be read as a picture"),
        (("preview", "HorizontalFlip", "--out", "{empty}/x.doc"), "a picture's name ends in one of"),
        (("explain", "{unknown}"), "there is no HorizontalFlp; did you mean 'HorizontalFlip'"),
        (("explain", "{argument}"), "probability"),
        (("convert", "{empty}/none.json"), "there is no such file"),
        (("convert", "{empty}"), "this is a folder, and no file"),
        (("preview", "HorizontalFlip", "--out", "{empty}/none/x.png"), "/none/x.png: No such file or directory"),
        (("explain", "{syntax}"), "is no YAML: mapping values are not allowed here, in line 2"),
        (("convert", "{broken}/a.jpg"), "is no JSON"),
        (("convert", "{word}"), "word.yaml holds no pipeline"),
        (("convert", "{bytes}"), "bytes.yaml is no text in UTF-8"),
        (
            ("bench", "pipeline", "HorizontalFlip", "--data", "{photos}", "--device", "gpu"),
            "--device must be cuda or cpu, got 'gpu'",
        ),
        (("demo", "--device", "gpu"), "--device must be cuda or cpu, got 'gpu'"),
        (("demo", "--out", "{empty}/x.doc"), "a picture's name ends in one of"),
        (("demo", "--out", "{broken}/a.jpg/x.png"), "cannot be written"),
    ],
)
def test_what_is_wrong_is_one_sentence(words, says, tmp_path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "a.jpg").write_text("no picture")
    head = "__format__: gpuaug 1\ntransform:\n  __class_fullname__: Compose\n  transforms:\n"
    (tmp_path / "unknown.yaml").write_text(head + "  - {__class_fullname__: HorizontalFlp}\n")
    (tmp_path / "argument.yaml").write_text(head + "  - {__class_fullname__: HorizontalFlip, probability: 1}\n")
    (tmp_path / "word.yaml").write_text("hello\n")
    (tmp_path / "syntax.yaml").write_text("a: 1\nb: c: d\n")
    (tmp_path / "bytes.yaml").write_bytes(b"\xff\xfe")
    (tmp_path / "photos").mkdir()
    Image.new("RGB", (8, 8)).save(tmp_path / "photos" / "a.png")
    places = {name: tmp_path / name for name in ("empty", "broken", "photos")}
    places |= {name: tmp_path / f"{name}.yaml" for name in ("unknown", "argument", "word", "bytes", "syntax")}
    found = run(*(word.format(**places) for word in words))
    assert found.exit_code == 2
    assert says in found.stderr
    assert found.stderr.startswith(f"gpuaug {words[0]}: ")
    assert "Traceback" not in found.stderr


def test_python_m_gpuaug_is_the_command():
    said = subprocess.run([sys.executable, "-m", "gpuaug", "explain", "Transpose"], capture_output=True, text=True, check=True)
    assert "Transpose" in said.stdout


def test_importing_takes_none_of_it():
    heavy = "matplotlib, yaml, typer, rich, psutil, nicegui"
    code = f"import sys, gpuaug; print([name for name in '{heavy}'.split(', ') if name in sys.modules])"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert said.strip() == "[]"
