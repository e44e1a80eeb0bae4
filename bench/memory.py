"""Resident memory of the loader over 2,000 batches: `python -m bench.memory`.

The first 200 batches are warm-up: allocators and DALI's buffers grow to the largest batch that they meet. How much is
resident varies with the number of batches in flight, so "before" and "after" are medians over 100 batches that are
2,000 apart.
"""

import gc
import os
import statistics
from pathlib import Path

from bench.harness import arguments, markdown, write

MIB = 2**20
GOAL = 20  # MiB
WINDOW = 100  # batches


def resident():
    gc.collect()
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / MIB


def main():
    from gpuaug.demo import best_device, gpuaug_loader, photo_folder

    options = arguments(__doc__, batches=2000, warmup=200, batch_size=16, workers=2, folder=None, device=None)
    device = options.device or best_device()
    folder = photo_folder(options.folder)
    loader = gpuaug_loader(folder, options.batch_size, options.workers, device=device)
    curve, done, total = [], 0, options.warmup + options.batches + WINDOW
    while done < total:
        for _ in loader:
            done += 1
            if done > options.warmup and done % 5 == 0:
                curve.append(resident())
            if done % 200 == 0:
                print(f"{done:5d} batches: {resident():.1f} MiB", flush=True)
            if done == total:
                break
    window = WINDOW // 5
    before, after = statistics.median(curve[:window]), statistics.median(curve[-window:])
    result = {
        "batches": options.batches,
        "batch_size": options.batch_size,
        "before_mib": before,
        "after_mib": after,
        "grown_mib": after - before,
        "goal_mib": GOAL,
        "mib": curve[::window],
    }
    path = write("memory", [result], device=device, out=options.out)
    print(table([result]), f"\n{path}")


def table(results):
    rows = [[r["batches"], f"{r['before_mib']:.0f}", f"{r['after_mib']:.0f}", f"{r['grown_mib']:+.1f}"] for r in results]
    return markdown(["batches", "MiB before", "MiB after", "difference"], rows)


if __name__ == "__main__":
    main()
