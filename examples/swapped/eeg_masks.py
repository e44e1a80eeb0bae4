"""Masks of time and frequency on spectrograms of EEG, float64 with 8 channels, as a dataset makes them one by one.

    python examples/swapped/eeg_masks.py

``fill_value`` is albumentations' word of 1.4.0; a value for each channel. What 2.0.8 makes of it is a warning and zeros.
"""

import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset

import gpuaug as A  # was: import albumentations as A


class Spectrograms(Dataset):
    def __init__(self, samples=16, augment=True, seed=0):
        rng = np.random.default_rng(seed)
        self.power = rng.gamma(2.0, 1.0, (samples, 100, 300, 8))  # float64, as np.log and pandas leave it
        self.augment = augment

    def __len__(self):
        return len(self.power)

    def __getitem__(self, index):
        x = np.zeros((128, 256, 8))
        for channel in range(8):
            image = np.log(np.clip(self.power[index, :, :, channel], np.exp(-4), np.exp(8)))
            image = (image - image.mean()) / (image.std() + 1e-6)
            x[14:-14, :, channel] = image[:, 22:-22] / 2.0
        if self.augment:
            x = self.transform(x)
        return torch.from_numpy(x)

    def transform(self, image):
        params1 = {"num_masks_x": 1, "mask_x_length": (0, 20), "fill_value": (0, 1, 2, 3, 4, 5, 6, 7)}
        params2 = {"num_masks_y": 1, "mask_y_length": (0, 20), "fill_value": (0, 1, 2, 3, 4, 5, 6, 7)}
        params3 = {
            "num_masks_x": (2, 4),
            "num_masks_y": 5,
            "mask_y_length": 8,
            "mask_x_length": (10, 20),
            "fill_value": (0, 1, 2, 3, 4, 5, 6, 7),
        }
        transforms = A.Compose(
            [A.XYMasking(**params1, p=0.3), A.XYMasking(**params2, p=0.3), A.XYMasking(**params3, p=0.3), A.HorizontalFlip(p=0.5)]
        )
        return transforms(image=image)["image"]


def main():
    batches = list(DataLoader(Spectrograms(), batch_size=8, shuffle=True))
    print(len(batches), batches[0].shape, batches[0].dtype)
    return batches


if __name__ == "__main__":
    main()
