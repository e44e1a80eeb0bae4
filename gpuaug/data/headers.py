"""What an encoded image claims to be, read from its first bytes.

No decoder may see a file before this: a PNG of 109 KB that claims 30000 x 30000 pixels costs 22 s and 5.3 GB to decode, a file
that is no image at all ends a DALI pipeline, and one whose headers DALI 2.4 cannot read to their end can end the process (see
decode.py). Costs 2-10 us an image.
"""

import io
import re
import struct
import zlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from .remote import contents, read
from .remote_errors import RemoteError, RemoteMissing
from .urls import is_url

# what nvImageCodec decodes on the CPU and on the GPU; everything else Pillow must read. So must JPEG 2000, at half the speed:
# nvImageCodec divides by sizes of zero that a damaged header has, which ends the process (2 of 1,000 damaged files)
DALI_FORMATS = frozenset({"JPEG", "PNG", "WEBP", "BMP", "TIFF", "PPM"})
_ORIENTATION = 0x112  # EXIF's tag
_EXIF_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4}  # bytes a value, by its type
_TIFF = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")


@dataclass(frozen=True)
class Header:
    format: str
    width: int
    height: int
    plain: bool = field(default=True, repr=False, compare=False)  # DALI reads it, and to the pixels that the file means
    turn: int = field(default=1, repr=False, compare=False)  # orientation by EXIF data, 1 to 8; 1: as it lies

    # a decoder that stops early does not miss that the file is cut off: else it would be bad in one epoch and good in another
    ends: bool = field(default=True, repr=False, compare=False)
    common: bool = field(
        default=False, repr=False, compare=False
    )  # a JPEG of 8 bits, gray or of three colours, without arithmetic coding

    @property
    def scales(self):
        """Whether it can be decoded at 1/2, 1/4 and 1/8."""
        return self.common and self.plain and self.ends

    @property
    def upright(self):
        """(height, width) of what decoders make of it."""
        return (self.width, self.height) if self.turn > 4 else (self.height, self.width)


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
            return _jpeg(view)
        if head[:8] == b"\x89PNG\r\n\x1a\n":
            return Header("PNG", *struct.unpack(">II", head[16:24]), *_plain_png(view))
        if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
            return Header("WEBP", *_webp(head), *_plain_webp(view))
        if head[:2] == b"BM":
            if struct.unpack("<I", head[14:18])[0] == 12:
                return Header("BMP", *struct.unpack("<HH", head[18:22]), False)
            width, height = struct.unpack("<ii", head[18:26])
            return Header("BMP", abs(width), abs(height), _plain_bmp(view))
        if head[:6] in (b"GIF87a", b"GIF89a"):
            return Header("GIF", *struct.unpack("<HH", head[6:10]), False)
    except (struct.error, IndexError):
        raise ValueError(f"truncated in its header ({len(view)} bytes)") from None
    return _by_pillow(view, head)


def _jpeg(view):
    """Walks the segments up to the first scan: the size is in one of them, and all of them must be whole for DALI."""
    at, end, size, plain, turn, common, turned = 2, len(view), None, True, 1, False, False
    while at + 4 <= end:
        if view[at] != 0xFF:
            if size is None:
                raise ValueError("a JPEG whose header is damaged")
            break
        marker, length = view[at + 1], view[at + 2] << 8 | view[at + 3]
        if marker == 0xFF:  # a fill byte
            at += 1
        elif marker == 0xD8 or 0xD0 <= marker <= 0xD7 or marker == 0x01:  # without a length
            at += 2
        elif marker in (0xD9, 0xDA):
            if size is None:
                raise ValueError("a JPEG without a frame header")
            whole = bytes(view[-2:]) == b"\xff\xd9"
            return Header("JPEG", *size, plain and marker == 0xDA and at + 2 + length <= end, turn, whole, common)
        else:
            if marker == 0xE1 and view[at + 4 : at + 10] == b"Exif\0\0":
                sound, turn = _exif(view[at + 10 : at + 2 + length])
                # of two blocks DALI takes the size from one and the turn from the other, which may end the process
                plain, turned = sound and not turned, True
            if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):  # start of frame
                if at + 9 > end:
                    break
                height, width = struct.unpack(">HH", view[at + 5 : at + 9])
                size = width, height
                common = (
                    marker <= 0xC2 and view[at + 4] == 8 and length > 7 and view[at + 9 : at + 10].tobytes() in (b"\1", b"\3")
                )
            at += 2 + length
    if size is None:
        raise ValueError(f"a JPEG truncated in its header ({end} bytes)")
    return Header("JPEG", *size, False)


