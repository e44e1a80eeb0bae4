"""Timing side by side: what the competitors share is one process, one moment and the state of one machine.

A round runs every competitor once, in an order that turns round by round; what disturbs the machine for longer
than a round disturbs all of them. Reported are medians with quartiles, and of ratios the median over rounds: a ratio of
two medians can belong to no round at all. Beside the wall clock runs the processor clock of the process (all of
its threads), which other processes on the machine disturb much less.
"""

import argparse
import datetime
import json
import os
import platform
import re
import statistics
import subprocess
import time
from pathlib import Path

RESULTS = Path(__file__).with_name("results")
PACKAGES = (
    "gpuaug numpy torch torchvision torchaudio kornia albumentations albucore opencv-python-headless opencv-python "
    "nvidia-dali-cuda130 nvidia-dali-cuda120 cupy-cuda13x cupy-cuda12x pillow turbojpeg"
).split()


def quartiles(values):
    """Lower quartile, median, upper quartile.

    >>> quartiles([4, 1, 3, 2, 5])
    (2.0, 3.0, 4.0)
    """
    values = list(values)
    if len(values) == 1:
        return (float(values[0]),) * 3
    return tuple(float(q) for q in statistics.quantiles(values, n=4, method="inclusive"))


def interleave(competitors, rounds=15, warmup=2, least=0.03):
    """Times the callables {name: function of no arguments} in turn.

    A sample is as many calls as take `least` seconds at least. -> {name: {"seconds": [..], "cpu": [..], "calls": n}},
    seconds and processor seconds per call, one entry a round.
    """
    names = list(competitors)
    calls = {}
    for name in names:
        for _ in range(warmup):
            competitors[name]()
        start = time.perf_counter()
        competitors[name]()
        calls[name] = max(1, round(least / max(time.perf_counter() - start, 1e-9) + 0.5))
    out = {name: {"calls": calls[name], "seconds": [], "cpu": []} for name in names}
    for number in range(rounds):
        for position in range(len(names)):
            name = names[(position + number) % len(names)]
            function, count = competitors[name], calls[name]
            cpu, wall = time.process_time(), time.perf_counter()
            for _ in range(count):
                function()
            out[name]["seconds"].append((time.perf_counter() - wall) / count)
            out[name]["cpu"].append((time.process_time() - cpu) / count)
    return out


def ratio(timed, subject, baseline, clock="seconds"):
    """How many times faster the subject is than the baseline: quartiles over the rounds."""
    return quartiles(b / s for s, b in zip(timed[subject][clock], timed[baseline][clock], strict=True))


def machine(device="cpu"):
    """What a number is worth nothing without."""
    import torch

    from gpuaug.machine import cpu_name, device_name, usable_cores, versions

    return {
        "device": torch.device(device).type,
        "device_name": device_name(device),
        "cpu": cpu_name(),
        "cores": len(usable_cores()),
        "torch_threads": torch.get_num_threads(),
        "load": os.getloadavg()[0],
        "system": platform.platform(terse=True),
        "python": platform.python_version(),
        "cuda": torch.version.cuda if torch.device(device).type == "cuda" else None,
        "driver": driver() if torch.device(device).type == "cuda" else None,
        "versions": versions(PACKAGES),
    }


def driver():
    try:
        query = ["nvidia-smi", "--query-gpu=driver_version", "--format=csv,noheader"]
        return subprocess.run(query, capture_output=True, text=True, check=True).stdout.split()[0]
    except (OSError, subprocess.CalledProcessError, IndexError):
        return None


def picked(only, known):
    """The names that --only lists, in the order of those that there are; all where it lists none.

    >>> picked("b,a", ["a", "b", "c"]), picked("", ["a", "b"])
    (['a', 'b'], ['a', 'b'])
    """
    known, asked = list(known), {name for name in (only or "").split(",") if name}
    if unknown := sorted(asked - set(known)):
        raise SystemExit(f"--only names {', '.join(unknown)}, and there are {', '.join(known)}")
    return [name for name in known if name in asked or not asked]


def slug(text):
    """
    >>> slug("NVIDIA H200 (80 GB)")
    'nvidia-h200-80-gb'
    """
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")


def write(name, results, device="cpu", out=None, **more):
    """Writes bench/results/NAME-cpu.json or NAME-<card>.json with everything about the machine; returns the path.

    `python -m bench.table` brings the tables of the pages up to date.
    """
    record = {
        "name": name,
        "date": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
        "machine": machine(device),
        **more,
        "results": results,
    }
    where = "cpu" if record["machine"]["device"] == "cpu" else slug(record["machine"]["device_name"])
    path = Path(out) if out else RESULTS / f"{name}-{where}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(rounded(record), indent=1) + "\n")
    return path


def rounded(value, digits=5):
    """Numbers to 5 significant digits: a timing has no more, and differences of two results stay readable."""
    if isinstance(value, float):
        return float(f"{value:.{digits}g}")
    if isinstance(value, dict):
        return {key: rounded(entry) for key, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [rounded(entry) for entry in value]
    return value


def markdown(headings, rows):
    """A Markdown table; all but the first column to the right.

    >>> print(markdown(["a", "b"], [["x", 1]]))
    | a | b |
    |---|---:|
    | x | 1 |
    """
    lines = ["| " + " | ".join(headings) + " |", "|---" + "|---:" * (len(headings) - 1) + "|"]
    lines += ["| " + " | ".join(str(cell) for cell in row) + " |" for row in rows]
    return "\n".join(lines)


def arguments(description, **defaults):
    """The command line of a benchmark: --out and one option for each default."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    parser.add_argument("--out", help="where to write the JSON", default=None)
    for name, default in defaults.items():
        if default is False:
            parser.add_argument("--" + name, action="store_true")
            continue
        kind = type(default) if default is not None else str
        parser.add_argument("--" + name.replace("_", "-"), type=kind, default=default)
    return parser.parse_args()
