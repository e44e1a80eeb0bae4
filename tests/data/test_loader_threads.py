"""The loader's thread and processes: they end when nobody consumes any more, and a fault in them is an error, never a hang."""

import contextlib
import gc
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from conftest import N, eventually, held, jpeg, ours
from fake_compose import FakeCompose
from torch.utils.data import Dataset
from torchvision.datasets import ImageFolder

from gpuaug.data import BadSampleError, DataLoader
from gpuaug.data.channel import Channel, Closed

pytestmark = pytest.mark.usefixtures("no_leaks")


def load(folder, **kw):
    return DataLoader(ImageFolder(folder), 3, num_workers=1, transform=FakeCompose(8), device="cpu", **kw)


def gone():
    eventually(lambda: not ours(), ours)
    return True


def test_break_ends_the_thread(shared_folder):
    for _ in load(shared_folder):
        assert ours()
        break
    assert gone()


def test_an_exception_in_the_loop_ends_the_thread(shared_folder):
    loader = load(shared_folder)
    try:
        for _ in loader:
            raise ZeroDivisionError
    except ZeroDivisionError:
        pass
    assert gone()
    assert sum(len(x) for x, _ in loader) == N


def test_a_consumer_that_stops_and_one_that_is_collected(shared_folder):
    loader = load(shared_folder)
    iterator = iter(loader)
    next(iterator)
    cycle = [iterator]
    cycle.append(cycle)
    del iterator, cycle
    gc.collect()
    assert gone()


def test_an_exception_in_the_transform_ends_the_thread(shared_folder):
    class Broken(FakeCompose):
        def run(self, *args, **kw):
            raise ValueError("image 1 is no good")

    loader = DataLoader(ImageFolder(shared_folder), 3, transform=Broken(), device="cpu")
    with pytest.raises(ValueError, match=r"image 1 is no good; the batch holds the samples 0, 1, 2"):
        list(loader)
    assert gone()


def test_ctrl_c_while_waiting(shared_folder, monkeypatch):
    """It comes while the thread reads sample 4 and the loop waits for the batch; the thread then reads none of the others."""
    waiting, left, asked = threading.Event(), threading.Event(), []
    get, close = Channel.get, Channel.close
    monkeypatch.setattr(Channel, "get", lambda *given: (waiting.set(), get(*given))[1])
    monkeypatch.setattr(Channel, "close", lambda channel: (close(channel), left.set())[0])

    class Interrupted(ImageFolder):
        def encoded(self, i):
            asked.append(i)
            if i == 4:
                assert waiting.wait(60)
                signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)
                assert left.wait(60)
            return self.samples[i]

    loader = DataLoader(Interrupted(shared_folder), 3, transform=FakeCompose(8), device="cpu")
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs start with it ignored
    try:
        with pytest.raises(KeyboardInterrupt):
            list(loader)
    finally:
        signal.signal(signal.SIGINT, before)
    assert gone()
    assert asked[-1] == 4


def test_timeout(shared_folder):
    class Stuck(ImageFolder):
        def encoded(self, i):
            time.sleep(1.5 if i else 0)
            return self.samples[i]

    loader = DataLoader(Stuck(shared_folder), 1, transform=FakeCompose(8), device="cpu", timeout=0.5)
    with pytest.raises(RuntimeError, match=r"timed out after 0.5 seconds"):
        list(loader)


def test_a_thread_that_dies_is_an_error(shared_folder):
    class Leaves(ImageFolder):
        def encoded(self, i):
            if i == 4:
                raise SystemExit("no more")
            return self.samples[i]

    with pytest.raises(SystemExit):
        list(DataLoader(Leaves(shared_folder), 2, transform=FakeCompose(8), device="cpu"))


def test_a_sampler_that_raises(shared_folder):
    def indices():
        yield from range(4)
        raise LookupError("the sampler's own")

    class Sampler:
        def __iter__(self):
            return indices()

        def __len__(self):
            return 9

    for dataset in (ImageFolder(shared_folder), Arrays()):
        with pytest.raises(LookupError, match="the sampler's own"):
            list(DataLoader(dataset, 2, sampler=Sampler(), transform=FakeCompose(8), device="cpu"))


class Arrays(Dataset):
    """Sample 13 ends the process that loads it, if `deadly`."""

    def __init__(self, deadly=False):
        self.deadly = deadly

    def __len__(self):
        return 20

    def __getitem__(self, i):
        if self.deadly and i == 13:
            os.kill(os.getpid(), signal.SIGKILL)
        return np.full((9, 9, 3), i, np.uint8), i


