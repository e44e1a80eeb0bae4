"""Decoding on DALI: encoded files in, one contiguous ragged uint8 buffer per batch out.

The pipeline is only an `external_source` and a decoder. It is driven by `feed_input`, `schedule_run` and `outputs`
instead of a callback, so the order of what is in flight is ours, an epoch ends by not feeding any more, and a batch may
have any size. On 2 cores this decodes at 0.98-1.0 of the rate of a bare `readers.file` pipeline with `pipe.run()`; files read
by Python threads cost the same as `fn.io.file.read` (2,072 against 2,008 images/s, 500x375 JPEG) and let us look at the header
before the decoder does.
"""

import ctypes
import functools
import importlib.metadata
import importlib.util
import os
import warnings
import weakref
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from . import host_read
from .headers import check_pixels, read_header
from .remote import read
from .remote_errors import RemoteError
from .urls import is_url, local

_live = weakref.WeakSet()
_ENDS = ("rel_start", "rel_end")  # of a window, as DALI calls them


class Decoder:
    """Decodes batches of encoded images to RGB, in the order in which they are fed.

    names: the targets that are images; one decoder each. capacity: the largest batch. threads: CPU threads.
    device_id: None for the CPU, or a CUDA device, whose hardware then decodes (DALI's "mixed").
    windows: decode of each image the part that `feed` names.
    An error leaves it unusable: make a new one (3-10 ms on the CPU).

    A header that DALI 2.4 cannot read to its end may end the process: one of its threads gives up the batch and the operator is
    taken down while the others still read (of 6 epochs over 500 PNGs of which 10 were cut, 2 died). So no such header is fed:
    `read_header` walks the segments of a JPEG, and other formats go through DALI's own parser first, in an operator
    that waits for its threads (11 us an image; walking costs 3).
    """

    scales = False

    def __init__(self, names, capacity, threads, device_id=None, windows=False):
        from nvidia.dali import Pipeline, fn, types

        self.names, self.capacity, self.device_id, self.windows = tuple(names), capacity, device_id, windows
        self.threads, self.in_flight, self.pid = threads, 0, os.getpid()
        # depth 1: with feed_input the depth only says how many runs the first schedule_run starts; how far we run
        # ahead is the caller's choice
        self._pipe = Pipeline(capacity, threads, device_id, prefetch_queue_depth=1)
        with self._pipe:
            images = []
            for name in self.names:
                encoded = fn.external_source(name=name, device="cpu", dtype=types.UINT8, ndim=1, no_copy=True)
                device = "cpu" if device_id is None else "mixed"
                if windows:
                    ends = {word: fn.external_source(name=name + word, dtype=types.FLOAT, ndim=1) for word in _ENDS}
                    image = fn.decoders.image_slice(encoded, **ends, axis_names="HW", device=device, output_type=types.RGB)
                else:
                    image = fn.decoders.image(encoded, device=device, output_type=types.RGB)
                images.append(image)
            self._pipe.set_outputs(*images)
        self._pipe.build()
        self._fed, self._parser = [], None
        _live.add(self)

    def feed(self, encoded, windows=None):
        """Starts decoding a batch: {name: list of uint8 arrays}. Returns at once; `take` gives the result.

        windows: (starts, ends), float32 ``[B, 2]`` each, of y and x as fractions of an image; None: all of it.
        """
        self.in_flight += 1
        error = self._parse([data for name in self.names for data in encoded[name] if not _is_jpeg(data)])
        self._fed.append(error or encoded)  # no_copy: the bytes must stay until they are decoded
        if error is None:
            for name in self.names:
                self._pipe.feed_input(name, encoded[name])
                for k, word in enumerate(_ENDS if self.windows else ()):
                    whole = np.full((len(encoded[name]), 2), k, np.float32)
                    self._pipe.feed_input(name + word, list(whole if windows is None else windows[k]))
            self._pipe.schedule_run()

    def _parse(self, files):
        """The error that DALI's parser has for one of the files, or None."""
        if not files:
            return None
        if self._parser is None:
            self._parser = _Parser(self.capacity * len(self.names))
            _live.add(self._parser)
        try:
            self._parser(files)
        except RuntimeError as error:
            self._parser = None
            return error
        return None

    def take(self, stream=None):
        """The oldest batch as {name: TensorList}, waiting for it. RuntimeError if one of its images is bad.

        stream: a CUDA stream to order the result on instead of waiting for the device.
        """
        if isinstance(self._fed[0], RuntimeError):
            self.in_flight -= 1
            raise self._fed.pop(0)
        try:
            outputs = self._pipe.outputs(stream) if stream is not None else self._pipe.outputs()
        finally:
            self.in_flight -= 1
            self._fed.pop(0)
        return dict(zip(self.names, outputs))


class _Parser:
    """DALI's look at the headers of a batch."""

    def __init__(self, capacity):
        from nvidia.dali import Pipeline, fn, types

        self._pipe = Pipeline(capacity, 1, None, prefetch_queue_depth=1)
        with self._pipe:
            encoded = fn.external_source(name="files", device="cpu", dtype=types.UINT8, ndim=1, no_copy=True)
            self._pipe.set_outputs(fn.peek_image_shape(encoded))
        self._pipe.build()

    def __call__(self, files):
        self._pipe.feed_input("files", files)
        self._pipe.schedule_run()
        self._pipe.outputs()


