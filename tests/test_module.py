"""What a draw depends on, and Compose as a torch module."""

from __future__ import annotations

import os
import pickle
import random

import numpy as np
import pytest
import torch
from pipelines import delivered, equal, pictures, pipeline

import gpuaug as G

# ---- what a draw depends on ----------------------------------------------------------------------


def test_what_changes_a_result_and_what_does_not():
    data = pictures(8, size=(30, 30))
    ids = np.arange(8)
    want = delivered(pipeline(), data, ids)
    equal(delivered(pipeline(), data, ids), want)
    same = pipeline()
    same(data)  # other calls, other counters
    random.seed(1), np.random.seed(2), torch.manual_seed(3)  # noqa: NPY002
    equal(delivered(same, data, ids, occurrence=np.zeros(8, int)), want)

    def every_sample_differs(**kwargs):
        other = delivered(kwargs.pop("compose", pipeline()), data, kwargs.pop("ids", ids), **kwargs)
        assert all(not np.array_equal(a, b) for a, b in zip(other, want))

    every_sample_differs(epoch=1)
    every_sample_differs(occurrence=np.ones(8, int))
    every_sample_differs(ids=ids + (1 << 40))
    other = pipeline()
    other.seed = 12
    every_sample_differs(compose=other)
    other.seed = 11 + (1 << 63)
    every_sample_differs(compose=other)


@pytest.mark.parametrize("seed", [11, None])
def test_global_generators_are_not_touched(seed):
    """But torch's, by a pipeline without a seed: once for a call, and for calls with ids once for all."""
    random.seed(1), np.random.seed(2), torch.manual_seed(3)  # noqa: NPY002
    before = random.getstate(), np.random.get_state()[1].copy(), torch.get_rng_state()  # noqa: NPY002
    compose = pipeline()
    compose.seed = seed
    compose(pictures(4))
    compose.run({"image": pictures(4)}, ids=np.arange(4))
    compose.run({"image": pictures(4)}, ids=np.arange(4))
    assert random.getstate() == before[0]
    assert (np.random.get_state()[1] == before[1]).all()  # noqa: NPY002
    after = torch.get_rng_state()
    torch.set_rng_state(before[2])
    for _ in range(2 if seed is None else 0):
        torch.empty((), dtype=torch.int64).random_()
    assert torch.equal(torch.get_rng_state(), after)


def test_without_a_seed_torch_decides():
    image = pictures(1, size=(30, 30))[0]
    out = []
    for seed in (5, 5, 6):
        torch.manual_seed(seed)
        out.append(G.Compose([G.GaussNoise(p=1)])(image))
    assert np.array_equal(out[0], out[1])
    assert not np.array_equal(out[0], out[2])


# ---- a torch module ------------------------------------------------------------------------------


def test_state_dict_continues_the_counter():
    image = pictures(1, size=(30, 30))[0]
    whole = pipeline()
    want = [whole(image) for _ in range(5)]
    assert not np.array_equal(want[0], want[1])
    first = torch.nn.Sequential(pipeline())
    for i in range(2):
        np.testing.assert_array_equal(first[0](image), want[i])
    again = torch.nn.Sequential(pipeline())
    again[0].seed = None
    again.load_state_dict(pickle.loads(pickle.dumps(first.state_dict())))
    for i in range(2, 5):
        np.testing.assert_array_equal(again[0](image), want[i])


def test_a_module_among_modules():
    data = torch.from_numpy(np.stack(pictures(3, size=(30, 30)))).permute(0, 3, 1, 2)
    net = torch.nn.Sequential(pipeline(), torch.nn.Conv2d(3, 2, 3)).to(torch.device("cpu")).eval()
    assert net(data).shape == (3, 2, 30, 28)
    assert net.double() is net
    assert len(list(net.parameters())) == 2


class Pictures(torch.utils.data.Dataset):
    def __init__(self, aug, by_id):
        self.data, self.aug, self.by_id = pictures(16, size=(30, 30)), aug, by_id

    def __len__(self):
        return len(self.data)

    def __getitem__(self, i):
        return self.aug(self.data[i], ids=[i]) if self.by_id else self.aug(self.data[i])


def test_forked_workers_give_what_the_process_gives():
    aug = pipeline()
    want = np.stack([aug(image, ids=[i]) for i, image in enumerate(pictures(16, size=(30, 30)))])
    for workers in (0, 2):
        loader = torch.utils.data.DataLoader(
            Pictures(aug, True), batch_size=4, num_workers=workers, multiprocessing_context="fork" if workers else None
        )
        equal(torch.cat(list(loader)).numpy(), want)


def test_forked_workers_do_not_repeat_one_stream():
    """A dataset that calls a Compose without ids: workers start from one state, but must not draw alike; nor must epochs."""
    image = np.full((8, 8, 1), 0.5, np.float32)
    aug = G.Compose([G.GaussNoise(p=1)], seed=1)
    aug(image)
    dataset = Pictures(aug, False)
    dataset.data = [image] * 16
    loader = torch.utils.data.DataLoader(dataset, batch_size=4, num_workers=2, multiprocessing_context="fork")
    seen = [x.numpy().tobytes() for _ in range(2) for batch in loader for x in batch]
    assert len(set(seen)) == len(seen)


def test_calls_from_a_forked_child():
    data = pictures(8, size=(64, 64))
    want = delivered(pipeline(), data, range(8))
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        ok = False
        try:
            ok = np.array_equal(delivered(pipeline(), data, range(8)), want)
        finally:
            os.write(write, b"y" if ok else b"n")
            os._exit(0)
    os.close(write)
    assert os.read(read, 1) == b"y"
    os.waitpid(child, 0)
