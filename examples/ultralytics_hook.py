"""Ultralytics' albumentations hook with gpuaug in it: the same call, image by image, in a YOLO training.

    python examples/ultralytics_hook.py --epochs 8

Ultralytics has a class ``Albumentations(p=1.0, transforms=None)`` in ``ultralytics/data/augment.py``, called with a dict of
labels for each image; ``model.train(augmentations=[..])`` hands it the list. `Albumentations` below has its interface and
stands in its place with

    import ultralytics.data.augment
    ultralytics.data.augment.Albumentations = Albumentations  # before model.train(augmentations=[A.HorizontalFlip(), ..])

- **The list stays**, only its import line is another one: names, arguments and defaults are albumentations'. It is replaced
  as a class, not as a module: Ultralytics compares the version of the package that it imports with albumentations'.
- **The dict**: ``"img"``, uint8 ``[H, W, 3]``; ``"cls"``, ``[n, 1]``; ``"instances"``, which has boxes in one of several
  formats. The pipeline gets YOLO's (middle, width and height as fractions), with one class for each box, and both come back
  filtered. As in theirs a draw that leaves no box is not taken. Polygons and keypoints of instances are not handed on by that
  class: transforms that move pixels are for boxes.
- **One image a call** in torch's workers is the slow way, for both libraries. Where the loop is your own, give the pipeline
  to `gpuaug.DataLoader` (examples/detection.py).

Nothing of Ultralytics is needed here: `Instances` has those of its methods that the hook calls, and a small network stands
for YOLO.
"""

import argparse
import random

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset

import gpuaug as A  # was: import albumentations as A
from gpuaug.photographs import photographs

SIZE = 96


class Albumentations:
    """In the place of ``ultralytics.data.augment.Albumentations``."""

    def __init__(self, p: float = 1.0, transforms: list | None = None):
        self.p = p
        usual = [A.Blur(p=0.01), A.MedianBlur(p=0.01), A.ToGray(p=0.01), A.CLAHE(p=0.01)]
        boxes = A.BboxParams(format="yolo", label_fields=["class_labels"])
        self.transform = A.Compose(usual if transforms is None else transforms, bbox_params=boxes)
        self.transform.set_random_seed(torch.initial_seed())

    def __call__(self, labels: dict) -> dict:
        if random.random() > self.p or labels["img"].shape[2] != 3:
            return labels
        image, instances = labels["img"], labels["instances"]
        instances.convert_bbox("xywh")
        instances.normalize(image.shape[1], image.shape[0])
        new = self.transform(image=image, bboxes=instances.bboxes, class_labels=labels["cls"])
        if len(new["class_labels"]) or not len(labels["cls"]):
            labels["img"], labels["cls"] = new["image"], np.reshape(new["class_labels"], (-1, 1)).astype(np.float32)
            instances.update(bboxes=np.reshape(new["bboxes"], (-1, 4)).astype(np.float32))
        return labels


class Instances:
    """What the hook asks of Ultralytics' class of that name."""

    def __init__(self, bboxes, bbox_format="xyxy", normalized=False):
        self.bboxes, self.format, self.normalized = np.float32(bboxes).reshape(-1, 4), bbox_format, normalized

    def convert_bbox(self, format):
        if (self.format, format) == ("xyxy", "xywh"):
            a, b = self.bboxes[:, :2], self.bboxes[:, 2:]
            self.bboxes, self.format = np.concatenate([(a + b) / 2, b - a], 1), format

    def normalize(self, w, h):
        if not self.normalized:
            self.bboxes, self.normalized = self.bboxes / np.float32([w, h, w, h]), True

    def update(self, bboxes):
        self.bboxes = bboxes


class Plates(Dataset):
    """A plate or a frame on a photograph, as dicts of labels; the network's input is made of what the hook returns."""

    def __init__(self, count, hook):
        self.count, self.hook, self.photographs = count, hook, list(photographs().values())

    def __len__(self):
        return self.count

    def labels(self, i):
        rng = np.random.default_rng(i)
        whole = self.photographs[i % len(self.photographs)]
        y, x = rng.integers(0, (whole.shape[0] - SIZE, whole.shape[1] - SIZE))
        image, kind = whole[y : y + SIZE, x : x + SIZE].copy(), int(rng.integers(2))
        w, h = rng.integers(28, 60, 2)
        x, y = rng.integers(0, (SIZE - w, SIZE - h))
        image[y : y + h, x : x + w] = (20, 230, 250)
        if kind:
            image[y + 8 : y + h - 8, x + 8 : x + w - 8] = (230, 20, 160)
        return {"img": image, "cls": np.float32([[kind]]), "instances": Instances([[x, y, x + w, y + h]])}

    def __getitem__(self, i):
        labels = self.hook(self.labels(i))
        image = torch.from_numpy(np.ascontiguousarray(labels["img"].transpose(2, 0, 1))).float() / 255
        return image, torch.from_numpy(labels["instances"].bboxes[0]), int(labels["cls"][0, 0])


def transforms():
    """What would go to ``model.train(augmentations=..)``."""
    return [
        A.HorizontalFlip(p=0.5),
        A.VerticalFlip(p=0.5),
        A.BBoxSafeRandomCrop(p=0.3),
        A.Resize(SIZE, SIZE),
        A.RandomBrightnessContrast(0.2, 0.2, p=0.5),
    ]


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--samples", type=int, default=256)
    parser.add_argument("--epochs", type=int, default=8)
    parser.add_argument("--batch-size", type=int, default=16)
    args = parser.parse_args(arguments)
    torch.manual_seed(0)
    random.seed(0)
    loader = DataLoader(Plates(args.samples, Albumentations(1.0, transforms())), args.batch_size, shuffle=True)
    widths = ((3, 16), (16, 32), (32, 32))
    layers = [nn.Sequential(nn.Conv2d(a, b, 5, 2, 2, bias=False), nn.BatchNorm2d(b), nn.ReLU()) for a, b in widths]
    model = nn.Sequential(*layers, nn.Flatten(), nn.Linear(32 * (SIZE // 8) ** 2, 4 + 2))
    optimizer = torch.optim.Adam(model.parameters(), 1e-3)
    losses = []
    for epoch in range(args.epochs):
        total = 0.0
        for images, boxes, kinds in loader:
            out = model(images)
            loss = nn.functional.l1_loss(out[:, :4].sigmoid(), boxes) * 5 + nn.functional.cross_entropy(out[:, 4:], kinds)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.item() * len(images)
        losses.append(total / args.samples)
        print(f"epoch {epoch}: loss {losses[-1]:.3f}")
    return losses


if __name__ == "__main__":
    main()
