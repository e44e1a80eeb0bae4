"""What users of torch's DataLoader and torchdata's StatefulDataLoader rely on beside the batches: the same with ours.

Most tests ask torch's loader for the right answer. No transform: it is the loader alone.
"""

import json
import os
import random
import warnings

import numpy as np
import pytest
import torch
from torch.utils.data import BatchSampler, ChainDataset, Dataset, IterableDataset, RandomSampler, StackDataset, get_worker_info

from gpuaug.data import BadSampleError, DataLoader

pytestmark = pytest.mark.filterwarnings("ignore:This DataLoader will create")


def loader(dataset, *args, **kw):
    return DataLoader(dataset, *args, device="cpu", **kw)


def theirs(dataset, *args, **kw):
    return torch.utils.data.DataLoader(dataset, *args, **kw)


class Numbers(Dataset):
    def __init__(self, n=10):
        self.n = n

    def __len__(self):
        return self.n

    def __getitem__(self, i):
        return i


class Stream(IterableDataset):
    """Each worker yields all of it; says a length of `said`."""

    def __init__(self, n=10, said=None):
        self.n, self.said = n, said

    def __iter__(self):
        return iter(range(self.n))

    def __len__(self):
        if self.said is None:
            raise TypeError("no length")
        return self.said


def plain(x):
    if isinstance(x, (torch.Tensor, np.ndarray)):
        return x.tolist()
    if isinstance(x, dict):
        return {key: plain(value) for key, value in x.items()}
    return [plain(value) for value in x] if isinstance(x, (list, tuple)) else x


def outcome(make):
    """What a call gives, as text; the type and message of what it raises."""
    try:
        return plain(make())
    except Exception as error:
        return type(error), str(error)


# ---- arguments ------------------------------------------------------------------------------------------------------------

ARGUMENTS = {
    "batch_size 0": lambda L: L(Numbers(), batch_size=0),
    "batch_size 2.5": lambda L: L(Numbers(), batch_size=2.5),
    "num_workers": lambda L: L(Numbers(), num_workers=-1),
    "timeout": lambda L: L(Numbers(), timeout=-1),
    "sampler and shuffle": lambda L: L(Numbers(), sampler=[1], shuffle=True),
    "batch sampler and size": lambda L: L(Numbers(), 2, batch_sampler=[[1]]),
    "drop_last without batches": lambda L: L(Numbers(), None, drop_last=True),
    "shuffled stream": lambda L: L(Stream(), shuffle=True),
    "stream and sampler": lambda L: L(Stream(), sampler=[1]),
    "stream and batch sampler": lambda L: L(Stream(), batch_sampler=[[1]]),
    "context without workers": lambda L: L(Numbers(), multiprocessing_context="fork"),
    "unknown context": lambda L: L(Numbers(), num_workers=1, multiprocessing_context="bad"),
    "no context": lambda L: L(Numbers(), num_workers=1, multiprocessing_context=3),
    "batch_size is set": lambda L: setattr(L(Numbers()), "batch_size", 3),
    "sampler is set": lambda L: setattr(L(Numbers()), "sampler", [1]),
    "dataset is set": lambda L: setattr(L(Numbers()), "dataset", Numbers()),
    "length of a stream": lambda L: len(L(Stream(10, 10), 3)),
    "length of a stream, drop_last": lambda L: len(L(Stream(10, 10), 3, drop_last=True)),
    "no length": lambda L: len(L(Stream())),
    "a dataset without length": lambda L: list(L(type("Endless", (), {"__getitem__": lambda self, i: i})())),
    "an empty dataset": lambda L: (len(L(Numbers(0))), list(L(Numbers(0), 2)), list(L(Numbers(0), num_workers=1))),
    "an empty shuffled one": lambda L: list(L(Numbers(0), shuffle=True)),
}


@pytest.mark.parametrize("case", ARGUMENTS)
def test_arguments_are_taken_or_refused_in_torchs_words(case):
    assert outcome(lambda: ARGUMENTS[case](loader)) == outcome(lambda: ARGUMENTS[case](theirs))


