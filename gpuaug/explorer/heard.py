"""Which rules a constructor checks its arguments by: it is listened to while it checks them (`gpuaug.checks`)."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from .. import checks

KINDS = {
    getattr(checks, name).__code__: name
    for name in ("real", "integer", "boolean", "span", "increasing", "whole", "one_of", "colour", "interpolation", "border")
}


@dataclass(frozen=True)
class Rule:
    """One check of one argument.

    Attributes:
        kind: the function of `gpuaug.checks`.
        low, high: what a number must lie in; above: and not be low.
        allowed: the values that there are.
    """

    kind: str
    low: float = -math.inf
    high: float = math.inf
    above: bool = False
    allowed: tuple = ()


def rules(make: Callable[[], Any]) -> tuple[dict[str, list[Rule]], str]:
    """The rules that a call checks, by argument, and what it refused ("": nothing).

    Checks that other checks call are left out. It sets this thread's profiler meanwhile, and puts back the one that there was.

    Example:
        >>> import gpuaug as G
        >>> found, _ = rules(lambda: G.Posterize(num_bits=(2, 4)))
        >>> found["num_bits"]
        [Rule(kind='whole', low=0, high=8, above=False, allowed=())]
        >>> rules(lambda: G.Posterize(num_bits=9))[1]
        'num_bits must lie in [0, 8], got 9'
    """
    found: dict[str, list[Rule]] = {}
    depth = 0

    def listen(frame, event: str, _) -> None:
        nonlocal depth
        kind = KINDS.get(frame.f_code)
        if kind is None:
            return
        if event == "return":
            depth -= 1
        elif event == "call":
            depth += 1
            if depth == 1:
                found.setdefault(frame.f_locals["name"], []).append(_rule(kind, frame.f_locals))

    before = sys.getprofile()
    sys.setprofile(listen)
    try:
        make()
    except Exception as error:
        refused = str(error)
    else:
        refused = ""
    finally:
        sys.setprofile(before)
    return found, refused


def _rule(kind: str, local: dict) -> Rule:
    allowed: Any = local.get("allowed", checks.BORDERS if kind == "border" else local.get("words", ()))
    low, high = local.get("low", -math.inf), local.get("high", math.inf)
    return Rule(kind, low, high, bool(local.get("above")), tuple(allowed))


def together(heard: list[Rule]) -> tuple[float, float, bool]:
    """(low, high, whether low itself is refused) of all of them."""
    low = max((rule.low for rule in heard), default=-math.inf)
    return low, min((rule.high for rule in heard), default=math.inf), any(rule.above for rule in heard if rule.low == low)
