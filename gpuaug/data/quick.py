"""Decoding where libjpeg-turbo is installed: JPEGs of which only a part is needed, with `DataLoader(decode="fast")` also at 1/2,
1/4 or 1/8 of their size.

What a plan reads of them, and how densely, is known before (`gpuaug.reach.Reach.shrink`). libjpeg-turbo (turbo.py) decodes that
in threads of this decoder, into one block of memory a batch that is used again: at full size to the same bits as DALI, in nine
tenths of its time (0.47 ms against 0.53 for windows of 500x375). All others (other formats, rare JPEGs) are decoded by DALI, or
Pillow. What libjpeg-turbo refuses, or has a warning about, is given to that one, too: it decides what is a bad sample.
"""

import os
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import torch

from ..batch import Batch
from ..pool import POOL
from ..reduced import scaled_size
from . import decode
from .turbo import Scaler, aligned, in_file, upright

ALIGN = 64


class QuickDecoder:
    """As `decode.Decoder`, for one target; a batch of which images were scaled comes as a `Batch`."""

    windows = scales = True

    def __init__(self, names, capacity, threads):
        self.names, self.capacity, self.threads, self.in_flight, self.pid = tuple(names), capacity, threads, 0, os.getpid()
        self._fed, self._exact = [], None

    def feed(self, encoded, windows=None, reach=None, common=None, turns=None):
        """Starts decoding. reach: of this batch, whose `part` and `scale` say what to make; common: which are JPEGs for
        libjpeg-turbo; turns: EXIF orientations."""
        (name,) = self.names
        files, mine = encoded[name], [] if reach is None else np.flatnonzero(common).tolist()
        scaled = _Scaled(files, mine, reach, turns, self.threads) if mine else None
        rest = sorted({*range(len(files))}.difference(mine))
        if rest:
            self._exact = self._exact or decode.make(self.names, self.capacity, self.threads, None, True)
            if windows is not None:
                windows = tuple(each[rest] for each in windows)
            _feed(self._exact, {name: [files[k] for k in rest]}, windows)
        self._fed.append((files, reach, scaled, rest))
        self.in_flight += 1

    def take(self, stream=None):
        """The oldest batch, as {name: images}, waiting for it. RuntimeError if one of its images is bad."""
        (name,), (files, reach, scaled, rest) = self.names, self._fed.pop(0)
        self.in_flight -= 1
        images = _part(self._exact, self._exact.take()[name], reach, rest) if rest else None
        if scaled is None:
            return {name: images}
        failed = scaled.wait()
        others = [images]
        if failed:
            reach.exactly(failed)
            # whole: of damaged ones a part decoded by itself may have other pixels
            again = decode.make(self.names, len(failed), self.threads)
            _feed(again, {name: [files[k] for k in failed]}, None)
            others.append(_part(again, again.take()[name], reach, failed))
        return {name: scaled.batch([(rest, images), (failed, others[-1])], others)}


def _feed(decoder, encoded, windows):
    decoder.feed(encoded, windows) if decoder.windows else decoder.feed(encoded)


def _part(decoder, images, reach, positions):
    """The windows of images that were decoded whole."""
    if decoder.windows or reach is None:
        return images
    found = []
    for image, (y0, x0, y1, x1), size in zip(images, reach.window[positions].tolist(), reach.size[positions].tolist()):
        image = np.asarray(image)
        fits = image.shape[:2] == tuple(size)  # else its header lies, and `foresight.within` is to see it
        found.append(image[y0:y1, x0:x1] if fits else np.zeros((y1 - y0 + 1, x1 - x0, 3), np.uint8))
    return found


class _Scaled:
    """Those of a batch that libjpeg-turbo decodes: where they go, and the threads that bring them there."""

    def __init__(self, files, mine, reach, turns, threads):
        self.size = (reach.part[:, 2:] - reach.part[:, :2]).astype(np.int32)
        self.at, self.stride = np.zeros(len(files), np.int64), np.zeros((len(files), 3), np.int64)
        jobs, total = [], 0
        whole, upright_size = scaled_size(reach.size, reach.scale), reach.size.tolist()
        for k in mine:
            scale, turn, size = int(reach.scale[k]), int(turns[k]), whole[k].tolist()
            in_the_file = tuple(upright_size[k][:: -1 if turn > 4 else 1])
            window = in_file(reach.part[k].tolist(), size, turn)
            part = aligned(window, scale, size[0] if turn > 4 else size[1])
            shape = part[2] - part[0], part[3] - part[1], 3
            place = window[1] - part[1], window[3] - window[1], shape, total
            jobs.append((k, files[k], scale, turn, part, *place, in_the_file))
            total += -(-shape[0] * shape[1] * 3 // ALIGN) * ALIGN
        self._block, self._failed, self._turned = POOL.array((total,), np.dtype(np.uint8)), [], []
        base = self._block.ctypes.data
        for k, _, _, turn, _, left, _, shape, start, _ in jobs:
            if turn == 1:
                self.at[k], self.stride[k] = base + start + 3 * left, (3 * shape[1], 3, 1)
        jobs = iter(sorted(jobs, key=lambda job: -len(job[1])))  # the longest first, so that threads end together
        pool = ThreadPoolExecutor(threads, "gpuaug-decode")
        # `next` of an iterator over a list is one step under Python's lock
        self._done = [pool.submit(self._decode, jobs) for _ in range(min(threads, len(mine)))]
        pool.shutdown(wait=False)  # its threads end with the batch, so that there is nothing to close

    def _decode(self, jobs):
        scaler = Scaler()
        try:
            for k, data, scale, turn, part, left, width, shape, start, size in jobs:
                into = self._block[start : start + shape[0] * shape[1] * 3]
                try:
                    scaler.decode(data, scale, part, into, size)
                except ValueError:
                    self._failed.append(k)
                    continue
                if turn != 1:
                    pixels = np.ascontiguousarray(upright(into.reshape(shape)[:, left : left + width], turn))
                    self.at[k], self.stride[k] = pixels.ctypes.data, (3 * pixels.shape[1], 3, 1)
                    self._turned.append(pixels)
        finally:
            scaler.close()

    def wait(self):
        """Positions of those that could not be decoded, once all were tried."""
        for done in self._done:
            done.result()
        return sorted(self._failed)

    def batch(self, more, owners):
        """All as a Batch. more: (positions, images) that were decoded otherwise."""
        for positions, images in more:
            if len(positions):
                found = Batch.of(images)
                self.at[positions], self.size[positions], self.stride[positions] = found.address, found.size, found.stride
        owner = (self._block, self._turned, owners)
        return Batch(self.at, self.size, self.stride, 3, "uint8", torch.device("cpu"), owner)
