"""Reading tar shards with the webdataset package: which shards, in which order, and what is taken from a sample."""

import io
import json
import os

import numpy as np

from .samplers import _distributed, _Stream


def expand(urls):
    """The list of shards that `urls` stands for."""
    try:
        from webdataset.shardlists import expand_urls
    except ImportError as error:
        raise ImportError("WebDataset needs the webdataset package: pip install 'gpuaug[webdataset]'") from error
    if isinstance(urls, (str, os.PathLike)):
        found = expand_urls(os.fspath(urls))
    else:
        found = [os.fspath(url) for url in urls]
    if not found:
        raise ValueError("urls is empty; give at least one shard")
    return found


def _no_pickles(data):
    return np.load(io.BytesIO(data), allow_pickle=False)


READERS = {
    "cls": lambda data: int(data),
    "id": lambda data: int(data),
    "txt": lambda data: data.decode("utf-8"),
    "json": json.loads,
    "npy": _no_pickles,
}


def field_readers(fields):
    """``{name: (member, reader)}``; a member such as ``color.cls`` is read by its last suffix."""
    readers = {}
    for name, member in fields.items():
        suffix = member.rsplit(".", 1)[-1]
        if name in ("image", "mask", "key"):
            raise ValueError(f"fields may not hold {name!r}: samples have an entry of that name already")
        if suffix not in READERS:
            raise ValueError(
                f"fields[{name!r}]={member!r} cannot be read; suffixes that can are {', '.join(READERS)} (no pickles)"
            )
        readers[name] = (member, READERS[suffix])
    return readers


def read(urls, split, shuffle, seed, epoch):
    """The samples of this rank and worker, as dicts of file contents."""
    from webdataset import tariterators

    part, parts = _part()
    if shuffle:
        stream = _Stream(seed, epoch)
        urls = stream.shuffled(np.array(urls, object))
    if split == "shard" and parts > 1:
        if len(urls) < parts:
            raise ValueError(
                f"{len(urls)} shards cannot be split between {parts} readers (ranks x workers); use fewer workers, "
                f'write more shards, or pass split="sample"'
            )
        urls = urls[part::parts]
    sources = tariterators.url_opener({"url": url} for url in urls)
    members = tariterators.tar_file_expander(sources, select_files=_check_name)
    samples = _naming_the_shard(tariterators.group_by_keys(members))
    if split == "sample" and parts > 1:
        samples = (sample for number, sample in enumerate(samples) if number % parts == part)
    return _shuffled(samples, shuffle, stream) if shuffle else samples


def pick(raw, pictures, fields):
    """What a sample of the dataset is made of, out of the members of one key."""
    key = f"{raw['__url__']}/{raw['__key__']}"
    sample = {name: raw[_present(raw, members.split(";"), name, key)] for name, members in pictures.items()}
    for name, (member, reader) in fields.items():
        data = raw[_present(raw, [member], name, key)]
        try:
            sample[name] = reader(data)
        except (ValueError, EOFError) as error:
            raise ValueError(f"{key}: {member} cannot be read as the field {name!r}: {error}") from error
    return {**sample, "key": key}


def _present(raw, candidates, name, key):
    for member in candidates:
        if member in raw:
            return member
    have = [member for member in raw if not member.startswith("__")]
    raise ValueError(
        f"{key} has none of {', '.join(candidates)} for {name!r}; it has {', '.join(have)}: "
        f"say which member it is with WebDataset(image=..., mask=..., fields=...)"
    )


def _check_name(name):
    """Refuses what could leave a folder: nothing is unpacked here, but such a shard is not to be trusted."""
    if name.startswith(("/", "\\")) or name[1:2] == ":" or ".." in name.replace("\\", "/").split("/"):
        raise ValueError(f"member {name!r} has an absolute path or '..' in it; write the shard with relative names")
    return True


def _naming_the_shard(samples):
    """webdataset appends the stream and the shard to an exception's arguments; this makes them a sentence."""
    try:
        yield from samples
    except Exception as error:
        texts = [str(arg) for arg in error.args if isinstance(arg, (str, int))]
        reason = texts[0].split(" @ ")[0] if texts else type(error).__name__
        shard = next((text for text in reversed(texts[1:])), "a shard")
        raise ValueError(f"{shard} cannot be read ({type(error).__name__}): {reason}") from error


def _shuffled(samples, size, stream):
    """A buffer from which each new sample displaces a drawn one."""
    held, chunk, used = [], stream.uniforms(size), 0
    for sample in samples:
        if len(held) < size:
            held.append(sample)
            continue
        if used == len(chunk):
            chunk, used = stream.uniforms(size), 0
        at = int(chunk[used] * size)
        used += 1
        held[at], sample = sample, held[at]
        yield sample
    for at in stream.shuffled(np.arange(len(held))):
        yield held[at]


def rank_and_world():
    world, rank = _distributed()
    return rank, world


def _part():
    """Which of how many readers this process is: ranks times DataLoader workers."""
    from torch.utils.data import get_worker_info

    rank, world = rank_and_world()
    worker = get_worker_info()
    workers, number = (1, 0) if worker is None else (worker.num_workers, worker.id)
    return rank * workers + number, world * workers
