"""Several labels of one picture, with torchvision's transforms by their names: a small network tells colour, shape and size.

    python examples/fashion.py --epochs 3
    python examples/fashion.py --csv /tmp/fashion/table.csv

The pipeline is written for torchvision, in the spelling of its older versions; only the import line is another one. It works
in the dataset (``--in-dataset``: one picture a call, in torch's DataLoader) and in gpuaug.DataLoader, on whole batches.

``--csv`` reads pictures and labels from a table, as such data usually comes: `gpuaug.data.ImageCsv` takes the columns that
are named, numbers the words of each in sorted order (``data.classes``), and complains in its constructor about files that are
not there and cells that are empty. Without the file a table of drawn pictures is written first. The batch is the same,
``{"img", "labels": {..}}``, and so is the rest of the program; the loader decodes the files itself, no class of one's own is
needed.
"""

import argparse
import csv
import warnings
from pathlib import Path

import numpy as np
import PIL.Image
import PIL.ImageDraw
import torch
from torch import nn
from torch.utils.data import Dataset

import gpuaug as G
from gpuaug import vision as transforms  # was: from torchvision import transforms
from gpuaug.data import ImageCsv

COLOURS = ("red", "green", "blue")
SHAPES = ("disc", "box")
SIZES = ("small", "large")
MEAN, STD = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]


def pipeline(seed: int = 0):
    return transforms.Compose(
        [
            transforms.RandomHorizontalFlip(p=0.5),
            transforms.ColorJitter(brightness=0.3, contrast=0.3, saturation=0.3, hue=0),
            transforms.RandomAffine(
                degrees=20, translate=(0.1, 0.1), scale=(0.8, 1.2), shear=None, resample=False, fillcolor=(255, 255, 255)
            ),
            transforms.ToTensor(),
            transforms.Normalize(MEAN, STD),
        ],
        seed=seed,
    )


class Pictures(Dataset):
    """Drawn pictures of 60 x 80, as PIL images, with three labels in a dict of their own."""

    def __init__(self, count: int, transform=None):
        self.count, self.transform = count, transform

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, i: int) -> dict:
        if i >= self.count:
            raise IndexError(i)
        rng = np.random.default_rng(i)
        colour, shape, size = rng.integers(3), rng.integers(2), rng.integers(2)
        image = PIL.Image.new("RGB", (60, 80), (255, 255, 255))
        x, y, r = *rng.integers((25, 30), (35, 50)), (9, 20)[size]
        ink = tuple(int(v) for v in np.eye(3, dtype=int)[colour] * 200 + rng.integers(0, 50, 3))
        draw = PIL.ImageDraw.Draw(image)
        (draw.ellipse, draw.rectangle)[shape]((x - r, y - r, x + r, y + r), fill=ink)
        image = self.transform(image) if self.transform else image
        return {"img": image, "labels": {"colour_labels": int(colour), "shape_labels": int(shape), "size_labels": int(size)}}


def write(table: Path, count: int) -> None:
    """A table with words for labels, and its pictures beside it."""
    table.parent.mkdir(parents=True, exist_ok=True)
    with table.open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(["path", "colour_labels", "shape_labels", "size_labels"])
        for i, sample in enumerate(Pictures(count)):
            sample["img"].save(table.parent / f"{i:04}.png")
            numbers = sample["labels"].values()
            rows.writerow([f"{i:04}.png", *(words[n] for words, n in zip((COLOURS, SHAPES, SIZES), numbers))])


class Network(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(3, 16, 5, 2), nn.ReLU(), nn.Conv2d(16, 32, 3, 2), nn.ReLU(), nn.AdaptiveAvgPool2d(4), nn.Flatten()
        )
        self.heads = nn.ModuleDict(
            {f"{name}_labels": nn.Linear(512, n) for name, n in (("colour", 3), ("shape", 2), ("size", 2))}
        )

    def forward(self, x):
        x = self.body(x)
        return {name: head(x) for name, head in self.heads.items()}


def main(arguments=None) -> list[float]:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--samples", type=int, default=512)
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--batch-size", type=int, default=32)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--in-dataset", action="store_true", help="augment one picture a call, in torch's DataLoader")
    parser.add_argument("--csv", type=Path, help="a table to read; it is written if it is not there")
    args = parser.parse_args(arguments)
    if args.csv is not None and args.in_dataset:
        parser.error("--csv and --in-dataset are two ways; choose one")
    torch.manual_seed(0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # resample=, fillcolor=
        augment = pipeline()
    if args.in_dataset:
        loader = torch.utils.data.DataLoader(Pictures(args.samples, augment), args.batch_size, shuffle=True, num_workers=2)
    else:
        data = Pictures(args.samples)
        if args.csv is not None:
            if not args.csv.exists():
                write(args.csv, args.samples)
            labels = ["colour_labels", "shape_labels", "size_labels"]
            data = ImageCsv(args.csv, image="path", labels=labels)
        loader = G.DataLoader(data, args.batch_size, shuffle=True, transform=augment, device=args.device)
    model = Network().to(args.device)
    optimizer = torch.optim.Adam(model.parameters(), 1e-3)
    losses = []
    for epoch in range(args.epochs):
        total = 0.0
        for batch in loader:
            found = model(batch["img"].to(args.device))
            wanted = {name: label.to(args.device) for name, label in batch["labels"].items()}
            loss = sum(nn.functional.cross_entropy(found[name], label) for name, label in wanted.items())
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.item() * len(batch["img"])
        losses.append(total / len(loader.dataset))
        print(f"epoch {epoch}: loss {losses[-1]:.3f}")
    return losses


if __name__ == "__main__":
    main()
