"""The pipeline of albumentations' own README of 2018, on an image, its mask and what lies beside them.

    python examples/swapped/strong_aug.py

The import line is the only one that changed; albumentations 2.0.8 has not had half of these names for years.
"""

import numpy as np

from gpuaug import (  # was: from albumentations import (
    CLAHE,
    Blur,
    Compose,
    Flip,
    GaussNoise,
    GridDistortion,
    HueSaturationValue,
    IAAAdditiveGaussianNoise,
    IAAEmboss,
    IAAPiecewiseAffine,
    IAASharpen,
    MedianBlur,
    MotionBlur,
    OneOf,
    OpticalDistortion,
    RandomBrightnessContrast,
    RandomRotate90,
    ShiftScaleRotate,
    Transpose,
)


def strong_aug(p=0.5):
    return Compose(
        [
            RandomRotate90(),
            Flip(),
            Transpose(),
            OneOf([IAAAdditiveGaussianNoise(), GaussNoise()], p=0.2),
            OneOf([MotionBlur(p=0.2), MedianBlur(blur_limit=3, p=0.1), Blur(blur_limit=3, p=0.1)], p=0.2),
            ShiftScaleRotate(shift_limit=0.0625, scale_limit=0.2, rotate_limit=45, p=0.2),
            OneOf([OpticalDistortion(p=0.3), GridDistortion(p=0.1), IAAPiecewiseAffine(p=0.3)], p=0.2),
            OneOf([CLAHE(clip_limit=2), IAASharpen(), IAAEmboss(), RandomBrightnessContrast()], p=0.3),
            HueSaturationValue(p=0.3),
        ],
        p=p,
    )


def main():
    image = np.ones((300, 300, 3), dtype=np.uint8)
    mask = np.ones((300, 300), dtype=np.uint8)
    whatever_data = "my name"
    augmentation = strong_aug(p=0.9)
    data = {"image": image, "mask": mask, "whatever_data": whatever_data, "additional": "hello"}
    augmented = augmentation(**data)
    image, mask, whatever_data, additional = (augmented[name] for name in ("image", "mask", "whatever_data", "additional"))
    print(image.shape, mask.shape, whatever_data, additional)
    return augmented


if __name__ == "__main__":
    main()
