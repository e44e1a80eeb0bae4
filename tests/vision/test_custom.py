"""Functions in lists of transforms, and torchvision's own objects made into gpuaug's."""

from __future__ import annotations

import random
import re
import warnings

import numpy as np
import PIL.Image
import pytest
import torch
from test_pixels import picture
from test_samples import EVERY, Fashion, fashion, pil
from torch import nn
from torchvision import transforms as V1
from torchvision import tv_tensors
from torchvision.transforms import v2 as V
from torchvision.transforms.v2 import functional as F

import gpuaug as G
from gpuaug import vision as T
from gpuaug.executed import in_type

# ---- functions ----------------------------------------------------------------------------------------------------


class Rotated:
    """As people write them for lists of torchvision's transforms: of PIL images."""

    def __call__(self, image):
        assert isinstance(image, PIL.Image.Image)
        return image.rotate(90, expand=True)


class Noise(nn.Module):
    """And of tensors."""

    def forward(self, x):
        assert isinstance(x, torch.Tensor)
        assert type(x) is torch.Tensor
        return x + 0.1 * torch.randn_like(x) + random.random()


def test_functions_get_images_as_they_are_there():
    image = pil()
    aug = T.Compose([Rotated(), T.ToTensor(), Noise(), T.Normalize([0.5], [0.5])], seed=1)
    out = aug(image)
    assert out.shape == (3, 60, 80)
    assert isinstance(aug[0], T.Lambda)
    first, again, other = aug(image, ids=[4]), aug(image, ids=[4]), aug(image, ids=[5])
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    turned = F.to_dtype(F.pil_to_tensor(image.rotate(90, expand=True)), torch.float32, scale=True)
    noise = (first * 0.5 + 0.5) - turned
    assert abs((noise - noise.mean()).std() - 0.1) < 0.01
    assert "Rotated: host on all samples: a function, image by image" in aug.explain((80, 60), samples=2)
    state = random.getstate(), torch.get_rng_state()
    aug(image, ids=[4])
    assert random.getstate() == state[0]
    assert torch.equal(torch.get_rng_state(), state[1])


def test_each_form():
    tensor = picture(3)
    seen = []

    def look(x):
        seen.append(type(x))
        return x

    for steps, value, kind in (
        ([look], tensor, torch.Tensor),
        ([look], tv_tensors.Image(tensor), torch.Tensor),
        ([look], pil(), PIL.Image.Image),
        ([look, T.ToTensor()], np.asarray(pil()), np.ndarray),
        ([T.PILToTensor(), look], pil(), torch.Tensor),
        ([T.ToImage(), look], pil(), torch.Tensor),
        ([T.ToPILImage(), look], tensor, PIL.Image.Image),
        ([T.ToTensor(), T.ToPILImage(), look, T.ToTensor()], pil(), PIL.Image.Image),
        ([T.RandomApply([look], p=1)], pil().convert("L"), PIL.Image.Image),
    ):
        aug = T.Compose(steps)
        plain = T.Compose([step for step in steps if step is not look and not isinstance(step, T.RandomApply)])
        got, want = aug(value), plain(value)
        assert issubclass(seen[-1], kind)
        assert type(got) is type(want)
        np.testing.assert_array_equal(np.asarray(got), np.asarray(want))
    in_a_batch = T.Compose([T.RandomApply([lambda x: 255 - x], p=0.5)], seed=1)(torch.stack([tensor] * 30))
    inverted = [torch.equal(x, 255 - tensor) for x in in_a_batch]
    assert 5 < sum(inverted) < 25
    assert all(torch.equal(x, tensor) for x, other in zip(in_a_batch, inverted) if not other)
    gray = T.Compose([lambda x: x.convert("L")])(pil())
    assert gray.mode == "L"


def test_functions_in_the_loader():
    aug = T.Compose([Rotated(), T.RandomHorizontalFlip(), T.ToTensor(), Noise()], seed=3)
    batches = list(G.DataLoader(Fashion(), batch_size=5, transform=aug))
    assert batches[0]["img"].shape == (5, 3, 60, 80)
    torch.testing.assert_close(batches[1]["img"][2].cpu(), aug(pil(7), ids=[7]))


