"""The scripts that a person with a card runs (bench/*_run.sh), every command recorded, and what they run on a made-up card."""

from __future__ import annotations

import importlib
import io
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from emu import dali
from emu.gpu import World
from PIL import Image

from bench import harness, loader, parts
from gpuaug.backends.held import Held

ROOT = Path(harness.__file__).resolve().parents[1]
RUNS = ("first_run", "second_run", "third_run")
MOST = 540  # seconds
TOOLS = ("nvidia-smi", "ncu", "compute-sanitizer")
# stands in for programs: each notes its name and arguments; `timeout` runs what it is given; `python` fails where $FAILING says
STUB = """#!{python} -SE
import json, os, re, sys
name, given = os.path.basename(sys.argv[0]), sys.argv[1:]
with open({log!r}, "a") as file:
    file.write(json.dumps([name, *given]) + "\\n")
if name == "timeout":
    os.execvp(given[1], given[1:])
sys.exit(bool(os.environ.get("FAILING") and re.search(os.environ["FAILING"], " ".join(given))))
"""


@pytest.fixture
def run(tmp_path):
    """Runs a script: (its exit status, what it printed, [[program, argument, ..], ..])."""

    def go(name, tools=TOOLS, **environment):
        bin_, log = tmp_path / "bin", tmp_path / "log"
        bin_.mkdir(exist_ok=True)
        log.write_text("")
        for tool in ("timeout", "python", *tools):
            (bin_ / tool).write_text(STUB.format(python=sys.executable, log=str(log)))
            (bin_ / tool).chmod(0o755)
        env = {**os.environ, "PATH": f"{bin_}:/usr/bin:/bin", "PYTHON": str(bin_ / "python"), **environment}
        command = ["bash", str(ROOT / "bench" / f"{name}.sh"), str(tmp_path / "out")]
        done = subprocess.run(command, capture_output=True, text=True, env=env, cwd=tmp_path)
        return done.returncode, done.stdout + done.stderr, [json.loads(line) for line in log.read_text().splitlines()]

    return go


def of_python(calls):
    """The arguments of each call of Python, those of tools that start it included."""
    found = []
    for name, *given in calls:
        if name == "timeout":
            at = next((i for i, word in enumerate(given) if word.endswith("/python")), None)
            found += [given[at + 1 :]] if at is not None else []
    return found


@pytest.mark.parametrize("name", RUNS)
def test_nine_minutes(run, name):
    code, said, calls = run(name)
    assert code == 0, said
    limits = [int(given[0]) for program, *given in calls if program == "timeout"]
    assert len(limits) >= 5
    assert sum(limits) <= MOST
    assert said.rstrip().splitlines()[-1].startswith("results: ")


class Parsed(Exception):
    pass


def stop(text, **defaults):
    raise Parsed(harness.arguments(text, **defaults))


@pytest.mark.parametrize("name", RUNS)
def test_every_command_can_be_run(run, name, monkeypatch, tmp_path):
    """Its module is there and takes these arguments; pytest finds tests with them; what it writes has the name of its step."""
    for given in of_python(run(name)[2]):
        if given[0] == "-c":
            compile(given[1], name, "exec")
            continue
        assert given[0] == "-m", given
        if given[1] == "pytest":
            command = [sys.executable, "-m", "pytest", *given[2:], "--collect-only"]
            done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
            assert done.returncode == 0, done.stdout
            continue
        monkeypatch.setattr("sys.argv", given[1:])
        monkeypatch.syspath_prepend(str(ROOT))
        module = importlib.import_module(given[1])
        if given[1] == "emu.prewarm":
            assert re.fullmatch(r"card|sm_\d+", given[2])
            assert given[3:] == ["build/first_run/references.npz"]
        elif given[1] == "frozen.replay":
            with monkeypatch.context() as patch:
                patch.setattr(Path, "exists", lambda path: False)
                with pytest.raises(SystemExit, match="there is no"):
                    module.main()
        else:
            monkeypatch.setattr(module, "arguments", stop)
            with pytest.raises(Parsed):
                module.main()


def test_ncu_looks_at_all_kernels(run):
    from gpuaug.plan import KINDS

    (command,) = [given for name, *given in run("first_run")[2] if name == "ncu"]
    assert f"regex:^({'|'.join(sorted(KINDS))})_" in command


def test_all_tools_of_the_sanitizer(run):
    calls = [given for name in RUNS[:2] for program, *given in run(name)[2] if program == "compute-sanitizer"]
    assert [given[1] for given in calls] == ["memcheck", "racecheck", "initcheck", "synccheck"]


@pytest.mark.parametrize("name", RUNS)
def test_a_tool_that_is_missing_is_named(run, name):
    code, said, calls = run(name, tools=())
    assert code == 0
    assert "machine: nvidia-smi is not installed, left out" in said
    assert ("racecheck: compute-sanitizer is not installed, left out" in said) == (name == "second_run")
    assert not {program for program, *_ in calls} & set(TOOLS)


