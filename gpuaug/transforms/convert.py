"""Element types: bytes to floats and back."""

from __future__ import annotations

import numpy as np

from ..checks import one_of, real
from ..elements import WIDE
from ..transform import Transform

_TYPES = ("uint8", "uint16", "uint32")


class ToFloat(Transform):
    """Divide by the largest value of the type: uint8 and uint16 become float32.

    Args:
        max_value: what they are divided by, above 0; None: 255, or 65535.
        p: probability, per sample; must be 1 where images are uint8 or uint16, since all of a batch have one type.

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
        wide = to.is_wide
        if not to.is_u8 and not wide:
            to.no_labels("divided")
            return
        to.convert("float32", rows)
        if not wide:
            to.op(rows, "divide", by=self.max_value or 255)
        elif self.max_value not in (None, WIDE):
            to.op(rows, "divide", by=self.max_value / WIDE)


class FromFloat(Transform):
    """Multiply floats by the largest whole number and round: they become uint8, or uint16.

    Args:
        dtype: ``"uint8"`` or ``"uint16"``; albumentations' ``"uint32"`` is not built: there is no arithmetic on it here.
        max_value: what they are multiplied by, above 0; None: 255, or 65535.
        p: probability, per sample; must be 1 where images are floats, since all of a batch have one type.

    Shapes and dtypes: any; results are clipped to 0..255 (0..65535), images of whole numbers stay as they are. Targets: image.
    Source: albumentations ``FromFloat``.

    Raises:
        ValueError: another dtype, a max_value of 0 or below; float images, for some samples of a batch only.
        TypeError: images of other whole numbers.

    Example:
        >>> import numpy as np, gpuaug as G
        >>> G.Compose([G.FromFloat()])(np.array([[0, 0.2, 1]], np.float32))
        array([[  0,  51, 255]], dtype=uint8)
    """

    ops = ("quantize", "divide")

    def __init__(self, dtype: str = "uint8", max_value: float | None = None, p: float = 1.0):
        super().__init__(p)
        self.dtype = one_of("dtype", np.dtype(dtype).name if not isinstance(dtype, str) else dtype, _TYPES)
        if self.dtype == "uint32":
            raise ValueError("FromFloat: dtype 'uint32' is not built: images of it travel as labels; use 'uint8' or 'uint16'")
        self._top = 255.0 if self.dtype == "uint8" else float(WIDE)
        self.max_value = self._top if max_value is None else real("max_value", max_value, 0, above=True)

    def lower(self, to, rows, params) -> None:
        if to.is_u8 or to.is_wide:
            return
        to.no_labels("rounded")
        if self.dtype == "uint16":
            to.widen(rows)
            if self.max_value != WIDE:
                to.op(rows, "divide", by=WIDE / self.max_value)
            return
        to.op(rows, "quantize", top=self.max_value)
        to.convert("uint8", rows)
