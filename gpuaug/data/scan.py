"""Which files a folder of samples holds. Scanning happens once, in a dataset's constructor; complaints come from there.

What systems and tools leave behind is no sample and no class: names that begin with a dot (``.ipynb_checkpoints``, macOS's
``._a.jpg``, ``.DS_Store``) and the folders of `JUNK`. Links to folders are followed, but no real folder is read twice.
"""

import os
from pathlib import Path

from .protocol import IMAGE_SUFFIXES

JUNK = frozenset(["__MACOSX", "@eaDir", "#recycle", "$RECYCLE.BIN", "System Volume Information", "lost+found"])
SHOWN = 10  # of many bad files or rows, a message names the first so many


def directory(path):
    """`path` as text; FileNotFoundError if it is no folder."""
    if not os.path.isdir(path):
        reason = "is not a folder" if os.path.exists(path) else "does not exist"
        raise FileNotFoundError(f"{os.fspath(path)} {reason}; give the folder that holds the files")
    return os.fspath(path)


def folders_in(root):
    """The sorted names of the folders in `root` that may be classes."""
    return sorted(entry.name for entry in os.scandir(root) if entry.is_dir() and not _is_left_behind(entry.name))


def files_in(root, suffixes):
    """The sorted names of the files in `root` itself that end in one of `suffixes`, whatever their case."""
    return sorted(entry.name for entry in os.scandir(root) if _counts(entry.name, suffixes) and not entry.is_dir())


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
    groups = []
    for parent, names, files in os.walk(folder, onerror=_raise):
        kept = []
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
    for path in files_below([root], IMAGE_SUFFIXES)[0]:
        stem = Path(path).relative_to(root).with_suffix("").as_posix()
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
