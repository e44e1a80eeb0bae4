"""Video: clips of frames, all frames of a clip moved by one draw, and a network that tells which way something goes.

    python examples/video.py --epochs 6

- **One draw for a clip.** A sample's entry ``"images"`` is a set, ``[T, H, W, C]`` or a list of frames: crop, angle, colours
  and noise are drawn once and are the same in all of them, as one camera would see them. A batch is ``[B, T, C, H, W]``.
- **In a tuple** a set has no name: ``targets={"images": 0}`` says that the entry is one, where an array of four axes could be
  a volume, too.
- **Labels that mirror.** What moves to the left moves to the right in a mirror: this pipeline has no HorizontalFlip, since a
  class number is not changed by it. It mirrors top and bottom, and plays some clips backwards, which is the loop's business:
  it turns the label around.
"""

import argparse

import numpy as np
import torch
from torch import nn
from torch.utils.data import Dataset

import gpuaug as G
from gpuaug.photographs import photographs

CLASSES = ("to the left", "to the right", "nearer", "farther")
BACKWARDS = torch.tensor([1, 0, 3, 2])  # what a class becomes when time runs the other way
FRAMES, SIZE = 8, 64


class Clips(Dataset):
    """A window that travels over a photograph, or comes nearer to it."""

    def __init__(self, count):
        self.count, self.photographs = count, list(photographs().values())

    def __len__(self):
        return self.count

    def __getitem__(self, i):
        rng, kind = np.random.default_rng(i), i % len(CLASSES)
        whole = self.photographs[i // len(CLASSES) % len(self.photographs)]
        time = np.linspace(-1, 1, FRAMES) * rng.uniform(0.8, 1.2)
        travel, closeness = np.zeros(FRAMES), np.ones(FRAMES)
        if kind < 2:
            travel = (20, -20)[kind] * time  # things go to the left where the window goes to the right
        else:
            closeness = 2.0 ** ((0.5, -0.5)[kind - 2] * time)
        y, x = rng.uniform((75, 100), (whole.shape[0] - 75, whole.shape[1] - 100))
        at, frames = np.arange(80) - 39.5, []
        for shift, zoom in zip(travel, closeness):
            rows, columns = (np.rint(middle + 0.9 * at / zoom).astype(int) for middle in (y, x + shift))
            frames.append(whole[rows[:, None], columns])
        return np.stack(frames), kind


def augmentation(colour=True):
    """colour: False moves pixels only."""
    steps = [
        G.Affine(scale=(0.9, 1.1), rotate=(-10, 10), border_mode=4, p=0.7),
        G.RandomCrop(SIZE, SIZE),
        G.VerticalFlip(p=0.5),
    ]
    if colour:
        steps += [G.ColorJitter(0.3, 0.3, 0.3, 0.05, p=0.8), G.GaussNoise((0.0, 0.05), p=0.3)]
    return G.Compose([*steps, G.Normalize(mean=0.5, std=0.25), G.ToTensorV2()])


def network():
    """Differences of neighbouring frames, then convolutions over time, height and width."""

    class Differences(nn.Module):
        def forward(self, x):
            gray = x.mean(2, keepdim=True).transpose(1, 2)  # [B, 1, T, H, W]
            return torch.cat([gray[:, :, 1:], gray[:, :, 1:] - gray[:, :, :-1]], 1)

    def block(a, b, stride):
        return nn.Sequential(nn.Conv3d(a, b, 3, (1, stride, stride), 1, bias=False), nn.BatchNorm3d(b), nn.ReLU())

    return nn.Sequential(
        Differences(), nn.AvgPool3d((1, 2, 2)), block(2, 16, 2), block(16, 32, 2), block(32, 32, 2),
        nn.AdaptiveAvgPool3d((1, 2, 2)), nn.Flatten(), nn.Linear(128, len(CLASSES)),
    )  # fmt: skip


def backwards(clips, labels, share=0.5):
    """Some clips played from the end, with the labels that they then have."""
    turned = torch.rand(len(clips), device=clips.device) < share
    clips = torch.where(turned[:, None, None, None, None], clips.flip(1), clips)
    return clips, torch.where(turned, BACKWARDS.to(labels.device)[labels], labels)


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--clips", type=int, default=256)
    parser.add_argument("--epochs", type=int, default=6)
    parser.add_argument("--batch-size", type=int, default=16)
    parser.add_argument("--workers", type=int, default=0, help="processes that make the clips")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    args = parser.parse_args(arguments)
    loader = G.DataLoader(
        Clips(args.clips), args.batch_size, shuffle=True, num_workers=args.workers, targets={"images": 0},
        transform=augmentation(), device=args.device, seed=0,
    )  # fmt: skip
    torch.manual_seed(0)
    model = network().to(args.device)
    optimizer = torch.optim.Adam(model.parameters(), 3e-3)
    losses = []
    for epoch in range(args.epochs):
        total = right = 0.0
        for clips, labels in loader:
            clips, labels = backwards(clips, labels.to(args.device))
            logits = model(clips)
            loss = nn.functional.cross_entropy(logits, labels)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.item() * len(clips)
            right += (logits.argmax(1) == labels).sum().item()
        losses.append(total / args.clips)
        print(f"epoch {epoch}: loss {losses[-1]:.3f}, right {right / args.clips:.0%}")
    return losses


if __name__ == "__main__":
    main()
