"""`gpuaug bench pipeline`: the sides are the same pipeline, and what is missing has a reason."""

from __future__ import annotations

import json

import albumentations as A
import numpy as np
import pytest
import torch
from PIL import Image
from torchvision.transforms import v2

import gpuaug as G
from gpuaug.commands import bench, rivals
from gpuaug.interop.converted import from_albumentations

BASIC = [G.RandomResizedCrop((32, 40)), G.HorizontalFlip(p=0.4), G.Normalize(), G.ToTensorV2()]


@pytest.fixture
def photos(tmp_path):
    folder = tmp_path / "photos" / "deep"
    folder.mkdir(parents=True)
    for i in range(6):
        Image.fromarray(np.random.default_rng(i).integers(0, 256, (50, 60, 3), np.uint8)).save(folder / f"{i}.png")
    return tmp_path / "photos"


@pytest.mark.parametrize(
    "steps",
    [
        BASIC,
        [G.Affine(rotate=(-20, 20), shear=(-3, 3)), G.OneOf([G.Blur(7), G.MotionBlur(p=0.3)], p=0.5), G.CoarseDropout()],
        [G.ShiftScaleRotate(), G.SomeOf([G.GaussNoise(), G.RandomGamma()], 2, replace=False), G.Sequential([G.CLAHE()], p=0.2)],
    ],
    ids=["basic", "groups", "more groups"],
)
@pytest.mark.filterwarnings("ignore")
def test_albumentations_gets_the_same_arguments(steps):
    """Made for albumentations and converted back, a pipeline is what it was."""
    ours = G.Compose(steps)
    theirs = rivals.to_albumentations(ours)
    assert isinstance(theirs, A.Compose)
    assert from_albumentations(theirs).transforms == ours.transforms


def test_what_a_library_does_not_have_is_named():
    for convert, steps, says in (
        (rivals.to_albumentations, [G.Torch(torch.sigmoid)], "has no Torch"),
        (rivals.to_albumentations, [G.Resize(8, 8, interpolation=1), G.Cutout()], "has no Cutout"),
        (rivals.to_albumentations, [G.SomeOf([G.Blur(), G.NoOp()], (1, 2))], "takes one number n"),
        (rivals.to_torchvision, [G.OneOf([G.Blur()])], "has no OneOf"),
        (rivals.to_torchvision, [G.CLAHE()], "has no CLAHE"),
        (rivals.to_kornia, [G.HorizontalFlip()], "does not begin with one of RandomResizedCrop"),
        (rivals.to_kornia, [G.Resize(8, 8), G.OneOf([G.Blur()])], "pipelines have no OneOf"),
    ):
        with pytest.raises(rivals.NotThere, match=says):
            convert(G.Compose(steps))
    with pytest.raises(rivals.NotThere, match="no argument label_geometry"):
        rivals.to_albumentations(G.Compose(BASIC, label_geometry="albumentations"))


def test_torchvision_and_kornia_do_what_is_asked():
    image = Image.fromarray(np.random.default_rng(0).integers(0, 256, (32, 40, 3), np.uint8))
    steps = [G.Resize(16, 20), G.HorizontalFlip(p=1), G.InvertImg(p=1), G.Normalize(), G.ToTensorV2()]
    got = rivals.to_torchvision(G.Compose(steps))(image)
    first, rest = rivals.to_kornia(G.Compose(steps))
    batched = rest(first(image)[None].float() / 255)
    want = v2.functional.pil_to_tensor(image)
    want = 255 - v2.functional.resize(want, [16, 20]).flip(-1)
    want = v2.functional.normalize(want.float() / 255, [0.485, 0.456, 0.406], [0.229, 0.224, 0.225])
    torch.testing.assert_close(got, want)
    torch.testing.assert_close(batched[0], want, atol=1e-5, rtol=1e-5)


@pytest.mark.filterwarnings("ignore")
def test_all_sides_load_all_pictures(photos):
    makers, missing = bench.sides_of(
        G.Compose(BASIC, seed=0), list(map(str, bench.pictures_in(photos))), 4, 0, torch.device("cpu")
    )
    assert list(makers) == ["albumentations", "torchvision", "Kornia", "gpuaug"]
    assert not missing
    for make in makers.values():
        batches = [images for images, _ in make()]
        assert torch.cat(batches).shape == (6, 3, 32, 40)
        assert abs(torch.cat(batches).mean()) < 1.0, "normalized"


@pytest.mark.filterwarnings("ignore")
def test_the_command_writes_numbers_and_a_chart(photos, tmp_path):
    from typer.testing import CliRunner

    from gpuaug.cli import build

    path = tmp_path / "mine.json"
    G.save(G.Compose([*BASIC[:1], G.CLAHE(), *BASIC[2:]]), path)
    words = [
        "bench",
        "pipeline",
        path,
        "--data",
        photos,
        "--batch",
        3,
        "--workers",
        0,
        "--rounds",
        2,
        "--out",
        tmp_path / "out.json",
    ]
    found = CliRunner().invoke(build(), [str(word) for word in words])
    assert found.exit_code == 0, found.output
    assert "torchvision is not there: torchvision has no CLAHE" in found.output
    assert "of the time goes to" in found.output
    told = json.loads((tmp_path / "out.json").read_text())
    assert set(told["sides"]) == {"albumentations", "gpuaug"}
    assert told["pictures"] == told["sides"]["gpuaug"]["images"] == 6
    assert len(told["ratios"]["albumentations"]) == 3
    assert {"torch", "albumentations", "torchvision", "kornia"} <= set(told["versions"])
    assert Image.open(tmp_path / "out.png").size[0] > 300

    for wrong, says in (
        (["--data", tmp_path / "none"], "there is no such folder"),
        (["--data", photos, "--out", tmp_path / "none" / "x.json"], "there is no such folder; name another one with --out"),
    ):
        found = CliRunner().invoke(build(), [str(word) for word in ["bench", "pipeline", path, *wrong]])
        assert found.exit_code == 2
        assert says in found.stderr
