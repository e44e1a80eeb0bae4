"""Compression: through a real codec, as a host stage."""

from __future__ import annotations

import numpy as np

from ..checks import one_of, whole
from ..codec import compressed
from ..hints import IntRange
from ..hosted import on_host
from ..spellings.members import ImageCompressionType
from ..transform import Transform
from ..uniforms import integers


class ImageCompression(Transform):
    """Lose what a JPEG or WebP file loses: the image is compressed and read again, in memory.

    This is a host stage (docs/kernels.md): samples that drew it are copied to the host and back where they lie on a GPU, and
    compressed by as many threads as torch uses.

    Args:
        compression_type: "jpeg" or "webp".
        quality_range: range of the quality, whole numbers in 0 .. 100; 100 is the best, 0 is 1.
        p: probability, per sample.

    Shapes and dtypes: uint8, and floats in 0..1, which are rounded to 8 bits for it. The first three channels are one picture
    (stored as blue, green, red, as albumentations does), each further one a grey picture. Targets: image.
    Source: albumentations ``ImageCompression``, ``cv2.imencode``.

    Raises:
        ValueError: a quality outside 0 .. 100, another compression_type.
        TypeError: images of labels (at the first batch).

    Example:
        >>> import numpy as np, gpuaug as G
        >>> image = (np.indices((16, 16)).sum(0) * 8).astype(np.uint8)
        >>> out = G.Compose([G.ImageCompression("jpeg", (10, 10), p=1)])(image)
        >>> out.shape, bool((out != image).any())
        ((16, 16), True)
    """

    ImageCompressionType = ImageCompressionType

    def __init__(self, compression_type: str = "jpeg", quality_range: IntRange = (99, 100), p: float = 0.5):
        super().__init__(p)
        self.compression_type = one_of("compression_type", compression_type, ("jpeg", "webp"))
        self.quality_range = whole("quality_range", quality_range, 0, 100)

    def columns(self) -> int:
        return 1

    def draw(self, u, view):
        return {"quality": np.maximum(integers(u[:, 0], *self.quality_range), 1)}  # as libjpeg and libwebp do

    def lower(self, to, rows, params) -> None:
        to.no_labels("compressed")
        quality = params["quality"].tolist()

        def run(k: int, image: np.ndarray) -> np.ndarray:
            if image.dtype == np.uint8:
                return compressed(image, self.compression_type, quality[k])
            whole = np.rint(np.clip(image.astype(np.float32), 0, 1) * 255).astype(np.uint8)
            return (compressed(whole, self.compression_type, quality[k]) / np.float32(255)).astype(image.dtype)

        on_host(to, rows, run, f"a {self.compression_type} codec", threads=True, pure=True)
