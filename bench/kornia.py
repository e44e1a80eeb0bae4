"""Kornia's augmentations on the CPU beside gpuaug's: `python -m bench.kornia`.

48 photographs of 224x224x3 as a float32 tensor [48, 3, 224, 224], which is what Kornia takes; one thread. gpuaug's are those that
`gpuaug.from_kornia` makes of Kornia's: the same arguments, the arithmetic as docs/saving.md says.
"""

import functools

import torch

from bench.harness import arguments, interleave, markdown, quartiles, ratio, write

USED = ("kornia",)  # whose versions stand under the table


def cases():
    """{name: an augmentation of Kornia's}."""
    import kornia.augmentation as K

    return {
        "RandomHorizontalFlip": K.RandomHorizontalFlip(p=1.0),
        "RandomVerticalFlip": K.RandomVerticalFlip(p=1.0),
        "RandomRotation": K.RandomRotation(20.0, p=1.0),
        "RandomAffine": K.RandomAffine(15.0, translate=(0.1, 0.1), p=1.0),
        "RandomPerspective": K.RandomPerspective(0.3, p=1.0),
        "RandomResizedCrop": K.RandomResizedCrop((224, 224), p=1.0),
        "Resize": K.Resize((160, 160)),
        "CenterCrop": K.CenterCrop((160, 160)),
        "ColorJiggle": K.ColorJiggle(0.2, 0.2, 0.2, 0.05, p=1.0),
        "RandomBrightness": K.RandomBrightness((0.8, 1.2), p=1.0),
        "RandomContrast": K.RandomContrast((0.8, 1.2), p=1.0),
        "RandomGamma": K.RandomGamma((0.8, 1.2), p=1.0),
        "RandomGrayscale": K.RandomGrayscale(p=1.0),
        "RandomInvert": K.RandomInvert(p=1.0),
        "RandomSolarize": K.RandomSolarize(0.1, 0.1, p=1.0),
        "RandomGaussianBlur": K.RandomGaussianBlur((5, 5), (0.5, 1.5), p=1.0),
        "RandomMedianBlur": K.RandomMedianBlur((3, 3), p=1.0),
        "RandomBoxBlur": K.RandomBoxBlur((5, 5), p=1.0),
        "RandomMotionBlur": K.RandomMotionBlur((5, 5), 20.0, 0.5, p=1.0),
        "RandomGaussianNoise": K.RandomGaussianNoise(0.0, 0.05, p=1.0),
        "RandomErasing": K.RandomErasing(p=1.0),
        "RandomPlanckianJitter": K.RandomPlanckianJitter(p=1.0),
        "Normalize": K.Normalize(torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])),
    }


def main():
    import gpuaug
    from gpuaug.interop.kornia import Kornia
    from gpuaug.photographs import crops

    options = arguments(__doc__, rounds=7)
    torch.set_num_threads(1)
    images = torch.from_numpy(crops(48)).permute(0, 3, 1, 2).float().div(255).contiguous()
    results = []
    for name, theirs in cases().items():
        try:
            ours = gpuaug.from_kornia(torch.nn.Sequential(theirs), seed=0)
        except ValueError as error:
            print(f"{name}: {error}")
            continue
        if any(isinstance(step, Kornia) for step in ours.transforms):
            continue
        timed = interleave(
            {"gpuaug": functools.partial(ours, images), "kornia": functools.partial(theirs, images)}, options.rounds
        )
        results.append(
            {
                "transform": name,
                "ours": type(ours.transforms[0]).__name__,
                "timed": timed,
                "ratio": ratio(timed, "gpuaug", "kornia"),
            }
        )
        print(table(results[-1:]).splitlines()[-1], flush=True)
    print(table(results), f"\n{write('kornia', results, out=options.out)}")


def table(results):
    rows = []
    for result in results:
        ms = {name: 1e3 * quartiles(times["seconds"])[1] for name, times in result["timed"].items()}
        low, middle, high = result["ratio"]
        shown = f"{middle:.1f}x ({low:.1f}-{high:.1f})"
        rows.append(
            [
                result["transform"],
                result["ours"],
                f"{ms['kornia']:.0f}",
                f"{ms['gpuaug']:.1f}",
                f"**{shown}**" if middle < 1 else shown,
            ]
        )
    return markdown(
        ["CPU, one thread, [48, 3, 224, 224] float32", "gpuaug's", "Kornia ms", "gpuaug ms", "faster (quartiles)"], rows
    )


if __name__ == "__main__":
    main()
