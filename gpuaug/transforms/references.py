"""Images made like others: histograms, spectra and colour distributions of reference images."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch

from ..batch import Batch
from ..checks import increasing, one_of, span
from ..deliver import settle
from ..hints import Function, Range
from ..hosted import on_device
from ..others import IMAGES, nothing_to_read
from ..track import Track
from ..transfer import moved
from ..transform import Transform
from ..uniforms import integers
from .crop import resize


def read_rgb_image(path) -> np.ndarray:
    """An image file as RGB, uint8 ``[H, W, 3]``."""
    from PIL import Image

    with Image.open(path) as image:
        return np.asarray(image.convert("RGB"))


class _Referring(Transform, register=False):
    """What they share: reference images of a call or of the transform, of which each sample draws one."""

    brings = IMAGES
    as_given = ("reference_images",)
    work = ""  # what it does, for `Compose.explain`

    def __init__(self, reference_images, read_fn: Function | None, metadata_key, p: float):
        super().__init__(p)
        if reference_images is not None and not callable(read_fn):
            raise TypeError(f"read_fn must be a function that makes an array of each of reference_images, got {read_fn!r}")
        if reference_images is not None and (not isinstance(reference_images, Sequence) or not len(reference_images)):
            raise ValueError(f"reference_images must be a list of at least one, got {reference_images!r}")
        if not isinstance(metadata_key, str) or not metadata_key:
            raise TypeError(f"metadata_key must be a name, got {metadata_key!r}")
        self.reference_images, self.read_fn, self.metadata_key = reference_images, read_fn, metadata_key

    def columns(self) -> int:
        return 2

    def draw(self, u, view):
        others = (view.others or {}).get(self.metadata_key)
        if others is not None:
            rows = np.arange(len(u)) if view.rows is None else view.rows
            count = others.count[rows]
            if not count.all():
                i = view.sample(int(np.argmin(count)))
                raise ValueError(f"{type(self).__name__}: {self.metadata_key} has no image for sample {i} of the batch")
            which = others.start[rows] + integers(u[:, 0], 0, count - 1)
        elif self.reference_images is not None:
            which = integers(u[:, 0], 0, len(self.reference_images) - 1)
        else:
            give = f"{self.metadata_key}=[image, ..] in the call, or reference_images= when it is made"
            nothing_to_read(type(self).__name__, give)
            return {"reference": np.full(len(u), -1), "amount": np.zeros(len(u))}
        low, high = self.amounts
        return {"reference": which, "amount": low + (high - low) * u[:, 1]}

    def lower(self, to, rows, params) -> None:
        to.no_labels("made like others")
        index = to.index(rows)
        if not len(index) or params["reference"][0] < 0:
            return
        references = self._references(to, index, params["reference"])
        amount = params["amount"].tolist()
        on_device(to, rows, lambda k, image: self._like(image, references[k].permute(2, 0, 1), amount[k]), self.work)

    def _references(self, to, index, which) -> list[torch.Tensor]:
        """A reference ``[H, W, C]`` for each sample, of its size, on the track's device."""
        batch, source = to.others.get(self.metadata_key), self.metadata_key
        if batch is None:
            known, which = np.unique(which, return_inverse=True)
            read = [self._read(k) for k in known.tolist()]
            batch, source = moved(Batch.of(read, "HWC", name="reference"), to.device), "reference_images"
        mine, theirs = ((b.given or b.dtype, b.channels) for b in (to, batch))
        floats = mine[0] in ("float16", "bfloat16", "float32", "float64")
        if mine != theirs and not (floats and theirs == ("uint8", mine[1])):
            raise ValueError(
                f"{to.doing}: {source} holds images of {theirs[0]} with {theirs[1]} channels, those of the batch are "
                f"{mine[0]} with {mine[1]} channels; they must agree, but for uint8 beside floats"
            )
        where = batch.address[which], batch.size[which], batch.stride[which]
        track = Track(Batch(*where, batch.channels, batch.dtype, batch.device, batch.owner, batch.given))
        track.doing, track.ops = to.doing, to.ops
        resize(track, slice(None), to.size[index], 1)
        return settle(track) if mine[0] == theirs[0] else [reference.float() / 255 for reference in settle(track)]

    def _read(self, k: int):
        try:
            return self.read_fn(self.reference_images[k])
        except Exception as error:
            what = f"reference_images[{k}], {self.reference_images[k]!r:.80}"
            raise RuntimeError(f"{type(self).__name__}: read_fn failed on {what}: {error}") from error

    def _like(self, image: torch.Tensor, reference: torch.Tensor, amount: float) -> torch.Tensor:
        """``[C, H, W]``, of the same type."""
        raise NotImplementedError


