"""Moths on walls of different colours: batches that hold one moth many times, or neighbours by colour, and a split by numbers.

    python examples/moths.py --epochs 8

A small network learns the species. What stands together in a batch decides what a step tells it, and a batch sampler decides
that:

- `RepeatBatchSampler`: one picture, `batch_size` times; each of its appearances has a draw of its own.
- `GroupBatchSampler`: pictures of one group. The groups here are clusters of mean colours (scikit-learn's KMeans): of
  pictures that look alike at first sight, the network must look at the wings.
- `MixedBatchSampler`: a quarter of a batch from the first kind, a quarter from the second, the rest from anywhere. It is what
  trains here.

``indices=train`` keeps samplers to a part of the dataset, without a Subset: what they yield are numbers of the whole dataset,
and so a moth has the same draws whichever part it belongs to, and messages name the file that it is.
"""

import argparse

import numpy as np
import torch
from torch import nn
from torch.utils.data import Dataset

import gpuaug as G
from gpuaug.data import GroupBatchSampler, MixedBatchSampler, RepeatBatchSampler, stratified_split

SPECIES, SIZE = 4, 64


class Moths(Dataset):
    """Two pairs of wings, whose spots and stripes tell the species, on walls of three colours."""

    def __init__(self, count):
        self.targets = np.arange(count) % SPECIES

    def __len__(self):
        return len(self.targets)

    def __getitem__(self, i):
        rng, species = np.random.default_rng(i), self.targets[i]
        wall = np.array([(190, 180, 160), (90, 110, 80), (120, 80, 70)])[rng.integers(3)] + rng.integers(-12, 13, 3)
        image = wall + rng.normal(0, 8, (80, 80, 1))
        y, x = np.mgrid[:80, :80] - rng.uniform(36, 44, (2, 1, 1))
        for side in (-1, 1):
            u, v = (side * x - 14) / 16, (y + 4 * side * x / 20) / 13
            wing = u**2 + v**2 < 1
            shade = rng.uniform(0.35, 0.6)
            marks = [u**2 + v**2 < 0.15, abs(u) < 0.2, abs(v) < 0.2, (u**2 + v**2 > 0.5)][species]
            image[wing] = wall * shade
            image[wing & marks] = wall * shade + 90
        image[(x / 4) ** 2 + (y / 20) ** 2 < 1] = wall * 0.3
        return image.clip(0, 255).astype(np.uint8), int(species)


def clusters(data, count=3):
    """The cluster of each picture's mean colour."""
    from sklearn.cluster import KMeans

    means = np.stack([image.mean((0, 1)) for image, _ in (data[i] for i in range(len(data)))])
    return KMeans(count, n_init=4, random_state=0).fit_predict(means)


def samplers(data, groups, train, batch_size):
    return {
        "repeat": RepeatBatchSampler(data, batch_size, indices=train),
        "group": GroupBatchSampler(groups, batch_size, indices=train),
        "mixed": MixedBatchSampler(groups, batch_size, repeat=0.25, group=0.25, indices=train),
    }


def augmentation():
    return G.Compose(
        [
            G.HorizontalFlip(p=0.5),
            G.Affine(scale=(0.9, 1.2), translate_percent=(-0.06, 0.06), rotate=(-25, 25), border_mode=4, p=0.9),
            G.CenterCrop(SIZE, SIZE),
            G.RandomBrightnessContrast(0.2, 0.2, p=0.8),
            G.HueSaturationValue(10, 20, 0, p=0.5),
            G.Normalize(mean=0.5, std=0.25),
            G.ToTensorV2(),
        ]
    )


def network():
    widths = ((3, 16), (16, 32), (32, 32))
    layers = [nn.Sequential(nn.Conv2d(a, b, 5, 2, 2, bias=False), nn.BatchNorm2d(b), nn.ReLU()) for a, b in widths]
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(32 * 8 * 8, SPECIES))


def accuracy(model, loader):
    model.eval()
    with torch.no_grad():
        right = [(model(images).argmax(1).cpu() == labels.cpu()).float() for images, labels in loader]
    model.train()
    return torch.cat(right).mean().item()


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--samples", type=int, default=320)
    parser.add_argument("--epochs", type=int, default=8)
    parser.add_argument("--batch-size", type=int, default=32)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    args = parser.parse_args(arguments)
    data = Moths(args.samples)
    train, test = stratified_split(data, 0.25)
    batches = samplers(data, clusters(data), train, args.batch_size)["mixed"]
    loader = G.DataLoader(data, batch_sampler=batches, transform=augmentation(), device=args.device, seed=0)
    plain = G.Compose([G.CenterCrop(SIZE, SIZE), G.Normalize(mean=0.5, std=0.25), G.ToTensorV2()])
    new = G.DataLoader(data, args.batch_size, sampler=test.tolist(), transform=plain, device=args.device)
    torch.manual_seed(0)
    model = network().to(args.device)
    optimizer = torch.optim.Adam(model.parameters(), 2e-3)
    losses = []
    for epoch in range(args.epochs):
        total = 0.0
        for images, labels in loader:
            loss = nn.functional.cross_entropy(model(images), labels.to(args.device))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.item()
        losses.append(total / len(batches))
        print(f"epoch {epoch}: loss {losses[-1]:.3f}, of new moths {accuracy(model, new):.0%} right")
    return losses


if __name__ == "__main__":
    main()
