"""Photographs of moths, their masks, and bands along the contours, which weigh more in the loss: all three move together.

    python examples/swapped/moth_contours.py

The moths are drawn here; the dataset and the pipeline are as they would be for photographs.
"""

import cv2
import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset

import gpuaug as A  # was: import albumentations as A
from gpuaug.pytorch import ToTensorV2  # was: from albumentations.pytorch import ToTensorV2


def moth(rng, height=240, width=320):
    """A picture and its mask: two pairs of wings and a body."""
    mask, x, y = np.zeros((height, width), np.uint8), int(rng.integers(130, 190)), int(rng.integers(100, 140))
    for side in (-1, 1):
        cv2.ellipse(mask, (x + side * 45, y - 18), (50, 26), side * 25, 0, 360, 1, -1)
        cv2.ellipse(mask, (x + side * 32, y + 28), (34, 22), -side * 30, 0, 360, 1, -1)
    cv2.ellipse(mask, (x, y), (9, 48), 0, 0, 360, 1, -1)
    image = rng.integers(150, 190, (height, width, 3), np.uint8)
    image[mask == 1] = rng.integers(40, 110, 3) + rng.integers(0, 40, (int(mask.sum()), 3))
    return image, mask


def contour(mask, size=5, iterations=2):
    """The band along the mask's contour. For a whole batch, on its device: `gpuaug.functional.mask_contour`."""
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size))
    return cv2.dilate(mask, kernel, iterations=iterations) - cv2.erode(mask, kernel, iterations=iterations)


class Moths(Dataset):
    def __init__(self, samples=12):
        self.samples = [moth(np.random.default_rng(i)) for i in range(samples)]
        self.transform = A.Compose(
            [
                A.PadIfNeeded(256, 336, border_mode=cv2.BORDER_REFLECT_101, always_apply=True),
                A.HorizontalFlip(p=0.5),
                A.ShiftScaleRotate(0.1, 0.2, 45, border_mode=cv2.BORDER_CONSTANT, value=(170, 170, 170), mask_value=0, p=0.7),
                A.OneOf([A.GaussNoise(var_limit=(10, 50)), A.RandomBrightnessContrast()], p=0.5),
                A.RandomCrop(224, 224),
                A.Normalize(),
                ToTensorV2(),
            ],
            additional_targets={"contour": "mask"},
        )

    def __len__(self):
        return len(self.samples)

    def __getitem__(self, index):
        image, mask = self.samples[index]
        moved = self.transform(image=image, mask=mask, contour=contour(mask))
        return moved["image"], moved["mask"], 1.0 + 4.0 * moved["contour"].float()


def main():
    logits, total = torch.zeros(3), 0.0
    for images, masks, weights in DataLoader(Moths(), batch_size=4, shuffle=True):
        logits = torch.nn.functional.avg_pool2d(-images.mean(1, keepdim=True), 3, 1, 1)[:, 0]
        loss = torch.nn.functional.binary_cross_entropy_with_logits(logits, masks.float(), weight=weights)
        total += loss.item()
    print(images.shape, masks.shape, weights.shape, f"loss {total / 3:.3f}")
    return images, masks, weights


if __name__ == "__main__":
    main()
