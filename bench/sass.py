"""Counts what the CUDA kernels would issue on a GPU, without one: `python -m bench.sass`.

The SASS of sm_90 that NVRTC makes is executed on the CPU (tests/sass), for images of 224x224x3, and the result compared with
the CPU build's. Counted, not measured: instructions, 32-byte sectors and answers of shared memory are facts of the code; how
long a GPU takes for them is not known here. A budget says how many instructions a pixel may take for a share of the bandwidth
that a copy has, if each of a multiprocessor's four schedulers issued one in every cycle (the second column: in 70 % of them):

    budget = 132 SM * 4 * 32 lanes * 1.755 GHz * bytes of a pixel / (share * 3.0 TB/s)        H100; 3.0 TB/s is what copies reach

    python -m bench.sass                              counts all, and compares with bench/results/sass-sm90.json
    python -m bench.sass --write                      ... and writes it, and the tables of README.md and docs/performance.md
    python -m bench.sass --only "blur 7" --by-source  which functions of which file issue how much; --lines N: and which lines
"""

import argparse
import collections
import functools
import json
import re
import sys
import time
from pathlib import Path
from typing import NamedTuple
from unittest import mock

import numpy as np
import torch

from bench.harness import RESULTS, markdown
from bench.transforms import AFFINE, MASKS

TESTS = Path(__file__).resolve().parents[1] / "tests"
FILE = RESULTS / "sass-sm90.json"
SIZE = 224
ISSUE = 132 * 4 * 32 * 1.755e9  # instructions of lanes in a second
COPY = 3.0e12  # bytes in a second, read and written
BATCH = 256  # samples that launches are made for, of which one or two are executed


class Case(NamedTuple):
    """make: the transforms, of the library. share: of copy bandwidth, to be reached; bytes: of a pixel, read and written."""

    make: object
    share: float | None = None
    bytes: int = 6
    dtype: torch.dtype | None = None
    channels_last: bool = True
    samples: int = 1


def _chain(L):
    return [
        L.Affine(**AFFINE),
        L.RandomBrightnessContrast(p=1),
        L.HueSaturationValue(p=1),
        L.XYMasking(**MASKS),
        L.Normalize(),
    ]


