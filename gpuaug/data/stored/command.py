"""The commands `gpuaug cache build` and `gpuaug cache check`."""

import os
import shlex

from ..adapters.by_name import ENDINGS, by_name
from ..folders import ImageFolder, SegmentationFolder
from ..unlabelled import ImageFiles
from .build import Build
from .dataset import Cached
from .files import CacheError


def build(folder, out, size, store, quality, masks, mask_suffix, image, mask, unlabelled, verify, workers):
    """Build a cache of a folder or of a file in another format, or bring it up to date, and say what was done."""
    dataset = by_name(folder, image, mask)
    if dataset is not None and (masks or mask_suffix):
        raise ValueError(f"--masks and --mask-suffix are for folders of files; of {folder} say --mask with the masks' column")
    if dataset is None and (image or mask):
        raise ValueError(f"--image and --mask name columns of {' '.join(ENDINGS)}; {folder} ends in none of these")
    if unlabelled and (dataset is not None or masks is not None):
        raise ValueError("--unlabelled is for a folder of pictures that have neither classes nor masks")
    if dataset is None:
        kind = ImageFiles if unlabelled else ImageFolder
        dataset = kind(folder) if masks is None else SegmentationFolder(folder, masks, mask_suffix)
    words = ["gpuaug", "cache", "build", os.fspath(folder), *(["--size", str(size)] if size is not None else []), "--as", store]
    words += ["--quality", str(quality)] if store == "jpeg" and quality != 95 else []
    words += ["--masks", os.fspath(masks)] if masks is not None else []
    words += ["--mask-suffix", mask_suffix] if mask_suffix else []
    words += ["--unlabelled"] if unlabelled else []
    words += ["--image", image] if image else []
    words += ["--mask", mask] if mask else []
    words += ["--out", os.fspath(out)]
    made = Build(
        dataset, out, size, store, quality, mend=lambda verify: shlex.join(words + (["--verify"] if verify else []))
    ).run(verify=verify, workers=workers)
    print(f"{os.fspath(out)}: {made.samples} samples, {made.made} of them made now, {made.bad} bad; {made.bytes / 1e6:,.1f} MB")
    for bad in Cached(out, check=False).bad[:8]:
        print(f"  {bad}")


def check(folder):
    """Read all of a cache, and say that it is right; CacheError."""
    cached = Cached(folder)
    for index in range(len(cached)):
        try:
            cached.check(index)
        except ValueError as error:
            raise CacheError(f"sample {index}: {error}") from None
    print(
        f"{os.fspath(folder)}: {len(cached)} samples, {len(cached.bad)} bad; all checksums are right, and no source has changed"
    )