def test_lambdas():
    double = T.Lambda(lambda x: x * 2, torch.Tensor)
    image = picture(3) // 4
    assert torch.equal(double(image), image * 2)
    assert isinstance(double(pil()), PIL.Image.Image)  # of another type
    with pytest.raises(TypeError, match=r"failed on sample 0 .*called with a tensor, and must return one, got int"):
        T.Compose([lambda x: 3])(image)
    with pytest.raises(TypeError, match="lambd must be a function"):
        T.Lambda(3)
    with pytest.raises(TypeError, match=r"transforms\[0\] must be a gpuaug transform"):
        T.Compose([3])
    with pytest.raises(ValueError, match="cannot be written"):
        G.to_dict(T.Compose([lambda x: x]))


@pytest.mark.parametrize("channels", [1, 3])
def test_jpeg(channels):
    image = picture(channels, (64, 80))
    for quality in (5, 50, 95):
        got, want = T.JPEG(quality)(image), F.jpeg(image, quality)
        assert (got.int() - want.int()).abs().max() <= (0 if channels == 3 else 2)
    told = T.Compose([T.JPEG((20, 90))], seed=1).params(range(300), size=(64, 80))
    qualities = {each[0].params["quality"] for each in told}
    assert min(qualities) == 20
    assert max(qualities) == 90
    with pytest.raises(TypeError, match="JPEG works on bytes, got float32"):
        T.JPEG(50)(image / 255)


# ---- torchvision's objects ----------------------------------------------------------------------------------------

UNLIKE = {"PILToTensor", "ToPILImage", "ToTensor", "SanitizeBoundingBoxes"}  # no argument to be compared, or its own


@pytest.mark.parametrize("step", EVERY, ids=lambda step: type(step).__name__)
@pytest.mark.filterwarnings("ignore")
def test_objects_of_v2_and_v1(step):
    name = type(step).__name__
    for module in (V, V1):
        if not hasattr(module, name):
            assert module is V1
            continue
        text = re.sub(r"interpolation='(\w+)'", lambda m: f"interpolation=InterpolationMode.{m[1].upper()}", repr(step))
        text = text.replace("policy='svhn'", "policy=AutoAugmentPolicy.SVHN")
        theirs = eval(text, {each: getattr(module, each) for each in dir(module)})
        ours = G.from_torchvision(theirs)
        assert isinstance(ours, T.Compose)
        (found,) = ours.transforms
        assert type(found) is type(step)
        if name in UNLIKE:
            continue
        # the same draws, the same pixels
        image = torch.stack([picture(3, seed=i) for i in range(3)])
        image = image / 255 if name in ("RandomErasing",) else image
        if name == "RandomIoUCrop":
            assert found._options == step._options
            continue
        mine, want = (T.Compose([each], seed=5) for each in (found, step))
        for i in range(3):
            assert torch.equal(mine(image[i], ids=[i]), want(image[i], ids=[i]))


def build(module, **more):
    return module.Compose(
        [
            module.RandomResizedCrop((24, 30), interpolation=module.InterpolationMode.NEAREST),
            module.RandomApply([module.ColorJitter(0.4, 0.4, 0.4, 0.1)], p=0.8),
            module.RandomChoice([module.RandomRotation(20), module.RandomHorizontalFlip()]),
            module.RandomOrder([module.RandomInvert(), module.Pad(3)]),
            module.ToTensor(),
            module.Normalize([0.5], [0.2]),
            module.RandomErasing(),
        ],
        **more,
    )


