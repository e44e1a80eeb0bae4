"""URLs as paths of files: what is one, how it is shown without its secrets, and what it carries along.

Nothing here imports fsspec: `is_url` is asked of every path. A `Url` is a string wherever one is expected; what is printed of it
has no query, since signed URLs have their signature there.
"""

import os
import re
from pathlib import Path
from urllib.parse import unquote, urlsplit

# two letters at least: C:// is a drive; chained ones (simplecache::s3://) count, to be refused by name
URL = re.compile(r"(?:[A-Za-z][A-Za-z0-9+.-]+::)*[A-Za-z][A-Za-z0-9+.-]+://")
SECRET_NAME = re.compile(r"key|secret|token|passw|pwd|credential|signature|auth|conn(ection)?_?str|sas", re.IGNORECASE)
LEAST_SECRET = 8  # of a value of the environment: shorter ones would blank out words of a message


def is_url(path) -> bool:
    """Whether `path` is read from afar. ``file://`` counts: `local` makes a path of it.

    >>> is_url("s3://bucket/cat.jpg"), is_url("folder/cat.jpg"), is_url(b"s3://")
    (True, False, False)
    """
    return isinstance(path, str) and URL.match(path) is not None


def local(path):
    """A ``file://`` URL as the path that it stands for; anything else as it is.

    >>> local("file:///data/my%20cat.jpg"), local("data/cat.jpg")
    ('/data/my cat.jpg', 'data/cat.jpg')
    """
    if isinstance(path, str) and path[:7].lower() == "file://":
        found = urlsplit(path)
        if found.netloc not in ("", "localhost"):
            raise ValueError(f"{path} names the host {found.netloc}; a file of this machine is file:///folder/file")
        return unquote(path[7 + len(found.netloc) :])
    return path


def shown(url):
    """A URL as messages have it: without user, password and query.

    >>> shown("https://me:pass@host/cat.jpg?X-Amz-Signature=0123"), shown("s3://bucket/what?.jpg")
    ('https://host/cat.jpg?...', 's3://bucket/what?.jpg')
    """
    head, mark, rest = str.__str__(url).partition("://")
    place, slash, path = rest.partition("/")
    place = place.rpartition("@")[2]
    if head.lower() in ("http", "https") and "?" in place + path:  # keys of a bucket may have question marks
        place, path = place.partition("?")[0], path.partition("?")[0]
        path += "?..."
    return f"{head}{mark}{place}{slash}{path}"


def scrubbed(text):
    """A message of somebody else's without secrets: queries and passwords of URLs, and what the environment has under such names.

    >>> scrubbed("GET http://host/a?sig=1 failed")
    'GET http://host/a?... failed'
    """
    text = re.sub(r"[A-Za-z][A-Za-z0-9+.-]+://[^\s'\"<>]+", lambda found: shown(found.group()), str(text))
    for name, value in os.environ.items():
        if len(value) >= LEAST_SECRET and SECRET_NAME.search(name) and value in text:
            text = text.replace(value, f"<{name}>")
    return text


class Url(str):
    """A URL with how it is read (`remote`), and its size and tag (what changes when the file does), where a listing told them."""

    __slots__ = ("remote", "size", "tag")

    def __new__(cls, url, remote=None, size=None, tag=None):
        self = super().__new__(cls, url)
        self.remote, self.size, self.tag = remote, size, tag
        return self

    def __reduce__(self):
        return Url, (str.__str__(self), self.remote, self.size, self.tag)

    def __str__(self):
        return shown(self)

    __format__ = lambda self, spec: format(shown(self), spec)  # noqa: E731  of an f-string, which does not ask __str__
    __repr__ = lambda self: repr(shown(self))  # noqa: E731


def join(root, name):
    """`name` below `root`: a path, or a URL with all that it carries; a name that is a URL itself stands alone."""
    if is_url(name):
        return Url(name, getattr(root, "remote", None))
    if not is_url(root):
        return os.path.join(root, name)
    return Url(f"{str.__str__(root).rstrip('/')}/{Path(name).as_posix()}" if name else root, getattr(root, "remote", None))


def above(url):
    """The folder of a URL."""
    return Url(str.__str__(url).rpartition("/")[0], getattr(url, "remote", None))
