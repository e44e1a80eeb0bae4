"""Images and masks that a Python dataset returns, made readable for the kernels and packed for the way between processes."""

import numpy as np
import torch

from ..elements import plain


def to_pixels(leaf, mask=False):
    """An array or tensor, from a PIL image, array or tensor, of the type that came in; copies only if it must.

    Which types the kernels take, and what comes back, is for `gpuaug.elements`. Arrays can go into a tensor: they have the
    machine's byte order, and bool arrays hold 0 and 1.
    """
    leaf = plain(leaf, mask)
    if isinstance(leaf, torch.Tensor):
        leaf = leaf.detach()
        if type(leaf) is not torch.Tensor:  # tv_tensors
            leaf = leaf.as_subclass(torch.Tensor)
        return leaf.view(torch.uint8).to(torch.bool) if leaf.dtype == torch.bool else leaf
    leaf = np.asarray(leaf)
    if leaf.dtype == bool:
        return leaf.view(np.uint8) != 0
    return leaf if leaf.dtype.isnative else leaf.astype(leaf.dtype.newbyteorder("="))


class Packed:
    """Samples of one target in one block of memory, which travels between processes as one tensor.

    A tensor per sample would cost a file handle and 60 us each.
    """

    def __init__(self, samples):
        self.planar = isinstance(samples[0], torch.Tensor)
        tensors = [s if self.planar else _from_numpy(s) for s in samples]
        self.shapes = [tuple(t.shape) for t in tensors]
        total = sum(t.numel() for t in tensors)
        self.block = _shared(tensors[0], total)
        at = 0
        for t in tensors:
            self.block[at : at + t.numel()].view(t.shape).copy_(t)
            at += t.numel()

    def samples(self):
        """One array where all samples have the same shape, else a list; tensors if tensors went in, else NumPy."""
        if len(set(self.shapes)) == 1:
            out = self.block.view(len(self.shapes), *self.shapes[0])
            return out if self.planar else out.numpy()
        out, at = [], 0
        for shape in self.shapes:
            n = int(np.prod(shape))
            view = self.block[at : at + n].view(shape)
            out.append(view if self.planar else view.numpy())
            at += n
        return out


def packable(samples):
    """Whether a target can be packed: arrays or tensors of one type."""
    return all(isinstance(s, (np.ndarray, torch.Tensor)) for s in samples) and len({(type(s), s.dtype) for s in samples}) == 1


def _from_numpy(array):
    if any(s < 0 for s in array.strides) or not array.flags.writeable:
        array = array.copy()
    return torch.from_numpy(array)


def _shared(like, count):
    if torch.utils.data.get_worker_info() is None:
        return like.new_empty(count)
    # as torch's default_collate: allocated in shared memory at once, or it would be copied there on its way
    storage = like._typed_storage()._new_shared(count, device="cpu")
    return like.new(storage).resize_(count)


def stack(data, name):
    """[B, ...] tensor of the samples of one target; images [B, C, H, W]. ValueError names two samples that differ in size.

    What `transform=None` delivers. data: TensorList, array, tensor or list of samples.
    """
    if type(data).__module__.startswith("nvidia.dali"):
        return _stack_tensor_list(data, name)
    if isinstance(data, (np.ndarray, torch.Tensor)):
        samples = [data]
        whole = data if isinstance(data, torch.Tensor) else _from_numpy(data)
    else:
        samples = data
        _same_size([tuple(s.shape) for s in data], name)
        whole = torch.stack([s if isinstance(s, torch.Tensor) else _from_numpy(s) for s in data])
    if isinstance(samples[0], np.ndarray) and whole.ndim == 4:
        whole = whole.permute(0, 3, 1, 2).contiguous()
    return whole


def _stack_tensor_list(data, name):
    _same_size([tuple(s) for s in data.shape()], name)
    tensor = data.as_tensor()
    if "GPU" in type(data).__name__:
        whole = torch.from_dlpack(tensor)
        whole = whole.permute(0, 3, 1, 2) if whole.ndim == 4 else whole
        return whole.clone(memory_format=torch.contiguous_format)  # `contiguous` keeps DALI's memory where images have one pixel
    else:
        whole = torch.from_numpy(np.array(tensor, copy=True))
    return whole.permute(0, 3, 1, 2).contiguous() if whole.ndim == 4 else whole


def apart(data):
    """The samples of one target as a list. Those that DALI decoded are copies: it uses its memory again, and on a GPU nothing
    would tell it that a user's function still reads there."""
    if type(data).__module__.startswith("nvidia.dali"):
        if "GPU" not in type(data).__name__:
            return [np.array(data[k]) for k in range(len(data))]
        samples = [torch.from_dlpack(data[k]).permute(2, 0, 1) for k in range(len(data))]
        return [sample.clone(memory_format=torch.contiguous_format) for sample in samples]
    return list(data)


def _same_size(shapes, name):
    for k, shape in enumerate(shapes):
        if shape != shapes[0]:
            raise ValueError(
                f"{name}: sample {k} of the batch has shape {shape}, sample 0 has {shapes[0]}; without a transform all must be "
                f"equal: give one that ends in a fixed size (Resize, RandomCrop, CenterCrop, RandomResizedCrop)"
            )
