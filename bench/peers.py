"""Other libraries beside gpuaug on a GPU, for `bench.gpu`: each where it is installed, with the parameters closest to ours.

None does the same. Kornia takes float32 and computes every sample; compiled, it is what torch.compile makes of it. torchvision
draws once for a whole batch; per sample it is called for each image, as a dataset would. DALI runs a pipeline on a stream of its
own, of which the result is ordered on torch's. triton-augment has neither hue nor erasing; CV-CUDA's tensors take one kernel size
and one matrix for a batch.

Tried without a GPU: Kornia, torchvision, and DALI's pipelines by its CPU operators. **Untried**, since they need one: `cvcudas`
and `tritons`, written from their documentation, and DALI's GPU operators. What fails is named and left out.
"""

import sys
from typing import NamedTuple

import numpy as np
import torch

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
CHAIN = "affine + brightness + HSV + XYMasking + Normalize f32"
NORMALIZED = "flip + Normalize f32"
BLUR = "blur 7 u8"


class Inputs(NamedTuple):
    """A batch on the card: uint8 [B, H, W, 3] and [B, 3, H, W], and float32 [B, 3, H, W] in 0..1."""

    bytes: torch.Tensor
    planes: torch.Tensor
    floats: torch.Tensor

    @property
    def device(self):
        return self.bytes.device


def kornia_modules():
    import kornia.augmentation as K

    normalize = K.Normalize(mean=torch.tensor(MEAN), std=torch.tensor(STD))
    return {
        "flip u8": K.RandomHorizontalFlip(p=1),
        NORMALIZED: torch.nn.Sequential(K.RandomHorizontalFlip(p=1), normalize),
        CHAIN: torch.nn.Sequential(
            K.RandomAffine(degrees=15, translate=(0.1, 0.1), scale=(0.9, 1.1), shear=5, p=1),
            K.ColorJiggle(brightness=0.2, contrast=0.2, saturation=0.1, hue=0.1, p=1),
            K.RandomErasing(scale=(0.05, 0.1), p=1),
            normalize,
        ),
        BLUR: K.RandomGaussianBlur((7, 7), (0.5, 3.0), p=1),
    }


def kornias(given):
    found = {case: module.to(given.device) for case, module in kornia_modules().items()}
    return {case: lambda module=module: module(given.floats) for case, module in found.items()}


def compiled_kornias(given):
    found = {case: torch.compile(module.to(given.device)) for case, module in kornia_modules().items()}
    return {case: lambda module=module: module(given.floats) for case, module in found.items()}


def torchvision_modules():
    from torchvision.transforms import v2

    to_floats = [v2.ToDtype(torch.float32, scale=True), v2.Normalize(MEAN, STD)]
    return {
        "flip u8": v2.RandomHorizontalFlip(p=1),
        NORMALIZED: v2.Compose([v2.RandomHorizontalFlip(p=1), *to_floats]),
        CHAIN: v2.Compose(
            [
                v2.RandomAffine(15, translate=(0.1, 0.1), scale=(0.9, 1.1), shear=5, interpolation=v2.InterpolationMode.BILINEAR),
                v2.ColorJitter(0.2, 0.2, 0.1, 0.1),
                v2.RandomErasing(p=1, scale=(0.05, 0.1)),
                *to_floats,
            ]
        ),
        BLUR: v2.GaussianBlur(7, (0.5, 3.0)),
    }


def torchvisions(given):
    return {case: lambda module=module: module(given.planes) for case, module in torchvision_modules().items()}


def torchvisions_each(given):
    def each(module):
        return torch.stack([module(image) for image in given.planes])

    return {case: lambda module=module: each(module) for case, module in torchvision_modules().items()}


def dali_steps(case, images, size):
    """DALI's operators on a node of uint8 [H, W, 3] images: drawn per sample, as ours."""
    from nvidia.dali import fn, types

    def drawn(low, high, **more):
        return fn.random.uniform(range=(low, high), **more)

    def normalized(images, **more):
        mean, std = ([255 * value for value in values] for values in (MEAN, STD))
        return fn.crop_mirror_normalize(images, dtype=types.FLOAT, output_layout="CHW", mean=mean, std=std, **more)

    if case == "flip u8":
        return fn.flip(images, horizontal=1)
    if case == NORMALIZED:
        return normalized(images, mirror=1)
    if case == BLUR:
        return fn.gaussian_blur(images, window_size=7, sigma=drawn(0.5, 3.0))
    centre = (size / 2, size / 2)
    matrix = fn.transforms.rotation(angle=drawn(-15, 15), center=centre)
    matrix = fn.transforms.scale(matrix, scale=drawn(0.9, 1.1, shape=2), center=centre)
    matrix = fn.transforms.shear(matrix, angles=drawn(-5, 5, shape=2), center=centre)
    matrix = fn.transforms.translation(matrix, offset=drawn(-size / 10, size / 10, shape=2))
    images = fn.warp_affine(images, matrix=matrix, fill_value=0, inverse_map=False)
    factors = {"brightness": drawn(0.8, 1.2), "contrast": drawn(0.8, 1.2), "saturation": drawn(0.9, 1.1), "hue": drawn(-36, 36)}
    images = fn.color_twist(images, **factors)
    # as many and as large stripes as XYMasking's mean: one and a half each way, of 20 pixels
    for axis in "HW":
        images = fn.erase(images, anchor=drawn(0, 0.9), shape=drawn(0.07, 0.2), axis_names=axis, normalized=True)
    return normalized(images)


