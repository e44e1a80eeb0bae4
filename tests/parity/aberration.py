"""What a lens does to colours."""

from __future__ import annotations

import gpuaug as G
from gpuaug.interop.parity.references import reference

from .about import PIXELS, about
from .affine import LINEAR, TIES, cubic_gain
from .case import LANCZOS_REMAP, add


def aberration(note: str, bound: dict, **kwargs) -> None:
    ours = G.ChromaticAberration(p=1, **kwargs)
    beside = reference(ours)
    add(ours, beside.run, beside.source, bound, channels=(3,), note=note)


_WIDE = {"primary_distortion_limit": 0.6, "secondary_distortion_limit": 0.4}
aberration("defaults", LINEAR)
aberration("wide", LINEAR, **_WIDE)
aberration("red and blue", LINEAR, mode="red_blue", **_WIDE)
aberration("random", LINEAR, mode="random", **_WIDE)
aberration("nearest", TIES, interpolation=0, **_WIDE)
aberration("cubic", LINEAR, interpolation=2, **_WIDE)
aberration("Lanczos", LANCZOS_REMAP, interpolation=4, **_WIDE)
about(
    "ChromaticAberration",
    family="colour",
    marks=PIXELS,
    bench={},
    shown=_WIDE,
    variants=[{**_WIDE, "mode": "random", "interpolation": 0}],
    gain=cubic_gain,
    bound=lambda transform, dtype: LINEAR[dtype],
)
