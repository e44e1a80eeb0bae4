"""Loading by URL beside loading from disk, whole epochs in turn: `python -m bench.remote`.

S3 is moto's server on loopback, a Python program in a process of its own on the same cores. Two downloaders that decode nothing
tell what limits: s3fs in 8 threads, as the loader asks it, and `http.client` in 8 threads without signatures, the least that a
client can do, which leaves the server. Before it, for the faults, stands the proxy of tests/data/s3_server.py, which fails one
request in 100: 503, a body that is cut, a connection that is reset, in turn.

files: JPEGs of about 500x375, one request each. shards: the same in two tar files, read in blocks of 4 MiB.
RandomResizedCrop 224, HorizontalFlip, Normalize, batches of 64, 8 reading threads.
"""

import contextlib
import http.client
import io
import multiprocessing
import statistics
import sys
import tarfile
import tempfile
import threading
import time
import urllib.parse
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from bench.harness import PACKAGES, arguments, markdown, picked, quartiles, write

DISK, DIRECT, PROXY, FAULTS, CACHE = "disk", "S3", "S3, proxy", "S3, proxy, one fault in 100", "S3, second epoch, cache"
GOAL = 0.9
ADDED = ("fsspec", "s3fs", "aiobotocore", "moto", "webdataset")
USED = ("nvidia-dali-cuda130", *ADDED)
KINDS = ("503", "cut", "reset")


