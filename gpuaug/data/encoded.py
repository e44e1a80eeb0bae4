"""The DALI road, as the consumer sees it: what it is made of, and what comes out.

plan -> Reader (dataset.encoded, files read by a pool of threads) -> policy for bad samples -> Decoder -> channel
"""

import weakref
from dataclasses import dataclass, field

import numpy as np

from .channel import Closed


@dataclass
class Loaded:
    """A batch that is decoded but not transformed. `rest` is its structure with Slots for the targets in `data`."""

    data: dict
    rest: object
    ids: np.ndarray
    occurrence: np.ndarray
    position: object
    indices: list
    single: bool = False  # batch_size=None: one sample without a batch axis
    listed: bool = False  # `rest` is the list of samples, for a collate_fn of the user's
    ready: object = None  # CUDA event after which `data` may be read
    state: tuple | None = None  # as Planned has it
    done: tuple | None = (
        None  # (what was made of it ahead,): the batch, or where `listed` the targets' values (`gpuaug.data.ahead`)
    )


@dataclass
class Recipe:
    """What the road does with each sample; shared by all epochs of a loader."""

    fetch: object  # index -> sample with encoded leaves; None: `plan` brings the samples
    paths: dict  # {target name: path in the structure}, of the first samples
    find: object  # finder.Finder: the same for each sample
    masks: frozenset  # names that are masks
    passed: frozenset  # names that are handed over as they are: boxes, keypoints
    on_error: str
    errors: object
    max_pixels: int | None
    threads: int
    ahead: int  # batches whose files are read in advance
    capacity: int
    device: object
    keyed: bool = True  # an index means the same sample whenever it comes; not so in a stream
    path_of: object = None
    length: int | None = None
    thread_safe: bool = False  # `fetch` may be called by several threads at a time
    mask_types: dict = field(default_factory=dict)  # {target: NumPy type} of masks that are files
    listed: bool = False  # leave the samples apart, for a collate_fn of the user's
    by_pillow: set = field(default_factory=set)  # samples that only Pillow decodes
    idle: list = field(default_factory=list)  # decoders to use again
    stored: tuple | None = None  # (a Cached, function from index to its index) for pictures that need no decoding

    def __post_init__(self):
        self.images = [n for n in self.paths if n not in self.masks and n not in self.passed]


class EncodedRoad:
    """Iterates over Loaded batches of a Producer; ends its thread when it is closed, dropped or the process exits."""

    def __init__(self, producer, timeout=0):
        self._producer, self._timeout = producer, timeout or None
        self.close = weakref.finalize(self, producer.close)

    def __iter__(self):
        return self

    def leave(self):
        """Tell the thread to end, without waiting for it."""
        self._producer.channel.close()

    def _next(self):
        """Of the channel. A timeout is for reading and decoding: compiling kernels, of a first batch, may take longer."""
        producer = self._producer
        while True:
            try:
                return producer.channel.get(self._timeout, producer.thread.is_alive)
            except TimeoutError:
                # in this order: what was finished meanwhile is in the channel before `finishing` is False
                if not producer.finishing and not producer.channel.ready():
                    raise

    def __next__(self):
        try:
            loaded = self._next()
        except TimeoutError:
            self.close()
            raise RuntimeError(f"DataLoader timed out after {self._timeout} seconds") from None
        except Closed:
            self.close()
            raise RuntimeError("the loader's thread is gone: was this iterator carried into a forked process?") from None
        except BaseException:  # Ctrl-C
            self.close()
            raise
        if isinstance(loaded, Loaded):
            return loaded
        self.close()
        raise StopIteration if loaded is None else loaded
