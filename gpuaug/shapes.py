"""Vector shapes: the table of the operation ``shapes``, from arrays of corners and ends.

A shape is a line of 8 words, followed by its parts, a line each (kernels/op_shapes.cuh reads them):

    kind | parts << 8, the box that holds it (x0, y0, x1, y1, inclusive), alpha, colour (its offset in the blob), blend

Lines and polygons have whole coordinates and cover the pixels that ``cv2.line`` and ``cv2.fillPoly`` cover; strokes and ellipses
cover the pixels whose centres lie inside.
"""

from __future__ import annotations

import numpy as np

LINE4, LINE8, ROUND, POLYGON = range(4)  # kernels/op_shapes.cuh
BLENDS = {"over": 0, "times": 1}  # alpha of the colour and the rest of the pixel; the pixel times alpha
WORDS = 8
STRIP = 16  # lines of one index
LARGEST = 16384  # the longest side: products of two coordinates and 2 must fit 32 bits


def check_size(to, rows) -> None:
    """Raise for images in which numbers of the kernel would not fit 32 bits."""
    size = to.size[rows]
    if (size > LARGEST).any():
        i = int(np.flatnonzero((size > LARGEST).any(1))[0])
        raise ValueError(
            f"{to.doing}: sample {int(to.index(rows)[i])} is of height and width {size[i].tolist()}; shapes are drawn on "
            f"sides of at most {LARGEST} pixels"
        )


def _table(kind: int, parts: np.ndarray, box, alpha, colour, blend: str) -> np.ndarray:
    """Lines of ``n`` shapes of equally many parts, int32 ``[n, k, 8]``."""
    n, k = parts.shape[:2]
    table = np.empty((n, 1 + k, WORDS), np.int32)
    table[:, 0, 0] = kind | k << 8
    for column, values in enumerate(box, 1):
        table[:, 0, column] = values
    table[:, 0, 5] = np.broadcast_to(np.asarray(alpha, np.float32), n).view(np.int32) if np.ndim(alpha) else _bits(alpha)
    table[:, 0, 6], table[:, 0, 7] = colour, BLENDS[blend]
    table[:, 1:] = parts
    return table.reshape(-1, WORDS)


def _bits(value: float) -> int:
    return int(np.float32(value).view(np.int32))


def _ends(x0, y0, x1, y1):
    """Ends of lines, the left one first, as OpenCV draws them."""
    swap = x0 > x1
    return np.where(swap, x1, x0), np.where(swap, y1, y0), np.where(swap, x0, x1), np.where(swap, y0, y1)


def lines(ends: np.ndarray, *, sides: int = 8, alpha=1.0, colour=0, blend: str = "over") -> np.ndarray:
    """Lines of one pixel's width, as ``cv2.line`` with ``LINE_8`` or ``LINE_4``.

    Args:
        ends: int ``[n, 4]``: x0, y0, x1, y1, inside the image (`clipped`).
        sides: 8 or 4.
        alpha, colour, blend: see the module; numbers or ``[n]``.

    Returns:
        int32 ``[2 n, 8]``, two lines for each.
    """
    x0, y0, x1, y1 = _ends(*np.asarray(ends, np.int64).T)
    parts = np.zeros((len(x0), 1, WORDS), np.int32)
    parts[:, 0, :4] = np.stack([x0, y0, x1, y1], 1)
    box = x0, np.minimum(y0, y1), x1, np.maximum(y0, y1)
    return _table(LINE4 if sides == 4 else LINE8, parts, box, alpha, colour, blend)


