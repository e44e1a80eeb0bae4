"""The examples run, and learn."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pytest

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"


def load(name):
    spec = importlib.util.spec_from_file_location(name, EXAMPLES / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_eeg_spectrograms(tmp_path, capsys):
    eeg = load("eeg_spectrograms")
    losses = eeg.main(["--folder", str(tmp_path), "--samples", "12", "--epochs", "2", "--batch-size", "6", "--device", "cpu"])
    assert losses[1] < losses[0]
    text = capsys.readouterr().out
    assert len([line for line in text.splitlines() if line[:2] in ("1.", "2.")]) == 1, "one launch"
    files = sorted(tmp_path.rglob("*.npy"))
    assert len(files) == 16
    assert np.load(files[0]).shape == (4, 100, 256)


def test_the_recordings_are_what_they_say():
    eeg = load("eeg_spectrograms")
    f = np.fft.rfftfreq(eeg.RATE * eeg.SECONDS, 1 / eeg.RATE)

    def power(x, low, high):
        return (np.abs(np.fft.rfft(x)) ** 2)[..., (f >= low) & (f < high)].mean(-1)

    channel = {name: i for i, name in enumerate(eeg.ELECTRODES)}
    rest, fit = (eeg.recording(np.random.default_rng(3), kind) for kind in ("background", "seizure"))
    assert rest.shape == (20, 10000)
    assert 5 < rest[:19].std() < 100, "microvolts"
    assert power(rest[channel["O1"]], 8, 12) > power(rest[channel["O1"]], 13, 20) * 2, "alpha at the back"
    assert power(rest[channel["Cz"]], 1, 2) > power(rest[channel["Cz"]], 16, 20) * 4, "1/f"
    assert power(fit[channel["C3"]], 2, 4.5) > 10 * power(rest[channel["C3"]], 2, 4.5)
    discharges = eeg.recording(np.random.default_rng(5), "periodic discharges")
    left, right = (np.abs(discharges[[channel[n] for n in names]]).max() for names in (("T3", "T5"), ("T4", "T6")))
    assert max(left, right) > 1.3 * min(left, right), "over one hemisphere"


def test_speech_specaugment():
    pytest.importorskip("torchaudio")
    losses = load("speech_specaugment").main(["--samples", "48", "--epochs", "2", "--device", "cpu"])
    assert losses[1] < losses[0]


@pytest.mark.parametrize("more", [[], ["--in-dataset"]])
def test_fashion(more):
    losses = load("fashion").main(["--samples", "96", "--epochs", "3", "--device", "cpu", *more])
    assert losses[2] < 0.95 * losses[0]
