"""Pipelines of waveform steps, spectrograms and masks."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from .. import uniforms
from ..batch import Batch
from ..checks import integer
from ..deliver import deliver
from ..hints import Array, Images
from ..streams import Seeded, Stream
from ..track import Track
from ..transform import Transform, View

_built = itertools.count()


class Augmentation(Seeded, torch.nn.Module, Transform, register=False):
    """What all steps share: each works in a `Compose`, and alone as a module with a counter of its own.

    Attributes:
        domain: what a step takes: ``"wave"``, ``"spectrogram"``, ``"either"`` (along the last axis), or ``"frontend"``: waves in,
            spectrograms out.
        iid_channels: draw for each channel of a sample.
        shared: one draw for all samples of a call: that of the first.
        computes: on waveforms, calculates with their values, and so needs floating point.

    Example:
        >>> from gpuaug import audio
        >>> audio.Gain().domain, audio.TimeMasking(20).domain
        ('wave', 'spectrogram')
    """

    targets = ("image", "mask")
    domain = "spectrogram"
    iid_channels = shared = computes = False

    def __init_subclass__(cls, register: bool = False, **kwargs):
        super().__init_subclass__(register=register, **kwargs)  # the registry lists albumentations' names

    def __init__(self, prob: float = 1.0):
        torch.nn.Module.__init__(self)
        Transform.__init__(self, prob)
        # modules that stand alone, in a Sequential, with one seed, must not draw the same numbers: each has a slot of its own
        self._slot, self._stream, self.seed = next(_built) % uniforms.SLOTS, Stream(), None

    def forward(self, data, lengths=None, *, ids=None, epoch: int = 0, occurrence=None):
        """Augment a batch; see `Compose.forward`."""
        return _run([self], [self._slot if self.seed is not None else 0], self, data, lengths, ids, epoch, occurrence)

    def get_extra_state(self) -> dict:
        return {**super().get_extra_state(), "slot": self._slot}

    def set_extra_state(self, state: dict) -> None:
        super().set_extra_state(state)
        self._slot = state["slot"]

    def wave(self, data: torch.Tensor, lengths: np.ndarray, rows: np.ndarray, params: dict) -> torch.Tensor:
        """Apply to waveforms ``[B, C, L]`` of float type; samples that are not in ``rows`` stay."""
        raise NotImplementedError

    def by_torch(self, data: torch.Tensor, lengths: np.ndarray, rows: np.ndarray, params: dict) -> torch.Tensor:
        """What `lower` does to spectrograms ``[B, C, F, T]``, in operations of torch: they carry gradients, and float64."""
        raise NotImplementedError(
            f"{type(self).__name__} carries no gradient, and takes no float64: pass float32 spectrograms that are detached"
        )

    def extra_repr(self) -> str:
        return Transform.__repr__(self).split("(", 1)[1][:-1]


class Compose(Seeded, torch.nn.Module):
    """Steps in order; consecutive masks of spectrograms are one pass.

    Args:
        steps: list of steps of `gpuaug.audio`.
        seed: 64-bit seed. None draws one from torch's generator, as torchaudio does: at every call without ``ids``, and once
            for all calls with them. So ``torch.manual_seed`` fixes what is drawn.

    Every random number depends on (seed, epoch, sample id, occurrence, place of the step) and on nothing else. Gradients go
    through every step. Spectrograms that require one, and float64, are masked by operations of torch, all others by one kernel.
    What copies in other processes draw says `gpuaug.Compose`.

    Raises:
        TypeError: something that is no step. ValueError: waveform steps behind a spectrogram, two spectrograms.

    Example:
        >>> import torch, gpuaug.audio as audio
        >>> augment = audio.Compose([audio.FrequencyMasking(8), audio.TimeMasking(10)], seed=1)
        >>> augment(torch.ones(2, 1, 64, 100)).shape
        torch.Size([2, 1, 64, 100])
    """

    def __init__(self, steps: Sequence[Augmentation], *, seed: int | None = None):
        super().__init__()
        if isinstance(steps, Augmentation) or not isinstance(steps, (list, tuple)):
            raise TypeError(f"Compose: steps must be a list, got {steps!r}")
        for i, step in enumerate(steps):
            if not isinstance(step, Augmentation):
                raise TypeError(f"Compose: steps[{i}] must be a step of gpuaug.audio, got {step!r}")
        if len(steps) > uniforms.SLOTS:
            raise ValueError(f"a Compose holds at most {uniforms.SLOTS} steps, got {len(steps)}")
        self.steps = torch.nn.ModuleList(steps)
        self.seed = None if seed is None else integer("seed", seed, 0, 2**64 - 1)
        self._stream = Stream()
        _domains(steps)

    def forward(
        self,
        data: Images,
        lengths: Array | Sequence[int] | None = None,
        *,
        ids: Any = None,
        epoch: int = 0,
        occurrence: Any = None,
    ) -> Any:
        """Augment a batch.

        Args:
            data: waveforms ``[B, L]`` or ``[B, C, L]``, or a list of ``[L]`` or ``[C, L]`` of unequal lengths; or, without a
                spectrogram among the steps, spectrograms ``[F, T]``, ``[B, F, T]`` or ``[B, C, F, T]``.
            lengths: whole numbers ``[B]``, in the host's memory: how much of each sample is not padding.
            ids: int ``[B]``: the samples' numbers in the dataset. Without them, and with a seed, a counter numbers the samples.
            epoch, occurrence: see `gpuaug.Compose`.

        Returns:
            The result, or with ``lengths`` (or a list) the result and its lengths, int64 ``[B]``.

        Raises:
            ValueError: lengths that do not fit; names the sample.
            TypeError: whole numbers where a step calculates with them.
        """
        return _run(list(self.steps), list(range(len(self.steps))), self, data, lengths, ids, epoch, occurrence)

    def explain(self, shape: Any, *, samples: int = 64) -> str:
        """The launches for spectrograms ``shape`` (channels, frequencies, times), in words; steps before them are torch's."""
        mine = [(k, s) for k, s in enumerate(self.steps) if _domains(self.steps)[k] == "spectrogram"]
        batch = Batch.of(torch.empty(1, *shape).expand(samples, *shape))
        draw = _Draws(self.seed or 0, np.arange(samples), 0, None)
        lines = []
        for part in _passes(mine):
            if hasattr(part[0][1], "convert"):
                lines.append(f"torch: {type(part[0][1]).__name__}")
                continue
            track = _lower(batch, part, draw, np.full(samples, shape[-1]))
            lines.append(track.finish(np.zeros(samples), np.zeros((samples, 3)), track.dtype).explain())
        return "\n".join(lines)


