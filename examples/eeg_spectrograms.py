"""Training on EEG spectrograms: .npy files on disk, masks of time and frequency, no augmentation on the host.

    python examples/eeg_spectrograms.py --folder /tmp/eeg --epochs 5

The first run writes recordings into the folder: synthetic, but built from what an EEG is made of. Each is 50 seconds of 20
electrodes (19 of the 10-20 system and an ECG) at 200 Hz, and becomes a spectrogram of 4 channels, one for each chain of
electrodes (left lateral, left parasagittal, right lateral, right parasagittal), 100 frequencies up to 20 Hz and 256 times.
"""

import argparse
from itertools import pairwise
from pathlib import Path

import numpy as np
import torch
from torch import nn

import gpuaug as G
from gpuaug.data import SpectrogramFolder

RATE, SECONDS = 200, 50
ELECTRODES = "Fp1 F3 C3 P3 F7 T3 T5 O1 Fz Cz Pz Fp2 F4 C4 P4 F8 T4 T6 O2 EKG".split()
CHAINS = {
    "left lateral": "Fp1 F7 T3 T5 O1",
    "left parasagittal": "Fp1 F3 C3 P3 O1",
    "right lateral": "Fp2 F8 T4 T6 O2",
    "right parasagittal": "Fp2 F4 C4 P4 O2",
}
CLASSES = ("background", "periodic discharges", "seizure")
N_FFT, ROWS, COLUMNS = 1024, 100, 256


# ---- recordings ----------------------------------------------------------------------------------


def positions():
    """Each electrode on the unit disc, x to the right, y to the front."""
    rows = {"Fp": 0.9, "F": 0.5, "C": 0.0, "T": 0.0, "P": -0.5, "O": -0.9}
    out = []
    for name in ELECTRODES[:-1]:
        letters = name.rstrip("z0123456789")
        y = -0.55 if name in ("T5", "T6") else rows[letters]
        x = {"z": 0.0}.get(name[-1], 0.45)
        x = 0.9 if name in ("F7", "F8", "T3", "T4", "T5", "T6") else 0.3 if letters in ("Fp", "O") else x
        out.append((-x if name[-1] in "13579" else x, y))
    return np.array(out)


def pink(rng, shape):
    """Noise whose power falls as 1/f, as that of the cortex does."""
    spectrum = np.fft.rfft(rng.normal(size=shape))
    f = np.fft.rfftfreq(shape[-1], 1 / RATE)
    return np.fft.irfft(spectrum / np.sqrt(np.maximum(f, 0.5)), shape[-1])


def recording(rng, kind):
    """Microvolts, [20, samples]."""
    n, place = RATE * SECONDS, positions()
    t = np.arange(n) / RATE
    # the skull blurs: electrodes share sources that are near them
    sources = rng.uniform(-1, 1, (40, 2))
    near = np.exp(-((place[:, None] - sources) ** 2).sum(2) / 0.3)
    eeg = 40 * (near / near.sum(1, keepdims=True)) @ pink(rng, (40, n)) * 3
    # alpha: 8 to 12 Hz, strongest at the back, coming and going
    envelope = np.clip(pink(rng, (n,)) * 0.5 + 0.6, 0, None)
    alpha = envelope * np.sin(2 * np.pi * np.cumsum(rng.uniform(8.5, 11.5) + 0.05 * pink(rng, (n,))) / RATE)
    eeg += np.outer(rng.uniform(5, 20) * np.clip(0.3 - place[:, 1], 0, None), alpha)
    # blinks: 200 ms at the front, a few in a recording
    for start in rng.uniform(0, SECONDS, rng.integers(2, 12)):
        eeg += np.outer(120 * np.clip(place[:, 1] - 0.4, 0, None), np.exp(-(((t - start) / 0.1) ** 2)))
    if kind == "periodic discharges":  # sharp waves about once a second over one hemisphere
        side = np.clip(0.2 + rng.choice([-1, 1]) * place[:, 0], 0, None)
        beats = np.cumsum(rng.normal(1 / rng.uniform(0.7, 1.6), 0.05, 100))
        wave = sum(np.exp(-(((t - b) / 0.03) ** 2)) - 0.6 * np.exp(-(((t - b - 0.12) / 0.09) ** 2)) for b in beats)
        eeg += np.outer(rng.uniform(80, 140) * side, wave)
    if kind == "seizure":  # spikes and waves everywhere, slowing down from 4 to 2 Hz
        start, stop = rng.uniform(0, 10), rng.uniform(35, 50)
        turns = np.cumsum(np.interp(t, [start, stop], [rng.uniform(3.5, 4.5), rng.uniform(1.8, 2.5)])) / RATE
        wave = np.sin(2 * np.pi * turns) + 0.8 * np.exp(-((((turns % 1) - 0.5) / 0.06) ** 2))
        eeg += np.outer(rng.uniform(40, 90) * (0.6 + 0.4 * place[:, 1]), wave * ((t > start) & (t < stop)))
    heart = sum(np.exp(-(((t - b) / 0.012) ** 2)) for b in np.cumsum(rng.normal(0.85, 0.03, 80)))
    return np.vstack([eeg, 900 * heart]).astype(np.float32)


