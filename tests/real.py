"""Pipelines that people have written, as they stand in public repositories: what kernels for GPUs are compiled for in tests."""

from __future__ import annotations

import gpuaug as G

IMAGENET = {"mean": (0.485, 0.456, 0.406), "std": (0.229, 0.224, 0.225)}


def pipelines() -> list[G.Compose]:
    return [
        G.Compose(
            [
                G.RandomResizedCrop(size=(128, 128), scale=(0.8, 1.0)),
                G.HorizontalFlip(p=0.5),
                G.RandomBrightnessContrast(brightness_limit=0.2, contrast_limit=0.2, p=0.5),
                G.HueSaturationValue(hue_shift_limit=20, sat_shift_limit=30, val_shift_limit=20, p=0.3),
                G.OneOf([G.GaussNoise(std_range=(0.1, 0.2), p=1), G.GaussianBlur(blur_limit=(3, 5), p=1)], p=0.2),
                G.CoarseDropout(
                    num_holes_range=(1, 8), hole_height_range=(0.0625, 0.125), hole_width_range=(0.0625, 0.125), p=0.3
                ),
                G.Normalize(**IMAGENET),
            ]
        ),
        G.Compose(
            [
                G.RandomCrop(height=256, width=400),
                G.HorizontalFlip(p=0.5),
                G.RandomBrightnessContrast(p=0.3),
                G.HueSaturationValue(p=0.2),
                G.GaussianBlur(p=0.15),
                G.Normalize(**IMAGENET),
                G.ToTensorV2(),
            ]
        ),
        G.Compose(
            [
                G.RandomBrightnessContrast(p=0.75, brightness_limit=(-0.6, 0.0), contrast_limit=(-0.5, 0.3)),
                G.Blur(p=0.1, blur_limit=(3, 9)),
                G.MotionBlur(p=0.2, blur_limit=(3, 25)),
                G.RandomGamma(p=0.1, gamma_limit=(15, 65)),
                G.HueSaturationValue(p=0.1, val_shift_limit=(-100, -40)),
            ],
            p=0.75,
        ),
        G.Compose([G.RandomBrightnessContrast(brightness_limit=0.1, contrast_limit=0.1), G.RandomGamma(gamma_limit=(90, 110))]),
        G.Compose(
            [
                G.Blur(blur_limit=(101, 101), p=1.0),
                G.RandomBrightnessContrast(brightness_limit=0.3, contrast_limit=0.3, p=0.5),
                G.HueSaturationValue(hue_shift_limit=20, sat_shift_limit=30, val_shift_limit=20, p=0.5),
            ]
        ),
        G.Compose(
            [
                G.ShiftScaleRotate(shift_limit=0.06, scale_limit=0.1, rotate_limit=9, border_mode=0, p=1),
                G.RandomBrightnessContrast(brightness_limit=0.1, contrast_limit=0.1, p=1),
                G.MotionBlur(blur_limit=(3, 5), p=0.1),
                G.OneOf(
                    [
                        G.CoarseDropout(num_holes_range=(1, 10), hole_height_range=(1, 4), hole_width_range=(1, 4), p=0.3),
                        G.PixelDropout(dropout_prob=0.01, p=0.2),
                    ],
                    p=0.7,
                ),
            ]
        ),
        G.Compose(
            [
                G.ShiftScaleRotate(scale_limit=0.1, rotate_limit=10, border_mode=0),
                G.Transpose(),
                G.RandomRotate90(),
                G.RandomBrightnessContrast(),
                G.MaskDropout(max_objects=10),
            ]
        ),
        G.Compose([G.Resize(height=128, width=128), G.Normalize(**IMAGENET)]),
        G.Compose([G.HorizontalFlip(p=1.0), G.InvertImg(p=1.0)]),
        G.Compose([G.GaussNoise(p=0.5)]),
    ]


def delivered(pipeline: G.Compose) -> str:
    """The element type that uint8 images leave it in."""
    return "float32" if any(isinstance(leaf, G.Normalize) for leaf in pipeline._leaves()) else "uint8"
