"""One NumPy image a call takes a shorter way through `Compose` (gpuaug/single.py): to the same values."""

import copy
import pickle
import threading

import numpy as np
import parity
import pytest
from parity.case import photograph

import gpuaug as G
from gpuaug.library import load

IMAGE = np.ascontiguousarray(photograph("flower")[40:110, 60:150])
MASK = (IMAGE[..., 0] // 60).astype(np.uint8)


def both(make, calls):
    """What the short way and the long one return for some calls; the short one must have been taken."""
    compose, other = make(), make()
    assert compose._single.able
    other._single.able = False
    compose._scales = None  # the first floating images take the long way: are they in Normalize's scale?
    short, long = [], []
    for call in calls:
        short.append(compose._single(compose, call))
        long.append(other(**call))
        assert short[-1] is not None
    return short, long


def same(a, b):
    assert a.keys() == b.keys()
    for name in a:
        assert type(a[name]) is type(b[name]), name
        assert a[name].dtype == b[name].dtype, name
        np.testing.assert_array_equal(np.asarray(a[name]), np.asarray(b[name]), name)


@pytest.mark.parametrize("dtype", ["uint8", "float32"])
@pytest.mark.parametrize("name", [name for name, about in parity.ABOUT.items() if not about.reads])
def test_every_transform(name, dtype):
    about = parity.ABOUT[name]
    kind = G.REGISTRY[name]
    if kind.solid:
        pytest.skip("volumes")
    image = IMAGE if dtype == "uint8" else (IMAGE / 255).astype(np.float32)
    if not G.Compose([kind(**about.arguments)])._single.able:
        assert kind.asks or kind(**about.arguments).metadata_key
        return
    image = image[..., : about.bench_channels]
    try:
        G.Compose([kind(**about.arguments, p=1)])(image=image)
    except (TypeError, ValueError) as error:
        pytest.skip(f"not of {dtype}: {error}")
    calls = [{"image": image}] * 3 + [{"image": image, "mask": MASK}]
    for a, b in zip(*both(lambda: G.Compose([kind(**about.arguments, p=1)], seed=3), calls)):
        same(a, b)


@pytest.mark.parametrize("seed", range(4))
def test_pipelines(seed):
    def make():
        return G.Compose(
            [
                G.HorizontalFlip(),
                G.OneOf([G.Blur(), G.MedianBlur(), G.InvertImg(), G.NoOp()], p=0.8),
                G.SomeOf([G.RandomRotate90(p=1), G.Affine(rotate=(-20, 20), p=1), G.RandomBrightnessContrast(p=1)], n=2),
                G.RandomCrop(40, 50),
                G.ImageCompression(p=0.3),
                G.Normalize(p=1),
                *([G.ToTensorV2()] if seed % 2 else []),
            ],
            p=0.9 if seed == 3 else 1,
            seed=seed,
        )

    calls = [{"image": IMAGE}, {"image": IMAGE, "mask": MASK}, {"image": IMAGE[::-1]}] * 8
    for a, b in zip(*both(make, calls)):
        same(a, b)


def test_what_is_kept_follows_address_shape_and_arguments():
    compose = G.Compose([G.HorizontalFlip(p=1), G.Normalize(normalization="image_per_channel", p=1)], seed=0)
    for image in (IMAGE, IMAGE.copy(), IMAGE[5:, 3:], IMAGE[:, ::-1], IMAGE[..., :1], IMAGE[..., 0], IMAGE.transpose(1, 0, 2)):
        for _ in range(3):
            want = G.Compose([compose.transforms[1]])(image=[image[:, ::-1]])["image"][0]
            np.testing.assert_array_equal(compose(image=image)["image"], want)
    assert len(compose._single._plans) > 0
    ten = np.full((4, 4, 3), 10, np.uint8)
    aug = G.Compose([G.HorizontalFlip(p=1), G.ToFloat(max_value=10, p=1)], seed=0)
    assert aug(image=ten)["image"].max() == 1
    assert aug(image=ten)["image"].max() == 1
    aug.transforms[1].max_value = 20.0
    assert aug(image=ten)["image"].max() == 0.5  # not of the plan that was kept


def test_limits_of_what_is_kept():
    compose = G.Compose([G.HorizontalFlip(p=1)])
    for i in range(1, 200):
        image = np.arange(3 * i, dtype=np.uint8).reshape(1, i, 3)
        np.testing.assert_array_equal(compose(image=image)["image"], image[:, ::-1])
    assert len(compose._single._plans) <= 64
    assert len(compose._single._kinds) <= 64


def test_probability_set_between_epochs():
    compose = G.Compose([G.HorizontalFlip(p=1), G.InvertImg(p=1)])
    np.testing.assert_array_equal(compose(image=IMAGE)["image"], 255 - IMAGE[:, ::-1])
    compose.transforms[0].p = 0.0
    np.testing.assert_array_equal(compose(image=IMAGE)["image"], 255 - IMAGE)
    compose.transforms[0].p = 0.5
    seen = {compose(image=IMAGE)["image"].tobytes() for _ in range(40)}
    assert seen == {(255 - IMAGE).tobytes(), (255 - IMAGE[:, ::-1]).tobytes()}


def test_copies():
    compose = G.Compose([G.HorizontalFlip(p=1), G.Affine(rotate=(-9, 9), p=1)], seed=4)
    compose(image=IMAGE)
    twin, sent = copy.deepcopy(compose), pickle.loads(pickle.dumps(compose))
    np.testing.assert_array_equal(twin(image=IMAGE)["image"], compose(image=IMAGE)["image"])
    assert not np.array_equal(sent(image=IMAGE)["image"], compose(image=IMAGE)["image"])
    assert twin._single._tree is twin._tree


def test_threads():
    compose, wrong = G.Compose([G.HorizontalFlip(p=1), G.Normalize(p=1)]), []
    images = [np.ascontiguousarray(IMAGE[i:, i:]) for i in range(8)]
    want = [G.Compose([G.HorizontalFlip(p=1), G.Normalize(p=1)])(image[None])[0] for image in images]

    def work(k):
        for i in range(200):
            at = (i + k) % 8
            if not np.array_equal(compose(image=images[at])["image"], want[at]):
                wrong.append(at)

    threads = [threading.Thread(target=work, args=(k,)) for k in range(4)]
    [t.start() for t in threads]
    [t.join() for t in threads]
    assert not wrong


def test_sizes_that_differ_and_other_faults_say_what_they_said():
    compose = G.Compose([G.HorizontalFlip(p=1), G.RandomCrop(80, 20)])
    with pytest.raises(ValueError, match=r"mask 0 is .* they must agree"):
        compose(image=IMAGE, mask=MASK[1:])
    with pytest.raises(ValueError, match="RandomCrop: the window of height 80, width 20 is larger than image 0 of the batch"):
        compose(image=IMAGE)
    with pytest.raises(ValueError, match="looks like CHW"):
        G.Compose([G.HorizontalFlip()])(image=np.zeros((3, 40, 40), np.uint8))
    big = IMAGE.astype(">i2")
    assert G.Compose([G.HorizontalFlip(p=1)])(image=big)["image"].dtype == big.dtype
    odd = np.frombuffer(b"\0" + np.arange(12, dtype=np.float32).tobytes(), np.uint8)[1:].view(np.float32).reshape(3, 4)
    np.testing.assert_array_equal(G.Compose([G.HorizontalFlip(p=1)])(image=odd)["image"], odd[:, ::-1])


def test_refuses_tracks_of_several_samples():
    from gpuaug.track import Track

    track = Track(G.Batch.of(np.zeros((2, 4, 4, 3), np.uint8)))
    handle, track._handle = track._handle, None
    with pytest.raises(ValueError, match="a track of 2 samples, not of one"):
        load().track_run(handle, 0, np.array([12, 3, 1]), 0, 1)
