"""Prints docs/parity.md, or writes it."""

import sys
from pathlib import Path

from .table import table

text = table()
if "--write" in sys.argv:
    (Path(__file__).parents[2] / "docs" / "parity.md").write_text(text)
else:
    print(text)
