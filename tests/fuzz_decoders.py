"""Feeds damaged image files to the decoders, in a child process that may die of them.

    python -m tests.fuzz_decoders --count 10000                 every format, on the loader's road
    python -m tests.fuzz_decoders --road dali --formats png     what the library itself dies of
    python -m tests.fuzz_decoders --formats png --only 16      a batch that was deadly

Pictures are scikit-image's, in the variants of `VARIANTS`; file number i of a format is a function of (seed, format, i), so a
number names a file. The child notes the number before it feeds a batch; when it dies (or hangs for `PATIENCE` seconds) the
parent knows which batch did it, and starts another child behind it.

Roads: "loader" is what gpuaug.DataLoader does with an image (`load_image`, the decoder, Pillow as the second try), "windows"
what it does with an image of which it reads a part, "mask" with a mask, "host" what `dataset[i]` does, "dali" is DALI behind the
look at the size alone.
"""

import argparse
import io
import mmap
import os
import random
import signal
import struct
import subprocess
import sys
import time
import warnings
import zlib
from functools import cache
from pathlib import Path

import numpy as np
from PIL import Image

PATIENCE = 300.0  # seconds for one file, and for a child to begin
BATCH, DAMAGED = 32, 8  # files in a batch, and how many of them are damaged
MAX_PIXELS = 4_000_000  # a damaged size of more is refused: the library's time and memory are not what is looked at here
ROOT = Path(__file__).resolve().parents[1]


def _saved(image, form, **how):
    file = io.BytesIO()
    image.save(file, form, **how)
    return file.getvalue()


def _interlaced(image):
    """A PNG in Adam7's order, which Pillow reads and does not write."""
    pixels = np.asarray(image)
    rows = b""
    for y0, x0, dy, dx in ((0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2), (1, 0, 2, 1)):
        for row in pixels[y0::dy, x0::dx]:
            rows += b"\0" + row.tobytes()
    head = struct.pack(">IIBBBBB", image.width, image.height, 8, 2, 0, 0, 1)
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", head) + _chunk(b"IDAT", zlib.compress(rows)) + _chunk(b"IEND", b"")


