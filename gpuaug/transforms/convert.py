"""Element types: bytes to floats and back."""

from __future__ import annotations

import numpy as np

from ..checks import one_of, real
from ..transform import Transform

_TYPES = ("uint8", "uint16", "uint32")


class ToFloat(Transform):
    """Divide bytes by their largest value: uint8 becomes float32.

    Args:
        max_value: what they are divided by, above 0; None: 255.
        p: probability, per sample; must be 1 where images are uint8, since all of a batch have one type.

    Shapes and dtypes: any; float images stay as they are. Targets: image. Source: albumentations ``ToFloat``.

    Raises:
        ValueError: a max_value of 0 or below; uint8 images, for some samples of a batch only.
        TypeError: images of other whole numbers, which travel as labels.

    Example:
        >>> import numpy as np, gpuaug as G
        >>> G.Compose([G.ToFloat()])(np.array([[0, 51, 255]], np.uint8))
        array([[0. , 0.2, 1. ]], dtype=float32)
    """

    ops = ("divide",)

    def __init__(self, max_value: float | None = None, p: float = 1.0):
        super().__init__(p)
        self.max_value = None if max_value is None else real("max_value", max_value, 0, above=True)

    def lower(self, to, rows, params) -> None:
        if not to.is_u8:
            to.no_labels("divided")
            return
        to.convert("float32", rows)
        to.op(rows, "divide", by=self.max_value or 255)


class FromFloat(Transform):
    """Multiply floats by the largest byte and round: they become uint8.

    Args:
        dtype: ``"uint8"``; albumentations' ``"uint16"`` and ``"uint32"`` are not built: there is no arithmetic on them here.
        max_value: what they are multiplied by, above 0; None: 255.
        p: probability, per sample; must be 1 where images are floats, since all of a batch have one type.

    Shapes and dtypes: any; results are clipped to 0..255, uint8 images stay as they are. Targets: image.
    Source: albumentations ``FromFloat``.

    Raises:
        ValueError: another dtype, a max_value of 0 or below; float images, for some samples of a batch only.
        TypeError: images of other whole numbers.

    Example:
        >>> import numpy as np, gpuaug as G
        >>> G.Compose([G.FromFloat()])(np.array([[0, 0.2, 1]], np.float32))
        array([[  0,  51, 255]], dtype=uint8)
    """

    ops = ("quantize",)

    def __init__(self, dtype: str = "uint8", max_value: float | None = None, p: float = 1.0):
        super().__init__(p)
        self.dtype = one_of("dtype", np.dtype(dtype).name if not isinstance(dtype, str) else dtype, _TYPES)
        if self.dtype != "uint8":
            raise ValueError(f"FromFloat: dtype {self.dtype!r} is not built: images of it travel as labels; use 'uint8'")
        self.max_value = 255.0 if max_value is None else real("max_value", max_value, 0, above=True)

    def lower(self, to, rows, params) -> None:
        if to.is_u8:
            return
        to.no_labels("rounded")
        to.op(rows, "quantize", top=self.max_value)
        to.convert("uint8", rows)