def spectrogram(eeg):
    """Log power of the four chains, mean 0 and deviation 1, float32 [4, ROWS, COLUMNS]."""
    signal = {name: torch.from_numpy(row) for name, row in zip(ELECTRODES, eeg)}
    hop = (eeg.shape[1] - N_FFT) // (COLUMNS - 1)
    window = torch.hann_window(N_FFT)
    out = []
    for chain in CHAINS.values():
        names = chain.split()
        pairs = torch.stack([signal[a] - signal[b] for a, b in pairwise(names)])
        power = torch.stft(pairs, N_FFT, hop, window=window, center=False, return_complex=True).abs().square().mean(0)
        out.append(power[1 : ROWS + 1, :COLUMNS].clamp(1e-4, 1e12).log())
    out = torch.stack(out)
    return ((out - out.mean()) / out.std()).numpy()


def write(folder, samples, seed=0):
    """folder/train/class/0001.npy and folder/test/.., unless they are there."""
    for split, count, first in (("train", samples, 0), ("test", samples // 3, 10**6)):
        for i in range(count):
            kind = CLASSES[i % len(CLASSES)]
            path = Path(folder) / split / kind / f"{i:04}.npy"
            if not path.exists():
                path.parent.mkdir(parents=True, exist_ok=True)
                np.save(path, spectrogram(recording(np.random.default_rng((seed, first + i)), kind)))


# ---- training ------------------------------------------------------------------------------------


def model():
    def block(a, b):
        return nn.Sequential(nn.Conv2d(a, b, 3, 2, 1, bias=False), nn.BatchNorm2d(b), nn.ReLU())

    return nn.Sequential(
        block(4, 16), block(16, 32), block(32, 64), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, len(CLASSES))
    )


def augmentation():
    """Time and frequency masks, reversal and noise: one pass over a batch."""
    return G.Compose(
        [
            G.TimeReverse(p=0.5),
            G.XYMasking(num_masks_x=(2, 4), num_masks_y=5, mask_x_length=(10, 20), mask_y_length=8, fill_value=0, p=0.8),
            G.GaussNoise(std_range=(0.0, 0.1), p=0.5),
        ]
    )


def accuracy(net, loader, device):
    net.eval()
    with torch.no_grad():
        right = [(net(x).argmax(1) == y.to(device)).float() for x, y in loader]
    net.train()
    return torch.cat(right).mean().item()


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--folder", default="eeg")
    parser.add_argument("--samples", type=int, default=96, help="recordings to train on")
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--batch-size", type=int, default=16)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    options = parser.parse_args(arguments)

    write(options.folder, options.samples)
    torch.manual_seed(0)
    augment = augmentation()
    print(augment.explain((ROWS, COLUMNS), samples=options.batch_size, channels=4, dtype="float32"))
    where = {"batch_size": options.batch_size, "device": options.device}
    train = G.DataLoader(SpectrogramFolder(f"{options.folder}/train"), shuffle=True, transform=augment, seed=0, **where)
    test = G.DataLoader(SpectrogramFolder(f"{options.folder}/test"), **where)
    net = model().to(options.device)
    optimizer = torch.optim.AdamW(net.parameters(), 3e-3)
    losses = []
    for epoch in range(options.epochs):
        total = 0.0
        for spectrograms, labels in train:
            loss = nn.functional.cross_entropy(net(spectrograms), labels.to(options.device))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.item() * len(labels)
        losses.append(total / options.samples)
        print(f"epoch {epoch}: loss {losses[-1]:.3f}, test accuracy {accuracy(net, test, options.device):.2f}")
    return losses


if __name__ == "__main__":
    main()
