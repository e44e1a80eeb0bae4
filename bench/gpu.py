"""gpuaug on a GPU against the card's own copy bandwidth and other libraries: `python -m bench.gpu`.

Device times are those of the kernels alone: all rounds of a call are queued behind a sleep of the card, each between two
events, so that no host time is in them. What waits for the card in the middle of a call (Kornia does) cannot be queued: it is
timed call by call, host included, and marked. Host times are until a call returned. The share is of the bandwidth that a
device-to-device copy of the same card reaches in the same run: bytes of the input read once and of the output written once. The
batch is larger than the caches.

    python -m bench.gpu --counts                 and what the instructions counted by `bench.sass` would take at the card's clock
    python -m bench.gpu --only blur,flip         of the cases, those whose names hold one of these
    python -m bench.gpu --once --batch 2         one call of each and no times: for ncu and compute-sanitizer
    python -m bench.gpu --peers none             without other libraries; alone: the cases that one of them has, and no others

The other libraries are those of `bench.peers`, which says what each does otherwise. Each gets the input that it works on,
resident on the card. One that is not installed, or fails, is named and left out. The JSON is written after every case.
"""

import json
import statistics
import sys
import time
import warnings

import numpy as np
import torch

from bench.harness import arguments, markdown, quartiles, write
from bench.peers import PEERS, Inputs, peers
from bench.sass import CASES, FILE, ONLY

USED = ("cupy-cuda13x", "kornia", "torchvision", "nvidia-dali-cuda130")  # whose versions stand under the table

CYCLES = 2e9  # of a card in a second, about
LEAST = 0.05  # seconds of sleep


def behind_a_sleep(call, rounds, cuda=torch.cuda, clock=time.perf_counter, queued=True):
    """-> {"device_us": [..], "host_us": [..], "waits": bool}: of each round, its kernels alone, and until the call returned.

    waits: the call waits for the card, so that it cannot be queued: its device times are between events around each call.
    queued=False: that is known (it has a stream of its own, or more kernels than a queue holds).
    """
    for _ in range(3):
        call()
    cuda.synchronize()
    start = clock()
    for _ in range(rounds):
        call()
    seconds = clock() - start
    cuda.synchronize()
    for factor in (3, 12) if queued else ():  # a host that was disturbed gets a second chance
        marks = [(cuda.Event(enable_timing=True), cuda.Event(enable_timing=True)) for _ in range(rounds)]
        host = []
        cuda._sleep(int(CYCLES * max(LEAST, factor * seconds)))
        for first, last in marks:
            first.record()
            start = clock()
            call()
            host.append(1e6 * (clock() - start))
            last.record()
        late = marks[0][0].query()  # the sleep was over before all was queued
        cuda.synchronize()
        if not late:
            return {"device_us": _between(marks), "host_us": host, "waits": False}
    marks, host = [], []
    for _ in range(rounds):
        first, last = cuda.Event(enable_timing=True), cuda.Event(enable_timing=True)
        cuda.synchronize()
        first.record()
        start = clock()
        call()
        host.append(1e6 * (clock() - start))
        last.record()
        cuda.synchronize()
        marks.append((first, last))
    return {"device_us": _between(marks), "host_us": host, "waits": True}


def _between(marks):
    return [1e3 * first.elapsed_time(last) for first, last in marks]


def copy_bandwidth(mebibytes=1024, rounds=20):
    """Bytes per second of a device-to-device copy, read and written counted."""
    source = torch.empty(mebibytes * 2**20, dtype=torch.uint8, device="cuda")
    target = torch.empty_like(source)
    timed = behind_a_sleep(lambda: target.copy_(source), rounds)
    return 2 * source.numel() / (statistics.median(timed["device_us"]) * 1e-6)


def issue_us(case, pixels, multiprocessors, clock):
    """Microseconds in which the instructions counted for a case are issued, one in every cycle by each of a multiprocessor's
    four schedulers; None where nothing is counted. clock: Hz.

    >>> issue_us("nothing of this name", 1, 132, 1.755e9)
    """
    if case in ONLY or not FILE.exists():
        return None
    counted = {row["case"]: row["sass"] for row in json.loads(FILE.read_text())["results"]}
    return None if case not in counted else 1e6 * pixels * counted[case] / (multiprocessors * 4 * 32 * clock)


