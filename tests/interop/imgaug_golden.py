"""What imgaug 0.4.0 makes of a picture, written to imgaug.npz, which test_imgaug.py compares with.

imgaug does not run with NumPy 2, so this is run apart, in an environment of its own (Python 3.9):

    pip install "numpy==1.22.4" "opencv-python-headless==4.5.5.64" "scikit-image<0.20" "shapely<2" "imageio<2.28"
    pip install --no-deps imgaug==0.4.0
    python tests/interop/imgaug_golden.py
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

FILE = Path(__file__).with_name("imgaug.npz")
POINTS = [(10.5, 7.25), (20.0, 20.0), (28.5, 12.5)]
BOXES = [(5.0, 6.0, 20.0, 19.5), (12.0, 3.0, 29.0, 22.5)]
ELASTIC = [(30.0, 2.0), (40.0, 4.0), (60.0, 7.0)]  # alpha, sigma

VALUES = [
    "GaussianBlur(1.3)",
    "GaussianBlur(0.4)",
    "GaussianBlur(3.5)",
    "GaussianBlur(6.0)",
    "GaussianBlur(0.0)",
    "AverageBlur(5)",
    "AverageBlur(4)",
    "AverageBlur(1)",
    "AverageBlur(((2, 2), (7, 7)))",
    "MedianBlur(5)",
    "MedianBlur(1)",
    "MotionBlur(k=5, angle=45, direction=0.5)",
    "MotionBlur(k=7, angle=-30, direction=-1.0)",
    "MotionBlur(k=9, angle=90, direction=0.0, order=0)",
    "Sharpen(alpha=0.7, lightness=1.2)",
    "Sharpen(alpha=0.0, lightness=1.0)",
    "Add(23)",
    "Add(-40.6)",
    "Multiply(1.31)",
    "Multiply(0.4)",
    "LinearContrast(1.37)",
    "LinearContrast(0.5)",
    "GammaContrast(1.7)",
    "GammaContrast(0.44)",
]
MOVES = [
    "Fliplr(1.0)",
    "Flipud(1.0)",
    "Affine(rotate=25)",
    "Affine(rotate=-70, scale=1.3, order=3)",
    "Affine(scale={'x': 0.8, 'y': 1.2}, rotate=10, shear=12, mode='edge')",
    "Affine(shear={'x': 8, 'y': -14}, rotate=15, mode='symmetric')",
    "Affine(translate_px={'x': 5, 'y': -3}, rotate=5, mode='reflect')",
    "Affine(translate_percent=0.13, scale=0.71, cval=77)",
    "Affine(rotate=33, scale=1.1, mode='wrap', order=0)",
    "Affine(rotate=33, scale=1.1, fit_output=True)",
    "Resize({'height': 20, 'width': 31})",
    "Resize(0.5)",
    "Resize(60, interpolation='linear')",
    "Resize({'height': 17, 'width': 'keep-aspect-ratio'}, interpolation='area')",
    "Resize({'shorter-side': 50, 'longer-side': 'keep-aspect-ratio'})",
    "Resize({'height': 18}, interpolation='nearest')",
    "Crop(px=(1, 2, 3, 4))",
    "Crop(px=(1, 2, 3, 4), keep_size=False)",
    "Crop(percent=(0.1, 0.07, 0.02, 0.2))",
    "Crop(px=(30, 0, 20, 0), keep_size=False)",
    "Pad(px=(3, 4, 5, 6), pad_mode='reflect', keep_size=False)",
    "Pad(px=(3, 4, 5, 6), pad_cval=9)",
    "CropAndPad(px=(-2, 3, 4, -5), pad_mode='edge')",
]


def picture() -> np.ndarray:
    y, x = np.mgrid[:25, :31]
    waves = [127 + 120 * np.sin(x / 5 + y / 9 + c) * np.cos(y / (4 + c)) for c in range(3)]
    return np.stack(waves, 2).round().astype(np.uint8)


def labels() -> np.ndarray:
    y, x = np.mgrid[:25, :31]
    return ((x // 9 + 2 * (y // 8)) % 5).astype(np.int32)


def ramps() -> np.ndarray:
    """The coordinates of each pixel."""
    y, x = np.mgrid[:80, :80]
    return np.stack([x, y], 2).astype(np.float32)


def roughness(moved: np.ndarray) -> list[float]:
    """Of displaced coordinates ``[N, 80, 80, 2]``: deviation of displacements, and correlation over 4 pixels."""
    shift = (moved - ramps())[:, 16:-16, 16:-16]
    return [float(shift.std()), float((shift[:, :, 4:] * shift[:, :, :-4]).mean() / (shift**2).mean())]


def main() -> None:
    import imgaug.augmenters as iaa
    from imgaug.augmentables import BoundingBox, BoundingBoxesOnImage, Keypoint, KeypointsOnImage, SegmentationMapsOnImage

    def made(case):
        return eval(f"iaa.{case}", {"iaa": iaa})

    image, out = picture(), {}
    for case in VALUES:
        out[f"{case}|uint8"] = made(case)(image=image.copy())
        out[f"{case}|float32"] = made(case)(image=(image / 255).astype(np.float32)).astype(np.float16)
    for case in MOVES:
        shape = image.shape
        points = KeypointsOnImage([Keypoint(*point) for point in POINTS], shape)
        boxes = BoundingBoxesOnImage([BoundingBox(*box) for box in BOXES], shape)
        maps = SegmentationMapsOnImage(labels(), shape)
        got = made(case)(image=image.copy(), keypoints=points, bounding_boxes=boxes, segmentation_maps=maps)
        out[f"{case}|uint8"] = got[0]
        out[f"{case}|keypoints"] = got[1].to_xy_array()
        out[f"{case}|boxes"] = got[2].to_xyxy_array()
        out[f"{case}|labels"] = got[3].get_arr().astype(np.uint8)
    for alpha, sigma in ELASTIC:
        aug = iaa.ElasticTransformation(alpha, sigma, order=1, mode="nearest", seed=1)
        out[f"elastic|{alpha}|{sigma}"] = roughness(np.stack([aug(image=ramps()) for _ in range(200)]))
    np.savez_compressed(FILE, **out)


if __name__ == "__main__":
    main()
