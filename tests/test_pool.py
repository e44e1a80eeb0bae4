"""The pool of output memory: a block is used again when nobody can see it any more, and not before."""

import gc
import mmap
import os
import platform
import threading

import numpy as np
import pytest
import torch

from gpuaug import Compose, HorizontalFlip
from gpuaug.pool import KEEP, Block, Pool

SHAPE = (100, 1000)  # 400 kB: above what the pool leaves to malloc


@pytest.fixture
def pool():
    return Pool()


def test_a_dropped_block_serves_the_next_tensor(pool):
    first = pool.empty(SHAPE, torch.float32)
    where = first.data_ptr()
    del first
    assert pool.empty(SHAPE, torch.float32).data_ptr() == where


@pytest.mark.parametrize(
    "keep", [lambda t: t[3:], lambda t: t.numpy()[2:], lambda t: t.untyped_storage(), lambda t: t.view(torch.uint8).flatten()[9:]]
)
def test_whoever_sees_a_block_keeps_it(pool, keep):
    first = pool.empty(SHAPE, torch.float32).fill_(7)
    where, held = first.data_ptr(), keep(first)
    del first
    gc.collect()
    other = pool.empty(SHAPE, torch.float32).fill_(1)
    assert other.data_ptr() != where
    del held
    gc.collect()
    assert pool.empty(SHAPE, torch.float32).data_ptr() == where


@pytest.mark.parametrize(
    "keep", [lambda a: a[3:], lambda a: a.reshape(-1)[9:].view(np.uint8), memoryview, torch.from_numpy, lambda a: a.T[2]]
)
def test_whoever_sees_an_array_keeps_its_block(pool, keep):
    first = pool.array(SHAPE, np.dtype(np.float32))
    where, held = first.ctypes.data, keep(first)
    del first
    gc.collect()
    assert pool.array(SHAPE, np.dtype(np.float32)).ctypes.data != where
    del held
    gc.collect()
    assert pool.array(SHAPE, np.dtype(np.float32)).ctypes.data == where


@pytest.mark.skipif(not hasattr(mmap, "MADV_HUGEPAGE"), reason="there are no huge pages to ask for")
@pytest.mark.parametrize("size", [4 << 20, (4 << 20) + 1, 38 << 20])
def test_large_blocks_begin_where_huge_pages_may(pool, size):
    array = pool.array((size,), np.dtype(np.uint8))
    assert array.ctypes.data % (2 << 20) == 0
    array[:] = 3
    assert (array == 3).all()


def test_shapes_types_and_writing(pool):
    for dtype in (torch.uint8, torch.float16, torch.bfloat16, torch.float32, torch.int32):
        for shape in (SHAPE, (1, 3, 333, 777), (0, 4), (5,)):
            tensor = pool.empty(shape, dtype)
            assert (tensor.shape, tensor.dtype, tensor.is_contiguous()) == (torch.Size(shape), dtype, True)
            assert tensor.data_ptr() % 64 == 0 or tensor.nbytes < 1 << 16
            tensor.fill_(3)
            assert (tensor == 3).all()


def test_idle_blocks_are_few(pool):
    tensors = [pool.empty(SHAPE, torch.float32) for _ in range(10)]
    assert len({t.data_ptr() for t in tensors}) == 10
    tensors.clear()
    assert sum(len(blocks) for blocks in pool._idle.values()) == KEEP
    assert pool._bytes == sum(len(block) for blocks in pool._idle.values() for block in blocks)
    assert not pool._live
    pool.clear()
    assert pool._bytes == 0


def idle(pool):
    return sum(len(block) for blocks in pool._idle.values() for block in blocks)


def sizes(count, least=1 << 17, most=1 << 22):
    return np.random.default_rng(0).integers(least, most, count).tolist()


@pytest.mark.parametrize("held", [1, 2, 5])
def test_of_many_sizes_no_more_lies_idle_than_was_in_use(pool, held):
    window, most = [], 0
    for size in sizes(600):
        window.append(pool.empty((size,), torch.uint8))
        del window[:-held]
        most = max(most, idle(pool))
        assert idle(pool) == pool._bytes
        assert idle(pool) <= max(pool._peaks), "more lies idle than was lately in use"
    # `held` tensors and the one that is being made, of 4 MiB each at most; a block may be twice the size that was asked for
    assert most <= (held + 1) * 2 * (1 << 22)
    window.clear()
    assert pool._used == 0
    assert idle(pool) <= max(pool._peaks)


