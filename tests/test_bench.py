"""The benchmarks' own arithmetic: a wrong ratio would be believed."""

import json
import re
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

import gpuaug
from bench import gpu, harness, peers, table


def test_ratio_of_known_times(monkeypatch):
    wall, cpu = [0.0], [0.0]
    monkeypatch.setattr(harness, "time", SimpleNamespace(perf_counter=lambda: wall[0], process_time=lambda: cpu[0]))

    def call(seconds, working):
        wall[0] += seconds
        cpu[0] += working

    timed = harness.interleave(
        {"slow": lambda: call(0.03, 0.01), "fast": lambda: call(0.01, 0.005)}, rounds=5, warmup=1, least=0.025
    )
    assert harness.ratio(timed, "fast", "slow") == pytest.approx((3, 3, 3))
    assert harness.ratio(timed, "fast", "slow", "cpu") == pytest.approx((2, 2, 2))
    assert {name: each["calls"] for name, each in timed.items()} == {"slow": 1, "fast": 3}
    assert timed["fast"]["seconds"] == pytest.approx([0.01] * 5)


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


class Card:
    """A clock of the host and one of a card, which goes through what is queued on its own."""

    def __init__(self):
        self.now = self.free = 0.0

    def work(self, host, device):
        self.now += host
        self.free = max(self.now, self.free) + device

    def _sleep(self, cycles):
        self.work(0, cycles / gpu.CYCLES)

    def synchronize(self):
        self.now = max(self.now, self.free)

    def Event(self, enable_timing):
        event = SimpleNamespace()
        event.record = lambda: setattr(event, "at", max(self.now, self.free))
        event.query = lambda: event.at <= self.now
        event.elapsed_time = lambda last: 1e3 * (last.at - event.at)
        return event


def test_kernels_are_timed_and_not_the_host():
    """A host of 300 us before kernels of 50 us: between events around a call it would be 350."""
    card = Card()
    timed = gpu.behind_a_sleep(lambda: card.work(300e-6, 50e-6), 20, card, lambda: card.now)
    assert timed["device_us"] == pytest.approx([50] * 20)
    assert timed["host_us"] == pytest.approx([300] * 20)
    assert not timed["waits"]


def test_who_waits_for_the_card_is_marked():
    card = Card()

    def call():
        card.work(300e-6, 50e-6)
        card.synchronize()

    timed = gpu.behind_a_sleep(call, 20, card, lambda: card.now)
    assert timed["waits"]
    assert timed["device_us"] == pytest.approx([350] * 20)


def test_a_host_that_was_disturbed_is_tried_again():
    card, calls = Card(), []

    def call():
        calls.append(1)
        card.work(0.2 if len(calls) == 30 else 300e-6, 50e-6)

    timed = gpu.behind_a_sleep(call, 20, card, lambda: card.now)
    assert not timed["waits"]
    assert timed["device_us"] == pytest.approx([50] * 20)


def test_counted_bound_of_a_case():
    counted = {row["case"]: row["sass"] for row in json.loads(gpu.FILE.read_text())["results"]}
    us = gpu.issue_us("flip u8", 256 * 224 * 224, 132, 1.755e9)
    assert us == pytest.approx(256 * 224 * 224 * counted["flip u8"] / (132 * 128 * 1755))
    assert gpu.issue_us("statistics u8", 1, 132, 1e9) is None  # its count is of one kernel of several


def test_table_of_a_gpu():
    side = {"device_us": [50.0], "host_us": [300.0], "waits": False}
    timed = {"gpuaug": side, "Kornia": {**side, "device_us": [900.0], "waits": True}}
    row = {"case": "flip u8", "batch": 100, "share_of_copy": 0.8, "timed": timed, "issue_us": 41.0}
    text = gpu.table([{"case": "copy bandwidth of the card", "gigabytes_per_second": 3000.0}, row])
    assert "| flip u8 | gpuaug | 50 | 300 | 2.00 | 80 % | 41 | 1 |" in text
    assert "| flip u8 | Kornia | 900 with its host | 300 | 0.11 |  |  | 18.00x slower |" in text


