"""What looks at masks and boxes when it draws is tested elsewhere."""

from __future__ import annotations

from .about import about
from .affine import cubic_gain
from .crop import _resized

_LOOKS = "no: it looks at labels when it draws"
_MARKS = "no: tests/test_crop_labels.py"

# by what they do, since they look at labels, or at other samples, when they draw
_HERE = "test_crop_labels.test_all_targets_are_albumentations"
ELSEWHERE = {
    "MaskDropout": "test_parity.test_mask_dropout_removes_whole_objects",
    "ConstrainedCoarseDropout": "test_parity.test_constrained_dropout_stays_on_objects",
    "AtLeastOneBBoxRandomCrop": _HERE,
    "BBoxSafeRandomCrop": _HERE,
    **dict.fromkeys(("CenterCrop3D", "Pad3D", "PadIfNeeded3D"), "test_solids.test_fixed_as_albumentations"),
    **dict.fromkeys(("RandomCrop3D", "CoarseDropout3D"), "test_solids.test_random_crops_and_holes_are_where_they_say"),
    "ToTensor": "test_spellings.test_to_tensor",
    "CubicSymmetry": "test_solids.test_the_48_symmetries_are_albumentations",
    "ToTensor3D": "test_solids.test_tensors",
    "Mosaic": "test_mosaic.test_as_albumentations",
    "HistogramMatching": "test_references.test_histograms_as_albumentations",
    "OverlayElements": "test_overlays.test_pictures_as_albumentations",
    "TextImage": "test_overlays.test_text_as_albumentations",
    "FDA": "test_references.test_frequencies_as_albumentations",
    "PixelDistributionAdaptation": "test_references.test_distributions_as_scikit_learn",
    "CropNonEmptyMaskIfExists": _HERE,
    "RandomCropNearBBox": _HERE,
    "RandomSizedBBoxSafeCrop": _HERE,
}

about(
    "CropNonEmptyMaskIfExists",
    family=_LOOKS,
    marks=_MARKS,
    bench={"height": 192, "width": 192},
    needs={"height": 1, "width": 1},
    reads="mask",
    moved={"height": 40, "width": 55},
)
about("BBoxSafeRandomCrop", family=_LOOKS, marks=_MARKS, bench={}, bench_ragged=True, reads="bboxes")
about(
    "RandomSizedBBoxSafeCrop",
    family=_LOOKS,
    marks=_MARKS,
    bench={"height": 192, "width": 192},
    needs={"height": 19, "width": 24},
    reads="bboxes",
    gain=cubic_gain,
    bound=_resized,
    moved={"height": 60, "width": 70},
)
about(
    "AtLeastOneBBoxRandomCrop",
    family=_LOOKS,
    marks=_MARKS,
    bench={"height": 192, "width": 192},
    needs={"height": 1, "width": 1},
    reads="bboxes",
    moved={"height": 40, "width": 55},
)
about(
    "RandomCropNearBBox",
    family=_LOOKS,
    marks=_MARKS,
    bench={},
    bench_ragged=True,
    reads="cropping_bbox",
    moved="no: it needs a box of its own; test_crop_labels.py",
)
