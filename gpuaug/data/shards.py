"""Reading tar shards with the webdataset package: which shards, in which order, and what is taken from a sample.

The package opens the shards; their members are taken apart here. Its own reader leaves a shard at the first damage, by an
exception that ends the whole stream or, if a header is damaged, without a word. Here an Unreadable stands for what was lost, and
the next shard follows.
"""

import io
import json
import os
import re
import tarfile
import zlib

import numpy as np

from .faults import Unreadable
from .ranged import RangedFile
from .remote import check, checked
from .remote_errors import RemoteError, RemoteMissing
from .remote_scan import opened
from .samplers import _distributed, _Stream
from .urls import is_url, local

CUT = "__cut__"  # in a sample behind which its shard is damaged: whole or not, and an Unreadable for the shard follows


def expand(urls, remote=None):
    """The list of shards that `urls` stands for: text with braces, a folder (``shards``, ``s3://bucket/train/``), or a list."""
    try:
        from webdataset.shardlists import expand_urls
    except ImportError as error:
        raise ImportError("WebDataset needs the webdataset package: pip install 'gpuaug[webdataset]'") from error
    check(remote)
    if isinstance(urls, (str, os.PathLike)):
        found = expand_urls(os.fspath(urls))
    else:
        found = [os.fspath(url) for url in urls]
    if not found:
        raise ValueError("urls is empty; give at least one shard")
    return [shard for url in found for shard in _located(local(url), remote)]


def _located(url, remote):
    """A path as it is, a URL as a Url; of a folder, which by URL ends in a slash, its tar files, sorted."""
    if not is_url(url) and os.path.isdir(url):
        found = sorted(entry.path for entry in os.scandir(url) if entry.name.endswith(".tar"))
        if not found:
            raise FileNotFoundError(f"{url}: there is no file that ends in .tar in this folder; name the shards")
        return found
    if not is_url(url) or url.startswith("pipe:"):
        return [url]
    if not url.endswith("/"):
        return [checked(url, remote)]
    found = [shard for name, shard in opened(url, remote).files().items() if name.endswith(".tar")]
    if not found:
        raise RemoteMissing(url, "there is no file that ends in .tar in it; name the shards, or correct the URL")
    return found


def _no_pickles(data):
    return np.load(io.BytesIO(data), allow_pickle=False)


def _text(data):
    return data.decode("utf-8")


READERS = {  # of names, so that a dataset can be sent to other processes
    "cls": int,
    "id": int,
    "txt": _text,
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
    """The samples of this rank and worker, as dicts of file contents, and an Unreadable where something could not be read."""
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
    samples = (sample for url in urls for sample in _samples_of(url))
    if split == "sample" and parts > 1:
        samples = (sample for number, sample in enumerate(samples) if number % parts == part)
    return _shuffled(samples, shuffle, stream) if shuffle else samples


def pick(raw, pictures, fields):
    """What a sample of the dataset is made of, out of the members of one key. ValueError if one is missing or unreadable."""
    key = name_of(raw)
    sample = {name: raw[_present(raw, members.split(";"), name, key)] for name, members in pictures.items()}
    for name, (member, reader) in fields.items():
        data = raw[_present(raw, [member], name, key)]
        try:
            sample[name] = reader(data)
        except (ValueError, EOFError) as error:
            raise ValueError(f"{key}: {member} cannot be read as the field {name!r}: {error}") from error
    return {**sample, "key": key}


def name_of(raw):
    """The shard and the key of a sample."""
    return f"{raw['__url__']}/{raw['__key__']}"


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


class _Member(tarfile.TarInfo):
    """Notes whether a shard's reading ended at the zero block that ends an intact one: tarfile passes over every other end."""

    @classmethod
    def fromtarfile(cls, tar):
        try:
            return super().fromtarfile(tar)
        except tarfile.EOFHeaderError:
            tar.ended = True
            raise


def _samples_of(url):
    """The samples of one shard, each ``{"__url__", "__key__", suffix: contents}``."""
    from webdataset.tariterators import base_plus_ext

    current = None
    try:
        for name, data in _members(url):
            key, suffix = base_plus_ext(name)
            if key is None:
                continue
            if current is None or key != current["__key__"]:
                if current is not None:
                    yield current
                current = {"__url__": url, "__key__": key}
            suffix = suffix.lower()
            if suffix in current:
                current = None
                raise ValueError(f"{name} is there twice (duplicate file name)")
            current[suffix] = data
    except (OSError, ValueError, EOFError, tarfile.TarError, zlib.error) as error:
        if current is not None:
            yield {**current, CUT: True}
        if not isinstance(error, RemoteError):
            reason = str(error.args[0]) if error.args else ""
            error = ValueError(f"{url} cannot be read ({type(error).__name__}): {reason or error}")
        url = str(url)
        yield Unreadable(error, url)
        return
    if current is not None:
        yield current


def stream_of(url):
    """A shard as a file that is read from front to end."""
    if is_url(url):
        return RangedFile(url)
    from webdataset.gopen import gopen

    return gopen(url)


def _members(url):
    """(name, contents) of the files in a shard."""
    with stream_of(url) as stream, tarfile.open(fileobj=stream, mode="r|*", tarinfo=_Member) as tar:
        tar.ended = False
        for info in tar:
            if info.isreg() and not re.match(r"__[^/]*__($|/)", info.name):  # names that webdataset keeps for itself
                _check_name(info.name)
                yield info.name, tar.extractfile(info).read()
            tar.members = []  # it would keep them all
        if not tar.ended:
            raise tarfile.ReadError(
                f"it ends, or its next header is damaged, at byte {tar.offset}, without the zero blocks that end a tar file: "
                f"what followed is lost; write the shard anew"
            )


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
