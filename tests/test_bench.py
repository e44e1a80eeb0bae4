"""The benchmarks' own arithmetic: a wrong ratio would be believed."""

import json
import re
import time
from pathlib import Path

import pytest
import torch

import gpuaug
from bench import gpu, harness, table


def test_ratio_of_known_times():
    timed = harness.interleave(
        {"slow": lambda: time.sleep(0.03), "fast": lambda: time.sleep(0.01)}, rounds=5, warmup=1, least=0.02
    )
    low, middle, high = harness.ratio(timed, "fast", "slow")
    assert low <= middle <= high
    assert 2 < middle < 3.5  # 3, less what a sleep takes longer than it was told
    assert timed["fast"]["calls"] >= 2
    assert sum(timed["fast"]["cpu"]) < 0.5 * sum(timed["fast"]["seconds"])  # a sleep costs no processor time


def test_ratio_is_of_rounds_not_of_medians():
    timed = {"a": {"seconds": [1.0, 2.0, 10.0]}, "b": {"seconds": [2.0, 4.0, 5.0]}}
    assert harness.ratio(timed, "a", "b")[1] == 2.0  # the medians' ratio is 2 too; with round 3 alone it were 0.5
    timed["b"]["seconds"] = [1.0, 4.0, 50.0]
    assert harness.ratio(timed, "a", "b") == (1.5, 2.0, 3.5)


def test_results_carry_versions_and_machine(tmp_path):
    path = harness.write("trial", [{"case": "x", "value": 1 / 3}], out=tmp_path / "trial.json")
    record = json.loads(path.read_text())
    assert record["machine"]["versions"]["torch"] == torch.__version__.split("+")[0]
    assert record["machine"]["device"] == "cpu"
    assert record["machine"]["cores"] >= 1
    assert record["date"].endswith("+00:00")
    assert record["results"][0]["value"] == 0.33333


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU here")
def test_without_a_gpu_nothing_is_measured(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("sys.argv", ["gpu", "--out", str(tmp_path / "gpu.json")])
    gpu.main()
    assert "no GPU" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_every_benchmark_has_its_place_in_the_readme():
    text = table.README.read_text(encoding="utf-8")
    names = {path.stem for path in Path(harness.__file__).parent.glob("*.py")} - {"__init__", "harness", "table"}
    assert set(re.findall(r"<!-- bench:(\w+) -->", text)) == names


def test_every_transform_is_in_the_readme():
    """By name, in the list of what there is."""
    text = table.README.read_text(encoding="utf-8").partition("## What there is")[2].partition("\n## ")[0]
    assert set(gpuaug.REGISTRY) <= set(re.findall(r"\w+", text))


def test_tables_in_the_readme_are_those_of_the_results():
    text = table.README.read_text(encoding="utf-8")
    assert "<!-- bench:transforms -->" in text
    assert table.filled(text) == text, "run python -m bench.table"
