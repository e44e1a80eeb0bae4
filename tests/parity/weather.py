"""Weather."""

from __future__ import annotations

import gpuaug as G
from gpuaug.interop.parity.references import reference

from .about import PIXELS, about
from .case import EXACT, FLOAT, add, bounds


def _rain(note, **kwargs):
    ours = G.RandomRain(p=1, **kwargs)
    beside = reference(ours)
    add(ours, beside.run, beside.source, bounds(EXACT, FLOAT), channels=(3,), note=note)


_rain("defaults")
_rain("no blur", blur_value=1, slant_range=(-20, 20), rain_type="heavy", drop_color=(10, 250, 100))
_rain("even blur", blur_value=4, brightness_coefficient=1.0, drop_length=5)

about(
    "RandomRain",
    family="no: it takes 3 channels alone",
    marks=PIXELS,
    bench={},
    variants=[{"drop_width": 3, "rain_type": "heavy"}],
)
