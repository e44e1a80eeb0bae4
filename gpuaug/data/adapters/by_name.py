"""Which adapter reads a path: by the ending of its name, for the command line."""

import importlib

ENDINGS = {
    ".parquet": ("parquet", "Parquet"),
    ".lmdb": ("lmdb", "Lmdb"),
    ".h5": ("hdf5", "Hdf5"),
    ".hdf5": ("hdf5", "Hdf5"),
    ".zarr": ("zarr", "Zarr"),
}


def by_name(path, image=None, mask=None):
    """The dataset of a path or URL whose name ends in one of `ENDINGS`; None for another one. `image`, `mask`: its columns."""
    ending = next((each for each in ENDINGS if str(path).rstrip("/").lower().endswith(each)), None)
    if ending is None:
        return None
    module, name = ENDINGS[ending]
    made = getattr(importlib.import_module(f"{__package__}.{module}"), name)
    return made(path, **{key: value for key, value in (("image", image), ("mask", mask)) if value is not None})
