"""Policies: what is drawn is as likely as torchvision's, and what is applied is what torchvision applies."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
import torch
from test_pixels import both_types, got_and_drawn, picture
from torchvision.transforms import InterpolationMode
from torchvision.transforms import v2 as V

from gpuaug import vision as T
from gpuaug.vision.policies import POLICIES
from gpuaug.vision.policy import OPERATIONS, magnitudes


def applied(reference, image, params, mode="nearest", operation=None, magnitude=None):
    """torchvision's steps with what was drawn."""
    operation = params["operation"] if operation is None else operation
    magnitude = params["magnitude"] if magnitude is None else magnitude
    for number, m in zip(operation, magnitude):
        if number >= 0:
            how = {"interpolation": InterpolationMode(mode), "fill": {"others": None}}
            image = reference._apply_image_or_video_transform(image, OPERATIONS[number], m, **how)
    return image


def compare(transform, reference, ids, mode="nearest"):
    seen, exact = Counter(), []
    for image in both_types():
        got, drawn = got_and_drawn(transform, image, ids)
        for result, params in zip(got, drawn):
            want = applied(reference, image, params, mode)
            assert result.dtype == want.dtype
            off = (result.double() - want.double()).abs() / (255 if image.dtype == torch.uint8 else 1)
            # a level of a colour, and nearest pixels that lie between two, where float32 decides; what is off before Sharpness is
            # off around it, before Contrast everywhere, by little
            assert (off > 0.05).float().mean() < 0.05, [OPERATIONS[k] for k in params["operation"]]
            assert (off > 0.006).float().mean() < 0.1, [OPERATIONS[k] for k in params["operation"]]
            exact.append((off > 1e-5).float().mean() < 0.002)
            seen.update(OPERATIONS[k] for k in params["operation"] if k >= 0)
    assert np.mean(exact) > 0.6
    return seen


def test_randaugment():
    seen = compare(T.RandAugment(3, 19), V.RandAugment(3, 19), range(60))
    assert set(seen) == set(V.RandAugment._AUGMENTATION_SPACE)


def test_trivialaugment():
    seen = compare(T.TrivialAugmentWide(), V.TrivialAugmentWide(), range(150))
    assert set(seen) == set(V.TrivialAugmentWide._AUGMENTATION_SPACE)


@pytest.mark.parametrize("policy", list(V.AutoAugmentPolicy))
def test_autoaugment(policy):
    reference = V.AutoAugment(policy)
    compare(T.AutoAugment(policy), reference, range(60))
    assert POLICIES[policy.value] == tuple(reference._policies)
    assert T.AutoAugment(policy.value) == T.AutoAugment(T.AutoAugmentPolicy(policy.value))
    # how often each operation is applied, by the policy's probabilities
    compose = T.Compose([T.AutoAugment(policy)], seed=3)
    told = compose.params(range(4000), size=(41, 54))
    counts = Counter(OPERATIONS[k] for each in told for k in each[0].params["operation"] if k >= 0)
    expected = Counter()
    for pair in reference._policies:
        for name, p, _ in pair:
            expected[name] += p * 4000 / len(reference._policies)
    for name, count in expected.items():
        assert abs(counts[name] - count) < 5 * max(count, 20) ** 0.5


@pytest.mark.parametrize(
    ("space", "reference", "bins"),
    [
        ("auto", V.AutoAugment._AUGMENTATION_SPACE, 10),
        ("auto", V.RandAugment._AUGMENTATION_SPACE, 31),
        ("wide", V.TrivialAugmentWide._AUGMENTATION_SPACE, 31),
        ("mix", V.AugMix._AUGMENTATION_SPACE, 10),
    ],
)
def test_magnitudes(space, reference, bins):
    for name, (function, signed) in reference.items():
        want = function(bins, 41, 54)
        assert signed == (name in OPERATIONS[:9])
        if want is not None:
            got = magnitudes(name, bins, np.array([[41, 54], [9, 9]]), space)
            np.testing.assert_allclose(got[0], want.numpy(), rtol=1e-6)


@pytest.mark.parametrize("arguments", [{}, {"severity": 10, "mixture_width": 2, "chain_depth": 2, "all_ops": False}], ids=str)
def test_augmix(arguments):
    reference = V.AugMix(**arguments)
    for image in both_types():
        got, drawn = got_and_drawn(T.AugMix(**arguments), image, range(30))
        for result, params in zip(got, drawn):
            want = params["image"] * image.float()
            for operation, magnitude, weight in zip(params["operation"], params["magnitude"], params["weights"]):
                chain = applied(reference, image, params, "bilinear", operation, magnitude)
                want = want + weight * chain.float()
            assert abs(params["image"] + sum(params["weights"]) - 1) < 1e-9
            off = (result.double() - want.to(image.dtype).double()).abs() / (255 if image.dtype == torch.uint8 else 1)
            assert (off > 0.02).float().mean() < 0.02
            assert off.median() < 1 / 254
    depths = {sum(k >= 0 for k in chain) for params in drawn for chain in params["operation"]}
    assert depths == ({2} if arguments else {1, 2, 3})


def test_shares_of_augmix():
    """Beta(alpha, alpha) between the image and the chains, Dirichlet among these."""
    told = T.Compose([T.AugMix(alpha=2.0)], seed=1).params(range(3000), size=(41, 54))
    image = np.array([each[0].params["image"] for each in told])
    weights = np.array([each[0].params["weights"] for each in told]) / (1 - image[:, None])
    assert abs(image.mean() - 0.5) < 0.02
    assert abs(image.var() - 1 / 20) < 5e-3
    np.testing.assert_allclose(weights.mean(0), 1 / 3, atol=0.02)
    np.testing.assert_allclose(weights.var(0), (1 / 3 * 2 / 3) / 7, atol=5e-3)


def test_what_is_refused():
    image = picture(3)
    mask = torch.zeros(41, 54, dtype=torch.uint8)
    from torchvision import tv_tensors

    for policy in (T.RandAugment(), T.AugMix()):
        with pytest.raises(ValueError, match="moves images alone, as torchvision's does: leave masks out"):
            policy(tv_tensors.Image(image), tv_tensors.Mask(mask))
        boxes = tv_tensors.BoundingBoxes(torch.tensor([[1, 2, 3, 4]]), format="XYXY", canvas_size=(41, 54))
        with pytest.raises(ValueError, match="does not move bboxes"):
            policy(tv_tensors.Image(image), boxes)
    with pytest.raises(ValueError, match=r"magnitude must lie in \[0, 30\], got 31"):
        T.RandAugment(magnitude=31)
    with pytest.raises(ValueError, match="policy must be one of 'imagenet', 'cifar10', 'svhn'"):
        T.AutoAugment("food")
    with pytest.raises(ValueError, match="interpolation must be 'nearest' or 'bilinear', got 3"):
        T.RandAugment(interpolation=3)
