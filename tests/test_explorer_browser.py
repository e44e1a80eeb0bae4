"""The explorer in a browser: choose, move a slider, see the picture change, copy the code, run it, and get the same picture."""

from __future__ import annotations

import base64
import io
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

CHROMIUM = Path("/usr/bin/chromium")
FLAGS = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
).split()

pytestmark = [
    pytest.mark.skipif(not CHROMIUM.exists(), reason=f"there is no {CHROMIUM}: apt-get install chromium"),
    pytest.mark.slow,
]
pytest.importorskip("nicegui", reason="the explorer takes NiceGUI: pip install 'gpuaug[explore]'")
playwright = pytest.importorskip("playwright.sync_api", reason="pip install playwright; it needs no browser of its own")

from test_explorer_page import ROOT, served  # noqa: E402  (it takes NiceGUI)


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "pictures").mkdir()
    smooth = np.random.default_rng(0).integers(0, 256, (6, 8, 3), np.uint8)
    Image.fromarray(smooth).resize((160, 120), Image.Resampling.BICUBIC).save(tmp_path / "pictures" / "a.png")
    return tmp_path


@pytest.fixture
def page(folder, tmp_path_factory):
    with served(folder / "pictures", cwd=folder) as (url, _), playwright.sync_playwright() as tool:
        context = tool.chromium.launch_persistent_context(
            tmp_path_factory.mktemp("profile"),
            executable_path=CHROMIUM,
            args=FLAGS,
            viewport={"width": 1360, "height": 900},
        )
        context.grant_permissions(["clipboard-read", "clipboard-write"], origin=url)
        context.set_default_timeout(300_000)  # against hanging
        page = context.new_page()
        page.asked, page.wrong = [], []
        page.on("request", lambda request: page.asked.append(request.url))
        page.on("pageerror", lambda error: page.wrong.append(str(error)))
        page.goto(url)
        page.wait_for_selector(".draw:nth-child(9) img[src]", timeout=300_000)
        yield page
        assert not page.wrong
        outside = [each for each in page.asked if not each.startswith((url, url.replace("http", "ws"), "data:", "blob:"))]
        assert not outside  # nothing is loaded from elsewhere
        context.close()


def shown(page, number: int = 1) -> np.ndarray:
    """The pixels of a picture of the page."""
    source = page.locator(".draw img").nth(number).get_attribute("src")
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(source.partition(",")[2]))))


def until(page, condition) -> None:
    """However busy the machine is: the limit is against hanging."""
    end = time.monotonic() + 300
    while not condition():
        assert time.monotonic() < end, "it stays so"
        page.wait_for_timeout(50)


def changed(page, before: np.ndarray) -> np.ndarray:
    """The first draw, when it is another than that."""
    until(page, lambda: not np.array_equal(shown(page), before))
    return shown(page)


def choose(page, name: str) -> None:
    field = page.get_by_label("Add a transform or a group").last if name else None
    field.click()
    field.fill(name)
    page.get_by_role("option", name=name, exact=True).click()


def tab(page, name: str) -> None:
    page.get_by_role("tab", name=name, exact=True).click()


def test_from_a_slider_to_the_same_picture_elsewhere(page, folder):
    original = shown(page, 0)
    np.testing.assert_array_equal(original, np.asarray(Image.open(folder / "pictures" / "a.png")))
    first = shown(page)

    title = page.locator(".step .title input").first  # another transform in the place of the first
    title.click()
    title.fill("RandomBrightnessContrast")
    page.get_by_role("option", name="RandomBrightnessContrast", exact=True).click()
    second = changed(page, first)

    page.locator(".slider [role=slider], .slider .q-slider__thumb").nth(1).wait_for()
    slider = page.locator(".slider").first
    box = slider.bounding_box()
    page.mouse.move(box["x"] + box["width"] * 0.6, box["y"] + box["height"] / 2)  # the upper end of the range
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.93, box["y"] + box["height"] / 2, steps=5)
    page.mouse.up()
    changed(page, second)

    def typed():
        return float(page.locator(".number input").nth(1).input_value())

    until(page, lambda: 0.8 < typed() <= 1)  # where the slider was let go: of the steps on the way there the last is at 0.73
    upper = typed()

    tab(page, "Python")
    page.get_by_text(f"brightness_limit=(-0.2, {upper:g})").first.wait_for()
    page.get_by_role("tabpanel").get_by_role("button", name="Copy", exact=False).first.click()
    until(page, lambda: "RandomBrightnessContrast" in page.evaluate("navigator.clipboard.readText()"))
    code = page.evaluate("navigator.clipboard.readText()")
    assert re.search(rf"RandomBrightnessContrast\(brightness_limit=\(-0.2, {upper:g}\), p=1\)", code), code
    ending = "\nImage.fromarray(augmented).save('augmented.png')\n"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([ROOT, os.environ.get("PYTHONPATH", "")])}
    subprocess.run([sys.executable, "-c", code + ending], cwd=folder, env=environment, check=True)
    made = np.asarray(Image.open(folder / "augmented.png"))
    tab(page, "Pictures")
    until(page, lambda: np.array_equal(shown(page), made))  # the slider was drawn along, and passed several others
    assert (folder / "draws.png").exists()


def test_a_group_a_refusal_a_file_and_an_own_picture(page, folder):
    before = shown(page)
    choose(page, "OneOf")
    before = changed(page, before)
    assert page.locator(".inside .step").count() == 2

    probability = page.locator(".number input").first  # of the group
    probability.fill("7")
    page.get_by_text("p must lie in [0, 1], got 7").first.wait_for()
    assert page.locator(".draws.stale").count() == 1
    probability.fill("1")
    page.locator(".draws.stale").wait_for(state="detached")

    (folder / "mine.yaml").write_text(
        "__format__: gpuaug 1\ntransform:\n  __class_fullname__: Compose\n  transforms:\n  - {__class_fullname__: Solarise}\n"
    )
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="Open a file").click()
    chooser.value.set_files(folder / "mine.yaml")
    page.get_by_text("did you mean 'Solarize'").wait_for()
    (folder / "mine.yaml").write_text((folder / "mine.yaml").read_text().replace("Solarise}", "InvertImg, p: 1}"))
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="Open a file").click()
    chooser.value.set_files(folder / "mine.yaml")
    before = changed(page, before)
    np.testing.assert_array_equal(before, 255 - shown(page, 0))

    Image.fromarray(np.full((30, 50, 3), (10, 20, 30), np.uint8)).save(folder / "own.png")
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="Your own").click()
    chooser.value.set_files(folder / "own.png")
    now = changed(page, before)
    assert now.shape == (30, 50, 3)
    assert (now == (245, 235, 225)).all()

    tab(page, "Time and launches")
    page.get_by_text("ms per image").wait_for()
    page.get_by_text("fused on all samples: InvertImg").wait_for()
