"""Images put together of rectangles that come out of several samples: those of the batch, or further ones of the call.

What a track has planned so far is executed; then every rectangle is a sample of a second track, which is finished into its place
in the new image, all of them by one plan; the first track goes on from there. Nothing waits for a GPU.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import torch

from .backends import execute
from .batch import DTYPES, TORCH_DTYPES, Batch
from .deliver import settled
from .elements import address
from .others import WHOLE
from .pool import empty
from .track import Track


class Pieces(NamedTuple):
    """The rectangles of n images, up to k each.

    Attributes:
        source: int ``[n, k]``: the sample that each comes out of, a number among the other samples; -1: the image's own.
        rect: int ``[n, k, 4]``: where it lies, (x0, y0, x1, y1) in pixels of the new image; without area: nowhere.
        size: int ``[n, k, 2]``: height and width that its source is resized to.
        start: int ``[n, k, 2]``: x and y in the new image at which the resized source begins (it shows in ``rect`` only).
    """

    source: np.ndarray
    rect: np.ndarray
    size: np.ndarray
    start: np.ndarray

    def there(self) -> np.ndarray:
        """Which rectangles have pixels, bool ``[n, k]``."""
        return (self.rect[..., 2:] > self.rect[..., :2]).all(2)


def assemble(to: Track, rows, pieces: Pieces, size: tuple[int, int], fill, key: str, resize: Callable) -> None:
    """Replace the images of ``rows`` by new ones.

    Args:
        size: height and width of the new images.
        fill: colour of what no rectangle covers.
        key: under which the other samples were passed, if they were; else they are the batch as it came.
        resize: ``resize(track, rows, size)`` with the sizes ``[m, 2]`` of m rectangles' sources.

    Raises:
        ValueError: images that are no more of the type or channels that the other samples have.
    """
    index = to.index(rows)
    if not len(index):
        return
    own = settled(to)
    other = to.others.get(key, to.others[WHOLE])
    if len(other):
        _agree(to, own, other, key)
    i, j = np.nonzero(pieces.there())
    source, rect, start = pieces.source[i, j], pieces.rect[i, j].astype(np.int64), pieces.start[i, j]
    mine = source < 0
    first, second = index[i], np.where(mine, 0, source)

    def of_each(name):
        left = getattr(own, name)[first]
        right = getattr(other, name)[second] if len(other) else left
        return np.where(mine.reshape(-1, *[1] * (left.ndim - 1)), left, right)

    (height, width), channels, (_, item) = size, to.channels, DTYPES[to.dtype]
    out = empty((len(index), height, width, channels), TORCH_DTYPES[to.dtype], to.device)
    area = (rect[:, 2] - rect[:, 0]) * (rect[:, 3] - rect[:, 1])
    if area.sum() < len(index) * height * width:
        out[:] = colour(to, fill)
    where = [of_each(name) for name in ("address", "size", "stride")]
    parts = Track(Batch(*where, channels, own.dtype, own.device, (own.owner, other.owner), own.given), to.kind)
    parts.doing, parts.ops = to.doing, to.ops
    resize(parts, slice(None), pieces.size[i, j])
    x0, y0, x1, y1 = rect.T
    parts.crop(slice(None), x0 - start[:, 0], y0 - start[:, 1], y1 - y0, x1 - x0)
    base, whole = address(out, "the result"), height * width * channels
    stride = np.empty((len(rect), 3), np.int64)
    stride[:] = width * channels, channels, 1
    plan = parts.finish(base + item * (i * whole + (y0 * width + x0) * channels), stride, to.dtype)
    execute(plan, to.device)

    to.segments += [f"{to.doing}: {len(rect)} rectangles of {len(index)} of {to.samples} samples", plan]
    at, sizes, strides = own.address.copy(), np.array(to.size), own.stride.copy()
    at[index], sizes[index], strides[index] = base + item * whole * np.arange(len(index)), size, stride[0]
    to.go_on(None, Batch(at, sizes, strides, channels, own.dtype, own.device, (own.owner, out), own.given))


def _agree(to: Track, own: Batch, other: Batch, key: str) -> None:
    now, came = ((batch.given or batch.dtype, batch.channels, batch.device) for batch in (own, other))
    if now == came:
        return
    now, came = (f"{kind} with {channels} channels on {device}" for kind, channels, device in (now, came))
    if other is to.others[WHOLE]:
        raise ValueError(
            f"{to.doing} reads other samples as they came, {to.kind}s of {came}, but those of the batch are {now} by then; place "
            f"it before what changes them"
        )
    raise ValueError(f"{to.doing}: {key} holds {to.kind}s of {came}, those of the batch are {now}; they must agree")


def colour(to: Track, fill) -> torch.Tensor:
    """A fill in the track's type, a number for each channel, where the track lies."""
    value = to.colour(fill, border=True)
    value = value.view(np.int32) if to.dtype == "int32" else value
    return torch.from_numpy(value.copy()).to(TORCH_DTYPES[to.dtype]).to(to.device)
