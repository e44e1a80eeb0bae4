import numpy as np
import pytest
import torch

import gpuaug as G
from gpuaug.data.mixing import CutMix, MixUp, beta_quantiles, partners

stats = pytest.importorskip("scipy.stats")  # a bare machine with a GPU may lack it (bench/second_run.sh)
load_sample_images = pytest.importorskip("sklearn.datasets").load_sample_images

# A statistical test fails for a right draw with this probability. Seeds are fixed: it is drawn once.
FALSE_ALARM = 1e-6

KINDS = pytest.mark.parametrize("kind", [MixUp, CutMix])


@pytest.fixture(scope="module")
def photos():
    """24 crops of two photographs, float in [0, 1], ``[24, 3, 32, 40]``."""
    crops = [
        photo[y : y + 32, x : x + 40]
        for photo in load_sample_images().images
        for y in (40, 150, 300)
        for x in (10, 180, 350, 500)
    ]
    return torch.from_numpy(np.stack(crops)).permute(0, 3, 1, 2).float() / 255


def batch_of(photos, ids):
    """Images and labels as a function of the id, whatever the batch."""
    ids = torch.as_tensor(ids)
    return photos[ids % 24], ids % 5


def own_weights(mix, ids, **counters):
    """The weights that samples had, read off the labels: with one-hot rows of the ids themselves."""
    images = torch.zeros(len(ids), 1, 64, 64)
    soft = mix((images, torch.eye(len(ids), dtype=torch.float64)), ids=np.asarray(ids), **counters)[1]
    return soft


@KINDS
def test_the_batch_around_a_sample_changes_only_its_partner(kind, photos):
    ids = np.arange(24)
    mix = kind(alpha=1.0, seed=3)
    whole = own_weights(mix, ids, epoch=2).diagonal()
    halves = torch.cat([own_weights(mix, part, epoch=2).diagonal() for part in (ids[:12], ids[12:])])
    assert torch.equal(whole, halves)
    assert not torch.equal(whole, own_weights(mix, ids, epoch=3).diagonal())
    assert not torch.equal(whole, own_weights(mix, ids, epoch=2, occurrence=np.ones(24, int)).diagonal())
    assert torch.equal(whole, own_weights(kind(alpha=1.0), ids, epoch=2, seed=3).diagonal())


@KINDS
def test_order_in_the_batch_does_not_matter(kind, photos):
    ids = np.array([31, 7, 7, 90, 2, 55, 11])
    occurrence = np.array([0, 1, 0, 0, 0, 0, 0])
    turn = np.random.default_rng(0).permutation(len(ids))
    mix = kind(num_classes=5, seed=1)
    images, labels = mix(batch_of(photos, ids), ids=ids, occurrence=occurrence)
    turned, turned_labels = mix(batch_of(photos, ids[turn]), ids=ids[turn], occurrence=occurrence[turn])
    assert torch.equal(images[turn], turned)
    assert torch.equal(labels[turn], turned_labels)


@KINDS
def test_global_random_state_is_neither_read_nor_touched(kind, photos):
    ids = np.arange(24)
    mix = kind(num_classes=5, seed=1)
    results = []
    for seed in (0, 1):
        torch.manual_seed(seed)
        before = torch.get_rng_state()
        results.append(mix(batch_of(photos, ids), ids=ids)[0])
        assert torch.equal(before, torch.get_rng_state())
    assert torch.equal(*results)


def test_partners_are_uniform_over_the_others():
    n, rounds = 8, 4000
    counts = np.zeros((n, n))
    u = np.random.default_rng(0).random((rounds, n))
    ids = np.array([5, 3, 100, 7, 1, 0, 60, 2])
    for row in u:
        counts[np.arange(n), partners(ids, np.zeros(n, int), row)] += 1
    assert not counts.diagonal().any(), "nobody is its own partner"
    off = counts[~np.eye(n, dtype=bool)]
    statistic = ((off - rounds / (n - 1)) ** 2 / (rounds / (n - 1))).sum()
    assert statistic < stats.chi2.isf(FALSE_ALARM, n * (n - 2))


