"""Building a cache: which parts are to be made, and the folder that they are written to, one after the other."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import logging
import os
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from torch.utils.data import IterableDataset

from ...hints import Path
from .dataset import Cached
from .files import (
    INDEX,
    OURS,
    PART,
    PLAN,
    VERSION,
    CacheError,
    Parts,
    VersionError,
    arrow,
    finished,
    outline,
    read_index,
    read_json,
    started,
    write_json,
)
from .make import Maker, as_json
from .sources import Sources

_log = logging.getLogger("gpuaug.cache")

PART_SAMPLES = 1024  # of one file: what a build that was killed has to do again; 270 MB of 256 x 341
GROUP = 32  # of one record batch; some of them are in memory at a time
STORES = ("raw", "jpeg")
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


@dataclass(frozen=True)
class Built:
    """What a build did: how many samples the cache has, how many of them were made now, how many are bad; bytes of the files."""

    samples: int
    made: int
    bad: int
    bytes: int


def cached(
    dataset: Any,
    folder: Path,
    size: int | None = None,
    store: str = "raw",
    quality: int = 95,
    targets: Mapping[str, Any] | None = None,
    build: bool = True,
    verify: bool = False,
    workers: int = 0,
    progress: bool = True,
) -> Cached:
    """A dataset whose samples are decoded once, and read from a cache from then on.

    What the cache lacks, and what was made of files that have changed, is built first (docs/cache.md).

    Args:
        dataset: a map-style dataset without a transform of its own: that goes to the loader.
        folder: the cache. It is made, or must be one, or empty.
        size: pictures whose shorter side is longer are made so small, by area; masks by nearest neighbour. None keeps sizes.
        store: "raw": pixels. "jpeg": files of that `quality`, 1 to 100; a tenth of the space, and to be decoded.
        targets: as `gpuaug.DataLoader` takes it.
        build: False: an error if there is something to build.
        verify: read all of the cache, and make anew what has a wrong checksum, and parts with bad samples.
        workers: threads, or worker processes where ``dataset[i]`` decodes; 0 means all cores.
        progress: whether a bar is shown while building.

    Returns: a `Cached`, with as many samples as `dataset`, in its order.

    Raises:
        CacheError: a folder that is something else, cannot be written or is full; with build=False, something to build.
        ValueError, TypeError: arguments; a dataset whose samples cannot be made small, or stored.

    Example:
        >>> import tempfile, gpuaug
        >>> from gpuaug.data import ImageFolder, cached
        >>> from gpuaug.photographs import photo_folder
        >>> photos = ImageFolder(photo_folder(count=8, size=(24, 32)))
        >>> small = cached(photos, tempfile.mkdtemp() + "/cache", size=16, progress=False)
        >>> len(small), min(small[0][0].shape[:2]), small.classes == photos.classes
        (8, 16, True)
    """
    made = Build(dataset, folder, size, store, quality, targets)
    made.run(build, verify, workers, progress)
    return Cached(made.folder, check=False)


class Build:
    """One build. `mend`: the command that repeats it; by default a line of Python."""

    def __init__(self, dataset, folder, size=None, store="raw", quality=95, targets=None, mend=None):
        arrow()
        if isinstance(dataset, (str, os.PathLike)):
            raise TypeError(f"dataset must be a dataset, such as gpuaug.data.ImageFolder({os.fspath(dataset)!r}), got a path")
        if isinstance(dataset, IterableDataset) or not hasattr(dataset, "__getitem__") or not hasattr(dataset, "__len__"):
            raise TypeError(f"a cache needs a dataset with a length and an index, got {type(dataset).__name__}")
        if not len(dataset):
            raise ValueError("the dataset is empty")
        for name in ("transform", "transforms"):
            if getattr(dataset, name, None) is not None:
                raise ValueError(
                    f"the dataset has a {name} of its own, whose draws a cache would repeat for ever: make the dataset without "
                    f"it, and give it to gpuaug.DataLoader(transform=...)"
                )
        if size is not None and (isinstance(size, bool) or not isinstance(size, int) or size < 1):
            raise ValueError(f"size must be None or a whole number of pixels >= 1, got {size!r}")
        if store not in STORES:
            raise ValueError(f"store must be one of {STORES}, got {store!r}")
        if isinstance(quality, bool) or not isinstance(quality, int) or not 1 <= quality <= 100:
            raise ValueError(f"quality must be a whole number from 1 to 100, got {quality!r}")
        self.dataset, self.folder, self.targets = dataset, os.path.abspath(os.fspath(folder)), targets
        self.settings = {"size": size, "store": store, "quality": quality if store == "jpeg" else None}
        self.sources = Sources(dataset, sorted(self.settings.items()))
        self.mend = mend or _python(self.folder, size, store, quality)
        self.length = len(dataset)
        self.per_part, self.group = PART_SAMPLES, GROUP

    def ranges(self):
        return [(first, min(first + self.per_part, self.length)) for first in range(0, self.length, self.per_part)]

    def run(self, build=True, verify=False, workers=0, progress=True):
        """Bring the cache up to date: a Built."""
        if isinstance(workers, bool) or not isinstance(workers, int) or workers < 0:
            raise ValueError(f"workers must be a whole number >= 0 (0: all cores), got {workers!r}")
        names = [f"part-{k:05d}-{self.sources.of_part(*r)}.arrow" for k, r in enumerate(self.ranges())]
        index = self._known()
        wrong = self._stale(index, names)
        if wrong is None and not verify:
            return self._told(index, 0)
        if not build:
            raise CacheError(f"{self.folder} {wrong or 'is to be verified, which takes build=True'}; run {self.mend(False)}")
        with self._prepared():
            return self._update(names, verify, workers, progress)

    def _known(self):
        try:
            return read_index(self.folder)
        except VersionError:
            raise
        except CacheError:
            return None

    def _stale(self, index, names):
        """What is to be done, in words; None: nothing."""
        if index is None:
            return "has not been built"
        different = [name for name, value in self.settings.items() if index[name] != value]
        if different:
            raise CacheError(
                f"{self.folder} holds a cache with {different[0]}={index[different[0]]!r}, and {self.settings[different[0]]!r} "
                f"was asked for; name another folder, or remove it"
            )
        have = {part["file"]: part["bytes"] for part in index["parts"]}
        for number, name in enumerate(names):
            if name not in have:
                first, last = self.ranges()[number]
                return f"was made of other samples than {first} to {last - 1} are now"
            path = os.path.join(self.folder, name)
            if not os.path.exists(path) or os.path.getsize(path) != have[name]:
                return f"lacks {path}, or it was cut off"
        return None if len(have) == len(names) else "has more samples than the dataset"

    def _told(self, index, made):
        return Built(index["length"], made, sum(p["bad"] for p in index["parts"]), sum(p["bytes"] for p in index["parts"]))

    # ---- the folder ----------------------------------------------------------------------------------------------------

    @contextlib.contextmanager
    def _prepared(self):
        """The folder, ours alone while this is open."""
        with self._errors():
            os.makedirs(self.folder, exist_ok=True)
            strange = sorted(name for name in os.listdir(self.folder) if name not in OURS and not PART.fullmatch(name))
            if strange:
                raise CacheError(
                    f"{self.folder} holds {strange[0]!r}, which is no part of a cache; name an empty folder, or one to be made"
                )
            lock = os.open(os.path.join(self.folder, "lock"), os.O_RDWR | os.O_CREAT, 0o644)
        try:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise CacheError(f"{self.folder} is being built by another process; wait until it has ended") from None
            except OSError:  # a network's file system without locks
                pass
            with self._errors():
                yield
        finally:
            os.close(lock)

    @contextlib.contextmanager
    def _errors(self):
        """Turns what the system says of the folder into words."""
        try:
            yield
        except CacheError:
            raise
        except OSError as error:
            where = error.filename if isinstance(error.filename, str) else self.folder
            if error.errno in FULL:
                raise CacheError(
                    f"{where} cannot be written: {error.strerror}; what is finished is kept: make room, and run "
                    f"{self.mend(False)}"
                ) from error
            raise CacheError(
                f"{where} cannot be written: {error.strerror or error}; name a folder that can, in {self.mend(False)}"
            ) from error

    # ---- the work ------------------------------------------------------------------------------------------------------

    def _update(self, names, verify, workers, progress):
        plan = self._plan()
        todo = []
        for number, name in enumerate(names):
            path = os.path.join(self.folder, name)
            if plan is None or not os.path.exists(path) or not self._is_whole(path, plan, verify):
                todo.append(number)
        if len(todo) == len(names):
            plan = None  # nothing is kept: the samples may look otherwise than they did
        if todo and plan is not None:
            _log.info("%s: %d of %d parts are made anew", self.folder, len(todo), len(names))
        made = self._make(names, todo, plan, workers, progress) if todo else 0
        plan = self._plan()
        index = {
            **plan,
            "length": self.length,
            "mend": self.mend(False),
            "verify": self.mend(True),
            "parts": [outline(os.path.join(self.folder, name)) for name in names],
            **{name: as_json(getattr(self.dataset, name, None)) for name in ("classes", "class_to_idx")},
        }
        write_json(os.path.join(self.folder, INDEX), index)
        for name in os.listdir(self.folder):
            if name == PLAN or (PART.fullmatch(name) and name not in names):
                with contextlib.suppress(OSError):
                    os.unlink(os.path.join(self.folder, name))
        return self._told(index, made)

    def _plan(self):
        """What is settled of the cache: how samples are made up; None before a first sample was seen."""
        for name in (PLAN, INDEX):
            with contextlib.suppress(OSError, ValueError):
                found = read_json(os.path.join(self.folder, name))
                if found.get("version") == VERSION and all(found[key] == value for key, value in self.settings.items()):
                    return {key: found[key] for key in ("version", "template", "pictures", "part", *self.settings)}
        return None

    def _is_whole(self, path, plan, verify):
        """Whether a part may be kept."""
        known = next((p for p in (self._known() or {"parts": []})["parts"] if p["file"] == os.path.basename(path)), None)
        if known is not None and os.path.getsize(path) != known["bytes"]:
            return False
        if not verify:
            return True
        try:
            said = known or outline(path)
            parts = Parts(self.folder, {"parts": [said], "mend": "", "verify": ""})
            table = parts.table(0)
            for row in range(len(table)):
                parts.check(0, row)
        except (CacheError, ValueError, OSError, arrow().ArrowException):
            return False
        return not said["bad"]

    def _make(self, names, todo, plan, workers, progress):
        ranges = self.ranges()
        groups = [
            (number, first, min(first + self.group, ranges[number][1]))
            for number in todo
            for first in range(ranges[number][0], ranges[number][1], self.group)
        ]
        count = sum(last - first for _, first, last in groups)
        maker = Maker(self, plan, workers)
        with (
            _bar(count, progress) as bar,
            contextlib.closing(maker.batches(groups)) as batches,
            ThreadPoolExecutor(1, "gpuaug-sync") as syncing,
        ):
            ahead, before = next(batches), None
            for number in todo:

                def write(file, number=number):
                    nonlocal ahead
                    with arrow().ipc.new_file(file, maker.packer.schema) as writer:
                        while ahead is not None and ahead[0] == number:
                            writer.write_batch(ahead[1])
                            bar.update(len(ahead[1]))
                            ahead = next(batches, None)

                unfinished = started(os.path.join(self.folder, names[number]), write)
                if before is not None:
                    before.result()
                before = syncing.submit(finished, *unfinished)  # the disk's time, while the next part is made
            before.result()
        return count


def _python(folder, size, store, quality):
    """The line of Python that builds a cache."""
    more = (f", size={size}" if size is not None else "") + f", store={store!r}"
    more += f", quality={quality}" if store == "jpeg" and quality != 95 else ""
    return lambda verify: f"gpuaug.data.cached(dataset, {folder!r}{more}{', verify=True' if verify else ''})"


@contextlib.contextmanager
def _bar(count, shown):
    try:
        from tqdm import tqdm
    except ImportError as error:
        if shown:
            raise ImportError(f"the bar is tqdm's, which cannot be imported ({error}): pip install 'gpuaug[cache]'") from error

        class Silent:
            def update(self, n):
                pass

        yield Silent()
        return
    with tqdm(total=count, unit=" samples", desc="caching", disable=not shown) as bar:
        yield bar
