"""Augmentation of waveforms and spectrograms, under torchaudio's names and with its semantics, drawn for each sample.

    augment = gpuaug.audio.Compose([
        gpuaug.audio.AddNoise(),                                  # on waveforms
        gpuaug.audio.MelSpectrogram(16000, n_mels=80),
        gpuaug.audio.AmplitudeToDB(top_db=80),
        gpuaug.audio.SpecAugment(2, 40, 2, 27, p=0.2, time_warp=20),  # on spectrograms, one pass
    ], seed=0)
    features, lengths = augment(waveforms, lengths=lengths, ids=ids, epoch=epoch)

Tensors are ``[.., L]`` before and ``[.., frequency, time]`` after the spectrogram: ``[B, ..]`` or ``[B, channel, ..]``.
``lengths`` says how much of each sample is not padding; it is carried through, and nothing draws from the padding or writes to
it. Every step is a ``torch.nn.Module`` too and works alone, as torchaudio's do.
"""

from .frontend import AmplitudeToDB, MelSpectrogram, Spectrogram
from .masks import FrequencyMasking, SpecAugment, TimeMasking, TimeReverse, TimeWarp
from .pipeline import Augmentation, Compose
from .waveform import AddNoise, Gain, PolarityInversion, TimeShift

__all__ = [
    "AddNoise",
    "AmplitudeToDB",
    "Augmentation",
    "Compose",
    "FrequencyMasking",
    "Gain",
    "MelSpectrogram",
    "PolarityInversion",
    "SpecAugment",
    "Spectrogram",
    "TimeMasking",
    "TimeReverse",
    "TimeShift",
    "TimeWarp",
]
