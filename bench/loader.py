"""Loaders against each other, whole epochs in turn: `python -m bench.loader`, `--only files` for one, `--only big,one` for some.

files: JPEGs of about 500x375 -> RandomResizedCrop 224, HorizontalFlip, Normalize. torchvision v2 works on PIL images, where
its resize filters (antialias); albumentations and gpuaug interpolate between the four nearest pixels.
demo: the same JPEGs and the nine transforms of `gpuaug demo`.
memory: 32x32 windows of photographs in one uint8 array -> HorizontalFlip, Pad 4, RandomCrop 32, Normalize. torch's loader gets
them sample by sample, as PIL images (as torchvision's CIFAR10 hands them out) or as tensors.
big, one, small, tiny, tiny_arrays: where the batch is small, or much has to come from a worker: arrays of 1600x1200 that a
dataset returns, in batches of 16; the files one by one; files of 64x64 in batches of 8; files, and arrays, of 64x64 one by one
without workers. RandomResizedCrop 224 (of 64x64: 56), HorizontalFlip, Normalize.
cache_raw, cache_jpeg: the transforms of files, from a cache whose images have a shorter side of 256; the others read the JPEGs of
about 500x375. It is built before.
first: seconds from the constructor to the first batch of the demo, each in a new process that has imported everything.
parts: reading, decoding, the transform, and the whole, each alone; only where `--only` names it (`bench.parts`).

Each case has a process of its own. All loaders shuffle, and deliver float32 [B, 3, H, W] and labels. The processor time
is that of all processes and threads of a loader.
"""

import concurrent.futures
import multiprocessing
import time

import numpy as np
from PIL import Image

from bench.harness import arguments, markdown, picked, quartiles, write

USED = ("albumentations", "opencv-python-headless", "torchvision", "nvidia-dali-cuda130")  # whose versions stand under the table

OURS = "gpuaug.DataLoader"
ALBUMENTATIONS, TORCHVISION = "torch DataLoader + albumentations", "torch DataLoader + torchvision v2"
MEAN, STD = (0.4914, 0.4822, 0.4465), (0.247, 0.2435, 0.2616)  # CIFAR-10's
# what has to be reached: times as fast as a baseline; seconds
GOALS = {"files": {ALBUMENTATIONS: 1.5, TORCHVISION + ", PIL": 1.9}, "demo": {ALBUMENTATIONS: 1.8}}
GOALS["memory"] = {TORCHVISION + ", PIL": 3.0, TORCHVISION + ", tensors": 3.0}
EDGES = ("big", "one", "small", "tiny", "tiny_arrays")
GOALS |= {case: {ALBUMENTATIONS: 1.0} for case in EDGES}
CACHES = {"cache_raw": "raw", "cache_jpeg": "jpeg"}
ON_FILES = "gpuaug.DataLoader on the files"
GOALS |= {"cache_raw": {ALBUMENTATIONS: 6.0, ON_FILES: 1.0}, "cache_jpeg": {ALBUMENTATIONS: 2.0, ON_FILES: 1.0}}
FIRST = 1.5


class Arrays:
    """Images and labels in memory; `transform` gets an image, as a PIL image if `pictures`."""

    def __init__(self, images, labels, transform=None, pictures=False):
        self.images, self.labels, self.transform, self.pictures = images, labels, transform, pictures

    def __len__(self):
        return len(self.images)

    def __getitem__(self, index):
        image = self.images[index]
        return self.transform(Image.fromarray(image) if self.pictures else image), int(self.labels[index])

    def arrays(self):
        return self.images, self.labels


def small_images(count, size=32):
    """uint8 [count, size, size, 3]: windows of the photographs at half their size, no two alike."""
    from gpuaug.photographs import photographs

    sources = [photo[::2, ::2] for _, photo in sorted(photographs().items())]
    draw = np.random.default_rng(0)
    out = np.empty((count, size, size, 3), np.uint8)
    for number in range(count):
        photo = sources[number % len(sources)]
        top, left = (draw.integers(photo.shape[axis] - size + 1) for axis in (0, 1))
        out[number] = photo[top : top + size, left : left + size]
    return out, np.arange(count) % len(sources)