@pytest.mark.parametrize("alpha", [0.05, 0.2, 1.0, 4.0, 60.0])
def test_weights_are_beta_distributed(alpha):
    probability, logit = beta_quantiles(alpha)
    u = np.linspace(0.001, 0.999, 999)
    x = 1 / (1 + np.exp(-np.interp(u, probability, logit)))
    assert np.abs(x - stats.beta.ppf(u, alpha, alpha)).max() < 1e-5  # measured: 6e-6 for 0.05, 1e-6 for the others
    weights = []
    for epoch in range(20):
        soft = own_weights(MixUp(alpha=alpha, seed=9), np.arange(64), epoch=epoch)
        weights.append(soft.diagonal().numpy())
    assert stats.kstest(np.concatenate(weights), stats.beta(alpha, alpha).cdf).pvalue > FALSE_ALARM


@KINDS
def test_probability_is_per_sample(kind):
    mixed = 0
    for epoch in range(20):
        soft = own_weights(kind(p=0.3, seed=2), np.arange(64), epoch=epoch)
        mixed += int((soft.diagonal() < 1).sum())
    # a CutMix box can be empty: below a weight of 1 - (2 / 64)^2 no pixel changes, 1 in 1000 for alpha=1
    assert stats.binomtest(mixed, 20 * 64, 0.3).pvalue > FALSE_ALARM
    images = torch.rand(4, 3, 8, 8)
    assert torch.equal(kind(p=0.0, labels=[], seed=0)((images,), ids=np.arange(4))[0], images)


def test_coin_weight_partner_and_center_are_independent():
    ids = np.arange(4000)
    partner, weight, center = CutMix(alpha=0.7, p=0.5, seed=5)._draw(ids, 0, None, None)
    mixed = weight < 1
    assert stats.kstest(weight[mixed], stats.beta(0.7, 0.7).cdf).pvalue > FALSE_ALARM
    columns = np.stack([partner[mixed], weight[mixed], *(c[mixed] for c in center)])
    for i in range(4):
        for j in range(i):
            assert stats.spearmanr(columns[i], columns[j]).pvalue > FALSE_ALARM / 6


def test_mixup_is_the_blend_that_the_labels_say(photos):
    ids = np.arange(24)
    images, soft = MixUp(alpha=1.0, p=0.7, seed=4)((photos, torch.eye(24)), ids=ids)
    expected = torch.einsum("ij,jchw->ichw", soft.double(), photos.double())
    torch.testing.assert_close(images.double(), expected, rtol=0, atol=3e-7)  # two roundings of float32 below 1
    assert {int((row > 0).sum()) for row in soft} == {1, 2}
    assert torch.equal(images[soft.diagonal() == 1], photos[soft.diagonal() == 1])


@pytest.mark.parametrize("dtype", [torch.uint8, torch.float16, torch.bfloat16])
def test_mixup_in_other_dtypes(photos, dtype):
    ids = np.arange(24)
    images = (photos * 255).round().to(dtype)
    mix = MixUp(num_classes=5, seed=4)
    mixed, _ = mix((images, torch.from_numpy(ids % 5)), ids=ids)
    exact, _ = mix((images.double(), torch.from_numpy(ids % 5)), ids=ids)
    assert mixed.dtype == dtype
    # half a grey level; for the floats the weight and the result are rounded, one unit in the last place of 255 each
    tolerance = {torch.uint8: 0.501, torch.float16: 0.25, torch.bfloat16: 2.0}[dtype]
    assert (mixed.double() - exact).abs().max() <= tolerance


def test_cutmix_pastes_one_box_and_counts_its_area(photos):
    ids = np.arange(24)
    positions = torch.arange(32 * 40).view(1, 1, 32, 40).float()
    images = torch.cat([photos, positions + 10_000 * torch.arange(24).view(-1, 1, 1, 1)], dim=1)
    mask = torch.arange(24).view(-1, 1, 1).expand(24, 32, 40).contiguous()
    batch = {"image": images, "mask": mask, "label": torch.eye(24)}
    out = CutMix(alpha=1.0, seed=8)(batch, ids=ids)
    sizes = set()
    for i in range(24):
        source = out["mask"][i]
        assert torch.equal(out["image"][i], images[source, :, torch.arange(32)[:, None], torch.arange(40)].permute(2, 0, 1))
        others = (source != i).nonzero()
        assert len(set(source[source != i].tolist())) <= 1, "one partner"
        if len(others):
            height, width = (others.amax(0) - others.amin(0) + 1).tolist()
            assert height * width == len(others), "the box is a box"
            sizes.add((height, width))
        share = torch.bincount(source.flatten(), minlength=24) / (32 * 40)
        torch.testing.assert_close(out["label"][i], share, rtol=0, atol=1e-6)
    assert len(sizes) > 12, "boxes are drawn per sample"


