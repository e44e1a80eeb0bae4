"""Sliders, switches and inputs of one argument."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Any

from nicegui import ui

from .fields import Field, told


class Asked:
    """The widgets of a field, which tell `changed` what they are set to.

    A slider has its numbers beside it, which take more than the slider shows: the constructor says what is too much.
    """

    def __init__(self, field: Field, value: Any, changed: Callable[[str, Any], None]):
        self.field, self.value, self.changed = field, value, changed
        self.quiet = False  # while one widget follows another
        with ui.column().classes("w-full gap-0 field").mark(f"field-{field.name}") as self.place:
            self.build()

    def build(self) -> None:
        field = self.field
        self.place.clear()
        kind = field.kind if field.takes(self.value) else "text"
        with self.place:
            with ui.row().classes("w-full items-center no-wrap gap-2"):
                with ui.row().classes("items-baseline gap-1 grow"):
                    ui.label(field.name).classes("name")
                    if field.unit and field.name != "p":
                        ui.label(field.unit).classes("unit")
                if field.said:
                    ui.icon("help_outline").classes("help").tooltip(field.said)
                if field.optional and field.when is not None:
                    ui.switch(value=self.value is not None, on_change=self.turned).props("dense size=sm").mark(
                        f"use-{field.name}"
                    )
                elif kind == "flag":
                    ui.switch(value=self.value, on_change=lambda e: self.set(e.value)).props("dense size=sm").mark(field.name)
                self.beside = ui.row().classes("no-wrap gap-1")
            if self.value is None and kind in ("number", "range", "numbers"):
                return
            getattr(self, kind)()

    def set(self, value: Any) -> None:
        self.value = value
        self.changed(self.field.name, value)

    def turned(self, event) -> None:
        self.value = self.field.when if event.value else None
        self.build()
        self.set(self.value)

    # ---- kinds -------------------------------------------------------------------------

    def flag(self) -> None:
        """Its switch stands beside its name."""

    def fixed(self) -> None:
        ui.label(f"always {told(self.value)}").classes("unit")

    def choice(self) -> None:
        ui.select(dict(self.field.choices), value=self.value, on_change=lambda e: self.set(e.value)).props(
            "dense outlined options-dense"
        ).classes("w-full").mark(self.field.name)

    def number(self) -> None:
        field = self.field
        slider = ui.slider(min=field.low, max=field.high, step=field.step, value=self.clipped(self.value))
        slider.mark(field.name).classes("slider")
        with self.beside:
            typed = self.typed(self.value, lambda value: self.follow(value, lambda: slider.set_value(self.clipped(value))))
        slider.on_value_change(lambda e: self.follow(self.like(e.value), lambda: typed.set_value(self.like(e.value))))

    def range(self) -> None:
        field = self.field
        low, high = map(self.clipped, self.value)
        slider = ui.range(min=field.low, max=field.high, step=field.step, value={"min": low, "max": high})
        slider.mark(field.name).classes("slider")

        def put(place: int, value) -> None:
            pair = [value if i == place else each for i, each in enumerate(self.value)]
            ends = dict(zip(("min", "max"), map(self.clipped, sorted(pair))))
            self.follow(tuple(pair), lambda: slider.set_value(ends))

        with self.beside:
            typed = [self.typed(each, lambda value, i=i: put(i, value)) for i, each in enumerate(self.value)]

        def slid(event) -> None:
            pair = (self.like(event.value["min"]), self.like(event.value["max"]))
            self.follow(pair, lambda: [each.set_value(value) for each, value in zip(typed, pair)])

        slider.on_value_change(slid)

    def numbers(self) -> None:
        def put(place: int, value) -> None:
            self.set(tuple(value if i == place else each for i, each in enumerate(self.value)))

        with self.beside:
            for i, each in enumerate(self.value):
                self.typed(each, lambda value, i=i: put(i, value))

    def text(self) -> None:
        def typed(event) -> None:
            self.set(read(event.value))

        ui.input(value=told(self.value), on_change=typed).props("dense outlined debounce=300").classes("w-full").mark(
            self.field.name
        )

    # ---- what they share ---------------------------------------------------------------

    def follow(self, value: Any, others: Callable[[], Any]) -> None:
        """Take a value, and let the other widgets of the field show it."""
        if self.quiet or value == self.value:
            return
        self.quiet = True
        try:
            others()
        finally:
            self.quiet = False
        self.set(value)

    def typed(self, value, put: Callable[[Any], None]):
        """An input for one number."""

        def changed(event) -> None:
            if event.value is not None and not self.quiet:
                put(self.like(event.value))

        step = self.field.step if self.field.step != 2 else 1
        props = "dense outlined hide-bottom-space debounce=300 input-class=text-right"
        return (
            ui.number(value=value, step=step, on_change=changed).props(props).classes("number").mark(f"{self.field.name}-typed")
        )

    def like(self, value):
        """A number as one would write it: 1 for 1.0, which constructors take alike."""
        value = float(f"{value:.12g}")  # sums in binary have tails behind the 15th digit
        return int(value) if value.is_integer() else value

    def clipped(self, value):
        return min(max(value, self.field.low), self.field.high)


def read(text: str) -> Any:
    """What was typed, as a Python literal; a word is itself.

    Example:
        >>> read("(1, 0.5)"), read("random"), read("__import__('os')")
        ((1, 0.5), 'random', "__import__('os')")
    """
    try:
        return ast.literal_eval(text.strip())
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return text.strip()
