"""What ``torch.compile`` sees of a pipeline: one operator, ``gpuaug::augment``, whose results have known shapes.

Drawing, planning and launching are Python and a compiled library, which there is nothing to gain from tracing through.
"""

from __future__ import annotations

import itertools
import weakref

import torch

_pipelines: weakref.WeakValueDictionary = weakref.WeakValueDictionary()
_numbers = itertools.count()
# it draws and plans on the host, which a CUDA graph would do once for all calls; releases of torch before 2.8 have no word for it
_TAGS = {"tags": (torch.Tag.cudagraph_unsafe,)} if hasattr(torch.Tag, "cudagraph_unsafe") else {}
_SCHEMA = "(Tensor[] targets, str names, int number, Tensor calls, Tensor? ids, int epoch) -> Tensor[]"
TRIED = 8  # samples whose results say what shape results have


def register(compose) -> int:
    """The number by which the operator finds a pipeline; of this process."""
    number = next(_numbers)
    _pipelines[number] = compose
    return number


def call(compose, targets: dict, ids, epoch: int) -> dict | None:
    """What ``compose(**targets)`` returns, in a graph; None: these targets need the way through Python, a break of the graph."""
    for name, value in targets.items():
        if not isinstance(value, torch.Tensor) or value.requires_grad or name in compose._counted:
            return None
    if ids is not None and not isinstance(ids, torch.Tensor):
        ids = torch.tensor(ids, device="cpu")
    names = ",".join(targets)
    compose._calls.add_(1)  # and the operator reads it, so that two calls are two: none is left out, put together, or moved
    out = torch.ops.gpuaug.augment(list(targets.values()), names, compose._number, compose._calls, ids, epoch)
    return dict(zip(targets, out))


@torch.library.custom_op("gpuaug::augment", mutates_args=(), schema=_SCHEMA, **_TAGS)
def augment(
    targets: list[torch.Tensor], names: str, number: int, calls: torch.Tensor, ids: torch.Tensor | None, epoch: int
) -> list[torch.Tensor]:
    """Augment tensors by the pipeline of a number (`register`)."""
    given = dict(zip(names.split(","), targets, strict=True))
    out = _pipelines[number].forward(ids=None if ids is None else ids.cpu().numpy(), epoch=epoch, **given)
    held = {x.untyped_storage().data_ptr() for x in targets}
    return [
        value.clone(memory_format=torch.contiguous_format) if value.untyped_storage().data_ptr() in held else value.contiguous()
        for value in (out[name] for name in given)
    ]


@augment.register_fake
def _(targets, names, number, calls, ids, epoch):
    named = dict(zip(names.split(","), targets, strict=True))
    lead = "image" if "image" in named else next(iter(named))
    many = int(named[lead].ndim == (4 if lead == "image" else 5))  # has it an axis of samples?
    shapes = {name: tuple(int(side) for side in x.shape[many:]) for name, x in named.items()}
    tried = _tried(_pipelines[number], {name: (shape, named[name].dtype) for name, shape in shapes.items()}, many)
    return [x.new_empty((*x.shape[:many], *tried[name].shape[many:]), dtype=tried[name].dtype) for name, x in named.items()]


def _tried(compose, kinds: dict[str, tuple[tuple[int, ...], torch.dtype]], many: int) -> dict[str, torch.Tensor]:
    """What the pipeline makes of samples of these shapes and types. many: of a batch of them, else of one."""
    from torch._subclasses.fake_tensor import unset_fake_temporarily

    with unset_fake_temporarily():
        lead, on = (TRIED,) * many, {"device": "cpu"}
        given = {name: torch.ones((*lead, *shape), dtype=dtype, **on) for name, (shape, dtype) in kinds.items()}
        return compose.forward(ids=list(range(TRIED if many else 1)), **given)


torch.fx.node.has_side_effect(torch.ops.gpuaug.augment.default)  # it counts: graphs keep it where nobody reads what it made
