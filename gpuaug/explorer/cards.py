"""The pipeline as cards, one for each step, and one within another where a group holds them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from nicegui import ui

from . import fields, words
from .steps import Step
from .widgets import Asked


class Cards:
    """The steps of a list, and a place to add one.

    changed: called after every change. steps: the list, which is changed in place.
    """

    def __init__(self, steps: list[Step], changed: Callable[[], None]):
        self.steps, self.changed = steps, changed
        self.open = steps[0].number if steps else None
        self.faults: dict[int, ui.label] = {}
        self.place = ui.column().classes("w-full gap-2")
        self.build()

    def build(self) -> None:
        self.place.clear()
        self.faults.clear()
        with self.place:
            self.listed(self.steps)

    def listed(self, steps: list[Step]) -> None:
        for step in steps:
            self.card(step, steps)
        ui.select(
            fields.names(), label="Add a transform or a group", with_input=True, on_change=lambda e: self.add(steps, e.value)
        ).props("dense outlined options-dense").classes("w-full").mark("add")

    def card(self, step: Step, among: list[Step]) -> None:
        shown = step.number == self.open or bool(step.steps)
        with ui.card().classes("w-full step gap-1").props("flat bordered").mark(f"step-{step.name}"):
            with ui.row().classes("w-full items-center no-wrap gap-0"):
                ui.select(fields.names(), value=step.name, with_input=True, on_change=lambda e: self.choose(step, e.value)).props(
                    "dense borderless options-dense"
                ).classes("grow title").mark("transform")
                place = among.index(step)
                if place:
                    self.button("arrow_upward", "Earlier", lambda: self.move(among, place, -1))
                if place + 1 < len(among):
                    self.button("arrow_downward", "Later", lambda: self.move(among, place, 1))
                self.button("close", "Remove", lambda: self.remove(among, place))
                if not step.steps:
                    self.button("expand_less" if shown else "expand_more", "Arguments", lambda: self.toggle(step))
            ui.label(words.summary(fields.class_of(step.name))).classes("summary")
            self.faults[step.number] = ui.label().classes("fault hidden").mark("fault")
            if shown:
                self.arguments(step)
            if step.name in fields.GROUPS:
                with ui.column().classes("w-full gap-2 inside"):
                    self.listed(step.steps)

    def arguments(self, step: Step) -> None:
        def set_(name: str, value: Any) -> None:
            step.arguments[name] = value
            self.changed()

        asked = fields.fields(step.name)
        for field in asked:
            if not field.rare:
                Asked(field, step.arguments.get(field.name, field.value), set_)
        rare = [field for field in asked if field.rare]
        if rare:
            with ui.expansion(f"{len(rare)} more arguments").props("dense").classes("w-full more"):
                for field in rare:
                    Asked(field, step.arguments.get(field.name, field.value), set_)

    @staticmethod
    def button(icon: str, said: str, pressed: Callable[[], Any]) -> None:
        ui.button(icon=icon, on_click=pressed).props(f'flat dense round size=sm color=grey-7 aria-label="{said}"').tooltip(said)

    # ---- changes -----------------------------------------------------------------------

    def again(self) -> None:
        self.build()
        self.changed()

    def add(self, steps: list[Step], name: str | None) -> None:
        if name:
            steps.append(Step.new(name))
            self.open = steps[-1].number
            self.again()

    def choose(self, step: Step, name: str | None) -> None:
        if name and name != step.name:
            new = Step.new(name)
            step.name, step.arguments, step.steps = new.name, new.arguments, new.steps
            self.open = step.number
            self.again()

    def move(self, among: list[Step], place: int, by: int) -> None:
        among[place], among[place + by] = among[place + by], among[place]
        self.again()

    def remove(self, among: list[Step], place: int) -> None:
        del among[place]
        self.again()

    def toggle(self, step: Step) -> None:
        self.open = None if self.open == step.number else step.number
        self.build()

    def fault(self, step: Step | None, said: str) -> None:
        """Show what is wrong with a step; with None take back what was shown."""
        for number, label in self.faults.items():
            mine = step is not None and number == step.number
            label.set_text(said if mine else "")
            label.classes(remove="hidden") if mine else label.classes(add="hidden")
