"""Bad samples: how they are named, remembered and counted."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

POLICIES = ("raise", "skip", "replace")
NONE = "the dataset returned None for it; leave such samples out, or give the loader a collate_fn that does"


@dataclass(frozen=True)
class BadSample:
    """One entry of `loader.errors`.

    index: the sample's index in the dataset (its running number for an iterable dataset).
    path: its file, or None if the dataset gave bytes, or raised.
    reason: what is wrong, in words.

    Example:
        >>> print(BadSample(7, "cats/7.jpg", "it is empty"))
        sample 7 (cats/7.jpg): it is empty
    """

    index: object
    path: str | None
    reason: str

    def __str__(self):
        where = f" ({self.path})" if self.path else ""
        return f"sample {self.index}{where}: {self.reason}"


class Unreadable:
    """What a stream yields in place of a sample that it cannot make, and goes on: the loader's on_error decides what then.

    A generator that raises has ended, so that a stream of its own accord cannot leave a sample out. An iterable dataset may have
    a method `marked()`, an iteration that yields these; its `__iter__` raises `error`.
    """

    __slots__ = ("error", "path")

    def __init__(self, error, path=None):
        self.error, self.path = error, path

    @property
    def reason(self):
        """The error without the path, which a BadSample has beside it."""
        text = str(self.error)
        return one_line(text.removeprefix(self.path).lstrip(": ") if self.path else text)


def stream(dataset):
    """The iteration of an iterable dataset that a loader asks for: with Unreadable in it, if the dataset has such a one."""
    return iter(dataset.marked() if hasattr(dataset, "marked") else dataset)


def good_or_raise(samples):
    """The samples of a stream up to the first that is Unreadable, whose error is raised."""
    for sample in samples:
        if isinstance(sample, Unreadable):
            raise sample.error
        yield sample


class Sorter:
    """A collate function for a stream's samples in a worker: `pack(samples, at, faults)` gets the good ones.

    A fault is a BadSample whose index is the position in the batch, until `numbered` knows better.
    """

    def __init__(self, pack, on_error):
        self.pack, self.on_error = pack, on_error
        self.last = []  # the last good sample of the batches before, for "replace"

    def __call__(self, samples):
        nothing = () if self.pack.takes_none else (type(None),)
        bad = {k: s for k, s in enumerate(samples) if isinstance(s, (Unreadable, *nothing))}
        before = self.last
        if self.on_error == "replace":
            self.last = [s for k, s in enumerate(samples) if k not in bad][-1:] or before
        if not bad:
            return self.pack(samples)
        named = [BadSample(k, None, NONE) if s is None else BadSample(k, s.path, s.reason) for k, s in bad.items()]
        faults = [(each, None, None) for each in named]
        at = [k for k in range(len(samples)) if k not in bad]
        good = [samples[k] for k in at]
        if self.on_error == "replace" and (before or good):  # the good sample that precedes, else the next
            stands_in, good, at = (before or good)[0], [], list(range(len(samples)))
            for k, sample in enumerate(samples):
                stands_in = stands_in if k in bad else sample
                good.append(stands_in)
        return self.pack(good, at, faults)


def numbered(faults, ids):
    """The faults of a reply with the samples' running numbers."""
    return [(replace(bad, index=int(ids[bad.index])), *more) for bad, *more in faults]


class BadSampleError(RuntimeError):
    """A sample could not be read or decoded. `.index`, `.path` and `.reason` say which and why.

    Example:
        >>> raise BadSampleError(BadSample(7, "cats/7.jpg", "it is empty"))
        Traceback (most recent call last):
        ...
        gpuaug.data.faults.BadSampleError: sample 7 (cats/7.jpg): it is empty...
    """

    def __init__(self, bad: Any, detail: Any = None):
        self.bad, self.detail = bad, detail
        self.index, self.path, self.reason = bad.index, bad.path, bad.reason
        super().__init__(str(bad) if not detail else f"{bad}\n{detail}")

    def __reduce__(self):  # the default would call BadSampleError(message)
        return BadSampleError, (self.bad, self.detail)


class AllBadError(BadSampleError):
    """Not one sample of an epoch was good.

    Example:
        >>> issubclass(AllBadError, RuntimeError)
        True
    """

    def __init__(self, count: int, bad: Any):
        RuntimeError.__init__(self, f"all {count} samples are bad; the first: {bad}")
        self.count, self.bad, self.detail = count, bad, None
        self.index, self.path, self.reason = bad.index, bad.path, bad.reason

    def __reduce__(self):
        return AllBadError, (self.count, self.bad)


def one_line(text, limit=200):
    """The first line of a message, cut to `limit` characters."""
    text = str(text).strip().split("\n", 1)[0]
    return text if len(text) <= limit else text[: limit - 3] + "..."


class Errors:
    """The bad samples that a loader has met: each index once, in the order in which they were found."""

    def __init__(self):
        self._by_index, self._now = {}, set()

    def begin(self):
        """A new epoch: what was bad may have been repaired."""
        self._now = set()

    def add(self, bad):
        self._by_index.setdefault(_key(bad.index), bad)
        self._now.add(_key(bad.index))

    def get(self, index):
        """The BadSample of an index that this epoch has found to be bad, or None."""
        return self._by_index.get(_key(index)) if self._now and _key(index) in self._now else None

    def is_suspect(self, index):
        """Whether an earlier epoch has found the index to be bad, and this one has not looked yet."""
        return bool(self._by_index) and _key(index) in self._by_index and _key(index) not in self._now

    def list(self):
        return list(self._by_index.values())


def _key(index):
    try:
        hash(index)
    except TypeError:
        return repr(index)
    return index


def name_samples(error, indices):
    """Add to an exception which samples the batch holds, whatever its class takes."""
    text = f"the batch holds the samples {_few(indices)}"
    if type(error) in (ValueError, TypeError, RuntimeError, KeyError):
        error.args = (f"{error.args[0] if error.args else ''}; {text}", *error.args[1:])
    elif hasattr(error, "add_note"):  # Python 3.11
        error.add_note(text)


def _few(indices, limit=64):
    text = ", ".join(str(i) for i in indices[:limit])
    return text + (", ..." if len(indices) > limit else "")
