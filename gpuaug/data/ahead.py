"""Batches for a GPU, finished one ahead: what the host does for them (draws, plans, uploads, launches) is done in the thread that
decodes, on its stream, so that the thread that trains waits for an event alone."""

import torch

from ..whole import Whole
from .structure import children


class Finisher:
    """Finishes the batches of an epoch in a producer's thread; see `finisher`."""

    def __init__(self, loader, epoch):
        self._loader, self._epoch = loader, epoch

    def __call__(self, loaded, stream):
        """Queue the batch's work on a stream; `take` gives what came of it to the thread that consumes."""
        loader = self._loader
        with torch.cuda.stream(stream):
            # a collate_fn of the user's is called in the user's thread
            done = loader._values(loaded, self._epoch) if loaded.listed else loader._deliver(loaded, self._epoch)
        loaded.ready = torch.cuda.Event()
        loaded.ready.record(stream)
        loaded.done, loaded.data = (done,), {}


def finisher(loader, epoch):
    """What finishes a loader's batches ahead; None where the consumer's thread is to do it: on a CPU, whose cores are those of
    the kernels, and where functions of the user's would run, which may count on the thread, or draw from global generators."""
    ahead = loader.device.type == "cuda" and _is_ours(loader.transform) and all(_known(type(mix)) for mix in loader.mix)
    loader._stats.ahead(ahead)
    return Finisher(loader, epoch) if ahead else None


def take(loaded, device):
    """What was finished ahead, once the current stream has waited for it."""
    current, (done,) = torch.cuda.current_stream(device), loaded.done
    current.wait_event(loaded.ready)
    for tensor in _on_gpu(done):
        tensor.record_stream(current)  # it is of the producer's stream, which would use its memory again
    return done


def _on_gpu(x):
    if isinstance(x, torch.Tensor):
        if x.is_cuda:
            yield from (getattr(x, part)() for part in _PARTS[x.layout]) if x.layout in _PARTS else (x,)
        return
    for _, child in children(x) or ():
        yield from _on_gpu(child)


_COLUMNS, _ROWS = (("crow_indices", "col_indices", "values"), ("ccol_indices", "row_indices", "values"))
# the tensors that a sparse one, which is on no stream, is made of
_PARTS = {
    torch.sparse_coo: ("_indices", "_values"),
    torch.sparse_csr: _COLUMNS,
    torch.sparse_bsr: _COLUMNS,
    torch.sparse_csc: _ROWS,
    torch.sparse_bsc: _ROWS,
}


def _is_ours(transform) -> bool:
    """Whether a transform calls nothing of the user's."""
    if transform is None:
        return True
    of = (transform, *(transform._leaves() if hasattr(transform, "_leaves") else ()))
    if any(isinstance(each, Whole) for each in of):
        return False
    read = [type(each.reference_images) for each in of if hasattr(each, "reference_images")]
    functions = [each.read_fn for each in of if getattr(each, "read_fn", None) is not None]
    return all(map(_known, (*map(type, of), *read, *functions)))


def _known(what) -> bool:
    """Whether a class or a function is ours, or Python's (methods of Python's own types have no module)."""
    name = getattr(what, "__module__", None) or "builtins"
    return name.split(".")[0] in (__package__.split(".")[0], "builtins")
