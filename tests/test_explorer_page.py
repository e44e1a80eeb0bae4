"""The explorer's page and command: NiceGUI's own client uses the page, a process serves it, and what is wrong is one sentence."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import os
import re
import socket
import subprocess
import sys
import time
import warnings

import numpy as np
import pytest
from PIL import Image
from processes import PATIENCE, ending
from test_explorer import pixels
from typer.testing import CliRunner

from gpuaug.cli import build
from gpuaug.explorer import drawing, fields
from gpuaug.explorer.steps import Pipeline, Step

pytest.importorskip("nicegui", reason="the explorer's page takes NiceGUI: pip install 'gpuaug[explore]'")

PATIENT = {"retries": 2000}  # of 0.05 s or more; NiceGUI looks three times
ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


# ---- the page ------------------------------------------------------------------------------------


def used(scenario, start=None):
    """Run a scenario(user, page) on an open page."""
    from nicegui.testing import user_simulation

    from gpuaug.explorer.page import Page, Start

    pages = []

    def root():
        pages.append(Page(start or Start()))
        pages[-1].build()

    async def run():
        async with user_simulation(root) as user:
            await user.open("/")
            await drawn(pages[-1])
            with user.client:
                await scenario(user, pages[-1])

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of Starlette's
        asyncio.run(run())


async def until(page, condition):
    """However busy the machine is: the limit is against hanging."""
    end = time.monotonic() + 120
    while not condition():
        assert time.monotonic() < end, f"it stays so: {page.fault.text}"
        await asyncio.sleep(0.02)


async def drawn(page, url: str | None = None):
    """Wait until there are pictures, other ones than that."""

    def there():
        shown = getattr(page, "pictures", None)
        return shown and not page.busy and shown[1][1].props.get("src") not in (None, url)

    await until(page, there)


def source(page, number: int = 1) -> str:
    return page.pictures[number][1].props["src"]


def test_a_slider_changes_the_picture_and_the_code():
    async def scenario(user, page):
        from nicegui import ui

        before = source(page)
        assert "rotate=(-30, 30)" in page.code
        user.find(kind=ui.range, marker="rotate").elements.pop().set_value({"min": 80, "max": 90})
        await drawn(page, before)
        assert "rotate=(80, 90)" in page.code
        assert len(page.pictures) == 9
        assert "Affine" in page.pictures[1][2].text
        want = Pipeline([Step("Affine", {**fields.begun("Affine"), "rotate": (80, 90)})])
        sample = page.sample()
        expected = drawing.draws(want.made(sample.params)[0], sample, 8, 0, labels=True)
        assert source(page, 5) == expected[5].url
        lower = next(each for each in user.find(kind=ui.number, marker="rotate-typed").elements if each.value == 80)
        lower.set_value(-400)  # beyond the slider, which shows its end
        await until(page, lambda: "rotate=(-400, 90)" in page.code)
        assert user.find(kind=ui.range, marker="rotate").elements.pop().value == {"min": -180, "max": 90}

    used(scenario)


def test_what_a_constructor_refuses_is_said_at_its_step_and_taken_back():
    async def scenario(user, page):
        from nicegui import ui

        typed = user.find(kind=ui.number, marker="p-typed").elements.pop()
        typed.set_value(3)
        await user.should_see("p must lie in [0, 1], got 3", **PATIENT)
        assert "stale" in page.grid.classes
        assert page.cards.faults[page.pipeline.steps[0].number].text == "p must lie in [0, 1], got 3"
        before = source(page)
        typed.set_value(0.2512345678)  # with all its digits
        await drawn(page, before)
        await user.should_not_see("p must lie in [0, 1], got 3", **PATIENT)
        assert "p=0.2512345678" in page.code

    used(scenario)


def test_every_transform_has_its_widgets():
    """A widget for each field of each, showing what the field begins with."""

    async def scenario(user, page):
        from gpuaug.explorer.widgets import Asked

        with page.grid:
            for name in fields.names():
                for field in fields.fields(name):
                    asked = Asked(field, field.value, lambda *_: None)
                    assert asked.value == field.value
                    if field.optional and field.when is not None and field.value is None:
                        asked.value = field.when
                        asked.build()

    used(scenario)


def test_steps_are_added_moved_and_removed_groups_too():
    async def scenario(user, page):
        def names():
            return [step.name for step in page.pipeline.all()]

        page.cards.add(page.pipeline.steps, "OneOf")
        assert names() == ["Affine", "OneOf", "MotionBlur", "HueSaturationValue"]
        group = page.pipeline.steps[1]
        page.cards.add(group.steps, "Solarize")
        page.cards.remove(group.steps, 0)
        page.cards.move(page.pipeline.steps, 1, -1)
        assert names() == ["OneOf", "HueSaturationValue", "Solarize", "Affine"]
        page.cards.choose(page.pipeline.steps[1], "TimeReverse")
        await until(page, lambda: "A.TimeReverse(" in page.code and not page.busy)
        assert names() == ["OneOf", "HueSaturationValue", "Solarize", "TimeReverse"]
        assert page.code.index("A.OneOf(") < page.code.index("A.Solarize(") < page.code.index("A.TimeReverse(")
        assert not page.fault.text

    used(scenario)


def test_draws_go_on_with_the_next_epochs_and_seeds_change_them():
    async def scenario(user, page):
        from nicegui import ui

        before = [source(page, i) for i in range(1, 9)]
        user.find(marker="again").click()
        await drawn(page, before[0])
        assert not set(before) & {source(page, i) for i in range(1, 9)}
        assert page.pictures[1][0].text == "draw 9"
        assert "epoch=8" in page.code
        after = source(page)
        user.find(kind=ui.number, marker="seed").elements.pop().set_value(5)
        await drawn(page, after)
        assert "seed=5" in page.code

    used(scenario)


def test_a_folders_pictures_boxes_and_time(tmp_path):
    from gpuaug.explorer.page import Start
    from gpuaug.explorer.samples import Folder

    for i in range(2):
        Image.fromarray(np.full((40, 60, 3), 90 * i + 40, np.uint8)).save(tmp_path / f"{i}.png")
    start = Start(Folder(tmp_path), Pipeline([Step("HorizontalFlip", {"p": 1})]))

    async def scenario(user, page):
        from nicegui import ui

        before = source(page)
        assert (pixels(drawing.Shown(before, "", "")) == 40).all()
        user.find(kind=ui.select, marker="picture").elements.pop().set_value("folder:1")
        await drawn(page, before)
        assert (pixels(drawing.Shown(source(page), "", "")) == 130).all()
        user.find(kind=ui.input, marker="boxes").elements.pop().set_value("[[5, 6, 20, 30, 'cat'")
        await user.should_see("boxes must be a list of rows of numbers", **PATIENT)
        before = source(page)
        user.find(kind=ui.input, marker="boxes").elements.pop().set_value("[[5, 6, 20, 30, 'cat']]")
        await drawn(page, before)
        assert 'sample["bboxes"], sample["what"] = [(5, 6, 20, 30)], ["cat"]' in page.code
        before = source(page)
        user.find(kind=ui.select, marker="picture").elements.pop().set_value("folder:0")
        await drawn(page, before)
        assert user.find(kind=ui.input, marker="boxes").elements.pop().value == ""
        assert "bboxes" not in page.code
        page.tab = "time"
        await page.refresh()
        await until(page, lambda: "per image" in page.time.text)
        assert "HorizontalFlip" in page.launches.text

    used(scenario, start)


# ---- the command ---------------------------------------------------------------------------------


@contextlib.contextmanager
def served(*words, cwd):
    """A process that serves; gives its address."""
    environment = {name: value for name, value in os.environ.items() if name not in ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER")}
    environment["PYTHONPATH"] = os.pathsep.join([ROOT, os.environ.get("PYTHONPATH", "")])
    command = [sys.executable, "-m", "gpuaug.cli", "explore", "--port", "0", *map(str, words)]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, cwd=cwd, env=environment, **pipes) as process, ending() as started:
        started.append(process)
        line = process.stdout.readline()
        found = re.search(r"http://\S+", line)
        if not found:
            process.terminate()
        assert found, line + process.stderr.read()
        yield found[0], process
        process.terminate()
        process.wait(PATIENCE)


def test_it_serves_this_machine_alone(tmp_path):
    import httpx

    with served(cwd=tmp_path) as (url, process):
        assert url.startswith("http://127.0.0.1:")
        assert "no browser was found here; open " + url in process.stderr.readline()
        get = functools.partial(httpx.get, timeout=PATIENCE)
        page = get(url)
        assert page.status_code == 200
        assert "gpuaug explorer" in page.text
        assert not re.search(
            r"""(?:src|href)=["']?(https?:)?//""", page.text
        )  # fonts and scripts come from here: it works without a network
        assert get(url, headers={"Host": "elsewhere.example"}).status_code == 400
        socket_url = url + "/_nicegui_ws/socket.io/?EIO=4&transport=polling"
        assert get(socket_url, headers={"Origin": url}).status_code == 200
        assert get(socket_url, headers={"Origin": "http://elsewhere.example"}).status_code == 400
    assert not list(tmp_path.iterdir())  # nothing is left where it was started


