"""gpuaug inside somebody's own DALI pipeline.

    @pipeline_def
    def pipeline():
        encoded, labels = fn.readers.file(file_root=root)
        images = fn.decoders.image(encoded, device="mixed")
        return augment(images, compose), labels

This is DALI's ``python_function`` in batch mode: it takes samples as lists, copies the results, and holds one lock for
all pipelines of the process, so gpuaug.DataLoader, which runs the kernels after the pipeline, is faster. Use this
where a pipeline exists and DALI operators follow.
"""

import numpy as np
import torch

__all__ = ["augment"]


def augment(images, compose, masks=None, ids=None, **python_function):
    """The DataNode of the augmented images, or those of images and masks.

    Args:
        images: DataNode of decoded samples [H, W, C], on the CPU or the GPU; they may differ in size, before and after.
        compose: a `gpuaug.Compose` with a seed. After `ToTensorV2` samples come out as [C, H, W].
        masks: DataNode of masks, [H, W] or [H, W, 1], that move with the images.
        ids: DataNode of the samples' numbers, one integer each. A sample's n-th appearance counts as its epoch n, so that
            it gets the draws that gpuaug.DataLoader would give it. Without ids the samples are numbered as they come.
        python_function: further arguments of ``fn.python_function``, such as ``preserve=True``.

    An exception in the transforms (samples of a dtype that they do not take, say) ends the pipeline, as DALI does it.
    The count of appearances is not part of DALI's checkpoints.

    Example:
        >>> import numpy as np, gpuaug as G
        >>> from nvidia.dali import fn, pipeline_def
        >>> flip = G.Compose([G.HorizontalFlip(p=1)], seed=0)
        >>> @pipeline_def(batch_size=2, num_threads=1, device_id=None)
        ... def flipped():
        ...     images = fn.external_source(lambda: [np.array([[[1], [2]]], np.uint8)] * 2, batch=True)
        ...     return augment(images, flip)
        >>> (out,) = flipped().run()
        >>> out.as_array()[0].ravel().tolist()
        [2, 1]
    """
    from nvidia.dali import fn

    if not hasattr(compose, "transforms"):
        raise TypeError(f"compose must be a gpuaug.Compose, got {type(compose).__name__}")
    if compose.seed is None:
        raise ValueError("compose has no seed: pass Compose(..., seed=...), it decides what every sample gets")
    inputs = [node for node in (images, masks) if node is not None]
    names = ["image", "mask"][: len(inputs)]
    if ids is not None:
        inputs.append(ids.cpu() if ids.device == "gpu" else ids)
        if images.device == "gpu":
            inputs[-1] = inputs[-1].gpu()  # python_function takes all its inputs from one device
    call = _Call(compose, names, ids is not None)
    return fn.python_function(
        *inputs, function=call, batch_processing=True, num_outputs=len(names), device=images.device, **python_function
    )


class _Call:
    """What DALI calls with lists of arrays: NumPy's on the CPU, CuPy's on the GPU."""

    def __init__(self, compose, names, has_ids):
        self.compose, self.names, self.has_ids = compose, names, has_ids
        self.seen, self.running = {}, 0

    def __call__(self, *lists):
        samples = dict(zip(self.names, lists))
        first = lists[0]
        ids = self._ids(lists[-1] if self.has_ids else None, len(first))
        epochs = self._appearances(ids) if self.has_ids else np.zeros(len(ids), np.int64)
        if isinstance(first[0], np.ndarray):
            out = self._augmented(samples, ids, epochs, torch.from_numpy, lambda tensor: tensor.numpy())
        else:
            import cupy

            stream = cupy.cuda.get_current_stream()  # DALI's; the kernels have to run on it
            with torch.cuda.stream(torch.cuda.ExternalStream(stream.ptr, device=first[0].device.id)):
                out = self._augmented(samples, ids, epochs, torch.from_dlpack, cupy.from_dlpack)
        return tuple(out) if len(out) > 1 else out[0]

    def _ids(self, given, count):
        if given is None:
            self.running += count
            return np.arange(self.running - count, self.running)
        # synchronizes on a GPU: the host draws, so it has to know whom for
        ids = [x if isinstance(x, np.ndarray) else x.get() for x in given]
        bad = next((x for x in ids if x.size != 1 or x.dtype.kind not in "iu"), None)
        if bad is not None:
            raise TypeError(f"ids must hold one integer per sample, got {bad.dtype} of shape {bad.shape}")
        return np.array([x.item() for x in ids], np.int64)

    def _appearances(self, ids):
        counts = np.empty(len(ids), np.int64)
        for k, i in enumerate(ids.tolist()):
            counts[k] = self.seen.get(i, 0)
            self.seen[i] = int(counts[k]) + 1
        return counts

    def _augmented(self, samples, ids, epochs, read, write):
        out = {name: [None] * len(ids) for name in self.names}
        for epoch in np.unique(epochs):
            rows = np.flatnonzero(epochs == epoch)
            part = {name: [read(arrays[k]) for k in rows] for name, arrays in samples.items()}
            done = self.compose(**part, ids=ids[rows], epoch=int(epoch), layout="HWC")
            for name in self.names:
                for k, tensor in zip(rows, done[name]):
                    out[name][k] = write(tensor.contiguous())
        return [out[name] for name in self.names]
