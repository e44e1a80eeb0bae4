"""How much of a JPEG is decoded, and what that costs and changes: `python -m bench.fast`, `--only 1600x1200` for one.

1600x1200, 500x375: whole epochs in turn over JPEGs of about that size, RandomResizedCrop 224, HorizontalFlip, Normalize, batches
of 64, 2 processes or threads: torch's DataLoader with albumentations; gpuaug.DataLoader decoding whole images, the windows that
it will read, which is decode="exact", and these at a scale, decode="fast".
levels: by how many grey levels fast and exact differ, over the pixels of 192 crops of 224x224 of the larger files, for each
interpolation; and how far both are from the area mean of the same crops (interpolation=3), which is what a picture of that size
would show.
"""

import numpy as np

from bench.harness import arguments, markdown, picked, quartiles, write
from bench.loader import ALBUMENTATIONS, alone

USED = ("albumentations", "opencv-python-headless", "nvidia-dali-cuda130")  # whose versions stand under the table

SIZES = {"1600x1200": (1200, 1600), "500x375": (375, 500)}
WHOLE, EXACT, FAST = (f"gpuaug.DataLoader, {what}" for what in ("whole images", "exact", "fast"))
# times as fast: of albumentations, of whole images
GOALS = {"1600x1200": {EXACT: (2.0, None), FAST: (4.0, None)}, "500x375": {EXACT: (2.5, 1.2), FAST: (2.5, None)}}
INTERPOLATIONS = {
    "linear": {},
    "linear, antialias": {"antialias": True},
    "cubic": {"interpolation": 2},
    "cubic, antialias": {"interpolation": 2, "antialias": True},
    "area": {"interpolation": 3},
    "Lanczos": {"interpolation": 4},
}


def steps(library):
    return [library.RandomResizedCrop((224, 224)), library.HorizontalFlip(), library.Normalize(), library.ToTensorV2()]


def loaders(folder):
    import torch

    import gpuaug
    from bench.loader import files
    from gpuaug.data import ImageFolder

    class Unknown(gpuaug.Compose):
        """What draws in a way of its own is not asked what it will read."""

        def draw(self, *of, **how):
            return super().draw(*of, **how)

    def ours(made, decode):
        how = {"num_workers": 2, "device": "cpu", "decode": decode}
        return lambda: gpuaug.DataLoader(ImageFolder(folder), 64, shuffle=True, transform=made(steps(gpuaug), seed=0), **how)

    theirs = files(folder, 64, 2, torch.device("cpu"))[ALBUMENTATIONS]
    whole, exact, fast = ours(Unknown, "exact"), ours(gpuaug.Compose, "exact"), ours(gpuaug.Compose, "fast")
    return {ALBUMENTATIONS: theirs, WHOLE: whole, EXACT: exact, FAST: fast}


def race(case, folder, rounds):
    import torch

    from gpuaug.demo import race

    makers = loaders(folder)
    sides = race(makers, rounds, torch.device("cpu"))
    shares = {}
    for name in (WHOLE, EXACT, FAST):
        loader = makers[name]()
        for _ in loader:
            pass
        shares[name] = loader.stats()["decoded"]
    return {"case": case, "images": sides[FAST]["images"], "rounds": rounds, "sides": sides, "shares": shares}


def levels(folder, count=192):
    """{interpolation: of fast against exact mean, 99th percentile and largest; of exact and of fast the mean against area}."""
    import torch

    import gpuaug as G
    from gpuaug.data import ImageFolder

    def crops(decode, **how):
        transform = G.Compose([G.RandomResizedCrop((224, 224), **how), G.ToTensorV2()], seed=0)
        loader = G.DataLoader(ImageFolder(folder), 64, num_workers=2, device="cpu", decode=decode, transform=transform)
        images = torch.cat([image for image, _ in loader])[:count].numpy().astype(np.int16)
        return images, loader.stats()

    area, _ = crops("exact", interpolation=3)
    found = {}
    for name, how in INTERPOLATIONS.items():
        (exact, _), (fast, told) = crops("exact", **how), crops("fast", **how)
        off = np.abs(fast - exact)
        found[name] = {
            "scaled": sum(told["scaled"].values()) / told["images"],
            "mean": float(off.mean()),
            "p99": float(np.percentile(off, 99)),
            "max": int(off.max()),
            "exact_area": float(np.abs(exact - area).mean()),
            "fast_area": float(np.abs(fast - area).mean()),
        }
    return {"case": "levels", "images": len(area), "found": found}


def main():
    from gpuaug.photographs import photo_folder

    options = arguments(__doc__, only="", rounds=7, count=256, folder=None)
    results = []
    for case in picked(options.only, (*SIZES, "levels")):
        large = case != "500x375"
        folder = photo_folder(options.folder, options.count if large else 2 * options.count, SIZES.get(case, SIZES["1600x1200"]))
        results.append(alone(levels, folder) if case == "levels" else alone(race, case, folder, options.rounds))
        print(table(results[-1:]) + "\n", flush=True)
    print(write("fast", results, out=options.out))


def table(results):
    rows, parts = [], []
    for result in results:
        if result["case"] == "levels":
            head = ["grey levels, fast against exact", "scaled", "mean", "99 %", "most", "exact to area", "fast to area"]
            lines = [
                [name, f"{of['scaled']:.0%}", f"{of['mean']:.2f}", f"{of['p99']:.0f}", of["max"]]
                + [f"{of[which]:.2f}" for which in ("exact_area", "fast_area")]
                for name, of in result["found"].items()
            ]
            parts.append(markdown(head, lines))
            continue
        label = f"{result['case']}: {result['images']:,} JPEGs, batches of 64"
        for name, side in result["sides"].items():
            row = [label, name, f"{result['shares'][name]:.0%}" if name in result["shares"] else ""]
            row += [f"{side['rate']:,.0f}", f"{side['cpu_ms']:.3f}"]
            goals = GOALS[result["case"]].get(name, (None, None))
            for other, goal in zip((ALBUMENTATIONS, WHOLE), goals):
                if name in (ALBUMENTATIONS, other):
                    row.append("")
                    continue
                pairs = zip(side["rates"], result["sides"][other]["rates"], strict=True)
                said = "{1:.2f}x ({0:.2f}-{2:.2f})".format(*quartiles(a / b for a, b in pairs))
                row.append(said + (f", goal {goal}x" if goal else ""))
            rows.append(row)
            label = ""
    if rows:
        head = ["epoch", "loader", "pixels decoded", "images/s", "CPU ms per image", "of albumentations", "of whole images"]
        parts.insert(0, markdown(head, rows))
    return "\n\n".join(parts)


if __name__ == "__main__":
    main()
