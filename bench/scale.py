"""What loading costs by the sample, the shard, the key and the rank: `python -m bench.scale`. docs/scale.md counts with it.

Each number comes from a process of its own: seconds of the processor (all of its threads), and how much more was resident at
the peak, or afterwards. S3 is moto's server on loopback, in another process: the seconds are the client's.
"""

import argparse
import contextlib
import io
import json
import multiprocessing
import os
import pickle
import resource
import sys
import tarfile
import tempfile
import threading
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

PEAK = 0.02  # seconds between looks at what is resident


def resident():
    with open("/proc/self/statm") as statm:
        return int(statm.read().split()[1]) * resource.getpagesize()


class Cost:
    """What happens inside: seconds of the processor and of the wall, bytes at the peak and afterwards."""

    def __enter__(self):
        self.before = self.peak = resident()
        self.over = threading.Event()
        self.watch = threading.Thread(target=self._look)
        self.watch.start()
        self.cpu, self.wall = time.process_time(), time.perf_counter()
        return self

    def _look(self):
        while not self.over.wait(PEAK):
            self.peak = max(self.peak, resident())

    def __exit__(self, *error):
        self.cpu, self.wall = time.process_time() - self.cpu, time.perf_counter() - self.wall
        after = resident()
        self.over.set()
        self.watch.join()
        self.peak, self.kept = max(self.peak, after) - self.before, after - self.before

    def shown(self, **more):
        found = {"cpu_s": round(self.cpu, 4), "wall_s": round(self.wall, 4), "peak_mb": round(self.peak / 1e6, 1)}
        return {**found, "kept_mb": round(self.kept / 1e6, 1), **more}


