"""What copies of a pipeline draw: forked, spawned, pickled, made anew; and what repeats a run."""

from __future__ import annotations

import copy
import multiprocessing
import os
import pickle
import subprocess
import sys
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from functools import partial
from pathlib import Path

import joblib
import numpy as np
import pytest
import torch

import gpuaug as G
import gpuaug.audio as audio

TASKS = 32
IMAGE = np.full((8, 8), 0.5, np.float32)
WAVE = torch.linspace(-1, 1, 64)[None]


def noise(seed=None) -> G.Compose:
    return G.Compose([G.GaussNoise(p=1)], seed=seed)


def image(aug) -> bytes:
    """What a call without ids draws."""
    return aug(IMAGE).tobytes() if isinstance(aug, G.Compose) else aug(WAVE).numpy().tobytes()


PIPELINES = {None: noise(), 42: noise(42), "step": audio.AddNoise(prob=1.0),
             "audio": audio.Compose([audio.AddNoise(prob=1.0)], seed=3)}  # fmt: skip
KINDS = pytest.mark.parametrize("kind", list(PIPELINES), ids=str)


def of_global(kind, task) -> int:
    return hash(image(PIPELINES[kind]))


def of_argument(aug, task) -> int:
    return hash(image(aug))


def of_new(task) -> int:
    return hash(image(noise()))


# ---- no copy repeats another ---------------------------------------------------------------------------------------------


@KINDS
def test_a_forked_pool_with_a_global(kind):
    with multiprocessing.get_context("fork").Pool(4) as pool:
        seen = pool.map(partial(of_global, kind), range(TASKS), chunksize=1)
    assert len({*seen, of_global(kind, 0)}) == TASKS + 1


@KINDS
def test_an_executor_with_an_argument(kind):
    with ProcessPoolExecutor(4, multiprocessing.get_context("fork")) as pool:
        seen = list(pool.map(partial(of_argument, PIPELINES[kind]), range(TASKS)))
    assert len(set(seen)) == TASKS


def test_joblib():
    seen = joblib.Parallel(2)(joblib.delayed(of_argument)(PIPELINES[kind], i) for i in range(TASKS) for kind in (None, 42))
    assert len(set(seen)) == 2 * TASKS


def test_pipelines_that_are_made_in_forked_processes():
    """They inherit one state of torch's generator."""
    with multiprocessing.get_context("fork").Pool(4) as pool:
        seen = pool.map(of_new, range(TASKS), chunksize=1)
    assert len(set(seen)) == TASKS


@KINDS
def test_threads(kind):
    with ThreadPoolExecutor(4) as pool:
        seen = list(pool.map(partial(of_global, kind), range(TASKS)))
    assert len(set(seen)) == TASKS


def test_forks_of_forks():
    """Children, their children, and the process itself, each with the next fork while the last lives."""
    aug = noise(42)

    def family(depth) -> list[bytes]:
        found = [image(aug)]
        for _ in range(2 if depth else 0):
            read, write = os.pipe()
            if os.fork() == 0:
                with os.fdopen(write, "wb") as pipe:
                    pipe.write(pickle.dumps(family(depth - 1)))
                os._exit(0)
            os.close(write)
            with os.fdopen(read, "rb") as pipe:
                found += pickle.loads(pipe.read())
            os.wait()
        return found

    seen = family(2)
    assert len(seen) == 7
    assert len(set(seen)) == 7


SPAWNED = """
import multiprocessing
import numpy as np, torch, gpuaug as G
torch.manual_seed(1)
SEEDED, NOT = G.Compose([G.GaussNoise(p=1)], seed=42), G.Compose([G.GaussNoise(p=1)])

def work(seen, *given):
    seen.put([[aug(np.full((8, 8), 0.5, np.float32)).tobytes() for _ in range(16)] for aug in (SEEDED, NOT, *given)])

if __name__ == "__main__":
    context = multiprocessing.get_context("spawn")
    seen = context.SimpleQueue()
    for _ in range(2):
        context.Process(target=work, args=(seen, SEEDED, NOT)).start()
    for a, b in zip(seen.get(), seen.get()):
        print(len({*a, *b}))
"""


def test_spawned_processes(tmp_path):
    """Each imports the program anew, seeds and all, and is given pickles."""
    script = tmp_path / "spawned.py"
    script.write_text(SPAWNED)
    env = {**os.environ, "PYTHONPATH": str(Path(G.__file__).parent.parent)}
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, timeout=300, env=env, check=True)
    assert done.stdout.split() == ["32"] * 4


# ---- instances and calls -------------------------------------------------------------------------------------------------


def test_without_a_seed_no_two_draw_alike():
    seen = {image(noise()) for _ in range(100)} | {image(PIPELINES[None]) for _ in range(100)}
    assert len(seen) == 200
    a, b = noise(), noise()
    assert image(a) != image(b)
    assert not np.array_equal(a(IMAGE, ids=[0]), b(IMAGE, ids=[0]))