def _domains(steps) -> list[str]:
    """ "wave", "frontend" or "spectrogram" for each step."""
    fronts = [i for i, s in enumerate(steps) if s.domain == "frontend"]
    if len(fronts) > 1:
        raise ValueError(
            f"steps[{fronts[1]}], {type(steps[fronts[1]]).__name__}, follows another spectrogram; only one is possible"
        )
    waves = [i for i, s in enumerate(steps) if s.domain == "wave"]
    front = fronts[0] if fronts else len(steps) if waves else -1
    for i, step in enumerate(steps):
        if (step.domain == "wave" and i > front) or (step.domain == "spectrogram" and i < front):
            raise ValueError(
                f"steps[{i}], {type(step).__name__}, works on {step.domain}s and stands {'after' if i > front else 'before'} "
                f"the spectrogram; steps on waveforms come first, then Spectrogram or MelSpectrogram, then masks"
            )
    return ["frontend" if i == front else "wave" if i < front else "spectrogram" for i in range(len(steps))]


class _Draws:
    """The uniforms of a call."""

    def __init__(self, seed, ids, epoch, occurrence):
        self.seed, self.epoch = seed, epoch
        self.ids, self.occurrence = uniforms.check_counters(ids, epoch, occurrence)

    def __call__(self, slot: int, columns: int, channel: int = 0) -> np.ndarray:
        """``[B, columns]``; each channel has blocks of its own."""
        need = -(-columns // 4)
        blocks = np.arange(need) + channel * need
        if blocks[-1] >= uniforms.BLOCKS:
            raise ValueError(
                f"a step with iid_channels that draws {columns} numbers handles {uniforms.BLOCKS // need} channels at most"
            )
        u = uniforms.table(
            self.seed, self.epoch, self.ids, self.occurrence, np.full(need, slot, np.uint32), blocks.astype(np.uint32)
        )
        return u[:columns].T


def _passes(steps):
    """Consecutive spectrogram steps that can share a launch: those that draw alike for channels, and the conversions alone."""

    def alike(item):
        step = item[1]
        return ("torch", item[0]) if hasattr(step, "convert") else step.iid_channels

    return [list(part) for _, part in itertools.groupby(steps, alike)]


def _coin(step, u, n):
    return slice(None) if step.p >= 1 else np.flatnonzero(u[:n, 0] < step.p)


def _drawn(part, draws: _Draws, high: int, lengths: np.ndarray, channels: int, inner: int, dtype: str):
    """(step, rows, parameters) of a run of steps on spectrograms; channels: how many rows are one sample (iid_channels)."""
    n = len(lengths) * channels
    size = np.stack([np.full(n, high), np.repeat(lengths, channels)], 1)
    for slot, step in part:
        need = 1 + step.columns()
        u = np.stack([draws(slot, need, c) for c in range(channels)], 1)
        u = np.broadcast_to(u[:1] if step.shared else u, u.shape).reshape(n, need)
        # one coin for all channels of a sample
        rows = _coin(step, np.repeat(u[::channels], channels, 0), n)
        if isinstance(rows, slice) or len(rows):
            yield step, rows, step.draw(u[rows, 1:], View(size[rows], inner, dtype))


def _lower(batch: Batch, part, draws: _Draws, lengths: np.ndarray, channels: int = 1) -> Track:
    """Spectrograms and a run of steps to a track."""
    track = Track(batch)
    high = int(batch.size[0, 0]) if len(batch) else 1
    for step, rows, params in _drawn(part, draws, high, lengths, channels, batch.channels, batch.dtype):
        track.doing = type(step).__name__
        step.lower(track, rows, params)
    return track


def _by_torch(data: torch.Tensor, part, draws: _Draws, lengths: np.ndarray, channels: int) -> torch.Tensor:
    """The same on ``[rows, C, F, T]``, step by step, in operations of torch."""
    dtype = str(data.dtype).removeprefix("torch.")
    for step, rows, params in _drawn(part, draws, data.shape[-2], lengths, channels, data.shape[1], dtype):
        data = step.by_torch(data, np.repeat(lengths, channels), np.arange(len(data))[rows], params)
    return data


class _Given:
    """A call's data as ``[B, C, L]`` or ``[B, C, F, T]``, and the way back.

    Attributes:
        whole: the data. lengths: int64 ``[B]``. carried: whether the caller gave lengths, and so gets them back.
    """

    def __init__(self, data, lengths, waves: bool):
        if isinstance(data, (list, tuple)):
            if not waves:
                raise TypeError(
                    "a list of samples is possible for waveforms only; pass spectrograms as one padded tensor and lengths="
                )
            if lengths is not None:
                raise ValueError("pass either a list of waveforms or lengths=, not both: a list says how long its entries are")
            data, lengths = pad(data)
        if not isinstance(data, torch.Tensor):
            raise TypeError(f"gpuaug.audio works on torch tensors, got {type(data).__name__}")
        rank, shape = 2 if waves else 3, tuple(data.shape)  # of batch and sample without its channels
        what = "waveforms" if waves else "spectrograms"
        if data.ndim < rank - 1:
            raise ValueError(f"{what} must be {'[.., L]' if waves else '[.., F, T]'}, got shape {shape}")
        if 0 in shape[rank - data.ndim - 1 :] or shape[-1] == 0:
            raise ValueError(f"{what} of shape {shape} have no values")
        self._squeeze = data.ndim == rank - 1
        data = data[None] if self._squeeze else data
        self._flat = data.ndim == rank
        self._lead = data.shape[: 1 if self._flat else -rank]
        self.whole = data.reshape(-1, 1, *data.shape[1:]) if self._flat else data.reshape(-1, *data.shape[-rank:])
        n, self.carried = len(self.whole), lengths is not None
        self.lengths = check_lengths(lengths, n, data.shape[-1]) if self.carried else np.full(n, data.shape[-1])

    def result(self, whole: torch.Tensor, lengths: np.ndarray):
        """In the shape that came, with lengths if they did."""
        shape = whole.shape[2:] if self._flat else whole.shape[1:]
        out = whole.reshape(*self._lead, *shape)
        out = out[0] if self._squeeze else out
        return (out, torch.from_numpy(np.asarray(lengths, np.int64).copy())) if self.carried else out


def _run(steps, slots, owner, data, lengths, ids, epoch, occurrence):
    domains = _domains(steps)
    given = _Given(data, lengths, domains[0] in ("wave", "frontend") if domains else False)
    whole, lengths, n = given.whole, given.lengths, len(given.whole)
    seed, ids = owner._stream.call(owner.seed, ids, n)
    if len(ids) != n:
        raise ValueError(f"ids has {len(ids)} numbers for {n} samples")
    draws = _Draws(seed, ids, epoch, occurrence)
    masks = []
    for slot, step, domain in zip(slots, steps, domains):
        if domain == "spectrogram":
            masks.append((slot, step))
            continue
        if (step.computes or domain == "frontend") and not whole.is_floating_point():
            raise TypeError(
                f"{type(step).__name__} calculates with waveforms, which are {whole.dtype}; convert them first, as "
                f"wave.float() / 32768 for 16 bits, (wave.float() - 128) / 128 for uint8"
            )
        if domain == "frontend":
            whole, lengths = step.transform(whole, lengths, given.carried)
        else:
            whole = _waves(whole, step, draws(slot, 1 + step.columns()), lengths)
    for part in _passes(masks) if n else ():
        whole = part[0][1].convert(whole) if hasattr(part[0][1], "convert") else _masked(whole, part, draws, lengths)
    return given.result(whole, lengths)


def _waves(whole: torch.Tensor, step, u: np.ndarray, lengths: np.ndarray) -> torch.Tensor:
    """One step on waveforms ``[B, C, L]``."""
    rows = np.arange(len(whole))[_coin(step, u, len(whole))]
    if not len(rows):
        return whole
    size = np.stack([np.ones(len(rows), np.int64), lengths[rows]], 1)
    params = step.draw(u[rows, 1:], View(size, whole.shape[1], str(whole.dtype).rsplit(".", 1)[-1]))
    return step.wave(whole, lengths, rows, params)


def _masked(whole: torch.Tensor, part, draws: _Draws, lengths: np.ndarray) -> torch.Tensor:
    """A run of steps on spectrograms ``[B, C, F, T]``: by one kernel, or by torch where that has to carry more."""
    channels = whole.shape[1] if part[0][1].iid_channels else 1
    rows = whole.reshape(len(whole) * channels, whole.shape[1] // channels, *whole.shape[2:])
    if rows.dtype == torch.float64 or (rows.requires_grad and torch.is_grad_enabled()):
        return _by_torch(rows, part, draws, lengths, channels).reshape(whole.shape)
    track = _lower(Batch.of(rows, "CHW", name="spectrogram"), part, draws, lengths, channels)
    return deliver(track, "spectrogram", None, False, squeeze=False).reshape(whole.shape)


def upload(array: np.ndarray, like: torch.Tensor) -> torch.Tensor:
    """An array beside a tensor, without waiting for the GPU."""
    tensor = torch.from_numpy(np.ascontiguousarray(array))
    return tensor.pin_memory().to(like.device, non_blocking=True) if like.is_cuda else tensor


def pad(waves) -> tuple[torch.Tensor, np.ndarray]:
    """Waveforms of unequal lengths as one tensor with zeros behind them, and their lengths."""
    waves = [torch.as_tensor(w) for w in waves]
    for i, w in enumerate(waves):
        if w.ndim not in (1, 2) or w.shape[:-1] != waves[0].shape[:-1] or w.dtype != waves[0].dtype:
            raise ValueError(
                f"waveform {i} is {tuple(w.shape)}, {w.dtype}; all must be [L] or [C, L] and agree with waveform 0, "
                f"{tuple(waves[0].shape)}, {waves[0].dtype}"
            )
        if 0 in w.shape:
            raise ValueError(f"waveform {i} of shape {tuple(w.shape)} has no values")
    lengths = np.array([w.shape[-1] for w in waves], np.int64)
    if not waves:
        return torch.zeros(0, 1), lengths
    out = waves[0].new_zeros(len(waves), *waves[0].shape[:-1], int(lengths.max()))
    for i, w in enumerate(waves):
        out[i, ..., : w.shape[-1]] = w
    return out, lengths


def check_lengths(lengths, samples: int, longest: int) -> np.ndarray:
    """int64 ``[B]``, or an error that names the sample."""
    if isinstance(lengths, torch.Tensor):
        lengths = lengths.cpu().numpy()
    lengths = np.asarray(lengths)
    if lengths.ndim != 1 or len(lengths) != samples:
        raise ValueError(f"lengths must hold one number for each of {samples} samples, got shape {lengths.shape}")
    if lengths.dtype.kind not in "iu":
        whole = [i for i, v in enumerate(lengths.tolist()) if not isinstance(v, int)]
        raise TypeError(f"lengths must be whole numbers, got {lengths.dtype} (sample {whole[0] if whole else 0}: {lengths[0]!r})")
    bad = (lengths < 1) | (lengths > longest)
    if bad.any():
        i = int(np.flatnonzero(bad)[0])
        raise ValueError(
            f"lengths[{i}] of sample {i} is {lengths[i]}; it must lie in 1 .. {longest}, the length of the padded axis"
        )
    return lengths.astype(np.int64)
