"""Reading files by URL through fsspec: whole or a range, with retries, timeouts and a cache of blocks.

fsspec is imported when the first URL is read. Each process has file systems of its own: their connections do not survive a fork.
"""

from __future__ import annotations

import collections
import concurrent.futures
import functools
import io
import logging
import os
import random
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..hints import Path
from .blocks import Blocks
from .remote_errors import RETRIED, ChangedError, CutError, kind_of, sentence
from .urls import SECRET_NAME, Url, is_url, local, scrubbed, shown

LEAST_RATE = 2**16  # bytes a second: what a request gets as time beyond `timeout`, where the library has no timeout of its own
LARGEST_UNKNOWN = 2**26  # bytes that a file of unknown size is given time for
TAGS = ("ETag", "etag", "md5Hash", "content_md5", "blob_id", "LastModified", "last_modified", "updated", "mtime", "created")
# what an option is called that holds a secret, besides what SECRET_NAME matches
MORE_SECRETS = frozenset(["user", "username", "headers", "cookies"])

_log = logging.getLogger("gpuaug.remote")
_jitter = random.Random()  # of its own: waiting takes no number from anybody's generator
_counts, _counting = collections.Counter(), threading.Lock()


@dataclass(frozen=True)
class Remote:
    """How files are read by URL: ``ImageFolder("s3://bucket/train", remote=Remote(cache="/scratch/blocks"))``.

    Args:
        retries: how often a request is repeated that failed by the server's or the network's fault: HTTP 408, 429, 500, 502,
            503, 504, a connection that broke, a body that was cut, a stall. Missing files and denied access are never asked for
            again.
        first_wait, longest_wait: seconds before the first repetition, doubled for each further one up to the longest; between
            half of it and all is waited, at random, so that many readers do not come back at once.
        timeout: seconds without a byte after which a request has failed (S3, HTTP); elsewhere of a request, plus 1 s for each
            64 KiB.
        cache: a folder for blocks that were read, shared by processes and kept between runs; None: no cache. What has neither
            ETag nor time of change is not kept.
        cache_limit: bytes of that folder; the least recently used blocks go first.
        block: bytes of a block, of the cache and of a shard that is read in pieces.
        ahead: blocks of a shard that are fetched before they are asked for, each by a thread.
        options: arguments of the fsspec file system, such as ``{"anon": True}``. Credentials are refused here: they come from
            the environment (AWS_ACCESS_KEY_ID, GOOGLE_APPLICATION_CREDENTIALS, HF_TOKEN, ...), which no pickle and no log has.

    Example:
        >>> Remote(retries=2)
        Remote(retries=2, first_wait=0.1, longest_wait=10.0, timeout=30.0, cache=None, cache_limit=10737418240, block=4194304,
        ahead=4, options={})
    """

    retries: int = 5
    first_wait: float = 0.1
    longest_wait: float = 10.0
    timeout: float = 30.0
    cache: Path | None = None
    cache_limit: int = 10 * 2**30
    block: int = 4 * 2**20
    ahead: int = 4
    options: Mapping[str, Any] | None = None

    def __post_init__(self):
        if self.options is not None and not isinstance(self.options, Mapping):
            raise TypeError(f"Remote(options=) is a dict of arguments of the file system, got {type(self.options).__name__}")
        if self.cache is not None and not isinstance(self.cache, (str, os.PathLike)):
            raise TypeError(f"Remote(cache=) is a folder, or None, got {self.cache!r}")
        options = dict(self.options or {})
        object.__setattr__(self, "options", options)
        for name, least in (("retries", 0), ("cache_limit", 1), ("block", 512), ("ahead", 1)):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or value < least:
                raise ValueError(f"Remote({name}=) is a whole number of at least {least}, got {value!r}")
        for name in ("first_wait", "longest_wait", "timeout"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value < float("inf"):
                raise ValueError(f"Remote({name}=) is a time in seconds of at least 0, got {value!r}")
        if self.first_wait > self.longest_wait:
            raise ValueError(
                f"Remote(first_wait={self.first_wait!r}) is longer than longest_wait={self.longest_wait!r}: waits grow from the "
                f"first to the longest; make one of them fit"
            )
        if self.timeout <= 0:
            raise ValueError("Remote(timeout=) is a time in seconds above 0, got 0")
        bad = sorted(name for name, value in _within(options) if _is_secret(name, value))
        if bad:
            raise ValueError(
                f"Remote(options=) has {', '.join(bad)}: credentials are taken from the environment only (for S3 "
                f"AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE), so that no pickle, log or checkpoint has them"
            )

    def __hash__(self):
        return hash((self.retries, self.timeout, self.cache, self.block, repr(sorted(self.options.items()))))


def _within(options):
    for name, value in options.items():
        yield str(name), value
        if isinstance(value, Mapping):
            yield from _within(value)


def _is_secret(name, value):
    if value is None or isinstance(value, bool) or value == "anon":
        return False
    return SECRET_NAME.search(name) is not None or name.lower() in MORE_SECRETS


DEFAULT = Remote()


def counts():
    """What was read by URL in this process: requests, retries, bytes (over the network), hits (blocks from the cache)."""
    with _counting:
        return {name: _counts[name] for name in ("requests", "retries", "bytes", "hits")}


def _count(**more):
    with _counting:
        _counts.update(more)


def settings(url):
    """The Remote of a URL."""
    return getattr(url, "remote", None) or DEFAULT


def check(remote):
    """TypeError if it is no Remote."""
    if remote is not None and not isinstance(remote, Remote):
        raise TypeError(f"remote must be a gpuaug.data.Remote, got {type(remote).__name__}")


def checked(url, remote=None):
    """`url` as a Url; ValueError if it holds credentials, or is of a kind that is not taken."""
    check(remote)
    text = str.__str__(url)
    head, _, rest = text.partition("://")
    if "::" in head or "::" in rest:
        raise ValueError(f"{shown(text)} chains file systems with '::'; give one URL, and Remote(cache=folder) for a cache")
    if "@" in rest.partition("/")[0]:
        raise ValueError(
            f"{shown(text)} has a user or password in it; take them out and set the environment instead: what is in a URL "
            f"ends up in logs and checkpoints"
        )
    return url if isinstance(url, Url) and remote is None else Url(text, remote or settings(url))


def read(url: str, start: int = 0, stop: int | None = None) -> Any:
    """The bytes of a file, or of the range from `start` to before `stop`, as bytes or a memoryview.

    Raises RemoteMissing, RemoteDenied, RemoteTimeout or another RemoteError, all of them OSError, with one sentence.

    >>> import fsspec
    >>> with fsspec.open("memory://doc/cat.txt", "wb") as file:
    ...     _ = file.write(b"a cat")
    >>> bytes(read("memory://doc/cat.txt")), bytes(read("memory://doc/cat.txt", 2, 5))
    (b'a cat', b'cat')
    """
    url = checked(url)
    remote = settings(url)
    if remote.cache is not None:
        url = known(url)
        if url.size is not None and url.tag is not None:
            stop = url.size if stop is None else min(stop, url.size)
            return _through_cache(url, start, stop, remote)
    size = getattr(url, "size", None)
    if size is not None:
        stop = size if stop is None else min(stop, size)
        if stop <= start:
            return b""
    return fetch(url, start, stop)


def _through_cache(url, start, stop, remote):
    cache, key = _cache(os.fspath(remote.cache), remote.cache_limit), (str.__str__(url), url.size, url.tag, remote.block)
    pieces = []
    for number in range(start // remote.block, max(start, stop - 1) // remote.block + 1 if stop > start else 0):
        first = number * remote.block
        last = min(first + remote.block, url.size)
        piece = cache.get(key, number)
        if piece is not None and len(piece) == last - first:
            _count(hits=1)
        else:
            piece = fetch(url, first, last)
            cache.put(key, number, piece)
        pieces.append(memoryview(piece)[max(start - first, 0) : min(stop, last) - first])
    return pieces[0] if len(pieces) == 1 else b"".join(pieces)


def fetch(url, start, stop):
    """A range over the network (`stop` None: to the end), with retries."""
    size = getattr(url, "size", None)

    def request(system, path):
        # the whole file without a range: one that has grown since it was listed would come cut, and look like a picture
        ranged = None if stop is None or (start == 0 and stop == size) else (start, stop)
        data = _cat(system, path, ranged, start, settings(url))
        if stop is None or len(data) == stop - start:
            return data
        if ranged is not None and len(data) == size:  # a server that knows no ranges
            return data[start:stop]
        if size is None and len(data) < stop - start:  # a range may be asked for that goes beyond the end
            return data
        now = _called(system, "info", path, settings(url)).get("size")
        if size is not None and now not in (None, size):
            raise ChangedError(f"it has {now} bytes instead of {size}")
        raise CutError(f"{len(data)} of {stop - start} bytes came")

    data = _tried(url, request)
    _count(bytes=len(data))
    return data


def known(url):
    """`url` with its size and tag, which the server is asked for once."""
    if isinstance(url, Url) and (url.size is not None or url.tag is not None):
        return url
    return _known(str.__str__(url), settings(url))


@functools.lru_cache(2**14)
def _known(text, remote):
    url = Url(text, remote)
    return described(url, _tried(url, lambda system, path: _called(system, "info", path, remote)))


def described(url, entry):
    """A Url with what a file system says of the file."""
    tag = next((str(entry[name]) for name in TAGS if entry.get(name) is not None), None)
    return Url(str.__str__(url), settings(url), entry.get("size"), tag)


def listing(url):
    """``{name below url: entry}`` of all files below a folder, as one listing gives them."""
    url = checked(url)
    root = _tried(url, lambda system, path: (path, _called(system, "find", path, settings(url), detail=True)))
    path, found = root[0].rstrip("/"), root[1]
    entries = {}
    for name, entry in found.items():
        below = name[len(path) :].lstrip("/") if name.startswith(path) else name
        if below and not below.endswith("/") and entry.get("type", "file") != "directory":
            entries[below] = entry
    return entries


def _tried(url, request):
    """`request(file system, path)`, repeated while it fails by somebody else's fault."""
    remote = settings(url)
    system, path = _system(url, remote)
    for attempt in range(remote.retries + 1):
        _count(requests=1)
        try:
            return request(system, path)
        except ImportError:
            raise
        except Exception as error:
            kind = kind_of(error)
            if kind not in RETRIED or attempt == remote.retries:
                # not chained: what the library says may have signatures and headers in it
                raise sentence(url, error, kind, attempt + 1, remote.timeout) from None
        wait = min(remote.longest_wait, remote.first_wait * 2**attempt) * _jitter.uniform(0.5, 1.0)
        _count(retries=1)
        _log.info("%s: %s; retry %d of %d in %.2f s", shown(url), kind, attempt + 1, remote.retries, wait)
        _wait(wait)
    raise AssertionError("the last attempt returns or raises")


_wait = time.sleep


def _cat(system, path, ranged, start, remote):
    keywords = {} if ranged is None else {"start": ranged[0], "end": ranged[1]}
    if ranged is None and start:
        keywords = {"start": start}
    return _called(system, "cat_file", path, remote, (ranged[1] - ranged[0]) if ranged else LARGEST_UNKNOWN, **keywords)


def _called(system, name, path, remote, size=LARGEST_UNKNOWN, **keywords):
    """A method of a file system; an asynchronous one is cancelled where it takes too long."""
    if not system.async_impl or not hasattr(system, f"_{name}"):
        return getattr(system, name)(path, **keywords)
    import asyncio

    running = asyncio.run_coroutine_threadsafe(getattr(system, f"_{name}")(path, **keywords), system.loop)
    try:
        return running.result(remote.timeout + size / LEAST_RATE)
    except concurrent.futures.TimeoutError:
        running.cancel()
        raise TimeoutError from None
    except BaseException:  # Ctrl-C
        running.cancel()
        raise


def _system(url, remote):
    """(the file system of a URL in this process, the path in it)"""
    scheme = str.__str__(url).partition("://")[0].lower()
    found = _systems.get((os.getpid(), scheme, remote))
    if found is None:
        with _making:
            found = _systems.get((os.getpid(), scheme, remote)) or _made(scheme, remote)
            _systems[os.getpid(), scheme, remote] = found
    return found, found._strip_protocol(str.__str__(url))


# By process. What a forked child inherits stays in it for good: closing a connection there would take it out of the epoll
# instance that it shares with its parent, which would then wait for an answer in vain
_systems, _making = {}, threading.Lock()


def _unlocked_after_fork():
    global _making, _counting
    _making, _counting = threading.Lock(), threading.Lock()


os.register_at_fork(after_in_child=_unlocked_after_fork)


def _made(scheme, remote):
    try:
        import fsspec
    except ImportError as error:
        raise ImportError("URLs are read by fsspec: pip install 'gpuaug[remote]'") from error
    options, timeout = dict(remote.options), remote.timeout
    if scheme in ("s3", "s3a"):
        config = {"connect_timeout": timeout, "read_timeout": timeout, "retries": {"max_attempts": 0}, "max_pool_connections": 64}
        # with max_concurrency above 1 s3fs asks for the size of each file before it reads it
        options = {"max_concurrency": 1, **options, "config_kwargs": {**config, **options.get("config_kwargs", {})}}
    elif scheme in ("http", "https"):
        import aiohttp

        limits = aiohttp.ClientTimeout(total=None, sock_connect=timeout, sock_read=timeout)
        options = {**options, "client_kwargs": {"timeout": limits, **options.get("client_kwargs", {})}}
    try:
        system = fsspec.filesystem(scheme, skip_instance_cache=True, use_listings_cache=False, **options)
    except ImportError as error:
        extra = "'gpuaug[remote]'" if scheme in ("s3", "s3a", "http", "https") else _package(error)
        raise ImportError(f"{scheme}:// needs a package that is not installed: pip install {extra}") from error
    except (TypeError, ValueError) as error:
        text = "correct the URL, or Remote(options=)"
        raise ValueError(f"fsspec makes no file system for {scheme}://: {scrubbed(error)}; {text}") from None
    if hasattr(system, "retries"):
        system.retries = 1  # of s3fs: it would repeat inside of what is repeated here
    return system


def _package(error):
    text = str(error).lower()
    return next((name for name in ("gcsfs", "adlfs", "huggingface_hub") if name in text), "what fsspec asks for")


@functools.lru_cache(8)
def _cache(folder, limit):
    return Blocks(folder, limit)


def kept(url, remote):
    """The cache that what is made of a file may be kept in, or None."""
    if remote.cache is None or getattr(url, "tag", None) is None:
        return None
    return _cache(os.fspath(remote.cache), remote.cache_limit)


def contents(source):
    """What Pillow and NumPy are given to open: a path as it is, the bytes of a URL."""
    source = local(source)
    return io.BytesIO(read(source)) if is_url(source) else source