def test_a_worker_killed_is_an_error():
    loader = DataLoader(Arrays(deadly=True), 2, num_workers=1, transform=FakeCompose(4), device="cpu")
    with pytest.raises(RuntimeError, match=r"exited unexpectedly|killed by signal"):
        list(loader)
    loader.dataset.deadly = False
    assert sum(len(y) for _, y in loader) == 20


def test_workers_end_with_the_loop():
    def children():
        alive = set()
        for path in Path("/proc").glob("[0-9]*/stat"):
            with contextlib.suppress(OSError):
                state, parent = path.read_text().rpartition(")")[2].split()[:2]
                if int(parent) == os.getpid() and state != "Z":
                    alive.add(path.parent.name)
        return alive

    before = children()
    for _ in DataLoader(Arrays(), 2, num_workers=2, transform=FakeCompose(4), device="cpu"):
        break
    eventually(lambda: not children() - before, children)


def test_the_loader_after_a_fork(shared_folder):
    """A child has its own threads and decoders; what it carried over from the parent is an error, or forgotten."""
    loader = load(shared_folder)
    running = iter(loader)
    next(running)
    list(loader)  # leaves a decoder to be used again
    child = os.fork()
    if child == 0:
        code = 1
        try:
            torch.set_num_threads(1)
            assert sum(len(x) for x, _ in loader) == N
            try:
                for _ in running:
                    pass
                code = 3
            except RuntimeError:
                code = 0
        finally:
            os._exit(code)
    end = time.monotonic() + 120
    while os.waitpid(child, os.WNOHANG) == (0, 0):
        if time.monotonic() > end:
            os.kill(child, signal.SIGKILL)
            pytest.fail("the forked child hangs")
        time.sleep(0.02)
    assert sum(len(x) for x, _ in running) == N - 3


def test_a_loader_inside_torch_workers(shared_folder):
    """DALI in a forked worker: somebody's dataset that itself uses a loader."""

    class Nested(Dataset):
        def __len__(self):
            return 2

        def __getitem__(self, i):
            torch.set_num_threads(1)
            return sum(len(x) for x, _ in load(shared_folder))

    assert [int(n) for n in torch.utils.data.DataLoader(Nested(), num_workers=1)] == [N, N]


def test_the_end_of_the_interpreter_in_the_middle_of_an_epoch(shared_folder):
    here = Path(__file__).parent
    program = f"""
import sys; sys.path[:0] = [{str(here)!r}, {str(here.parent.parent)!r}]
from fake_compose import FakeCompose
from gpuaug.data import DataLoader
from train_and_die import Named
it = iter(DataLoader(Named({str(shared_folder)!r}), 2, transform=FakeCompose(4), device="cpu"))
next(it)
raise SystemExit(7)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, timeout=600)
    assert done.returncode == 7, done.stderr.decode()
    assert done.stderr == b""


def test_nothing_accumulates(shared_folder, tmp_path):
    """Threads, file handles and memory after many epochs, some broken off, some with a bad file."""
    (tmp_path / "a").mkdir()
    for i in range(8):
        (tmp_path / "a" / f"{i}.jpg").write_bytes(jpeg(i)[: 300 if i == 3 else None])
    good, bad = load(shared_folder), ImageFolder(tmp_path)

    def some(count):
        for k in range(count):
            for _ in good:
                if k % 3 == 0:
                    break
            if k % 5 == 0:
                loader = DataLoader(bad, 3, on_error="raise", transform=FakeCompose(8), device="cpu")
                with pytest.raises(BadSampleError):
                    list(loader)
        assert gone()
        gc.collect()
        pages = int(Path("/proc/self/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / 2**20

    some(20)
    memory, (threads, files) = some(20), held()
    assert some(60) - memory < 30
    eventually(lambda: held()[0] <= threads and held()[1] <= files, held)


def test_channel():
    channel = Channel(1)
    channel.put(1)
    assert channel.get() == 1
    with pytest.raises(TimeoutError):
        channel.get(0.01)
    with pytest.raises(Closed):
        channel.get(alive=lambda: False)
    channel.put(2)
    threading.Timer(0.05, channel.close).start()
    with pytest.raises(Closed):
        channel.put(3)
    with pytest.raises(Closed):
        channel.get()
