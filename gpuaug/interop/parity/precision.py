"""albumentations sums two images by simsimd (`albucore.add_weighted`), whose results of uint8 differ from processor to processor.

Where there is AVX512-FP16 (Intel's Sapphire Rapids and later) it sums in half precision, whose steps are 0.125 from 128 on: one
sum in thirty is another grey level, and the some fifty sums of RandomSunFlare end up to 3 levels off. All other processors
sum in single precision, as this library does.
"""

import contextlib

HALF = "sapphire"  # simsimd's name of these kernels


def sum_in_single_precision() -> bool:
    """Let albumentations sum as on other processors, from now on; whether it did otherwise before."""
    try:
        import simsimd
    except ImportError:  # other versions of albucore have other ways
        return False
    if not simsimd.get_capabilities().get(HALF, False):
        return False
    simsimd.disable_capability(HALF)
    return True


@contextlib.contextmanager
def single_precision():
    """albumentations sums as on other processors while this is open."""
    changed = sum_in_single_precision()
    try:
        yield
    finally:
        if changed:
            import simsimd

            simsimd.enable_capability(HALF)
