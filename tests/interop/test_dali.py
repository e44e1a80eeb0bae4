import numpy as np
import pytest
import torch
from PIL import Image
from sklearn.datasets import load_sample_images

import gpuaug as G

pytest.importorskip("nvidia.dali")
from nvidia.dali import fn, pipeline_def, types

from gpuaug.interop.dali import augment

N, BATCH = 10, 4
PHOTOS = [Image.fromarray(photo).resize((64, 48)) for photo in load_sample_images().images]


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    root = tmp_path_factory.mktemp("photos")
    for i in range(N):
        path = root / str(i % 2) / f"{i:02}.png"
        path.parent.mkdir(exist_ok=True)
        PHOTOS[i % 2].rotate(20 * i).crop((i, 0, 56, 40 + i % 4)).save(path)
    return root


def compose(*more):
    return G.Compose([G.HorizontalFlip(), G.RandomBrightnessContrast(p=0.8), *more], seed=11)


def files(root):
    return sorted(root.rglob("*.png"))


def build(root, transform, graph, **options):
    paths = [str(path) for path in files(root)]

    @pipeline_def(batch_size=BATCH, num_threads=2, device_id=None, prefetch_queue_depth=2, **options)
    def pipeline():
        encoded, numbers = fn.readers.file(files=paths, labels=list(range(N)), name="reader")
        images = fn.decoders.image(encoded, output_type=types.RGB)
        return graph(images, numbers, transform)

    pipe = pipeline()
    pipe.build()
    return pipe


def samples(pipe, batches):
    """{number of the sample: its results in the order in which they came}."""
    seen = {}
    for _ in range(batches):
        images, numbers = pipe.run()[:2]
        for k in range(BATCH):
            seen.setdefault(int(numbers.at(k).item()), []).append(images.at(k).copy())
    return seen


def with_ids(images, numbers, transform):
    return augment(images, transform, ids=numbers), numbers


def test_equals_the_compose_epoch_by_epoch(root):
    images = [np.asarray(Image.open(path)) for path in files(root)]
    seen = samples(build(root, compose(), with_ids), 2 * N // BATCH)
    for epoch in range(2):
        expected = compose()(image=images, ids=np.arange(N), epoch=epoch)["image"]
        for i in range(N):
            np.testing.assert_array_equal(seen[i][epoch], expected[i])
    assert any(not np.array_equal(*seen[i]) for i in range(N))


def test_equals_the_loader(root):
    crop = G.CenterCrop(32, 32)
    data = [(str(path), i) for i, path in enumerate(files(root))]
    loader = G.DataLoader(data, batch_size=3, shuffle=True, transform=compose(crop), device="cpu")
    seen = samples(build(root, compose(crop), with_ids), N // BATCH)
    for batch, numbers in loader:
        for image, i in zip(batch, numbers.tolist()):
            if i in seen:
                np.testing.assert_array_equal(image.permute(1, 2, 0), seen[i][0])


def test_samples_are_numbered_without_ids(root):
    images = [np.asarray(Image.open(path)) for path in files(root)]
    pipe = build(root, compose(), lambda images, numbers, transform: (augment(images, transform), numbers))
    first = pipe.run()[0]
    expected = compose()(image=images[:BATCH], ids=np.arange(BATCH))["image"]
    for k in range(BATCH):
        np.testing.assert_array_equal(first.at(k), expected[k])
    second = pipe.run()[0]
    expected = compose()(image=images[BATCH : 2 * BATCH], ids=np.arange(BATCH, 2 * BATCH))["image"]
    np.testing.assert_array_equal(second.at(0), expected[0])


def test_masks_move_with_the_images(root):
    def graph(images, numbers, transform):
        masks = fn.cast(images[:, :, 0:1] > 100, dtype=types.UINT8)
        return *augment(images, G.Compose([G.HorizontalFlip()], seed=3), masks=masks, ids=numbers), numbers

    images, masks, _ = build(root, None, graph).run()
    flipped = 0
    for k in range(BATCH):
        np.testing.assert_array_equal(masks.at(k)[..., 0], images.at(k)[..., 0] > 100)
        flipped += not np.array_equal(images.at(k), np.asarray(Image.open(files(root)[k])))
    assert 0 < flipped < BATCH


def test_dali_operators_may_follow(root):
    def graph(images, numbers, transform):
        return fn.resize(augment(images, transform, ids=numbers), size=(20, 30)), numbers

    assert build(root, compose(), graph).run()[0].as_tensor().shape() == [BATCH, 20, 30, 3]


def test_tensors_come_out_planar(root):
    transform = compose(G.CenterCrop(16, 20), G.Normalize(), G.ToTensorV2())
    images, _ = build(root, transform, with_ids).run()
    assert images.as_tensor().shape() == [BATCH, 3, 16, 20]
    assert images.dtype == types.FLOAT


def conditional(images, numbers, transform):
    return augment(images, transform, ids=numbers), numbers


def test_under_conditionals(root):
    assert len(samples(build(root, compose(), conditional, enable_conditionals=True), 1)) == BATCH


def test_errors(root):
    with pytest.raises(TypeError, match=r"compose must be a gpuaug.Compose, got function"):
        build(root, lambda x: x, with_ids)
    with pytest.raises(ValueError, match="compose has no seed"):
        build(root, G.Compose([G.HorizontalFlip()]), with_ids)
    pipe = build(root, compose(), lambda images, numbers, t: (augment(images, t, ids=images), numbers))
    with pytest.raises(RuntimeError, match=r"ids must hold one integer per sample, got uint8 of shape"):
        pipe.run()


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_on_a_gpu(root):
    paths = [str(path) for path in files(root)]

    @pipeline_def(batch_size=BATCH, num_threads=2, device_id=0)
    def pipeline():
        encoded, numbers = fn.readers.file(files=paths, labels=list(range(N)))
        images = fn.decoders.image(encoded, device="mixed", output_type=types.RGB)
        return augment(images, compose(), ids=numbers), numbers

    pipe = pipeline()
    pipe.build()
    images, _ = pipe.run()
    expected = compose()(image=[np.asarray(Image.open(p)) for p in paths[:BATCH]], ids=np.arange(BATCH))["image"]
    for k in range(BATCH):
        assert np.abs(images.as_cpu().at(k).astype(int) - expected[k]).max() <= 1
