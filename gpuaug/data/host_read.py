"""Decoding one file on the host, for datasets that are used without gpuaug.DataLoader.

The pixels are what the loader's decoder delivers: RGB, upright by the EXIF orientation, 16 bits scaled to 8.
"""

import io
import os

import numpy as np

LAYOUT_AXES = {"CHW": 3, "HWC": 3, "HW": 2}


def read_image(source, sample):
    """`source`: a path or a file's bytes. `sample`: how a message names it."""
    from PIL import ImageOps

    with _opened(source, sample) as image:
        image = ImageOps.exif_transpose(image)
        if image.mode.startswith("I"):  # 16 bits: Pillow's own conversion would clip at 255
            return np.repeat(_scaled_to_8_bits(np.asarray(image))[..., None], 3, axis=2)
        return np.array(image.convert("RGB"))


def read_mask(source, sample):
    """``[H, W]`` of uint8, or int32 for 16-bit files; the values of the pixels, a palette's indices."""
    from PIL import ImageOps

    with _opened(source, sample) as image:
        pixels = np.array(ImageOps.exif_transpose(image))
    if pixels.ndim != 2:
        raise ValueError(
            f"{sample}: the mask {_name(source)} has {pixels.shape[2]} channels; "
            f"a mask has one channel (grayscale or palette) that holds class numbers"
        )
    if pixels.dtype == bool:
        return pixels.astype(np.uint8)
    return pixels if pixels.dtype == np.uint8 else pixels.astype(np.int32)


def read_npy(path, layout, sample):
    """A contiguous float32 array ``[C, H, W]`` out of a memory-mapped file."""
    try:
        array = np.load(path, mmap_mode="r", allow_pickle=False)
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


def _opened(source, sample):
    from PIL import Image

    image = None
    try:
        image = Image.open(source if isinstance(source, (str, os.PathLike)) else io.BytesIO(source))
        image.load()
    except FileNotFoundError as error:
        raise FileNotFoundError(f"{sample}: {_name(source)} does not exist") from error
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        if image is not None:
            image.close()
        raise ValueError(
            f"{sample}: {_name(source)} cannot be decoded: {error}; replace the file, or let "
            f"gpuaug.DataLoader leave it out with on_error='skip'"
        ) from error
    return image


def _scaled_to_8_bits(pixels):
    return ((pixels.astype(np.float32) * np.float32(255 / 65535)) + np.float32(0.5)).clip(0, 255).astype(np.uint8)


def _name(source):
    return os.fspath(source) if isinstance(source, (str, os.PathLike)) else f"an image of {len(source)} bytes"