def in_order(n, world=1000):
    """An epoch's order, and one rank's part of it."""
    from gpuaug.data import dealing, order

    with Cost() as cost:
        part = dealing.part(dealing.Entries(order.in_order(n, True, 0, 1)), (), dealing.Dealing(world // 2, world))
    return cost.shown(samples=n, part=len(part[0]))


def dealt_anew(n, world=1000):
    """The same, of an epoch in the middle of which the number of ranks changed twice."""
    from gpuaug.data import dealing, order

    whole = order.in_order(n, True, 0, 1)
    k = n // 4 // world
    first = order.Position().after(whole[7::world][:k])
    rest = whole[k * world :]
    second = order.Position().after(rest[3 :: world - 8][:k])
    legs = tuple(
        dealing.Leg(ranks, 1, False, ((rank, 1, at.samples, at.checksum),))
        for ranks, rank, at in ((world, 7, first), (world - 8, 3, second))
    )
    del rest
    with Cost() as cost:
        dealing.part(dealing.Entries(whole), legs, dealing.Dealing(5, world - 16))
    return cost.shown(samples=n)


class Same:
    """So many samples of one file."""

    thread_safe = True

    def __init__(self, file, n):
        self.file, self.n = file, n

    def __len__(self):
        return self.n

    def __getitem__(self, index):
        return self.file, index


def picture(folder):
    import numpy as np
    from PIL import Image

    path = Path(folder) / "one.jpg"
    Image.fromarray(np.zeros((64, 64, 3), np.uint8)).save(path)
    return str(path)


def continued(n, share):
    """From load_state_dict to the first batch, after so much of an epoch."""
    import gpuaug as G

    def make(n):
        return G.DataLoader(Same(file, n), 64, shuffle=True, seed=0, device="cpu", transform=G.Compose([G.HorizontalFlip()]))

    with tempfile.TemporaryDirectory() as folder:
        file = picture(folder)
        next(iter(make(1000)))  # what the first use of everything costs is not counted
        loader = make(n)
        state = loader.state_dict()
        if share:
            from gpuaug.data import order

            samples = int(n * share) // 64 * 64
            at = order.Position().after(order.in_order(n, True, 0, 0)[:samples])
            state |= {"batches": samples // 64, "samples": samples, "checksum": at.checksum}
        loader.load_state_dict(state)
        with Cost() as cost:
            next(iter(loader))
    return cost.shown(samples=n, share=share)


def state_bytes():
    """States as JSON: at a start, after three changes of ranks, and with the places of 1,000 ranks that stood apart."""
    from gpuaug.data import DataLoader, dealing

    loader = DataLoader(Same("a", 10**9), 64, shuffle=True, seed=0, device="cpu")
    state = loader.state_dict()
    leg = dealing.Leg(1000, 1, False, ((7, 10_000, 640_000, 2**32 - 1),)).saved()
    apart = dealing.Leg(1000, 1, False, tuple((rank, 10_000, 640_000, 2**32 - 1) for rank in range(1000))).saved()
    sizes = [len(json.dumps({**state, "legs": legs})) for legs in ([], [leg] * 3, [apart])]
    return dict(zip(("fresh", "three_changes", "ranks_apart"), sizes, strict=True))


def folder(n):
    """A folder on disk, listed."""
    from gpuaug.data import ImageFolder

    with tempfile.TemporaryDirectory() as root:
        for k in range(n):
            place = Path(root) / f"class{k % 100:04}"
            place.mkdir(exist_ok=True)
            (place / f"{k:08}_some_longer_name.jpg").touch()
        with Cost() as cost:
            data = ImageFolder(root)
        return cost.shown(samples=n, pickled_mb=round(len(pickle.dumps(data)) / 1e6, 1))


def shard(path, n, size):
    with tarfile.open(path, "w") as tar:
        for k in range(n):
            for suffix, data in ((".jpg", b"\xff\xd8" + bytes(size)), (".cls", b"7")):
                info = tarfile.TarInfo(f"{k:08}{suffix}")
                info.size = len(data)
                tar.addfile(info, io.BytesIO(data))


def shards(n, count, size=1000):
    """Tar shards on disk, indexed; then their samples are opened."""
    from gpuaug.data import IndexedShards

    with tempfile.TemporaryDirectory() as root:
        for k in range(count):
            shard(f"{root}/{k:05}.tar", n, size)
        with Cost() as cost:
            data = IndexedShards([f"{root}/{k:05}.tar" for k in range(count)])
        start = time.process_time()
        for k in range(1000):
            data.encoded(k)
        each = (time.process_time() - start) / 1000
        return cost.shown(samples=n * count, pickled_mb=round(len(pickle.dumps(data)) / 1e6, 2), sample_us=round(each * 1e6, 1))


def caches(n):
    """A cache of `n` samples, opened; and what one image costs to be put there."""
    import numpy as np
    from PIL import Image

    from gpuaug.data import Cached, ImageFolder, cached

    with tempfile.TemporaryDirectory() as root:
        for k in range(n):
            place = Path(root) / "images" / f"class{k % 10}"
            place.mkdir(parents=True, exist_ok=True)
            Image.fromarray(np.zeros((16, 16, 3), np.uint8)).save(place / f"{k:08}.jpg")
        start = time.process_time() + sum(os.times()[2:4])
        cached(ImageFolder(f"{root}/images"), f"{root}/cache", size=8)
        build = time.process_time() + sum(os.times()[2:4]) - start
        with Cost() as cost:
            data = Cached(f"{root}/cache")
            data[0]
        return cost.shown(samples=n, build_us=round(build / n * 1e6, 1))


def serve(place, pipe):
    sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "data"))
    import s3_server

    with s3_server.s3({folder.name: folder for folder in Path(place).iterdir() if folder.is_dir()}) as (_, proxy):
        pipe.send((f"http://{proxy.target[0]}:{proxy.target[1]}", s3_server.KEYS))
        pipe.recv()


@contextlib.contextmanager
def bucket(place):
    ours, theirs = multiprocessing.get_context("spawn").Pipe()
    server = multiprocessing.get_context("spawn").Process(target=serve, args=(place, theirs), daemon=True)
    server.start()
    theirs.close()  # so that a server that could not start is an EOFError here
    try:
        endpoint, keys = ours.recv()
        os.environ.update(keys, AWS_ENDPOINT_URL=endpoint)
        yield
    finally:
        with contextlib.suppress(OSError):
            ours.send(None)
        server.join(10)


def listing(n):
    """A bucket's folder, listed."""
    from gpuaug.data import ImageFolder

    with tempfile.TemporaryDirectory() as root:
        file = Path(picture(root)).read_bytes()
        for k in range(n):
            place = Path(root) / ("train" if k else "first") / f"class{k % 10}"
            place.mkdir(parents=True, exist_ok=True)
            (place / f"{k:08}.jpg").write_bytes(file)
        with bucket(root):
            ImageFolder("s3://bucket/first")  # what the first use of everything costs is not counted
            with Cost() as cost:
                data = ImageFolder("s3://bucket/train")
            assert len(data) == n - 1
    return cost.shown(samples=n)


def far_shards(n, count):
    """Shards in a bucket, indexed: requests and bytes, without a cache and with one that is kept."""
    from gpuaug.data import IndexedShards, Remote, remote

    with tempfile.TemporaryDirectory() as root:
        (Path(root) / "shards").mkdir()
        for k in range(count):
            shard(f"{root}/shards/{k:05}.tar", n, 10_000)
        found = {}
        with bucket(root):
            kept = Remote(cache=f"{root}/blocks")
            for name, settings in (("alone", None), ("first", kept), ("again", Remote(cache=f"{root}/blocks"))):
                before = dict(remote.counts())
                with Cost() as cost:
                    IndexedShards("s3://bucket/shards/", remote=settings)
                after = remote.counts()
                found[name] = cost.shown(requests=after["requests"] - before["requests"], bytes=after["bytes"] - before["bytes"])
    return {"samples": n * count, "shards": count, "size": n * 11_500, **found}


CASES = {
    "order 1.3 M": (in_order, 1_300_000),
    "order 10 M": (in_order, 10_000_000),
    "order 100 M": (in_order, 100_000_000),
    "order 100 M, one rank": (in_order, 100_000_000, 1),
    "dealt anew 100 M": (dealt_anew, 100_000_000),
    "first batch of 10 M": (continued, 10_000_000, 0),
    "first batch behind 90 % of 10 M": (continued, 10_000_000, 0.9),
    "state": (state_bytes,),
    "folder": (folder, 100_000),
    "shards": (shards, 10_000, 10),
    "cache": (caches, 20_000),
    "listing": (listing, 1_000),
    "shards by URL": (far_shards, 500, 4),
}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--only", help="cases whose name has this in it")
    options = parser.parse_args()
    wanted = [name for name in CASES if options.only is None or options.only in name]
    if not wanted:
        raise SystemExit(f"--only: no case has {options.only} in its name, and there are {', '.join(CASES)}")
    for name in wanted:
        function, *given = CASES[name]
        with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
            print(f"{name}: {json.dumps(pool.submit(apart, function.__name__, given).result())}", flush=True)


def apart(name, given):
    import gpuaug  # noqa: F401  what the import costs is not counted

    return globals()[name](*given)


if __name__ == "__main__":
    main()
