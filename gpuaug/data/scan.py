"""Which files a folder of samples holds. Scanning happens once, in a dataset's constructor; complaints come from there.

What systems and tools leave behind is no sample and no class: names that begin with a dot (``.ipynb_checkpoints``, macOS's
``._a.jpg``, ``.DS_Store``) and the folders of `JUNK`. Links to folders are followed, but no real folder is read twice.
"""

import logging
import os
import time
from pathlib import Path

from .protocol import IMAGE_SUFFIXES
from .remote import check, checked
from .remote_scan import Folder, opened
from .urls import above, is_url, local

_log = logging.getLogger("gpuaug.scan")

JUNK = frozenset(["__MACOSX", "@eaDir", "#recycle", "$RECYCLE.BIN", "System Volume Information", "lost+found"])
SILENCE = 5.0  # seconds after which a walk through a large folder says how far it is
SHOWN = 10  # of many bad files or rows, a message names the first so many


def directory(path, remote=None):
    """`path` as text, of a URL the listing of what lies below (a `remote_scan.Folder`); FileNotFoundError if it is no folder."""
    check(remote)
    path = local(path)
    if is_url(path):
        return path if isinstance(path, Folder) else opened(path, remote)
    if not os.path.isdir(path):
        reason = "is not a folder" if os.path.exists(path) else "does not exist"
        raise FileNotFoundError(f"{os.fspath(path)} {reason}; give the folder that holds the files")
    return os.fspath(path)


def table(file, root, remote):
    """The path or Url of a table, and of the folder that its paths are relative to; of a URL that is not listed."""
    check(remote)
    file = local(os.fspath(file))
    file = checked(file, remote) if is_url(file) else file
    if root is None:
        return file, above(file) if is_url(file) else os.path.dirname(file)
    root = local(root)
    return file, checked(root, remote) if is_url(root) else directory(root)


def folders_in(root):
    """The sorted names of the folders in `root` that may be classes."""
    if is_url(root):
        return [name for name in root.folders() if not _is_left_behind(name)]
    return sorted(entry.name for entry in os.scandir(root) if entry.is_dir() and not _is_left_behind(entry.name))


def files_in(root, suffixes):
    """The sorted paths of the files in `root` itself that end in one of `suffixes`, whatever their case."""
    if is_url(root):
        return [url for name, url in root.files().items() if "/" not in name and _counts(name, suffixes)]
    return sorted(entry.path for entry in os.scandir(root) if _counts(entry.name, suffixes) and not entry.is_dir())


def files_of_classes(root, names, suffixes):
    """``{name: the files in and below that folder of root}``, in torchvision's order."""
    if is_url(root):
        return {name: _far_below(root, name, suffixes) for name in names}
    return dict(zip(names, files_below([os.path.join(root, name) for name in names], suffixes)))


def files_in_and_below(root, suffixes):
    """The files in and below a folder, in torchvision's order."""
    return _far_below(root, "", suffixes) if is_url(root) else files_below([root], suffixes)[0]


def pictures_in(folder):
    """Paths of the pictures in a folder of this machine and below it, as a dataset of files would have them.

    Raises:
        ValueError: no such folder, or no picture in it.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise ValueError(f"{folder}: there is no such folder")
    files = [Path(path) for path in files_in_and_below(os.fspath(folder), IMAGE_SUFFIXES)]
    if not files:
        raise ValueError(f"{folder}: no pictures are in it (.jpg, .png, .webp ..)")
    return files


def _far_below(root, name, suffixes):
    prefix = f"{name}/" if name else ""
    return [url for below, url in root.files(prefix).items() if _is_wanted(below[len(prefix) :], suffixes)]


def _is_wanted(name, suffixes):
    *folders, name = name.split("/")
    return _counts(name, suffixes) and not any(map(_is_left_behind, folders))


def files_below(folders, suffixes):
    """For each of `folders` the files in and below it, in torchvision's order: by folder, then by name.

    A link that leads up, or to a folder that was read already, is not followed. One that leads into another of the `folders`, or
    where one of those leads as well, is a ValueError: its files would have two labels.
    """
    owner, links, found = {}, [], []
    for number, folder in enumerate(folders):
        other = owner.setdefault(_identity(folder), number)
        if other != number:
            raise ValueError(f"{folders[other]} and {folder} are the same folder, {os.path.realpath(folder)}; remove one of them")
    above = {_identity(parent) for folder in folders for parent in Path(os.path.realpath(folder)).parents}
    for number, folder in enumerate(folders):  # what really lies there, before anything that is linked
        found.append(_walk(folder, number, suffixes, owner, links))
    for number, link in links:
        place = _identity(link)
        if place in above or owner.get(place) == number:
            continue
        if place in owner:
            raise ValueError(
                f"{link} links to {os.path.realpath(link)}, which {folders[owner[place]]} holds as well: its files would have "
                f"two labels; remove the link"
            )
        owner[place] = number
        found[number] += _walk(link, number, suffixes, owner, links)  # which may find more links
    return [[path for _, paths in sorted(groups) for path in paths] for groups in found]


def _walk(folder, number, suffixes, owner, links):
    """(folder, its files) for a folder and the real folders below it; the links to folders are added to `links`."""
    groups, count, said = [], 0, time.monotonic()
    for parent, names, files in os.walk(folder, onerror=_raise):
        kept, count = [], count + len(files)
        if time.monotonic() - said > SILENCE:
            said = time.monotonic()
            _log.info("%s: %s files so far", folder, f"{count:,}")
        for name in sorted(names):
            path = os.path.join(parent, name)
            if _is_left_behind(name):
                continue
            if os.path.islink(path):
                links.append((number, path))
            elif owner.setdefault(_identity(path), number) == number:
                kept.append(name)
        names[:] = kept
        groups.append((parent, sorted(os.path.join(parent, name) for name in files if _counts(name, suffixes))))
    return groups


def files_by_stem(root, ending):
    """``{name relative to root without suffix and ending: path}`` of the images below `root`."""
    found = {}
    far = is_url(root)
    for path in files_in_and_below(root, IMAGE_SUFFIXES):
        below = str.__str__(path)[len(root) + 1 :] if far else Path(path).relative_to(root)
        stem = Path(below).with_suffix("").as_posix()
        if not stem.endswith(ending):
            continue
        stem = stem[: len(stem) - len(ending)]
        if stem in found:
            raise ValueError(f"{found[stem]} and {path} have the same name; rename or remove one: files pair by name")
        found[stem] = path
    return found


def first(values):
    """The first values as text, and how many there are if that is more."""
    shown = ", ".join(map(str, values[:SHOWN]))
    return f"{shown}, ... ({len(values)} in all)" if len(values) > SHOWN else shown


def _raise(error):
    raise error  # a folder that may not be read: os.walk would pass over it and its files


def _identity(path):
    status = os.stat(path)
    return status.st_dev, status.st_ino


def _is_left_behind(name):
    return name.startswith(".") or name in JUNK


def _counts(name, suffixes):
    return not name.startswith(".") and os.path.splitext(name)[1].lower() in suffixes