def _whole(image: torch.Tensor) -> torch.Tensor:
    """As bytes; floats in [0, 1] are rounded to them."""
    return image if image.dtype == torch.uint8 else (image.float() * 255).round().clamp(0, 255).to(torch.uint8)


def _as(image: torch.Tensor, values: torch.Tensor) -> torch.Tensor:
    """Values of the image's range in its type: rounded to bytes, halves to even, or clipped to [0, 1]."""
    if image.dtype == torch.uint8:
        return values.round().clamp(0, 255).to(torch.uint8)
    return values.clamp(0, 1).to(image.dtype)


class HistogramMatching(_Referring):
    """Give each channel the histogram of a reference image's, and blend with the image.

    Args:
        reference_images, read_fn: references of all calls, and what makes an array ``[H, W, C]`` of one of them; by default they
            are paths of image files. They are read when they are drawn.
        blend_ratio: range of the share of the matched image in the result, in [0, 1].
        metadata_key: under which name a call brings references: a list of images; for a batch, one for each sample. Where it
            does, reference_images are not looked at. Each sample draws one of them, which is resized to it, linearly.
        p: probability, per sample.

    Shapes and dtypes: any channel count, uint8 and floats in [0, 1], which are matched as bytes. References have the same
    channels and type, or are uint8. Targets: image; torch works on it, on the pipeline's device.
    Source: albumentations ``HistogramMatching``.

    Raises:
        ValueError: another type or channel count; a range out of order.

    Example:
        >>> import numpy as np, gpuaug as G
        >>> aug = G.Compose([G.HistogramMatching(blend_ratio=(1, 1), p=1)])
        >>> aug(image=np.array([[0, 9]], np.uint8), hm_metadata=[np.array([[40, 200]], np.uint8)])["image"].tolist()
        [[40, 200]]
    """

    work = "histograms like a reference's"

    def __init__(
        self,
        reference_images: Sequence | None = None,
        blend_ratio: Range = (0.5, 1.0),
        read_fn: Callable | None = read_rgb_image,
        metadata_key: str = "hm_metadata",
        p: float = 0.5,
    ):
        super().__init__(reference_images, read_fn, metadata_key, p)
        self.blend_ratio = self.amounts = increasing("blend_ratio", blend_ratio, 0, 1)

    def _like(self, image, reference, amount):
        source, target = _whole(image), _whole(reference)
        counts = [torch.bincount(channel.reshape(-1), minlength=256) for channel in (*source, *target)]
        counts = torch.stack(counts).cpu().numpy()  # synchronizes a GPU
        tables = [_table(*both) for both in zip(counts[: len(source)], counts[len(source) :])]
        if image.dtype == torch.uint8:  # blended in the tables: a third of the time
            one, other = np.float32(amount), np.float32(1 - amount)
            itself = np.arange(256, dtype=np.float32)
            tables = [np.rint(one * table.astype(np.float32) + other * itself).astype(np.uint8) for table in tables]
        tables = torch.from_numpy(np.stack(tables)).to(image.device)
        matched = [table.index_select(0, channel.reshape(-1).int()) for table, channel in zip(tables, source)]
        matched = torch.stack(matched).view(image.shape)
        return matched if image.dtype == torch.uint8 else _as(image, amount * matched / 255 + (1 - amount) * image.float())


def _table(source: np.ndarray, target: np.ndarray) -> np.ndarray:
    """What each byte becomes, of which there are so many: the one up to which there is the same share of the target, its fraction
    cut off."""
    values = np.flatnonzero(target)
    shares = np.cumsum(source) / source.sum(), np.cumsum(target[values]) / target.sum()
    return np.interp(*shares, values).astype(np.uint8)


