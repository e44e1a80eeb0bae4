"""Masks of spectrograms on the CPU, one thread: `python -m bench.masking`.

128 float32 spectrograms of 4 x 128 x 256 (channels, frequencies, times), p=1, stripes drawn anew for every sample on all sides.
albumentations gets a loop over HWC arrays, without Compose, and keeps its outputs in a list. torchaudio masks the whole tensor
with iid_masks=True, which draws for each sample and channel; its time and frequency masks are two passes. gpuaug gets the same
tensor and delivers one.
"""

import warnings

import numpy as np
import torch

from bench.harness import arguments, interleave, markdown, quartiles, ratio, write

USED = ("albumentations", "opencv-python-headless", "torchaudio")  # whose versions stand under the table

STRIPES = {"num_masks_x": (1, 2), "num_masks_y": (1, 2), "mask_x_length": (0, 40), "mask_y_length": (0, 30), "p": 1}
# what has to be reached, by baseline
GOALS = {"albumentations": 2.0, "torchaudio": 1.5}


def gpuaug_run(transforms, data):
    import gpuaug

    augment = gpuaug.Compose(transforms, seed=0)
    ids, epoch = np.arange(len(data)), iter(range(10**9))
    return lambda: augment.run({"image": data}, ids=ids, epoch=next(epoch))


def audio_run(steps, data):
    from gpuaug import audio

    augment = audio.Compose(steps, seed=0)
    ids, epoch = np.arange(len(data)), iter(range(10**9))
    return lambda: augment(data, ids=ids, epoch=next(epoch))


def in_turn(modules, data):
    def run():
        out = data
        for module in modules:
            out = module(out)
        return out

    return run


def cases(data):
    import albumentations as A
    import torchaudio.transforms as T

    import gpuaug as G
    from gpuaug import audio

    arrays = [np.ascontiguousarray(x.permute(1, 2, 0).numpy()) for x in data]

    def looped(*transforms):
        def run():
            out = []
            for array in arrays:
                for transform in transforms:
                    array = transform(image=array)["image"]
                out.append(array)
            return out

        return run

    yield (
        "XYMasking",
        {
            "albumentations": looped(A.XYMasking(**STRIPES)),
            "torchaudio": in_turn([T.FrequencyMasking(30, iid_masks=True), T.TimeMasking(40, iid_masks=True)], data),
            "gpuaug": gpuaug_run([G.XYMasking(**STRIPES)], data),
        },
    )
    yield (
        "XYMasking, random fill",
        {
            "albumentations": looped(A.XYMasking(**STRIPES, fill="random")),
            "gpuaug": gpuaug_run([G.XYMasking(**STRIPES, fill="random")], data),
        },
    )
    yield (
        "XYMasking + Normalize",
        {
            "albumentations": looped(A.XYMasking(**STRIPES), A.Normalize(0.1, 0.9, 1.0)),
            "gpuaug": gpuaug_run([G.XYMasking(**STRIPES), G.Normalize(0.1, 0.9, 1.0)], data),
        },
    )
    yield (
        "TimeMasking",
        {
            "torchaudio": in_turn([T.TimeMasking(40, iid_masks=True)], data),
            "gpuaug": audio_run([audio.TimeMasking(40, iid_masks=True)], data),
        },
    )
    yield (
        "SpecAugment, 2 + 2 masks, zero",
        {
            "torchaudio": in_turn([T.SpecAugment(2, 40, 2, 30, zero_masking=True)], data),
            "gpuaug": audio_run([audio.SpecAugment(2, 40, 2, 30, zero_masking=True)], data),
        },
    )
    yield (
        "SpecAugment, 2 + 2 masks, mean",
        {
            "torchaudio": in_turn([T.SpecAugment(2, 40, 2, 30)], data),
            "gpuaug": audio_run([audio.SpecAugment(2, 40, 2, 30)], data),
            "gpuaug, time warp": audio_run([audio.SpecAugment(2, 40, 2, 30, time_warp=40)], data),
        },
    )


def main():
    import cv2

    options = arguments(__doc__, rounds=9, batch=128, only="")
    warnings.simplefilter("ignore")
    cv2.setNumThreads(0)
    torch.set_num_threads(1)
    data = torch.from_numpy(np.random.default_rng(0).normal(size=(options.batch, 4, 128, 256)).astype(np.float32))
    results = []
    there = dict(cases(data))
    wanted = [name for name in there if options.only.lower() in name.lower()]
    if not wanted:
        raise SystemExit(f"--only: no case has {options.only} in its name, and there are {', '.join(there)}")
    for name in wanted:
        competitors = there[name]
        timed = interleave(competitors, options.rounds)
        subjects = [c for c in competitors if c.startswith("gpuaug")]
        ratios = {s: {b: ratio(timed, s, b) for b in GOALS if b in competitors} for s in subjects}
        results.append({"case": name, "batch": options.batch, "timed": timed, "goals": GOALS, "ratios": ratios})
        print(table(results[-1:]).splitlines()[-1], flush=True)
    path = write("masking", results, out=options.out)
    print("\n" + table(results), f"\n{path}")


def table(results):
    rows = []
    for row in results:
        for subject, ratios in row["ratios"].items():
            low, middle, high = (1e3 * q for q in quartiles(row["timed"][subject]["seconds"]))
            found = [f"{m:.1f}x ({a:.1f}-{b:.1f})" if b else "" for a, m, b in (ratios.get(g, (0, 0, 0)) for g in GOALS)]
            rows.append([row["case"] + subject.removeprefix("gpuaug"), f"{middle:.1f} ({low:.1f}-{high:.1f})", *found])
    return markdown(
        ["CPU, one thread, 128 x 4x128x256 float32", "gpuaug ms (quartiles)", *(f"faster than {g}" for g in GOALS)], rows
    )


if __name__ == "__main__":
    main()
