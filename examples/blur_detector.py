"""A blur detector: imgaug's augmenters by their names, few bad pictures among many good ones, then larger crops.

    python examples/blur_detector.py --folder /tmp/blur --epochs 6 2

The first run writes JPEGs into the folder, cut from photographs that packages ship: sharp/ has ten times as many as blurred/.

- **imgaug's names.** ``import gpuaug.interop.imgaug as iaa`` is the line that changed; the list stands in a gpuaug pipeline
  like any other transform. Only what does not blur may be in it: mirrors and quarter turns move whole pixels, where a
  rotation would interpolate and make sharp pictures blurred ones; crops are cut from the picture, not resized.
- **A rare class.** `ImbalancedSampler` draws with replacement so that both classes come equally often. A picture that comes
  up five times in an epoch is augmented five ways: its draw depends on how often the epoch had it before.
- **256, then 328 pixels.** Each phase has a pipeline of its own and a loader with the same settings; ``set_epoch`` goes on
  counting, so that the second phase does not see the draws of the first one again. The network averages over places, so it
  takes both sizes.
"""

import argparse
from pathlib import Path

import numpy as np
import PIL.Image
import PIL.ImageFilter
import torch
from torch import nn

import gpuaug as G
import gpuaug.interop.imgaug as iaa  # was: import imgaug.augmenters as iaa
from gpuaug.data import ImageFolder, ImbalancedSampler
from gpuaug.photographs import photographs

SIZES = (256, 328)


def write(folder, count, rare=11):
    """folder/sharp/0001.jpg, .. and folder/blurred/0000.jpg, ..: one of `rare` is blurred."""
    sources = [whole for whole in photographs().values() if min(whole.shape[:2]) >= 330]  # for crops of 328
    for i in range(count):
        rng = np.random.default_rng(i)
        whole = sources[i % len(sources)]
        h, w = rng.integers(330, 400), rng.integers(330, 400)
        h, w = min(h, whole.shape[0]), min(w, whole.shape[1])
        y, x = rng.integers(0, whole.shape[0] - h + 1), rng.integers(0, whole.shape[1] - w + 1)
        # photographs at full size are soft already: a sharpened window is the sharp one
        image = PIL.Image.fromarray(whole[y : y + h, x : x + w]).filter(PIL.ImageFilter.SHARPEN)
        if i % rare == 0:
            image = image.filter(PIL.ImageFilter.GaussianBlur(rng.uniform(1.5, 4)))
        path = Path(folder) / ("sharp" if i % rare else "blurred") / f"{i:04}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        image.save(path, quality=92)


def pipeline(size):
    seq = iaa.Sequential(
        [
            iaa.Fliplr(0.5),
            iaa.Flipud(0.5),
            iaa.Sometimes(0.5, iaa.Multiply((0.8, 1.2), per_channel=0.2)),
            iaa.Sometimes(0.5, iaa.LinearContrast((0.75, 1.3))),
            iaa.Sometimes(0.3, iaa.Add((-15, 15))),
        ]
    )
    return G.Compose([G.RandomCrop(size, size), seq, G.RandomRotate90(), G.Normalize(mean=0.5, std=0.25), G.ToTensorV2()])


class Network(nn.Module):
    """What is sharp has differences between neighbours: the first layer is their second derivative, of each colour."""

    def __init__(self):
        super().__init__()
        kernel = torch.tensor([[0.0, 1, 0], [1, -4, 1], [0, 1, 0]]).expand(3, 1, 3, 3)
        self.register_buffer("kernel", kernel.clone())
        self.body = nn.Sequential(
            nn.Conv2d(3, 16, 5, 3), nn.BatchNorm2d(16), nn.ReLU(), nn.Conv2d(16, 32, 3, 2), nn.BatchNorm2d(32), nn.ReLU()
        )
        self.head = nn.Linear(32, 1)

    def forward(self, x):
        return self.head(self.body(nn.functional.conv2d(x, self.kernel, groups=3)).mean((2, 3)))[:, 0]


def loaders(data, options):
    """One for each phase: the same settings, another pipeline. Each draws for itself; the same seed gives both the same order."""
    return [
        G.DataLoader(
            data, options.batch_size, sampler=ImbalancedSampler(data, num_samples=options.samples, seed=0),
            transform=pipeline(size), device=options.device, seed=0,
        )
        for size in SIZES
    ]  # fmt: skip


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--folder", default="blur")
    parser.add_argument("--pictures", type=int, default=220)
    parser.add_argument("--samples", type=int, default=128, help="that an epoch draws")
    parser.add_argument("--epochs", type=int, nargs=2, default=(6, 2), help="of each phase")
    parser.add_argument("--batch-size", type=int, default=16)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    options = parser.parse_args(arguments)
    if not (Path(options.folder) / "sharp").exists():
        write(options.folder, options.pictures)
    data = ImageFolder(options.folder)
    blurred = data.class_to_idx["blurred"]
    torch.manual_seed(0)
    model = Network().to(options.device)
    optimizer = torch.optim.Adam(model.parameters(), 3e-3)
    losses, epoch = [], 0
    for loader, size, epochs in zip(loaders(data, options), SIZES, options.epochs):
        for _ in range(epochs):
            loader.set_epoch(epoch)
            total = bad = right = 0.0
            for images, labels in loader:
                wanted = (labels.to(options.device) == blurred).float()
                logits = model(images)
                loss = nn.functional.binary_cross_entropy_with_logits(logits, wanted)
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                total += loss.item() * len(images)
                bad += wanted.sum().item()
                right += ((logits > 0) == (wanted > 0)).sum().item()
            n = options.samples
            losses.append(total / n)
            print(f"epoch {epoch}: {size} pixels, {bad / n:.0%} blurred, loss {losses[-1]:.3f}, right {right / n:.0%}")
            epoch += 1
    return losses


if __name__ == "__main__":
    main()
