"""gpuaug in Ray Data: `Augment` for ``Dataset.map_batches``, on actors with or without a GPU, on any number of nodes.

    images = ray.data.read_binary_files(path, include_paths=True)
    augmented = images.map_batches(
        Augment,
        fn_constructor_kwargs={"compose": compose, "image": "bytes", "ids": "path"},
        batch_size=64, num_gpus=1, compute=ray.data.ActorPoolStrategy(size=4),
    )

Ray splits data into blocks as it sees fit. What a row gets depends on its id and the epoch alone, so blocks, actors
and nodes do not matter.
"""

import hashlib
import sys

import numpy as np
import torch

from ..batch import Batch
from ..device import chosen
from ..uniforms import IDS

__all__ = ["Augment"]


class Augment:
    """A callable class that augments the images of a batch of rows.

    Args:
        compose: a `gpuaug.Compose` with a seed, as actors must agree on it. Images must end with one size.
        image: the column of images: arrays [H, W, C] (``ray.data.read_images``), or encoded files as bytes
            (``ray.data.read_binary_files``), which DALI decodes on the actor's device.
        mask: a column of masks that move with them: arrays [H, W], or encoded files as bytes.
        ids: the column that names a row: integers, or anything with a stable text, such as a path. Without it a row is
            named by the content of its image, so equal images get equal draws.
        epoch: pass another one for another pass over the data.
        device: "cuda" or "cpu"; None takes the GPU that Ray gave the actor, if it did.
        dtype: torch dtype of the result; the object store holds NumPy arrays, so not bfloat16.
        max_pixels: encoded images that claim more are refused.
        threads: CPU threads that decode; None takes what Ray gave the actor.
        untouched: columns that are handed on as they are although they look like pictures, maps, boxes or points. Every other
            such column is an error: it would no longer fit its image.

    The result has the same columns, the image as [C, H, W].

    Example:
        >>> import numpy as np, gpuaug as G
        >>> augment = Augment(G.Compose([G.HorizontalFlip(p=1), G.ToTensorV2()], seed=0), ids="id", device="cpu")
        >>> rows = {"id": np.array([4, 7]), "image": np.zeros((2, 6, 8, 3), np.uint8)}  # what map_batches hands over
        >>> augment(rows)["image"].shape
        (2, 3, 6, 8)
    """

    def __init__(
        self,
        compose,
        image="image",
        mask=None,
        ids=None,
        epoch=0,
        device=None,
        dtype=None,
        max_pixels=178_956_970,
        threads=None,
        untouched=(),
    ):
        if not hasattr(compose, "run"):
            raise TypeError(f"compose must be a gpuaug.Compose, got {type(compose).__name__}")
        if compose.seed is None:
            raise ValueError("compose has no seed: pass Compose(..., seed=...), or every actor would draw differently")
        if dtype == torch.bfloat16:
            raise ValueError("dtype must not be torch.bfloat16: NumPy, which Ray stores batches in, does not have it")
        self.compose, self.image, self.mask, self.ids, self.epoch = compose, image, mask, ids, epoch
        self.device = chosen(device, "best")
        self.dtype, self.max_pixels = dtype, max_pixels
        self.threads = threads or _granted_cpus()
        self.untouched = (untouched,) if isinstance(untouched, str) else tuple(untouched)
        self._decoder = None

    def __call__(self, batch):
        """What Ray calls, with ``{column: array of the rows' values}``."""
        for name in (self.image, self.mask, self.ids):
            if name is not None and name not in batch:
                raise KeyError(f"the rows have no column {name!r}; they have {', '.join(batch)}")
        if not len(batch[self.image]):
            return batch
        self._check_columns(batch)
        ids = self._ids(batch)
        names = [_row_name(batch, self.ids, k) for k in range(len(ids))]
        targets = {"image": self._pixels(batch[self.image], names)}
        if self.mask is not None:
            targets["mask"] = self._masks(batch[self.mask], names)
        out = self.compose.run(targets, ids=ids, epoch=self.epoch, device=self.device, dtype=self.dtype)
        result = {**batch, self.image: out["image"].cpu().numpy()}  # synchronizes: Ray takes NumPy
        if self.mask is not None:
            result[self.mask] = out["mask"].cpu().numpy()
        return result

    def _check_columns(self, batch):
        """ValueError for a column that could be a target and is none."""
        from ..data.asked import UNTOUCHED
        from ..data.recognize import find
        from ..data.survey import asked

        named = {name: where for name, where in (("image", self.image), ("mask", self.mask)) if where is not None}
        told = asked(self.compose, {**named, UNTOUCHED: [*self.untouched, *([self.ids] if self.ids is not None else [])]})
        try:
            found = find({name: column[0] for name, column in batch.items()}, told)
        except ValueError as error:
            said = str(error).split(" Say what it is")[0]
            raise ValueError(f"{said} Augment moves image= and mask=; to hand a column on: untouched=[its name]") from None
        for name, (column, *_) in found.items():
            if name not in named and told.mover:
                raise ValueError(
                    f"the column {column!r} looks like the rows' {name}, which Augment would leave as it is while {told.mover} "
                    f"moves the image: pass {'mask' if name == 'mask' else 'untouched'}={column!r}"
                )

    def _ids(self, batch):
        column = batch[self.image if self.ids is None else self.ids]
        if self.ids is not None and column.dtype.kind in "iu":
            return column.astype(np.int64)
        return np.array([_hashed(value) for value in column], np.int64)

    def _pixels(self, column, names):
        if not isinstance(column[0], (bytes, bytearray, memoryview)):
            return _arrays(column)
        from ..data import decode

        encoded = []
        for value, name in zip(column, names, strict=True):
            try:
                encoded.append(decode.load_image(value, self.max_pixels))
            except ValueError as error:
                raise ValueError(f"row {name}: {error}") from None
        try:
            return self._decoded(encoded)
        except RuntimeError:
            self._decoder = None  # a bad file ends DALI's pipeline
        for k in decode.find_faults(encoded, self._device_id()):
            try:
                encoded[k] = decode.by_pillow(encoded[k])
            except ValueError as error:
                raise ValueError(f"row {names[k]}: cannot be decoded: {error}; filter such rows out") from None
        return self._decoded(encoded)

    def _decoded(self, encoded):
        from ..data.decode import Decoder

        if self._decoder is None or self._decoder.capacity < len(encoded):
            self._decoder = Decoder(["image"], len(encoded), self.threads, self._device_id())
        self._decoder.feed({"image": encoded})
        return Batch.of(self._decoder.take()["image"])

    def _masks(self, column, names):
        if not isinstance(column[0], (bytes, bytearray, memoryview)):
            return _arrays(column)
        from ..data import decode

        masks = []
        for value, name in zip(column, names, strict=True):
            try:
                masks.append(decode.load_mask(value, self.max_pixels))
            except ValueError as error:
                raise ValueError(f"row {name}: its mask: {error}") from None
        return masks

    def _device_id(self):
        return None if self.device.type == "cpu" else self.device.index or 0


def _arrays(column):
    """Ray gives equal shapes as one array, ragged ones as an array of objects."""
    return column if column.dtype != object else [np.asarray(image) for image in column]


def _hashed(value):
    """A number below 2^52 for a row's name or content, the same on every machine."""
    if isinstance(value, np.ndarray):
        value = np.ascontiguousarray(value).tobytes() + repr(value.shape).encode()
    elif not isinstance(value, (bytes, bytearray, memoryview)):
        value = str(value).encode()
    return int.from_bytes(hashlib.blake2b(value, digest_size=8).digest(), "little") % IDS


def _row_name(batch, ids, k):
    return str(batch[ids][k]) if ids is not None else f"{k} of the batch"


def _granted_cpus():
    ray = sys.modules.get("ray")
    if ray is None or not ray.is_initialized():  # get_runtime_context() would start a Ray of its own
        return 1
    return max(1, int(ray.get_runtime_context().get_assigned_resources().get("CPU", 1)))
