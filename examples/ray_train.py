"""Training under Ray Train, on as many workers as there are: a worker or a node that is lost, or comes, is no end of the run.

    python examples/ray_train.py /data/train --storage /shared/runs --workers 1 8

gpuaug.DataLoader asks torch.distributed for the rank, so the loop takes it as it is: no `prepare_data_loader`, or one with
add_dist_sampler=False. A checkpoint holds rank 0's `loader.state_dict()`. When Ray starts the workers anew, however many it
finds, what the epoch has left is dealt out to them: nothing twice, nothing lost, each image with its own pixels.
"""

import argparse
import os
import tempfile

import ray.train
import ray.train.torch
import torch
import torch.distributed as dist
from torch import nn

import gpuaug as G
from gpuaug.data import ImageFolder


def train(settings):
    """What each worker runs, from the last checkpoint on."""
    augment = G.Compose(
        [G.RandomResizedCrop((settings["size"],) * 2), G.HorizontalFlip(), G.Normalize(), G.ToTensorV2()], seed=settings["seed"]
    )
    data, device = ImageFolder(settings["root"]), ray.train.torch.get_device()
    loader = G.DataLoader(
        data, settings["batch_size"], shuffle=True, transform=augment, device=device, seed=settings["seed"], num_workers=1
    )
    torch.manual_seed(settings["seed"])
    model = ray.train.torch.prepare_model(network(len(data.classes)))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
    step, images = restore(model, optimizer, loader)
    loss = float("nan")  # until there is one: the checkpoint may be that of an epoch's last batch
    for epoch in range(loader.state_dict()["epoch"], settings["epochs"]):
        for pictures, labels in loader:
            loss = nn.functional.cross_entropy(model(pictures), labels)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            step, images = step + 1, images + total(len(pictures))
            if step % settings["save_every"] == 0:
                report(epoch, step, images, loss, model, optimizer, loader)
        report(epoch, step, images, loss, model, optimizer, loader)


def total(count):
    """Of all workers."""
    if not dist.is_initialized():
        return count
    count = torch.tensor(count, device=ray.train.torch.get_device())
    dist.all_reduce(count)
    return int(count)


def report(epoch, step, images, loss, model, optimizer, loader):
    """All workers report; the first one brings the checkpoint: they step together, so its place in the epoch is that of all."""
    metrics = {"epoch": epoch, "step": step, "images": images, "loss": float(loss), "workers": total(1)}
    if ray.train.get_context().get_world_rank() != 0:
        ray.train.report(metrics)
        return
    with tempfile.TemporaryDirectory() as folder:
        bare = getattr(model, "module", model)  # DistributedDataParallel's, where there are several
        state = {"model": bare.state_dict(), "optimizer": optimizer.state_dict(), "loader": loader.state_dict()}
        torch.save({**state, "step": step, "images": images}, os.path.join(folder, "state.pt"))
        ray.train.report(metrics, checkpoint=ray.train.Checkpoint.from_directory(folder))


def restore(model, optimizer, loader):
    """Steps and images until now."""
    checkpoint = ray.train.get_checkpoint()
    if checkpoint is None:
        return 0, 0
    with checkpoint.as_directory() as folder:
        state = torch.load(os.path.join(folder, "state.pt"), map_location=ray.train.torch.get_device())
    getattr(model, "module", model).load_state_dict(state["model"])
    optimizer.load_state_dict(state["optimizer"])
    loader.load_state_dict(state["loader"])
    return state["step"], state["images"]


def network(classes):
    layers = [nn.Conv2d(3, 16, 7, stride=4), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(16, classes)]
    return nn.Sequential(*layers)


def run(settings, workers, storage, name, restarts=3, gpu=False):
    """Trains, and returns Ray's result."""
    trainer = ray.train.torch.TorchTrainer(
        train,
        train_loop_config=settings,
        scaling_config=ray.train.ScalingConfig(num_workers=workers, use_gpu=gpu),
        run_config=ray.train.RunConfig(
            name=name, storage_path=storage, failure_config=ray.train.FailureConfig(max_failures=restarts)
        ),
    )
    return trainer.fit()


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("root", help="folder of images that every node has: root/class/image.jpg")
    parser.add_argument("--storage", required=True, help="where checkpoints go; every node must reach it")
    parser.add_argument("--name", default="gpuaug", help="of the run; one that is there goes on")
    parser.add_argument("--workers", type=int, nargs="+", default=[2], help="how many, or at least and at most")
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--batch-size", type=int, default=64, help="per worker")
    parser.add_argument("--size", type=int, default=224)
    parser.add_argument("--save-every", type=int, default=100, help="steps between checkpoints")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    names = ("root", "epochs", "batch_size", "size", "save_every", "seed")
    settings = {name: getattr(args, name) for name in names}
    workers = args.workers[0] if len(args.workers) == 1 else tuple(args.workers)
    result = run(settings, workers, args.storage, args.name, gpu=torch.cuda.is_available())
    print(result.metrics)


if __name__ == "__main__":
    main()
