"""Building caches beside pools that only decode, how large they are, and what reading them holds on to: `python -m bench.cache`.

build: JPEGs of about 500x375, on all cores, in turn; each way is warm. A pool has as many processes as there are cores, which
decode to RGB and drop the pixels. Caches are synced to the disk. Speeds of reading are in bench.loader: cache_raw, cache_jpeg.
size: bytes of the folder of a raw cache of 256 against its pixels' bytes.
memory: what is resident after a quarter of the batches, and at the end.
"""

import multiprocessing
import shutil
import statistics
import tempfile
import time
from pathlib import Path

import numpy as np

from bench.harness import arguments, markdown, quartiles, write
from bench.memory import resident

USED = ("nvidia-dali-cuda130", "opencv-python-headless", "pillow", "pyarrow")  # whose versions stand under the table

CACHES = {
    "cache, raw, 256": {"size": 256},
    "cache, raw, own sizes": {},
    "cache, JPEG, 256": {"size": 256, "store": "jpeg"},
}
PILLOW, OPENCV = "only decode, Pillow", "only decode, OpenCV"
GOAL, LARGER, GROWN = 1.0, 1.02, 20  # times as fast as decoding; of the pixels; MiB


def pillow(path):
    from PIL import Image

    return np.asarray(Image.open(path).convert("RGB")).shape[0]


def opencv(path):
    import cv2

    cv2.setNumThreads(0)
    return cv2.cvtColor(cv2.imread(path), cv2.COLOR_BGR2RGB).shape[0]


def build(folder, rounds, where):
    """Images per second of each way."""
    from gpuaug.data import ImageFolder, cached
    from gpuaug.demo import cpu_seconds
    from gpuaug.machine import usable_cores

    dataset, ways = ImageFolder(folder), {}
    files, cores = [path for path, _ in dataset.samples], len(usable_cores())
    pool = multiprocessing.get_context("spawn").Pool(cores)
    for name, decode in ((PILLOW, pillow), (OPENCV, opencv)):
        ways[name] = lambda decode=decode: pool.map(decode, files, 8)
    for name, given in CACHES.items():

        def make(given=given):
            shutil.rmtree(where, ignore_errors=True)
            cached(dataset, where, progress=False, **given)

        ways[name] = make
    found = {name: {"rates": [], "cpu_ms": []} for name in ways}
    with pool:
        for number in range(rounds + 1):
            first = number % len(ways)
            for name in (*list(ways)[first:], *list(ways)[:first]):
                cpu, start = cpu_seconds(), time.perf_counter()
                ways[name]()
                if number:
                    found[name]["rates"].append(len(files) / (time.perf_counter() - start))
                    found[name]["cpu_ms"].append(1000 * (cpu_seconds() - cpu) / len(files))
    return {"case": "build", "images": len(files), "cores": cores, "ways": found, "goal": GOAL}


def size(folder, where):
    from gpuaug.data import ImageFolder, cached

    there = cached(ImageFolder(folder), where, size=256, progress=False)
    pixels = sum(there[index][0].nbytes for index in range(len(there)))
    return {"case": "size", "bytes": sum(file.stat().st_size for file in Path(where).iterdir()), "pixels": pixels, "goal": LARGER}


def memory(where, batches):
    import gpuaug as A
    from gpuaug.data import Cached

    steps = [A.RandomResizedCrop((224, 224)), A.HorizontalFlip(), A.Normalize(), A.ToTensorV2()]
    loader = A.DataLoader(Cached(where), 64, shuffle=True, transform=A.Compose(steps, seed=0), device="cpu", num_workers=2)
    curve = []
    while len(curve) < batches:
        for _ in loader:
            curve.append(resident() if len(curve) % 20 == 0 else curve[-1])
    window = max(20, batches // 20)
    before, after = (statistics.median(curve[at : at + window]) for at in (batches // 4, batches - window))
    return {
        "case": "memory",
        "batches": batches,
        "before_mib": before,
        "after_mib": after,
        "goal_mib": GROWN,
        "mib": curve[::100],
    }


def main():
    from gpuaug.photographs import photo_folder

    options = arguments(__doc__, rounds=5, count=512, batches=4000, folder=None)
    folder = photo_folder(options.folder, options.count)
    with tempfile.TemporaryDirectory(dir=folder.parent) as temporary:
        where = f"{temporary}/cache"
        results = [build(folder, options.rounds, where)]
        shutil.rmtree(where)
        results += [size(folder, where), memory(where, options.batches)]
    print(table(results), "\n", write("cache", results, out=options.out))


def table(results):
    parts = []
    for result in results:
        if result["case"] == "build":
            rows = []
            for name, found in result["ways"].items():
                row = [name, f"{statistics.median(found['rates']):,.0f}", f"{statistics.median(found['cpu_ms']):.2f}"]
                for other in (PILLOW, OPENCV):
                    pairs = zip(found["rates"], result["ways"][other]["rates"], strict=True)
                    row.append(
                        ""
                        if name in (PILLOW, OPENCV)
                        else "{1:.2f}x ({0:.2f}-{2:.2f})".format(*quartiles(a / b for a, b in pairs))
                    )
                rows.append([*row, "" if name in (PILLOW, OPENCV) else f"{result['goal']}x"])
            head = [
                f"{result['images']:,} JPEGs, {result['cores']} cores",
                "images/s",
                "CPU ms per image",
                "of Pillow's",
                "of OpenCV's",
                "goal",
            ]
            parts.append(markdown(head, rows))
        elif result["case"] == "size":
            rows = [[f"{result['bytes'] / 1e6:,.1f} MB", f"{result['bytes'] / result['pixels']:.4f}x", f"{result['goal']}x"]]
            parts.append(markdown(["raw cache, 256", "of its pixels", "goal: at most"], rows))
        else:
            grown = f"{result['after_mib'] - result['before_mib']:+.1f}"
            rows = [
                [
                    f"{result['batches']:,}",
                    f"{result['before_mib']:.0f}",
                    f"{result['after_mib']:.0f}",
                    grown,
                    f"< {result['goal_mib']}",
                ]
            ]
            parts.append(markdown(["batches of 64 from a raw cache", "MiB before", "MiB after", "difference", "goal"], rows))
    return "\n\n".join(parts)


if __name__ == "__main__":
    main()
