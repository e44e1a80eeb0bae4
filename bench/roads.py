"""What each of the loader's roads holds on to over 10,000 batches: `python -m bench.roads`, `--only files,cache` for some.

Batches of 8, small pictures (JPEGs of about 120x96), RandomResizedCrop 64 and a flip: what is counted are batches. Each road has
a process of its own. "Before" is the median of what is resident over 100 batches after 2,000, which are warm-up (DALI's buffers
and malloc's free lists grow until then), "after" the same at the end; beside them the threads and open files of the process.
"""

import concurrent.futures
import multiprocessing
import statistics
import tempfile
from pathlib import Path

from bench.harness import arguments, markdown, picked, write
from bench.memory import handles, resident

USED = ("nvidia-dali-cuda130", "pyarrow")  # whose versions stand under the table

GOAL = 30  # MiB that may be more after 10,000 batches: as in bench.memory
WINDOW = 100
EVERY = 20  # batches between two looks, which cost 50 ms each
BATCH = 8


def steps():
    import gpuaug as G

    return G.Compose([G.RandomResizedCrop((64, 64)), G.HorizontalFlip(), G.Normalize(), G.ToTensorV2()], seed=0)


def files(folder, scratch):
    from gpuaug.data import ImageFolder

    return ImageFolder(folder), {"num_workers": 2}


def fast(folder, scratch):
    return files(folder, scratch)[0], {"num_workers": 2, "decode": "fast"}


def cache(folder, scratch):
    from gpuaug.data import cached

    return cached(files(folder, scratch)[0], scratch / "cache"), {"num_workers": 2}


def shards(folder, scratch):
    from gpuaug.data import IndexedShards

    return IndexedShards(_tar(folder, scratch)), {"num_workers": 2}


def stream(folder, scratch):
    from gpuaug.data import WebDataset

    return WebDataset(_tar(folder, scratch)), {"num_workers": 0, "shuffle": None}


def parquet(folder, scratch):
    import pyarrow as pa
    import pyarrow.parquet as pq

    from gpuaug.data import BlockSampler, Parquet

    pictures = sorted(Path(folder).rglob("*.jpg"))
    table = pa.table({"image": [path.read_bytes() for path in pictures], "label": list(range(len(pictures)))})
    pq.write_table(table, scratch / "all.parquet", row_group_size=64)
    dataset = Parquet(str(scratch / "all.parquet"), fields={"label": "label"})
    return dataset, {"num_workers": 2, "shuffle": None, "sampler": BlockSampler(dataset)}


def url(folder, scratch):
    import fsspec

    from gpuaug.data import ImageFolder, Remote

    memory = fsspec.filesystem("memory")
    for path in Path(folder).rglob("*.jpg"):
        memory.pipe(f"/photos/{path.parent.name}/{path.name}", path.read_bytes())
    return ImageFolder("memory://photos", remote=Remote(cache=str(scratch / "blocks"))), {"num_workers": 2}


def workers(folder, scratch):
    # which live on: an epoch is 32 batches, and starting processes takes seconds
    return _Arrays(folder), {"num_workers": 2, "persistent_workers": True}


def arrays(folder, scratch):
    import torch
    from torch.utils.data import TensorDataset

    from gpuaug.photographs import crops

    pictures = torch.from_numpy(crops(512, (96, 120))).permute(0, 3, 1, 2)
    return TensorDataset(pictures, torch.arange(len(pictures))), {"num_workers": 0}


class _Arrays:
    """A dataset of somebody's, which decodes itself."""

    def __init__(self, folder):
        self.files = sorted(map(str, Path(folder).rglob("*.jpg")))

    def __len__(self):
        return len(self.files)

    def __getitem__(self, index):
        import cv2

        return cv2.imread(self.files[index]), index


def _tar(folder, scratch):
    import tarfile

    path = scratch / "all.tar"
    with tarfile.open(path, "w") as tar:
        for number, picture in enumerate(sorted(Path(folder).rglob("*.jpg"))):
            tar.add(picture, f"{number:06d}.jpg")
            (scratch / "number").write_text(str(number))
            tar.add(scratch / "number", f"{number:06d}.cls")
    return str(path)


ROADS = {road.__name__: road for road in (files, fast, cache, shards, stream, parquet, url, workers, arrays)}


def measure(name, folder, batches, warmup):
    import gpuaug

    with tempfile.TemporaryDirectory() as scratch:
        dataset, more = ROADS[name](folder, Path(scratch))
        loader = gpuaug.DataLoader(dataset, BATCH, **{"shuffle": True, "transform": steps(), "device": "cpu", **more})
        curve, held, done, total = [], [], 0, warmup + batches + WINDOW
        while done < total:
            for _ in loader:
                done += 1
                if done > warmup and done % EVERY == 0:
                    curve.append(resident())
                    held.append(handles())
                if done == total:
                    break
    window = WINDOW // EVERY
    before, after = (statistics.median(curve[end]) for end in (slice(0, window), slice(-window, None)))
    threads, open_files = ([statistics.median(h[kind] for h in held[end]) for end in (slice(0, window), slice(-window, None))]
                           for kind in (0, 1))  # fmt: skip
    return {"road": name, "batches": batches, "batch_size": BATCH, "warmup": warmup, "before_mib": before, "after_mib": after,
            "grown_mib": after - before, "goal_mib": GOAL, "threads": threads, "files": open_files,
            "mib": curve[:: window * 5]}  # fmt: skip


def main():
    from gpuaug.photographs import photo_folder

    options = arguments(__doc__, batches=10000, warmup=2000, only="", folder=None)
    wanted = picked(options.only, ROADS)
    folder = str(photo_folder(options.folder, 256, (96, 120)))
    results = []
    for name in wanted:
        with concurrent.futures.ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
            results.append(pool.submit(measure, name, folder, options.batches, options.warmup).result())
        print(table(results[-1:]).splitlines()[2], flush=True)
    print(f"{table(results)}\n{write('roads', results, out=options.out)}")


def table(results):
    rows = []
    for r in results:
        mib = [f"{r['before_mib']:.0f}", f"{r['after_mib']:.0f}", f"{r['grown_mib']:+.1f}", f"< {r['goal_mib']}"]
        rows.append(
            [r["road"], f"{r['batches']:,}", *mib, *("{:.0f} - {:.0f}".format(*r[kind]) for kind in ("threads", "files"))]
        )
    return markdown(["road", "batches", "MiB before", "MiB after", "difference", "goal", "threads", "open files"], rows)


if __name__ == "__main__":
    main()
