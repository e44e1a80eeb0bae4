"""Every transform against albumentations on the CPU, one thread, default arguments: `python -m bench.every`.

48 windows of 224x224 of real photographs, uint8, as one NumPy batch (a list, where results differ in size); p=1, parameters
drawn anew for every image on both sides. albumentations gets a loop over the images and keeps its outputs in a list; where it
takes seconds for them, both sides get fewer images. Arguments that a transform cannot do without, and reasons why one has no
row, stand beside its cases in tests/parity. With masks: image and mask in one call on both sides, where the transform handles
masks. What albumentations does not have is not measured. Why a row may be below 1.0x stands beside its cases, too, and under
the table where it is.
"""

import time
import warnings

import numpy as np
import torch

from bench.harness import arguments, interleave, markdown, picked, quartiles, ratio, write

USED = ("albumentations", "opencv-python-headless")  # whose versions stand under the table

LONGEST = 2.0  # seconds that one call of the reference may take: a slower one gets fewer images, but FEWEST
FEWEST = 2
BOXES = [(30, 40, 90, 130), (100, 20, 190, 80)]


def beside(reads, masks, one):
    """What a call needs beside the image, and the arguments of its Compose."""
    if reads == "mask":
        return {"mask": masks}, {}
    if reads == "bboxes":
        return {"bboxes": BOXES if one else [BOXES] * len(masks)}, {"bbox_params": {"format": "pascal_voc"}}
    return ({reads: BOXES[0] if one else BOXES[:1] * len(masks)} if reads else {}), {}


def brought(transform, items, batched):
    """What other images each call gets: three neighbours in the batch. (Our Mosaic draws from the batch.)"""
    key = getattr(transform, "metadata_key", None)
    if key is None or (batched and transform.brings == "samples"):
        return [{} for _ in items]
    images_alone = not hasattr(transform, "grid_yx")
    neighbours = [[items[(i - k) % len(items)] for k in (1, 2, 3)] for i in range(len(items))]
    return [{key: [item["image"] for item in mine] if images_alone else mine} for mine in neighbours]


def callers(library, name, given, images, masks, batched, reads=""):
    """Calls without and with masks."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        transform = getattr(library, name)(**given, p=1)
    items = [{"image": image, "mask": mask} for image, mask in zip(images, masks)]
    others = brought(transform, items, batched)
    more, params = beside(reads, masks, not batched)
    params = {word: library.BboxParams(**value) for word, value in params.items()}
    if not batched:
        if params:
            transform = library.Compose([transform], **params)
        own = [{**({"mask": item["mask"]} if reads == "mask" else more), **mine} for item, mine in zip(items, others)]
        return (
            lambda: [transform(**{"image": item["image"], **mine})["image"] for item, mine in zip(items, own)],
            lambda: [transform(**{**item, **mine}) for item, mine in zip(items, own)],
        )
    more = {**more, **{key: [mine[key] for mine in others] for key in others[0]}}
    compose, ids, epoch = library.Compose([transform], seed=0, **params), np.arange(len(images)), iter(range(10**9))
    return (
        lambda: compose(image=images, ids=ids, epoch=next(epoch), **more),
        lambda: compose(image=images, ids=ids, epoch=next(epoch), **{"mask": masks, **more}),
    )


def main():
    import albumentations
    import cv2

    import gpuaug
    from gpuaug.photographs import crops
    from tests import parity

    options = arguments(__doc__, rounds=11, batch=48, only="")
    warnings.simplefilter("ignore")
    cv2.setNumThreads(0)
    torch.set_num_threads(1)
    images = crops(options.batch)
    masks = np.ascontiguousarray(images[..., 0]) // 64
    results, unmeasured = [], {}
    for name in picked(options.only, sorted(parity.ABOUT)):
        about = parity.ABOUT[name]
        if isinstance(about.bench, str):
            unmeasured[name] = about.bench.removeprefix("no: ")
            continue
        if not hasattr(albumentations, name):
            unmeasured[name] = "albumentations has none"
            continue
        mine = np.ascontiguousarray(images[..., : about.bench_channels])
        theirs = callers(albumentations, name, about.bench, list(mine[:FEWEST]), list(masks[:FEWEST]), False, about.reads)
        theirs[0]()  # whatever a first call loads
        start = time.perf_counter()
        theirs[0]()
        count = min(len(mine), max(FEWEST, int(LONGEST * FEWEST / (time.perf_counter() - start))))
        mine, beneath = mine[:count], masks[:count]
        theirs = callers(albumentations, name, about.bench, list(mine), list(beneath), False, about.reads)
        given = (list(mine), list(beneath)) if about.bench_ragged else (mine, beneath)
        ours = callers(gpuaug, name, about.bench, *given, True, about.reads)
        row = {"case": name, "arguments": repr(about.bench), "batch": count, "behind": about.behind}
        row |= {"ratios": {}, "seconds": {}}
        for number, what in enumerate(("image", "image and mask")):
            if number and "mask" not in gpuaug.REGISTRY[name].targets:
                continue
            timed = interleave({"albumentations": theirs[number], "gpuaug": ours[number]}, options.rounds)
            row["ratios"][what] = ratio(timed, "gpuaug", "albumentations")
            row["seconds"][what] = {side: quartiles(timed[side]["seconds"]) for side in timed}
        results.append(row)
        print(table([row]).splitlines()[2], flush=True)
    path = write("every", results, out=options.out, unmeasured=unmeasured)
    print("\n" + table(results), f"\n{path}")


def table(results):
    rows = []
    for row in results:
        cells = []
        for what in ("image", "image and mask"):
            if what in row["ratios"]:
                low, middle, high = row["ratios"][what]
                text = f"{middle:.2f}x ({low:.2f}-{high:.2f})"
                cells.append(f"**{text}**" if middle < 1 else text)
            else:
                cells.append("")
        speeds = [f"{row['batch'] / row['seconds']['image'][side][1]:.0f}" for side in ("albumentations", "gpuaug")]
        arguments = "" if row["arguments"] == "{}" else row["arguments"].strip("{}").replace("'", "")
        rows.append([f"{row['case']} {arguments}".strip(), *speeds, *cells])
    head = ["CPU, uint8 224x224x3", "albumentations img/s", "gpuaug img/s", "ratio (quartiles)", "with masks"]
    slower = [row for row in results if min(middle for _, middle, _ in row["ratios"].values()) < 1]
    why = [f"{row['case']}: {row['behind']}" for row in slower if row.get("behind")]
    return "\n\n".join([markdown(head, rows), *why])


if __name__ == "__main__":
    main()
