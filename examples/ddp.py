"""Training on several GPUs, or several CPU processes, from a folder of images, with exact resume.

    torchrun --nproc-per-node=2 examples/ddp.py /data/train --checkpoint run.pt

gpuaug.DataLoader asks torch.distributed for the rank: each process gets its part of every epoch, and an image gets the
same pixels whichever process loads it. Interrupt the run and start it again, with as many processes or not: it goes on behind
the last checkpoint.
"""

import argparse
import os

import torch
import torch.distributed as dist
from torch import nn

import gpuaug as G
from gpuaug.data import ImageFolder


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("root", help="folder of images: root/class/image.jpg")
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--batch-size", type=int, default=64, help="per process")
    parser.add_argument("--size", type=int, default=224)
    parser.add_argument("--checkpoint", help="file to save to, and to go on from")
    parser.add_argument("--save-every", type=int, default=100, help="batches between checkpoints")
    parser.add_argument("--max-steps", type=int, help="stop after so many batches of this run")
    parser.add_argument("--seed", type=int, default=0)
    return parser.parse_args()


def main():
    args = arguments()
    cuda = torch.cuda.is_available()
    device = torch.device("cuda", int(os.environ["LOCAL_RANK"])) if cuda else torch.device("cpu")
    if cuda:
        torch.cuda.set_device(device)
    dist.init_process_group("nccl" if cuda else "gloo")
    try:
        train(args, device)
    finally:
        dist.destroy_process_group()


def train(args, device):
    augment = G.Compose(
        [
            G.RandomResizedCrop((args.size, args.size)),
            G.HorizontalFlip(),
            G.RandomBrightnessContrast(p=0.8),
            G.Normalize(),
            G.ToTensorV2(),
        ],
        seed=args.seed,
    )
    data = ImageFolder(args.root)
    loader = G.DataLoader(data, batch_size=args.batch_size, shuffle=True, transform=augment, device=device, seed=args.seed)
    torch.manual_seed(args.seed)
    model = nn.parallel.DistributedDataParallel(network(len(data.classes)).to(device))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
    start, steps = restore(args.checkpoint, model, optimizer, loader, device), 0
    for epoch in range(start, args.epochs):
        totals = torch.zeros(3, dtype=torch.float64, device=device)  # images, loss, sum of pixels
        for images, labels in loader:
            loss = nn.functional.cross_entropy(model(images), labels)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            totals += torch.stack([torch.tensor(len(images), device=device), loss.detach() * len(images), images.sum()])
            steps += 1
            if args.checkpoint and steps % args.save_every == 0:
                save(args.checkpoint, epoch, model, optimizer, loader)
            if steps == args.max_steps:
                return
        dist.all_reduce(totals)
        images, loss, pixels = totals.tolist()
        if dist.get_rank() == 0:
            count = max(images, 1)  # what is left of an epoch may be nothing
            mean = pixels / (count * 3 * args.size**2)
            print(f"epoch {epoch}: {images:.0f} images, mean pixel {mean:+.5f}, loss {loss / count:.4f}")
            print(loader.stats()["bottleneck"])
    if args.checkpoint:
        save(args.checkpoint, args.epochs, model, optimizer, loader)


def network(classes):
    return nn.Sequential(
        nn.Conv2d(3, 16, 7, stride=4),
        nn.ReLU(),
        nn.Conv2d(16, 32, 3, stride=2),
        nn.ReLU(),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(32, classes),
    )


def save(path, epoch, model, optimizer, loader):
    """One file for all: the processes step together, so the place of one loader is that of every other."""
    if dist.get_rank() == 0:
        state = {"epoch": epoch, "model": model.state_dict(), "optimizer": optimizer.state_dict(), "loader": loader.state_dict()}
        torch.save(state, f"{path}.new")
        os.replace(f"{path}.new", path)  # whoever is killed here still has the old one


def restore(path, model, optimizer, loader, device):
    """The epoch to go on with."""
    if not path or not os.path.exists(path):
        return 0
    state = torch.load(path, map_location=device)
    model.load_state_dict(state["model"])
    optimizer.load_state_dict(state["optimizer"])
    loader.load_state_dict(state["loader"])
    return state["epoch"]


if __name__ == "__main__":
    main()