def _exif(block):
    """(do DALI, Pillow and we read the same orientation in a block of EXIF data? DALI takes any type and number of values, and
    where entries do not lie inside of the block, trusts them, and dies, or reads none; orientation)."""
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(bytes(block[:4]))
    if order is None or len(block) < 10:
        return False, 1
    (start,) = struct.unpack(order + "I", block[4:8])
    if start + 2 > len(block):
        return False, 1
    (count,) = struct.unpack(order + "H", block[start : start + 2])
    if start + 2 + 12 * count > len(block):
        return False, 1
    turn = None
    for at in range(start + 2, start + 2 + 12 * count, 12):
        tag, kind, values, value = struct.unpack(order + "HHII", block[at : at + 12])
        size = _EXIF_SIZES.get(kind, len(block)) * values
        if size > 4 and value + size > len(block):
            return False, 1
        if tag == _ORIENTATION:
            if turn is not None or (kind, values) != (3, 1):
                return False, 1
            (turn,) = struct.unpack(order + "H", block[at + 8 : at + 10])
    return True, turn if turn is not None and 1 <= turn <= 8 else 1


def _plain_png(view):
    """(whether a PNG is whole, from its first chunk to its last, and has no colour of 16 bits, which DALI and Pillow round apart;
    orientation).

    The checksums of the pixels are left to the decoder, whose work that is.
    """
    at, end, pixels, turn, turned = 8, len(view), False, 1, False
    while at + 12 <= end:
        length = int.from_bytes(view[at : at + 4], "big")
        kind, after = bytes(view[at + 4 : at + 8]), at + 8 + length
        if after + 4 > end or (at == 8) != (kind == b"IHDR"):
            return False, 1
        if kind != b"IDAT" and zlib.crc32(view[at + 4 : after]) != int.from_bytes(view[after : after + 4], "big"):
            return False, 1
        if kind == b"IHDR" and (length != 13 or (view[24] == 16 and view[25] != 0)):
            return False, 1
        if kind == b"eXIf":
            sound, turn = _exif(view[at + 8 : after])
            if turned or not sound:
                return False, 1
            turned = True
        if kind == b"IEND":
            return pixels, turn
        pixels |= kind == b"IDAT"
        at = after + 4
    return False, 1


def _webp(head):
    kind = head[12:16]
    if kind == b"VP8X":
        return 1 + int.from_bytes(head[24:27], "little"), 1 + int.from_bytes(head[27:30], "little")
    if kind == b"VP8L":
        bits = struct.unpack("<I", head[21:25])[0]
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    width, height = struct.unpack("<HH", head[26:30])
    return width & 0x3FFF, height & 0x3FFF


def _plain_webp(view):
    """(whether the chunks of a WebP fill the size that its first says: EXIF data beyond it ends the process; orientation)."""
    at, turn, end, turned = 12, 1, int.from_bytes(view[4:8], "little") + 8, False
    if end != len(view):
        return False, 1
    while at + 8 <= end:
        after = at + 8 + int.from_bytes(view[at + 4 : at + 8], "little")
        if after > end:
            return False, 1
        if view[at : at + 4] == b"EXIF":
            block = view[at + 8 : after]
            sound, turn = _exif(block[6:] if block[:6] == b"Exif\0\0" else block)
            if turned or not sound:
                return False, 1
            turned = True
        at = after + (after & 1)
    return at == end, turn


