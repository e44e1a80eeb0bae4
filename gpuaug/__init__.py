"""gpuaug: batched image and spectrogram augmentation on the device that trains.

Importing needs no GPU, no DALI and no compiler, and touches no CUDA context.
"""

from typing import TYPE_CHECKING

from .batch import Batch
from .compose import Compose
from .drawn import Drawn
from .former import *  # noqa: F403
from .former import __all__ as _former
from .groups import Group as BaseCompose
from .groups import NoOp, OneOf, OneOrOther, RandomOrder, Sequential, SomeOf
from .label_params import BboxParams, KeypointParams
from .own import BasicTransform, DualTransform, ImageOnlyTransform, Transform3D
from .replay import ReplayCompose
from .saving import from_dict, load, save, to_dict
from .spellings import modules as _modules
from .spellings.tools import read_bgr_image, read_grayscale, read_rgb_image, to_tuple
from .torches import Torch
from .transform import REGISTRY, Transform
from .transforms import *  # noqa: F403
from .transforms import __all__ as _transforms

if TYPE_CHECKING:  # `__getattr__` below loads them when they are asked for
    from . import audio as audio
    from . import data as data
    from . import functional as functional
    from . import interop as interop
    from . import pictures as pictures
    from . import vision as vision
    from .data.loader import DataLoader
    from .data.takeover import accelerate as accelerate
    from .interop.converted import from_albumentations as from_albumentations
    from .interop.converted import from_torchaudio as from_torchaudio
    from .interop.converted_kornia import from_kornia as from_kornia
    from .pictures import show as show
    from .reports import report as report

__version__ = "0.1.0"
__all__ = [
    "BaseCompose",
    "BasicTransform",
    "Batch",
    "BboxParams",
    "Compose",
    "DataLoader",
    "Drawn",
    "DualTransform",
    "ImageOnlyTransform",
    "KeypointParams",
    "NoOp",
    "OneOf",
    "OneOrOther",
    "REGISTRY",
    "RandomOrder",
    "ReplayCompose",
    "Sequential",
    "SomeOf",
    "Torch",
    "Transform",
    "Transform3D",
    "from_dict",
    "load",
    "parity",  # noqa: F405
    "read_bgr_image",
    "read_grayscale",
    "read_rgb_image",
    "save",
    "to_dict",
    "to_tuple",
    *_former,
    *_transforms,
]
# loaded when asked for: most bring in more of torch
_LAZY = ("audio", "data", "functional", "interop", "pictures", "vision", *_modules.OUTERMOST)
# the same of functions; but for the loader they are not in __all__, since ``import *`` asks for all, and they need extras
_FROM = {
    "DataLoader": "data.loader",
    "accelerate": "data.takeover",
    "from_albumentations": "interop.converted",
    "from_kornia": "interop.converted_kornia",
    "from_torchaudio": "interop.converted",
    "from_torchvision": "interop.torchvision",
    "parity": "interop.parity",
    "report": "reports",
    "show": "pictures",
}


def __getattr__(name: str):
    if name in _LAZY or name in _FROM:
        import importlib

        module = importlib.import_module(f".{_FROM.get(name, name)}", __name__)
        return getattr(module, name) if name in _FROM else module
    from .names import unknown

    raise AttributeError(f"module 'gpuaug' has no attribute {name!r}{unknown(name, [*__all__, *_FROM])}")


def __dir__():
    return sorted({*globals(), *__all__, *_LAZY, *_FROM})


_modules.install()
