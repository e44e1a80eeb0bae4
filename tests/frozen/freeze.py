"""Writes the references: `python -m frozen.freeze build/first_run/references.npz`, where albumentations is. About two minutes.

Of each case: bytes and float32, three channels where it takes three, its pictures of up to 31x17. A bound that speaks of a share
of the values is met by many of them and not by each handful: if the CPU build does not meet it on these pictures, larger ones are
taken, too, up to all that tests/test_parity.py compares. The bound stays the test's. What cannot be written down, or meets it
on none, is named.
"""

from __future__ import annotations

import sys
import time
import warnings
from pathlib import Path

import albumentations as A
import cv2
import numpy as np
import parity
from chains import Pair, layouts, pictures
from parity.run import palette_of
from test_chains import COINS, FIXED

import gpuaug as G
from gpuaug.whole import Whole

from . import replay
from .store import Writer

TYPES = ("uint8", "float32")
LARGEST = (600, 6000, np.inf)  # pixels of a picture: which are taken in turn
HOST = "Compose carries it out on the host while it draws"


def written(transforms) -> dict:
    return G.to_dict(G.Compose(transforms, seed=0))


def bound_of(bound) -> dict:
    return {"near": bound.near, "far": bound.far, "share": bound.share}


class Freezer:
    def __init__(self, only: str = ""):
        self.writer, self.rows, self.left_out = Writer(), [], {}
        self.cases = [case for case in parity.CASES if any(word in repr(case) for word in only.split(","))]

    def case(self, case) -> None:
        if isinstance(case.ours, Whole):
            self.left_out[repr(case)] = HOST
            return
        try:
            transform = written([case.ours])
        except ValueError as error:
            self.left_out[repr(case)] = str(error)
            return
        channels = 3 if 3 in case.channels else case.channels[0]
        common = {"name": repr(case), "transform": transform, "source": case.source, "channels": channels}
        for dtype in TYPES:
            if dtype in case.bounds:
                self.few(case, {**common, "kind": "image", "dtype": dtype, "bound": bound_of(case.bounds[dtype])})
        if case.mask:
            bound = parity.EXACT if case.exact_mask else parity.NEAREST
            self.few(case, {**common, "kind": "mask", "dtype": "int32", "channels": 3, "bound": bound_of(bound)})

    def few(self, case, row: dict) -> None:
        """With as many pictures as the CPU build needs to meet the bound; the first with which it does."""
        mask = row["kind"] == "mask"
        bytes_in = parity.images(row["channels"], "uint8")
        fit = parity.images(row["channels"], "uint8" if mask else row["dtype"])
        kept = [i for i, image in enumerate(fit) if case.keep(image)]
        drawn = parity.uniforms(case, len(kept))
        wrong = "no picture fits"
        for largest in LARGEST:
            some = [k for k, i in enumerate(kept) if np.prod(fit[i].shape[:2]) <= largest]
            if not some:
                continue
            found = {
                **row,
                "relative": not mask and (row["dtype"] != "uint8" or case.name == "Normalize"),
                "pictures": [self.writer.put(bytes_in[kept[k]]) for k in some],
                "uniforms": self.writer.put(drawn[some]),
                "want": [self.writer.put(self.want(case, fit[kept[k]], drawn[k], row)) for k in some],
            }
            if mask:
                found["palette"] = self.writer.put(palette_of(case))
            wrong = replay.check(found, replay.wanted(found, self.writer), replay.one(found, self.writer, "cpu"))["wrong"]
            if not wrong:
                self.rows.append(found)
                return
        self.left_out[f"{row['name']}, {row['kind']}, {row['dtype']}"] = wrong

    def want(self, case, image: np.ndarray, u: np.ndarray, row: dict) -> np.ndarray:
        if row["kind"] == "mask":
            want = np.asarray(case.reference(image[:, :, :1].copy(), u, "mask"))
            return want.reshape(want.shape[:2])  # places of the palette
        want = np.asarray(case.reference(image.copy(), u, "image"))
        return want.reshape(want.shape if want.ndim == 3 else (*want.shape, 1))

    def chain(self, name: str, make, seed: int, dtype: str, layout: str, count: int) -> None:
        data = pictures(layouts(layout, seed, count), "uint8", seed=seed)
        floats = [x if dtype == "uint8" else x / np.float32(255) for x in data]
        pair = Pair(make, seed)
        pair.run(floats, layout, with_marks=False)
        row = {
            "name": f"chain: {name}",
            "kind": "chain",
            "dtype": dtype,
            "layout": layout,
            "source": "albumentations, step after step",
        }
        row["transform"] = G.to_dict(G.Compose(make(G), seed=seed))
        row["ids"] = pair.ids.tolist()
        row["pictures"] = [self.writer.put(picture) for picture in data]
        row["want"] = [[self.writer.put(image), self.writer.put(mask)] for image, mask, *_ in pair.wanted]
        row["drift"] = [[vars(drift), vars(of_mask)] for *_, drift, of_mask in pair.wanted]
        self.rows.append(row)

    def save(self, path: Path) -> None:
        versions = {"albumentations": A.__version__, "opencv": cv2.__version__, "gpuaug": G.__version__}
        self.writer.save(path, {"versions": versions, "rows": self.rows, "left_out": self.left_out})


def freeze(path: Path, only: str = "", chains: bool = True) -> Freezer:
    """only: words, of which a case's name holds one."""
    freezer = Freezer(only)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for case in freezer.cases:
            freezer.case(case)
        for first, tree, layout, count in ((0, FIXED, "ragged", 6), (100, COINS, "dense", 12)) if chains else ():
            for k, (name, make) in enumerate(tree.items()):
                for dtype in TYPES:
                    freezer.chain(name, make, first + k, dtype, layout, count)
    freezer.save(path)
    return freezer


def main() -> None:
    start, path = time.perf_counter(), Path(sys.argv[1])
    freezer = freeze(path)
    for name, why in freezer.left_out.items():
        print(f"left out: {name}: {why}")
    rows, took = len(freezer.rows), time.perf_counter() - start
    print(f"{rows} references of {len(freezer.cases)} cases, {path.stat().st_size / 2**20:.1f} MiB, {took:.0f} s: {path}")


if __name__ == "__main__":
    main()
