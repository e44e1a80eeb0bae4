"""Real photographs to try things on: those that come inside scikit-learn and scikit-image, and folders of JPEGs made of them."""

import json
import os
import shutil
from pathlib import Path

import numpy as np

from .machine import users_cache

PHOTOGRAPHS = {
    "astronaut": ("skimage", "data/astronaut.png"),
    "cat": ("skimage", "data/chelsea.png"),
    "coffee": ("skimage", "data/coffee.png"),
    "flower": ("sklearn", "datasets/images/flower.jpg"),
    "galaxies": ("skimage", "data/hubble_deep_field.jpg"),
    "motorcycle": ("skimage", "data/motorcycle_left.png"),
    "rocket": ("skimage", "data/rocket.jpg"),
    "temple": ("sklearn", "datasets/images/china.jpg"),
}
"""Class name: the package, and the file inside it. Only files that lie in the wheels: nothing is downloaded."""

RECIPE = 1  # raise it when photo_folder writes other files for the same arguments


def photographs():
    """The source photographs: {name: uint8 array [H, W, 3]}."""
    import importlib.util

    from PIL import Image

    found = {}
    for name, (package, inside) in PHOTOGRAPHS.items():
        spec = importlib.util.find_spec(package)  # without importing it: scikit-image takes a second
        path = Path(spec.origin).parent / inside if spec else None
        if path is not None and path.exists():
            found[name] = np.asarray(Image.open(path).convert("RGB"))
    if not found:
        raise FileNotFoundError(
            "the photographs come from scikit-learn and scikit-image, which are not installed: "
            "pip install scikit-learn scikit-image"
        )
    return found


def default_folder():
    """Where the demo keeps its photographs: the user's cache."""
    return users_cache() / "photographs"


def photo_folder(root=None, count=512, size=(375, 500), vary=0.1, quality=90, progress=None):
    """A folder of `count` JPEGs with one subfolder per photograph; returns its path.

    Each file is a window of a photograph (half to all of the largest that fits, anywhere), flipped or not, resized to
    about `size` = (height, width): both sides vary by up to the fraction `vary`, as in a folder of real photographs;
    with vary=0 all have that size. The files depend on the arguments only. A folder that was made before is used again.
    """
    from PIL import Image

    root = Path(root) if root is not None else default_folder()
    recipe = {"recipe": RECIPE, "count": count, "size": list(size), "vary": vary, "quality": quality}
    folder = root / f"{count}x{size[0]}x{size[1]}v{round(vary * 100)}q{quality}"
    record = folder.with_suffix(".json")
    if record.exists() and json.loads(record.read_text()) == recipe:
        return folder

    sources = photographs()
    names = sorted(sources)
    unfinished = folder.with_name(f"{folder.name}.{os.getpid()}")  # renamed when complete: another process may look
    for number in range(count):
        name = names[number % len(names)]
        draw = np.random.default_rng([RECIPE, number])
        photo = sources[name]
        height, width = (round(side * draw.uniform(1 - vary, 1 + vary)) for side in size)
        largest = min(photo.shape[0] / height, photo.shape[1] / width)
        scale = largest * draw.uniform(0.5, 1)
        h, w = (max(1, int(scale * side)) for side in (height, width))
        top, left = draw.integers(photo.shape[0] - h + 1), draw.integers(photo.shape[1] - w + 1)
        window = photo[top : top + h, left : left + w]
        if draw.random() < 0.5:
            window = window[:, ::-1]
        target = unfinished / name / f"{number:05d}.jpg"
        target.parent.mkdir(parents=True, exist_ok=True)
        image = Image.fromarray(np.ascontiguousarray(window)).resize((width, height), Image.Resampling.BICUBIC)
        image.save(target, quality=quality)
        if progress:
            progress(number + 1, count)
    shutil.rmtree(folder, ignore_errors=True)
    unfinished.rename(folder)
    record.write_text(json.dumps(recipe))
    return folder


def crops(count, size=(224, 224)):
    """Windows of the photographs as they are, [count, H, W, 3] uint8: what the benchmarks of transforms work on."""
    sources = photographs()
    names = sorted(sources)
    out = np.empty((count, *size, 3), np.uint8)
    for number in range(count):
        photo = sources[names[number % len(names)]]
        draw = np.random.default_rng([RECIPE, number])
        top, left = (draw.integers(photo.shape[axis] - size[axis] + 1) for axis in (0, 1))
        out[number] = photo[top : top + size[0], left : left + size[1]]
    return out