def test_a_generator_is_a_generator():
    with pytest.raises(TypeError, match=r"generator must be a torch.Generator or None, got int; for a number use seed="):
        loader(Numbers(), generator=3)


def test_pinning_without_an_accelerator_is_told():
    for make in (loader, theirs) if not torch.accelerator.is_available() else ():
        with pytest.warns(UserWarning, match="'pin_memory' argument is set as true but no accelerator is found"):
            assert len(list(make(Numbers(), pin_memory=True))) == 10


# ---- what is loaded ---------------------------------------------------------------------------------------------------------


class AtOnce(Numbers):
    def __getitems__(self, indices):
        return torch.tensor(indices) * 10


class ListAtOnce(Numbers):
    def __getitems__(self, indices):
        return [np.sum(i) * 10 for i in indices]


def bare(batch):
    return type(batch).__name__, batch


LOADED = {
    "a list": lambda L: L([3, 1, 2], 2),
    "a range": lambda L: L(range(5), 2),
    "a tensor": lambda L: L(torch.arange(5), 2),
    "keys": lambda L: L({"a": 1, "b": 2}, sampler=["b", "a"]),
    "tuples as keys": lambda L: L({(0, 1): 5, (1, 2): 6}, 2, sampler=[(1, 2), (0, 1)]),
    "slices": lambda L: L(torch.arange(6), None, sampler=[slice(0, 2), slice(3, 6)]),
    "a generator as sampler": lambda L: L(Numbers(), 3, sampler=(i for i in range(5))),
    "a set as sampler": lambda L: L(Numbers(), 3, sampler={1, 2, 3}),
    "a tensor as sampler": lambda L: L(Numbers(), 3, sampler=torch.arange(4)),
    "negative indices": lambda L: L([1, 2, 3], sampler=[-1, 0]),
    "tuples as batches": lambda L: L(Numbers(), batch_sampler=[(1, 2), (3,)]),
    "batches of a generator": lambda L: L(Numbers(), batch_sampler=([i] for i in range(3))),
    "strings and bytes": lambda L: L([("a", b"b"), ("c", b"d")], 2),
    "single strings and bytes": lambda L: L(["a", b"b"], None),
    "single tuples of arrays": lambda L: L([(1, np.zeros(2)), (2, np.ones(2))], None),
    "a chain": lambda L: L(ChainDataset([Stream(3), Stream(2)]), 2),
    "a stack": lambda L: L(StackDataset(a=Numbers(), b=Numbers()), 5),
    "all at once": lambda L: L(ListAtOnce(), 4),
    "all at once, as it comes": lambda L: L(AtOnce(), 4, collate_fn=bare),
    "all at once, one by one": lambda L: L(AtOnce(), None),
    "all at once, tuples as keys": lambda L: L(ListAtOnce(), 2, sampler=[(0, 1), (2, 3)]),
    "an empty batch for a collate_fn": lambda L: L(Numbers(), batch_sampler=[[1], [], [2]], collate_fn=bare),
    "dicts that differ": lambda L: L([{"a": 1}, {"b": 1}], 2),
    "lists of differing length": lambda L: L([[1], [1, 2]], 2),
    "tensors of differing size": lambda L: L([torch.zeros(2), torch.zeros(3)], 2),
    "objects": lambda L: L([{1}, {2}], 2),
}


@pytest.mark.parametrize("case", LOADED)
def test_batches_are_torchs(case):
    assert outcome(lambda: list(LOADED[case](loader))) == outcome(lambda: list(LOADED[case](theirs)))


@pytest.mark.parametrize("workers", [0, 1])
def test_an_empty_batch_is_an_error_not_none(workers):
    made = loader(Numbers(), batch_sampler=[[1], [], [2]], num_workers=workers)
    with pytest.raises(ValueError, match="batch 1 of the batch sampler has no indices"):
        list(made)