def files(folder, batch_size, workers, device, **_):
    import torch
    from torchvision.datasets import ImageFolder
    from torchvision.transforms import v2

    from gpuaug import demo

    def steps(library):
        return library.Compose(
            [library.RandomResizedCrop((224, 224)), library.HorizontalFlip(), library.Normalize(), library.ToTensorV2()], seed=0
        )

    def albumentations_side():
        import albumentations

        dataset = demo.AlbumentationsFolder(folder, transform=steps(albumentations))
        return demo.torch_loader(folder, batch_size, workers, device=device, dataset=dataset)

    def torchvision_side():
        transform = v2.Compose(
            [
                v2.RandomResizedCrop(224),
                v2.RandomHorizontalFlip(),
                v2.PILToTensor(),
                v2.ToDtype(torch.float32, scale=True),
                v2.Normalize((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)),
            ]
        )
        return demo.torch_loader(folder, batch_size, workers, device=device, dataset=ImageFolder(folder, transform))

    def ours():
        import gpuaug

        return demo.gpuaug_loader(folder, batch_size, workers, device=device, transform=steps(gpuaug))

    return {ALBUMENTATIONS: albumentations_side, TORCHVISION + ", PIL": torchvision_side, OURS: ours}


def demo(folder, batch_size, workers, device, **_):
    from gpuaug import demo

    more = {"batch_size": batch_size, "workers": workers, "device": device}
    return {ALBUMENTATIONS: lambda: demo.torch_loader(folder, **more), OURS: lambda: demo.gpuaug_loader(folder, **more)}


def memory(small, small_batch, workers, device, **_):
    import torch
    from torchvision.transforms import v2

    from gpuaug.demo import gpuaug_loader, torch_loader

    images, labels = small_images(small)
    steps = [v2.RandomHorizontalFlip(), v2.Pad(4), v2.RandomCrop(32)]
    floats = [v2.ToDtype(torch.float32, scale=True), v2.Normalize(MEAN, STD)]
    of_pil, of_tensors = v2.Compose([*steps, v2.PILToTensor(), *floats]), v2.Compose([*steps, *floats])
    planes = torch.from_numpy(images).permute(0, 3, 1, 2).contiguous()

    def theirs(data, transform, pictures):
        dataset = Arrays(data, labels, transform, pictures)
        return lambda: torch_loader(None, small_batch, workers, device=device, dataset=dataset)

    def ours():
        import gpuaug as G

        steps = [G.HorizontalFlip(), G.Pad(4), G.RandomCrop(32, 32), G.Normalize(MEAN, STD), G.ToTensorV2()]
        transform = G.Compose(steps, seed=0)
        return gpuaug_loader(None, small_batch, workers, device=device, dataset=Arrays(images, labels), transform=transform)

    return {
        TORCHVISION + ", PIL": theirs(images, of_pil, True),
        TORCHVISION + ", tensors": theirs(planes, of_tensors, False),
        OURS: ours,
    }


def from_cache(folder, batch_size, workers, device, store="", **_):
    """The case files, ours from a cache too."""
    import gpuaug
    from gpuaug import demo
    from gpuaug.data import ImageFolder, cached

    given = files(folder, batch_size, workers, device)
    there = cached(ImageFolder(folder), folder.with_name(f"{folder.name}-cache-{store}"), size=256, store=store, progress=False)

    def ours():
        steps = [gpuaug.RandomResizedCrop((224, 224)), gpuaug.HorizontalFlip(), gpuaug.Normalize(), gpuaug.ToTensorV2()]
        transform = gpuaug.Compose(steps, seed=0)
        return demo.gpuaug_loader(folder, batch_size, workers, device=device, dataset=there, transform=transform)

    return {ALBUMENTATIONS: given[ALBUMENTATIONS], ON_FILES: given[OURS], OURS: ours}


