"""Kornia's augmentations in a gpuaug pipeline: on the device, for the samples that drew them, seeded by the sample."""

from __future__ import annotations

import copy
import inspect
from contextlib import contextmanager

import kornia.augmentation as K
import numpy as np
import torch
from kornia.augmentation.base import _AugmentationBase, _BasicAugmentationBase
from kornia.augmentation.random_generator import PlainUniformGenerator
from kornia.augmentation.random_generator.base import UniformDistribution
from kornia.constants import Resample
from torch.overrides import TorchFunctionMode

from ..maps import Projective
from ..seeding import apart, seed_all
from ..uniforms import spread
from ..whole import Whole

IMAGES, MASKS = ("image", "images", "volume", "volumes"), ("mask", "masks", "mask3d", "masks3d")

# those whose parameters, generated sample by sample and laid together, make of a batch what they make of each sample alone
# (tests/interop/test_kornia.py compares); all others, and a user's own, get one image a call. ColorJiggle and ColorJitter draw
# one order for a batch, RandomChannelDropout and RandomMotionBlur mix its samples up, RandomRain draws several numbers of
# drops; RandomElasticTransform and RandomJPEG differ by 3e-6
TOGETHER = frozenset(
    """
    CenterCrop Denormalize LongestMaxSize Normalize PadTo RandomAffine RandomAutoContrast RandomBoxBlur RandomBrightness
    RandomChannelShuffle RandomClahe RandomContrast RandomCrop RandomEqualize RandomErasing RandomFisheye RandomGamma
    RandomGaussianBlur RandomGaussianIllumination RandomGaussianNoise RandomGrayscale RandomHorizontalFlip RandomHue
    RandomInvert RandomLinearCornerIllumination RandomLinearIllumination RandomMedianBlur RandomPerspective
    RandomPlanckianJitter RandomPlasmaBrightness RandomPlasmaContrast RandomPlasmaShadow RandomPosterize RandomRGBShift
    RandomResizedCrop RandomRotation RandomRotation90 RandomSaltAndPepperNoise RandomSaturation RandomSharpness
    RandomShear RandomSnow RandomSolarize RandomThinPlateSpline RandomTranslate RandomVerticalFlip Resize
    SmallestMaxSize
    """.split()
)
REFUSED = {
    "RandomDissolving": "it downloads the weights of a diffusion model; wrap it in gpuaug.Torch if you want that",
    "RandomTransplantation": "it moves objects between the samples of a batch",
}
FAMILIES = (
    (K.AugmentationBase3D, "it takes volumes as a whole"),
    (K.MixAugmentationBaseV2, "it mixes the samples of a batch; gpuaug.data.MixUp and CutMix mix finished batches"),
)
SCALED = ("Normalize", "Denormalize")  # make values that uint8 does not hold


