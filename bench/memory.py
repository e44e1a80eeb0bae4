"""What the loader holds on to over 2,000 batches, and calls over 5,000: `python -m bench.memory`; `--batches 10000` for more.

The first 2,000 batches are warm-up: DALI's buffers grow to the largest batch that they meet, and malloc's free lists take that
long to reach the size at which they stay (what is resident is about 125 MiB in use and 80 to 170 MiB free on malloc's heap, the
free part up and down from batch to batch). "Before" and "after" are medians over 100 batches that are so many apart; beside
them is what malloc says is in use, and the threads and open files of the process.

The loader lets malloc give its free memory back every 2,000 batches, and both windows begin at a multiple of that: they compare
one floor with the next. In between, resident memory is higher, by 20 to 40 MiB on one machine and by 100 on another; the curve
is in the JSON.

The calls are of one image each, of a size drawn anew every time (100 to 1,500 pixels a side), to float32: 0.1 to 27 MB.
They come first, in a process that has done nothing else. "Before" is after one call on the largest image, "most" the most that
was resident from there on, "after" the median over the last 100 calls.
"""

import ctypes
import gc
import os
import statistics
from pathlib import Path

import numpy as np

from bench.harness import arguments, markdown, write

USED = ("nvidia-dali-cuda130",)  # whose versions stand under the table

MIB = 2**20
GOALS = {2000: 20, 10000: 30}  # batches: MiB
GOAL_OF_CALLS = 100  # MiB
WINDOW = 100  # batches, or calls


def resident():
    gc.collect()
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / MIB


class _Mallinfo(ctypes.Structure):
    _fields_ = [
        (name, ctypes.c_size_t) for name in "arena ordblks smblks hblks hblkhd usmblks fsmblks uordblks fordblks keepcost".split()
    ]


def in_use():
    """MiB that malloc has handed out (glibc; elsewhere NaN): its heap and its own mappings."""
    try:
        mallinfo = ctypes.CDLL(None).mallinfo2
    except (OSError, AttributeError):
        return float("nan")
    mallinfo.restype = _Mallinfo
    info = mallinfo()
    return (info.uordblks + info.hblkhd) / MIB


def handles():
    """Threads and open files of this process."""
    return [len(os.listdir(f"/proc/self/{kind}")) for kind in ("task", "fd")]


def of_calls(count):
    """Calls on images of random sizes; what is resident is looked at every 5."""
    from gpuaug import Compose, HorizontalFlip, Normalize, RandomBrightnessContrast

    transform = Compose([HorizontalFlip(), RandomBrightnessContrast(p=1), Normalize()], seed=0)
    rng = np.random.default_rng(0)
    whole = rng.integers(0, 256, (1500, 1500, 3), np.uint8)
    transform(image=whole)
    before, curve = resident(), []
    for number in range(count):
        height, width = rng.integers(100, 1501, 2)
        # held until the next one is there, as in a loop
        out = transform(image=np.ascontiguousarray(whole[:height, :width]))["image"]
        if number % 5 == 4:
            curve.append(resident())
        if number % 500 == 0:
            print(f"{number:5d} calls: {resident():.1f} MiB, the last of {out.shape}", flush=True)
    window = WINDOW // 5
    after, most = statistics.median(curve[-window:]), max(curve)
    return {"calls": count, "before_mib": before, "after_mib": after, "most_mib": most, "grown_mib": most - before,
            "goal_mib": GOAL_OF_CALLS, "mib": curve[::window]}  # fmt: skip


def main():
    from gpuaug.demo import gpuaug_loader
    from gpuaug.machine import best_device
    from gpuaug.photographs import photo_folder

    options = arguments(__doc__, batches=2000, warmup=2000, batch_size=16, workers=2, calls=5000, folder=None, device=None)
    device = options.device or best_device()
    calls = of_calls(options.calls)
    folder = photo_folder(options.folder)
    loader = gpuaug_loader(folder, options.batch_size, options.workers, device=device)
    curve, used, held, done, total = [], [], [], 0, options.warmup + options.batches + WINDOW
    while done < total:
        for _ in loader:
            done += 1
            if done > options.warmup and done % 5 == 0:
                curve.append(resident())
                used.append(in_use())
                held.append(handles())
            if done % 200 == 0:
                print(f"{done:5d} batches: {resident():.1f} MiB", flush=True)
            if done == total:
                break
    window = WINDOW // 5
    results = [calls]
    for batches in sorted({n for n in GOALS if n < options.batches} | {options.batches}):
        ends = slice(0, window), slice(batches // 5, batches // 5 + window)
        before, after = (statistics.median(curve[end]) for end in ends)
        used_before, used_after = (statistics.median(used[end]) for end in ends)
        threads, files = ([statistics.median(h[kind] for h in held[end]) for end in ends] for kind in (0, 1))
        results.append(
            {
                "batches": batches,
                "batch_size": options.batch_size,
                "before_mib": before,
                "after_mib": after,
                "grown_mib": after - before,
                "in_use_before_mib": used_before,
                "in_use_after_mib": used_after,
                "warmup": options.warmup,
                "goal_mib": GOALS.get(batches),
                "threads": threads,
                "files": files,
                "mib": curve[: ends[1].stop : window],
            }
        )
    path = write("memory", results, device=device, out=options.out)
    print(table(results), f"\n{path}")


def table(results):
    rows = []
    for r in (r for r in results if "batches" in r):
        goal = f"< {r['goal_mib']}" if r["goal_mib"] else ""
        counts = ["{:.0f} - {:.0f}".format(*r[kind]) for kind in ("threads", "files")]
        rows.append(
            [
                f"{r['batches']:,}",
                f"{r['before_mib']:.0f}",
                f"{r['after_mib']:.0f}",
                f"{r['grown_mib']:+.1f}",
                goal,
                f"{r['in_use_before_mib']:.0f} - {r['in_use_after_mib']:.0f}",
                *counts,
            ]
        )
    loader = markdown(["batches", "MiB before", "MiB after", "difference", "goal", "in use", "threads", "open files"], rows)
    rows = [
        [
            f"{r['calls']:,}",
            f"{r['before_mib']:.0f}",
            f"{r['after_mib']:.0f}",
            f"{r['most_mib']:.0f}",
            f"{r['grown_mib']:+.1f}",
            f"< {r['goal_mib']}",
        ]
        for r in results
        if "calls" in r
    ]
    if not rows:
        return loader
    return f"{loader}\n\n{markdown(['calls', 'MiB before', 'MiB after', 'most', 'most - before', 'goal'], rows)}"


if __name__ == "__main__":
    main()