class Returned:
    """Samples that `__getitem__` returns, and nothing else is known of: workers call it. `transform` is albumentations'."""

    def __init__(self, images, labels, count, transform=None):
        self.images, self.labels, self.count, self.transform = images, labels, count, transform

    def __len__(self):
        return self.count

    def __getitem__(self, index):
        image, label = self.images[index % len(self.images)], int(self.labels[index % len(self.images)])
        return (image if self.transform is None else self.transform(image=image)["image"]), label


def large_images(count, height=1200, width=1600):
    """uint8 [count, height, width, 3]: the photographs at that size."""
    from gpuaug.photographs import photographs

    sources = [photo for _, photo in sorted(photographs().items())]
    each = [np.asarray(Image.fromarray(photo).resize((width, height))) for photo in sources[:count]]
    return np.stack(each), np.arange(len(each))


def edge(folder, batch_size, workers, device, side=224, images=None, labels=None, count=0, **_):
    """The same three transforms on the files of a folder, or on images that a dataset returns."""
    import albumentations

    import gpuaug
    from gpuaug import demo

    def steps(library):
        steps = [library.RandomResizedCrop((side, side)), library.HorizontalFlip(), library.Normalize(), library.ToTensorV2()]
        return library.Compose(steps, seed=0)

    def theirs():
        given = steps(albumentations)
        dataset = demo.AlbumentationsFolder(folder, transform=given) if images is None else Returned(images, labels, count, given)
        return demo.torch_loader(folder, batch_size, workers, device=device, dataset=dataset)

    def ours():
        if images is None:
            return demo.gpuaug_loader(folder, batch_size, workers, device=device, transform=steps(gpuaug))
        more = {"num_workers": workers, "persistent_workers": workers > 0, "device": device}
        return gpuaug.DataLoader(Returned(images, labels, count), batch_size, shuffle=True, transform=steps(gpuaug), **more)

    return {ALBUMENTATIONS: theirs, OURS: ours}


def edges(case, options):
    """What `edge` is given for a case."""
    from gpuaug.photographs import photo_folder

    more = {"big": (16, 2, 224), "one": (1, 2, 224), "small": (8, 2, 56), "tiny": (1, 0, 56), "tiny_arrays": (1, 0, 56)}[case]
    given = {**options, **dict(zip(("batch_size", "workers", "side"), more))}
    if case == "big":
        images, labels = large_images(4)
        given |= {"images": images, "labels": labels, "count": 96}
    elif case == "tiny_arrays":
        images, labels = small_images(512, 64)
        given |= {"images": images, "labels": labels, "count": 512}
    elif case != "one":
        given["folder"] = photo_folder(None, options["count"], (64, 64), 0)
    return given


CASES = {"files": files, "demo": demo, "memory": memory, **dict.fromkeys(EDGES, edge), **dict.fromkeys(CACHES, from_cache)}


def race(case, options):
    from gpuaug.demo import race

    if case in EDGES:
        options = edges(case, options)
    options = {**options, "store": CACHES.get(case)}
    sides = race(CASES[case](**options), options["rounds"], options["device"])
    ours = sides[OURS]["rates"]
    ratios = {name: [b / a for a, b in zip(sides[name]["rates"], ours, strict=True)] for name in sides if name != OURS}
    batch_size = options["small_batch" if case == "memory" else "batch_size"]
    settings = {"images": sides[OURS]["images"], "batch_size": batch_size, "workers": options["workers"]}
    return {"case": case, **settings, "rounds": options["rounds"], "sides": sides, "ratios": ratios, "goals": GOALS[case]}


def first_batch(name, options):
    """Seconds from the constructor to the first batch, everything imported."""
    import gpuaug.data.loader
    import gpuaug.data.producer  # noqa: F401

    if name == OURS:
        import nvidia.dali.fn
        import nvidia.dali.pipeline  # noqa: F401
    else:
        import albumentations  # noqa: F401
        import cv2  # noqa: F401
    make = demo(**options)[name]
    start = time.perf_counter()
    batches = iter(make())
    next(batches)
    return time.perf_counter() - start


def first(options):
    seconds = {ALBUMENTATIONS: [], OURS: []}
    for _ in range(options["rounds"]):
        for name, found in seconds.items():
            found.append(alone(first_batch, name, options))
    return {"case": "first", "seconds": seconds, "goal": FIRST}


