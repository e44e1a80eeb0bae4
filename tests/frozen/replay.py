"""Compares with the references of a file: `python -m frozen.replay build/first_run/references.npz --device cuda`.

Prints what differs by more than its bound, and ends with 1 if anything does, or if there is nothing.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

import numpy as np
import torch
from allowed import Bound, Drift, Result, Tally, differences

import gpuaug as G
from gpuaug.interop.parity.compared import ours

from .store import Reader


def one(row: dict, store, device) -> list:
    """What gpuaug makes of the pictures of a row: of a chain (image, mask) of each sample."""
    if row["kind"] == "chain":
        return _chain(row, store, device)
    transform = G.from_dict(row["transform"]).transforms[0]
    data = [store.picture(place, row["dtype"] if row["kind"] == "image" else "uint8") for place in row["pictures"]]
    if row["kind"] == "mask":
        palette = store.get(row["palette"])
        data = [palette[image[:, :, 0]].astype(row["dtype"]) for image in data]
    found = ours(transform, data, store.get(row["uniforms"]), row["kind"], device=device)
    return [mask[:, :, 0] for mask in found] if row["kind"] == "mask" else found


def _chain(row: dict, store, device) -> list:
    data = [store.picture(place, row["dtype"]) for place in row["pictures"]]
    masks = [np.ascontiguousarray(store.get(place)[..., :1]) for place in row["pictures"]]
    given = {}
    for name, arrays in (("image", data), ("mask", masks)):
        tensors = [torch.from_numpy(np.ascontiguousarray(x.transpose(2, 0, 1))).to(device) for x in arrays]
        given[name] = torch.stack(tensors) if row["layout"] == "dense" else tensors
    out = G.from_dict(row["transform"])(ids=np.array(row["ids"]), **given)
    images, labels = ([x.permute(1, 2, 0).cpu().numpy() for x in out[name]] for name in ("image", "mask"))
    return [(image, mask[..., 0]) for image, mask in zip(images, labels)]


def check(row: dict, want: list, got: list) -> dict:
    """{"wrong": what is wrong, or "", "values", "equal": their share, "worst"}."""
    if row["kind"] == "chain":
        return _check_chain(row, want, got)
    pairs = zip(got, want, strict=True)
    try:
        if row["kind"] == "mask":
            assert [x.shape for x in got] == [x.shape for x in want], [(x.shape, y.shape) for x, y in zip(got, want)]
            found = [(a != b).astype(np.float64).ravel() for a, b in pairs]
        else:
            found = [differences(a, b, row["dtype"], row["relative"], f"image {i}") for i, (a, b) in enumerate(pairs)]
    except AssertionError as error:
        return {"wrong": str(error), "values": 0, "equal": 0.0, "worst": None}
    result = Result(np.concatenate(found))
    wrong = result.check(Bound(**row["bound"]))
    return {"wrong": wrong, "values": len(result.difference), "equal": result.exact, "worst": result.worst}


def _check_chain(row: dict, want: list, got: list) -> dict:
    tallies, values, equal = (Tally("images"), Tally("masks")), 0, 0
    try:
        for i, (found, wanted, drifts) in enumerate(zip(got, want, row["drift"], strict=True)):
            for tally, a, b, drift in zip(tallies, found, wanted, drifts):
                tally.add(a, b, Drift(**drift), f"sample {i}, {tally.name}")
                values, equal = values + a.size, equal + np.count_nonzero(a == b)
        for tally in tallies:
            tally.check()
    except AssertionError as error:
        return {"wrong": str(error), "values": values, "equal": equal / max(values, 1), "worst": None}
    return {"wrong": "", "values": values, "equal": equal / values, "worst": None}


def wanted(row: dict, store) -> list:
    if row["kind"] == "chain":
        return [tuple(map(store.get, pair)) for pair in row["want"]]
    found = [store.get(place) for place in row["want"]]
    return [store.get(row["palette"])[places] for places in found] if row["kind"] == "mask" else found


def replay(path: Path, device, only: str = "") -> list[dict]:
    """[{"case", "kind", "dtype", "source", "wrong", "values", "equal", "worst"}] of rows whose name holds a word."""
    store, found = Reader(path), []
    for row in store.record["rows"]:
        if not any(word in row["name"] for word in only.split(",")):
            continue
        try:
            told = check(row, wanted(row, store), one(row, store, device))
        except Exception as error:  # the others are to be seen, too
            told = {"wrong": f"{type(error).__name__}: {error}", "values": 0, "equal": 0.0, "worst": None}
        found.append({"case": row["name"], "kind": row["kind"], "dtype": row["dtype"], "source": row["source"], **told})
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--only", default="", help="words, of which the name of a case holds one")
    parser.add_argument("--out", type=Path, help="where to write a JSON of all rows")
    options = parser.parse_args()
    if not options.file.exists():
        raise SystemExit(f"there is no {options.file}: python -m frozen.freeze {options.file} writes it, where albumentations is")
    start = time.perf_counter()
    rows = replay(options.file, torch.device(options.device), options.only)
    bad = [row for row in rows if row["wrong"]]
    for row in bad:
        print(f"{row['case']}, {row['kind']}, {row['dtype']}: {row['wrong']}")
    for name, why in Reader(options.file).record["left_out"].items():
        print(f"left out: {name}: {why.splitlines()[0]}")
    if options.out:
        from bench.harness import write

        print(write("parity", rows, device=options.device, out=options.out))
    values = sum(row["values"] for row in rows)
    took = time.perf_counter() - start
    print(f"{len(rows) - len(bad)} of {len(rows)} references met, {values:,} values, on {options.device} in {took:.0f} s")
    sys.exit(bool(bad) or not rows)


if __name__ == "__main__":
    main()
