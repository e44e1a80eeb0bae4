"""How arguments were spelled in earlier releases of albumentations, and what they say in gpuaug's: one table, and its reading."""

from .rules import translated
from .table import PLACES, SPELLINGS

__all__ = ["PLACES", "SPELLINGS", "translated"]
