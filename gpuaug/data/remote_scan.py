"""Which files a folder of samples holds that lies behind a URL: one listing, and the rules of scan.py.

The order is that of the same tree on disk. The listing is made once, in a dataset's constructor: what is added later belongs to
the next dataset, what is removed or has another size by then is a bad sample whose message says so.
"""

import itertools
import os
from concurrent.futures import ThreadPoolExecutor

from . import remote
from .remote_errors import RemoteMissing
from .urls import Url, is_url

THREADS = 16  # that ask for the sizes or headers of files, one request each


class Folder(Url):
    """A URL of a folder with its listing, while a dataset is made."""

    __slots__ = ("entries",)

    def folders(self):
        """The sorted names of the folders right below."""
        return sorted({name.partition("/")[0] for name in self.entries if "/" in name})

    def files(self, prefix=""):
        """{name below the folder: Url} of the files, sorted by folder, then by name."""
        found = sorted((name.rpartition("/")[::2], name) for name in self.entries if name.startswith(prefix))
        return {name: remote.described(Url(f"{str.__str__(self)}/{name}", self.remote), self.entries[name]) for _, name in found}


def opened(url, settings):
    """The Folder behind a URL; RemoteMissing if there is none."""
    url = remote.checked(url, settings)
    text = str.__str__(url)
    bare = text if text.endswith("://") else text.rstrip("/")
    folder = Folder(bare, remote.settings(url))
    try:
        folder.entries = remote.listing(folder)
    except NotADirectoryError:
        folder.entries = {}
    if not folder.entries:
        raise RemoteMissing(folder, "there is no such folder, or no file in it; correct the URL")
    return folder


def located(paths, missing):
    """(the paths, URLs with their sizes; whether each is there), without a look where missing="ignore"."""
    if missing == "ignore":
        return paths, [True] * len(paths)
    far = {path for path in paths if is_url(path)}
    if not far:
        return paths, [os.path.isfile(path) for path in paths]
    found = {}
    for place, urls in itertools.groupby(sorted(far, key=str.__str__), _place):
        urls = list(urls)
        found |= _by_asking(urls) if place[0] in ("http", "https") else _by_listing(urls)
    located = [found.get(path) if is_url(path) else path if os.path.isfile(path) else None for path in paths]
    return [path if at is None else at for path, at in zip(paths, located)], [at is not None for at in located]


def _place(url):
    scheme, _, rest = str.__str__(url).partition("://")
    return scheme.lower(), rest.partition("/")[0]


def _by_listing(urls):
    """{url: Url} of those that are in one listing of the folder that holds them all."""
    low, high = urls[0], urls[-1]  # they are sorted: what these two share all share
    same = next((k for k, (a, b) in enumerate(zip(low, high)) if a != b), min(len(low), len(high)))
    shared = str.__str__(low)[:same].rpartition("/")[0]
    entries = remote.listing(Url(shared, urls[0].remote))
    names = {url: str.__str__(url)[len(shared) + 1 :] for url in urls}
    return {url: remote.described(url, entries[name]) for url, name in names.items() if name in entries}


def _by_asking(urls):
    def one(url):
        try:
            return url, remote.known(url)
        except RemoteMissing:
            return url, None

    with ThreadPoolExecutor(THREADS) as pool:
        return {url: at for url, at in pool.map(one, urls) if at is not None}