@KINDS
def test_inputs_are_not_written_and_memory_format_stays(kind, photos):
    ids = np.arange(24)
    images = photos.contiguous(memory_format=torch.channels_last)
    labels = torch.from_numpy(ids % 5)
    copies = images.clone(), labels.clone()
    for p in (1.0, 0.5):
        out, soft = kind(num_classes=5, p=p, seed=0)((images, labels), ids=ids)
        assert torch.equal(images, copies[0])
        assert torch.equal(labels, copies[1])
        assert out.is_contiguous(memory_format=torch.channels_last)
        assert out.data_ptr() != images.data_ptr()
        torch.testing.assert_close(soft.sum(1), torch.ones(24))


def test_nested_labels_keep_their_structure(photos):
    ids = np.arange(24)
    batch = {
        "img": photos,
        "labels": {"color": torch.arange(24) % 4, "gender": torch.arange(24) % 2, "price": torch.arange(24.0)},
        "key": [f"k{i}" for i in ids],
    }
    out = MixUp(num_classes={"color": 4, "gender": 2}, seed=0)(batch, ids=ids)
    assert out["key"] == batch["key"]
    assert {name: tuple(v.shape) for name, v in out["labels"].items()} == {"color": (24, 4), "gender": (24, 2), "price": (24,)}
    identity = MixUp(seed=0)((photos, torch.eye(24)), ids=ids)[1]
    torch.testing.assert_close(out["labels"]["price"], identity @ torch.arange(24.0), rtol=1e-5, atol=0)
    torch.testing.assert_close(out["labels"]["color"], identity @ torch.nn.functional.one_hot(torch.arange(24) % 4, 4).float())


def test_one_after_the_other(photos):
    ids = np.arange(24)
    once = MixUp(num_classes=5, p=0.5, seed=0)(batch_of(photos, ids), ids=ids)
    _, soft = CutMix(p=0.5, seed=0)(once, ids=ids)
    torch.testing.assert_close(soft.sum(1), torch.ones(24))
    assert 2 < int((soft > 0).sum(1).max()) <= 4


@KINDS
@pytest.mark.parametrize("n", [0, 1])
def test_batches_without_a_partner(kind, n, photos):
    images, soft = kind(num_classes=5, seed=0)((photos[:n], torch.full((n,), 2)), ids=np.arange(n))
    assert torch.equal(images, photos[:n])
    assert soft.tolist() == [[0, 0, 1, 0, 0]] * n


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda x: MixUp(alpha=0), r"alpha must be a number in \[0.01, 1000\], got 0"),
        (lambda x: MixUp(p=1.5), r"p must be a probability in \[0, 1\], got 1.5"),
        (lambda x: MixUp(num_classes=0), "num_classes must be a whole number"),
        (lambda x: MixUp(seed=0)((x, torch.tensor([0, 1])), ids=[0, 1]), "labels 1 are class numbers: pass num_classes"),
        (lambda x: MixUp(3, num_classes=2)((x, torch.tensor([0, 2])), ids=[0, 1]), "labels 1 are 0 .. 2, num_classes=2"),
        (lambda x: MixUp(num_classes=2)((x, torch.tensor([0, -1])), ids=[0, 1]), "labels 1 are -1 .. 0"),
        (lambda x: MixUp(num_classes=2)((x, torch.tensor([True, False])), ids=[0, 1]), "are torch.bool of shape"),
        (lambda x: MixUp(num_classes=2)((x, torch.tensor([0, 1])), ids=[0, 1, 2]), "3 ids for 2 images"),
        (lambda x: MixUp(num_classes=2)((x, torch.tensor([0, 1])), ids=[0, -1]), "ids must lie in"),
        (lambda x: MixUp()({"image": x}, ids=[0, 1]), r"finds no tensors of labels in {image.*labels=\[\]"),
        (lambda x: MixUp(labels="kind")({"image": x}, ids=[0, 1]), "labels='kind': the batch has no such entry"),
        (lambda x: MixUp()({"image": x, "mask": x[:, 0].long()}, ids=[0, 1]), "use CutMix"),
        (lambda x: CutMix()({"image": x, "mask": x[:, 0, :4]}, ids=[0, 1]), "mask is Tensor.*images' size 32 x 40"),
        (lambda x: CutMix()({"image": x, "bboxes": x[:, 0, 0, :4]}, ids=[0, 1]), "the batch also has bboxes"),
        (lambda x: CutMix()({"image": [x[0], x[1]]}, ids=[0, 1]), "finds no image|needs images as one tensor"),
    ],
)
def test_errors(build, message, photos):
    with pytest.raises((ValueError, KeyError), match=message):
        build(photos[:2])


