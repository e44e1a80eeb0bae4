"""One image a call, as in a Dataset's `__getitem__`, beside albumentations: `python -m bench.single`.

gpuaug is made for batches: what it does for a call (draw, plan, launch) costs about the same for one image as for 64. The last
column is the same pipeline on a batch of 64, for each image. One thread.
"""

import functools

import numpy as np
import torch

from bench.harness import arguments, interleave, markdown, quartiles, ratio, write

USED = ("albumentations", "opencv-python-headless")  # whose versions stand under the table


def cases():
    """{name: (image, what a library calls: a list of transforms, or one that is called by itself)}."""
    from sklearn.datasets import load_sample_image

    photo = np.ascontiguousarray(load_sample_image("china.jpg")[:375, :500])
    small = np.ascontiguousarray(photo[100:132, 200:232])
    gray = np.ascontiguousarray(photo[:128, :256, :1]).astype(np.float32) / 255

    def imagenet(lib):
        return [
            lib.RandomResizedCrop((224, 224)),
            lib.HorizontalFlip(),
            lib.Affine(rotate=(-15, 15), p=0.5),
            lib.RandomBrightnessContrast(),
            lib.HueSaturationValue(),
            lib.Normalize(),
        ]

    return {
        "a bare HorizontalFlip of 32x32": (small, lambda lib: lib.HorizontalFlip(p=1)),
        "HorizontalFlip of 32x32": (small, lambda lib: [lib.HorizontalFlip(p=1)]),
        "flip, RandomCrop 28, Normalize of 32x32": (
            small,
            lambda lib: [lib.HorizontalFlip(), lib.RandomCrop(28, 28), lib.Normalize()],
        ),
        "RandomResizedCrop 224, flip, affine, colour, Normalize of 500x375": (photo, imagenet),
        "XYMasking of a spectrogram, 128x256": (
            gray,
            lambda lib: [lib.XYMasking(2, 2, (20, 40), (10, 30), p=1)],
        ),
    }


def main():
    import albumentations
    import cv2

    import gpuaug

    options = arguments(__doc__, rounds=15)
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    results = []
    for name, (image, steps) in cases().items():
        ours, theirs = steps(gpuaug), steps(albumentations)
        if isinstance(ours, list):
            ours, theirs = gpuaug.Compose(ours, seed=0), albumentations.Compose(theirs)
        competitors = {
            "gpuaug": functools.partial(ours, image=image),
            "albumentations": functools.partial(theirs, image=image),
            "batch": functools.partial(ours, image=np.stack([image] * 64)),
        }
        timed = interleave(competitors, options.rounds)
        results.append({"case": name, "timed": timed, "ratio": ratio(timed, "gpuaug", "albumentations")})
        print(table(results[-1:]).splitlines()[-1], flush=True)
    print(table(results), f"\n{write('single', results, out=options.out)}")


def table(results):
    rows = []
    for result in results:
        us = {name: 1e6 * quartiles(times["seconds"])[1] for name, times in result["timed"].items()}
        low, middle, high = result["ratio"]
        rows.append(
            [
                result["case"],
                f"{us['albumentations']:.0f}",
                f"{us['gpuaug']:.0f}",
                f"{middle:.2f}x ({low:.2f}-{high:.2f})",
                f"{us['batch'] / 64:.0f}",
            ]
        )
    head = ["CPU, one image a call", "albumentations us", "gpuaug us", "ratio (quartiles)", "gpuaug, 64 a call, us each"]
    return markdown(head, rows)


if __name__ == "__main__":
    main()