class Made(torch.utils.data.Dataset):
    """Makes its pipeline where it uses it, or holds one; by_id: names its samples."""

    def __init__(self, aug=None, by_id=False):
        self.aug, self.by_id = aug, by_id

    def __len__(self):
        return 16

    def __getitem__(self, i):
        aug = noise() if self.aug is None else self.aug
        return aug(IMAGE, ids=[i]) if self.by_id else aug(IMAGE)


def epochs(dataset, workers=2, start="fork", count=2) -> list[bytes]:
    start = start if workers else None
    loader = torch.utils.data.DataLoader(dataset, batch_size=4, num_workers=workers, multiprocessing_context=start)
    return [x.numpy().tobytes() for _ in range(count) for batch in loader for x in batch]


@pytest.mark.parametrize("start", ["fork", "spawn"])
def test_pipelines_made_in_getitem(start):
    seen = epochs(Made(), start=start, count=1 if start == "spawn" else 2)
    assert len(set(seen)) == len(seen)


# ---- runs repeat ---------------------------------------------------------------------------------------------------------


def test_a_seed_repeats_a_run_with_workers():
    first, again = (epochs(Made(noise(42))) for _ in range(2))
    assert first == again
    assert len(set(first)) == 32, "neither workers nor epochs draw alike"
    aug = noise(42)
    aug(IMAGE)
    assert epochs(Made(aug)) != first


def test_a_seed_repeats_a_run_with_spawned_workers():
    first, again = (epochs(Made(noise(42)), start="spawn", count=1) for _ in range(2))
    assert first == again
    assert len(set(first)) == 16


def test_a_seed_repeats_a_run_in_another_process():
    code = "import sys, test_copies as t; print(hash(tuple(t.epochs(t.Made(t.noise(42))))))"
    env = {**os.environ, "PYTHONHASHSEED": "0"}
    env["PYTHONPATH"] = os.pathsep.join([str(Path(G.__file__).parent.parent), str(Path(__file__).parent)])
    runs = [subprocess.run([sys.executable, "-c", code], capture_output=True, env=env, timeout=300, check=True) for _ in "ab"]
    assert runs[0].stdout == runs[1].stdout


def test_ids_make_a_sample_independent_of_the_workers():
    want = epochs(Made(noise(42), by_id=True), workers=0, count=1)
    for workers in (1, 2):
        assert epochs(Made(noise(42), by_id=True), workers=workers, count=1) == want


@pytest.mark.parametrize("by_id", [False, True])
@pytest.mark.parametrize("made", [False, True])
@pytest.mark.parametrize("workers", [0, 2])
def test_manual_seed_repeats_a_run(workers, made, by_id):
    seen = []
    for seed in (5, 5, 6):
        torch.manual_seed(seed)
        seen.append(epochs(Made(None if made else noise(), by_id), workers))
    assert seen[0] == seen[1]
    assert not set(seen[0]) & set(seen[2])


def test_manual_seed_repeats_calls_of_one_pipeline():
    """As torchvision's: whether it was used before makes no difference."""
    for aug in (PIPELINES[None], PIPELINES["step"]):
        seen = []
        for _ in range(2):
            torch.manual_seed(5)
            seen.append([image(aug) for _ in range(3)])
        assert seen[0] == seen[1]
        assert len(set(seen[0])) == 3


# ---- copies and states ---------------------------------------------------------------------------------------------------


def test_a_deep_copy_is_a_twin():
    aug = noise(42)
    image(aug)
    twin = copy.deepcopy(aug)
    assert twin.state_dict() == aug.state_dict()
    assert image(twin) == image(aug)
    unseeded = noise()
    assert image(copy.deepcopy(unseeded)) != image(unseeded)


def test_a_pickled_copy_has_numbers_of_its_own():
    """Its state resumes it exactly, in another instance too; with ids all copies draw alike."""
    aug = noise(42)
    copies = [pickle.loads(pickle.dumps(aug)) for _ in range(3)]
    assert len({image(each) for each in [aug, *copies, pickle.loads(pickle.dumps(copies[0]))]}) == 5
    assert len({each(IMAGE, ids=[3]).tobytes() for each in [aug, *copies]}) == 1
    again = noise(7)
    again.load_state_dict(pickle.loads(pickle.dumps(copies[1].state_dict())))
    assert [image(again) for _ in range(3)] == [image(copies[1]) for _ in range(3)]


def test_states_from_before_copies_were_told_apart_load():
    aug, want = noise(), noise(42)
    aug.load_state_dict({"_extra_state": {"seed": 42, "counter": 1}})
    image(want)
    assert image(aug) == image(want)


def test_a_state_keeps_the_seed_of_calls_with_ids():
    aug, again = noise(), noise()
    want = aug(IMAGE, ids=[3])
    again.load_state_dict(aug.state_dict())
    np.testing.assert_array_equal(again(IMAGE, ids=[3]), want)