@pytest.mark.gpu
@pytest.mark.card
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
@KINDS
def test_on_a_gpu_as_on_the_cpu_without_a_synchronization(kind, photos):
    ids = np.arange(24)
    for p in (1.0, 0.5):
        mix = kind(num_classes=5, p=p, seed=6)
        expected = mix(batch_of(photos, ids), ids=ids)
        batch = tuple(x.cuda() for x in batch_of(photos, ids))
        mix(batch, ids=ids)
        torch.cuda.set_sync_debug_mode("error")
        try:
            images, soft = mix(batch, ids=ids)
        finally:
            torch.cuda.set_sync_debug_mode("default")
        torch.testing.assert_close(images.cpu(), expected[0], rtol=0, atol=1e-6)
        torch.testing.assert_close(soft.cpu(), expected[1], rtol=0, atol=1e-6)


@pytest.mark.parametrize("dtype", [torch.uint16, torch.uint32, torch.uint64, torch.int8, torch.bool, torch.float64])
def test_cutmix_moves_masks_of_any_type(dtype):
    """The loader gives masks back in the type that came in; torch.where has no unsigned ones."""
    labels = torch.arange(4)[:, None, None].expand(4, 16, 16)
    batch = {"image": labels[:, None].float().expand(4, 3, 16, 16), "mask": labels.to(dtype), "label": torch.zeros(4, 2)}
    out = CutMix(seed=1)(batch, ids=np.arange(4))
    assert out["mask"].dtype == dtype
    want = out["image"][:, 0].long()
    assert (want != labels).any()
    assert torch.equal(out["mask"], want.to(dtype))


class Beside(torch.utils.data.Dataset):
    """Samples of one colour each, with something beside the image."""

    def __init__(self, **beside):
        self.beside = beside

    def __len__(self):
        return 6

    def __getitem__(self, i):
        return {"image": np.full((32, 32, 3), i, np.uint8), "label": i, **self.beside}


@pytest.mark.parametrize("mix", [CutMix, MixUp])
@pytest.mark.parametrize("transform", [G.Compose([G.ToTensorV2()]), None], ids=["nothing moves", "no transform"])
@pytest.mark.parametrize(
    "beside", [{"depth": np.zeros((32, 32), np.float32)}, {"boxes": np.ones((1, 4))}, {"landmarks": np.ones((5, 2))}],
    ids=["map", "boxes", "points"],
)  # fmt: skip
def test_what_mixing_would_leave_behind_is_an_error(mix, transform, beside):
    (name,) = beside
    how = {"transform": transform, "mix": mix(num_classes=6, seed=1), "device": "cpu"}
    with pytest.raises(ValueError, match=rf"(?s){name}'.*untouched"):
        next(iter(G.DataLoader(Beside(**beside), 6, **how)))
    targets = {"image": "image", "untouched": [name]}
    assert name in next(iter(G.DataLoader(Beside(**beside), 6, targets=targets, **how)))


def test_a_second_label_is_not_left_hard():
    dataset, how = Beside(coarse_label=2), {"transform": G.Compose([G.ToTensorV2()]), "device": "cpu"}
    with pytest.raises(ValueError, match="'coarse_label' sounds like a label"):
        next(iter(G.DataLoader(dataset, 6, mix=MixUp(num_classes=6), **how)))
    both = MixUp(num_classes=6, labels=["label", "coarse_label"])
    assert next(iter(G.DataLoader(dataset, 6, mix=both, **how)))["coarse_label"].shape == (6, 6)
