"""Where gpuaug.vision takes pixels from is where torchvision's functions take them from, with the parameters that were drawn."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from test_pixels import IDS, SIZE, both_types, close, got_and_drawn, picture
from torchvision.transforms import InterpolationMode
from torchvision.transforms import v2 as V
from torchvision.transforms.v2 import functional as F

from gpuaug import vision as T

MODES = ("nearest", "bilinear")


def warped(function, image, *args, mode: str, fill=0, **given):
    """What torchvision's function(image, .., interpolation=, fill=) makes, in float64, with its fill mixed in once: at the
    image's borders torchvision weighs by how much of a pixel is inside, and weighs that again where it fills."""
    how = {"interpolation": InterpolationMode(mode), "fill": None} | given
    fill = torch.tensor(fill, dtype=torch.float64).reshape(-1, 1, 1)
    inside = function(torch.ones_like(image, dtype=torch.float64), *args, **how)
    out = function(image.double(), *args, **how) + (1 - inside) * fill
    return out.round().to(image.dtype) if image.dtype == torch.uint8 else out.to(image.dtype)


def near(result, want, mode: str, atol: float = 3e-4, share: float = 3e-3) -> None:
    """nearest: but for places between two pixels; else within the rounding of coordinates in float32."""
    if mode == "nearest":
        assert result.shape == want.shape
        assert (result != want).any(0).float().mean() < share
    else:
        close(result, want, 1, 0.01, atol)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(
    "arguments",
    [
        {"degrees": 0},
        {"degrees": (10, 200), "fill": (9, 20, 230)},
        {"degrees": 0, "translate": (0.3, 0.2), "fill": 255},
        {"degrees": 5, "scale": (0.5, 1.7), "center": (3, 11)},
        {"degrees": 0, "shear": 30},
        {"degrees": 20, "translate": (0.1, 0.1), "scale": (0.8, 1.2), "shear": (-10, 10, -20, 5)},
    ],
    ids=str,
)
def test_affine(arguments, mode):
    for image in both_types():
        fill = arguments.get("fill", 0)
        got, drawn = got_and_drawn(T.RandomAffine(**arguments, interpolation=mode), image)
        for result, params in zip(got, drawn):
            given = {name: params[name] for name in ("angle", "translate", "scale", "shear")}
            given["center"] = arguments.get("center")
            near(result, warped(F.affine, image, mode=mode, fill=fill, **given), mode, 0.03 if fill else 3e-4)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("arguments", [{}, {"expand": True}, {"center": (5, 30)}, {"fill": (3, 4, 5)}], ids=str)
def test_rotation(arguments, mode):
    for image in both_types():
        got, drawn = got_and_drawn(T.RandomRotation(180, mode, **arguments), image)
        for result, params in zip(got, drawn):
            want = warped(F.rotate, image, params["angle"], mode=mode, **arguments)
            near(result, want, mode, 2e-3 if "fill" in arguments else 3e-4)


@pytest.mark.parametrize("angle", [0, 90, 180, 270, -90, 720])
def test_quarter_turns_move_whole_pixels(angle):
    for size in ((40, 40), (41, 41), (41, 55)):
        image = picture(3, size)
        assert torch.equal(T.RandomRotation((angle, angle))(image), F.rotate(image, angle))
    assert torch.equal(T.RandomRotation((90, 90), expand=True)(picture(3, (40, 54))), picture(3, (40, 54)).rot90(1, (1, 2)))
    with pytest.raises(ValueError, match="expand=True turns about the middle"):
        T.RandomRotation(10, expand=True, center=(1, 1))