def test_a_run_on_a_made_up_card(monkeypatch, tmp_path, capsys):
    """All but the card: torch's tensors stay where they are, and Compose.run, too."""
    run, seen = gpuaug.Compose.run, []

    def on_cpu(self, targets, *, device, **how):
        seen.append(device)
        return run(self, targets, device="cpu", **how)

    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "synchronize", lambda: None)
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda n: SimpleNamespace(multi_processor_count=132))
    monkeypatch.setattr(torch.Tensor, "cuda", lambda self: self)
    monkeypatch.setattr(torch.nn.Module, "cuda", lambda self: self)
    monkeypatch.setattr(gpuaug.Compose, "run", on_cpu)
    monkeypatch.setattr(gpu, "copy_bandwidth", lambda: 3e12)
    monkeypatch.setattr(gpu, "write", lambda name, results, device, out: harness.write(name, results, out=out))
    once = {"device_us": [100.0], "host_us": [200.0], "waits": False}
    monkeypatch.setattr(gpu, "behind_a_sleep", lambda call, rounds, queued=True: call() is not None and once)
    monkeypatch.setattr(torch, "compile", lambda module: module)  # half a minute for each
    what = ["gpu", "--batch", "2", "--only", "flip,blur 7,affine + brightness", "--counts"]
    monkeypatch.setattr("sys.argv", [*what, "--out", str(tmp_path / "gpu.json")])
    gpu.main()
    assert seen
    assert set(seen) == {"cuda"}
    rows = json.loads((tmp_path / "gpu.json").read_text())["results"][1:]
    flip = next(row for row in rows if row["case"] == "flip u8")
    per_sample, compiled = "torchvision v2, per sample", "Kornia, compiled"
    assert set(flip["timed"]) == {"gpuaug", "Kornia", compiled, "torchvision v2", per_sample, "DALI"}
    assert flip["bytes_moved"] == 2 * 2 * 224 * 224 * 3
    assert flip["share_of_copy"] == pytest.approx(flip["bytes_moved"] / 100e-6 / 3e12, rel=1e-4)
    assert flip["issue_us"] > 0
    assert "affine + brightness" in capsys.readouterr().out
    seen.clear()
    monkeypatch.setattr("sys.argv", [*what, "--once"])
    gpu.main()
    assert len(seen) == len(rows)
    monkeypatch.setattr("sys.argv", ["gpu", "--batch", "2", "--peers", "alone", "--out", str(tmp_path / "peers.json")])
    gpu.main()
    rows = json.loads((tmp_path / "peers.json").read_text())["results"][1:]
    assert {row["case"] for row in rows} == {"flip u8", peers.NORMALIZED, peers.CHAIN, peers.BLUR}
    assert all({"Kornia", compiled, "torchvision v2", per_sample, "DALI"} <= set(row["timed"]) for row in rows)
    said = capsys.readouterr().err
    assert "without CV-CUDA: No module" in said
    assert "without triton-augment: No module" in said


def values(out):
    """float32 [B, 3, H, W] in 0..1, or as normalized."""
    if isinstance(out, tuple):  # DALI's
        out = torch.stack([torch.from_numpy(np.array(out[0].at(k))) for k in range(len(out[0]))])
    out = out.permute(0, 3, 1, 2) if out.shape[-1] == 3 else out
    return out.float() / 255 if out.dtype == torch.uint8 else out


