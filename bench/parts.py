"""The loader's road to a card, checked and timed in parts: `python -m bench.parts --only decoding` or `loading`; the rates of the
parts are `python -m bench.loader --only parts`.

decoding: JPEGs as DALI decodes them for the loader's device, beside the CPU's. They are not the same pixels: nvJPEG is not
libjpeg-turbo, and DALI's default (`jpeg_fancy_upsampling=False`) does not smooth chroma. Without that smoothing these photographs
change by 0.5 levels in the mean, 0.8 in the worst of 48, and by 27 at some pixels; with red and blue swapped by 17 to 64 in the
mean. So the difference is told, and a mean of more than 3 is a fault. PNGs are lossless: they must be equal.

loading: `DataLoader(device=)` beside `Compose.run` on the CPU with the same numbers of samples and **the same decoded pixels**,
which must agree to 1e-5, as tests/test_gpu.py asks; PNGs by the loader on either device to the same; and JPEGs through transforms
that only move pixels on either device, which may differ by no more than the decoders do on these files.

Ends with 1 if one of these fails. Where nvidia-dali is not installed Pillow decodes, on the CPU, for either device.
"""

import io
import statistics
import sys
import time
from pathlib import Path

import numpy as np
import torch

from bench.harness import arguments, markdown, quartiles, write

BATCH = 16
MEAN_BOUND = 3.0  # grey levels
CLOSE = 1e-5


class Encoded(torch.utils.data.Dataset):
    """(bytes of a file, its number)."""

    thread_safe = True

    def __init__(self, files):
        self.files = files

    def __len__(self):
        return len(self.files)

    def __getitem__(self, index):
        return self.files[index], index


def jpegs(folder, count):
    """The bytes of the first `count` files of a folder of one subfolder for each class, class by class in turn."""
    classes = [sorted(each.iterdir()) for each in sorted(Path(folder).iterdir()) if each.is_dir()]
    turns = [path for turn in range(max(map(len, classes))) for paths in classes for path in paths[turn : turn + 1]]
    return [path.read_bytes() for path in turns[:count]]