class Kornia(Whole, register=False):
    """A Kornia augmentation, run by Kornia on the device, for the samples that drew it.

    Whether a sample takes it is drawn by the pipeline, with the augmentation's ``p``; its parameters are generated sample by
    sample, from generators seeded by the sample, so that they depend on nothing else. Images reach it as float32, uint8 as
    0 .. 1, and come back in their type, uint8 rounded and clipped. Masks, boxes and keypoints move with geometric
    augmentations, masks by the nearest pixel, boxes and keypoints by Kornia's matrix (docs/own-transforms.md). The object is
    copied.

    Args:
        augmentation: a 2D augmentation of Kornia 0.9, or of a class of yours that derives from one of its bases.
        p: probability, per sample; None: the augmentation's.

    Shapes and dtypes: images of uint8 and floats, as many channels as it takes; masks of labels up to 2^24. Targets: image and,
    of geometric augmentations, mask, and boxes and keypoints where it has a matrix. Source: Kornia.

    Raises:
        TypeError: what is none of Kornia's augmentations, or takes volumes or several samples.
        ValueError: ``same_on_batch`` or ``p_batch``, which are draws for a batch.

    Example:
        >>> import kornia.augmentation as K, numpy as np, gpuaug as G
        >>> from gpuaug.interop.kornia import Kornia
        >>> aug = G.Compose([G.RandomCrop(2, 2, p=1), Kornia(K.RandomInvert(p=1.0)), G.HorizontalFlip(p=1)])
        >>> aug(np.full((2, 2, 3), 200, np.uint8))[0, 0].tolist()
        [55, 55, 55]
    """

    def __init__(self, augmentation, p: float | None = None):
        name = type(augmentation).__name__
        reason = next((why for base, why in FAMILIES if isinstance(augmentation, base)), REFUSED.get(name))
        if reason is not None:
            raise TypeError(f"Kornia's {name} does not run in a gpuaug pipeline: {reason}")
        if isinstance(augmentation, K.ImageSequential):
            raise TypeError(f"Kornia's {name} is a pipeline: gpuaug.from_kornia makes one of gpuaug's of it")
        if not isinstance(augmentation, _AugmentationBase):
            raise TypeError(f"augmentation must be one of Kornia's, got {name}; gpuaug.Torch takes modules and functions")
        draws = "same_on_batch" in inspect.signature(type(augmentation).__init__).parameters  # the others have nothing to draw
        if (augmentation.same_on_batch and draws) or augmentation.p_batch != 1:
            raise ValueError(
                f"Kornia's {name} has same_on_batch={augmentation.same_on_batch} and p_batch={augmentation.p_batch}, draws for a "
                f"batch; in gpuaug each sample draws by itself: leave them at False and 1"
            )
        super().__init__(augmentation.p if p is None else p)
        self.augmentation = copy.deepcopy(augmentation)
        self.augmentation.p = 1.0

    @property
    def who(self) -> str:
        return f"kornia.{type(self.augmentation).__name__}"

    @property
    def why(self) -> str:
        return "Kornia, together" if self._together else "Kornia, one by one"

    __hash__ = object.__hash__

    def __eq__(self, other) -> bool:
        """Whether both run an augmentation of one class with the same arguments, as far as its ``repr`` and buffers show."""
        if type(other) is not Kornia or (self.who, self.p, repr(self.augmentation)) != (
            other.who,
            other.p,
            repr(other.augmentation),
        ):
            return False
        mine, theirs = self.augmentation.state_dict(), other.augmentation.state_dict()
        return mine.keys() == theirs.keys() and all(torch.equal(mine[name], theirs[name]) for name in mine)

    def __repr__(self) -> str:
        return f"Kornia({self.augmentation!r}, p={self.p})"

    @property
    def _together(self) -> bool:
        cls = type(self.augmentation)
        return cls.__name__ in TOGETHER and cls.__module__.startswith("kornia.")

    @property
    def _intensity(self) -> bool:
        return isinstance(self.augmentation, K.IntensityAugmentationBase2D)

    @property
    def targets(self) -> tuple[str, ...]:
        mine = type(self.augmentation).apply_transform_mask
        return ("image",) if self._intensity and mine is K.IntensityAugmentationBase2D.apply_transform_mask else ("image", "mask")

    def handles(self, kind: str) -> bool:
        return kind in IMAGES or ("mask" in self.targets and (kind in MASKS or (kind in ("bboxes", "keypoints") and self._rigid)))

    @property
    def _rigid(self) -> bool:
        return isinstance(self.augmentation, K.RigidAffineAugmentationBase2D)

    def is_geometric(self) -> bool:
        return not self._intensity

    def moves(self, hook: str) -> bool:
        return self._rigid

    def boxes(self, params, which, boxes, size, limits):
        if self._intensity:
            return boxes, None
        return Projective(params["matrix"]).boxes(which, boxes, params["after"][which])

    def keypoints(self, params, which, points, size, limits):
        return (points, None) if self._intensity else Projective(params["matrix"]).points(which, points)

    def draw(self, u, view):
        return self.carried(u, view, together=True)

    # ---- the work ----------------------------------------------------------------------------

    def on_batch(self, images, kinds, seeds, whose):
        lead = next(name for name in images if kinds[name] in IMAGES)
        device = images[lead].device
        module = self._module(device)
        out, matrix = {}, None
        with torch.no_grad(), _apart(device):
            params = self._generated(module, images[lead].shape, seeds) if self._together else None
            for name in sorted(images, key=lambda name: kinds[name] not in IMAGES):  # images first: masks follow their matrices
                batch, mask = images[name], kinds[name] in MASKS
                values = self._floats(batch, name, mask)
                if params is not None:
                    done, moved = self._run(module, values, _picked(params, whose[name]), mask)
                else:
                    parts = []
                    for k, i in enumerate(whose[name].tolist()):
                        _seed(seeds[i], device)
                        mine = self._generated(module, images[lead].shape, [seeds[i]])
                        parts.append(self._run(module, values[k : k + 1], mine, mask))
                    done = torch.cat([part[0] for part in parts])
                    moved = None if parts[0][1] is None else torch.cat([part[1] for part in parts])
                out[name] = done.round().to(batch.dtype) if mask and not batch.is_floating_point() else _as(done, batch.dtype)
                if name == lead and moved is not None:  # a sample's frames move alike
                    first = np.unique(whose[name], return_index=True)[1]
                    matrix = moved[torch.from_numpy(first)].double().cpu().numpy()
        return out, matrix

    def _module(self, device: torch.device):
        if any(each.device != device for each in self.augmentation.buffers()):
            self.augmentation.to(device)
            self.augmentation.set_rng_device_and_dtype(torch.device("cpu"), torch.float32)
        return self.augmentation

    def _floats(self, batch: torch.Tensor, name: str, mask: bool) -> torch.Tensor:
        if batch.is_floating_point():
            return batch.float()
        if mask:
            if (
                batch.dtype not in (torch.bool, torch.uint8, torch.int8, torch.int16, torch.uint16)
                and (batch.abs() > 2**24).any()
            ):
                raise ValueError(f"{name} holds labels beyond 2^24, which float32, in which Kornia moves masks, would round")
            return batch.float()
        if batch.dtype != torch.uint8:
            raise TypeError(f"{name} is {batch.dtype}; Kornia takes uint8 and floats")
        if type(self.augmentation).__name__ in SCALED:
            raise ValueError(f"{name} is uint8, which does not hold what it makes; use gpuaug.Normalize, or images of float32")
        return batch.float() / 255

    def _generated(self, module, shape, seeds) -> dict:
        """Parameters of the samples, each from its own seed, laid together.

        Kornia's generators take 0.2 to 0.7 ms for one sample; of those that draw independent uniform numbers, and nothing else,
        the numbers are drawn here, for all at once.
        """
        plain = _uniforms(module)
        if plain is not None:
            keys = np.array([[seed & 0xFFFFFFFF, seed >> 32] for seed in seeds], np.uint32)
            u = torch.from_numpy(spread(keys, len(plain)))
            params = {
                name: (each.low + (each.high - each.low) * u[:, k].view(-1, *[1] * each.low.ndim)).float()
                for k, (name, each) in enumerate(plain.items())
            }
            return params | {"batch_prob": torch.ones(len(seeds)), "forward_input_shape": torch.tensor([1, *shape[1:]])}
        each = []
        for seed in seeds:
            seed_all(seed)
            each.append(module.forward_parameters(torch.Size((1, *shape[1:]))))
        return {name: torch.cat([one[name] for one in each]) for name in each[0] if name != "forward_input_shape"} | {
            "forward_input_shape": each[0]["forward_input_shape"]
        }

    def _run(self, module, values, params, mask: bool):
        """Images or masks by parameters, and the matrices of images by which points move."""
        if not mask:
            out = module(values, params=params)
            matrix = module.transform_matrix if self._rigid and not self._intensity else None
            return out, matrix
        if self._rigid:
            blank = values.new_zeros((len(values), 1, *values.shape[2:]))
            matrix = module.generate_transformation_matrix(blank, params, module.flags)
        else:
            matrix = None
        if type(module).apply_transform_mask is K.AugmentationBase2D.apply_transform_mask:  # RandomFisheye and others have none
            with _Nearest():
                out = module.apply_transform(values, params, module.flags, matrix)
            if not torch.isin(out, torch.cat([values.flatten(), values.new_zeros(1)])).all():
                raise ValueError("it has no apply_transform_mask, and its apply_transform mixes labels: leave the mask out")
            return out, None
        nearest = {"resample": Resample.NEAREST} if "resample" in module.flags else {}
        return module.transform_masks(values, params=params, flags=module.flags, transform=matrix, **nearest), None


