"""Images made like others: their cases are in tests/test_references.py, since a `Case` has no reference image."""

from __future__ import annotations

from .about import PIXELS, about
from .case import photograph

for _name, _variants in (
    ("HistogramMatching", []),
    ("FDA", []),
    ("PixelDistributionAdaptation", [{"transform_type": "standard"}, {"transform_type": "minmax"}]),
):
    _needs = {"reference_images": ["flower", "china"], "read_fn": photograph}
    about(
        _name,
        family="no: it takes references of the channels that it has",
        marks=PIXELS,
        bench={},
        behind="1.03x in the run before: equal within what runs differ by." if _name == "PixelDistributionAdaptation" else "",
        needs=_needs,
        variants=[_needs | more for more in _variants],
    )
