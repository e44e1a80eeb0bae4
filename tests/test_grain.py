"""What noise is distributed like: Kolmogorov-Smirnov tests with a false alarm of 1e-6 each, correlations below 6 deviations."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.stats

import gpuaug as G

SIDE = 256
BOUND = 6 / SIDE  # of a correlation of SIDE^2 numbers


def additive(kind: str, params: dict, channels: int = 3, mode: str = "per_pixel", size: float = 1.0) -> np.ndarray:
    """The noise alone, about the middle of the range."""
    aug = G.AdditiveNoise(kind, mode, params, size, p=1)
    return G.Compose([aug], seed=5)(np.full((SIDE, SIDE, channels), 0.5, np.float32)).astype(np.float64) - 0.5


@pytest.mark.parametrize("channels", [1, 3, 6])
@pytest.mark.parametrize(
    ("kind", "params", "distribution"),
    [
        ("uniform", {"ranges": [(-0.2, 0.3)]}, scipy.stats.uniform(-0.2, 0.5)),
        ("gaussian", {"mean_range": (0.05, 0.05), "std_range": (0.05, 0.05)}, scipy.stats.norm(0.05, 0.05)),
        ("laplace", {"mean_range": (0.0, 0.0), "scale_range": (0.02, 0.02)}, scipy.stats.laplace(0, 0.02)),
        (
            "beta",
            {"alpha_range": (0.6, 0.6), "beta_range": (3.0, 3.0), "scale_range": (0.4, 0.4)},
            scipy.stats.beta(0.6, 3.0, -0.4, 0.8),
        ),
        (
            "beta",
            {"alpha_range": (5.0, 5.0), "beta_range": (1.0, 1.0), "scale_range": (0.4, 0.4)},
            scipy.stats.beta(5.0, 1.0, -0.4, 0.8),
        ),
    ],
)
def test_additive_noise(kind, params, distribution, channels):
    noise = additive(kind, params, channels)
    for c in range(channels):
        assert scipy.stats.kstest(noise[..., c].ravel(), distribution.cdf).pvalue > 1e-6
    flat = noise.reshape(-1, channels)
    if channels > 1:
        assert np.abs(np.corrcoef(flat.T) - np.eye(channels)).max() < BOUND
    for a, b in ((noise[1:], noise[:-1]), (noise[:, 1:], noise[:, :-1])):
        assert abs(np.corrcoef(a.ravel(), b.ravel())[0, 1]) < BOUND


def test_coarse_noise_is_smooth():
    """On a grid of a quarter of the size neighbours are alike; variances are of means of four numbers, on the whole (2/3)^2."""
    params = {"mean_range": (0.0, 0.0), "std_range": (0.1, 0.1)}
    noise = additive("gaussian", params, 1, size=0.25)[..., 0]
    assert np.corrcoef(noise[1:].ravel(), noise[:-1].ravel())[0, 1] > 0.9
    assert abs(noise.std() / 0.1 - 2 / 3) < 0.03


def test_shared_noise_is_gray():
    noise = additive("laplace", {"mean_range": (0.0, 0.0), "scale_range": (0.02, 0.02)}, 5, "shared")
    assert (noise == noise[..., :1]).all()


@pytest.mark.parametrize("scale", [0.2, 0.02, 0.001])
def test_photons_are_poisson(scale):
    """Means 2, 22 (by inversion) and 430 (by an expansion): chi-squared of the counts, false alarm 1e-6."""
    value = 0.7
    out = G.Compose([G.ShotNoise((scale, scale), p=1)], seed=2)(np.full((SIDE, SIDE, 3), value, np.float32))
    count = np.rint(out.astype(np.float64) ** 2.2 / scale).astype(int).ravel()
    rate = value**2.2 / scale + 1e-6
    count = count[count * scale < 0.99]  # what is brighter is clipped
    low, high = (int(v) for v in scipy.stats.poisson(rate).ppf([0.001, 0.999]))
    high = min(high, int(0.98 / scale))
    edges = np.unique(np.linspace(low, high, 30).astype(int))
    inside = count[(count >= edges[0]) & (count < edges[-1])]
    chance = np.diff(scipy.stats.poisson(rate).cdf(edges - 1))
    seen = np.histogram(inside, edges)[0]
    seen[-1] -= np.count_nonzero(inside == edges[-1])
    assert scipy.stats.chisquare(seen, chance / chance.sum() * seen.sum()).pvalue > 1e-6


@pytest.mark.parametrize("size", [(1, 700), (64, 64), (37, 91), (256, 256)])
def test_grains_are_anywhere(size):
    """Their numbers are exact; over many draws every pixel is as likely (chi-squared), and neighbours do not go together."""
    image = np.full((400, *size, 1), 128, np.uint8)
    out = G.Compose([G.SaltAndPepper((0.1, 0.1), (0.3, 0.3), p=1)], seed=4)(image=image, ids=np.arange(400))["image"][..., 0]
    area = size[0] * size[1]
    grains = int(area * 0.1)
    assert {int(n) for n in (out != 128).sum((1, 2))} == {grains}
    assert {int(n) for n in (out == 255).sum((1, 2))} == {int(grains * 0.3)}
    hit = (out != 128).reshape(400, area)
    # the sum over pixels of squared distances from the mean number, each a binomial of 400 draws of which grains / area hit
    expected = 400 * grains / area
    chi = ((hit.sum(0) - expected) ** 2).sum() / (expected * (1 - grains / area))
    assert abs(chi - area) < 6 * np.sqrt(2 * area)
    share = grains / area
    pair = (hit[:, 1:] & hit[:, :-1]).mean()
    assert abs(pair - share**2) < 6 * share * np.sqrt(1 / (400 * area)) + 2 / area


def test_factors_are_uniform():
    image = np.full((SIDE, SIDE, 3), 0.5, np.float32)
    for per_channel in (False, True):
        out = G.Compose([G.MultiplicativeNoise((0.5, 1.5), per_channel, True, p=1)], seed=1)(image) / 0.5
        assert scipy.stats.kstest(out[..., 1].ravel().astype(np.float64), scipy.stats.uniform(0.5, 1).cdf).pvalue > 1e-6
        assert (out == out[..., :1]).all() != per_channel


def test_the_order_of_channels_and_of_jitter_is_any():
    image = np.arange(3, dtype=np.uint8).reshape(1, 1, 1, 3).repeat(3000, 0)
    out = G.Compose([G.ChannelShuffle(p=1)], seed=0)(image=image, ids=np.arange(3000))["image"].reshape(3000, 3)
    seen = np.unique(out, axis=0, return_counts=True)[1]
    assert len(seen) == 6
    assert scipy.stats.chisquare(seen).pvalue > 1e-6