def test_a_getitems_that_is_wrong_is_an_error():
    class Broken(Numbers):
        def __getitems__(self, indices):
            raise ZeroDivisionError("of all at once")

    class Short(Numbers):
        def __getitems__(self, indices):
            return indices[1:]

    with pytest.raises(ZeroDivisionError, match="of all at once"):
        list(loader(Broken(), 2))
    # each by itself can be had: with another policy the epoch goes on
    assert [b.tolist() for b in loader(Broken(4), 2, on_error="skip")] == [[0, 1], [2, 3]]
    with pytest.raises(ValueError, match=r"__getitems__ returned 1 samples for the 2 of \[0, 1\]"):
        list(loader(Short(), 2))


class Refusing(Numbers):
    def __getitem__(self, i):
        raise FileNotFoundError(2, "no such file", f"{i}.jpg")


class Particular(Exception):
    def __init__(self, a, b):
        super().__init__("of its own")


class RefusingInItsWay(Numbers):
    def __getitem__(self, i):
        raise Particular(1, 2)


@pytest.mark.parametrize("workers", [0, 1])
def test_what_the_dataset_raised_is_the_cause(workers):
    with pytest.raises(BadSampleError, match="sample 0: FileNotFoundError") as caught:
        list(loader(Refusing(), 2, num_workers=workers))
    assert isinstance(caught.value.__cause__, FileNotFoundError)
    assert caught.value.__cause__.filename == "0.jpg"
    with pytest.raises(BadSampleError, match="sample 0: Particular: of its own"):  # which cannot be sent; no other error hides it
        list(loader(RefusingInItsWay(), 2, num_workers=workers))


# ---- streams ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("workers", [0, 2])
@pytest.mark.parametrize("size", [None, 1, 2])
@pytest.mark.parametrize("asked", [False, True])
def test_a_stream_that_is_longer_than_it_says_is_told(workers, size, asked):
    """As torch: when len(loader) was asked for, each time that more has come."""
    counts = []
    for make in (loader, theirs):
        made = make(Stream(10, 3), size, num_workers=workers)
        if asked:
            len(made)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            for _ in made:  # list() would ask
                pass
        told = [w for w in caught if "samples have been fetched" in str(w.message)]
        assert all(str(w.message).startswith("Length of IterableDataset") for w in told)
        assert all(w.filename == __file__ for w in told)
        counts.append(len(told))
    assert counts[0] == counts[1]
    assert (counts[0] > 0) == asked


class Processes(IterableDataset):
    def __iter__(self):
        return iter([os.getpid()] * 3)


def test_persistent_workers_of_a_stream_are_kept():
    made = loader(Processes(), None, num_workers=2, persistent_workers=True)
    first, second = set(made), set(made)
    assert len(first) == 2
    assert first == second
    made = loader(Processes(), None, num_workers=2)
    assert not set(made) & set(made)


class Drawn(IterableDataset):
    def __iter__(self):
        return iter([random.getrandbits(40) for _ in range(3)])


def seed_42(worker):
    random.seed(42 + worker)


def test_seeds_of_worker_init_fn_are_left_alone():
    """As with torch, persistent workers go on with them."""
    epochs = []
    for make in (loader, theirs):
        made = make(Drawn(), None, num_workers=1, persistent_workers=True, worker_init_fn=seed_42)
        epochs.append([list(made), list(made)])
    assert epochs[0] == epochs[1]


def test_persistent_workers_hear_of_the_epoch():
    class Told(IterableDataset):
        epoch = 0

        def set_epoch(self, epoch):
            self.epoch = epoch

        def __iter__(self):
            return iter([self.epoch])

    made = loader(Told(), None, num_workers=1, persistent_workers=True)
    assert [list(made), list(made), list(made)] == [[0], [1], [2]]


# ---- workers ----------------------------------------------------------------------------------------------------------------


class Seeds(Numbers):
    def __getitem__(self, i):
        info = get_worker_info()
        assert info.seed == torch.initial_seed()
        return info.id, info.seed, random.getrandbits(40), int(torch.randint(2**40, ())), int(np.random.randint(2**31))  # noqa: NPY002