@pytest.mark.filterwarnings("ignore")
def test_pipelines():
    image = pil()
    want = build(T, seed=7)
    for module in (V1, V):
        ours = G.from_torchvision(build(module), seed=7)
        assert [type(each) for each in ours] == [type(each) for each in want]
        for i in range(6):
            assert torch.equal(ours(image, ids=[i]), want(image, ids=[i]))
    assert len(G.from_torchvision(nn.Sequential(V.RandomInvert(), V.Resize(9)))) == 2
    assert len(G.from_torchvision([V.RandomInvert(), V.RandomInvert()])) == 2
    padded = G.from_torchvision(V.RandomCrop(50, padding=[1, 2, 3, 4])).transforms[0]
    assert padded == T.RandomCrop((50, 50), [1, 2, 3, 4])
    mixed = T.Compose([V.RandomHorizontalFlip(1), V1.ToTensor()])
    assert [type(each) for each in mixed] == [T.RandomHorizontalFlip, T.ToTensor]
    assert isinstance(G.Compose([V.ColorJitter(0.3)])[0], T.ColorJitter)


def test_what_cannot_be_converted():
    pipeline = V.Compose(
        [
            V.FiveCrop(9),
            V.RandomApply(
                [V.Resize(9, interpolation=V.InterpolationMode.LANCZOS), V.LinearTransformation(torch.eye(4), torch.zeros(4))]
            ),
            Rotated(),
            V.RandomInvert(),
        ]
    )
    with pytest.raises(ValueError, match="this pipeline of torchvision cannot be one of gpuaug") as caught:
        G.from_torchvision(pipeline)
    lines = str(caught.value).split("\n- ")[1:]
    assert [line.split(": ")[0] for line in lines] == [
        "transform.transforms[0]",
        "transform.transforms[1].transforms[0]",
        "transform.transforms[1].transforms[1]",
        "transform.transforms[2]",
    ]
    assert "FiveCrop: it makes five images of one" in lines[0]
    assert "interpolation must be 'nearest'" in lines[1]
    assert "Rotated is not torchvision's: unsupported='wrap' calls it" in lines[3]
    with pytest.raises(TypeError, match="from_torchvision takes torchvision's transforms"):
        G.from_torchvision(3)
    with pytest.raises(ValueError, match="unsupported must be one of"):
        G.from_torchvision(pipeline, unsupported="no")


def test_what_is_not_there_can_be_called():
    image = pil()
    pipeline = V1.Compose(
        [V1.Resize((30, 40), V1.InterpolationMode.LANCZOS), Rotated(), V1.ToTensor(), V1.Lambda(lambda x: 1 - x)]
    )
    ours = G.from_torchvision(pipeline, unsupported="wrap")
    assert [type(each).__name__ for each in ours] == ["Lambda", "Lambda", "ToTensor", "Lambda"]
    torch.testing.assert_close(ours(image), pipeline(image), rtol=0, atol=1e-6)


def test_torch_says_nothing_of_arrays_of_pil_images():
    torch.set_warn_always(True)  # else it speaks once in a process
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            made = in_type(np.asarray(pil()), "uint8")
    finally:
        torch.set_warn_always(False)
    assert (made.numpy() == np.asarray(pil())).all()


def test_a_pipeline_in_words_says_its_seed():
    steps = [T.RandomHorizontalFlip()]
    assert repr(T.Compose(steps, seed=0)).endswith("], seed=0)")
    assert repr(T.Compose(steps)).endswith("\n])")


def test_the_article_again():
    theirs = V1.Compose(
        [
            V1.RandomHorizontalFlip(p=0.5),
            V1.ColorJitter(brightness=0.3, contrast=0.3, saturation=0.3, hue=0),
            V1.RandomAffine(degrees=20, translate=(0.1, 0.1), scale=(0.8, 1.2), fill=(255, 255, 255)),
            V1.ToTensor(),
            V1.Normalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]),
        ]
    )
    with pytest.warns(DeprecationWarning, match="resample="):
        want = fashion(T, seed=3)
    assert torch.equal(G.from_torchvision(theirs, seed=3)(pil(), ids=[2]), want(pil(), ids=[2]))


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("FiveCrop", "it makes five images of one"),
        ("functional", "torchvision.transforms.functional works"),
        ("RandomInver", "did you mean 'RandomInvert'"),
    ],
)
def test_names_that_are_not_there(name, words):
    with pytest.raises(AttributeError, match=re.escape(f"gpuaug.vision has no {name!r}: {words}")):
        getattr(T, name)
    assert not hasattr(T, "__wrapped__")