def dali_pipeline(case, images):
    """A pipeline over one batch, uint8 [B, H, W, 3], where that lies."""
    from nvidia.dali import Pipeline, fn

    on_gpu = images.device.type == "cuda"
    pipe = Pipeline(len(images), 4, images.device.index or 0 if on_gpu else None, prefetch_queue_depth=1, seed=1)
    batch = images if on_gpu else images.numpy()
    with pipe:
        given = fn.external_source(
            source=lambda: batch, device="gpu" if on_gpu else "cpu", layout="HWC", no_copy=True, batch=True
        )
        pipe.set_outputs(dali_steps(case, given, images.shape[1]))
    pipe.build()
    return pipe


def dalis(given):
    pipes = {case: dali_pipeline(case, given.bytes) for case in ("flip u8", NORMALIZED, CHAIN, BLUR)}
    on_gpu = given.device.type == "cuda"

    def run(pipe):
        return pipe.run(torch.cuda.current_stream().cuda_stream) if on_gpu else pipe.run()

    return {case: lambda pipe=pipe: run(pipe) for case, pipe in pipes.items()}


def cvcudas(given):
    """Untried: CV-CUDA needs a GPU. Tensors are wrapped once (which waits for the device); its work is put on torch's stream."""
    import cvcuda

    source = cvcuda.as_tensor(given.bytes, "NHWC")
    stream = cvcuda.as_stream(torch.cuda.current_stream())
    statistics = (torch.tensor(values, device=given.device).reshape(1, 1, 1, 3) for values in (MEAN, STD))
    base, scale = (cvcuda.as_tensor(values, "NHWC") for values in statistics)
    draw = np.random.default_rng(0)
    # brightness, contrast and saturation of each sample as one matrix of 3 x 4: near the identity, with an offset
    twists = np.tile(np.eye(3, 4, dtype=np.float32), (len(given.bytes), 1, 1)) * draw.uniform(0.8, 1.2, (len(given.bytes), 1, 1))
    twist = cvcuda.as_tensor(torch.from_numpy(twists.astype(np.float32)).to(given.device), "NHW")
    turn = np.array([[0.97, -0.2, 12], [0.2, 0.97, -12]], np.float32)

    def normalized(tensor):
        floats = cvcuda.convertto(tensor, np.float32, scale=1 / 255, stream=stream)
        flags = cvcuda.NormalizeFlags.SCALE_IS_STDDEV
        return cvcuda.reformat(
            cvcuda.normalize(floats, base=base, scale=scale, flags=flags, stream=stream), "NCHW", stream=stream
        )

    def chain():
        how = {"border_mode": cvcuda.Border.CONSTANT, "border_value": []}
        turned = cvcuda.warp_affine(source, turn, cvcuda.Interp.LINEAR, stream=stream, **how)
        return normalized(cvcuda.color_twist(turned, twist=twist, stream=stream))

    return {
        "flip u8": lambda: cvcuda.flip(source, 1, stream=stream),
        NORMALIZED: lambda: normalized(cvcuda.flip(source, 1, stream=stream)),
        CHAIN: chain,
        BLUR: lambda: cvcuda.gaussian(source, (7, 7), (1.75, 1.75), cvcuda.Border.REFLECT101, stream=stream),
    }


def tritons(given):
    """Untried: triton-augment needs a GPU. One fused kernel, drawn per sample; it has neither hue nor erasing nor blur."""
    import triton_augment
    from torchvision.transforms import InterpolationMode

    statistics = {"mean": MEAN, "std": STD}
    affine = {"degrees": 15, "translate": (0.1, 0.1), "scale": (0.9, 1.1), "shear": 5}
    colours = {"brightness": 0.2, "contrast": 0.2, "saturation": 0.1}
    modules = {
        "flip u8": triton_augment.TritonFusedAugment(horizontal_flip_p=1.0),
        NORMALIZED: triton_augment.TritonFusedAugment(horizontal_flip_p=1.0, **statistics),
        CHAIN: triton_augment.TritonFusedAugment(interpolation=InterpolationMode.BILINEAR, **affine, **colours, **statistics),
    }
    return {case: lambda module=module: module(given.floats) for case, module in modules.items()}


class Peer(NamedTuple):
    """make: of `Inputs`, {case: callable}. queued: its kernels can be queued behind a sleep. fewer: which part of the rounds."""

    make: object
    queued: bool = True
    fewer: int = 1


PEERS = {
    "Kornia": Peer(kornias),
    "torchvision v2": Peer(torchvisions),
    "DALI": Peer(dalis, queued=False),
    "CV-CUDA": Peer(cvcudas),
    "triton-augment": Peer(tritons),
    "torchvision v2, per sample": Peer(torchvisions_each, queued=False, fewer=4),
    "Kornia, compiled": Peer(compiled_kornias),
}


def peers(given):
    """{name: {case: callable}}; what cannot be imported or made is said."""
    found = {}
    for name, peer in PEERS.items():
        try:
            found[name] = peer.make(given)
        except ImportError as error:
            print(f"bench.gpu: without {name}: {error}", file=sys.stderr)
        except Exception as error:  # another version, another card: gpuaug's own times are still wanted
            print(f"bench.gpu: without {name}, which failed: {type(error).__name__}: {error}", file=sys.stderr)
    return found
