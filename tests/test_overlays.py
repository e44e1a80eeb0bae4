"""OverlayElements and TextImage beside albumentations: the same pictures and texts at the same places."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from albumentations.augmentations.mixing.functional import copy_and_paste_blend
from albumentations.augmentations.text import functional as reference
from parity.case import photograph
from parity.overlays import font
from PIL import ImageFont

import gpuaug as G

H, W = 90, 120


def image(channels=3, dtype="uint8"):
    out = np.concatenate([photograph("flower")[:H, :W], photograph("china")[:H, :W]], 2)[..., :channels]
    return np.ascontiguousarray(out if dtype == "uint8" else (out / np.float32(255)).astype(dtype))


def disc(h, w):
    return ((np.mgrid[:h, :w][0] - h / 2) ** 2 + (np.mgrid[:h, :w][1] - w / 2) ** 2 < (min(h, w) / 2) ** 2).astype(np.uint8) * 255


@pytest.mark.parametrize("dtype", ["uint8", "float32"])
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_pictures_as_albumentations(channels, dtype):
    """cv2.resize by areas, whose means are rounded once; the mask by nearest neighbours."""
    data, picture = image(channels, dtype), image(channels, dtype)[::-1, ::-1][:60, :80]
    picture, shape = np.ascontiguousarray(picture), disc(60, 80)
    mask = np.zeros((H, W), np.uint8)
    items = [
        {"image": picture, "bbox": (0.1, 0.2, 0.45, 0.7)},
        {"image": picture, "bbox": (0.3, 0.35, 0.98, 0.99), "mask": shape, "mask_id": 3},
    ]
    out = G.Compose([G.OverlayElements(p=1)])(image=data, mask=mask, overlay_metadata=items)
    want, labels = data, mask.copy()
    for item in items:
        x0, y0, x1, y1 = (int(v) for v in np.array(item["bbox"]) * [W, H, W, H])
        laid = cv2.resize(picture, (x1 - x0, y1 - y0), interpolation=cv2.INTER_AREA).reshape(y1 - y0, x1 - x0, channels)
        shown = cv2.resize(item.get("mask", np.ones_like(shape)), (x1 - x0, y1 - y0), interpolation=cv2.INTER_NEAREST)
        want = copy_and_paste_blend(want, laid, shown, (y0, x0))
        if "mask_id" in item:
            labels[y0:y1, x0:x1][shown > 0] = item["mask_id"]
    apart = np.abs(out["image"].astype(np.float64) - want)
    assert apart.max() <= (1 if dtype == "uint8" else 1e-5)
    assert (apart > 0).mean() < 0.05 or dtype != "uint8"
    np.testing.assert_array_equal(out["mask"], labels)
    assert (labels == 3).any()


def test_random_places_are_all_inside_and_alike_often():
    """A picture of one pixel: each of the 12 places equally often (chi-squared; false alarm once in 10^6)."""
    item = {"image": np.full((1, 1), 9, np.uint8)}
    data = np.zeros((6000, 3, 4, 1), np.uint8)
    out = G.Compose([G.OverlayElements(p=1)], seed=1)(image=data, overlay_metadata=[item, [item]] * 3000)["image"]
    counts = (out == 9).reshape(-1, 12).sum(0)
    assert counts.sum() == 6000
    assert ((counts - 500) ** 2 / 500).sum() < 51  # the quantile of 11 degrees of freedom
    large = {"image": np.full((9, 9), 7, np.uint8)}
    assert (G.Compose([G.OverlayElements(p=1)])(image=data[0], overlay_metadata=large)["image"] == 7).all()


def test_boxes_and_keypoints_stay():
    aug = G.Compose([G.OverlayElements(p=1)], bbox_params=G.BboxParams("pascal_voc"), keypoint_params=G.KeypointParams("xy"))
    out = aug(image=image(), overlay_metadata=[{"image": image()}], bboxes=[[1, 2, 30, 40]], keypoints=[[5, 6]])
    assert out["bboxes"] == [[1, 2, 30, 40]]
    assert out["keypoints"] == [[5, 6]]


@pytest.mark.parametrize("dtype", ["uint8", "float32"])
@pytest.mark.parametrize("channels", [1, 3, 5])
@pytest.mark.parametrize("clear", [False, True])
def test_text_as_albumentations(channels, dtype, clear):
    data = image(channels, dtype)
    items = [{"bbox": (0.05, 0.1, 0.9, 0.4), "text": "one two three"}, {"bbox": (0.2, 0.5, 0.6, 0.9), "text": "gpuaug"}]
    color = (200, 30, 90, 10, 250)[: max(channels, 3)]
    transform = G.TextImage(font(), font_color=color, clear_bg=clear, p=1)
    compose = G.Compose([transform], seed=3)
    out = compose(image=data, textimage_metadata=items, ids=[0])["image"]
    u = np.random.default_rng(0).random((1, 1))
    placed = transform._placed(items, (H, W), np.random.Generator(np.random.Philox(key=int(u[0, 0] * 2**53))))
    found = transform._written(data, placed)
    overlay = [
        {"bbox_coords": place, "text": text, "font": ImageFont.truetype(font(), points), "font_color": color}
        for text, place, points in placed
    ]
    want = reference.render_text(data, overlay, clear) if channels <= 3 or not clear else None
    if want is not None:
        # floats come back in 8 bits there, all of them; here those that were written on
        assert np.abs(found.astype(np.float64) - want.reshape(found.shape)).max() <= (0 if dtype == "uint8" else 0.5 / 255 + 1e-6)
    assert {place for _, place, _ in placed} == {(6, 9, 108, 36), (24, 45, 72, 81)}
    assert out.shape == data.shape
    assert 0.01 < (out != data).any(2).mean() < 0.6
    outside = np.ones((H, W), bool)
    outside[9:45, 6:], outside[45:, 24:] = False, False
    np.testing.assert_array_equal(out[outside], data[outside])


def test_words_are_changed():
    rng = np.random.default_rng(5)
    transform = G.TextImage(font(), stopwords=("zero",), augmentations=("insertion",), p=1)
    text = "one two three four"
    for _ in range(20):
        more = transform._changed(text, "insertion", rng).split()
        assert [word for word in more if word != "zero"] == text.split()
        assert len(more) == 6
        less = transform._changed(text, "deletion", rng).split()
        assert len(less) == 2
        assert less == [word for word in text.split() if word in less]
        assert sorted(transform._changed(text, "swap", rng).split() or text.split()) == sorted(text.split())
    assert transform._changed("one", "deletion", rng) == ""


def test_shares_of_boxes():
    items = [{"bbox": (0, k / 10, 1, (k + 1) / 10), "text": str(k)} for k in range(10)]
    transform = G.TextImage(font(), fraction_range=(0.3, 0.3), p=1)
    seen = set()
    for k in range(40):
        placed = transform._placed(items, (200, 200), np.random.default_rng(k))
        assert len(placed) == 3
        seen |= {text for text, _, _ in placed}
    assert seen == set("0123456789")


@pytest.mark.parametrize(
    ("item", "kind", "text"),
    [
        (3, TypeError, "overlay_metadata of sample 0: it must be a dict or a list of dicts, got 3"),
        ({"bbox": (0, 0, 1, 1)}, ValueError, "an item has no 'image'; it holds bbox"),
        ({"image": image(), "bbox": (0, 0, 2, 1)}, ValueError, r"bbox must be \(x0, y0, x1, y1\), fractions of the image"),
        ({"image": image(), "bbox": (0, 0, 0.001, 1)}, ValueError, "has no pixels"),
        ({"image": image(), "mask": np.ones((3, 3))}, ValueError, "they must agree"),
        ({"image": image(1)}, ValueError, "an overlay is uint8 with 1 channels, the image uint8 with 3 channels"),
        ({"image": image(3, "float32")}, ValueError, "an overlay is float32 with 3 channels"),
    ],
)
def test_what_does_not_fit(item, kind, text):
    with pytest.raises(kind, match=text):
        G.Compose([G.OverlayElements(p=1)])(image=image(), overlay_metadata=item)


def test_what_text_does_not_fit():
    for item, text in (
        ({"bbox": (0, 0, 1, 0.02), "text": "a"}, "too flat for a font"),
        ({"bbox": (0, 0, 1, 1)}, "an item has no 'text'"),
    ):
        with pytest.raises(ValueError, match=text):
            G.Compose([G.TextImage(font(), p=1)])(image=image(), textimage_metadata=item)
    with pytest.raises(ValueError, match=r"font_color must be .*a colour's name: unknown color specifier: 'yelow'"):
        G.TextImage(font(), font_color="yelow")
    with pytest.raises(ValueError, match=r"font_color=\(1.0, 2.0\) has 2 numbers for 3 channels"):
        G.Compose([G.TextImage(font(), font_color=(1, 2), p=1)])(image=image(), textimage_metadata=[])
    with pytest.raises(ValueError, match="augmentations are"):
        G.TextImage(font(), augmentations=("shout",))
    with pytest.raises(ValueError, match="needs stopwords"):
        G.TextImage(font(), stopwords=(), augmentations=("insertion",))


def test_tensors_have_their_channels_first():
    import torch

    data, picture = image(), np.ascontiguousarray(image()[:20, :30])
    item = {"bbox": (0.1, 0.2, 0.5, 0.7)}
    aug = G.Compose([G.OverlayElements(p=1)])
    want = aug(image=data, overlay_metadata={**item, "image": picture})["image"]
    planes = [torch.from_numpy(x).permute(2, 0, 1) for x in (data, picture)]
    got = aug(image=planes[0], overlay_metadata={**item, "image": planes[1]})["image"]
    np.testing.assert_array_equal(got.permute(1, 2, 0).numpy(), want)


@pytest.mark.parametrize("make", [G.OverlayElements, lambda p: G.TextImage(font(), p=p)], ids=["pictures", "text"])
def test_a_call_that_brings_nothing_is_told_that_nothing_is_done(make):
    with pytest.warns(UserWarning, match=r"does nothing: it needs \w+_metadata=\{\.\.\} in the call"):
        out = G.Compose([make(p=1)])(image=image())["image"]
    np.testing.assert_array_equal(out, image())


def test_text_in_the_font_of_pillow_and_in_colours_by_name():
    from PIL import ImageFont

    assert G.TextImage(font_color="yellow").font_color == (255, 255, 0)
    white = np.full((40, 90, 3), 255, np.uint8)
    text = {"bbox": (0, 0, 1, 1), "text": "I"}
    out = G.Compose([G.TextImage(font_color="red", font_size_fraction_range=(0.5, 0.5), p=1)])(
        image=white, textimage_metadata=text
    )
    ink = (out["image"] != 255).any(2)
    left, top, right, bottom = ImageFont.load_default(20).getbbox("I")
    y, x = np.nonzero(ink)
    assert (x.min() >= left, y.min() >= top, x.max() < right, y.max() < bottom) == (True,) * 4
    assert (out["image"][..., 0] == 255).all()
    assert ink.sum() > 20


def test_colours_to_draw_from():
    """albumentations 1.4: ``font_color=["red", "green", "blue"]``."""
    aug = G.Compose([G.TextImage(font_color=["red", (0, 255, 0), "#0000ff"], p=1)], seed=1)
    image, texts = np.zeros((60, 90, 3), np.uint8), {"bbox": (0.1, 0.1, 0.9, 0.9), "text": "HHH"}
    out = aug(image=[image] * 60, textimage_metadata=[texts] * 60, ids=range(60))["image"]
    inks = [tuple((each.reshape(-1, 3).max(0) > 200).tolist()) for each in out]
    assert set(inks) == {(True, False, False), (False, True, False), (False, False, True)}
    assert min(inks.count(each) for each in set(inks)) > 8  # of 20; five deviations below is 2
    back = G.from_dict(G.to_dict(aug))
    assert back == aug
    with pytest.raises(ValueError, match="font_color must be a number for each channel, or a colour's name"):
        G.TextImage(font_color=["rad", "green"])
    with pytest.raises(ValueError, match=r"font_color=\(1.0,\) has 1 numbers for 3 channels"):
        G.Compose([G.TextImage(font_color=["red", (1,)], p=1)])(image=image, textimage_metadata=texts)
