"""Boxes: a small Faster R-CNN of torchvision's finds discs and plates on photographs.

    python examples/detection.py --epochs 20

The dataset gives what torchvision's detectors are trained with, ``(image, {"boxes": [n, 4], "labels": [n], ..})``, and the
loader finds the boxes in it by those names. What differs from a loader of torch's:

- **No collate_fn.** Images have become one size and are one tensor; boxes, of which each picture has another number, stay
  lists with one entry for each sample. A picture without any has a tensor ``[0, 4]``, as the detectors want it.
  `as_detector_takes_it` zips them.
- **Labels go with their boxes.** `BboxParams` says which entries belong to a box; one that a crop has cut away takes them
  along. ``min_visibility=0.3`` also drops those of which less than 30 % can still be seen.
- **Crops that keep the objects.** `BBoxSafeRandomCrop` cuts around the boxes; most others would leave many pictures empty.
"""

import argparse
from itertools import pairwise

import numpy as np
import PIL.Image
import PIL.ImageDraw
import torch
from torch import nn
from torch.utils.data import Dataset
from torchvision.models.detection import FasterRCNN
from torchvision.models.detection.faster_rcnn import AnchorGenerator, FastRCNNPredictor, TwoMLPHead
from torchvision.ops import MultiScaleRoIAlign

import gpuaug as G
from gpuaug.photographs import photographs

CLASSES = ("background", "disc", "plate")  # the detectors count from 1
INK = ((250, 20, 180), (20, 240, 240))
SIZE = 128


class Scenes(Dataset):
    """Windows of photographs with discs and plates, some of them none."""

    def __init__(self, count):
        self.count, self.photographs = count, list(photographs().values())

    def __len__(self):
        return self.count

    def __getitem__(self, i):
        rng = np.random.default_rng(i)
        photograph = self.photographs[i % len(self.photographs)]
        y, x = rng.integers(0, (photograph.shape[0] - 200, photograph.shape[1] - 240))
        image = PIL.Image.fromarray(photograph[y : y + 200, x : x + 240] // 2 + 40)
        draw, boxes, labels = PIL.ImageDraw.Draw(image), [], []
        for cell in rng.permutation(4)[: rng.integers(0, 4) if i % 8 else 0]:  # in quarters of the picture: none hides another
            w, h = rng.integers(36, 80, 2)
            left, top = cell % 2 * 120 + rng.integers(0, 120 - w), cell // 2 * 100 + rng.integers(0, 100 - h)
            kind = int(rng.integers(2))
            place = [int(left), int(top), int(left + w), int(top + h)]  # edges of pixels: the last one is at right - 1
            (draw.ellipse, draw.rectangle)[kind]([*place[:2], place[2] - 1, place[3] - 1], fill=INK[kind])
            boxes.append(place)
            labels.append(kind + 1)
        boxes = torch.tensor(boxes, dtype=torch.float32).reshape(-1, 4)
        return np.asarray(image), {"boxes": boxes, "labels": torch.tensor(labels, dtype=torch.int64), "image_id": i}


def augmentation(colour=True):
    """colour: False moves pixels only."""
    steps = [
        G.BBoxSafeRandomCrop(erosion_rate=0.1, p=0.5),
        G.HorizontalFlip(p=0.5),
        G.Affine(scale=(0.8, 1.2), translate_percent=(-0.1, 0.1), rotate=(-5, 5), p=0.5),
        G.Resize(SIZE, SIZE),
    ]
    if colour:
        steps += [G.ColorJitter(0.2, 0.2, 0.2, 0.02, p=0.8), G.GaussianBlur((3, 5), p=0.1)]
    boxes = G.BboxParams("pascal_voc", label_fields=["labels"], min_visibility=0.3)
    return G.Compose([*steps, G.ToFloat(), G.ToTensorV2()], bbox_params=boxes)


def as_detector_takes_it(images, targets, device):
    """torchvision's detectors take lists: of images [3, H, W] from 0 to 1, and of dicts, one for each."""
    each = zip(targets["boxes"], targets["labels"])
    return list(images), [{"boxes": boxes.to(device), "labels": labels.to(device)} for boxes, labels in each]


def network():
    """One level of features, a pixel of them for each 8 x 8: objects are of about one size here."""
    widths = (3, 16, 32, 64, 64)
    layers = [
        nn.Sequential(nn.Conv2d(a, b, 3, 1 + (b != a), 1, bias=False), nn.BatchNorm2d(b), nn.ReLU()) for a, b in pairwise(widths)
    ]
    backbone = nn.Sequential(*layers)
    backbone.out_channels = 64  # FasterRCNN asks for it
    return FasterRCNN(
        backbone, min_size=SIZE, max_size=SIZE, image_mean=[0.5] * 3, image_std=[0.25] * 3,
        rpn_anchor_generator=AnchorGenerator(((24, 40, 64),), ((0.7, 1.4),)),
        rpn_pre_nms_top_n_train=200, rpn_post_nms_top_n_train=64, box_batch_size_per_image=64,
        box_roi_pool=MultiScaleRoIAlign(["0"], 5, 2), box_head=TwoMLPHead(64 * 5**2, 128),
        box_predictor=FastRCNNPredictor(128, len(CLASSES)),
    )  # fmt: skip


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--samples", type=int, default=256)
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--batch-size", type=int, default=8)
    parser.add_argument("--workers", type=int, default=0, help="processes that draw the pictures")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    args = parser.parse_args(arguments)
    loader = G.DataLoader(
        Scenes(args.samples), args.batch_size, shuffle=True, num_workers=args.workers,
        transform=augmentation(), device=args.device, seed=0,
    )  # fmt: skip
    torch.manual_seed(0)
    model = network().to(args.device)
    optimizer = torch.optim.AdamW(model.parameters(), 1e-3)
    losses = []
    for epoch in range(args.epochs):
        total = 0.0
        for images, targets in loader:
            parts = model(*as_detector_takes_it(images, targets, args.device))
            loss = sum(parts.values())
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.item() * len(images)
        losses.append(total / args.samples)
        print(f"epoch {epoch}: loss {losses[-1]:.3f}, " + ", ".join(f"{name} {part:.3f}" for name, part in parts.items()))
    return losses


if __name__ == "__main__":
    main()
