"""What the host does for a batch before any kernel runs, on any device: `python -m bench.host`.

draw: all random numbers and parameters; plan: the table of stages; pack: one buffer with all parameters, ready for one copy to a
GPU, and what its launches are. A batch of 256 photographs that differ in size, one thread, no kernel is run. The eight transforms
are those of the demo without GaussNoise, with the same probabilities.
"""

import time

import numpy as np
import torch

from bench.harness import arguments, markdown, quartiles, write

GOAL = 500  # microseconds


def eight():
    import gpuaug
    from gpuaug.demo import pipeline

    nine = pipeline(gpuaug)
    return gpuaug.Compose([each for each in nine.transforms if type(each).__name__ not in ("GaussNoise", "ToTensorV2")], seed=0)


def measure(compose, batch, rounds, size=224):
    """-> {part: microseconds of each round}."""
    n = len(batch)
    ids = np.arange(n)
    address = 4096 * np.arange(1, n + 1, dtype=np.int64)  # nothing is written there: no kernel runs
    stride = np.broadcast_to(np.array([size, 1, size * size], np.int64), (n, 3))
    upload = np.empty(64 * 2**20, np.uint8)
    parts = {"draw": [], "plan": [], "pack": [], "all": []}
    for number in range(rounds + 5):
        start = time.perf_counter()
        drawn = compose.draw(batch.size, ids=ids, epoch=number, channels=batch.channels, dtype=batch.dtype)
        after_draw = time.perf_counter()
        plan = drawn.lower(batch).finish(address, stride, "float32")
        if plan.scratch_bytes:
            plan.place(1 << 40)
        after_plan = time.perf_counter()
        upload[: len(plan.memory)] = plan.memory
        _ = plan.launches  # a GPU is told each
        end = time.perf_counter()
        if number >= 5:
            for name, seconds in zip(
                parts, (after_draw - start, after_plan - after_draw, end - after_plan, end - start), strict=True
            ):
                parts[name].append(1e6 * seconds)
    return parts


def main():
    from gpuaug import Batch

    options = arguments(__doc__, rounds=200, batch=256)
    torch.set_num_threads(1)
    draw = np.random.default_rng(0)
    sizes = draw.integers([337, 450], [413, 551], (options.batch, 2))
    memory = np.zeros((420, 560, 3), np.uint8)
    batch = Batch.of([memory[:h, :w] for h, w in sizes])
    compose = eight()
    timed = measure(compose, batch, options.rounds)
    result = {"batch": options.batch, "transforms": len(compose.transforms), "microseconds": timed, "goal": GOAL}
    path = write("host", [result], out=options.out)
    print(table([result]), f"\n{path}")


def table(results):
    rows = []
    for result in results:
        for name, values in result["microseconds"].items():
            low, middle, high = quartiles(values)
            rows.append([name, f"{middle:.0f}", f"{low:.0f} - {high:.0f}", f"{result['goal']}" if name == "all" else ""])
    batch, count = results[0]["batch"], results[0]["transforms"]
    return markdown([f"host side, batch of {batch}, {count} transforms", "microseconds", "quartiles", "goal"], rows)


if __name__ == "__main__":
    main()