def pixels_of(batch, size):
    """uint8 [B, H, W, 3]: of photographs, or random where they are not installed."""
    from gpuaug.photographs import crops

    try:
        few = torch.from_numpy(crops(min(batch, 64), (size, size)))
    except (FileNotFoundError, ImportError):
        few = torch.from_numpy(np.random.default_rng(0).integers(0, 256, (min(batch, 64), size, size, 3), dtype=np.uint8))
    return few.repeat(-(-batch // len(few)), 1, 1, 1)[:batch]


def chosen(only):
    """Those that have a goal, or those whose names hold one of the words."""
    words = [word for word in only.split(",") if word]
    found = [n for n, case in CASES.items() if (any(word in n for word in words) if words else case.share is not None)]
    if not found:
        raise SystemExit(f"no case has one of {words} in its name; there are: {', '.join(CASES)}")
    return found


def timed_beside(name, call, bytes_in, others, rounds):
    """{who: times}: gpuaug, and those of the others that have the case."""
    timed = {"gpuaug": behind_a_sleep(call, rounds)}
    if name == "copy u8":
        timed["torch clone"] = behind_a_sleep(bytes_in.clone, rounds)
    for who, cases in others.items():
        if name not in cases:
            continue
        peer = PEERS[who]
        try:
            timed[who] = behind_a_sleep(cases[name], max(3, rounds // peer.fewer), queued=peer.queued)
        except Exception as error:  # gpuaug's own times are still wanted
            print(f"bench.gpu: {name} without {who}, which failed: {type(error).__name__}: {error}", file=sys.stderr)
    return timed


def main():
    options = arguments(__doc__, rounds=30, batch=1024, size=224, only="", counts=False, once=False, peers="beside")
    if options.peers not in ("beside", "none", "alone"):
        raise SystemExit(f"--peers is beside (all cases), none, or alone (those that a peer has); got {options.peers!r}")
    names = chosen(options.only)
    if not torch.cuda.is_available():
        print("bench.gpu: torch finds no GPU here; nothing was measured and nothing is written.", file=sys.stderr)
        return
    import gpuaug

    warnings.simplefilter("ignore")
    bytes_in = pixels_of(options.batch, options.size).cuda()
    ids, others, results = np.arange(options.batch), {}, []
    if not options.once and options.peers != "none":
        planes = bytes_in.permute(0, 3, 1, 2).contiguous()
        others = peers(Inputs(bytes_in, planes, planes.float().div(255)))
    if options.peers == "alone":
        theirs = {case for cases in others.values() for case in cases}
        names = [name for name in ([*CASES] if not options.only else names) if name in theirs]
    if not options.once:
        bandwidth, card = copy_bandwidth(), torch.cuda.get_device_properties(0)
        results.append({"case": "copy bandwidth of the card", "gigabytes_per_second": bandwidth / 1e9})
    for name in names:
        case = CASES[name]
        compose, epoch = gpuaug.Compose(case.make(gpuaug), seed=0), iter(range(10**9))
        how = {"dtype": case.dtype, "channels_last": case.channels_last, "device": "cuda"}

        def call(compose=compose, epoch=epoch, how=how):
            batch = gpuaug.Batch.of(bytes_in, layout="HWC")
            return compose.run({"image": batch}, ids=ids, epoch=next(epoch), **how)

        out = call()["image"]
        moved = bytes_in.numel() + out.numel() * out.element_size()
        del out
        if options.once:
            continue
        timed = timed_beside(name, call, bytes_in, others, options.rounds)
        us = statistics.median(timed["gpuaug"]["device_us"])
        row = {"case": name, "batch": options.batch, "size": options.size, "bytes_moved": moved}
        row |= {"share_of_copy": moved / (us * 1e-6) / bandwidth, "timed": timed}
        if options.counts and options.size == 224:
            clock = 1e3 * getattr(card, "clock_rate", 1_755_000)
            row["issue_us"] = issue_us(name, options.batch * options.size**2, card.multi_processor_count, clock)
        results.append(row)
        path = write("gpu", results, device="cuda", out=options.out)
        print(f"{name}: {us:.0f} us, {100 * row['share_of_copy']:.0f} % of copy", file=sys.stderr, flush=True)
    torch.cuda.synchronize()
    if len(results) > 1:
        print(table(results), f"\n{path}")
    elif not options.once:
        raise SystemExit("bench.gpu: no peer is installed, so that there is nothing to compare with")


def table(results):
    rows = []
    for row in results:
        if "timed" not in row:
            continue
        middle = {name: quartiles(side["device_us"])[1] for name, side in row["timed"].items()}
        for name, device_us in middle.items():
            mine, side = name == "gpuaug", row["timed"][name]
            counted = row.get("issue_us") if mine else None
            rows.append(
                [
                    row["case"],
                    name,
                    f"{device_us:.0f}" + (" with its host" if side.get("waits") else ""),
                    f"{quartiles(side['host_us'])[1]:.0f}",
                    f"{row['batch'] / device_us:.2f}",
                    f"{100 * row['share_of_copy']:.0f} %" if mine else "",
                    f"{counted:.0f}" if counted else "",
                    "1" if mine else f"{device_us / middle['gpuaug']:.2f}x slower",
                ]
            )
    head = [
        "batch on the GPU",
        "",
        "us of its kernels",
        "host us per call",
        "million images/s",
        "share of copy",
        "counted us",
        "",
    ]
    lines = [f"Copy bandwidth of the card: {row['gigabytes_per_second']:.0f} GB/s.\n" for row in results[:1]]
    return "\n".join(lines) + "\n" + markdown(head, rows)


if __name__ == "__main__":
    main()