def test_workers_are_seeded_as_torchs_are():
    """By their number, three generators each; by the user's generator, if there is one."""
    made = [loader(Seeds(6), None, num_workers=3, seed=1) for _ in range(2)]
    first, again = (list(m) for m in made)
    assert first == again
    assert [s[1] - first[0][1] for s in first[:3]] == [0, 1, 2]
    assert list(made[0]) != first, "another epoch"
    of_generator = [list(loader(Seeds(6), None, num_workers=3, generator=torch.Generator().manual_seed(g))) for g in (5, 5, 6)]
    assert of_generator[0] == of_generator[1]
    assert of_generator[0] != of_generator[2]


@pytest.mark.parametrize("how", [{}, {"shuffle": True}, {"shuffle": True, "num_workers": 1},
                                 {"shuffle": True, "num_workers": 1, "persistent_workers": True}], ids=str)  # fmt: skip
def test_a_generator_gives_torchs_orders_and_ends_where_torch_leaves_it(how):
    ends, orders = [], []
    for make in (loader, theirs):
        generator = torch.Generator().manual_seed(3)
        made = make(Numbers(), 3, generator=generator, **how)
        orders.append([plain(list(made)) for _ in range(3)])
        if "shuffle" not in how:
            list(make(Stream(), 3, generator=generator))
        ends.append(generator.get_state())
    assert orders[0] == orders[1]
    assert torch.equal(*ends)


@pytest.mark.parametrize("how", [{}, {"num_workers": 1}, {"num_workers": 1, "persistent_workers": True}], ids=str)
@pytest.mark.parametrize("own", [False, True])
@pytest.mark.parametrize("before", [0, 1, 2])
def test_a_generator_goes_on_between_epochs(before, own, how):
    """The loader's, or that of a sampler of the user's; saved before the first epoch, too."""

    def make(number):
        generator = torch.Generator().manual_seed(number)
        if own:
            return loader(Numbers(), 3, sampler=RandomSampler(Numbers(), generator=generator), **how)
        return loader(Numbers(), 3, shuffle=True, generator=generator, **how)

    made = make(3)
    for _ in range(before):
        list(made)
    state = json.loads(json.dumps(made.state_dict()))
    after = [plain(list(made)) for _ in range(2)]
    other = make(4)
    other.load_state_dict(state)
    assert [plain(list(other)) for _ in range(2)] == after


def test_an_iterator_shows_its_workers():
    iterator = iter(loader(Numbers(), 2, num_workers=2))
    processes = iterator._workers
    assert len(processes) == 2
    assert all(process.is_alive() for process in processes)
    del iterator
    for process in processes:
        process.join(30)
        assert process.exitcode == 0
    assert iter(loader(Numbers()))._workers == []


# ---- states -----------------------------------------------------------------------------------------------------------------


class Random(Numbers):
    """A sample is a random number of this process; its state is the generator's."""

    def __getitem__(self, i):
        return i, int(torch.randint(10**6, ()))

    def state_dict(self):
        return {"generator": torch.get_rng_state().tolist()}

    def load_state_dict(self, state):
        torch.set_rng_state(torch.tensor(state["generator"], dtype=torch.uint8))


class RandomStream(IterableDataset):
    """Is its own iterator."""

    def __init__(self, n=10):
        self.n, self.at = n, 0

    def __iter__(self):
        return self

    def __next__(self):
        if self.at == self.n:
            raise StopIteration
        self.at += 1
        return self.at, int(torch.randint(10**6, ()))

    def state_dict(self):
        return {"at": self.at, **Random.state_dict(self)}

    def load_state_dict(self, state):
        self.at = state["at"]
        Random.load_state_dict(self, state)


class Fresh(RandomStream):
    """Makes its iterator anew, which has the state."""

    def __iter__(self):
        return RandomStream(self.n)

    def state_dict(self):
        raise AttributeError("the iterator has it")

    state_dict = property(state_dict)