def _plain_bmp(view):
    """Whether a BMP is of the kind that nearly all are, 8 or 24 bits a pixel without compression, and holds all its pixels."""
    if len(view) < 54:
        return False
    start, size, width, height, planes, bits, compression = struct.unpack("<IIiiHHI", view[10:34])
    (colours,) = struct.unpack("<I", view[46:50])
    palette = (colours or 256) * 4 if bits == 8 else 0
    return (
        bits in (8, 24)
        and (size, planes, compression) == (40, 1, 0)
        and width > 0
        and colours <= 256
        and start >= 54 + palette
        and start + (width * bits + 31) // 32 * 4 * abs(height) <= len(view)
    )


def _by_pillow(view, head):
    """TIFF, JPEG 2000, PNM, AVIF and rarer formats: Pillow reads the header only; pixels stay encoded."""
    Image = pillow().Image
    try:
        with Image.open(io.BytesIO(view)) as image:
            return Header(image.format, *image.size, image.format in DALI_FORMATS and _means_bytes(image, view), ends=False)
    except pillow().UnidentifiedImageError:
        raise ValueError(f"not an image ({describe(head)})") from None
    except Image.DecompressionBombError as error:
        raise ValueError(str(error)) from None
    except Exception as error:  # Pillow's plugins raise nearly anything on damaged headers
        raise ValueError(f"a damaged image header: {error}") from None


def _means_bytes(image, view):
    """Whether each number of a file is a byte of a pixel, as DALI takes it."""
    if image.format == "TIFF":
        return image.mode in ("L", "RGB", "RGBA") and set(image.tag_v2.get(258, (1,))) == {8}
    if image.format == "PPM":  # the largest value is the last number of the header
        head = re.match(rb"P[56]\s+\d+\s+\d+\s+255\s", bytes(view[:64]))
        return head is not None
    return True


def mask_type(paths):
    """The NumPy type that holds the masks of all these files, by their headers: "uint8", "int32" or "float32".

    ValueError names a file with colours, or two that no type holds exactly. What has no readable header is passed over: it is
    a bad sample when its turn comes.
    """
    seen = {}  # kind: the first file of it
    for path, (kind, channels) in zip(paths, _kinds_of(paths)):
        if channels > 1:
            raise ValueError(
                f"the mask {path} has {channels} channels; a mask has one channel (grayscale or palette) that holds class numbers"
            )
        seen.setdefault(kind, path)
    if "F" not in seen:
        return "int32" if {"I;16", "I"} & seen.keys() else "uint8"
    if "I" in seen:
        raise ValueError(
            f"the mask {seen['I']} holds whole numbers of 32 bits and {seen['F']} floating-point numbers, and no type holds both "
            f"exactly; save them alike"
        )
    return "float32"


def _kinds_of(paths):
    """`_kind_of` of each, those behind URLs by several threads."""
    if not any(is_url(path) for path in paths):
        return map(_kind_of, paths)
    with ThreadPoolExecutor(16) as pool:
        return list(pool.map(_kind_of, paths))


def _kind_of(path):
    """("L" for up to 8 bits, "I;16", "I", "F", or None if that cannot be read; how many channels)."""
    try:
        with io.BytesIO(read(path, 0, 26)) if is_url(path) else open(path, "rb", buffering=0) as file:
            head = file.read(26)
            if head[:8] == b"\x89PNG\r\n\x1a\n" and len(head) == 26:
                depth, colour = head[24], head[25]
                return "I;16" if depth == 16 else "L", {2: 3, 4: 2, 6: 4}.get(colour, 1)
        with pillow().Image.open(contents(path)) as image:
            mode, channels = image.mode, len(image.getbands())
    except ImportError:
        raise
    except RemoteMissing:
        return None, 1
    except RemoteError:  # the type of all masks would be decided without this one
        raise
    except Exception:
        return None, 1
    return mode[:4] if mode.startswith(("I", "F")) else "L", channels


def pillow():
    """The package PIL with the modules that are used here, or an ImportError that says what to do."""
    try:
        import PIL
        import PIL.Image
        import PIL.ImageOps
    except ImportError as error:
        raise ImportError(f"images are read with Pillow, which cannot be imported ({error}): pip install pillow") from error
    return PIL


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
