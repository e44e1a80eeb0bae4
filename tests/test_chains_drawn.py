"""Whole pipelines of drawn parameters beside references that read the same uniforms; see test_chains.py."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import parity
import pytest
from chains import FORMATS, Drift, Luck, Pair, Tally, batched, check_params, ends, layouts, of_one_draw, pictures, unbatched
from chains_made import CASES, HOLES, OFF_GRID, PIXELS, RESIZES, WHOLE, Forest, Link, build, in_range, orders, plan

import gpuaug as G


@pytest.mark.parametrize("dtype", ["uint8", "float32"])
@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("name", [name for name, about in parity.ABOUT.items() if about.family in parity.FAMILIES])
def test_random_chain(name, seed, dtype, device):
    """A transform in random trees of others, on images and masks of 32 bits: every step by its reference in parity."""
    mine = [case for case in CASES if case.name == name and dtype in case.bounds]
    channels = [c for c in (3, 1, 4) if any(c in case.channels for case in mine)]
    assert channels, f"no case of {name} can stand in a chain: see usable() in chains_made.py, or say why not in its about()"
    seed += len(name)
    channels = channels[seed % len(channels)]
    forest = Forest(name, seed, dtype, channels)
    if not forest.mine:
        pytest.skip("its cases fill with values that no neighbour takes")
    compose = G.Compose(forest.steps(), seed=seed)
    data = pictures(layouts("ragged", seed), dtype, channels, seed)
    palette = parity.run.LABELS.astype(np.int32)
    palette[[0, 3, 4, 5, 7]] = [0, 3, 4, 5, 7]  # fills of masks keep their value
    labels = [np.ascontiguousarray(x[..., :1]) for x in pictures(layouts("ragged", seed), "uint8", 3, seed)]
    luck = Luck(compose)
    ids = forest.rng.integers(0, 1 << 40, len(data))
    masks = batched("ragged", [palette[x[..., 0]] for x in labels], device)
    out = compose(image=batched("ragged", data, device), mask=masks, ids=ids)
    got_images, got_masks = unbatched(out["image"]), unbatched(out["mask"])
    pixels, values = Tally("images"), Tally("masks")
    for i, (image, mask) in enumerate(zip(data, labels)):
        steps = luck.of(i)
        assert len(steps) in ends(compose, [s.transform for s in steps], 0), f"no way through the tree: {steps}"
        drift = mask_drift = Drift()
        for k, step in enumerate(steps):
            case = forest.cases[id(step.transform)]
            what = f"sample {i} of {data[i].shape}, step {k} of {[type(s.transform).__name__ for s in steps]}"
            check_params(step, image, what)
            factor = parity.ABOUT[case.name].gain(step.transform, step.params)
            assert np.isfinite(factor) or drift.far == 0
            allowed = of_one_draw(step.transform, step.params, dtype, case.bounds[dtype])
            if parity.ABOUT[case.name].family == "blur" and dtype == "float32":
                image, width = in_range(case, image, step.u)
                allowed = replace(allowed, far=allowed.far * width)  # sums of values that are larger by so much
            else:
                image = np.asarray(case.reference(image.copy(), step.u, "image"))
            image = image.reshape(*image.shape[:2], channels)
            drift = drift.after(allowed, factor, dtype == "uint8")
            if case.mask:
                mask = np.asarray(case.reference(mask.copy(), step.u, "mask"))
                mask = mask.reshape(*mask.shape[:2], 1)
                mask_drift = mask_drift.after(parity.EXACT if case.exact_mask else parity.NEAREST, 1.0, False)
        what = f"sample {i} of {data[i].shape} through {steps}"
        pixels.add(got_images[i], image, drift, what)
        values.add(got_masks[i], palette[mask[..., 0]], mask_drift, what + ", mask")
    pixels.check()
    values.check()


@pytest.mark.parametrize("kind", ["off grid", "holes", "limits at the end"])
@pytest.mark.parametrize("dtype", ["uint8", "float32"])
@pytest.mark.parametrize("seed", range(10))
def test_random_chain_of_all_targets(seed, dtype, kind, device):
    """Random trees on image, mask, boxes and keypoints: albumentations' Compose of what each sample took, from the same uniforms.
    Holes only among whole pixels: albumentations rounds boxes under them, see docs/masking.md. Limits that are applied at the end
    only, without the affine maps and holes of albumentations, which drop or misread boxes outside of the image by themselves."""
    rng = np.random.default_rng(seed)
    links = [*WHOLE, *PIXELS, *{"off grid": OFF_GRID * 2, "holes": HOLES * 2, "limits at the end": RESIZES * 2}[kind]]
    nodes = [plan(rng, links) for _ in range(int(rng.integers(2, 6)))]
    layout = ("ragged", "dense")[seed % 2]
    if layout == "dense":
        nodes.append((Link(lambda L, p: L.CenterCrop(55, 66, pad_if_needed=True, p=p)), 1.0))
    formats = FORMATS[seed % (2 if kind == "holes" else 4)]  # whole pixels as fractions are not quite whole
    drawn = [order for node in nodes for order in orders(node)]
    pair = Pair(lambda L: [build(L, node) for node in nodes], seed, drawn, formats, each=kind != "limits at the end")
    pair.run(pictures(layouts(layout, seed), dtype, seed=seed), layout, device)
