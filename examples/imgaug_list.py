"""A list of imgaug's augmenters, as it is written for imgaug, on a list of images: only the import line is another.

    python examples/imgaug_list.py --out /tmp/augmented.png

Each column is one photograph, above six versions of it.
"""

import argparse

import numpy as np
from PIL import Image

import gpuaug.interop.imgaug as iaa  # was: import imgaug.augmenters as iaa
from gpuaug.photographs import photographs

seq = iaa.Sequential(
    [
        iaa.Resize({"height": 128, "width": 128}),
        iaa.Fliplr(0.5),
        iaa.Sometimes(0.5, iaa.GaussianBlur(sigma=(0, 3.0))),
        iaa.SomeOf(
            (0, 3),
            [
                iaa.OneOf([iaa.AverageBlur(k=(2, 7)), iaa.MedianBlur(k=(3, 11)), iaa.MotionBlur(k=(3, 15), angle=[-45, 45])]),
                iaa.AdditiveGaussianNoise(loc=0, scale=(0.0, 0.05 * 255), per_channel=0.5),
                iaa.Sharpen(alpha=(0, 1.0), lightness=(0.75, 1.5)),
                iaa.Add((-20, 20), per_channel=0.5),
                iaa.Multiply((0.6, 1.4)),
                iaa.LinearContrast((0.5, 2.0), per_channel=0.5),
                iaa.GammaContrast((0.6, 1.6)),
                iaa.ElasticTransformation(alpha=(5, 40), sigma=(4, 8)),
            ],
            random_order=True,
        ),
        iaa.Sometimes(0.7, iaa.Affine(scale=(0.8, 1.2), translate_percent=(-0.1, 0.1), rotate=(-25, 25), mode="edge")),
        iaa.Crop(percent=(0, 0.1)),
    ],
)


def main(argv=None) -> np.ndarray:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", help="a picture of the results")
    parser.add_argument("--images", type=int, default=6)
    args = parser.parse_args(argv)
    images = list(photographs().values())[: args.images]
    rows = [seq(images=images) for _ in range(6)]
    shown = np.concatenate([np.concatenate(row, 1) for row in [iaa.Resize(128)(images=images), *rows]])
    if args.out:
        Image.fromarray(shown).save(args.out)
    return shown


if __name__ == "__main__":
    main()
