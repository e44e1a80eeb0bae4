"""What an encoded image claims to be, read from its first bytes.

No decoder may see a file before this: a PNG of 109 KB that claims 30000 x 30000 pixels costs 22 s and 5.3 GB to decode, and
a file that is no image at all ends a DALI pipeline. Costs 2-10 us an image.
"""

import io
import struct
from dataclasses import dataclass

# what nvImageCodec decodes on the CPU and on the GPU; everything else Pillow must read
DALI_FORMATS = frozenset({"JPEG", "PNG", "WEBP", "BMP", "TIFF", "PPM", "JPEG2000"})
_TIFF = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")


@dataclass(frozen=True)
class Header:
    format: str
    width: int
    height: int


def read_header(data):
    """Format and claimed size of an encoded image (any bytes-like object). ValueError says what is wrong with it.

    >>> read_header(bytes.fromhex("89504e470d0a1a0a0000000d494844520000000300000002"))
    Header(format='PNG', width=3, height=2)
    """
    view = memoryview(data).cast("B")
    if len(view) == 0:
        raise ValueError("empty file")
    head = bytes(view[:32])
    try:
        if head[:3] == b"\xff\xd8\xff":
            return Header("JPEG", *_jpeg(view))
        if head[:8] == b"\x89PNG\r\n\x1a\n":
            return Header("PNG", *struct.unpack(">II", head[16:24]))
        if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
            return Header("WEBP", *_webp(head))
        if head[:2] == b"BM":
            if struct.unpack("<I", head[14:18])[0] == 12:
                return Header("BMP", *struct.unpack("<HH", head[18:22]))
            width, height = struct.unpack("<ii", head[18:26])
            return Header("BMP", abs(width), abs(height))
        if head[:6] in (b"GIF87a", b"GIF89a"):
            return Header("GIF", *struct.unpack("<HH", head[6:10]))
    except (struct.error, IndexError):
        raise ValueError(f"truncated in its header ({len(view)} bytes)") from None
    return _by_pillow(view, head)


def _jpeg(view):
    at, end = 2, len(view)
    while at + 9 <= end:
        if view[at] != 0xFF:
            raise ValueError("a JPEG whose header is damaged")
        marker = view[at + 1]
        if marker == 0xFF:  # a fill byte
            at += 1
        elif 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):  # start of frame
            height, width = struct.unpack(">HH", view[at + 5 : at + 9])
            return width, height
        elif marker == 0xD8 or 0xD0 <= marker <= 0xD7 or marker == 0x01:  # without a length
            at += 2
        elif marker in (0xD9, 0xDA):
            raise ValueError("a JPEG without a frame header")
        else:
            at += 2 + (view[at + 2] << 8 | view[at + 3])
    raise ValueError(f"a JPEG truncated in its header ({end} bytes)")


def _webp(head):
    kind = head[12:16]
    if kind == b"VP8X":
        return 1 + int.from_bytes(head[24:27], "little"), 1 + int.from_bytes(head[27:30], "little")
    if kind == b"VP8L":
        bits = struct.unpack("<I", head[21:25])[0]
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    width, height = struct.unpack("<HH", head[26:30])
    return width & 0x3FFF, height & 0x3FFF


def _by_pillow(view, head):
    """TIFF, JPEG 2000, PNM, AVIF and rarer formats: Pillow reads the header only; pixels stay encoded."""
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(io.BytesIO(view)) as image:
            return Header(image.format, *image.size)
    except UnidentifiedImageError:
        raise ValueError(f"not an image ({describe(head)})") from None
    except Image.DecompressionBombError as error:
        raise ValueError(str(error)) from None
    except Exception as error:  # Pillow's plugins raise nearly anything on damaged headers
        raise ValueError(f"a damaged image header: {error}") from None


def describe(head):
    """What a file that is no image looks like.

    >>> describe(b"<!DOCTYPE html>")
    'it looks like HTML'
    """
    text = head.lstrip()[:9].lower()
    if text.startswith((b"<!doctype", b"<html")):
        return "it looks like HTML"
    if head.startswith(b"PK\x03\x04"):
        return "it looks like a zip archive"
    if head.startswith(b"\x1f\x8b"):
        return "it looks like a gzip archive"
    if head.startswith(b"%PDF"):
        return "it looks like a PDF"
    if head[:2] == b"\xff\xd8":
        return "a JPEG cut off after its first bytes"
    if head[:4] in _TIFF:
        return "a TIFF that Pillow cannot open"
    return f"it starts with {head[:8]!r}"


def check_pixels(header, limit):
    """ValueError if a header claims more than `limit` pixels, or none."""
    pixels = header.width * header.height
    if pixels <= 0:
        raise ValueError(f"a {header.format} that claims {header.width}x{header.height} pixels")
    if limit is not None and pixels > limit:
        raise ValueError(
            f"a {header.format} that claims {header.width}x{header.height} = {pixels} pixels, more than max_pixels={limit}"
        )
