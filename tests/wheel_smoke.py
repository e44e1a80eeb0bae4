"""What `make wheel` runs in an environment with the wheel and what it requires alone: no compiler, no DALI, no matplotlib."""

import importlib.util
import shutil
import sys
import tempfile
from pathlib import Path

import numpy as np
import torch
from PIL import Image

import gpuaug as G
from gpuaug.data import ImageFolder


def main():
    assert not any(map(importlib.util.find_spec, ("cupy", "matplotlib", "albumentations", "cv2", "yaml")))
    assert Path(G.__file__).is_relative_to(sys.prefix), f"{G.__file__} is not the installed one"

    image = np.arange(40 * 60 * 3, dtype=np.uint8).reshape(40, 60, 3)
    flipped = G.Compose([G.HorizontalFlip(p=1)])(image=image)["image"]
    assert (flipped == image[:, ::-1]).all()

    train = G.Compose([G.RandomResizedCrop((24, 24)), G.GaussianBlur(), G.Normalize(), G.ToTensorV2()], seed=0)
    assert G.from_dict(G.to_dict(train)) == train
    with tempfile.TemporaryDirectory() as folder:
        for i in range(6):
            path = Path(folder) / "ab"[i % 2] / f"{i}.png"
            path.parent.mkdir(exist_ok=True)
            Image.fromarray(image).save(path)
        loader = G.DataLoader(ImageFolder(folder), batch_size=3, shuffle=True, transform=train, device="cpu")
        batches = [images for images, _ in loader]
    assert torch.cat(batches).shape == (6, 3, 24, 24)
    assert torch.cat(batches).isfinite().all()
    compilers = [name for name in ("g++", "clang++", "c++") if shutil.which(name)]
    print(f"gpuaug {G.__version__} works from its wheel; compilers in the path: {', '.join(compilers) or 'none'}")


if __name__ == "__main__":
    main()
