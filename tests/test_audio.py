"""gpuaug.audio: warps, lengths, waveforms, spectrograms, counters."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import torchaudio

from gpuaug import audio


def waves(*lengths, channels=None, seed=0):
    generator = torch.Generator().manual_seed(seed)
    shape = () if channels is None else (channels,)
    return [torch.randn(*shape, n, generator=generator) for n in lengths]


def pipeline(seed=3):
    return audio.Compose(
        [
            audio.Gain(),
            audio.AddNoise(prob=1.0),
            audio.TimeShift(),
            audio.PolarityInversion(),
            audio.MelSpectrogram(16000, n_mels=40),
            audio.AmplitudeToDB(top_db=80),
            audio.SpecAugment(2, 30, 2, 10, p=0.2, time_warp=8),
        ],
        seed=seed,
    )


# ---- a sample's result is its own -------------------------------------------------------------


def test_a_sample_depends_on_its_id_alone():
    w = waves(16000, 12345, 5000)
    whole, lengths = pipeline()(w, ids=[1, 2, 3], epoch=4)
    assert lengths.tolist() == [81, 62, 26]
    for i in range(3):
        alone, length = pipeline()([w[i]], ids=[i + 1], epoch=4)
        assert length.tolist() == [lengths[i]]
        torch.testing.assert_close(alone[0], whole[i, :, : lengths[i]], rtol=1e-5, atol=1e-4)  # dB: torch's batched FFTs
    other, _ = pipeline()(w, ids=[1, 2, 3], epoch=5)
    assert not torch.equal(other, whole)
    again, _ = pipeline()(w, ids=[3, 2, 1], epoch=4)
    assert not torch.equal(again[0], whole[0])


def test_channels_share_a_draw_unless_asked():
    x = torch.ones(40, 3, 30, 50)
    shared = audio.SpecAugment(1, 20, 1, 10, zero_masking=True)(x)
    assert torch.equal(shared[:, 0], shared[:, 1])
    each = audio.SpecAugment(1, 20, 1, 10, zero_masking=True, iid_channels=True)
    out = each(x, ids=np.arange(40))
    assert (out[:, 0] != out[:, 1]).any((1, 2)).float().mean() > 0.8
    one = audio.SpecAugment(1, 20, 1, 10, zero_masking=True, iid_channels=True)
    one.set_extra_state(each.get_extra_state())
    assert torch.equal(one(x[7:8], ids=[7])[0], out[7])


def test_modules_that_stand_alone_draw_different_numbers():
    torch.manual_seed(0)
    model = torch.nn.Sequential(audio.TimeMasking(50, True), audio.TimeMasking(50, True), audio.FrequencyMasking(50, True))
    x = torch.ones(64, 50, 50)
    first, second, third = (m(x) for m in model)
    widths = [(y == 0).all(1).sum(1).float() for y in (first, second)] + [(third == 0).all(2).sum(1).float()]
    assert abs(np.corrcoef(np.stack(widths))[np.triu_indices(3, 1)]).max() < 0.5
    state, generator = model.state_dict(), torch.get_rng_state()
    want = model(x)
    model.load_state_dict(state)
    torch.set_rng_state(generator)
    assert torch.equal(model(x), want), "without a seed torch's generator is the state"
    by_id = model[0](x, ids=np.arange(64))
    other = audio.TimeMasking(50, True)
    other.load_state_dict(model[0].state_dict())
    assert torch.equal(other(x, ids=np.arange(64)), by_id), "with ids the seed that was drawn"
    for step in model:
        step.seed = 5
    state, want = model.state_dict(), model(x)
    assert not torch.equal((want == 0)[0].all(0), (model[1](x) == 0)[0].all(0))
    model.load_state_dict(state)
    assert torch.equal(model(x), want), "with a seed the counters are part of the state"


class Masked(torch.utils.data.Dataset):
    def __init__(self):
        self.augment = audio.TimeMasking(100)

    def __len__(self):
        return 40

    def __getitem__(self, i):
        return (self.augment(torch.ones(1, 2, 200)) == 0).sum()


def test_workers_do_not_repeat_each_other():
    loader = torch.utils.data.DataLoader(Masked(), batch_size=1, num_workers=2)
    first, second = ([int(width) for width in loader] for _ in range(2))
    assert len({tuple(first[::2]), tuple(first[1::2]), tuple(second[::2]), tuple(second[1::2])}) == 4


# ---- masks ------------------------------------------------------------------------------------


def test_padding_is_neither_counted_nor_masked():
    x = torch.rand(500, 1, 20, 40)
    lengths = np.random.default_rng(0).integers(1, 41, 500)
    for step in (
        audio.TimeMasking(60, True),
        audio.FrequencyMasking(15, True),
        audio.SpecAugment(2, 30, 2, 10, time_warp=4),
        audio.TimeReverse(1.0),
    ):
        out, got = step(x, lengths=lengths)
        np.testing.assert_array_equal(got, lengths)
        padding = torch.arange(40) >= got[:, None]
        assert torch.equal(out.movedim(-1, 1)[padding], x.movedim(-1, 1)[padding])
    for y, z, n in zip(out, x, lengths):  # the last step was the reversal
        assert torch.equal(y[..., :n], z[..., :n].flip(-1))
    x[5, :, :, 10:] = 1e6  # padding that a mean must not see
    out, _ = audio.SpecAugment(1, 9, 1, 19)(x[5:6], lengths=[10])
    changed = out[0, 0, :, :10][out[0, 0, :, :10] != x[5, 0, :, :10]]
    torch.testing.assert_close(changed, torch.full_like(changed, x[5, 0, :, :10].double().mean().item()))


def test_mask_values():
    x = torch.rand(4, 2, 20, 40) + 5
    out = audio.TimeMasking(40)(x, mask_value=-3.5)
    assert set(out[out < 5].tolist()) == {-3.5}
    out = audio.SpecAugment(3, 20, 0, 0)(x)
    for a, b in zip(out, x):
        hit = a[a != b]
        torch.testing.assert_close(hit, torch.full_like(hit, b.double().mean().item()))
    out = audio.SpecAugment(3, 20, 0, 0, zero_masking=True)(x)
    assert set(out[out != x].tolist()) == {0.0}
    assert torch.equal(audio.SpecAugment(0, 0, 0, 0)(x), x)


def test_time_warp():
    """A ramp shows where each column comes from: two straight pieces that meet at the anchor, ends fixed."""
    x = torch.arange(100.0).expand(300, 3, 100)
    lengths = np.r_[np.full(200, 100), np.full(99, 60), 9]
    step = audio.TimeWarp(10)
    out, _ = step(x, lengths=lengths, ids=np.arange(300))
    assert torch.equal(out[299], x[299]), "shorter than 2 W + 1"
    for dtype in (torch.float16, torch.bfloat16):  # whole numbers below 256 are exact in both: one rounding at the end
        assert torch.equal(step(x.to(dtype), lengths=lengths, ids=np.arange(300))[0], out.to(dtype))
    moved = 0
    for y, n in zip(out[:299, 1].float().numpy(), lengths):
        assert y[0] == 0
        assert y[n - 1] == n - 1
        np.testing.assert_array_equal(y[n:], x[0, 0, n:].float())
        shift = y[:n] - np.arange(n)
        to = int(abs(shift).argmax())  # the anchor: nothing moves further
        want = np.interp(np.arange(n), [0, to, n - 1], [0, round(float(y[to])), n - 1])
        np.testing.assert_allclose(y[:n], want, atol=1e-4)  # a slope in float32, 6e-8, times 100 columns, and a difference of 100
        assert abs(shift).max() <= 10
        moved += abs(shift).max() > 0
        assert y[to] == round(float(y[to])), "the anchor is hit exactly"
    assert moved > 250  # a shift of 0 has probability 1 / 21


def test_time_warp_anchors_are_uniform():
    from gpuaug.audio.masks import warp_anchors

    anchors = warp_anchors(np.random.default_rng(0).random((20000, 2)), np.full(20000, 50), 5)
    assert set(anchors[:, 0]) == set(range(5, 45))
    assert set(np.diff(anchors)[:, 0]) == set(range(-5, 6))
    edges = warp_anchors(np.random.default_rng(0).random((20000, 2)), np.full(20000, 11), 5)
    assert edges[:, 1].min() >= 1
    assert edges[:, 1].max() <= 9


def test_nans_stay_where_they_are():
    x = torch.rand(8, 1, 20, 40)
    x[:, 0, 3, 7] = float("nan")
    out = audio.SpecAugment(2, 10, 2, 5)(x)
    assert int(out.isnan().sum()) <= 8
    assert bool((out.isnan() <= x.isnan()).all())


# ---- waveforms --------------------------------------------------------------------------------


@pytest.mark.parametrize("channels", [None, 2])
def test_waveform_steps(channels):
    w = waves(4000, 3000, channels=channels)
    gain, lengths = audio.Gain(6, 6, prob=1.0)(w)
    assert lengths.tolist() == [4000, 3000]
    torch.testing.assert_close(gain[1, ..., :3000], torchaudio.transforms.Vol(6, "db")(w[1] / 100) * 100)
    out, _ = audio.PolarityInversion(1.0)(w)
    assert torch.equal(out[0], -w[0])
    out, _ = audio.TimeShift(0.25, 0.25, prob=1.0)(w)
    assert torch.equal(out[1, ..., :3000], w[1].roll(750, -1))
    out, _ = audio.TimeShift(-0.25, -0.25, rollover=False, prob=1.0)(w)
    assert torch.equal(out[1, ..., :2250], w[1][..., 750:])
    assert bool((out[1, ..., 2250:] == 0).all())
    out, _ = audio.Compose([audio.TimeReverse(1.0), audio.Gain(0, 0)])(w)
    assert torch.equal(out[1, ..., :3000], w[1].flip(-1))
    assert audio.Gain(prob=0.5)(torch.ones(400, 5)).ne(1).all(1).float().mean().sub(0.5).abs() < 0.1


@pytest.mark.parametrize("bank", [None, "tensor"])
def test_noise_at_a_ratio(bank):
    w = waves(40000, 30000)
    noises = None if bank is None else [torch.randn(1000), torch.rand(70000)]
    noisy, lengths = audio.AddNoise(10, 10, noises, prob=1.0)(w)
    for a, b, n in zip(noisy, w, lengths):
        noise = (a[:n] - b).double()
        ratio = 10 * torch.log10(b.double().square().sum() / noise.square().sum())
        assert abs(ratio - 10) < 1e-3
        assert bool((a[n:] == 0).all()), "no noise on padding"
        if bank is None:
            assert abs(torch.corrcoef(torch.stack([noise[:-1], noise[1:]]))[0, 1]) < 0.02
            again = torchaudio.functional.add_noise(b, noise.float(), torch.tensor(10.0))
            torch.testing.assert_close(again, a[:n], rtol=1e-4, atol=1e-4)
    silent = audio.AddNoise(prob=1.0)(torch.zeros(2, 100))
    assert bool((silent == 0).all())


# ---- spectrograms -------------------------------------------------------------------------------


@pytest.mark.parametrize("pad_mode", ["reflect", "constant"])
@pytest.mark.parametrize("center", [True, False])
def test_each_waveform_as_torchaudio_alone(center, pad_mode):
    w = waves(8000, 5001, 3999)
    for ours, theirs in (
        (audio.Spectrogram, torchaudio.transforms.Spectrogram),
        (audio.MelSpectrogram, torchaudio.transforms.MelSpectrogram),
    ):
        arguments = {"n_fft": 256, "hop_length": 100, "center": center, "pad_mode": pad_mode}
        arguments |= {"n_mels": 30} if ours is audio.MelSpectrogram else {}
        got, lengths = ours(**arguments)(w)
        for a, b, n in zip(got, w, lengths):
            want = theirs(**arguments)(b)
            assert n == want.shape[-1]
            torch.testing.assert_close(a[:, :n], want, rtol=1e-5, atol=1e-4)
            assert bool((a[:, n:] == 0).all())


def test_decibels_below_each_samples_own_maximum():
    x = torch.rand(2, 20, 30)
    x[1] *= 1e6
    got = audio.AmplitudeToDB(top_db=20)(x)
    for a, b in zip(got, x):
        torch.testing.assert_close(a, torchaudio.transforms.AmplitudeToDB(top_db=20)(b[None])[0])


def test_a_missing_torchaudio_is_named(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "torchaudio", None)
    with pytest.raises(ImportError, match=r"MelSpectrogram needs torchaudio.*gpuaug\[audio\]"):
        audio.MelSpectrogram()
    audio.TimeMasking(3)(torch.ones(1, 4, 5))


# ---- shapes and errors ----------------------------------------------------------------------------


def test_shapes():
    step = audio.TimeMasking(5)
    for shape in [(8, 20), (3, 8, 20), (3, 2, 8, 20), (2, 3, 2, 8, 20), (0, 1, 8, 20)]:
        assert step(torch.ones(shape)).shape == shape
    strided = torch.rand(3, 2, 20, 8).transpose(2, 3)
    keep = strided.clone()
    assert audio.TimeMasking(20)(strided).shape == (3, 2, 8, 20)
    assert torch.equal(strided, keep), "inputs are not written"
    assert audio.Gain()(torch.ones(20)).shape == (20,)
    assert audio.MelSpectrogram(n_fft=64, n_mels=8)(torch.rand(3, 2, 640)).shape == (3, 2, 8, 21)


@pytest.mark.parametrize(
    ("call", "kind", "message"),
    [
        (lambda x: audio.TimeMasking(5)(x, lengths=[1, 2]), ValueError, "one number for each of 3 samples"),
        (
            lambda x: audio.TimeMasking(5)(x, lengths=[1, 41, 3]),
            ValueError,
            r"lengths\[1\] of sample 1 is 41; it must lie in 1 .. 40",
        ),
        (lambda x: audio.TimeMasking(5)(x, lengths=[1, 2, 0]), ValueError, r"lengths\[2\] of sample 2 is 0"),
        (lambda x: audio.TimeMasking(5)(x, lengths=[1.5, 2, 3]), TypeError, "whole numbers, got float64 .sample 0"),
        (lambda x: audio.TimeMasking(5)(x[..., :0]), ValueError, "have no values"),
        (lambda x: audio.TimeMasking(5)(x.to(torch.complex64)), TypeError, "unsupported element type torch.complex64"),
        (lambda x: audio.TimeMasking(5)(x.numpy()), TypeError, "works on torch tensors"),
        (lambda x: audio.TimeMasking(5)(x, ids=[1]), ValueError, "1 numbers for 3 samples"),
        (lambda x: audio.TimeMasking(5, mask_value=float("nan")), ValueError, "mask_value must be a number, got NaN"),
        (lambda x: audio.TimeMasking(-1), ValueError, "time_mask_param must lie in"),
        (lambda x: audio.TimeMasking(5, p=1.5), ValueError, "p must lie in"),
        (lambda x: audio.Compose([audio.TimeMasking(4), audio.Gain()]), ValueError, "stands before the spectrogram"),
        (lambda x: audio.Compose([audio.Spectrogram(), audio.MelSpectrogram()]), ValueError, "follows another spectrogram"),
        (lambda x: audio.Compose([audio.Spectrogram(), audio.Gain()]), ValueError, "stands after"),
        (lambda x: audio.Compose([torch.nn.Identity()]), TypeError, "must be a step of gpuaug.audio"),
        (lambda x: audio.MelSpectrogram()(waves(4000, 100)), ValueError, "waveform 1 has 100 samples, too few for n_fft=400"),
        (lambda x: audio.Gain()([torch.ones(5), torch.ones(2, 5)]), ValueError, "waveform 1 is"),
        (lambda x: audio.Gain()([torch.ones(5), torch.ones(0)]), ValueError, "waveform 1 .* has no values"),
    ],
)
def test_errors(call, kind, message):
    with pytest.raises(kind, match=message):
        call(torch.rand(3, 2, 8, 40))


# ---- values -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "step",
    [audio.Gain(3, 3, prob=1.0), audio.PolarityInversion(1.0), audio.AddNoise(prob=1.0), audio.Spectrogram(64)],
    ids=lambda step: type(step).__name__,
)
@pytest.mark.parametrize("dtype", [torch.uint8, torch.int16, torch.int32])
def test_whole_numbers_are_not_calculated_with(step, dtype):
    with pytest.raises(TypeError, match=rf"{type(step).__name__} calculates with waveforms, which are {dtype}.*wave.float"):
        step(torch.ones(2, 640, dtype=dtype))


def test_whole_numbers_are_moved():
    wave = torch.tensor([[1, 2, 3, 32767]], dtype=torch.int16)
    assert audio.TimeShift(1, 1, "samples", prob=1.0)(wave).tolist() == [[32767, 1, 2, 3]]


def test_float64():
    wave = torch.rand(2, 50, dtype=torch.float64)
    assert torch.equal(audio.Gain(20, 20, prob=1.0)(wave), wave * 10)
    spectrogram = torch.rand(2, 8, 50, dtype=torch.float64)
    out = audio.TimeMasking(20, True)(spectrogram)
    assert torch.equal(out, torch.where(out == 0, 0.0, spectrogram)), "what is not masked keeps its 53 bits"


@pytest.mark.parametrize(
    "make",
    [
        lambda: audio.TimeMasking(90, True),
        lambda: audio.SpecAugment(2, 40, 2, 20, time_warp=9),
        lambda: audio.Compose([audio.Gain(prob=1.0), audio.Spectrogram(64), audio.FrequencyMasking(30)]),
    ],
)
def test_manual_seed_fixes_what_is_drawn(make):
    x = torch.rand(4, 33, 100)
    x = x[:, 0].repeat(1, 8) if isinstance(make(), audio.Compose) else x

    def drawn(seed, module):
        torch.manual_seed(seed)
        return [module(x), module(x), module(x, ids=np.arange(4))]

    module = make()
    first, second, by_id = drawn(1, module)
    assert not torch.equal(first, second)
    for again in (drawn(1, make()), drawn(1, make())):
        for a, b in zip(again, (first, second, by_id)):
            assert torch.equal(a, b)
    torch.manual_seed(1)
    assert torch.equal(module(x), first), "the same module, seeded anew"
    assert torch.equal(module(x, ids=np.arange(4)), by_id), "a sample's draw by its id stays"
    assert not torch.equal(drawn(2, make())[0], first)


@pytest.mark.parametrize(
    "step", [audio.TimeMasking(30), audio.FrequencyMasking(15), audio.SpecAugment(1, 30, 1, 15, False, zero_masking=True)]
)
def test_one_draw_for_all_unless_iid_masks(step):
    """iid_masks=False is torchaudio's default for single masks: `mask_along_axis`, one stripe for the batch."""
    x = torch.ones(6, 20, 40)
    for _ in range(5):
        out = step(x)
        assert torch.equal(out, out[:1].expand_as(out))
    step.seed = 1
    first = step(x, ids=np.arange(6) + 3)
    assert torch.equal(first[:1], step(x[:1], ids=[3])), "the draw is that of the first sample"
    assert len({row.numpy().tobytes() for row in audio.TimeMasking(30, iid_masks=True)(x)}) > 2
