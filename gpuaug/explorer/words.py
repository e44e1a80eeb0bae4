"""What docstrings say of arguments, and of their units."""

from __future__ import annotations

import functools
import inspect
import re

ENTRY = re.compile(r"^ {4}(\w+(?:, \w+)*): ", re.MULTILINE)
SEE = re.compile(r"(?:see|as) `(\w+)`")
UNITS = (  # how docstrings write them
    (r"(?:^|, )degrees\b", "degrees"),
    (r"\bpercentage\b", "%"),
    (r"(?:^|, |; |\bin |^whole )pixels\b|^whole pixels|\bin columns\b|\bin rows\b", "pixels"),
    (r"\bin turns\b", "turns"),
    (r"^probability\b", "probability"),
    (r"\bfractions?\b", "fraction"),
)


@functools.cache
def about(cls: type) -> dict[str, str]:
    """What the docstring of a class says of each argument, on one line; what it says "see" of is looked up there.

    Example:
        >>> import gpuaug as G
        >>> about(G.Blur)["p"]
        'probability, per sample.'
    """
    from ..saving import classes

    text = inspect.getdoc(cls) or ""
    block = re.split(r"\n\n(?! {4})", text.partition("Args:\n")[2])[0]
    found: dict[str, str] = {}
    entries = list(ENTRY.finditer(block))
    for entry, after in zip(entries, [*entries[1:], None]):
        said = " ".join(block[entry.end() : after.start() if after else None].replace("``", "").split())
        for name in entry[1].split(", "):
            found[name] = said
    for name, said in found.items():
        elsewhere = SEE.match(said)
        other = classes().get(elsewhere[1]) if elsewhere else None
        if other is not None and other is not cls:
            found[name] = about(other).get(name, said)
    return found


def summary(cls: type) -> str:
    """The first line of the docstring of a class."""
    return (inspect.getdoc(cls) or "").partition("\n")[0].replace("`", "")


def unit(said: str) -> str:
    """The unit that an argument's text names first, or ""."""
    found = [(place.start(), word) for pattern, word in UNITS if (place := re.search(pattern, said))]
    return min(found)[1] if found else ""
