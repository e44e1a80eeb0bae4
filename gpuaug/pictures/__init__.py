"""Pictures to look at: of a batch (`show`), of what a pipeline makes of images (`preview`), of what a transform does (`example`).

They take matplotlib: ``pip install 'gpuaug[pictures]'``.
"""

from .batches import show
from .previews import preview
from .sheet import Picture
from .subjects import example

__all__ = ["Picture", "example", "preview", "show"]