def test_without_dali(run):
    code, said, calls = run("third_run", FAILING="^-c import nvidia.dali$")
    assert code == 0
    for step in ("decoding", "operator"):
        assert f"{step}: nvidia.dali is not installed, left out" in said
    assert [given[given.index("--only") + 1] for given in of_python(calls) if "--only" in given] == ["loading", "parts"]


@pytest.mark.parametrize("name", RUNS)
def test_a_machine_that_cannot_is_left_at_once(run, name):
    code, said, calls = run(name, FAILING="import sys, torch, cupy")
    assert code == 1
    assert "stopped: see" in said
    assert len(of_python(calls)) == 1


def test_a_step_that_fails_is_named_and_the_others_run(run):
    code, said, calls = run("second_run", FAILING="frozen.replay")
    assert code == 1
    assert said.rstrip().endswith("failed: references")
    assert any("bench.gpu" in given for given in of_python(calls))


# ---- what the third one runs, on a card that is made up --------------------------------------------------------


def pictures(count: int) -> list[bytes]:
    out = []
    for seed in range(count):
        rng, file = np.random.default_rng(seed), io.BytesIO()
        areas = rng.integers(0, 256, (*rng.integers(9, 16, 2), 3), dtype=np.uint8).repeat(8, 0).repeat(8, 1)
        Image.fromarray(areas).save(file, "PNG")
        out.append(file.getvalue())
    return out


FILES = pictures(20)


@pytest.fixture(scope="module")
def on_cpu():
    """What the CPU makes of the pictures, before there is a made-up card."""
    made = {}
    for files in (FILES, parts.pngs(FILES)):
        made["decoded", len(files[0])] = parts.decoded(files, "cpu")
        for make in (parts.moving, parts.training):
            made[make.__name__, len(files[0])] = parts.loaded(files, "cpu", make, 1)
    return made


@pytest.fixture
def made_up(monkeypatch, on_cpu):
    pytest.importorskip("nvidia.dali")
    from gpuaug.data import loader as of_loader

    decoded, loaded = parts.decoded, parts.loaded

    def of_decoded(files, device):
        return on_cpu["decoded", len(files[0])] if device == "cpu" else decoded(files, device)

    def of_loaded(files, device, make, epochs=2):
        return on_cpu[make.__name__, len(files[0])] if device == "cpu" else loaded(files, device, make, epochs)

    monkeypatch.setattr(parts, "decoded", of_decoded)
    monkeypatch.setattr(parts, "loaded", of_loaded)
    # torch has no memory here for what is beside the images
    monkeypatch.setattr(of_loader, "fill", lambda rest, values, device=None, real=of_loader.fill: real(rest, values))

    def make(seed):
        world = World(seed)
        world.install(monkeypatch)
        dali.install(monkeypatch, world)
        monkeypatch.setattr(torch.cuda, "synchronize", world.finish)

    return make


@pytest.mark.parametrize("seed", range(2))
def test_the_loader_on_a_made_up_card(made_up, seed):
    made_up(seed)
    rows = parts.loading(FILES, "cuda") + parts.decoding(FILES, "cuda")
    assert len(rows) == 6
    assert not [row for row in rows if row["wrong"]]


def test_a_loader_that_holds_nothing_is_found_out(made_up, monkeypatch):
    monkeypatch.setattr(Held, "keep", lambda self, event, what: None)
    for seed in range(6):
        made_up(seed)
        try:
            if any(row["wrong"] for row in parts.loading(FILES, "cuda")):
                return
        except AssertionError:  # of the world
            return
    raise AssertionError("nothing was found")


def test_another_decoder_is_told_and_a_wrong_one_found_out(monkeypatch):
    """A card whose JPEGs are a level brighter; and one that swaps channels."""
    decoded = parts.decoded
    other = {"cpu": lambda x: x, "brighter": lambda x: np.minimum(x, 254) + 1, "swapped": lambda x: x[..., ::-1]}
    monkeypatch.setattr(parts, "decoded", lambda files, device: [other[device](image) for image in decoded(files, "cpu")])
    jpeg, png = parts.decoding(FILES, "brighter")
    assert not jpeg["wrong"]
    assert jpeg["worst"] == 1
    assert png["wrong"]
    assert parts.decoding(FILES, "swapped")[0]["wrong"]


def test_rates_of_the_parts(tmp_path):
    for i, data in enumerate(FILES):
        path = tmp_path / "ab"[i % 2] / f"{i:03}.png"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(data)
    files = parts.jpegs(tmp_path, 5)
    assert files == FILES[:5], "class by class in turn"
    result = parts.parts(tmp_path, 8, 0, torch.device("cpu"), 2)
    assert [*result["parts"]] == ["read", "decode", "kernels", "whole"]
    assert all(len(rates) == 2 and min(rates) > 0 for rates in result["parts"].values())
    assert min(result["parts"]["read"]) > max(result["parts"]["whole"])
    assert "| decode |" in loader.table([result])
