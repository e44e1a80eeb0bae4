"""The work of a build: the loader's own roads read and decode, threads make small and pack."""

import contextlib
import json
import os
from collections import deque
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from ... import Compose, NoOp, SmallestMaxSize
from ..faults import AllBadError
from ..leaves import is_picture
from ..loader import DataLoader
from ..progress import Progress
from ..structure import get, outline, take_out
from .columns import columns, slots, template
from .files import PICTURES, PLAN, VERSION, CacheError, write_json
from .parts import Group, Packer, described


class Maker:
    """Record batches of a dataset's samples, in order."""

    def __init__(self, build, plan, workers):
        self.build, self.plan = build, plan
        self.workers = workers or len(os.sched_getaffinity(0))
        self.packer = None
        size = build.settings["size"]
        self.shrink = (
            None if size is None else Compose([SmallestMaxSize(size, interpolation=3, mask_interpolation=6, p=1)], seed=0)
        )

    def batches(self, groups):
        """(number of the part, record batch) of each group."""
        loader = _Decoding(
            self.build.dataset, batch_sampler=[list(range(first, last)) for _, first, last in groups], collate_fn=_listed,
            num_workers=self.workers, transform=self.shrink or Compose([NoOp()], seed=0), targets=self.build.targets,
            device="cpu", on_error="skip",
        )  # fmt: skip
        waiting = deque()
        with ThreadPoolExecutor(self.workers, "gpuaug-cache") as pool:
            for number, group in self._groups(loader, groups):
                if self.packer is None:
                    self._settle(group)
                waiting.append((number, pool.submit(self.packer, group)))
                if len(waiting) > self.workers:
                    number, made = waiting.popleft()
                    yield number, made.result()
            while waiting:
                number, made = waiting.popleft()
                yield number, made.result()

    def _groups(self, loader, groups):
        loader._errors.begin()
        road, at = loader._map_road(0, Progress(0), False), 0
        held = []  # groups that come before the first one with a good sample
        try:
            for loaded in _until_all_bad(road):
                rests = loaded.rest
                pictures = {name: _apart(data) for name, data in loaded.data.items()}
                good = {
                    index: ({name: pictures[name][k] for name in pictures}, rests[k])
                    for k, index in enumerate(map(int, loaded.indices))
                }
                while not groups[at][1] <= next(iter(good)) < groups[at][2]:
                    held.append(self._group(loader, groups[at], {}))
                    at += 1
                current = self._group(loader, groups[at], good)
                at += 1
                if self.packer is None:
                    self._settle(current[1])
                yield from held
                held = []
                yield current
                del pictures, good, loaded, current
            held += [self._group(loader, group, {}) for group in groups[at:]]
            if held and self.packer is None:
                self._settle(None, held[0][1])
            yield from held
        finally:
            if hasattr(road, "close"):
                road.close()

    def _group(self, loader, group, good):
        number, first, last = group
        reasons = {index: loader._errors.get(index) for index in range(first, last) if index not in good}
        lost = [index for index, reason in reasons.items() if reason is None]
        if lost:
            raise RuntimeError(f"sample {lost[0]} was neither loaded nor found to be bad")
        return number, Group(first, last, good, reasons)

    def _settle(self, group, bad=None):
        """Finds out, at the first good sample, how samples are made up."""
        build = self.build
        if group is None or not group.good:
            if self.plan is None:
                reason = next(iter((bad or group).reasons.values()))
                raise CacheError(f"not one sample can be decoded, so that there is nothing to store; the first: {reason}")
        else:
            index, (pictures, rest) = next(iter(group.good.items()))
            found = template(rest)
            like = build.dataset[index]
            self._check(found, like, pictures)
            about = {
                name: {
                    **described(picture),
                    "kind": _kind(get(like, slots(found)[name])),
                    "encoded": name == "image" and build.settings["store"] == "jpeg",
                }
                for name, picture in ((n, pictures[n]) for n in PICTURES if n in pictures)
            }
            now = {"template": as_json(found), "pictures": about}
            if self.plan is None:
                self.plan = {"version": VERSION, "part": build.per_part, **build.settings, **now}
            elif now != {key: self.plan[key] for key in now}:
                raise CacheError(
                    f"the samples of the dataset are made up otherwise than those of {build.folder}: sample {index} has other "
                    f"entries or types; remove the folder, and run {build.mend(False)}"
                )
            write_json(os.path.join(build.folder, PLAN), self.plan)
        plan = self.plan
        self.packer = Packer(
            plan["template"], plan["pictures"], self.shrink, build.settings["size"], build.settings["quality"], build.sources
        )
        self.packer.paths = {name: tuple(path) for name, path in slots(plan["template"]).items()}

    def _check(self, found, like, pictures):
        where = slots(found)
        if "image" not in where or set(where) - set(PICTURES):
            strange = sorted(map(str, set(where) - set(PICTURES)))
            raise CacheError(
                f"a cache stores one image and one mask of a sample, and this dataset's have {strange or 'no image'}; say which "
                f"they are, targets={{'image': where, 'mask': where}}"
            )
        _, without = take_out(like, where)
        beside = {tuple(column["path"]): column for column in columns(template(without))}
        for column in columns(found):
            if beside.get(tuple(column["path"])) != column:
                raise CacheError(
                    f"the entry {_shown(column['path'])} of a sample is {outline(get(like, tuple(column['path'])))} in "
                    f"dataset[i], and a cache would have the {column['kind']} of dataset.encoded(i): it decodes "
                    f"one image and one mask"
                )
        if self.build.settings["store"] == "jpeg":
            about = described(pictures["image"])
            if about["dtype"] != "uint8" or about["channels"] not in (1, 3):
                raise CacheError(
                    f"JPEG stores uint8 of one or three channels, and the images have {about['dtype']} and {about['channels']}; "
                    f'store="raw" takes them'
                )


class _Decoding(DataLoader):
    """A loader of which only the road is used."""

    def _hooks(self, epoch):
        return None, None  # nothing is finished ahead, and images are decoded whole


def _shown(path):
    return repr(path[0] if len(path) == 1 else tuple(path))


def _listed(samples):
    """A collate_fn: samples stay apart."""
    return samples


def _until_all_bad(road):
    with contextlib.suppress(AllBadError):
        yield from road


def _apart(data):
    """The samples of a target, where they lie; they hold what they lie in."""
    if type(data).__module__.startswith("nvidia.dali"):
        return [np.asarray(data[k]) for k in range(len(data))]
    return list(data)


def _kind(leaf):
    return "pil" if is_picture(leaf) else "tensor" if hasattr(leaf, "permute") else "array"


def as_json(value):
    """A value as JSON gives it back; None where that is another one."""
    try:
        made = json.loads(json.dumps(value))
    except (TypeError, ValueError):
        return None
    return made
