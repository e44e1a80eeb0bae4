"""`gpuaug info`: what is here, what is missing, and the command that brings it."""

from __future__ import annotations

from typing import NamedTuple

MORE = {
    "DALI": (("nvidia-dali-cuda130", "nvidia-dali-cuda120"), "cuda13", "files are decoded by Pillow, which is slower"),
    "CuPy": (("cupy-cuda13x", "cupy-cuda12x"), "cuda13", "no GPU can be used"),
    "PyYAML": (("pyyaml",), "yaml", "pipelines are read from JSON only"),
    "matplotlib": (("matplotlib",), "pictures", "no previews"),
    "NiceGUI": (("nicegui",), "explore", "no explorer in the browser"),
    "pyarrow": (("pyarrow",), "cache", "no caches"),
    "fsspec": (("fsspec",), "remote", "no URLs"),
    "Kornia": (("kornia",), "kornia", "none of its transforms"),
    "albumentations": (("albumentations",), "albumentations", "no comparisons with it"),
    "torchaudio": (("torchaudio",), "audio", "some audio features"),
    "webdataset": (("webdataset",), "webdataset", "no tar shards"),
}
"""What gpuaug uses: its packages, the extra that brings it, and what there is without."""


class Row(NamedTuple):
    what: str
    found: str
    remark: str = ""


def rows() -> list[Row]:
    """All that `gpuaug info` tells; the last column says what is missing and what to do."""
    import platform

    import numpy
    import torch

    from .. import __version__
    from ..backends import missing
    from ..library import load, variants
    from ..machine import cpu_name, versions

    found = [Row("gpuaug", __version__), Row("Python", platform.python_version()), Row("torch", torch.__version__)]
    found += [Row("NumPy", numpy.__version__), Row("processor", cpu_name())]
    try:
        library = load()
        runs = [path.stem.removeprefix("_cpu_") for path in sorted(library.path.parent.glob("_cpu_*.so"))]
        fits = [name for name in variants() if name in runs]
        found.append(
            Row("CPU kernels", f"{library.path.stem.removeprefix('_cpu_')} of {', '.join(runs)}", "" if fits else "none fits")
        )
    except RuntimeError as error:
        found.append(Row("CPU kernels", "none", str(error)))
    problem = missing.problem()
    if problem is None:
        found.append(Row("GPU", ", ".join(torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count()))))
    else:
        found.append(Row("GPU", "none", problem))
    for what, (names, extra, without) in MORE.items():
        version = next(iter(versions(names).values()), None)
        found.append(Row(what, version or "-", "" if version else f"{without}; pip install 'gpuaug[{extra}]'"))
    return found
