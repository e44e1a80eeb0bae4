"""A sheet of pictures in rows and columns, with masks, boxes, points and captions."""

from __future__ import annotations

import io
import os
import textwrap
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from .display import labels

WIDTH = 2.3  # inches of a cell
DPI = 100
LINE = 0.125  # inches of a line of a caption
LETTERS = 36  # in such a line


@dataclass
class Cell:
    """One picture of a sheet.

    Attributes:
        image: uint8 ``[H, W, 3]``; None leaves the place empty.
        masks: arrays that `gpuaug.pictures.display.labels` takes; of another size than the image's they are stretched over it.
        boxes: float ``[n, 4, 2]``, the corners (x, y) of each in pixels, 0 being the image's edge.
        points: float ``[n, 2]``, (x, y) in pixels, 0 being the middle of the first.
        names: of the boxes, or of nothing.
        caption: lines under it.
    """

    image: np.ndarray | None = None
    masks: list[np.ndarray] = field(default_factory=list)
    boxes: np.ndarray | None = None
    points: np.ndarray | None = None
    names: list[str] = field(default_factory=list)
    caption: str = ""


class Picture:
    """A sheet that a notebook shows, and that can be saved.

    Attributes:
        figure: matplotlib's ``Figure``.

    Example:
        >>> import numpy as np, gpuaug
        >>> sheet = gpuaug.show(np.zeros((2, 8, 8, 3), np.uint8))
        >>> sheet.array().ndim
        3
    """

    def __init__(self, figure: Any):
        self.figure = figure

    def save(self, path: str | os.PathLike) -> Path:
        """Write it as what the path's end says (png, pdf, svg, jpg ..); returns the path."""
        path = Path(path)
        check_name(path)
        self.figure.savefig(path, dpi=DPI)
        return path

    def array(self) -> np.ndarray:
        """Its pixels, uint8 ``[H, W, 3]``."""
        from PIL import Image

        return np.asarray(Image.open(io.BytesIO(self._repr_png_())).convert("RGB"))

    def _repr_png_(self) -> bytes:
        out = io.BytesIO()
        self.figure.savefig(out, format="png", dpi=DPI)
        return out.getvalue()

    def __repr__(self) -> str:
        return f"Picture of {len(self.figure.axes)} images; in a notebook it shows itself, `save(path)` writes it"


def draw(rows: list[list[Cell]], titles: list[str] | None = None) -> Picture:
    """Rows of cells, under titles of the columns."""
    columns = max(map(len, rows))
    captions = [[wrapped(cell.caption) for cell in row] for row in rows]
    heights = []
    for row, below in zip(rows, captions):
        shapes = [cell.image.shape for cell in row if cell.image is not None]
        tallest = max((h / w for h, w, _ in shapes), default=0.3)
        heights.append(WIDTH * min(max(tallest, 0.15), 2.5) + LINE * max(map(len, below)) + 0.12)
    top = 0.25 if titles else 0.05
    figure = _figure((columns * WIDTH, sum(heights) + top))
    total, reached = figure.get_size_inches()[1], top
    for column, title in enumerate(titles or []):
        figure.text((column + 0.5) / columns, 1 - 0.6 * top / total, title, ha="center", va="center", fontsize=9, weight="bold")
    for row, below, height in zip(rows, captions, heights):
        for column, (cell, lines) in enumerate(zip(row, below)):
            if cell.image is None:
                continue
            room = height - LINE * max(map(len, below)) - 0.12
            place = [(column + 0.02) / columns, 1 - (reached + room) / total, 0.96 / columns, room / total]
            axes = figure.add_axes(place)
            _fill(axes, cell)
            if lines:
                text = "\n".join(lines)
                axes.text(0, -0.03, text, transform=axes.transAxes, va="top", fontsize=6.5, linespacing=1.1, parse_math=False)
        reached += height
    return Picture(figure)


def alone(cell: Cell, width: int = 300) -> bytes:
    """One picture by itself as PNG, without its caption: its own pixels, to the bit, where no labels are drawn over it; else it
    is enlarged so that it is at least ``width`` pixels wide, for lines and names to be sharp."""
    if not (cell.masks or cell.boxes is not None or cell.points is not None):
        from PIL import Image

        out = io.BytesIO()
        Image.fromarray(cell.image).save(out, "png", compress_level=1)
        return out.getvalue()
    figure = _figure((1, 1))
    height, wide = cell.image.shape[:2]
    wider = wide * max(1, -(-width // wide))
    figure.set_size_inches(wider / DPI, wider / DPI * height / wide)
    axes = figure.add_axes((0, 0, 1, 1))
    _fill(axes, cell)
    axes.set_axis_off()
    out = io.BytesIO()
    figure.savefig(out, format="png", dpi=DPI, pil_kwargs={"compress_level": 1})  # a third of the time of the default
    return out.getvalue()


def wrapped(caption: str) -> list[str]:
    return [line for whole in caption.splitlines() for line in textwrap.wrap(whole, LETTERS, subsequent_indent="  ")]


def check_name(path: Path) -> None:
    """ValueError unless a picture can be written under that name."""
    known = _canvas().get_supported_filetypes()
    if path.suffix[1:].lower() not in known:
        raise ValueError(f"{path}: a picture's name ends in one of .{', .'.join(sorted(known))}")


def _canvas():
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
    except ImportError as error:
        raise ImportError("pictures take matplotlib: pip install 'gpuaug[pictures]'") from error
    return FigureCanvasAgg


def _figure(inches: tuple[float, float]):
    canvas = _canvas()
    from matplotlib.figure import Figure

    figure = Figure(inches)
    canvas(figure)
    return figure


def _fill(axes, cell: Cell) -> None:
    from matplotlib import colormaps
    from matplotlib.patches import Polygon

    height, width = cell.image.shape[:2]
    frame = (-0.5, width - 0.5, height - 0.5, -0.5)
    colours = colormaps["tab10"]
    axes.imshow(cell.image, extent=frame, interpolation="nearest")
    for mask in cell.masks:
        found = labels(mask)
        over = np.zeros((*found.shape, 4))
        there = found > 0
        over[there] = colours((found[there] - 1) % 10)
        over[there, 3] = 0.45
        axes.imshow(over, extent=frame, interpolation="nearest")
    for number, corners in enumerate(() if cell.boxes is None else cell.boxes):
        axes.add_patch(Polygon(corners - 0.5, closed=True, fill=False, edgecolor=colours(number % 10), linewidth=1.4))
        if number < len(cell.names):
            x, y = corners[0] - 0.5
            name = axes.text(x, y, cell.names[number], fontsize=6, color="white", va="bottom", clip_on=True, parse_math=False)
            name.set_bbox({"facecolor": colours(number % 10), "pad": 0.8, "linewidth": 0})
    if cell.points is not None and len(cell.points):
        x, y = cell.points.T
        axes.scatter(x, y, s=14, c=[colours(i % 10) for i in range(len(x))], edgecolors="white", linewidths=0.6, zorder=3)
    axes.set(xlim=frame[:2], ylim=frame[2:], xticks=[], yticks=[])
    for spine in axes.spines.values():
        spine.set_linewidth(0.4)
