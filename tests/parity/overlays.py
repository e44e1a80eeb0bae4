"""What a call brings to be laid over its image: cases are in tests/test_overlays.py, since a `Case` brings nothing."""

from __future__ import annotations

import tempfile
from functools import lru_cache
from pathlib import Path

from PIL import ImageFont

from .about import PIXELS, about


@lru_cache(None)
def font() -> str:
    """The file of the font that Pillow has in it."""
    path = Path(tempfile.mkdtemp(prefix="gpuaug-font-")) / "font.ttf"
    path.write_bytes(ImageFont.load_default(20).path.getvalue())
    return str(path)


about(
    "OverlayElements",
    family="no: it takes pictures of the call",
    marks="no: boxes and keypoints stay as they are: test_overlays.py",
    bench="no: its time is that of the pictures that a call brings",
    reads="overlay_metadata",
    moved="no: it lays pictures over the image: test_overlays.py",
)
about(
    "TextImage",
    family="no: it takes texts of the call",
    marks=PIXELS,
    bench="no: its time is Pillow's",
    reads="textimage_metadata",
    needs={"font_path": font()},
)
