"""gpuaug: batched image and spectrogram augmentation on the device that trains.

Importing needs no GPU, no DALI and no compiler, and touches no CUDA context.
"""

from .batch import Batch
from .compose import Compose, Drawn
from .groups import NoOp, OneOf, OneOrOther, RandomOrder, Sequential, SomeOf
from .label_params import BboxParams, KeypointParams
from .transform import REGISTRY, Transform
from .transforms import *  # noqa: F403
from .transforms import __all__ as _transforms

__version__ = "0.1.0"
__all__ = [
    "Batch", "BboxParams", "Compose", "DataLoader",  # noqa: F405 - __getattr__ below provides DataLoader
    "Drawn", "KeypointParams", "NoOp", "OneOf", "OneOrOther", "REGISTRY", "RandomOrder", "Sequential", "SomeOf", "Transform",
    *_transforms,
]


def __getattr__(name: str):
    if name == "DataLoader":  # loaded when asked for: it brings in torch.utils.data
        from .data.loader import DataLoader

        return DataLoader
    raise AttributeError(f"module 'gpuaug' has no attribute {name!r}")
