"""libjpeg-turbo's TurboJPEG API by ctypes: a part of a JPEG, at 1/2, 1/4 or 1/8 of its size.

Of a 1744x1203 file it reads what RandomResizedCrop will see in 2.0 ms; pyvips, which can do the same, in 3.3; simplejpeg and
OpenCV, which scale the whole, in 2.7 and 2.8; that part at its full size is 2.6. Behind the part's last line nothing is read, in
front of it and beside it coefficients are, and no more. Calls release Python's lock.
"""

import ctypes
import functools
import importlib.metadata
import sys
from pathlib import Path

from ..reduced import TURNED

INSTALL = "pip install 'gpuaug[fast]'"
_DECOMPRESS, _RGB = 1, 0  # TJINIT_DECOMPRESS, TJPF_RGB
_WIDTH, _HEIGHT = 5, 6  # TJPARAM_JPEGWIDTH, TJPARAM_JPEGHEIGHT
COLUMNS = 32  # a part starts at a multiple of a block's width, which is 8, 16 or 32 columns of the whole


class _Factor(ctypes.Structure):
    _fields_ = [("num", ctypes.c_int), ("denom", ctypes.c_int)]


class _Region(ctypes.Structure):
    _fields_ = [(name, ctypes.c_int) for name in ("x", "y", "w", "h")]


def _candidates():
    """Where libturbojpeg may be: in the wheel of that name (whose module is not imported), in this environment, in the system."""
    name = {"darwin": "libturbojpeg.dylib", "win32": "turbojpeg.dll"}.get(sys.platform, "libturbojpeg.so.0")
    try:
        files = importlib.metadata.files("turbojpeg") or ()
    except importlib.metadata.PackageNotFoundError:
        files = ()
    yield from (str(file.locate()) for file in files if file.name.startswith(("libturbojpeg", "turbojpeg-")))
    yield from (str(path) for path in (Path(sys.prefix, "lib", name), Path(sys.prefix, "Library", "bin", name)) if path.exists())
    yield name


@functools.cache
def library():
    """libturbojpeg 3 or newer. ImportError says how to get it."""
    older = ""
    for path in _candidates():
        try:
            found = ctypes.CDLL(path)
        except OSError:
            continue
        if not hasattr(found, "tj3SetCroppingRegion"):
            older = f", {path} is of a version before 3"
            continue
        handle, size = ctypes.c_void_p, ctypes.c_size_t
        for function, result, *arguments in (
            ("Init", handle, ctypes.c_int),
            ("Destroy", None, handle),
            ("GetErrorStr", ctypes.c_char_p, handle),
            ("DecompressHeader", ctypes.c_int, handle, handle, size),
            ("Get", ctypes.c_int, handle, ctypes.c_int),
            ("SetScalingFactor", ctypes.c_int, handle, _Factor),
            ("SetCroppingRegion", ctypes.c_int, handle, _Region),
            ("Decompress8", ctypes.c_int, handle, handle, size, handle, ctypes.c_int, ctypes.c_int),
        ):
            entry = getattr(found, f"tj3{function}")
            entry.restype, entry.argtypes = result, arguments
        return found
    raise ImportError(
        f"decode='fast' needs libturbojpeg 3, which is not there{older}: {INSTALL}, or where that has no wheel for this machine, "
        f"install libjpeg-turbo 3 or newer (conda install libjpeg-turbo, brew install jpeg-turbo)"
    )


@functools.cache
def is_there():
    """Whether libturbojpeg is installed."""
    try:
        library()
    except ImportError:
        return False
    return True


class Scaler:
    """Decodes parts of JPEGs, in one thread at a time. Close it."""

    def __init__(self):
        self._library = library()
        self._handle = self._library.tj3Init(_DECOMPRESS)
        if not self._handle:
            raise MemoryError("libturbojpeg could not be started")

    def close(self):
        self._library.tj3Destroy(self._handle)

    def decode(self, data, scale, window, into, size):
        """RGB of a part. ValueError with the library's reason; it takes damage that others read over for an error.

        data: the file, uint8. scale: 1, 2, 4 or 8. window: (y0, x0, y1, x1) in pixels of the file's scaled image, not turned by
        its EXIF data; x0 a multiple of COLUMNS / scale. into: uint8, C-contiguous, of the window's size. size: (height, width)
        that the file should have; it is an error if it has another one.
        """
        y0, x0, y1, x1 = window
        tj, handle, at = self._library, self._handle, data.ctypes.data
        if tj.tj3DecompressHeader(handle, at, len(data)):
            raise ValueError(tj.tj3GetErrorStr(handle).decode(errors="replace"))
        found = tj.tj3Get(handle, _HEIGHT), tj.tj3Get(handle, _WIDTH)
        if found != tuple(size):
            raise ValueError(f"it is {found[0]}x{found[1]}, and not {size[0]}x{size[1]}")
        if (
            tj.tj3SetScalingFactor(handle, _Factor(1, scale))
            or tj.tj3SetCroppingRegion(handle, _Region(x0, y0, x1 - x0, y1 - y0))
            or tj.tj3Decompress8(handle, at, len(data), into.ctypes.data, 0, _RGB)
        ):
            raise ValueError(tj.tj3GetErrorStr(handle).decode(errors="replace"))


def in_file(window, size, turn):
    """(y0, x0, y1, x1) in a file of what is at `window` of its upright image, which has this size (height, width)."""
    (y0, x0, y1, x1), (height, width) = window, size
    if turn in TURNED[0]:
        y0, y1 = height - y1, height - y0
    if turn in TURNED[1]:
        x0, x1 = width - x1, width - x0
    return (x0, y0, x1, y1) if turn > 4 else (y0, x0, y1, x1)


def upright(pixels, turn):
    """A view of a file's pixels, turned as its EXIF orientation says."""
    pixels = pixels.transpose(1, 0, 2) if turn > 4 else pixels
    return pixels[:: -1 if turn in TURNED[0] else 1, :: -1 if turn in TURNED[1] else 1]


def aligned(window, scale, width):
    """A window whose columns may be decoded alone: from a multiple of a block's width, and, for what chroma is blended with at
    its edges, two more at each side."""
    y0, x0, y1, x1 = window
    step = COLUMNS // scale
    return y0, max(x0 - 2, 0) // step * step, y1, min(x1 + 2, width)
