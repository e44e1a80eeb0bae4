"""U-Net as it was published: without padding 572 x 572 pixels go in and 388 x 388 come out, so masks are smaller than images.

    python examples/swapped/unet_sizes.py

Image and mask show the same scene, each in its own size. ``is_check_shapes=False`` lets them differ, and what is drawn moves both
alike.
"""

import numpy as np
from torch.utils.data import DataLoader, Dataset

import gpuaug as A  # was: import albumentations as A
from gpuaug.pytorch import ToTensorV2  # was: from albumentations.pytorch import ToTensorV2

IN, OUT = 572, 388


class Cells(Dataset):
    """Dark cells on bright ground, and where they are."""

    def __init__(self, samples=6):
        self.samples = samples
        self.transform = A.Compose(
            [
                A.HorizontalFlip(p=0.5),
                A.VerticalFlip(p=0.5),
                A.RandomRotate90(p=0.5),
                A.ShiftScaleRotate(shift_limit=0.05, scale_limit=0.1, rotate_limit=15, border_mode=4, p=0.5),
                A.ElasticTransform(alpha=120, sigma=120 * 0.05, p=0.5),
                A.Normalize(mean=0.5, std=0.25),
                ToTensorV2(),
            ],
            is_check_shapes=False,
        )

    def __len__(self):
        return self.samples

    def picture(self, index):
        rng = np.random.default_rng(index)
        places, radii = rng.uniform(0.1, 0.9, (12, 2)), rng.uniform(0.03, 0.09, 12)

        def drawn(size):
            y, x = (np.mgrid[:size, :size] + 0.5) / size
            near = [(y - a) ** 2 + (x - b) ** 2 < r**2 for (a, b), r in zip(places, radii)]
            return np.any(near, 0)

        image = np.where(drawn(IN), 80, 190) + rng.normal(0, 4, (IN, IN))
        return image.clip(0, 255).astype(np.uint8)[..., None], drawn(OUT).astype(np.uint8)

    def __getitem__(self, index):
        image, mask = self.picture(index)
        moved = self.transform(image=image, mask=mask)
        return moved["image"], moved["mask"]


def main():
    images, masks = next(iter(DataLoader(Cells(), batch_size=6)))
    print(tuple(images.shape), tuple(masks.shape))
    return images, masks


if __name__ == "__main__":
    main()
