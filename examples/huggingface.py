"""Hugging Face: a `datasets` split, read and decoded by the loader, in a training loop of `accelerate`.

    python examples/huggingface.py
    accelerate launch examples/huggingface.py        # several processes: each has its part of every epoch

- **The split** is made here, of photographs that packages ship, with an `Image` column; one from the hub, or from
  `load_from_disk`, is the same object. `gpuaug.data.HuggingFace` hands its encoded images to the loader, undecoded; other
  columns come with them as they are, and ``columns=`` says which.
- **No set_transform.** The pipeline goes to the loader and gets whole batches, on the device that trains. The split stays as
  it is, and so do its fingerprint and the caches that depend on it.
- **accelerate.** ``accelerator.prepare(loader)`` leaves it what it is, gives it accelerate's device and deals its batches
  out; ``gather_for_metrics`` cuts off what fills the last one. ``register_for_checkpointing(loader)`` saves its place with
  ``save_state``, in the middle of an epoch too.
- `transformers` wants ``pixel_values`` and ``labels``: rename the column, ``HuggingFace(split, image="pixel_values")``.
"""

import argparse
import io
import os

import datasets
import numpy as np
import PIL.Image
import torch
from accelerate import Accelerator
from torch import nn

import gpuaug as G
from gpuaug.data import HuggingFace
from gpuaug.photographs import photographs

SIZE = 64


def split(count):
    """A split of windows of photographs as JPEGs; the label is the photograph."""
    sources = photographs()

    def rows():
        for i in range(count):
            rng, label = np.random.default_rng(i), i % len(sources)
            whole = list(sources.values())[label]
            y, x = rng.integers(0, (whole.shape[0] - 200, whole.shape[1] - 240))
            file = io.BytesIO()
            PIL.Image.fromarray(whole[y : y + 200, x : x + 240]).save(file, "JPEG")
            yield {"image": {"bytes": file.getvalue(), "path": None}, "label": label, "name": f"{i:04}"}

    features = datasets.Features(
        {"image": datasets.Image(), "label": datasets.ClassLabel(names=list(sources)), "name": datasets.Value("string")}
    )
    return datasets.Dataset.from_list(list(rows()), features=features)


def augmentation():
    return G.Compose(
        [
            G.RandomResizedCrop((SIZE, SIZE), scale=(0.3, 1.0)),
            G.HorizontalFlip(),
            G.ColorJitter(0.2, 0.2, 0.2, 0.02, p=0.8),
            G.Normalize(mean=0.5, std=0.25),
            G.ToTensorV2(),
        ],
        seed=0,
    )


def network(classes):
    widths = ((3, 16), (16, 32), (32, 64))
    layers = [nn.Sequential(nn.Conv2d(a, b, 5, 2, 2, bias=False), nn.BatchNorm2d(b), nn.ReLU()) for a, b in widths]
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.Linear(256, classes))


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--samples", type=int, default=256)
    parser.add_argument("--epochs", type=int, default=6)
    parser.add_argument("--batch-size", type=int, default=32, help="per process")
    parser.add_argument("--cpu", action="store_true", help="also where there is a GPU")
    parser.add_argument("--save", help="folder to save to after each epoch, and to go on from")
    args = parser.parse_args(arguments)
    accelerator = Accelerator(cpu=args.cpu)
    data = HuggingFace(split(args.samples), columns=["label"])
    loader = G.DataLoader(data, args.batch_size, shuffle=True, transform=augmentation(), device=accelerator.device, seed=0)
    torch.manual_seed(0)
    model = network(data.split.features["label"].num_classes)
    optimizer = torch.optim.Adam(model.parameters(), 2e-3)
    model, optimizer, loader = accelerator.prepare(model, optimizer, loader)
    accelerator.register_for_checkpointing(loader)
    if args.save and os.path.isdir(args.save):
        accelerator.load_state(args.save)
    losses = []
    for epoch in range(loader.state_dict()["epoch"], args.epochs):
        total, right, seen = 0.0, 0, 0
        for batch in loader:
            logits, labels = model(batch["image"]), batch["label"].to(accelerator.device)
            loss = nn.functional.cross_entropy(logits, labels)
            optimizer.zero_grad()
            accelerator.backward(loss)
            optimizer.step()
            guesses, truth = accelerator.gather_for_metrics((logits.argmax(1), labels))
            total += accelerator.reduce(loss.detach(), reduction="mean").item() * len(truth)
            right, seen = right + (guesses == truth).sum().item(), seen + len(truth)
        losses.append(total / seen)
        accelerator.print(f"epoch {epoch}: {seen} images, loss {losses[-1]:.3f}, right {right / seen:.0%}")
        if args.save:
            accelerator.save_state(args.save)
    return losses


if __name__ == "__main__":
    main()
