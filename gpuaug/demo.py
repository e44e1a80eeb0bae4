"""The demonstration: a folder of photographs through torch's DataLoader + albumentations, and through gpuaug.

The photographs are those of `gpuaug.photographs`. `compare` times both loaders with
the same transforms, epoch by epoch in turn, so that what else the machine does meanwhile touches both alike.
"""

import statistics
import sys
import time
from pathlib import Path

import numpy as np

from .machine import best_device, cpu_name, cpu_seconds, device_name, told_device
from .photographs import default_folder, photo_folder


def pipeline(library, size=224):
    """The nine transforms of the demo, each as often as in an everyday training; `library` is albumentations or gpuaug.

    Changing that one name is all there is to changing from one to the other.
    """
    return library.Compose(
        [
            library.RandomResizedCrop((size, size)),
            library.HorizontalFlip(p=0.5),
            library.ShiftScaleRotate(shift_limit=0.0625, scale_limit=0.1, rotate_limit=15, p=0.5),
            library.OneOf([library.MotionBlur(p=1), library.GaussianBlur(p=1), library.Blur(p=1)], p=0.2),
            library.RandomBrightnessContrast(p=0.5),
            library.HueSaturationValue(p=0.5),
            library.GaussNoise(std_range=(0.02, 0.1), p=0.3),
            library.XYMasking(num_masks_x=(1, 2), num_masks_y=(1, 2), mask_x_length=(10, 30), mask_y_length=(10, 30), p=0.3),
            library.Normalize(),
            library.ToTensorV2(),
        ],
        seed=0,
    )