def partly(options):
    from bench.parts import parts

    return parts(**options)


def start_workers_by(method):
    multiprocessing.set_start_method(method, force=True)  # a bound method itself would arrive in the process as a copy


def alone(function, *given):
    """The result of a call in a new process: one that has neither threads nor warm caches, and may fork workers."""
    spawn = multiprocessing.get_context("spawn")
    # in a spawned process "spawn" is the default; torch's loader shall start workers as it does elsewhere
    usual = multiprocessing.get_start_method()
    with concurrent.futures.ProcessPoolExecutor(1, spawn, start_workers_by, (usual,)) as pool:
        return pool.submit(function, *given).result()


def main():
    import torch

    from gpuaug.machine import best_device
    from gpuaug.photographs import photo_folder

    options = arguments(
        __doc__, only="", rounds=7, count=512, batch_size=64, small=50_000, small_batch=128, workers=2, folder=None, device=None
    )
    device = torch.device(options.device) if options.device else best_device()
    given = {**vars(options), "folder": photo_folder(options.folder, options.count), "device": device}
    results = []
    for case in picked(options.only, (*CASES, "first", "parts")):
        if case == "parts" and not options.only:
            continue
        if case == "parts":
            results.append(alone(partly, given))
        else:
            results.append(first(given) if case == "first" else alone(race, case, given))
        print(table(results[-1:]) + "\n", flush=True)
    path = write("loader", results, device=device, out=options.out)
    print(path)


def table(results):
    rows, starts = [], []
    whole = [result for result in results if result["case"] == "parts"]
    for result in results:
        if result["case"] == "parts":
            continue
        if result["case"] == "first":
            starts = [
                [name, "{1:.2f} ({0:.2f}-{2:.2f})".format(*quartiles(seconds)), f"{result['goal']}" if name == OURS else ""]
                for name, seconds in result["seconds"].items()
            ]
            continue
        label = f"{result['case'].replace('_', ' ')}: {result['images']:,} images, batches of {result['batch_size']}"
        for name, side in result["sides"].items():
            ratio = goal = ""
            if name != OURS:
                ratio = "{1:.2f}x ({0:.2f}-{2:.2f})".format(*quartiles(result["ratios"][name]))
                goal = f"{result['goals'][name]}x"
            rows.append([label, name, f"{side['rate']:,.0f}", f"{side['cpu_ms']:.3f}", ratio, goal])
            label = ""
    parts = []
    if rows:
        head = ["epoch", "loader", "images/s", "CPU ms per image", "gpuaug is faster by (quartiles)", "goal"]
        parts.append(markdown(head, rows))
    if starts:
        parts.append(markdown(["first batch", "seconds (quartiles)", "goal"], starts))
    if whole:
        from bench.parts import table as of_parts

        parts.append(of_parts(whole))
    return "\n\n".join(parts)


def summary(results):
    """What README shows of it: how many times as fast, of the cases with files, arrays and caches, and where it loses."""
    words = {
        "files": "JPEGs",
        "demo": "JPEGs, nine transforms",
        "memory": "arrays in memory, 32x32",
        "cache_raw": "the same JPEGs from a cache",
        "one": "JPEGs one by one",
        "big": "arrays of 1600x1200 that a dataset returns",
        "tiny": "64x64 JPEGs one by one, no workers",
    }
    rows = []
    for result in results:
        if result["case"] not in words:
            continue
        rates = result["sides"]
        for name, ratios in result["ratios"].items():
            if name.startswith("torch"):
                ratio = "{1:.2f}x ({0:.2f}-{2:.2f})".format(*quartiles(ratios))
                beside = name.removeprefix("torch DataLoader + ")
                theirs, ours = f"{rates[name]['rate']:,.0f}", f"{rates[OURS]['rate']:,.0f}"
                rows.append([words[result["case"]], beside, theirs, ours, ratio])
    return markdown(["epochs of", "beside torch's with", "images/s", "gpuaug images/s", "faster by (quartiles)"], rows)


if __name__ == "__main__":
    main()
