"""A list of imgaug's augmenters, each for some of the images, in an order of their own, on pictures of different sizes.

    python examples/swapped/imgaug_list.py

The import line is the only one that changed; imgaug itself does not run with NumPy 2.
"""

import numpy as np

import gpuaug.interop.imgaug as iaa  # was: import imgaug.augmenters as iaa


def sometimes(augmenter):
    return iaa.Sometimes(0.5, augmenter)


seq = iaa.Sequential(
    [
        iaa.Fliplr(0.5),
        iaa.Flipud(0.2),
        sometimes(iaa.Crop(percent=(0, 0.1))),
        sometimes(
            iaa.Affine(
                scale={"x": (0.8, 1.2), "y": (0.8, 1.2)},
                translate_percent={"x": (-0.2, 0.2), "y": (-0.2, 0.2)},
                rotate=(-45, 45),
                shear=(-16, 16),
                order=[0, 1],
                cval=(0, 255),
                mode="constant",
            )
        ),
        iaa.SomeOf(
            (0, 5),
            [
                iaa.OneOf(
                    [
                        iaa.GaussianBlur((0, 3.0)),
                        iaa.AverageBlur(k=(2, 7)),
                        iaa.MedianBlur(k=(3, 11)),
                        iaa.MotionBlur(k=(3, 15), angle=[-45, 45]),
                    ]
                ),
                iaa.Sharpen(alpha=(0, 1.0), lightness=(0.75, 1.5)),
                iaa.AdditiveGaussianNoise(loc=0, scale=(0.0, 0.05 * 255), per_channel=0.5),
                iaa.Add((-10, 10), per_channel=0.5),
                iaa.Multiply((0.5, 1.5), per_channel=0.5),
                iaa.LinearContrast((0.5, 2.0), per_channel=0.5),
                iaa.GammaContrast((0.6, 1.6)),
                sometimes(iaa.ElasticTransformation(alpha=(0.5, 3.5), sigma=0.25)),
            ],
            random_order=True,
        ),
        iaa.Resize({"height": 96, "width": 128}),
    ],
    random_order=False,
)


def pictures(n=8):
    """Discs of a colour on another, of different sizes."""
    rng = np.random.default_rng(0)
    images = []
    for height, width in rng.integers(80, 160, (n, 2)):
        y, x = np.mgrid[:height, :width]
        disc = (x - width / 2) ** 2 + (y - height / 2) ** 2 < (min(height, width) / 3) ** 2
        images.append(np.where(disc[..., None], *rng.integers(0, 256, (2, 3))).astype(np.uint8))
    return images


def main():
    images = pictures()
    images_aug = seq(images=images)
    print(f"{len(images_aug)} images of {images_aug[0].shape}")
    return images_aug


if __name__ == "__main__":
    main()
