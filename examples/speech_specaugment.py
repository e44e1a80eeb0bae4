"""Waveforms of unequal lengths to log-mel spectrograms to SpecAugment, on the device that trains.

    python examples/speech_specaugment.py --epochs 5

Spoken vowels are synthesized: a glottal pulse train of some pitch, shaped by the formants of the vowel. Utterances last 0.4 to
1.2 seconds; `lengths` goes with them through noise, shift, spectrogram and masks, so that padding is neither masked nor counted.
"""

import argparse

import numpy as np
import torch
from torch import nn

from gpuaug import audio

RATE = 16000
VOWELS = {  # frequencies of the first three formants, Hz (Peterson and Barney 1952, men)
    "heed": (270, 2290, 3010),
    "head": (530, 1840, 2480),
    "hod": (730, 1090, 2440),
    "who'd": (300, 870, 2240),
}


def utterance(rng, vowel):
    """float32 samples."""
    seconds = rng.uniform(0.4, 1.2)
    t = np.arange(int(seconds * RATE)) / RATE
    pitch = rng.uniform(90, 240) * (1 + 0.05 * np.sin(2 * np.pi * rng.uniform(1, 4) * t) - 0.1 * t / seconds)
    phase = 2 * np.pi * np.cumsum(pitch) / RATE
    formants = np.array(VOWELS[vowel]) * rng.normal(1, 0.04, 3)
    wave = np.zeros_like(t)
    for k in range(1, int(3800 / pitch.max()) + 1):
        f = k * pitch.mean()
        gain = sum(a / (1 + ((f - g) / b) ** 2) for g, a, b in zip(formants, (1, 0.6, 0.3), (70, 90, 140)))
        wave += gain * np.sin(k * phase + rng.uniform(0, 2 * np.pi)) / k**0.5
    edge = np.minimum(1, np.minimum(t, t[::-1]) / 0.05)
    return torch.from_numpy((0.1 * edge * wave).astype(np.float32))


class Speech(torch.utils.data.Dataset):
    def __init__(self, samples, seed):
        self.samples, self.seed = samples, seed

    def __len__(self):
        return self.samples

    def __getitem__(self, i):
        rng = np.random.default_rng((self.seed, i))
        label = i % len(VOWELS)
        return i, utterance(rng, list(VOWELS)[label]), label


def collate(samples):
    ids, waves, labels = zip(*samples)
    return list(ids), list(waves), torch.tensor(labels)


def features(training):
    steps = [audio.MelSpectrogram(RATE, n_fft=512, hop_length=160, n_mels=64, f_min=60), audio.AmplitudeToDB(top_db=80)]
    if training:
        waveform = [audio.Gain(), audio.AddNoise(10, 40), audio.TimeShift(-0.1, 0.1, rollover=False), audio.PolarityInversion()]
        steps = [*waveform, *steps, audio.SpecAugment(2, 20, 2, 8, p=0.3, time_warp=5)]
    return audio.Compose(steps, seed=0)


class Classifier(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(nn.Conv1d(64, 64, 5, padding=2), nn.ReLU(), nn.Conv1d(64, 64, 5, padding=2), nn.ReLU())
        self.out = nn.Linear(64, len(VOWELS))

    def forward(self, x, lengths):
        mask = torch.arange(x.shape[-1], device=x.device) < lengths[:, None].to(x.device)
        x = self.layers((x / 20 * mask[:, None]).float())
        return self.out((x * mask[:, None]).sum(2) / lengths[:, None].to(x.device))


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--samples", type=int, default=128)
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--batch-size", type=int, default=16)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    options = parser.parse_args(arguments)

    torch.manual_seed(0)
    training, testing = (features(t).to(options.device) for t in (True, False))
    loaders = [
        torch.utils.data.DataLoader(Speech(n, seed), options.batch_size, shuffle=seed == 0, collate_fn=collate)
        for n, seed in ((options.samples, 0), (options.samples // 4, 1))
    ]
    net = Classifier().to(options.device)
    optimizer = torch.optim.AdamW(net.parameters(), 2e-3)
    losses = []
    for epoch in range(options.epochs):
        total = 0.0
        for ids, waves, labels in loaders[0]:
            waves = [w.to(options.device) for w in waves]
            spectrograms, lengths = training(waves, ids=ids, epoch=epoch)
            loss = nn.functional.cross_entropy(net(spectrograms, lengths), labels.to(options.device))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.item() * len(labels)
        losses.append(total / options.samples)
        with torch.no_grad():
            right = []
            for ids, waves, labels in loaders[1]:
                out = net(*testing([w.to(options.device) for w in waves], ids=ids))
                right.append((out.argmax(1).cpu() == labels).float())
        print(f"epoch {epoch}: loss {losses[-1]:.3f}, test accuracy {torch.cat(right).mean():.2f}")
    return losses


if __name__ == "__main__":
    main()
