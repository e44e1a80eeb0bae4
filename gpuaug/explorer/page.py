"""The page: the picture and the pipeline at the left, the draws, code, time and launches beside them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from nicegui import background_tasks, events, run, ui

from ..photographs import photographs
from . import drawing, samples, steps
from .cards import Cards
from .samples import Folder, Own, Sample
from .steps import Pipeline, Step

UPLOAD = 40_000_000  # bytes of a file that is handed over
TABS = {"pictures": "Pictures", "python": "Python", "yaml": "YAML", "time": "Time and launches"}
STYLE = """
body { background: #f6f7f9; }
.name { font-family: monospace; font-size: 13px; font-weight: 600; }
.unit, .summary, .size { color: #6b7280; font-size: 12px; }
.summary { line-height: 1.3; }
.help { color: #9ca3af; font-size: 15px; cursor: help; }
.q-tooltip { font-size: 12px; max-width: 340px; }
.step { padding: 8px 12px 12px; }
.title .q-field__native, .title input { font-weight: 600; font-size: 15px; }
.field { padding-top: 4px; }
.slider { padding: 0 8px; }
.number { width: 78px; } .number input { font-size: 12px; padding: 0; }
.number .q-field__control { height: 28px; padding: 0 6px; }
.number .q-field__control:before { border-color: #d1d5db; }
.inside { border-left: 3px solid #c7d2fe; padding-left: 8px; }
.fault { color: #b91c1c; font-size: 13px; }
.draws { display: grid; grid-template-columns: repeat(auto-fill, minmax(230px, 1fr)); gap: 14px; width: 100%; }
.draw { background: white; border: 1px solid #e5e7eb; border-radius: 6px; overflow: hidden; }
.draw img { width: 100%; display: block; image-rendering: auto; background: #e5e7eb; }
.draw .said { padding: 6px 8px; font-size: 12px; line-height: 1.35; white-space: pre-line; overflow-wrap: anywhere; }
.draw .head { padding: 6px 8px 0; font-size: 12px; font-weight: 600; }
.stale { opacity: .35; }
.words { white-space: pre-wrap; font-family: monospace; font-size: 12.5px; }
"""


@dataclass
class Start:
    """What every page begins with.

    Attributes:
        folder: whose pictures can be chosen, or None. pipeline: what is shown first, or None. told: of it, to be said.
    """

    folder: Folder | None = None
    pipeline: Pipeline | None = None
    told: str = ""


class Page:
    """One browser's page; `build` makes it."""

    def __init__(self, start: Start):
        self.start = start
        begun = start.pipeline or Pipeline([Step.new("Affine")])
        self.pipeline = Pipeline(_copied(begun.steps), begun.seed, dict(begun.given))
        self.own: Own | None = None  # None: what suits the transforms
        self.count, self.epoch, self.labels = 8, 0, True
        self.busy = self.wanted = False
        self.typed: list[ui.input] = []  # boxes and keypoints of a picture
        self.code = self.yaml = ""

    def build(self) -> None:
        ui.add_css(STYLE)
        ui.page_title("gpuaug explorer")
        ui.colors(primary="#4338ca")
        with ui.header().classes("items-baseline q-py-sm"):
            ui.label("gpuaug explorer").classes("text-subtitle1 text-weight-medium")
            ui.label("what a pipeline makes of a picture, drawn anew for every sample and epoch").classes("text-caption")
        with ui.left_drawer(value=True, bordered=True).props("width=400 behavior=desktop").classes("bg-white q-pa-md"):
            self.picture()
            ui.separator().classes("q-my-sm")
            with ui.row().classes("w-full items-center no-wrap"):
                ui.label("Pipeline").classes("text-subtitle1 grow")
                opener = ui.upload(on_upload=self.opened, auto_upload=True, max_file_size=UPLOAD).props(
                    'accept=".yaml,.yml,.json"'
                )
                opener.classes("hidden").mark("pipeline-file")
                ui.button("Open a file", icon="folder_open", on_click=lambda: opener.run_method("pickFiles")).props(
                    "flat dense no-caps size=sm"
                ).tooltip("A pipeline that gpuaug or albumentations saved (.yaml, .json)")
            self.cards = Cards(self.pipeline.steps, self.changed)
        with ui.column().classes("w-full q-px-sm gap-1"):
            self.tabs()
        if self.start.told:
            ui.notify(self.start.told, timeout=8000)
        ui.timer(0.05, self.refresh, once=True)

    # ---- what it is tried on -----------------------------------------------------------

    def picture(self) -> None:
        chosen: dict[str, str] = {"suited": "Example that suits the transform"}
        chosen |= {f"folder:{i}": str(path) for i, path in enumerate(self.start.folder.files if self.start.folder else [])}
        chosen |= {f"photograph:{name}": f"Photograph: {name}" for name in photographs()}
        self.chosen = chosen
        with ui.row().classes("w-full items-center no-wrap"):
            ui.label("Picture").classes("text-subtitle1 grow")
            upload = ui.upload(on_upload=self.brought, auto_upload=True, max_file_size=UPLOAD).props('accept="image/*"')
            upload.classes("hidden").mark("picture-file")
            ui.button("Your own", icon="upload", on_click=lambda: upload.run_method("pickFiles")).props(
                "flat dense no-caps size=sm"
            )
        first = "folder:0" if self.start.folder else "suited"
        self.select = ui.select(chosen, value=first, with_input=True, on_change=lambda e: self.choose(e.value))
        self.select.props("dense outlined options-dense").classes("w-full").mark("picture")
        with ui.column().classes("w-full gap-1") as self.beside:
            ui.select(
                {
                    320: "at most 320 pixels a side",
                    640: "at most 640 pixels a side",
                    1280: "at most 1280 pixels a side",
                    0: "as it is",
                },
                value=640,
                label="Size",
                on_change=lambda e: self.resize(e.value or None),
            ).props("dense outlined options-dense").classes("w-full q-mt-xs").mark("longest")
            with ui.expansion("Mask, boxes and keypoints of it").props("dense").classes("w-full more").mark("labels-of-it"):
                mask = ui.upload(on_upload=self.masked, auto_upload=True, max_file_size=UPLOAD).props('accept="image/*"')
                mask.classes("hidden").mark("mask-file")
                ui.button("A mask", icon="upload", on_click=lambda: mask.run_method("pickFiles")).props(
                    "flat dense no-caps size=sm"
                )
                for word, hint in (("boxes", "[[x0, y0, x1, y1, 'name'], ..]"), ("keypoints", "[[x, y], ..]")):
                    typed = ui.input(f"{word}, pixels of the picture as shown", placeholder=hint, on_change=self.marked)
                    typed.props(f"dense outlined debounce=400 data-kind={word}").classes("w-full").mark(word)
                    self.typed.append(typed)
        self.longest: int | None = 640
        if self.start.folder and self.start.folder.left_out:
            ui.label(f"and {self.start.folder.left_out} more, which are not listed").classes("unit")
        self.choose(first, begin=True)

    def choose(self, key: str | None, begin: bool = False) -> None:
        if key is None or key == "own":
            return
        kind, _, which = key.partition(":")
        try:
            if kind == "folder" and self.start.folder is not None:
                self.own = self.start.folder.own(int(which))
            else:
                self.own = samples.photograph(which) if kind == "photograph" else None
        except ValueError as error:
            ui.notify(str(error), type="negative", timeout=8000)
            return
        self.taken(begin)

    def taken(self, begin: bool = False) -> None:
        """Another picture is there, without labels as yet."""
        for each in self.typed:
            each.set_value("")
        self.sized(begin)

    def sized(self, begin: bool = False) -> None:
        self.beside.set_visibility(self.own is not None)
        if self.own is not None:
            self.own.longest = self.longest
        if not begin:
            self.changed()

    def resize(self, longest: int | None) -> None:
        self.longest = longest
        self.sized()

    async def brought(self, event: events.UploadEventArguments) -> None:
        """A picture was handed over."""
        try:
            self.own = samples.uploaded(event.file.name, await event.file.read())
        except ValueError as error:
            ui.notify(str(error), type="negative", timeout=8000)
            return
        self.chosen["own"] = f"Yours: {event.file.name}"
        self.select.set_options(self.chosen, value="own")
        event.sender.reset()
        self.taken()

    async def masked(self, event: events.UploadEventArguments) -> None:
        """A mask was handed over."""
        try:
            if self.own is not None:
                samples.with_mask(self.own, event.file.name, await event.file.read())
        except ValueError as error:
            ui.notify(str(error), type="negative", timeout=8000)
            return
        event.sender.reset()
        self.changed()

    def marked(self, event: events.ValueChangeEventArguments) -> None:
        """Boxes or keypoints were typed."""
        word = event.sender.props["data-kind"]
        try:
            if self.own is not None:
                setattr(
                    self.own,
                    "boxes" if word == "boxes" else "points",
                    samples.rows(event.value, 4 if word == "boxes" else 2, word),
                )
        except ValueError as error:
            self.problem(str(error))
            return
        self.changed()

    async def opened(self, event: events.UploadEventArguments) -> None:
        """A pipeline's file was handed over."""
        try:
            text = (await event.file.read()).decode("utf-8")
            self.pipeline, told = steps.read(text, event.file.name)
        except UnicodeDecodeError:
            ui.notify(f"{event.file.name} is no text: a pipeline is a .yaml or a .json file", type="negative", timeout=10000)
            return
        except ValueError as error:
            ui.notify(str(error), type="negative", timeout=10000, multi_line=True)
            return
        finally:
            event.sender.reset()
        self.cards.steps = self.pipeline.steps
        self.cards.open = self.pipeline.steps[0].number if self.pipeline.steps else None
        self.seed.set_value(self.pipeline.seed)
        self.cards.again()
        ui.notify(told or f"{event.file.name} is open", timeout=6000)

    # ---- what is shown -----------------------------------------------------------------

    def tabs(self) -> None:
        with ui.row().classes("w-full items-center no-wrap"):
            with ui.tabs().props("no-caps align=left dense") as tabs:
                for name, title in TABS.items():
                    ui.tab(name, title)
            self.spinner = ui.spinner(size="sm").classes("hidden")
        self.tab = "pictures"
        self.fault = ui.label().classes("fault hidden").mark("problem")
        self.notes = ui.label().classes("unit hidden").mark("notes")
        panels = ui.tab_panels(tabs, value="pictures", animated=False, keep_alive=True).classes("w-full bg-transparent")
        with panels.on_value_change(self.asked):
            with ui.tab_panel("pictures").classes("q-pa-none q-pt-sm"):
                self.toolbar()
                self.grid = ui.element("div").classes("draws q-mt-sm").mark("draws")
            for name, hint in (
                ("python", "This program draws the same pictures."),
                ("yaml", "Save it as pipeline.yaml: gpuaug.load('pipeline.yaml') is this pipeline."),
            ):
                with ui.tab_panel(name).classes("q-pa-none q-pt-sm"):
                    with ui.row().classes("w-full items-center"):
                        ui.button("Copy", icon="content_copy", on_click=lambda name=name: self.copy(name)).props(
                            "no-caps dense padding='4px 12px'"
                        ).mark(f"copy-{name}")
                        ui.label(hint).classes("unit")
                    setattr(self, f"{name}_shown", ui.code("", language=name).classes("w-full bg-white").mark(f"code-{name}"))
            with ui.tab_panel("time").classes("q-pa-none q-pt-sm"):
                self.time = ui.label().classes("text-body1 q-mb-md").mark("time")
                ui.label("What a batch of 64 such images launches").classes("text-subtitle2")
                self.launches = ui.label().classes("words").mark("launches")

    def toolbar(self) -> None:
        with ui.row().classes("w-full items-center gap-4"):
            ui.toggle({4: "4 draws", 8: "8", 16: "16"}, value=8, on_change=lambda e: self.set("count", e.value)).props(
                "dense no-caps unelevated size=sm padding='4px 10px'"
            ).mark("count")
            ui.button("Draw again", icon="casino", on_click=lambda: self.set("epoch", self.epoch + self.count)).props(
                "no-caps dense padding='4px 12px'"
            ).tooltip("The draws of the next epochs: a training run sees them in this order").mark("again")
            self.seed = ui.number("Seed", value=self.pipeline.seed, min=0, step=1, on_change=self.seeded)
            self.seed.props("dense outlined debounce=300").classes("w-28").mark("seed")
            ui.switch("Mask, boxes, keypoints", value=True, on_change=lambda e: self.set("labels", e.value)).mark("labels")

    def copy(self, name: str) -> None:
        ui.clipboard.write(getattr(self, "code" if name == "python" else "yaml"))
        ui.notify("copied", timeout=1000)

    async def asked(self, event: events.ValueChangeEventArguments) -> None:
        self.tab = event.value
        await self.refresh()

    def set(self, name: str, value: Any) -> None:
        setattr(self, name, value)
        self.changed()

    def seeded(self, event: events.ValueChangeEventArguments) -> None:
        if event.value is not None:
            self.pipeline.seed = int(event.value)
            self.changed()

    def changed(self) -> None:
        """Something is other than before: show it as soon as what is being drawn is there."""
        background_tasks.create(self.refresh(), name="draw")

    # ---- drawing -----------------------------------------------------------------------

    async def refresh(self) -> None:
        """Draw what there is now; what changes meanwhile is drawn next, and what it changed from never."""
        self.wanted = True
        if self.busy:
            return
        self.busy = True
        self.spinner.classes(remove="hidden")
        try:
            while self.wanted:
                self.wanted = False
                await self.drawn()
        finally:
            self.busy = False
            self.spinner.classes(add="hidden")

    async def drawn(self) -> None:
        try:
            sample = self.sample()
            compose, told = self.pipeline.made(sample.params)
            self.told(compose, sample)
            found = await run.io_bound(drawing.draws, compose, sample, self.count, self.epoch, self.labels)
        except Exception as error:  # whatever a transform says of what it was given belongs on the page
            self.problem(str(error) or type(error).__name__, getattr(error, "step", None))
            return
        self.problem("")
        self.notes.set_text(" ".join(told))
        self.notes.classes(remove="hidden") if told else self.notes.classes(add="hidden")
        self.show(found)
        if self.tab == "time" and not self.wanted:
            self.launches.set_text(drawing.launches(compose, sample))
            self.time.set_text("measuring ..")
            try:
                self.time.set_text(await run.io_bound(drawing.measured, compose, sample))
            except Exception as error:
                self.time.set_text(f"This cannot be measured: {error}")

    def sample(self) -> Sample:
        names = self.pipeline.names()
        return samples.suited(names) if self.own is None else self.own.sample(names)

    def told(self, compose: Any, sample: Sample) -> None:
        """Write the code down."""
        self.code = drawing.python(self.pipeline, sample, self.count, self.epoch)
        try:
            self.yaml = steps.yaml(compose)
        except (ValueError, ImportError) as error:
            self.yaml = "".join(f"# {line}\n" for line in str(error).splitlines())
        self.python_shown.set_content(self.code)
        self.yaml_shown.set_content(self.yaml)

    def problem(self, said: str, step: Step | None = None) -> None:
        """Say what is wrong, at its step where it is one's; what was drawn before stays, pale."""
        there = step is not None and step.number in self.cards.faults
        self.cards.fault(step if there else None, said)
        self.fault.set_text(said)
        self.fault.classes(remove="hidden") if said else self.fault.classes(add="hidden")
        self.grid.classes(add="stale") if said else self.grid.classes(remove="stale")

    def show(self, found: list[drawing.Shown]) -> None:
        if len(self.grid.default_slot.children) != len(found):
            self.grid.clear()
            self.pictures = []
            with self.grid:
                for _ in found:
                    with ui.element("div").classes("draw"):
                        head = ui.label().classes("head")
                        image = ui.element("img").mark("draw")
                        self.pictures.append((head, image, ui.label().classes("said")))
        for i, (each, (head, image, said)) in enumerate(zip(found, self.pictures)):
            head.set_text("original" if i == 0 else f"draw {self.epoch + i}")
            said.set_text(each.size if i == 0 else f"{each.caption}\n{each.size}")
            image.props["src"], image.props["alt"] = each.url, each.caption or "original"
            image.update()


def _copied(listed: list[Step]) -> list[Step]:
    return [Step(step.name, dict(step.arguments), _copied(step.steps)) for step in listed]
