"""Resident memory of the loader over 2,000 batches: `python -m bench.memory`.

The first 200 batches are warm-up: allocators and DALI's buffers grow to the largest batch that they meet.
"""

import gc
import os
from pathlib import Path

from bench.harness import arguments, markdown, write

MIB = 2**20
GOAL = 20  # MiB


def resident():
    gc.collect()
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / MIB


def main():
    from gpuaug.demo import best_device, gpuaug_loader, photo_folder

    options = arguments(__doc__, batches=2000, warmup=200, batch_size=16, workers=2, folder=None, device=None)
    device = options.device or best_device()
    folder = photo_folder(options.folder)
    loader = gpuaug_loader(folder, options.batch_size, options.workers, device=device)
    curve, done = [], 0
    while done < options.warmup + options.batches:
        for _ in loader:
            done += 1
            if done >= options.warmup and (done - options.warmup) % 100 == 0:
                curve.append(resident())
                print(f"{done - options.warmup:5d} batches: {curve[-1]:.1f} MiB", flush=True)
            if done >= options.warmup + options.batches:
                break
    result = {
        "batches": options.batches,
        "batch_size": options.batch_size,
        "grown_mib": curve[-1] - curve[0],
        "mib": curve,
    }
    path = write("memory", [result], device=device, out=options.out)
    print(table([result]), f"\n{path}")


def table(results):
    rows = [[r["batches"], f"{r['mib'][0]:.0f}", f"{r['mib'][-1]:.0f}", f"{r['grown_mib']:+.1f}"] for r in results]
    return markdown(["batches", "MiB before", "MiB after", "difference"], rows)


if __name__ == "__main__":
    main()
