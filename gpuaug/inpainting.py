"""Pixels filled from what surrounds them, by OpenCV on the host."""

from __future__ import annotations

import numpy as np

from .hosted import on_host

WORDS = ("inpaint_telea", "inpaint_ns")
RADIUS = 3  # pixels around each, albumentations' number


def inpaint(image: np.ndarray, mask: np.ndarray, method: str) -> np.ndarray:
    """Fill an image.

    Args:
        image: uint8 ``[H, W, C]``. mask: ``[H, W]``, not 0 where pixels are unknown.
        method: "inpaint_telea" (fast marching) or "inpaint_ns" (Navier and Stokes).

    Raises:
        ImportError: OpenCV is not installed.
    """
    try:
        import cv2
    except ImportError:
        raise ImportError("filling by inpainting needs OpenCV: pip install opencv-python-headless") from None
    h, w = mask.shape
    if min(h, w) < 3:  # cv2.inpaint reads beyond such images: what it makes of them differs from call to call
        image, mask = np.pad(image, ((1, 1), (1, 1), (0, 0)), "edge"), np.pad(mask, 1, "edge")
        return inpaint(image, mask, method)[1 : h + 1, 1 : w + 1]
    flag = {"inpaint_telea": cv2.INPAINT_TELEA, "inpaint_ns": cv2.INPAINT_NS}[method]
    parts = [image] if image.shape[2] in (1, 3) else np.dsplit(image, image.shape[2])
    done = [cv2.inpaint(np.ascontiguousarray(part), mask.astype(np.uint8), RADIUS, flag) for part in parts]
    return np.dstack(done)


def inpaint_holes(to, rows, masks, method: str) -> None:
    """Fill the images of ``rows``, a host stage; ``masks(k, shape)`` says what is unknown of the k-th of them."""
    if not to.is_u8 or to.given:
        got = to.given or to.dtype
        raise ValueError(f"{to.doing}: fill={method!r} works on uint8 images, got {got}; place it before Normalize")

    def step(k, image):
        mask = masks(k, image.shape[:2])
        return inpaint(image, mask, method) if mask.any() else image

    on_host(to, rows, step, f"{method} by OpenCV", threads=True)