def polygons(vertices: np.ndarray, *, alpha=1.0, colour=0, blend: str = "over") -> np.ndarray:
    """Filled polygons, as ``cv2.fillPoly`` of one contour each: outlines, and what an odd number of edges lies left of.

    Args:
        vertices: int ``[n, k, 2]``: x, y.
        alpha, colour, blend: see the module; numbers or ``[n]``.

    Returns:
        int32 ``[n (1 + k), 8]``, ``1 + k`` lines for each.
    """
    vertices = np.asarray(vertices, np.int64)
    (ax, ay), (bx, by) = np.roll(vertices, 1, 1).transpose(2, 0, 1), vertices.transpose(2, 0, 1)
    up = ay > by
    top, bottom = np.where(up, by, ay), np.where(up, ay, by)
    first, last = np.where(up, bx, ax), np.where(up, ax, bx)
    rise = np.maximum(bottom - top, 1)
    slope = np.sign(last - first) * (np.abs(last - first) * 65536 // rise)  # C's division, towards 0
    parts = np.stack([*_ends(ax, ay, bx, by), top, bottom, first * 65536, slope], -1)
    box = vertices.min(1).T, vertices.max(1).T
    return _table(POLYGON, parts.astype(np.int32), (*box[0], *box[1]), alpha, colour, blend)


def strokes(ends: np.ndarray, width, *, alpha=1.0, colour=0, blend: str = "over") -> np.ndarray:
    """Lines of any width with round ends: pixels whose centres are at most half of it away. ends: ``[n, 4]``."""
    x0, y0, x1, y1 = np.asarray(ends, np.float64).T
    length = np.hypot(x1 - x0, y1 - y0)
    cos, sin = np.where(length > 0, [x1 - x0, y1 - y0], [[1], [0]]) / np.maximum(length, 1e-9) if len(length) else (x0, y0)
    cos, sin = np.where(length > 0, cos, 1.0), np.where(length > 0, sin, 0.0)
    radius = np.broadcast_to(np.asarray(width) / 2, x0.shape)
    parts = np.stack([x0, y0, cos, sin, -sin, cos, length, radius**2], -1).astype(np.float32)
    reach = np.ceil(radius)
    box = np.floor(np.minimum(x0, x1) - reach), np.floor(np.minimum(y0, y1) - reach)
    box += np.ceil(np.maximum(x0, x1) + reach), np.ceil(np.maximum(y0, y1) + reach)
    return _table(ROUND, parts[:, None].view(np.int32), box, alpha, colour, blend)


def ellipses(centre: np.ndarray, axes: np.ndarray, angle=0.0, *, alpha=1.0, colour=0, blend: str = "over") -> np.ndarray:
    """Ellipses, and discs: pixels whose centres lie inside. centre, axes (half): ``[n, 2]``; angle of the first axis, radians."""
    centre, axes = np.asarray(centre, np.float64), np.asarray(axes, np.float64)
    angle = np.broadcast_to(angle, len(centre))
    cos, sin, (a, b) = np.cos(angle), np.sin(angle), axes.T
    zero, one = np.zeros(len(centre)), np.ones(len(centre))
    parts = np.stack([*centre.T, cos / a, sin / a, -sin / b, cos / b, zero, one], -1).astype(np.float32)
    reach = np.stack([np.hypot(a * cos, b * sin), np.hypot(a * sin, b * cos)], 1)
    box = (*np.floor(centre - reach).T, *np.ceil(centre + reach).T)
    return _table(ROUND, parts[:, None].view(np.int32), box, alpha, colour, blend)


def clipped(ends: np.ndarray, size: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The parts of lines inside their images, as ``cv2.clipLine`` finds them (it changes which pixels a line visits).

    Args:
        ends: int ``[n, 4]``. size: ``[n, 2]``, heights and widths.

    Returns:
        Ends, and which have a part inside.
    """
    ends = np.array(ends, np.int64)
    (x0, y0, x1, y1), (bottom, right) = ends.T, np.asarray(size, np.int64).T - 1
    beyond = (np.minimum(x0, x1) < 0) | (np.minimum(y0, y1) < 0) | (np.maximum(x0, x1) > right) | (np.maximum(y0, y1) > bottom)
    some = np.flatnonzero(beyond)
    inside = np.ones(len(ends), bool)
    if len(some):
        ends[some], inside[some] = _clip(ends[some].T, right[some], bottom[some])
    return ends, inside


def _clip(p: np.ndarray, right: np.ndarray, bottom: np.ndarray):
    def outside():
        """Of each end: 1 left, 2 right, 4 above, 8 below."""
        return [(p[k] < 0) + 2 * (p[k] > right) + 4 * (p[k + 1] < 0) + 8 * (p[k + 1] > bottom) for k in (0, 2)]

    for axis, bits, last in ((1, 12, bottom), (0, 3, right)):  # to the lines above and below, then to the columns left and right
        for end in (0, 2):
            code = outside()
            cut = np.flatnonzero(((code[0] & code[1]) == 0) & ((code[end // 2] & bits) != 0))
            if len(cut):
                here, there = end + axis, end + 1 - axis
                to = np.where(p[here, cut] < 0, 0, last[cut])
                along, across = p[2 + axis, cut] - p[axis, cut], p[3 - axis, cut] - p[1 - axis, cut]
                p[there, cut] += np.trunc((to - p[here, cut]).astype(np.float64) * across / along).astype(np.int64)
                p[here, cut] = to
    code = outside()
    return p.T, (code[0] | code[1]) == 0


def indexed(table: np.ndarray, counts: np.ndarray, heights: np.ndarray, rows: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Sort shapes of ``rows`` rows each by their first line, and find for each strip of lines the first that reaches it.

    Args:
        table: ``[n rows, 8]``. counts: rows of each sample. heights: of the samples.

    Returns:
        The table, and int32 indices of all samples' strips, one after the other, and where each sample's start.
    """
    shapes, number = table.reshape(-1, rows, WORDS), counts // rows
    sample = np.repeat(np.arange(len(counts)), number)
    order = np.argsort(sample * (4 * LARGEST) + shapes[:, 0, 2], kind="stable")
    shapes = shapes[order]
    # how far down the shapes up to this one reach, in samples that lie one below the other
    reach = np.maximum.accumulate(sample * (4 * LARGEST) + shapes[:, 0, 4])
    strips = -(-heights // STRIP)
    of = np.repeat(np.arange(len(counts)), strips)
    starts = np.cumsum(strips) - strips
    line = STRIP * (np.arange(len(of)) - starts[of])
    first = np.searchsorted(reach, of * (4 * LARGEST) + line)
    return shapes.reshape(-1, WORDS), (rows * (first - (np.cumsum(number) - number)[of])).astype(np.int32), starts
