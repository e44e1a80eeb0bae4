"""Pipelines under ``torch.compile``, ``autocast`` and in ``nn.Sequential``: the same pixels, one graph."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest
import torch
from skimage import data

import gpuaug as G

IMAGES = torch.from_numpy(np.stack([data.astronaut()[40:80, x : x + 50] for x in range(90, 98)])).permute(0, 3, 1, 2).contiguous()
MASKS = IMAGES[:, 0] // 64


def pipeline(**more):
    steps = [G.RandomResizedCrop((32, 24)), G.HorizontalFlip(), G.OneOf([G.Blur(), G.RandomGamma()], p=0.8), G.Normalize()]
    return G.Compose(steps, **{"seed": 1, **more})


def compiled(function, backend="aot_eager", fullgraph=True):
    torch._dynamo.reset()
    return torch.compile(function, fullgraph=fullgraph, backend=backend)


@pytest.mark.parametrize("backend", ["eager", "aot_eager", "inductor"])
def test_one_graph_of_augmentation_and_network(backend):
    torch.manual_seed(0)
    net = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3), torch.nn.ReLU())
    here, there = pipeline(), pipeline()
    step = compiled(lambda images: net(here(images)), backend)
    for images in (IMAGES, IMAGES, IMAGES[:3], IMAGES[:5]):  # numbers of samples, too, change
        want = net(there(images))
        got = step(images)
        torch.testing.assert_close(got, want, rtol=1e-4, atol=1e-5)  # inductor may fuse the convolution's multiply-adds
        got.sum().backward()
    assert here.state_dict() == there.state_dict()
    assert net[0].weight.grad.abs().sum() > 0


def test_the_pixels_are_the_same():
    here, there = pipeline(), pipeline()
    step = compiled(lambda images, masks: here(image=images, mask=masks))
    for _ in range(3):
        got, want = step(IMAGES, MASKS), there(image=IMAGES, mask=MASKS)
        assert list(got) == ["image", "mask"]
        assert all(torch.equal(got[name], want[name]) for name in want)
    with_ids = compiled(lambda images, ids: here(images, ids=ids, epoch=3))
    ids = torch.arange(100, 108)
    assert torch.equal(with_ids(IMAGES, ids), there(IMAGES, ids=ids.numpy(), epoch=3))
    one = compiled(lambda image: here(image))
    assert torch.equal(one(IMAGES[0]), there(IMAGES[0]))


def test_two_calls_are_two():
    """None is left out or put together with another, also where nobody reads the result."""
    here, there, weight = pipeline(), pipeline(), torch.ones(1, requires_grad=True)

    def twice(images):
        here(images)
        return here(images) * weight, here(images) * weight  # with gradients torch looks for the same work done twice

    got = compiled(twice)(IMAGES)
    there(IMAGES)
    for one in got:
        assert torch.equal(one, there(IMAGES))
    assert here.state_dict() == there.state_dict()


def test_without_a_seed_torchs_generator_decides():
    here, there = pipeline(seed=None), pipeline(seed=None)
    step = compiled(lambda images: here(images))
    step(IMAGES)
    torch.manual_seed(5)
    got = [step(IMAGES) for _ in range(2)]
    torch.manual_seed(5)
    assert all(torch.equal(one, there(IMAGES)) for one in got)


def test_schedules_are_followed():
    """What is set between epochs counts, without compiling anew."""
    aug = G.Compose([G.HorizontalFlip(p=1)], seed=1)
    step = compiled(lambda images: aug(images))
    assert torch.equal(step(IMAGES), IMAGES.flip(3))
    aug.transforms[0].p = 0.0
    assert torch.equal(step(IMAGES), IMAGES)


def test_copies_are_pipelines_of_their_own():
    aug = pipeline()
    for other in (copy.deepcopy(aug), copy.copy(aug), pickle.loads(pickle.dumps(aug))):
        assert other._number != aug._number
        other.transforms = [*other.transforms]
        assert torch.equal(compiled(lambda x, other=other: other(x, ids=torch.arange(8)))(IMAGES), aug(IMAGES, ids=np.arange(8)))


TURNED = G.Compose([G.ToFloat(), G.ToGray(1, p=1), G.Transpose(p=1)])


@pytest.mark.parametrize("aug", [pipeline(), G.Compose([]), TURNED], ids=["crop", "nothing", "turned"])
def test_operator(aug):
    arguments = ([IMAGES, MASKS], "image,mask", aug._number, aug._calls, torch.arange(8), 0)
    torch.library.opcheck(torch.ops.gpuaug.augment.default, arguments)


def test_what_is_no_tensor_breaks_the_graph_and_runs():
    aug, there = pipeline(), pipeline()
    array = IMAGES.permute(0, 2, 3, 1).numpy()
    step = compiled(lambda images: torch.from_numpy(aug(images)) + 1, "eager", fullgraph=False)
    np.testing.assert_array_equal(step(array).numpy(), there(array) + 1)
    boxes = G.Compose([G.HorizontalFlip(p=1)], bbox_params=G.BboxParams("pascal_voc"))
    step = compiled(lambda images, rows: boxes(image=images, bboxes=rows), "eager", fullgraph=False)
    assert step(IMAGES[0], [[1, 2, 3, 4]])["bboxes"] == [[47, 2, 49, 4]]
    with pytest.raises(ValueError, match="requires a gradient"):
        compiled(lambda images: aug(images), "eager", fullgraph=False)(IMAGES.float().requires_grad_())


def test_results_of_many_sizes_are_an_error():
    aug = G.Compose([G.RandomScale((-0.5, 0.5), p=1)], seed=1)
    with pytest.raises(Exception, match="samples end with different sizes"):
        compiled(lambda images: aug(images))(IMAGES)


def test_autocast_and_sequential():
    net = torch.nn.Conv2d(3, 4, 3)
    model, there = torch.nn.Sequential(pipeline(), net), pipeline()
    want = there(IMAGES)
    with torch.autocast("cpu", torch.bfloat16):
        got = model[0](IMAGES)
        out = net(got)
    assert torch.equal(got, want)  # what it makes is float32 in every context
    assert out.dtype == torch.bfloat16
    torch.testing.assert_close(model(IMAGES), net(there(IMAGES)))
    assert [name for name, _ in model.named_parameters()] == ["1.weight", "1.bias"]
    assert not list(model.buffers())
