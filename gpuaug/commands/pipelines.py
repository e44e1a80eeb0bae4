"""Pipelines from files: `gpuaug preview`, `explain` and `convert`."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

from ..compose import Compose
from ..data.scan import pictures_in
from ..names import unknown
from ..replay import as_compose
from ..saving import load, save
from ..transform import REGISTRY

FILES = (".json", ".yaml", ".yml")


def check_file(path: Path) -> None:
    if not path.is_file():
        raise ValueError(f"{path}: this is a folder, and no file" if path.is_dir() else f"{path}: there is no such file")


def pipeline_of(given: str) -> Compose:
    """A file of `gpuaug.save` or of albumentations', or the name of a transform, as a Compose with a seed.

    Raises:
        ValueError: neither; what `load` raises.
    """
    if Path(given).suffix.lower() in FILES:
        check_file(Path(given))
        found = load(given)
    elif given in REGISTRY:
        from ..pictures.subjects import given as arguments

        found = REGISTRY[given](**arguments(given))
    else:
        raise ValueError(
            f"{given!r} is neither a pipeline's file (.yaml, .yml or .json) nor a transform{unknown(given, list(REGISTRY))}"
        )
    found = as_compose(found) if isinstance(found, Compose) else Compose([found])
    if found.seed is None:
        found.seed = 0
    return found


def images_in(folder: Path, count: int) -> list[tuple[Path, np.ndarray]]:
    """The first pictures of a folder and all below it, by name.

    Raises:
        ValueError: what `pictures_in` raises; one that cannot be read.
    """
    from PIL import Image

    found = []
    for path in pictures_in(folder)[:count]:
        try:
            with Image.open(path) as image:
                found.append((path, np.asarray(image.convert("RGB"))))
        except OSError as error:
            raise ValueError(f"{path} cannot be read as a picture: {error}") from error
    return found


def preview(given: str, images: Path | None, out: Path, count: int, draws: int) -> Path:
    """Write a sheet; returns its path."""
    from .. import pictures

    pipeline = pipeline_of(given)
    if images is None and given in REGISTRY:
        return pictures.example(given, draws=draws).save(out)
    if images is None:
        from ..photographs import photographs

        samples = list(photographs().values())[:count]
    else:
        samples = [image for _, image in images_in(images, count)]
    return pipeline.preview(samples, draws=draws).save(out)


def explain(given: str, height: int, width: int, samples: int) -> str:
    return pipeline_of(given).explain((height, width), samples=samples)


def convert(given: Path, out: Path | None, data_format: str | None) -> str:
    """A pipeline's file as gpuaug writes it; returns the text where there is no ``out``."""
    import io

    check_file(given)
    found = load(given)
    if out is not None:
        save(found, os.fspath(out), data_format)
        return ""
    text = io.StringIO()
    save(found, text, data_format or "yaml")
    return text.getvalue()
