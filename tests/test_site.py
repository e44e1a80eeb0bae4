"""The documentation site: it builds without a warning, and every public name has a page that the search finds."""

from __future__ import annotations

import inspect
import re
import subprocess
import sys
from pathlib import Path

import albumentations as A
import numpy as np
import pytest
from albumentations.core.composition import BaseCompose
from sphinx.util.inventory import InventoryFile

import gpuaug
from docs.site import api, coverage, migration, stage, transforms
from gpuaug import inpainting
from gpuaug.pictures import subjects

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def site(tmp_path_factory):
    out = tmp_path_factory.mktemp("site")
    made = subprocess.run(
        [sys.executable, "-m", "docs.site", "--out", out / "html", "--staged", out / "source"],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert made.returncode == 0, made.stdout + made.stderr
    return out / "html"


def test_every_public_name_has_a_page_and_is_found(site):
    with (site / "objects.inv").open("rb") as file:
        inventory = InventoryFile.load(file, "", lambda base, uri: uri)
    known = {name: entry for kind in inventory.values() for name, entry in kind.items()}
    for name in transforms.ours():
        text = (site / "transforms" / f"{name}.html").read_text()
        assert f"gpuaug.{name}" in known or name == "Flip", name
        assert f"pictures/{name}.png" in text or f"_images/{name}.png" in text, name
        assert (site / "_images" / f"{name}.png").stat().st_size > 5000
    for module in api.MODULES:
        for name in api.public(module):
            assert (site / "api" / f"{module}.{name}.html").exists(), name
    index = (site / "searchindex.js").read_text()
    for word in ("ElasticTransform", "load_state_dict", "IndexedShards", "from_kornia", "MelSpectrogram"):
        assert word.lower() in index.lower(), word


def test_nothing_asks_the_network(site):
    """No page loads a script, a style, a font or a picture from elsewhere."""
    for page in (site / "index.html", site / "transforms" / "Affine.html", site / "api" / "index.html"):
        text = page.read_text()
        assert not re.findall(r"<(?:script|img|iframe)[^>]*src=\"(?:https?:)?//[^\"]*", text)
        assert not re.findall(r"<link[^>]*rel=\"(?:stylesheet|preload)\"[^>]*href=\"(?:https?:)?//[^\"]*", text)


def test_targets_are_those_of_albumentations():
    """What the table says that a transform moves is what albumentations' own says of its."""
    words = {"image": "image", "mask": "mask", "bboxes": "boxes", "keypoints": "keypoints", "volume": "volumes"}
    differs = {}
    for name in transforms.ours():
        theirs = getattr(A, name, None)
        if theirs is None or issubclass(theirs, BaseCompose):
            continue
        want = {words[str(each.value).lower()] for each in _targets(theirs) if str(each.value).lower() in words}
        got = {each for each, there in transforms.moves(gpuaug.REGISTRY[name]).items() if there} & set(words.values())
        if gpuaug.REGISTRY[name].solid:
            want -= {"image", "mask"}
        if got != want:
            differs[name] = (sorted(got - want), sorted(want - got))
    assert differs == DIFFERS


def _targets(theirs):
    found = theirs._targets
    return found if isinstance(found, tuple) else (found,)


# theirs takes no volumes there
DIFFERS: dict = {"OverlayElements": (["volumes"], []), "ToTensor3D": (["volumes"], []), "ToTensorV2": (["volumes"], [])}


def test_every_name_of_the_others_is_told_with_a_reason():
    for library, (names, _) in coverage.LIBRARIES.items():
        found = names()
        assert len(found) > 30, library
        for name, (state, remark) in found.items():
            assert state in (*coverage.HERE, coverage.NEAR, coverage.NOT)
            assert remark or state == coverage.OURS or (library == "albumentations" and state == coverage.NOT), (library, name)
    assert coverage.albumentations()["TextImage"][0] == coverage.HOST
    assert coverage.albumentations()["Affine"][0] == coverage.OURS
    assert coverage.kornia()["RandomMosaic"][0] == coverage.NOT


def test_where_pixels_are_made_is_what_explain_says(monkeypatch):
    """Of every transform with its defaults, and of those that have a part on the host, with what leads there."""

    def hosted(name, channels=3, **arguments):
        step = gpuaug.REGISTRY[name](**{**subjects.given(name), **arguments})
        return "host on" in gpuaug.Compose([step], seed=0).explain(samples=8, channels=channels)

    for name in transforms.ours():
        cls = gpuaug.REGISTRY.get(name)
        if cls is None or cls.solid or name in ("Lambda", "RandomCropNearBBox", "TextImage"):  # they wait for what a call brings
            continue
        assert hosted(name) == (name in coverage.HOSTED), name
    assert hosted("Lambda", image=lambda image, **_: image)
    for name, (arguments, _) in coverage.PARTLY.items():
        if name != "ConstrainedCoarseDropout":  # explain's masks are empty
            assert hosted(name, 5 if name == "ToGray" else 3, **arguments), name
    found = []
    monkeypatch.setattr(inpainting, "inpaint_holes", lambda *given: found.append(given))
    dropout = gpuaug.ConstrainedCoarseDropout(mask_indices=[1], fill="inpaint_telea", p=1)
    gpuaug.Compose([dropout], seed=0)(image=np.zeros((60, 70, 3), np.uint8), mask=np.ones((60, 70), np.uint8))
    assert found
    for name in transforms.ours():  # none is left out that can be told to inpaint
        if name not in coverage.PARTLY and "fill" in inspect.signature(gpuaug.REGISTRY.get(name, int)).parameters:
            with pytest.raises((TypeError, ValueError), match="fill must be"):
                gpuaug.REGISTRY[name](**{**subjects.given(name), "fill": "inpaint_telea"})


def test_what_is_nearest_is_there():
    from docs.site.imgaug_names import MISSING, NAMES, NEAREST

    assert set(NEAREST) <= set(NAMES)
    assert len(NAMES) == len(set(NAMES))
    for said in NEAREST.values():
        name = said.split("(")[0]
        assert name.startswith("gpuaug.") or hasattr(gpuaug, name), said
    for _, said in migration.kornia().items():
        for name in re.findall(r"\[(\w+)\]", said):
            assert hasattr(gpuaug, name), said
    import gpuaug.interop.imgaug as iaa

    assert not set(MISSING) & set(NEAREST)
    for words in set(MISSING.values()):
        for name in re.findall(r"`(\w+)[(`]", words):
            assert hasattr(gpuaug, name) or name in NAMES or name == "preview", words
    assert {name for name in dir(iaa) if name[0].isupper()} - {"ALL", "Augmenter"} <= set(NAMES)


def test_a_broken_link_fails(tmp_path):
    page = ROOT / "docs" / "cache.md"
    with pytest.raises(FileNotFoundError, match=r"links to nowhere\.md"):
        stage.write(tmp_path / "x.md", "see [this](nowhere.md)", page)
    stage.write(tmp_path / "x.md", "[a](loading.md#order) ![b](demo.png) [c](https://x.org) [d](../setup.py)", page)
    assert (tmp_path / "x.md").read_text() == "[a](loading.md#order) ![b](demo.png) [c](https://x.org) d (`setup.py`)"