@pytest.mark.parametrize("mode", MODES)
def test_perspective(mode):
    h, w = SIZE
    start = [[0, 0], [w - 1, 0], [w - 1, h - 1], [0, h - 1]]
    for image in both_types():
        got, drawn = got_and_drawn(T.RandomPerspective(0.6, 1, mode), image)
        for result, params in zip(got, drawn):
            want = warped(F.perspective, image, start, params["endpoints"], mode=mode)
            near(result, want, mode, 2e-3, 1e-2)  # the reference solves for its coefficients in float32
    ends = np.array([params["endpoints"] for params in drawn])
    most = np.array([int(0.6 * (w // 2)), int(0.6 * (h // 2))])
    assert (ends >= 0).all()
    assert (np.minimum(ends, np.array([w - 1, h - 1]) - ends) <= most).all()
    assert len(np.unique(ends.reshape(len(ends), -1), axis=0)) == len(ends)


def test_perspective_of_narrow_images():
    for size in ((1, 1), (1, 9), (3, 2), (4, 4), (5, 6)):
        aug = T.Compose([T.RandomPerspective(1, 1)], seed=1)
        for i in range(100):
            assert aug(torch.zeros(1, *size), ids=[i]).shape == (1, *size)
    assert torch.equal(T.RandomPerspective(1, 1)(torch.ones(1, 1, 1)), torch.ones(1, 1, 1))


@pytest.mark.parametrize("mode", MODES)
def test_elastic(mode):
    h, w = SIZE
    image = picture(3).float() / 255
    got, drawn = got_and_drawn(T.ElasticTransform((40.0, 90.0), (2.0, 3.0), mode), image, IDS[:4])
    for result, params in zip(got, drawn):
        field = torch.tensor(params["shift"], dtype=torch.float64).view(1, h, w, 2) / torch.tensor([w / 2, h / 2])
        near(result, warped(F.elastic, image, field, mode=mode), mode, 5e-4)
    # displacements are as large, and as smooth, as torchvision's
    torch.manual_seed(0)
    reference = V.ElasticTransform((40.0, 90.0), (2.0, 3.0))
    theirs = torch.cat([reference.make_params([torch.zeros(3, h, w)])["displacement"] for _ in range(60)])
    theirs = theirs * torch.tensor([w / 2, h / 2])
    _, drawn = got_and_drawn(T.ElasticTransform((40.0, 90.0), (2.0, 3.0)), image, list(range(60)))
    ours = torch.stack([torch.tensor(params["shift"]).view(h, w, 2) for params in drawn])
    torch.testing.assert_close(ours.std((0, 1, 2)), theirs.std((0, 1, 2)), rtol=0.05, atol=0)
    for axis in (1, 2):
        torch.testing.assert_close(ours.diff(dim=axis).std((0, 1, 2)), theirs.diff(dim=axis).std((0, 1, 2)), rtol=0.05, atol=0)
    with pytest.raises(ValueError, match="takes 20 pixels beyond the borders of image 0"):
        T.ElasticTransform()(torch.zeros(3, 20, 60))


# ---- sizes -------------------------------------------------------------------------------------------------------


def resized(image, size, mode="bilinear", antialias=True):
    """torchvision's resize in float32: of bytes it rounds after each axis, which is a level off here and there, cubic several."""
    out = F.resize(image.float(), size, InterpolationMode(mode), antialias=antialias)
    return out.round().clamp(0, 255).to(image.dtype) if image.dtype == torch.uint8 else out


@pytest.mark.parametrize("antialias", [True, False])
@pytest.mark.parametrize("mode", ["nearest", "nearest-exact", "bilinear", "bicubic"])
@pytest.mark.parametrize("size", [(20, 31), (97, 60), 17, [80]], ids=str)
def test_resize(size, mode, antialias):
    for image in both_types():
        (result,), _ = got_and_drawn(T.Resize(size, mode, antialias=antialias), image, [0])
        close(result, resized(image, [size] if isinstance(size, int) else list(size), mode, antialias), 1, 0.002, 2e-5)


@pytest.mark.parametrize("size", [(9, 30), (30, 9), (33, 33), (100, 7)])
@pytest.mark.parametrize(("side", "most"), [(5, None), (24, 40), (24, 25), (None, 13)])
def test_sizes_of_resizes(size, side, most):
    image = torch.zeros(1, *size)
    got = T.Resize(side, max_size=most)(image)
    if size == (100, 7) and side is None:  # a side of 0.9 pixels: theirs raises
        assert got.shape == (1, 13, 1)
        return
    assert got.shape == F.resize(image, None if side is None else [side], max_size=most).shape


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (T.RandomShortestSize([20, 33, 50], 70), V.RandomShortestSize([20, 33, 50], 70)),
        (T.RandomResize(20, 60), V.RandomResize(20, 60)),
        (T.ScaleJitter((60, 30), (0.5, 1.5)), V.ScaleJitter((60, 30), (0.5, 1.5))),
    ],
)
def test_drawn_sizes(ours, theirs):
    image = picture(3)
    got, drawn = got_and_drawn(ours, image)
    torch.manual_seed(1)
    want = [theirs(image).shape[-2:] for _ in range(600)]
    for result, params in zip(got, drawn):
        close(result, resized(image, params["size"]), 1, 0.002)
        assert result.shape[-2:] in want


def test_resized_crop():
    for image in both_types():
        got, drawn = got_and_drawn(T.RandomResizedCrop((24, 30), (0.1, 0.9)), image)
        for result, params in zip(got, drawn):
            x0, y0, x1, y1 = params["crop_coords"]
            close(result, resized(F.crop(image, y0, x0, y1 - y0, x1 - x0), [24, 30]), 1, 0.02, 2e-5)


@pytest.mark.parametrize("mode", ["constant", "edge", "reflect", "symmetric"])
@pytest.mark.parametrize("padding", [5, (1, 7), (0, 3, 8, 2), (-3, 4, 1, -8)], ids=str)
def test_pad(padding, mode):
    for image in both_types():
        close(T.Pad(padding, 3, mode)(image), F.pad(image, [padding] if isinstance(padding, int) else list(padding), 3, mode))


@pytest.mark.parametrize("size", [10, (10, 51), (41, 54), (44, 20), (60, 61), (7, 8)], ids=str)
def test_center_crop(size):
    image = picture(3)
    close(T.CenterCrop(size)(image), F.center_crop(image, [size] if isinstance(size, int) else list(size)))


@pytest.mark.parametrize(
    "arguments",
    [
        {"size": (20, 30)},
        {"size": 41, "padding": 4, "fill": (1, 2, 3)},
        {"size": (44, 44), "padding": (3, 4, 5, 6), "padding_mode": "reflect"},
        {"size": (60, 70), "pad_if_needed": True, "padding_mode": "symmetric"},
        {"size": (60, 20), "padding": 2, "pad_if_needed": True, "padding_mode": "edge"},
    ],
    ids=str,
)
def test_crop(arguments):
    image = picture(3)
    got, drawn = got_and_drawn(T.RandomCrop(**arguments), image, range(200))
    torch.manual_seed(2)
    reference = V.RandomCrop(**arguments)
    corners = set()
    for result, params in zip(got, drawn):
        x, y = params["start"]
        left, top = max(-x, 0), max(-y, 0)
        h, w = params["size"]
        right, bottom = max(x + w - SIZE[1], 0), max(y + h - SIZE[0], 0)
        mode, fill = arguments.get("padding_mode", "constant"), list(arguments.get("fill", (0,)))
        want = F.crop(F.pad(image, [left, top, right, bottom], fill, mode), y + top, x + left, h, w)
        close(result, want)
        corners.add((x, y))
    theirs = [reference.make_params([image]) for _ in range(2000)]
    pads = np.array([each["padding"][:2] for each in theirs])
    places = np.array([(each["left"], each["top"]) for each in theirs]) - pads
    ours = np.array(sorted(corners))
    assert ours.min(0).tolist() == places.min(0).tolist() or len(corners) > 100
    assert (ours.min(0) >= places.min(0)).all()
    assert (ours.max(0) <= places.max(0)).all()


def test_crops_of_small_images():
    with pytest.raises(ValueError, match=r"window of \(50, 20\).*larger than image 0 of the batch, \(41, 54\)"):
        T.RandomCrop((50, 20))(picture(3))
    with pytest.raises(ValueError, match="leaves nothing of image 0"):
        T.Pad(-30)(picture(3))


def test_zoom_out():
    image = picture(3)
    got, drawn = got_and_drawn(T.RandomZoomOut((7, 8, 9), (1.0, 3.0), p=1), image)
    for result, params in zip(got, drawn):
        (h, w), (x, y) = params["size"], params["start"]
        want = F.pad(image, [-x, -y, w - SIZE[1] + x, h - SIZE[0] + y], fill=[7, 8, 9])
        close(result, want)
        assert (h, w) == (int(SIZE[0] * h / SIZE[0] + 1e-9), w)
        assert abs(h / SIZE[0] - w / SIZE[1]) < 0.05


@pytest.mark.parametrize(
    ("ours", "function"), [(T.RandomHorizontalFlip(1), F.horizontal_flip), (T.RandomVerticalFlip(1), F.vertical_flip)]
)
def test_flips(ours, function):
    for image in both_types():
        assert torch.equal(ours(image), function(image))
