"""gpuaug against albumentations on the CPU, one transform at a time and together: `python -m bench.transforms`.

64 windows of 224x224 of real photographs, uint8; p=1, parameters drawn anew for every image on both sides. One thread each,
unless the row says two. albumentations gets a loop over the images and keeps its outputs in a list, it is not charged
for stacking them; single transforms are called without Compose. gpuaug gets the batch and delivers one tensor; its
outputs are channels last where albumentations' are, and float32 planes where ToTensorV2 makes them so.
"""

import warnings

import numpy as np
import torch

from bench.harness import arguments, interleave, markdown, quartiles, ratio, write

USED = ("albumentations", "opencv-python-headless")  # whose versions stand under the table

AFFINE = {"scale": (0.9, 1.1), "translate_percent": (-0.1, 0.1), "rotate": (-15, 15), "shear": (-5, 5), "p": 1}
MASKS = {"num_masks_x": (1, 2), "num_masks_y": (1, 2), "mask_x_length": (10, 30), "mask_y_length": (10, 30), "p": 1}


def together(library):
    return [
        library.HorizontalFlip(p=1),
        library.Affine(**AFFINE),
        library.RandomBrightnessContrast(p=1),
        library.HueSaturationValue(p=1),
        library.XYMasking(**MASKS),
        library.Normalize(),
        library.ToTensorV2(),
    ]


CASES = {
    "Affine": lambda L: [L.Affine(**AFFINE)],
    "GaussianBlur 3x3": lambda L: [L.GaussianBlur(blur_limit=(3, 3), p=1)],
    "GaussianBlur 5x5": lambda L: [L.GaussianBlur(blur_limit=(5, 5), p=1)],
    "GaussianBlur 7x7": lambda L: [L.GaussianBlur(blur_limit=(7, 7), p=1)],
    "HueSaturationValue": lambda L: [L.HueSaturationValue(p=1)],
    "GaussNoise": lambda L: [L.GaussNoise(p=1)],
    "XYMasking": lambda L: [L.XYMasking(**MASKS)],
    "Normalize + ToTensorV2": lambda L: [L.Normalize(), L.ToTensorV2()],
    "flip + affine + brightness + HSV + XYMasking + Normalize": together,
}
# two threads are only asked of the whole pipeline; the ratio is to albumentations with its one
TWO_THREADS = {"flip + affine + brightness + HSV + XYMasking + Normalize"}

# what has to be reached, as (one thread, two threads)
GOALS = {
    "Affine": (1.4,),
    "GaussianBlur 3x3": (1.0,),
    "GaussianBlur 5x5": (1.0,),
    "GaussianBlur 7x7": (1.0,),
    "HueSaturationValue": (1.5,),
    "GaussNoise": (4.0,),
    "XYMasking": (1.0,),
    "Normalize + ToTensorV2": (1.5,),
    "flip + affine + brightness + HSV + XYMasking + Normalize": (1.8, 3.4),
}


def albumentations_side(transforms, images):
    import albumentations

    if len(transforms) == 1:
        transform = transforms[0]
        return lambda: [transform(image=image)["image"] for image in images]
    transform = albumentations.Compose(transforms)
    return lambda: [transform(image=image)["image"] for image in images]


def gpuaug_side(transforms, images, threads):
    import gpuaug

    transform = gpuaug.Compose(transforms, seed=0)
    planes = any(type(each).__name__ == "ToTensorV2" for each in transforms)
    epoch = iter(range(10**9))
    ids = np.arange(len(images))

    def run():
        torch.set_num_threads(threads)  # gpuaug's kernels follow it
        return transform.run({"image": images}, ids=ids, epoch=next(epoch), device="cpu", channels_last=not planes)

    return run


def main():
    import albumentations
    import cv2

    import gpuaug
    from gpuaug.photographs import crops

    options = arguments(__doc__, rounds=15, batch=64, only="")
    warnings.simplefilter("ignore")
    cv2.setNumThreads(0)
    torch.set_num_threads(1)
    images = crops(options.batch)
    results = []
    for name, make in CASES.items():
        if options.only and options.only.lower() not in name.lower():
            continue
        competitors = {
            "albumentations": albumentations_side(make(albumentations), list(images)),
            "gpuaug": gpuaug_side(make(gpuaug), images, 1),
        }
        if name in TWO_THREADS:
            competitors["gpuaug, 2 threads"] = gpuaug_side(make(gpuaug), images, 2)
        timed = interleave(competitors, options.rounds)
        torch.set_num_threads(1)
        row = {
            "case": name,
            "batch": options.batch,
            "timed": timed,
            "goals": GOALS[name],
            "ratios": {},
            "cpu_ratios": {},
        }
        for subject in list(competitors)[1:]:
            row["ratios"][subject] = ratio(timed, subject, "albumentations")
            row["cpu_ratios"][subject] = ratio(timed, subject, "albumentations", "cpu")
        results.append(row)
        print(table([row]).splitlines()[-1 - (name in TWO_THREADS)], flush=True)
    path = write("transforms", results, out=options.out)
    print("\n" + table(results), f"\n{path}")


def table(results):
    rows = []
    for row in results:
        base = row["batch"] / quartiles(row["timed"]["albumentations"]["seconds"])[1]
        for number, (subject, (low, middle, high)) in enumerate(row["ratios"].items()):
            rate = row["batch"] / quartiles(row["timed"][subject]["seconds"])[1]
            label = row["case"] + ", 2 threads" * number
            processor = "" if number else f"{row['cpu_ratios'][subject][1]:.2f}x"
            rows.append(
                [
                    label,
                    f"{base:.0f}",
                    f"{rate:.0f}",
                    f"{middle:.2f}x ({low:.2f}-{high:.2f})",
                    processor,
                    f"{row['goals'][number]}x",
                ]
            )
    head = ["CPU, uint8 224x224x3", "albumentations img/s", "gpuaug img/s", "ratio (quartiles)", "of processor time", "goal"]
    return markdown(head, rows)


if __name__ == "__main__":
    main()