_HALF = {"dtype": torch.float16, "channels_last": False, "bytes": 9}
_FLOAT = {"channels_last": False, "bytes": 15}
CASES = {
    "copy u8": Case(lambda L: [], 0.75),
    "copy u8 to CHW": Case(lambda L: [], 0.75, channels_last=False),
    "flip u8": Case(lambda L: [L.HorizontalFlip(p=1)], 0.75),
    "crop u8": Case(lambda L: [L.RandomCrop(200, 200)], 0.75),
    "flip + Normalize f16": Case(lambda L: [L.HorizontalFlip(p=1), L.Normalize()], 0.75, **_HALF),
    "flip + Normalize f32": Case(lambda L: [L.HorizontalFlip(p=1), L.Normalize()], 0.75, **_FLOAT),
    "brightness + Normalize f16": Case(lambda L: [L.RandomBrightnessContrast(p=1), L.Normalize()], 0.75, **_HALF),
    "HSV + Normalize f16": Case(lambda L: [L.HueSaturationValue(p=1), L.Normalize()], 0.6, **_HALF),
    "XYMasking + Normalize f16": Case(lambda L: [L.XYMasking(**MASKS), L.Normalize()], **_HALF),
    "affine f16": Case(lambda L: [L.Affine(**AFFINE)], 0.5, samples=2, **_HALF),
    "affine, cubic f16": Case(lambda L: [L.Affine(**AFFINE, interpolation=2)], samples=2, **_HALF),
    "affine, Lanczos f16": Case(lambda L: [L.Affine(**AFFINE, interpolation=4)], samples=2, **_HALF),
    "affine, reflected u8": Case(lambda L: [L.Affine(**AFFINE, border_mode=4)], samples=2),
    "affine + brightness + HSV + XYMasking + Normalize f16": Case(_chain, 0.3, samples=2, **_HALF),
    "affine + brightness + HSV + XYMasking + Normalize f32": Case(_chain, 0.5, samples=2, **_FLOAT),
    "blur 3 u8": Case(lambda L: [L.GaussianBlur(blur_limit=(3, 3), p=1)], 0.35),
    "blur 5 u8": Case(lambda L: [L.GaussianBlur(blur_limit=(5, 5), p=1)], 0.35),
    "blur 7 u8": Case(lambda L: [L.GaussianBlur(blur_limit=(7, 7), p=1)], 0.35),
    "noise u8": Case(lambda L: [L.GaussNoise(p=1)], 0.2),
    "statistics u8": Case(lambda L: [L.RandomBrightnessContrast(brightness_by_max=False, p=1)], 0.6, bytes=3),
    "CLAHE u8": Case(lambda L: [L.CLAHE(p=1)], 0.25, bytes=9),
    "median 5 u8": Case(lambda L: [L.MedianBlur(blur_limit=(5, 5), p=1)], 0.1),
    "Equalize u8": Case(lambda L: [L.Equalize(p=1)], bytes=9),
    "Resize u8 to 192x192": Case(lambda L: [L.Resize(192, 192)]),
    "brightness u8": Case(lambda L: [L.RandomBrightnessContrast(p=1)]),
    "gamma + Normalize f16": Case(lambda L: [L.RandomGamma(p=1), L.Normalize()], **_HALF),
    "ColorJitter + Normalize f16": Case(lambda L: [L.ColorJitter(p=1), L.Normalize()], **_HALF),
    "ToGray u8": Case(lambda L: [L.ToGray(p=1)]),
    "CoarseDropout u8": Case(lambda L: [L.CoarseDropout(p=1)]),
    "Sharpen u8": Case(lambda L: [L.Sharpen(p=1)]),
    "MotionBlur 7 u8": Case(lambda L: [L.MotionBlur(blur_limit=(7, 7), p=1)]),
    "median 3 u8": Case(lambda L: [L.MedianBlur(blur_limit=(3, 3), p=1)]),
    "dilation 5 u8": Case(lambda L: [L.Morphological(scale=(5, 5), operation="dilation", p=1)]),
    "Perspective f16": Case(lambda L: [L.Perspective(p=1)], samples=2, **_HALF),
    "GridDistortion u8": Case(lambda L: [L.GridDistortion(p=1)], samples=2),
    "ElasticTransform u8": Case(lambda L: [L.ElasticTransform(p=1)]),
    "Resize u8 to 64x64, area": Case(lambda L: [L.Resize(64, 64, interpolation=3)]),
    "RandomResizedCrop + flip + Normalize f16": Case(
        lambda L: [L.RandomResizedCrop((SIZE, SIZE)), L.HorizontalFlip(p=1), L.Normalize()], samples=2, **_HALF
    ),
}
ONLY = {"statistics u8": "reduce"}  # of a pipeline, the kernel that the row is about


def budget(case: Case) -> float | None:
    """
    >>> round(budget(Case(None, 0.75)))
    79
    """
    return None if case.share is None else ISSUE * case.bytes / (case.share * COPY)