class AlbumentationsFolder:
    """What people have today: a map-style dataset that reads with OpenCV and augments with albumentations."""

    def __init__(self, folder, size=224, transform=None):
        import warnings

        import albumentations

        self.classes = sorted(path.name for path in Path(folder).iterdir() if path.is_dir())
        self.files = sorted(
            (str(path), label) for label, name in enumerate(self.classes) for path in (Path(folder) / name).iterdir()
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # ShiftScaleRotate: it advises Affine
            self.transform = transform or pipeline(albumentations, size)

    def __len__(self):
        return len(self.files)

    def __getitem__(self, index):
        import cv2

        path, label = self.files[index]
        image = cv2.cvtColor(cv2.imread(path), cv2.COLOR_BGR2RGB)
        return self.transform(image=image)["image"], label


def single_threaded(_):
    """OpenCV's own threads would fight with the workers for the cores; albumentations advises the same."""
    import cv2

    cv2.setNumThreads(0)


def torch_loader(folder, batch_size=64, workers=2, size=224, device=None, dataset=None):
    """torch's DataLoader over AlbumentationsFolder, or another dataset."""
    import torch

    return torch.utils.data.DataLoader(
        dataset or AlbumentationsFolder(folder, size),
        batch_size=batch_size,
        shuffle=True,
        num_workers=workers,
        persistent_workers=workers > 0,
        worker_init_fn=single_threaded,
        pin_memory=device is not None and torch.device(device).type == "cuda",
    )


def gpuaug_loader(folder, batch_size=64, workers=2, size=224, device=None, dataset=None, transform=None):
    """gpuaug's over the same folder, or another dataset."""
    import gpuaug
    from gpuaug.data import ImageFolder

    return gpuaug.DataLoader(
        dataset or ImageFolder(folder),
        batch_size=batch_size,
        shuffle=True,
        num_workers=workers,
        transform=transform or pipeline(gpuaug, size),
        device=device,
    )


def race(makers, rounds, device, progress=None, clock=cpu_seconds):
    """Whole epochs of the loaders `makers` = {name: function that makes one}, in turn, after one of each to warm up.

    Loaders that fork worker processes come first: each is made when it is its first turn, and a fork copies no threads.
    `clock`: seconds of the processor so far; time.process_time leaves child processes out, a server's, say.
    -> {name: {"images", "rates": images/s of each epoch, "rate": their median, "cpu_ms": median of the processor's
    milliseconds per image}}
    """
    import torch

    loaders, names = {}, list(makers)
    epochs = {name: {"images": 0, "rates": [], "cpu_ms": []} for name in names}
    for number in range(rounds + 1):
        first = max(number - 1, 0) % len(names)  # who begins changes from round to round
        for name in names[first:] + names[:first]:
            if name not in loaders:
                loaders[name] = makers[name]()
            cpu, start, images = clock(), time.perf_counter(), 0
            for batch, labels in loaders[name]:
                batch, labels = batch.to(device, non_blocking=True), labels.to(device, non_blocking=True)
                images += len(batch)
                if progress:
                    progress(name, number, len(batch))
            if device.type == "cuda":
                torch.cuda.synchronize()
            seconds, cpu = time.perf_counter() - start, clock() - cpu
            if number:  # the first is to warm up
                epochs[name]["images"] = images
                epochs[name]["rates"].append(images / seconds)
                epochs[name]["cpu_ms"].append(1000 * cpu / images)
    for epoch in epochs.values():
        epoch["rate"], epoch["cpu_ms"] = statistics.median(epoch["rates"]), statistics.median(epoch["cpu_ms"])
    return epochs


def compare(folder, rounds=5, batch_size=64, workers=2, size=224, device=None, progress=None):
    """Both loaders over the folder, `rounds` epochs each, in turn.

    -> {"device", "rounds", "images", ..., "ratio": of the rates, "ratios": epoch by epoch, "limit": what gpuaug's loader waits
    for, "torch": what `race` says of it, "gpuaug": the same}
    """
    import torch

    device = torch.device(device) if device is not None else best_device()
    arguments = {"batch_size": batch_size, "workers": workers, "size": size, "device": device}
    makers = {"torch": lambda: torch_loader(folder, **arguments)}
    kept = {}

    def ours():
        kept["loader"] = gpuaug_loader(folder, **arguments)
        return kept["loader"]

    sides = race({**makers, "gpuaug": ours}, rounds, device, progress)
    return {
        "device": device.type,
        "device_name": device_name(device),
        "cpu": cpu_name(),
        "images": sides["gpuaug"]["images"],
        "rounds": rounds,
        "batch_size": batch_size,
        "workers": workers,
        "size": size,
        **sides,
        "limit": kept["loader"].stats()["bottleneck"],
        "ratio": sides["gpuaug"]["rate"] / sides["torch"]["rate"],
        "ratios": [b / a for a, b in zip(sides["torch"]["rates"], sides["gpuaug"]["rates"], strict=True)],
    }


def picture(folder, path="gpuaug_demo.png", columns=8, versions=2, size=224, device=None):
    """Writes a PNG: in the first row one original of each class, below it what gpuaug makes of it in each epoch, labelled."""
    from PIL import Image

    import gpuaug

    from .pictures import previews, sheet

    classes = sorted(entry for entry in Path(folder).iterdir() if entry.is_dir())
    files = [sorted(classes[i % len(classes)].iterdir())[i // len(classes)] for i in range(columns)]
    originals = [np.asarray(Image.open(file).convert("RGB")) for file in files]
    shown = previews.cells(pipeline(gpuaug, size), originals, versions, 0, device)
    for file, row in zip(files, shown, strict=True):
        row[0].caption = file.parent.name
    return sheet.draw([list(column) for column in zip(*shown, strict=True)]).save(Path(path).resolve())


def check_writable(option, path):
    """ValueError if a file cannot be written, before minutes are spent on what would be in it."""
    path = Path(path).resolve()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        new = not path.exists()
        with path.open("ab"):
            pass
        if new:
            path.unlink()
    except OSError as error:
        raise ValueError(f"{path} cannot be written ({error.strerror}); give another place with {option}") from error


def run(folder=None, count=512, rounds=5, batch_size=64, workers=2, out="gpuaug_demo.png", device=None):
    """All of `gpuaug demo`: photographs, progress bar, table, picture. Returns what `compare` returns."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
    from rich.table import Table

    from .pictures.sheet import check_name

    console, device = Console(), told_device(device)
    check_writable("--out", out)
    check_name(Path(out))
    check_writable("--folder", Path(folder if folder is not None else default_folder()) / "written")
    columns = (TextColumn("{task.description:44}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console) as bars:
        task = bars.add_task("writing JPEGs of photographs", total=count)
        folder = photo_folder(folder, count, progress=lambda done, _: bars.update(task, completed=done))
        bars.update(task, completed=count)
        labels = {"torch": f"torch DataLoader, {workers} workers + albumentations", "gpuaug": "gpuaug.DataLoader"}
        tasks = {name: bars.add_task(label, total=(rounds + 1) * count) for name, label in labels.items()}
        result = compare(
            folder, rounds, batch_size, workers, device=device,
            progress=lambda name, _, images: bars.update(tasks[name], advance=images),
        )  # fmt: skip

    table = Table(title=f"{count} JPEGs of about 500x375, nine transforms, to float32 [{batch_size}, 3, 224, 224]")
    table.add_column()
    for heading in ("images/s", "lowest - highest", "CPU ms per image"):
        table.add_column(heading, justify="right")
    for name, label in labels.items():
        rates = result[name]["rates"]
        table.add_row(
            label,
            f"{result[name]['rate']:.0f}",
            f"{min(rates):.0f} - {max(rates):.0f}",
            f"{result[name]['cpu_ms']:.2f}",
        )
    console.print(table)
    lowest, highest = min(result["ratios"]), max(result["ratios"])
    console.print(
        f"gpuaug is at [bold]{result['ratio']:.2f}x[/] (median of {rounds} epochs each, in turn; "
        f"{lowest:.2f} to {highest:.2f} epoch by epoch)"
    )
    console.print(f"gpuaug's loader: {result['limit']}", highlight=False)
    where = "GPU" if result["device"] == "cuda" else "CPU, no GPU was used"
    console.print(f"ran on {result['device_name']} ({where}); the other side on {result['cpu']}", highlight=False)
    console.print(f"picture: {picture(folder, out, device=device)}", highlight=False, soft_wrap=True)
    return result


if __name__ == "__main__":
    sys.exit("run it as `gpuaug demo`")
