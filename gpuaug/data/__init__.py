"""Loading: the DataLoader, datasets, samplers and mixing. Imported lazily: DALI only starts with the first batch."""

import importlib

_HOME = {
    "DataLoader": "loader",
    "BadSample": "faults",
    "BadSampleError": "faults",
    "AllBadError": "faults",
    "ImageFolder": "folders",
    "ImageFiles": "unlabelled",
    "ImageCsv": "image_csv",
    "SegmentationFolder": "folders",
    "SpectrogramFolder": "folders",
    "WebDataset": "tar_streams",
    "HuggingFace": "hugging_face",
    "IndexedShards": "indexed",
    "Parquet": "adapters.parquet",
    "Lmdb": "adapters.lmdb",
    "Hdf5": "adapters.hdf5",
    "Zarr": "adapters.zarr",
    "LitData": "adapters.litdata",
    "Remote": "remote",
    "cached": "stored.build",
    "Cached": "stored.dataset",
    "CacheError": "stored.files",
    "ImbalancedSampler": "samplers",
    "RepeatBatchSampler": "samplers",
    "GroupBatchSampler": "samplers",
    "MixedBatchSampler": "samplers",
    "BlockSampler": "block_sampler",
    "stratified_split": "samplers",
    "MixUp": "mixing",
    "CutMix": "mixing",
}
__all__ = list(_HOME)


def __getattr__(name):
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f"{__name__}.{_HOME[name]}"), name)
    globals()[name] = value
    return value


def __dir__():
    return sorted(set(globals()) | set(__all__))