def serve(folders, pipe):
    """In a process of its own: sends the three endpoints, and the injected faults when it is asked."""
    sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "data"))
    import s3_server

    with s3_server.s3(folders) as (_, proxy):
        faulty = s3_server.Proxy(proxy.target)
        faulty.fault = lambda number, method, path: KINDS[number // 100 % len(KINDS)] if number % 100 == 0 else None
        pipe.send(({DIRECT: f"http://{proxy.target[0]}:{proxy.target[1]}", PROXY: proxy.url, FAULTS: faulty.url}, s3_server.KEYS))
        while pipe.recv():
            pipe.send((len(faulty.seen), len(faulty.injected)))


def write_shards(folder, place, count=2):
    from gpuaug.data import ImageFolder

    samples = ImageFolder(folder).samples
    for shard in range(count):
        with tarfile.open(place / f"{shard}.tar", "w") as tar:
            for number in range(shard, len(samples), count):
                path, label = samples[number]
                for name, data in ((f"{number:05}.jpg", Path(path).read_bytes()), (f"{number:05}.cls", str(label).encode())):
                    info = tarfile.TarInfo(name)
                    info.size = len(data)
                    tar.addfile(info, io.BytesIO(data))


class Pairs:
    """A loader of shards as one of (images, labels)."""

    def __init__(self, loader):
        self.loader = loader

    def __iter__(self):
        return ((batch["image"], batch["label"]) for batch in self.loader)


def makers(case, folder, shards, remotes, options):
    import gpuaug
    from gpuaug.data import DataLoader, ImageFolder, WebDataset

    def loader(where, remote):
        steps = [gpuaug.RandomResizedCrop((224, 224)), gpuaug.HorizontalFlip(), gpuaug.Normalize(), gpuaug.ToTensorV2()]
        given = {"batch_size": options.batch_size, "transform": gpuaug.Compose(steps, seed=0), "num_workers": options.threads}
        if case == "files":
            return DataLoader(ImageFolder(where or folder, remote=remote), shuffle=True, seed=0, **given)
        urls = where or [str(path) for path in sorted(shards.glob("*.tar"))]
        return Pairs(DataLoader(WebDataset(urls, remote=remote), seed=0, **given))

    found = {DISK: lambda: loader(None, None)}
    for name, remote in remotes.items():
        found[name] = lambda remote=remote: loader(f"s3://bucket/{'train' if case == 'files' else 'shards/'}", remote)
    return found


def bare(case, endpoint, threads, rounds, images):
    """Of downloaders alone: images a second, and the client's milliseconds of the processor."""
    import s3fs

    system = s3fs.S3FileSystem(endpoint_url=endpoint, skip_instance_cache=True, max_concurrency=1)
    entries = system.find(f"bucket/{'train' if case == 'files' else 'shards'}", detail=True)
    step = 4 * 2**20
    asked = [(name, None, None) for name in entries]
    if case == "shards":
        asked = [(name, at, min(at + step, of["size"])) for name, of in entries.items() for at in range(0, of["size"], step)]
    connections = threading.local()

    def plainly(each):
        if not hasattr(connections, "one"):
            connections.one = http.client.HTTPConnection(endpoint.partition("://")[2])
        headers = {} if each[1] is None else {"Range": f"bytes={each[1]}-{each[2] - 1}"}
        connections.one.request("GET", "/" + urllib.parse.quote(each[0]), headers=headers)
        return connections.one.getresponse().read()

    ways = {"s3fs": lambda each: system.cat_file(each[0], start=each[1], end=each[2]), "http.client": plainly}
    found = {name: [] for name in ways}
    for _ in range(rounds + 1):
        for name, way in ways.items():
            with ThreadPoolExecutor(threads) as pool:
                start, cpu = time.perf_counter(), time.process_time()
                list(pool.map(way, asked))
                found[name].append((images / (time.perf_counter() - start), 1000 * (time.process_time() - cpu) / images))
    return {
        name: {"rates": [rate for rate, _ in each[1:]], "cpu_ms": statistics.median(cpu for _, cpu in each[1:])}
        for name, each in found.items()
    }


def main():
    import os

    import torch

    import gpuaug.data.remote as reading
    from gpuaug.data import Remote
    from gpuaug.demo import race
    from gpuaug.photographs import photo_folder

    options = arguments(__doc__, rounds=7, count=512, batch_size=64, threads=8, only="", folder=None)
    cases = picked(options.only, ("files", "shards"))
    folder, results = photo_folder(options.folder, options.count), []
    context = multiprocessing.get_context("spawn")
    with tempfile.TemporaryDirectory() as scratch, contextlib.ExitStack() as stack:
        shards = Path(scratch) / "shards"
        shards.mkdir()
        write_shards(folder, shards)
        pipe, theirs = context.Pipe()
        process = context.Process(target=serve, args=({"train": folder, "shards": shards}, theirs))
        process.start()
        stack.callback(process.join)
        stack.callback(pipe.send, False)
        endpoints, keys = pipe.recv()
        os.environ.update(keys, AWS_DEFAULT_REGION="us-east-1")
        for case in cases:
            remotes = {name: Remote(options={"endpoint_url": url}) for name, url in endpoints.items()}
            remotes[CACHE] = Remote(options={"endpoint_url": endpoints[DIRECT]}, cache=Path(scratch) / case)
            pipe.send(True)
            before, retries = pipe.recv(), reading.counts()["retries"]
            sides = race(
                makers(case, folder, shards, remotes, options), options.rounds, torch.device("cpu"), clock=time.process_time
            )
            pipe.send(True)
            requests, faults = (now - then for now, then in zip(pipe.recv(), before))
            more = {"images": options.count, "batch_size": options.batch_size, "threads": options.threads, "goal": GOAL}
            alone = bare(case, endpoints[DIRECT], options.threads, options.rounds, options.count)
            faulty = {"requests": requests, "faults": faults, "retries": reading.counts()["retries"] - retries}
            result = {"case": case, **more, "sides": sides, "downloaders": alone, "faulty": faulty}
            results.append(result)
            print(table([result]) + "\n", flush=True)
    PACKAGES.extend(ADDED)
    print(write("remote", results, out=options.out))


def shares(result):
    """{side: quartiles of its rate as a share of disk's, round by round}"""
    sides = result["sides"]
    disk = sides[DISK]["rates"]
    return {name: quartiles(a / b for a, b in zip(side["rates"], disk, strict=True)) for name, side in sides.items()}


def table(results):
    rows = []
    for result in results:
        label = f"{result['case']}: {result['images']:,} images, {result['threads']} threads"
        for name, (low, middle, high) in shares(result).items():
            side = result["sides"][name]
            share = "" if name == DISK else f"{middle:.2f}x ({low:.2f}-{high:.2f})"
            goal = f"{result['goal']}x" if name == DIRECT else ""
            rows.append([label, name, side["images"], f"{side['rate']:,.0f}", f"{side['cpu_ms']:.3f}", share, goal])
            label = ""
        for name, alone in result["downloaders"].items():
            rate = f"{statistics.median(alone['rates']):,.0f}"
            rows.append(["", f"{name} alone, nothing decoded", result["images"], rate, f"{alone['cpu_ms']:.3f}", "", ""])
    head = [
        "epoch",
        "from",
        "images delivered",
        "images/s",
        "CPU ms per image, without the server",
        "share of disk (quartiles)",
        "goal",
    ]
    return markdown(head, rows)


if __name__ == "__main__":
    main()