def occupancy(registers: int, shared: int, threads: int) -> tuple[int, float]:
    """Blocks that a multiprocessor of sm_90 holds, and the share of its 64 warps that they fill.

    >>> occupancy(78, 0, 256)
    (3, 0.375)
    """
    warps = threads // 32
    by_registers = 65536 // (-(-registers * 32 // 256) * 256) // 4 * 4 // warps  # warps come in fours
    by_shared = 228 * 1024 // (-(-(shared + 1024) // 128) * 128)
    blocks = min(32, 64 // warps, by_registers, by_shared)
    return blocks, blocks * warps / 64


def photographs(samples: int) -> np.ndarray:
    """Areas of 8x8 with a little noise: neither flat nor random. Aligned as a GPU's memory is: sectors hang on it."""
    rng = np.random.default_rng(0)
    areas = rng.integers(0, 256, (samples, SIZE // 8, SIZE // 8, 3)).repeat(8, 1).repeat(8, 2)
    memory = np.empty(areas.size + 256, np.uint8)
    images = memory[-memory.ctypes.data % 256 :][: areas.size].reshape(areas.shape)
    images[:] = np.clip(areas + rng.normal(0, 6, areas.shape), 0, 255)
    return images


def run(case: Case, options: tuple[str, ...] = ()):
    """(what was launched, pixels of the output, whether it is the CPU build's)."""
    import gpuaug
    from gpuaug.backends import shapes

    sys.path[:0] = [str(TESTS)] if str(TESTS) not in sys.path else []
    from sass.device import Device

    images = photographs(case.samples)

    def once():
        pipeline = gpuaug.Compose(case.make(gpuaug), seed=3)
        settings = {"dtype": case.dtype, "channels_last": case.channels_last, "ids": np.arange(case.samples), "epoch": 1}
        return pipeline.run({"image": gpuaug.Batch.of(images, layout="HWC")}, **settings)["image"]

    want = once()
    device = Device(options=options)
    device.add(images)
    with device.instead(), mock.patch.object(shapes, "MARCH_BLOCKS", shapes.MARCH_BLOCKS // BATCH):
        got = once()
    return device.launches, got.shape[0] * got.shape[-1] * got.shape[-2], torch.equal(got, want)


def count(name: str) -> dict:
    """One row of the table: sums over the launches of a pipeline, a pixel; and each of its kernels."""
    case = CASES[name]
    launches, pixels, equal = run(case)
    if not equal:
        raise AssertionError(f"{name}: the SASS gives other bytes than the CPU build")
    launches = [each for each in launches if ONLY.get(name, "") in each.key.kind]
    kernels = [kernel(each, pixels) for each in launches]
    total = {key: round(sum(each[key] for each in kernels), 4) for key in ("sass", *MEMORY)}
    whole = budget(case)
    limits = {"budget": round(whole, 1), "budget_70": round(0.7 * whole, 1)} if whole else {}
    return {"case": name, **total, **limits, "kernels": kernels}


MEMORY = ("loaded_sectors", "stored_sectors", "lines", "shared_wavefronts", "stack_words")


def kernel(launch, pixels: int) -> dict:
    counts, cubin = launch.counts, launch.cubin
    stores = np.array([ins.name in ("STG", "ST", "REDG", "RED") for ins in cubin.instructions])
    blocks, occupied = occupancy(cubin.registers, launch.shared, launch.threads)
    requests, shared = int(counts.requests.sum()), int(counts.shared.sum())
    return {
        "kernel": launch.key.name,
        "grid": list(launch.grid),
        "threads": launch.threads,
        "sass": round(int(counts.issued.sum()) * 32 / pixels, 3),
        "loaded_sectors": round(int(counts.sectors[~stores].sum()) / pixels, 4),
        "stored_sectors": round(int(counts.sectors[stores].sum()) / pixels, 4),
        "lines": round(int(counts.lines.sum()) / pixels, 4),
        "sectors_per_request": round(int(counts.sectors.sum()) / max(requests, 1), 3),
        "shared_wavefronts": round(int(counts.wavefronts.sum()) * 32 / pixels, 3),
        "wavefronts_per_request": round(int(counts.wavefronts.sum()) / shared, 3) if shared else 0,
        "stack_words": round(int(counts.local.sum()) * 32 / pixels, 3),
        "registers": cubin.registers,
        "stack": cubin.stack,
        "shared_bytes": launch.shared,
        "code_bytes": cubin.size,
        "blocks_per_sm": blocks,
        "occupancy": occupied,
    }


# ---- where it comes from


@functools.cache
def functions(name: str) -> tuple[list[str], list[str]]:
    """(for each line of a kernel's source the function that it stands in, the lines)."""
    from gpuaug.backends import nvrtc

    path = nvrtc.folder() / name
    if not path.exists():
        return [], []
    lines, inside, found = path.read_text().splitlines(), "?", []
    for line in lines:
        head = re.sub(r"__launch_bounds__\(\w+\)", "", line)
        head = re.match(r"\s*(?:template.*>\s*)?(?:AUG\w*|extern|__global__|static|inline)\b.*?\b(\w+)\(", head)
        case = re.match(r"\s+case (OP_\w+)", line)
        inside = head[1] if head else case[1] if case else inside
        found.append(inside)
    return found, lines


def by_source(name: str, lines: int, kinds: int) -> str:
    """Which functions issue how much a pixel, of each launch: an instruction belongs to the innermost."""
    launches, pixels, _ = run(CASES[name], ("-lineinfo",))
    text = []
    for launch in launches:
        where, issued = launch.cubin.lines, launch.counts.issued * (32 / pixels)
        of_function, of_line, of_kind = collections.Counter(), collections.Counter(), collections.Counter()
        for ins in launch.cubin.instructions:
            if issued[ins.index]:
                file, number = (where.get(ins.pc) or (("?", 0),))[0]
                known, _ = functions(file)
                of_function[f"{file}: {known[number - 1] if 0 < number <= len(known) else '?'}"] += issued[ins.index]
                of_line[file, number] += issued[ins.index]
                of_kind[ins.name] += issued[ins.index]
        text.append(f"{name} | {launch.key.name} grid {launch.grid}: {issued.sum():.1f} SASS a pixel")
        text += [f"  {value:8.2f}  {key}" for key, value in of_function.most_common() if value >= 0.05]
        if lines:
            text.append("  lines:")
            for (file, number), value in of_line.most_common(lines):
                source = functions(file)[1]
                text.append(f"  {value:8.2f}  {file}:{number}: {source[number - 1].strip() if 0 < number <= len(source) else ''}")
        text.append("  instructions: " + ", ".join(f"{key} {value:.1f}" for key, value in of_kind.most_common(kinds)))
        access = [
            (int(launch.counts.requests[i] or launch.counts.shared[i]), ins)
            for i, ins in enumerate(launch.cubin.instructions)
            if launch.counts.requests[i] or launch.counts.shared[i]
        ]
        text.append("  memory, by instruction: requests of 32 pixels, sectors or wavefronts of each")
        for requests, ins in sorted(access, key=lambda each: -each[0])[:12]:
            answers = launch.counts.sectors[ins.index] or launch.counts.wavefronts[ins.index]
            file, number = (where.get(ins.pc) or (("?", 0),))[0]
            text.append(f"  {requests * 32 / pixels:8.2f} {answers / requests:6.2f}  {ins}  {file}:{number}")
    return "\n".join(text)


# ---- the table


def whole(results) -> str:
    """The table of docs/performance.md."""
    head = [
        "counted for sm_90, of a pixel of 224x224x3",
        "SASS",
        "budget at 100 % / 70 % issue",
        "sectors loaded",
        "stored",
        "shared wavefronts of 32 pixels",
        "registers",
        "occupancy",
        "code, KB",
    ]
    return markdown(head, [line(row) for row in results])


SHORT = (
    "flip u8", "flip + Normalize f16", "affine + brightness + HSV + XYMasking + Normalize f16", "blur 7 u8", "CLAHE u8"
)  # fmt: skip


def table(results) -> str:
    """What README.md shows of it."""
    rows = [[row["case"], f"{row['sass']:.0f}", line(row)[2]] for row in results if row["case"] in SHORT]
    return markdown(["counted for sm_90, of a pixel", "instructions", "budget at 100 % / 70 % issue"], rows)


def line(row) -> list[str]:
    kernels = {each["kernel"]: each for each in row["kernels"]}.values()
    limits = f"{row['budget']:.0f} / {row['budget_70']:.0f}" if "budget" in row else ""
    shared = f"{row['shared_wavefronts']:.1f}" if row["shared_wavefronts"] else ""
    return [
        row["case"],
        f"{row['sass']:.1f}",
        limits,
        f"{row['loaded_sectors']:.2f}",
        f"{row['stored_sectors']:.2f}",
        shared,
        " + ".join(str(each["registers"]) for each in kernels),
        " + ".join(f"{100 * each['occupancy']:.0f} %" for each in kernels),
        " + ".join(f"{each['code_bytes'] / 1024:.0f}" for each in kernels),
    ]


def details(each) -> str:
    """Of one launch, on a line."""
    return (
        f"{each['kernel']} {each['grid']}: SASS {each['sass']:.1f}, sectors {each['loaded_sectors']:.3f} + "
        f"{each['stored_sectors']:.3f} ({each['sectors_per_request']:.2f} a request), lines {each['lines']:.3f}, "
        f"wavefronts {each['shared_wavefronts']:.1f} of 32 pixels ({each['wavefronts_per_request']:.2f} a request), "
        f"{each['registers']} registers, stack {each['stack']}, {each['blocks_per_sm']} blocks = "
        f"{100 * each['occupancy']:.0f} %, {each['code_bytes'] / 1024:.0f} KB"
    )


def caption(record, used=()) -> str:
    return f"Counted, not measured: NVRTC {record['nvrtc']}, {record['arch']}."


def committed() -> dict:
    """{name: row} of the file."""
    return {row["case"]: row for row in json.loads(FILE.read_text())["results"]} if FILE.exists() else {}


def chosen(parts: list[str]) -> list[str]:
    """
    >>> chosen(["flip u8"]), chosen(["median"])
    (['flip u8'], ['median 5 u8', 'median 3 u8'])
    """
    whole = [part for part in parts if part in CASES]
    part_of = [part.lower() for part in parts if part not in CASES]
    return [name for name in CASES if not parts or name in whole or any(part in name.lower() for part in part_of)]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", action="append", default=[], help="pipelines with this in their name")
    parser.add_argument("--write", action="store_true", help="write bench/results/sass-sm90.json, and the tables")
    parser.add_argument("--by-source", action="store_true", help="which functions issue how much")
    parser.add_argument("--lines", type=int, default=0, help="with --by-source: so many lines, too")
    options = parser.parse_args()
    names = chosen(options.only)
    if not names:
        sys.exit(f"no pipeline has that in its name; there are: {', '.join(CASES)}")
    if options.by_source:
        for name in names:
            print(by_source(name, options.lines, 16), flush=True)
        return
    before, results = committed(), []
    for name in names:
        start = time.time()
        row = count(name)
        results.append(row)
        old = before.get(name, {}).get("sass")
        was = f" (was {old:.1f}, {100 * (row['sass'] / old - 1):+.1f} %)" if old else ""
        limit = f" of {row['budget']:.0f} / {row['budget_70']:.0f}" if "budget" in row else ""
        print(f"{name}: {row['sass']:.1f}{limit} SASS a pixel{was}, {time.time() - start:.1f} s", flush=True)
        for each in row["kernels"]:
            print(f"    {details(each)}", flush=True)
    if options.write:
        from gpuaug.backends import nvrtc

        rows = [
            {row["case"]: row for row in [*before.values(), *results]}[name] for name in CASES if name in before or name in names
        ]
        record = {"arch": "sm_90", "nvrtc": nvrtc._version(), "size": SIZE, "results": rows}
        FILE.write_text(json.dumps(record, indent=1) + "\n")
        from bench.table import update

        update()


if __name__ == "__main__":
    main()