def pngs(files):
    """The same pictures without losses, a quarter of the size."""
    from PIL import Image

    out = []
    for data in files:
        image, file = Image.open(io.BytesIO(data)), io.BytesIO()
        image.resize((image.width // 2, image.height // 2)).save(file, "PNG")
        out.append(file.getvalue())
    return out


def decoded(files, device):
    """Arrays [H, W, 3] in the host's memory, decoded as the loader does for the device."""
    from gpuaug.data import decode

    device, out = torch.device(device), []
    decoder = decode.make(["image"], BATCH, 2, device.index or 0 if device.type == "cuda" else None)
    for at in range(0, len(files), BATCH):
        decoder.feed({"image": [np.frombuffer(data, np.uint8) for data in files[at : at + BATCH]]})
        images = decoder.take()["image"]
        images = images.as_cpu() if hasattr(images, "as_cpu") else images
        out += [np.array(images.at(k) if hasattr(images, "at") else images[k]) for k in range(len(images))]
    return out


def apart(got, want):
    """Differences of lists of images: {"mean", "worst", "within 1": share of the values}; shapes must be equal."""
    shapes = [(a.shape, b.shape) for a, b in zip(got, want, strict=True) if a.shape != b.shape]
    if shapes:
        raise AssertionError(f"shapes differ: {shapes[:3]}")
    found = np.concatenate([np.abs(a.astype(np.float32) - b.astype(np.float32)).ravel() for a, b in zip(got, want)])
    return {"mean": float(found.mean()), "worst": float(found.max()), "within 1": float((found <= 1).mean())}


def decoding(files, device):
    rows = []
    for kind, given in (("JPEG", files), ("PNG", pngs(files))):
        told = apart(decoded(given, device), decoded(given, "cpu"))
        wrong = told["mean"] > MEAN_BOUND if kind == "JPEG" else told["worst"] > 0
        rows.append({"case": f"decoding, {kind}", "files": len(given), **told, "wrong": bool(wrong)})
    return rows


def moving():
    import gpuaug as G

    return G.Compose([G.RandomCrop(96, 96, pad_if_needed=True), G.HorizontalFlip(), G.RandomRotate90()], seed=7)


def training():
    import gpuaug as G

    return G.Compose([G.RandomResizedCrop((96, 96)), G.HorizontalFlip(), G.GaussianBlur(), G.Normalize()], seed=7)


def loaded(files, device, make, epochs=2):
    """[epoch][sample]: arrays, by the loader."""
    import gpuaug

    how = {"shuffle": True, "seed": 3, "num_workers": 2, "device": device}
    loader, out = gpuaug.DataLoader(Encoded(files), BATCH, transform=make(), **how), []
    for _ in range(epochs):
        batches = list(loader)
        if torch.device(device).type == "cuda":
            torch.cuda.synchronize()
        found = {i: image.cpu().numpy() for images, numbers in batches for i, image in zip(numbers.tolist(), images)}
        out.append([found[i] for i in range(len(files))])
    return out


def loading(files, device):
    small, rows = pngs(files), []
    compose, pixels = training(), decoded(files, device)
    got = loaded(files, device, training)
    for epoch, images in enumerate(got):
        want = compose.run({"image": pixels}, ids=np.arange(len(files)), epoch=epoch, device="cpu", channels_last=False)["image"]
        told = apart(images, want.numpy())
        rows.append({"case": f"loader, epoch {epoch}: beside its own pixels", **told, "wrong": told["worst"] > CLOSE})
    both = (loaded(small, each, training, 1)[0] for each in (device, "cpu"))
    told = apart(*both)
    rows.append({"case": "loader: PNG beside the CPU", **told, "wrong": told["worst"] > CLOSE})
    allowed = apart(pixels, decoded(files, "cpu"))["worst"]
    told = apart(*(loaded(files, each, moving, 1)[0] for each in (device, "cpu")))
    rows.append({"case": "loader: JPEG moved, beside the CPU", **told, "allowed": allowed, "wrong": told["worst"] > allowed})
    return [{**row, "files": len(files)} for row in rows]


def parts(folder, batch_size, workers, device, rounds, **_):
    """Images in a second of each part of the loader's work, alone and whole: {"case", .., "parts": {name: [..]}}."""
    import gpuaug
    from gpuaug import demo
    from gpuaug.data import decode

    paths = sorted(path for path in Path(folder).rglob("*") if path.is_file())
    transform, wait = demo.pipeline(gpuaug), torch.cuda.synchronize if device.type == "cuda" else lambda: None
    files = [decode.read_file(path) for path in paths]
    decoder = decode.make(["image"], batch_size, max(workers, 1), device.index or 0 if device.type == "cuda" else None)
    loader = demo.gpuaug_loader(folder, batch_size, workers, device=device)

    def read():
        for path in paths:
            decode.read_file(path)

    def decoding():
        for at in range(0, len(files), batch_size):
            decoder.feed({"image": files[at : at + batch_size]})
            batch = decoder.take()["image"]
        return batch

    images = decoding()  # the last batch, which may be smaller
    ids = np.arange(len(images))

    def kernels():
        for epoch in range(len(files) // len(images)):
            transform.run({"image": images}, ids=ids, epoch=epoch, device=device)
        wait()

    def whole():
        for batch, labels in loader:
            batch.to(device), labels.to(device)
        wait()

    found = {}
    counts = {"kernels": len(images) * (len(files) // len(images))}
    for name, work in {"read": read, "decode": decoding, "kernels": kernels, "whole": whole}.items():
        work()
        found[name] = []
        for _ in range(rounds):
            start = time.perf_counter()
            work()
            found[name].append(counts.get(name, len(files)) / (time.perf_counter() - start))
    settings = {"images": len(files), "batch_size": batch_size, "workers": workers, "decoder": decode.decoder_name()}
    return {"case": "parts", **settings, "parts": found}


def table(results):
    """Of `parts`."""
    rows = []
    for result in results:
        for name, rates in result["parts"].items():
            low, middle, high = quartiles(rates)
            rows.append([name, f"{middle:,.0f} ({low:,.0f}-{high:,.0f})", f"{1e3 / statistics.median(rates):.3f}"])
    return markdown([f"part of the loader's work, {results[0]['decoder']}", "images/s (quartiles)", "ms per image"], rows)


def main():
    from gpuaug.photographs import photo_folder

    options = arguments(__doc__, only="decoding", device="cpu", folder=None, count=48)
    checks = {"decoding": decoding, "loading": loading}
    if options.only not in checks:
        raise SystemExit(f"--only is one of {', '.join(checks)}, got {options.only!r}")
    from gpuaug.data.decode import decoder_name

    files = jpegs(photo_folder(options.folder, 512), options.count)
    rows = checks[options.only](files, options.device)
    print(decoder_name())
    for row in rows:
        print(*(f"{name} {value}" if name != "case" else f"{value}:" for name, value in row.items()))
    path = write(options.only, rows, device=options.device, out=options.out)
    print(path)
    sys.exit(any(row["wrong"] for row in rows))


if __name__ == "__main__":
    main()