STATES = {
    "a dataset": lambda: Random(20),
    "a stream that is its iterator": lambda: RandomStream(10),
    "a stream whose iterator has the state": lambda: Fresh(10),
}


@pytest.mark.parametrize("stop", [0, 1, 2, 4])
@pytest.mark.parametrize("how", [{}, {"num_workers": 3}, {"num_workers": 3, "persistent_workers": True}], ids=str)
@pytest.mark.parametrize("kind", STATES)
def test_a_state_goes_on_exactly(kind, how, stop):
    """The state of any batch, in a loader of another process or in the same one."""
    torch.manual_seed(0)
    made = loader(STATES[kind](), 2, **how)
    iterator = iter(made)
    for _ in range(stop):
        next(iterator)
    state = json.loads(json.dumps(made.state_dict()))
    rest = plain(list(iterator))
    assert rest
    torch.manual_seed(1)  # whatever else draws meanwhile
    other = loader(STATES[kind](), 2, **how)
    for resumed in (other, made):
        resumed.load_state_dict(state)
        assert plain(list(resumed)) == rest
    other.load_state_dict(state)
    iterator = iter(other)  # and a state of a resumed epoch, before each worker had its turn
    next(iterator)
    state = other.state_dict()
    last = loader(STATES[kind](), 2, **how)
    last.load_state_dict(state)
    assert plain(list(last)) == rest[1:]


@pytest.mark.parametrize("persistent", [False, True])
def test_a_stream_of_random_numbers_goes_on_between_epochs(persistent):
    made = loader(Fresh(10), 2, num_workers=2, persistent_workers=persistent)
    list(made)
    state = made.state_dict()
    second, third = plain(list(made)), plain(list(made))
    assert second != third
    other = loader(Fresh(10), 2, num_workers=2, persistent_workers=persistent)
    other.load_state_dict(state)
    assert [plain(list(other)), plain(list(other))] == [second, third]
    made.set_epoch(1)
    assert plain(list(made)) == second


@pytest.mark.parametrize("how", [{}, {"num_workers": 2}, {"num_workers": 2, "persistent_workers": True}], ids=str)
def test_a_state_between_epochs_goes_on_exactly(how):
    torch.manual_seed(0)
    made = loader(Random(8), 2, shuffle=True, **how)
    list(made)
    state = json.loads(json.dumps(made.state_dict()))
    second = plain(list(made))
    third = plain(list(made))
    other = loader(Random(8), 2, shuffle=True, **how)
    other.load_state_dict(state)
    assert plain(list(other)) == second
    assert plain(list(other)) == third
    iterator = iter(made)  # the fourth epoch, when one worker has said where it is
    next(iterator)
    state, rest = made.state_dict(), plain(list(iterator))
    other = loader(Random(8), 2, shuffle=True, **how)
    other.load_state_dict(state)
    assert plain(list(other)) == rest
    if how:  # else both draw from this process's generator
        assert plain(list(other)) == plain(list(made))


def test_a_dataset_that_was_changed_between_epochs_is_not_set_back():
    class Counting(Numbers):
        seen = 0

        def __getitem__(self, i):
            self.seen += 1
            return self.seen

        def state_dict(self):
            return {"seen": self.seen}

        def load_state_dict(self, state):
            self.seen = state["seen"]

    made = loader(Counting(2), None)
    assert list(made) == [1, 2]
    made.dataset.seen = 10
    assert list(made) == [11, 12]


def test_a_random_sampler_with_a_generator_goes_on():
    def make():
        sampler = RandomSampler(Numbers(20), generator=torch.Generator().manual_seed(13))
        return loader(Numbers(20), batch_sampler=BatchSampler(sampler, 3, False), num_workers=2)

    made = make()
    iterator = iter(made)
    next(iterator)
    state, rest = made.state_dict(), plain(list(iterator))
    other = make()
    other.load_state_dict(state)
    assert plain(list(other)) == rest
