"""gpuaug on a GPU against the card's own copy bandwidth, Kornia and torchvision v2: `python -m bench.gpu`.

Times are those between CUDA events around one call, median over the rounds, all competitors in turn. A call whose host
side takes longer than its kernels is measured as long as its host side: that is what a training would see.
Bytes moved are those of the input read once and the output written once; the share is of the bandwidth that a
device-to-device copy of the same card reaches in the same run, counted alike. The batch is larger than the caches.

Kornia and torchvision v2 do not do the same: Kornia takes float32 and computes every sample, torchvision draws
once for the whole batch. Each gets the input that it works on, resident on the card, and the parameters closest to ours.
"""

import sys
import time
import warnings

import numpy as np
import torch

from bench.harness import arguments, markdown, quartiles, write
from bench.transforms import AFFINE, MASKS


def events(competitors, rounds, warmup=3):
    """-> {name: {"device_us": [..], "host_us": [..]}}: between events, and until the call returned."""
    for function in competitors.values():
        for _ in range(warmup):
            function()
    torch.cuda.synchronize()
    out = {name: {"device_us": [], "host_us": []} for name in competitors}
    for _ in range(rounds):
        for name, function in competitors.items():
            first, last = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
            torch.cuda.synchronize()
            first.record()
            start = time.perf_counter()
            function()
            out[name]["host_us"].append(1e6 * (time.perf_counter() - start))
            last.record()
            torch.cuda.synchronize()
            out[name]["device_us"].append(1e3 * first.elapsed_time(last))
    return out


def copy_bandwidth(mebibytes=1024, rounds=20):
    """Bytes per second of a device-to-device copy, read and written counted."""
    source = torch.empty(mebibytes * 2**20, dtype=torch.uint8, device="cuda")
    target = torch.empty_like(source)
    timed = events({"copy": lambda: target.copy_(source)}, rounds)
    return 2 * source.numel() / (quartiles(timed["copy"]["device_us"])[1] * 1e-6)


def ours():
    import gpuaug as G

    return {
        "copy": [],
        "flip": [G.HorizontalFlip(p=1)],
        "affine + colour + masks + Normalize": [
            G.Affine(**AFFINE), G.RandomBrightnessContrast(p=1), G.HueSaturationValue(p=1), G.XYMasking(**MASKS),
            G.Normalize(), G.ToTensorV2(),
        ],
        "GaussianBlur 7x7": [G.GaussianBlur(blur_limit=(7, 7), p=1)],
    }  # fmt: skip


MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


def kornias():
    import kornia.augmentation as K

    return {
        "flip": K.RandomHorizontalFlip(p=1),
        "affine + colour + masks + Normalize": torch.nn.Sequential(
            K.RandomAffine(degrees=15, translate=(0.1, 0.1), scale=(0.9, 1.1), shear=5, p=1),
            K.ColorJiggle(brightness=0.2, contrast=0.2, saturation=0.1, hue=0.1, p=1),
            K.RandomErasing(scale=(0.05, 0.1), p=1),
            K.Normalize(mean=torch.tensor(MEAN), std=torch.tensor(STD)),
        ).cuda(),
        "GaussianBlur 7x7": K.RandomGaussianBlur((7, 7), (0.5, 3.0), p=1),
    }


def torchvisions():
    from torchvision.transforms import v2

    return {
        "flip": v2.RandomHorizontalFlip(p=1),
        "affine + colour + masks + Normalize": v2.Compose(
            [
                v2.RandomAffine(15, translate=(0.1, 0.1), scale=(0.9, 1.1), shear=5, interpolation=v2.InterpolationMode.BILINEAR),
                v2.ColorJitter(0.2, 0.2, 0.1, 0.1),
                v2.RandomErasing(p=1, scale=(0.05, 0.1)),
                v2.ToDtype(torch.float32, scale=True),
                v2.Normalize(MEAN, STD),
            ]
        ),
        "GaussianBlur 7x7": v2.GaussianBlur(7, (0.5, 3.0)),
    }


def main():
    options = arguments(__doc__, rounds=30, batch=1024, size=224)
    if not torch.cuda.is_available():
        print("bench.gpu: torch finds no GPU here; nothing was measured and nothing is written.", file=sys.stderr)
        return
    import gpuaug
    from gpuaug.photographs import crops

    warnings.simplefilter("ignore")
    few = torch.from_numpy(crops(min(options.batch, 64), (options.size, options.size)))
    bytes_in = few.repeat(-(-options.batch // len(few)), 1, 1, 1)[: options.batch].cuda()  # [B, H, W, C] uint8
    planes = bytes_in.permute(0, 3, 1, 2).contiguous()
    floats = planes.float().div(255)
    ids = np.arange(options.batch)
    bandwidth = copy_bandwidth()
    peers = {"Kornia": kornias(), "torchvision v2": torchvisions()}
    results = [{"case": "copy bandwidth of the card", "gigabytes_per_second": bandwidth / 1e9}]
    for case, transforms in ours().items():
        compose = gpuaug.Compose(transforms, seed=0)
        planar = any(type(each).__name__ == "ToTensorV2" for each in transforms)
        epoch = iter(range(10**9))

        def call(compose=compose, planar=planar, epoch=epoch):
            batch = gpuaug.Batch.of(bytes_in, layout="HWC")
            return compose.run({"image": batch}, ids=ids, epoch=next(epoch), device="cuda", channels_last=not planar)

        competitors = {"gpuaug": call}
        if case == "copy":
            competitors["torch clone"] = lambda: bytes_in.clone()
        if case in peers["Kornia"]:
            competitors["Kornia"] = lambda module=peers["Kornia"][case]: module(floats)
        if case in peers["torchvision v2"]:
            competitors["torchvision v2"] = lambda module=peers["torchvision v2"][case]: module(planes)
        out = call()["image"]
        moved = bytes_in.numel() + out.numel() * out.element_size()
        del out
        timed = events(competitors, options.rounds)
        seconds = quartiles(timed["gpuaug"]["device_us"])[1] * 1e-6
        results.append(
            {
                "case": case,
                "batch": options.batch,
                "size": options.size,
                "bytes_moved": moved,
                "share_of_copy": moved / seconds / bandwidth,
                "timed": timed,
            }
        )
    path = write("gpu", results, device="cuda", out=options.out)
    print(table(results), f"\n{path}")


def table(results):
    rows = []
    for row in results:
        if "timed" not in row:
            continue
        middle = {name: quartiles(side["device_us"])[1] for name, side in row["timed"].items()}
        for name, device_us in middle.items():
            mine = name == "gpuaug"
            rows.append(
                [
                    row["case"],
                    name,
                    f"{device_us:.0f}",
                    f"{quartiles(row['timed'][name]['host_us'])[1]:.0f}",
                    f"{row['batch'] / device_us:.2f}",
                    f"{100 * row['share_of_copy']:.0f} %" if mine else "",
                    "1" if mine else f"{device_us / middle['gpuaug']:.2f}x slower",
                ]
            )
    head = ["batch on the GPU", "", "us per batch", "host us per call", "million images/s", "share of copy", ""]
    lines = [f"Copy bandwidth of the card: {row['gigabytes_per_second']:.0f} GB/s.\n" for row in results[:1]]
    return "\n".join(lines) + "\n" + markdown(head, rows)


if __name__ == "__main__":
    main()