def test_what_a_large_batch_left_goes_when_small_ones_follow(pool):
    from gpuaug.pool import LATELY

    large = [pool.empty((50 << 20,), torch.uint8) for _ in range(2)]
    large.clear()
    assert idle(pool) == 100 << 20
    for _ in range(2 * LATELY):
        pool.empty((1 << 20,), torch.uint8)
    assert idle(pool) <= 1 << 20


@pytest.mark.parametrize("fraction", [1.0, 0.9, 0.51])
def test_a_block_serves_a_somewhat_smaller_tensor(pool, fraction):
    where = pool.empty((1 << 20,), torch.uint8).data_ptr()
    assert pool.empty((int(fraction * (1 << 20)),), torch.uint8).data_ptr() == where
    assert pool._bytes == 1 << 20


def test_a_large_block_is_not_spent_on_a_small_tensor(pool):
    where = pool.empty((1 << 20,), torch.uint8).data_ptr()
    small = pool.empty((1 << 18,), torch.uint8)
    assert small.data_ptr() != where
    assert pool._bytes == 1 << 20


def test_a_loop_with_outputs_of_two_sizes_needs_no_new_memory(pool):
    def batch():
        return pool.empty((3 << 20,), torch.uint8), pool.empty((1 << 20,), torch.uint8)

    seen, last = set(), None
    for number in range(50):
        last = batch()
        if number >= 3:
            seen |= {tensor.data_ptr() for tensor in last}
    assert last is not None
    assert len(seen) == 4  # the batch that is held and the one that is being made


def test_threads_never_share_a_block(pool):
    wrong = []

    def work(mark):
        for _ in range(200):
            tensor = pool.empty(SHAPE, torch.float32).fill_(mark)
            if not (tensor == mark).all():
                wrong.append(mark)

    threads = [threading.Thread(target=work, args=(mark,)) for mark in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_a_batch_belongs_to_its_caller():
    flip = Compose([HorizontalFlip(p=1)], seed=0)
    images = [np.full((4, 128, 128, 3), mark, np.uint8) for mark in range(20)]
    kept = [flip(image) for image in images]
    assert all((batch == mark).all() for mark, batch in enumerate(kept))


def test_a_forked_child_starts_with_an_empty_pool():
    from gpuaug.pool import POOL

    first = POOL.empty(SHAPE, torch.float32)
    del first
    child = os.fork()
    if child == 0:
        os._exit(0 if not POOL._idle and POOL._bytes == 0 else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="malloc_trim is glibc's")
def test_free_memory_goes_back_to_the_system():
    from pathlib import Path

    from gpuaug.pool import trim

    def resident():
        return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    trim()
    blocks = [bytearray(60_000) for _ in range(2000)]  # 120 MB on malloc's heap, below the size that it maps
    held = blocks[1::100]
    full = resident()
    del blocks
    trim()
    assert full - resident() > 60e6, "malloc_trim gave nothing back"
    assert len(held) == 20


def test_the_loader_trims_now_and_then(monkeypatch):
    import itertools

    from gpuaug import DataLoader
    from gpuaug import pool as module

    trims = []
    monkeypatch.setattr(module, "trim", lambda: trims.append(1))
    monkeypatch.setattr(module, "TRIM_EVERY", 4)
    monkeypatch.setattr(module, "_batches", itertools.count(1))
    data = torch.utils.data.TensorDataset(torch.zeros(20, 3, 4, 4, dtype=torch.uint8))
    for _ in DataLoader(data, batch_size=2, device="cpu", transform=Compose([HorizontalFlip()], seed=0)):
        pass
    assert len(trims) == 2


def test_what_comes_back_while_a_block_is_looked_for_waits(pool):
    """A collection in the middle of a search returns blocks of other sizes in the same thread."""
    back = [Block(4096 * pages) for pages in (41, 43, 47)]

    class Disturbed(dict):
        def __iter__(self):
            for key in super().__iter__():
                if back:
                    pool._give(back.pop())
                yield key

    held = [pool.array((4096 * 40 * n,), np.dtype(np.uint8)) for n in (1, 2, 3)]
    del held
    pool._idle = Disturbed(pool._idle)
    pool.array((4096 * 77,), np.dtype(np.uint8))[:] = 1  # of no size that is idle
    assert len(back) < 3
    assert not pool._back
    assert {4096 * pages for pages in (41, 43, 47)} - {len(block) for block in back} <= set(pool._idle.keys())
