"""The compiled library: the host's part of every batch (kernels/host/), and the kernels for the CPU (kernels/cpu/)."""

from __future__ import annotations

import ctypes
from functools import cache
from pathlib import Path

import numpy as np

from . import _toolchain
from ._toolchain import variants

# what each call returns, and takes: h a track, o an object (an array, a number, a slice), the rest as in `struct`
_CALLS = {
    "address": ("q", "o"),
    "outside": ("i", "oq"),
    "uniforms": ("", "ooIooQo"),
    "select": ("q", "ooooioo"),
    "resized_crop": ("", "ooddddo"),
    "windows": ("q", "ooiio"),
    "affine": ("", "oooooo"),
    "stripes": ("", "oooo"),
    "gaussian": ("o", "oooo"),
    "motion": ("o", "oooooo"),
    "track_new": ("h", "iioooo"),
    "track_free": ("", "h"),
    "track_convert": ("", "hi"),
    "track_channels": ("", "hii"),
    "track_work_in": ("", "hoi"),
    "track_keep": ("o", "hoi"),
    "track_attach": ("", "hooi"),
    "track_blob": ("q", "ho"),
    "track_crop": ("", "hooooo"),
    "track_orient": ("", "hoiiii"),
    "track_gather": ("o", "hoioi" + "oooo" + "iiii"),
    "track_op": ("q", "hoi" + "ooooooo" + "iiiq"),
    "track_filter": ("", "hoiooo" + "ioii"),
    "track_reduce": ("q", "hoiiiiiiooi"),
    "track_lookup": ("q", "hoioii" + "q" + "ooo" + "i"),
    "track_rank": ("", "hoiooo" + "ii"),
    "track_resample": ("o", "hoiooi"),
    "track_close": ("", "hoi"),
    "track_finish": ("q", "hooii"),
    "track_export": ("", "ho"),
    "track_run": ("i", "hqoii"),
    "replay": ("i", "oqqi"),
    "place": ("q", "hiiq"),
}
_TYPES = {
    "": None,
    "h": ctypes.c_void_p,
    "o": ctypes.py_object,
    "i": ctypes.c_int,
    "I": ctypes.c_uint32,
    "q": ctypes.c_int64,
    "Q": ctypes.c_uint64,
    "d": ctypes.c_double,
}


class Library:
    """One build of the library. The calls of `_CALLS` are its methods; they hold the interpreter's lock, `run` does not."""

    def __init__(self, path: Path):
        self.path = path
        unlocked = ctypes.CDLL(str(path))
        unlocked.gpuaug_sources.restype = ctypes.c_char_p
        built, kernels = unlocked.gpuaug_sources().decode(), path.parent.parent / "kernels"
        if built and kernels.is_dir() and built != _toolchain.sources_hash(kernels):  # a checkout whose kernels were edited
            raise ImportError(f"{path.name} was built from other kernels than those in {kernels}; run `make` or pip install -e .")
        self.run = unlocked.gpuaug_run
        self.run.argtypes = [ctypes.c_void_p, ctypes.c_int, ctypes.c_int, ctypes.c_void_p, ctypes.c_int]
        self.fractal = unlocked.gpuaug_fractal
        self.fractal.argtypes = [ctypes.c_void_p] * 4 + [ctypes.c_int, ctypes.c_double, ctypes.c_void_p]
        self.glass = unlocked.gpuaug_glass
        self.glass.argtypes, self.glass.restype = (
            [ctypes.c_void_p] + [ctypes.c_int] * 5 + [ctypes.c_uint32] * 2 + [ctypes.c_int],
            None,
        )
        self._sizes, self._node_size = unlocked.gpuaug_sizes, unlocked.gpuaug_node_size
        locked = ctypes.PyDLL(str(path))
        for name, (returns, takes) in _CALLS.items():
            call = getattr(locked, f"gpuaug_{name}")
            call.restype, call.argtypes = _TYPES[returns], [_TYPES[code] for code in takes]
            setattr(self, name, call)

    def sizes(self) -> list[int]:
        """Bytes of the rows of every kind of launch, then of Op, Record and Node, as the compiler sees them."""
        out = np.zeros(64, np.int32)
        return [*out[: self._sizes(ctypes.c_void_p(out.ctypes.data))].tolist(), self._node_size()]


@cache
def _find(variant: str | None):
    folder = Path(__file__).parent
    errors = []
    for name in [variant] if variant else variants():
        path = folder / f"_cpu_{name}.so"
        if path.exists():
            try:
                return Library(path), ""
            except (OSError, ImportError) as error:
                errors.append(f"{path.name}: {error}")
    return None, "; ".join(errors) or _toolchain.missing()


def load(variant: str | None = None) -> Library:
    """The best build for this processor, loaded once.

    Raises:
        RuntimeError: there is none; says why, and what to install.
    """
    found, why = _find(variant)
    if found is None:
        raise RuntimeError(why)
    return found