def _is_jpeg(data):
    return len(data) > 2 and data[0] == 0xFF and data[1] == 0xD8


class PillowDecoder:
    """The same by Pillow, where DALI is not installed: slower, on the CPU, a list of arrays instead of a TensorList."""

    windows = scales = False

    def __init__(self, names, capacity, threads, device_id=None):
        self.names, self.capacity, self.in_flight, self.pid = tuple(names), capacity, 0, os.getpid()
        self.threads, self._fed = threads, []

    def feed(self, encoded):
        pool = ThreadPoolExecutor(self.threads, "gpuaug-decode")
        self._fed.append({name: [pool.submit(host_read.rgb, data) for data in encoded[name]] for name in self.names})
        pool.shutdown(wait=False)  # its threads end with the batch, so that there is nothing to close
        self.in_flight += 1

    def take(self, stream=None):
        self.in_flight -= 1
        try:
            return {name: [image.result() for image in images] for name, images in self._fed.pop(0).items()}
        except ValueError as error:
            raise RuntimeError(str(error)) from error


def make(names, capacity, threads, device_id=None, windows=False):
    """A decoder: DALI's, or Pillow's where DALI is not installed, which is said once, and which decodes whole images only."""
    try:
        return Decoder(names, capacity, threads, device_id, windows)
    except ImportError as error:
        _warn_of_pillow(str(error))
        return PillowDecoder(names, capacity, threads)


@functools.cache
def _warn_of_pillow(reason):
    warnings.warn(
        f"DALI cannot be imported ({reason}), so that Pillow decodes the images, on the CPU and at about half the speed: "
        f"pip install 'gpuaug[cuda13]' or 'gpuaug[cuda12]', as torch.version.cuda says",
        RuntimeWarning,
        stacklevel=2,
    )


def decoder_name():
    """What decodes image files here: "DALI 2.4.0", or "Pillow 12.0.0" where DALI is not installed."""
    if importlib.util.find_spec("nvidia") and importlib.util.find_spec("nvidia.dali"):
        found = [d for d in importlib.metadata.packages_distributions().get("nvidia", ()) if "-dali-" in d]
        return f"DALI {importlib.metadata.version(found[0])}" if found else "DALI"
    return f"Pillow {importlib.metadata.version('pillow')}"


def shapes(images):
    """The shape of each image of a TensorList or list."""
    return images.shape() if hasattr(images, "data_ptr") else [image.shape for image in images]


def find_faults(batch, device_id=None):
    """{position: what DALI says} for the images of a batch that cannot be decoded, each tried by itself (1.5 ms each)."""
    faults, decoder = {}, None
    for k, encoded in enumerate(batch):
        decoder = decoder or make(["image"], 1, 1, device_id)
        decoder.feed({"image": [encoded]})
        try:
            decoder.take()
        except RuntimeError as error:
            faults[k], decoder = str(error), None
    return faults


def read_file(path):
    """The bytes of a file or URL as a uint8 array. ValueError says in words why it cannot be read."""
    path = local(path)
    if is_url(path):
        try:
            return np.frombuffer(read(path), np.uint8)
        except RemoteError as error:
            raise ValueError(error.reason) from None
    try:
        with open(path, "rb", buffering=0) as file:
            data = file.readall()
    except FileNotFoundError:
        raise ValueError("no such file") from None
    except IsADirectoryError:
        raise ValueError("it is a directory") from None
    except PermissionError:
        raise ValueError("permission denied") from None
    except OSError as error:
        raise ValueError(error.strerror or str(error)) from None
    return np.frombuffer(data, np.uint8)


def load_image(source, max_pixels):
    """Encoded bytes that DALI can be given, from a path or bytes; ValueError if there is no use in trying.

    What only Pillow reads, or reads as it is meant (GIF, AVIF, 16 bits per colour, a PNG that is not whole), comes back as PPM,
    which costs DALI a copy.
    """
    data = _bytes_of(source)
    header = read_header(data)
    check_pixels(header, max_pixels)
    return data if header.plain else by_pillow(data)


def _bytes_of(source):
    if isinstance(source, (str, os.PathLike)):
        return read_file(source)
    if isinstance(source, (bytes, bytearray, memoryview)):
        return np.frombuffer(source, np.uint8)
    return np.asarray(source, np.uint8)


def by_pillow(data):
    """An image decoded by Pillow to RGB and written as PPM bytes; ValueError with Pillow's reason if it fails too."""
    pixels = host_read.rgb(data)
    return np.frombuffer(b"P6\n%d %d\n255\n" % pixels.shape[1::-1] + pixels.tobytes(), np.uint8)


def load_mask(source, max_pixels):
    """A mask decoded without colour conversion, from a path or bytes: see `host_read.values`."""
    data = _bytes_of(source)
    check_pixels(read_header(data), max_pixels)
    return host_read.values(data)


def _disown():
    # A pipeline's destructor joins its threads, which a forked child does not have: it would fail or wait forever at
    # exit. The child forgets the pipelines without destroying them.
    for decoder in list(_live):
        native, decoder._pipe._pipe = decoder._pipe._pipe, None
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(native))


os.register_at_fork(after_in_child=_disown)