def _uniforms(module) -> dict[str, UniformDistribution] | None:
    """What a module draws, by name, if that is one uniform number each and nothing else; None: it is more."""
    cls, draws = type(module), module._param_generator
    for hook in ("generate_parameters", "forward_parameters"):
        if getattr(cls, hook) is not getattr(_BasicAugmentationBase, hook):
            return None
    if draws is None:
        return {}
    if type(draws) is not PlainUniformGenerator:
        return None
    found = draws.sampler_dict
    return found if all(type(each) is UniformDistribution and each.low.numel() == 1 for each in found.values()) else None


class _Nearest(TorchFunctionMode):
    """Lets ``grid_sample`` take the nearest pixel, whatever it is told: for labels."""

    def __torch_function__(self, func, types, args=(), kwargs=None):
        if func is not torch.nn.functional.grid_sample:
            return func(*args, **(kwargs or {}))
        named = dict(zip(("input", "grid", "mode", "padding_mode", "align_corners"), args)) | (kwargs or {})
        return func(**named | {"mode": "nearest"})


def adopted(thing):
    """What a list of gpuaug's transforms holds for an object of Kornia's."""
    return Kornia(thing) if isinstance(thing, (_BasicAugmentationBase, K.ImageSequential)) else thing


def _picked(params: dict, whose: np.ndarray) -> dict:
    """Parameters for images, whose numbers of samples are told; Kornia may write into them."""
    index = torch.from_numpy(whose)
    out = {name: value[index.to(value.device)] for name, value in params.items() if name != "forward_input_shape"}
    shape = params["forward_input_shape"].clone()
    shape[0] = len(whose)
    return out | {"forward_input_shape": shape}


def _as(done: torch.Tensor, dtype: torch.dtype) -> torch.Tensor:
    """Images in their type."""
    if dtype.is_floating_point:
        return done.to(dtype)
    return (255 * done).round().clamp(0, 255).to(dtype)


def _seed(seed: int, device: torch.device) -> None:
    seed_all(seed)
    if device.type == "cuda":
        torch.cuda.default_generators[device.index or 0].manual_seed(seed)


@contextmanager
def _apart(device: torch.device):
    """Put the global generators back as they were, that of the device, too."""
    held = torch.cuda.get_rng_state(device) if device.type == "cuda" else None
    with apart():
        try:
            yield
        finally:
            if held is not None:
                torch.cuda.set_rng_state(held, device)