def _deep(image):
    """RGB of 16 bits, which Pillow does not write either."""
    pixels = np.asarray(image).astype(">u2") * 257
    rows = b"".join(b"\0" + row.tobytes() for row in pixels)
    head = struct.pack(">IIBBBBB", image.width, image.height, 16, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", head) + _chunk(b"IDAT", zlib.compress(rows)) + _chunk(b"IEND", b"")


def _chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _wide(image):
    return Image.fromarray(np.asarray(image.convert("L")).astype(np.uint16) * 257)


def _alpha(image):
    image = image.copy()
    image.putalpha(image.convert("L"))
    return image


TURNED = Image.Exif()
TURNED[0x0112] = 6  # orientation: to be shown turned by 90 degrees

VARIANTS = {
    "jpeg": [lambda im: _saved(im, "JPEG"), lambda im: _saved(im.convert("L"), "JPEG"),
             lambda im: _saved(im.convert("CMYK"), "JPEG"), lambda im: _saved(im, "JPEG", subsampling=0, restart_marker_blocks=3),
             lambda im: _saved(im, "JPEG", exif=TURNED)],
    "jpeg-progressive": [lambda im: _saved(im, "JPEG", progressive=True),
                         lambda im: _saved(im.convert("L"), "JPEG", progressive=True)],
    "png": [lambda im: _saved(im, "PNG"), lambda im: _saved(_alpha(im), "PNG"), lambda im: _saved(im.convert("L"), "PNG")],
    "png-exif": [lambda im: _saved(im, "PNG", exif=TURNED)],
    "png-16": [lambda im: _saved(_wide(im), "PNG"), _deep],
    "png-palette": [lambda im: _saved(im.quantize(200), "PNG"), lambda im: _saved(im.quantize(5), "PNG", transparency=b"\0\x80"),
                    lambda im: _saved(im.convert("1"), "PNG")],
    "png-interlaced": [_interlaced],
    "bmp": [lambda im: _saved(im, "BMP"), lambda im: _saved(im.convert("L"), "BMP"), lambda im: _saved(im.quantize(9), "BMP"),
            lambda im: _saved(im.convert("1"), "BMP")],
    "tiff": [lambda im: _saved(im, "TIFF"), lambda im: _saved(im, "TIFF", compression="tiff_lzw"),
             lambda im: _saved(im, "TIFF", compression="jpeg"), lambda im: _saved(im, "TIFF", compression="tiff_adobe_deflate"),
             lambda im: _saved(im.convert("1"), "TIFF", compression="group4"), lambda im: _saved(_wide(im), "TIFF"),
             lambda im: _saved(im.convert("F"), "TIFF"), lambda im: _saved(im.quantize(50), "TIFF"),
             lambda im: _saved(im, "TIFF", exif=TURNED)],
    "webp": [lambda im: _saved(im, "WEBP"), lambda im: _saved(im, "WEBP", lossless=True), lambda im: _saved(_alpha(im), "WEBP"),
             lambda im: _saved(im, "WEBP", exif=TURNED)],
    "jpeg2000": [lambda im: _saved(im, "JPEG2000"), lambda im: _saved(im, "JPEG2000", no_jp2=True),
                 lambda im: _saved(im.convert("L"), "JPEG2000"),
                 lambda im: _saved(im, "JPEG2000", irreversible=True, tile_size=(32, 32))],
    "ppm": [lambda im: _saved(im, "PPM"), lambda im: _saved(im.convert("L"), "PPM"), lambda im: _saved(im.convert("1"), "PPM")],
    "gif": [lambda im: _saved(im.quantize(60), "GIF")],
    "avif": [lambda im: _saved(im, "AVIF", speed=10)],
}  # fmt: skip


@cache
def pictures(form):
    """Good files of a format: 3 pictures of different sizes in each of its variants."""
    from gpuaug.photographs import photographs

    made = []
    for name, size in (("astronaut", (250, 180)), ("cat", (96, 64)), ("coffee", (33, 41))):
        image = Image.fromarray(photographs()[name]).resize(size)
        made += [np.frombuffer(variant(image), np.uint8) for variant in VARIANTS[form]]
    return made


EXTREMES = np.array([0, 1, 0x7F, 0x80, 0xFF], np.uint8)


def damaged(form, seed, number):
    """(bytes of a damaged file, how it was damaged)."""
    rng = np.random.default_rng([seed, list(VARIANTS).index(form), number])
    files = pictures(form)
    data = files[rng.integers(len(files))].copy()
    steps = []
    for _ in range(rng.choice([1, 1, 1, 2, 3])):
        if len(data) < 4:
            break
        # half of the places in the first 64 bytes, where the sizes and types are
        at = int(rng.integers(min(64, len(data)) if rng.random() < 0.5 else len(data)))
        kind = rng.choice(["cut", "cut", "flip", "bytes", "zero", "extreme", "swap", "remove", "insert", "repair"])
        if kind == "cut":
            data = data[: max(1, int(rng.integers(len(data))))]
        elif kind == "flip":
            for place in rng.integers(len(data), size=rng.integers(1, 12)):
                data[place] ^= 1 << rng.integers(8)
        elif kind == "bytes":
            data[at : at + rng.integers(1, 9)] = rng.integers(256)
        elif kind == "zero":
            data[at : at + rng.integers(1, 400)] = 0
        elif kind == "extreme":
            data[at : at + rng.choice([1, 2, 4])] = rng.choice(EXTREMES)
        elif kind == "swap":  # the head of one file on the body of another
            other = files[rng.integers(len(files))]
            data = np.concatenate([other[:at], data[at:]])
        elif kind == "remove":
            data = np.delete(data, slice(at, at + int(rng.integers(1, 40))))
        elif kind == "insert":
            data = np.insert(data, at, rng.integers(0, 256, int(rng.integers(1, 40)), np.uint8))
        elif form.startswith("png"):  # flipped behind the checksums: they are right again
            data[at] ^= 1 << rng.integers(8)
            data = _repaired(data)
        steps.append(f"{kind}@{at}")
    return data.tobytes(), "+".join(steps)


def form_of(forms, number):
    """The format of the batch in which file `number` is: one child can go through several, "jpeg+png", batch by batch."""
    forms = forms.split("+")
    return forms[number // DAMAGED % len(forms)]


def _repaired(data):
    data, at = bytearray(data.tobytes()), 8
    while at + 12 <= len(data):
        length = int.from_bytes(data[at : at + 4], "big")
        if at + 12 + length > len(data):
            break
        data[at + 8 + length : at + 12 + length] = zlib.crc32(data[at + 4 : at + 8 + length]).to_bytes(4, "big")
        at += 12 + length
    return np.frombuffer(bytes(data), np.uint8).copy()


# ---- the child ------------------------------------------------------------------------------------------------------------


class Feeder:
    """Feeds files to a road. What a library does may depend on what else it decodes: DALI 2.4 dies of a cut PNG among 31
    others and not of the same one alone, so that images go in batches."""

    def __init__(self, road):
        sys.path.insert(0, str(ROOT))
        from gpuaug.data import decode, headers, host_read

        self._decode, self._headers, self._host_read = decode, headers, host_read
        self._decoder = None
        self._windows = road == "windows"
        self.road = {"dali": self._dali, "loader": self._loader, "windows": self._loader}.get(road) or self._alone(road)

    def __call__(self, damaged, good):
        """How many of the damaged files were decoded."""
        return self.road([np.frombuffer(data, np.uint8) for data in damaged], good)

    def _alone(self, road):
        def one(data):
            if road == "mask":
                return self._decode.load_mask(data, MAX_PIXELS)
            return self._host_read.read_image(data.tobytes(), "sample 0")

        return lambda damaged, good: sum(_works(one, data) is not None for data in damaged)

    def _dali(self, damaged, good):
        def sized(data):
            header = self._headers.read_header(data)
            self._headers.check_pixels(header, MAX_PIXELS)
            return data if header.format in self._headers.DALI_FORMATS else None

        files = [data for data in damaged if _works(sized, data) is not None]
        decoded = self._batch(files, good, guarded=False)
        if decoded < len(files):
            self._decode.find_faults(files)
        return decoded

    def _loader(self, damaged, good):
        loaded, good = ([d for d in (_works(self._load, data) for data in files) if d is not None] for files in (damaged, good))
        decoded = self._batch(loaded, good)
        if decoded < len(loaded):  # as the loader does: each alone, the faulty by Pillow, the rest again
            faults = self._decode.find_faults(loaded)
            again = [_works(self._decode.by_pillow, data) if k in faults else data for k, data in enumerate(loaded)]
            decoded = self._batch([data for data in again if data is not None], good)
        return decoded

    def _load(self, data):
        return self._decode.load_image(data, MAX_PIXELS)

    def _batch(self, files, good, guarded=True):
        batch = [*files, *good]
        random.Random(len(files)).shuffle(batch)
        self._decoder = self._decoder or self._decode.Decoder(["image"], BATCH, 2, windows=self._windows)
        if not guarded:
            self._decoder._parse = lambda files: None
        ends = np.sort(np.random.default_rng(len(batch[0])).random((2, len(batch), 2), np.float32), 0)
        self._decoder.feed({"image": batch}, ends if self._windows else None)
        try:
            self._decoder.take()
        except RuntimeError:
            self._decoder = None
            return 0
        return len(files)


def _works(function, data):
    try:
        return function(data)
    except ValueError:
        return None


def child(road, form, seed, start, count, progress):
    """Feeds the files from `start` on. `progress`: two numbers in a file, the file being fed, and how many were decoded."""
    warnings.simplefilter("ignore")
    with open(progress, "r+b") as file:
        note = np.frombuffer(mmap.mmap(file.fileno(), 16), np.int64)
        feed = Feeder(road)
        for number in range(start, count, DAMAGED):
            kind = form_of(form, number)
            files, good = [damaged(kind, seed, k)[0] for k in range(number, min(number + DAMAGED, count))], pictures(kind)
            note[0] = number
            note[1] += feed(files, [good[k % len(good)] for k in range(BATCH - DAMAGED)])
        note[0] = count


# ---- the parent -----------------------------------------------------------------------------------------------------------


def fuzz(road, form, count, seed=0, scratch="/tmp", start=0, say=lambda text: None):
    """{"decoded": how many, "killers": [(the format, the first number of the batch, what ended the child)]}."""
    progress = Path(scratch) / f"fuzz-{os.getpid()}-{road}-{form}"
    progress.write_bytes(np.array([start, 0], np.int64).tobytes())
    killers = []
    try:
        while start < count:
            command = [sys.executable, __file__, "--child", road, form, str(seed), str(start), str(count), str(progress)]
            process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, errors="replace")
            ended = _ended(process, progress)
            at = int(np.fromfile(progress, np.int64)[0])
            if ended is None:
                break
            if at >= count:
                break
            batch = range(at, min(at + DAMAGED, count))
            killers.append((form_of(form, at), at, ended))
            kind = form_of(form, at)
            say(f"{kind} {at}-{batch[-1]}: {ended} ({', '.join(damaged(kind, seed, k)[1] for k in batch)})")
            start = batch.stop
        decoded = int(np.fromfile(progress, np.int64)[1])
    finally:
        progress.unlink()
    return {"decoded": decoded, "killers": killers}


def _ended(process, progress):
    """None for a child that ended well, else what ended it."""
    at, since = None, time.monotonic()
    while True:
        try:
            _, errors = process.communicate(timeout=1.0)
            break
        except subprocess.TimeoutExpired:
            now = int(np.fromfile(progress, np.int64)[0])
            if now != at:
                at, since = now, time.monotonic()
            elif time.monotonic() - since > PATIENCE:
                process.kill()
                process.communicate()
                return f"nothing for {PATIENCE:.0f} s"
    if process.returncode == 0:
        return None
    if process.returncode < 0:
        return signal.Signals(-process.returncode).name
    return errors.strip().rsplit("\n", 1)[-1] or f"exit status {process.returncode}"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--road", default="loader", choices=["loader", "windows", "mask", "host", "dali"])
    parser.add_argument("--formats", nargs="+", default=list(VARIANTS), choices=list(VARIANTS))
    parser.add_argument("--count", type=int, default=300)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", type=int, help="feed only the batch that begins with this file")
    options = parser.parse_args()
    start = options.only or 0
    count, killed = (options.count if options.only is None else start + DAMAGED), 0
    for form in options.formats:
        began = time.monotonic()
        found = fuzz(options.road, form, count, options.seed, start=start, say=lambda text: print("  ", text, flush=True))
        killed += len(found["killers"])
        print(f"{form}: {found['decoded']} of {count - start} decoded, {len(found['killers'])} deadly batches "
              f"({time.monotonic() - began:.0f} s)", flush=True)  # fmt: skip
    sys.exit(bool(killed))


if __name__ == "__main__":
    if sys.argv[1:2] == ["--child"]:
        road, form, *numbers, progress = sys.argv[2:]
        child(road, form, *map(int, numbers), progress)
    else:
        main()
