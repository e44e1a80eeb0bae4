"""Caches: samples decoded, or made small, once; see docs/cache.md.

`files` is the format on disk, `columns` what stands beside the pictures, `build` writes, `dataset` reads, `road` is the loader's.
"""
