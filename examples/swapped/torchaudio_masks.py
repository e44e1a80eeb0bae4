"""SpecAugment as torchaudio spells it, on the mel spectrograms of a batch.

    python examples/swapped/torchaudio_masks.py

With ``iid_masks`` each sample draws its own, by its number; without, all get the same, as in torchaudio.
"""

import torch

import gpuaug.audio as T  # was: import torchaudio.transforms as T

RATE = 16000


def waveforms(samples=8, seconds=1.0):
    t = torch.arange(int(RATE * seconds)) / RATE
    pitch = torch.linspace(120, 300, samples)[:, None]
    return sum(torch.sin(2 * torch.pi * pitch * k * t) / k for k in range(1, 12)) * 0.1


def main():
    features = torch.nn.Sequential(
        T.MelSpectrogram(sample_rate=RATE, n_fft=512, hop_length=160, n_mels=80),
        T.AmplitudeToDB(),
    )
    masking = torch.nn.Sequential(T.FrequencyMasking(20, iid_masks=True), T.TimeMasking(30, iid_masks=True))
    clean = features(waveforms())
    masked = masking(clean)
    share = (masked != clean).float().mean((1, 2))
    print(tuple(masked.shape), "masked", ", ".join(f"{100 * value:.0f} %" for value in share))
    return clean, masked


if __name__ == "__main__":
    main()
