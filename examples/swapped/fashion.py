"""Three labels of a piece of clothing: the pipeline and the dataset of an article on multi-label classification, of 2020.

    python examples/swapped/fashion.py

The import line is the only one that changed; `resample=` and `fillcolor=` are torchvision's spellings of that time.
examples/fashion.py trains with the same pipeline, in gpuaug's loader, too.
"""

import numpy as np
from PIL import Image
from torch.utils.data import DataLoader, Dataset

from gpuaug import vision as transforms  # was: from torchvision import transforms

mean = [0.485, 0.456, 0.406]
std = [0.229, 0.224, 0.225]

train_transform = transforms.Compose(
    [
        transforms.RandomHorizontalFlip(p=0.5),
        transforms.ColorJitter(brightness=0.3, contrast=0.3, saturation=0.3, hue=0),
        transforms.RandomAffine(
            degrees=20, translate=(0.1, 0.1), scale=(0.8, 1.2), shear=None, resample=False, fillcolor=(255, 255, 255)
        ),
        transforms.ToTensor(),
        transforms.Normalize(mean, std),
    ]
)
val_transform = transforms.Compose([transforms.ToTensor(), transforms.Normalize(mean, std)])


class FashionDataset(Dataset):
    """Pictures of 60 x 80, drawn here; the article reads those of a catalogue."""

    def __init__(self, count, transform=None):
        self.count, self.transform = count, transform

    def __len__(self):
        return self.count

    def __getitem__(self, idx):
        colour, gender, article = np.random.default_rng(idx).integers(0, (8, 2, 5))
        pixels = np.full((80, 60, 3), 255, np.uint8)
        pixels[10 + 4 * article : 70, 15 - 5 * gender : 45] = (colour * 30, 200 - colour * 20, 90)
        img = Image.fromarray(pixels)
        if self.transform:
            img = self.transform(img)
        return {"img": img, "labels": {"color_labels": colour, "gender_labels": gender, "article_labels": article}}


def main(count=64, workers=2):
    train_dataset = FashionDataset(count, train_transform)
    train_dataloader = DataLoader(train_dataset, batch_size=16, shuffle=True, num_workers=workers)
    val_dataloader = DataLoader(FashionDataset(count // 2, val_transform), batch_size=16, shuffle=False, num_workers=workers)
    return [batch for loader in (train_dataloader, val_dataloader) for batch in loader]


if __name__ == "__main__":
    for batch in main():
        print(batch["img"].shape, {name: label[:4].tolist() for name, label in batch["labels"].items()})
