"""Keypoints: eyes and corners of the mouth in drawn faces, where a mirror image has another left.

    python examples/keypoints.py --epochs 15

- **Left and right.** Mirrored, the left eye looks like a right one. ``label_mapping`` exchanges the labels where
  `HorizontalFlip` was drawn, and puts the points back into the order that the labels had: row 0 is the left eye in every
  picture, so that a batch is a tensor ``[B, 5, 2]`` and the loss needs to know nothing of flips.
- **Points that leave the picture.** ``remove_invisible=False`` keeps all five, wherever they lie; the loss counts those
  inside. (With True they are dropped, and labels, visibilities and whatever else are label fields go with them.)
- **Where a pixel is.** (0, 0) is the centre of the first pixel; a resize takes x to (x + 0.5) s - 0.5, so points stay on what
  they mark, to the fraction of a pixel. The heat maps here have a quarter of the picture's size and use the same rule.
"""

import argparse

import numpy as np
import PIL.Image
import PIL.ImageDraw
import torch
from torch import nn
from torch.utils.data import Dataset

import gpuaug as G
from gpuaug.photographs import photographs

NAMES = ("left eye", "right eye", "nose", "left corner", "right corner")  # as seen in the picture
MIRROR = {"left eye": "right eye", "right eye": "left eye", "left corner": "right corner", "right corner": "left corner"}
SIZE, STRIDE = 96, 4


class Faces(Dataset):
    """Round faces of 160 x 160 before photographs, looking to one side."""

    def __init__(self, count):
        self.count, self.photographs = count, list(photographs().values())

    def __len__(self):
        return self.count

    def __getitem__(self, i):
        rng = np.random.default_rng(i)
        photograph = self.photographs[i % len(self.photographs)]
        y, x = rng.integers(0, (photograph.shape[0] - 160, photograph.shape[1] - 160))
        image = PIL.Image.fromarray(photograph[y : y + 160, x : x + 160] // 2 + 30)
        r, skin = rng.uniform(36, 52), tuple(rng.integers((190, 130, 90), (256, 200, 150)).tolist())
        middle, look = rng.uniform(60, 100, 2), rng.uniform(-0.2, 0.2)
        points = middle + r * np.array([(-0.4, -0.25), (0.4, -0.25), (0, 0.1), (-0.3, 0.5), (0.3, 0.5)])
        points[:, 0] += r * look
        draw = PIL.ImageDraw.Draw(image)
        draw.ellipse([*(middle - r), *(middle + r)], fill=skin)
        for x, y in points[:2]:
            draw.ellipse([x - 0.17 * r, y - 0.12 * r, x + 0.17 * r, y + 0.12 * r], fill=(255, 255, 255))
            draw.ellipse([x - 3, y - 3, x + 3, y + 3], fill=(10, 10, 60))
        draw.polygon([tuple(points[2] + (-5, 4)), tuple(points[2] + (5, 4)), tuple(points[2] - (0, 8))], fill=(150, 90, 60))
        chin = (points[:2, 0].mean(), points[0, 1] + 0.85 * r)
        draw.line([tuple(points[3]), chin, tuple(points[4])], fill=(170, 20, 40), width=4)
        return {"image": np.asarray(image), "keypoints": torch.tensor(points, dtype=torch.float32), "names": list(NAMES)}


def augmentation(colour=True):
    """colour: False moves pixels only."""
    steps = [
        G.HorizontalFlip(p=0.5),
        G.Affine(scale=(0.8, 1.3), translate_percent=(-0.15, 0.15), rotate=(-30, 30), p=0.8),
        G.Resize(SIZE, SIZE),
    ]
    if colour:
        steps += [G.ColorJitter(0.3, 0.3, 0.3, 0.02, p=0.8), G.GaussNoise(p=0.3)]
    points = G.KeypointParams(
        "xy", label_fields=["names"], remove_invisible=False, label_mapping={"HorizontalFlip": {"names": MIRROR}}
    )
    return G.Compose([*steps, G.Normalize(mean=0.5, std=0.25), G.ToTensorV2()], keypoint_params=points)


def heat(points, side, width=1.5):
    """Maps [B, 5, side, side] with a bump of height 1 at each point of [B, 5, 2], in pixels of the picture."""
    places = (points + 0.5) / STRIDE - 0.5
    at = torch.arange(side, device=points.device)
    rows, columns = (torch.exp(-((at - places[..., k, None]) ** 2) / (2 * width**2)) for k in (1, 0))
    return rows[..., :, None] * columns[..., None, :]


def found(maps):
    """The points [B, 5, 2] at the maxima of maps, in pixels of the picture."""
    best = maps.flatten(2).argmax(2)
    return (torch.stack([best % maps.shape[-1], best // maps.shape[-1]], -1) + 0.5) * STRIDE - 0.5


def network():
    widths = ((3, 24, 2), (24, 48, 2), (48, 64, 1), (64, 64, 1))
    layers = [nn.Sequential(nn.Conv2d(a, b, 5, s, 2, bias=False), nn.BatchNorm2d(b), nn.ReLU()) for a, b, s in widths]
    return nn.Sequential(*layers, nn.Conv2d(64, len(NAMES), 1))


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--samples", type=int, default=256)
    parser.add_argument("--epochs", type=int, default=15)
    parser.add_argument("--batch-size", type=int, default=16)
    parser.add_argument("--workers", type=int, default=0, help="processes that draw the faces")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    args = parser.parse_args(arguments)
    loader = G.DataLoader(
        Faces(args.samples), args.batch_size, shuffle=True, num_workers=args.workers,
        transform=augmentation(), device=args.device, seed=0,
    )  # fmt: skip
    torch.manual_seed(0)
    model = network().to(args.device)
    optimizer = torch.optim.Adam(model.parameters(), 2e-3)
    losses = []
    for epoch in range(args.epochs):
        total = 0.0
        for batch in loader:
            points = torch.stack(batch["keypoints"]).to(args.device)  # one tensor: five of each picture
            maps = model(batch["image"])
            inside = ((points >= -0.5) & (points < SIZE - 0.5)).all(-1).float()
            wrong = (maps - heat(points, maps.shape[-1])).square().mean((2, 3))
            loss = (wrong * inside).sum() / inside.sum()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.item() * len(points)
        losses.append(total / args.samples)
        off = ((found(maps) - points).norm(dim=-1) * inside).sum() / inside.sum()
        print(f"epoch {epoch}: loss {losses[-1]:.4f}, off by {off:.1f} pixels")
    return losses


if __name__ == "__main__":
    main()