def test_what_is_wrong_is_one_sentence(tmp_path):
    (tmp_path / "empty").mkdir()
    head = "__format__: gpuaug 1\ntransform:\n  __class_fullname__: Compose\n  transforms:\n"
    (tmp_path / "a.yaml").write_text(head + "  - {__class_fullname__: HorizontalFlp}\n")
    (tmp_path / "b.yaml").write_text(head + "  - {__class_fullname__: Blur, blur_limits: 3}\n")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        for words, says in (
            ((tmp_path / "empty",), "empty: no pictures are in it"),
            ((tmp_path / "none",), "none: there is no such folder"),
            (("--port", port), f"port {port} is in use: say another with --port, or --port 0 for any that is free"),
            (("--host", "192.0.2.1", "--port", "0"), "192.0.2.1 port 0 cannot be opened"),
            (("--pipeline", tmp_path / "a.yaml"), "did you mean 'HorizontalFlip'"),
            (("--pipeline", tmp_path / "b.yaml"), "did you mean 'blur_limit'"),
            (("--pipeline", "Rotat"), "did you mean 'Rotate'"),
            (("--pipeline", tmp_path / "c.yaml"), "there is no such file"),
            (("--masks", tmp_path), "--masks takes a folder of pictures, too"),
        ):
            found = CliRunner().invoke(build(), ["explore", *map(str, words)])
            assert found.exit_code == 2, (words, found.output)
            assert found.stderr.startswith("gpuaug explore: ")
            assert says in found.stderr
            assert "Traceback" not in found.stderr


def test_without_nicegui_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "nicegui", None)
    found = CliRunner().invoke(build(), ["explore"])
    assert found.exit_code == 2
    assert "the explorer takes NiceGUI: pip install 'gpuaug[explore]'" in found.stderr


def test_browsers_of_the_terminal_are_left_alone(monkeypatch):
    from gpuaug.explorer import server

    for name in ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER"):
        monkeypatch.delenv(name, raising=False)
    asked = []
    monkeypatch.setattr(server.webbrowser, "open", lambda url: asked.append(url) or True)
    monkeypatch.setattr(server.sys, "platform", "linux")
    assert not server.opened_in_browser("http://x")
    monkeypatch.setenv("DISPLAY", ":0")
    assert server.opened_in_browser("http://x")
    assert asked == ["http://x"]
