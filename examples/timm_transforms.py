"""timm's training transforms as a gpuaug pipeline: converted from ``timm.data.create_transform``, or written out.

    python examples/timm_transforms.py --epochs 6                                          # written out; needs no timm
    python examples/timm_transforms.py --converted --auto-augment rand-m9-mstd0.5-inc1     # what timm makes

- **Converted.** `from_torchvision` reads timm's Compose, most of which is torchvision's. Three of its transforms are timm's
  own and have a counterpart, which `converted` puts in their place with the arguments that timm's objects hold.
- **Wrapped.** RandAugment and AutoAugment of timm have operations of their own. ``unsupported="wrap"`` calls them as they
  are, image by image on the host, in their place of the pipeline and with draws that depend on the sample alone; `explain`
  shows which. ``vision.RandAugment``, torchvision's, is a kernel: another list of operations, for a new training.
- **Written out** is the same list in torchvision's names, for a program without timm.

Erasing stands behind Normalize, as in timm: with 0, or with noise of mean 0 and deviation 1 (``re_mode="pixel"``).
"""

import argparse
import math

import torch
from torch import nn

import gpuaug as G
from gpuaug import vision
from gpuaug.data import ImageFolder
from gpuaug.photographs import photo_folder

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


def ours(transform):
    """gpuaug's for a transform that is timm's own; others come back as they are."""
    name = type(transform).__name__
    if not type(transform).__module__.startswith("timm."):
        return transform
    if name == "RandomResizedCropAndInterpolation":
        several = isinstance(transform.interpolation, (tuple, list))  # interpolation="random"
        modes = transform.interpolation if several else [transform.interpolation]
        crops = [vision.RandomResizedCrop(transform.size, transform.scale, transform.ratio, mode) for mode in modes]
        return vision.RandomChoice(crops) if several else crops[0]
    if name == "MaybeToTensor":
        return vision.ToTensor()
    if name == "RandomErasing" and transform.mode in ("const", "pixel") and transform.max_count == 1:
        ratio = tuple(math.exp(side) for side in transform.log_aspect_ratio)
        value = "random" if transform.mode == "pixel" else 0
        return vision.RandomErasing(transform.probability, (transform.min_area, transform.max_area), ratio, value)
    return transform


def converted(pipeline, seed=0):
    """A pipeline of ``timm.data.create_transform``; what has no counterpart is called as it is."""
    return G.from_torchvision([ours(each) for each in pipeline.transforms], seed=seed, unsupported="wrap")


def written(size=224, scale=(0.08, 1.0), ratio=(3 / 4, 4 / 3), hflip=0.5, color_jitter=0.4, re_prob=0.0, re_mode="const", seed=0):
    """The same with create_transform's arguments and defaults."""
    return vision.Compose(
        [
            vision.RandomResizedCrop(size, scale, ratio, "bilinear"),  # RandomResizedCropAndInterpolation
            vision.RandomHorizontalFlip(hflip),
            vision.ColorJitter(color_jitter, color_jitter, color_jitter),
            vision.ToTensor(),  # MaybeToTensor
            vision.Normalize(MEAN, STD),
            vision.RandomErasing(re_prob, (0.02, 1 / 3), (0.3, 1 / 0.3), "random" if re_mode == "pixel" else 0),
        ],
        seed=seed,
    )


def network(classes):
    widths = ((3, 16), (16, 32), (32, 64))
    layers = [nn.Sequential(nn.Conv2d(a, b, 5, 2, 2, bias=False), nn.BatchNorm2d(b), nn.ReLU()) for a, b in widths]
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.Linear(256, classes))


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--folder", help="root/class/image.jpg; by default windows of photographs that packages ship")
    parser.add_argument("--size", type=int, default=96)
    parser.add_argument("--epochs", type=int, default=6)
    parser.add_argument("--batch-size", type=int, default=32)
    parser.add_argument("--converted", action="store_true", help="make it with timm, and convert it")
    parser.add_argument("--auto-augment", help="timm's word for it, such as rand-m9-mstd0.5-inc1; with --converted")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    args = parser.parse_args(arguments)
    if args.auto_augment and not args.converted:
        parser.error("--auto-augment is timm's: it goes with --converted")
    how = {"scale": (0.3, 1.0), "re_prob": 0.25, "re_mode": "pixel"}
    if args.converted:
        from timm.data import create_transform

        augment = converted(create_transform(args.size, is_training=True, auto_augment=args.auto_augment, **how))
    else:
        augment = written(args.size, **how)
    print(augment)
    data = ImageFolder(args.folder or photo_folder(count=256))
    loader = G.DataLoader(data, args.batch_size, shuffle=True, transform=augment, device=args.device, seed=0)
    torch.manual_seed(0)
    model = network(len(data.classes)).to(args.device)
    optimizer = torch.optim.AdamW(model.parameters(), 2e-3)
    losses = []
    for epoch in range(args.epochs):
        total = 0.0
        for images, labels in loader:
            loss = nn.functional.cross_entropy(model(images), labels.to(args.device))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.item() * len(images)
        losses.append(total / len(data))
        print(f"epoch {epoch}: loss {losses[-1]:.3f}")
    return losses


if __name__ == "__main__":
    main()