def test_peers_do_what_ours_does(monkeypatch, capsys):
    """Where nothing is drawn their results are ours; else of the same shape and range, and other in each call."""
    monkeypatch.setattr(torch, "compile", lambda module: module)
    given = gpu.pixels_of(2, 96)
    planes = given.permute(0, 3, 1, 2).contiguous()
    found = peers.peers(peers.Inputs(given, planes, planes.float() / 255))
    assert set(found) == set(peers.PEERS) - {"CV-CUDA", "triton-augment"}
    ours = {"flip u8": [gpuaug.HorizontalFlip(p=1)]}
    ours[peers.NORMALIZED] = [gpuaug.HorizontalFlip(p=1), gpuaug.Normalize(peers.MEAN, peers.STD)]
    for who, cases in found.items():
        for case, steps in ours.items():
            want = gpuaug.Compose(steps, seed=0).run({"image": given.numpy()}, ids=[0, 1], channels_last=False)["image"]
            # normalized values are below 2.7, where half a unit is 1.2e-7; each library rounds a few times, in its own order
            torch.testing.assert_close(values(cases[case]()), values(want), rtol=0, atol=2e-6, msg=f"{who}, {case}")
        for case, most in ((peers.CHAIN, 2.7), (peers.BLUR, 1.0)):
            one, two = (values(cases[case]()) for _ in range(2))
            assert one.shape == (2, 3, 96, 96)
            assert one.abs().max() <= most
            assert not torch.equal(one, two), f"{who}, {case}"
            assert one.std() > 0.1


def test_a_peer_that_fails_is_named(monkeypatch, capsys):
    made = {"Kornia": peers.Peer(lambda given: 1 / 0), "DALI": peers.Peer(lambda given: {"flip u8": None})}
    monkeypatch.setattr(peers, "PEERS", made)
    assert peers.peers(None) == {"DALI": {"flip u8": None}}
    assert "without Kornia, which failed: ZeroDivisionError" in capsys.readouterr().err


def test_cases_are_chosen_by_words():
    assert gpu.chosen("blur 7,blur 3") == ["blur 3 u8", "blur 7 u8"]
    assert "ToGray u8" not in gpu.chosen("")  # it has no goal
    with pytest.raises(SystemExit, match="nothing like this"):
        gpu.chosen("nothing like this")


def test_kernels_for_the_first_run():
    """Every kind that a card meets there is compiled beforehand."""
    from emu import prewarm

    kinds = {key.kind for key in prewarm.wanted_keys()}
    assert {"fused", "filter", "reduce", "rank"} <= kinds


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU here")
def test_without_a_gpu_nothing_is_measured(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("sys.argv", ["gpu", "--out", str(tmp_path / "gpu.json")])
    gpu.main()
    assert "no GPU" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_every_benchmark_has_its_place_on_the_page():
    text = table.MEASURED.read_text(encoding="utf-8")
    names = {path.stem for path in Path(harness.__file__).parent.glob("*.py")} - {"__init__", "harness", "table"}
    names -= {"parts", "peers", "scale"}  # of loader, of gpu, and docs/scale.md's
    assert "python -m bench.scale" in (table.README.parent / "docs" / "scale.md").read_text(encoding="utf-8")
    assert set(re.findall(r"<!-- bench:(\w+) -->", text)) == names


def test_every_transform_is_in_the_readme():
    """By name, in the list of what there is."""
    text = table.README.read_text(encoding="utf-8").partition("## What there is")[2].partition("\n## ")[0]
    assert set(gpuaug.REGISTRY) <= set(re.findall(r"\w+", text))


def test_tables_are_those_of_the_results():
    for page in table.PAGES:
        text = page.read_text(encoding="utf-8")
        assert "<!-- bench:" in text
        assert table.filled(text) == text, "run python -m bench.table"


def test_unit_costs_of_many_ranks():
    """Each case that needs no server, made small."""
    from bench import scale

    assert scale.in_order(1000, 10)["part"] == 100
    assert scale.dealt_anew(10_000, 20)["samples"] == 10_000
    assert [scale.continued(2000, share)["share"] for share in (0, 0.9)] == [0, 0.9]
    assert scale.folder(50)["samples"] == 50
    assert scale.shards(600, 2)["samples"] == 1200
    assert scale.caches(30)["samples"] == 30
    sizes = scale.state_bytes()
    assert sizes["fresh"] < sizes["three_changes"] < 600 < sizes["ranks_apart"]