class FDA(_Referring):
    """Give the image the low frequencies' amplitudes of a reference image; phases stay (Fourier domain adaptation).

    Args:
        reference_images, read_fn, metadata_key: see `HistogramMatching`.
        beta_limit: range, or a number for (0, number): half the side of the square of frequencies, as a fraction of the image's
            shorter side; in [0, 0.5].
        p: probability, per sample.

    Shapes and dtypes: any channel count, uint8 (rounded; albumentations cuts the fraction off) and floats in [0, 1]. References
    have the same channels and type, or are uint8. Targets: image; torch works on it, on the pipeline's device.
    Source: albumentations ``FDA``; Yang and Soatto, CVPR 2020, https://arxiv.org/abs/2004.05498.

    Raises:
        ValueError: another type or channel count; beta_limit outside [0, 0.5].

    Example:
        >>> import numpy as np, gpuaug as G
        >>> aug = G.Compose([G.FDA(beta_limit=(0.1, 0.1), p=1)])
        >>> dark, light = np.full((40, 40), 40, np.uint8), np.full((40, 40), 90, np.uint8)
        >>> int(aug(image=dark, fda_metadata=[light])["image"][5, 5])
        90
    """

    work = "a reference's low frequencies"

    def __init__(
        self,
        reference_images: Sequence | None = None,
        beta_limit: Range = (0, 0.1),
        read_fn: Callable | None = read_rgb_image,
        metadata_key: str = "fda_metadata",
        p: float = 0.5,
    ):
        super().__init__(reference_images, read_fn, metadata_key, p)
        self.beta_limit = self.amounts = span("beta_limit", beta_limit, 0, 0.5, scalar="zero")

    def _like(self, image, reference, amount):
        height, width = image.shape[1:]
        source, target = (torch.fft.fftshift(torch.fft.fft2(x.float()), (1, 2)) for x in (image, reference))
        border = int(min(height, width) * amount)
        y, x = height / 2 - 0.5, width / 2 - 0.5
        part = (slice(None), slice(max(0, int(y - border)), int(y + border)), slice(max(0, int(x - border)), int(x + border)))
        source[part] = torch.polar(target[part].abs(), source[part].angle())
        return _as(image, torch.fft.ifft2(torch.fft.ifftshift(source, (1, 2))).real)


class PixelDistributionAdaptation(_Referring):
    """Give the pixels, as points in the space of colours, the distribution of a reference image's, and blend with the image.

    Args:
        reference_images, read_fn, metadata_key: see `HistogramMatching`.
        blend_ratio: range of the share of the adapted image in the result, in [0, 1].
        transform_type: what the two get in common: "pca" the mean and the principal axes (which are turned into each other, each
            the short way), "standard" mean and deviation of each channel, "minmax" the least and the greatest value of each.
        p: probability, per sample.

    Shapes and dtypes: any channel count, uint8 and floats in [0, 1]. References have the same channels and type, or are uint8.
    Targets: image; torch works on it, on the pipeline's device. Source: albumentations ``PixelDistributionAdaptation``, which
    (2.0.8) blends bytes with fractions of 255, so that its images turn dark: here they are of one scale.

    Raises:
        ValueError: another type or channel count; a range out of order.

    Example:
        >>> import numpy as np, gpuaug as G
        >>> aug = G.Compose([G.PixelDistributionAdaptation(blend_ratio=(1, 1), transform_type="minmax", p=1)])
        >>> aug(image=np.array([[0, 5, 10]], np.uint8), pda_metadata=[np.array([[40, 41, 200]], np.uint8)])["image"].tolist()
        [[40, 120, 200]]
    """

    work = "colours like a reference's"

    def __init__(
        self,
        reference_images: Sequence | None = None,
        blend_ratio: Range = (0.25, 1.0),
        read_fn: Callable | None = read_rgb_image,
        transform_type: str = "pca",
        metadata_key: str = "pda_metadata",
        p: float = 0.5,
    ):
        super().__init__(reference_images, read_fn, metadata_key, p)
        self.blend_ratio = self.amounts = increasing("blend_ratio", blend_ratio, 0, 1)
        self.transform_type = one_of("transform_type", transform_type, ("pca", "standard", "minmax"))

    def _like(self, image, reference, amount):
        source, target = image.double().flatten(1), reference.double().flatten(1)
        a, b = _KINDS[self.transform_type](source), _KINDS[self.transform_type](target)
        if self.transform_type == "pca":
            axes = b[1] * torch.where((a[1] * b[1]).sum(0) < 0, -1.0, 1.0)
            adapted = axes @ (a[1].T @ (source - a[0])) + b[0]
        else:
            adapted = (source - a[0]) / torch.where(a[1] == 0, 1.0, a[1]) * b[1] + b[0]
        top = 255 if image.dtype == torch.uint8 else 1
        adapted = adapted.clamp(0, top).view(image.shape)
        return _as(image, (amount * adapted + (1 - amount) * image.double()).float())


def _principal(x: torch.Tensor):
    mean = x.mean(1, keepdim=True)
    return mean, torch.linalg.eigh((x - mean) @ (x - mean).T)[1]


# where it lies and how wide it is, of values [channels, pixels]
_KINDS = {
    "pca": _principal,
    "standard": lambda x: (x.mean(1, keepdim=True), x.std(1, correction=0, keepdim=True)),
    "minmax": lambda x: (x.amin(1, keepdim=True), x.amax(1, keepdim=True) - x.amin(1, keepdim=True)),
}
