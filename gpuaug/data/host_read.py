"""Decoding one file on the host by Pillow: for datasets that are used without gpuaug.DataLoader, and for what DALI does not read.

The pixels are what the loader's decoder delivers: RGB, upright by the EXIF orientation, 16 bits scaled to 8. There is one
function for images and one for masks, whoever asks.
"""

import io
import os

import numpy as np

from .headers import pillow
from .remote import contents
from .remote_errors import RemoteError
from .urls import is_url, shown

LAYOUT_AXES = {"CHW": 3, "HWC": 3, "HW": 2}
_16_BITS = ("I;16", "I;16L", "I;16B", "I;16N")


def read_image(source, sample):
    """``[H, W, 3]`` of uint8. `source`: a path or a file's bytes. `sample`: how a message names it."""
    return _read(source, sample, rgb)


def read_mask(source, sample, kind=None):
    """``[H, W]`` or ``[H, W, C]``, see `values`; of the NumPy type `kind` if one is given."""
    return _read(source, sample, values if kind is None else lambda file: as_type(values(file), kind))


def _read(source, sample, pixels):
    name = shown(os.fspath(source)) if isinstance(source, (str, os.PathLike)) else f"an image of {len(source)} bytes"
    try:
        return pixels(source)
    except RemoteError:  # says it all
        raise
    except FileNotFoundError as error:
        raise FileNotFoundError(f"{sample}: {name} does not exist") from error
    except (OSError, ValueError) as error:
        raise ValueError(
            f"{sample}: {name} cannot be decoded: {error}; replace the file, or let "
            f"gpuaug.DataLoader leave it out with on_error='skip'"
        ) from error


def rgb(source):
    """An image file as ``[H, W, 3]`` of uint8. 16 bits are scaled to 8, other numbers than 8 or 16 bits are a ValueError."""
    image = _opened(source)
    if image.mode in _16_BITS or (image.mode == "I" and image.format != "TIFF"):  # Pillow's own conversion clips at 255
        return np.repeat(_scaled_to_8_bits(np.asarray(image))[..., None], 3, axis=2)
    if image.mode in ("I", "F"):
        kind = "floating-point numbers" if image.mode == "F" else "numbers of 32 bits or with a sign"
        raise ValueError(
            f"it holds {kind}, and which of them are black and white is not known: save it with 8 or 16 bits, or "
            f"return float32 arrays from the dataset"
        )
    if image.mode == "P" and "transparency" in image.info:
        image = image.convert("RGBA")  # the same pixels, without Pillow's warning
    return np.array(image.convert("RGB"))


def values(source):
    """A mask file as ``[H, W]`` or ``[H, W, C]``: the values of its pixels, a palette's indices.

    uint8 (1 bit: 0 and 1), int32 where the file has 16 or 32 bits, float32 where it has floating-point numbers.
    """
    image = _opened(source)
    if image.mode == "1":
        return (np.asarray(image.convert("L")) != 0).astype(np.uint8)  # Pillow's own array is of bool whose bytes are 255
    pixels = np.array(image)
    return pixels if pixels.dtype in (np.uint8, np.float32) else pixels.astype(np.int32)


def as_type(mask, kind):
    """The mask in the NumPy type `kind`; ValueError if a value would change."""
    cast = mask.astype(kind, copy=False)
    if cast.dtype != mask.dtype and not np.array_equal(cast, mask):
        raise ValueError(
            f"the mask holds {mask.dtype} values from {mask.min()} to {mask.max()}, and its folder's type was {kind} when the "
            f"dataset was made; make the dataset anew"
        )
    return cast


def _opened(source):
    """A loaded image, upright. ValueError with Pillow's reason, FileNotFoundError."""
    pil, image = pillow(), None
    try:
        image = pil.Image.open(contents(source) if isinstance(source, (str, os.PathLike)) else io.BytesIO(source))
        image.load()
        form, upright = image.format, pil.ImageOps.exif_transpose(image)
    except (FileNotFoundError, RemoteError, ImportError, MemoryError):
        raise
    except Exception as error:  # plugins raise SyntaxError, struct.error, IndexError ... on damaged files
        if image is not None:
            image.close()
        raise ValueError(str(error) or type(error).__name__) from error
    upright.format = form
    return upright


def _scaled_to_8_bits(pixels):
    return ((pixels.astype(np.float32) * np.float32(255 / 65535)) + np.float32(0.5)).clip(0, 255).astype(np.uint8)


def read_npy(path, layout, sample):
    """A contiguous float32 array ``[C, H, W]`` out of a memory-mapped file."""
    try:
        array = np.load(contents(path), mmap_mode=None if is_url(path) else "r", allow_pickle=False)
    except RemoteError:
        raise
    except (ValueError, EOFError, OSError) as error:
        if isinstance(error, FileNotFoundError):
            raise FileNotFoundError(f"{sample}: {path} does not exist") from error
        pickled = "ickle" in str(error) or "Python objects" in str(error)
        fix = "save a float array with numpy.save(path, array)" if pickled else "write the file anew"
        raise ValueError(f"{sample}: {path} is no .npy file that can be memory-mapped: {error}; {fix}") from error
    if array.dtype.kind != "f":
        raise TypeError(f"{sample}: {path} holds {array.dtype}; spectrograms are float16, float32 or float64")
    if array.ndim != LAYOUT_AXES[layout]:
        raise ValueError(
            f"{sample}: {path} has shape {array.shape}, layout={layout!r} means {LAYOUT_AXES[layout]} axes; "
            f"pass the layout that the files have"
        )
    if layout == "HW":
        array = array[None]
    elif layout == "HWC":
        array = array.transpose(2, 0, 1)
    return np.array(array, np.float32, order="C")
