"""How far results may be from a reference: of one transform (`Bound`), and of one step after another (`Drift`, `Tally`).

It needs NumPy alone, so that a machine with a GPU and without the references' libraries compares with the same bounds (`frozen`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gpuaug.interop.parity import compared


@dataclass(frozen=True)
class Bound:
    """At least ``share`` of all values differ by no more than ``near``, and none by more than ``far``; both in grey levels for
    uint8, else relative to max(1, |reference|)."""

    near: float = 0.0
    far: float = 0.0
    share: float = 1.0
    why: str = ""

    def __str__(self) -> str:
        if self.far == 0:
            return "exact"
        if self.share == 1:
            return f"<= {self.far:g}"
        return (f"<= {self.near:g}" if self.near else "equal") + f" on {100 * self.share:g} %, <= {self.far:g}"


def differences(got: np.ndarray, want: np.ndarray, dtype: str, relative: bool, what: str) -> np.ndarray:
    """Of all values of an image that a transform made of one of ``dtype``; relative: to max(1, |want|)."""
    if got.shape != want.shape:
        raise AssertionError(f"{what}: shape {got.shape}, the reference has {want.shape}")
    if dtype == "uint8" and got.dtype != want.dtype:
        raise AssertionError(f"{what}: {got.dtype}, the reference has {want.dtype}")
    if dtype != "uint8":
        assert got.dtype == ("uint8" if want.dtype == np.uint8 else dtype), f"{what}: {got.dtype} of {dtype}"
    return compared.difference(got, want, relative)


class Result(compared.Result):
    """Differences of all values of a case."""

    def check(self, bound: Bound) -> str:
        """What is wrong, or nothing."""
        if self.worst > bound.far or self.within(bound.near) < bound.share:
            there = f"{100 * self.exact:.4f} % equal, {100 * self.within(bound.near):.4f} % within {bound.near:g}"
            return f"{there}, worst {self.worst:g}; allowed: {bound}"
        return ""


@dataclass
class Drift:
    """How far a chain may be from its reference. Grows step by step from the bounds of parity, from nothing else.

    A step that is Lipschitz with the constant ``gain`` (in the maximum norm: 1 for whatever takes weighted means or moves pixels,
    the factor for contrast) turns a difference of d into at most gain * d, and adds what it is allowed alone. On uint8 both sides
    are whole numbers and rounding is monotone, so that gain * d is rounded up and nothing else is lost.

    What share of the values differs: of a value that differs by one, a step makes values that differ with a chance that is their
    weight for it, and these weights add up to 1 for each value that comes out: the share stays, and each step adds its own. Two
    differences add up where they meet: the product of the shares.

    Float values differ a little everywhere, and a blur spreads what is rare: only the largest difference is checked.

    Attributes:
        far: the largest difference.
        unit: the difference where only one step has made one.
        loose, twice: shares of the values that may differ at all; by more than ``unit``.
    """

    far: float = 0.0
    unit: float = 0.0
    loose: float = 0.0
    twice: float = 0.0

    def after(self, bound: Bound, gain: float, whole: bool) -> Drift:
        up = np.ceil if whole else float
        own = 1 - bound.share
        grown = 0.0 if self.far == 0 else up(gain * self.far)
        return Drift(
            grown + bound.far,
            max(0.0 if self.unit == 0 else up(gain * self.unit), bound.far),
            self.loose + own,
            self.twice + self.loose * own,
        )


class Tally:
    """Differences of many values, each with what it is allowed."""

    def __init__(self, name: str):
        self.name = name
        self.values = self.loose = self.may_loose = self.twice = self.may_twice = 0

    def add(self, got: np.ndarray, want: np.ndarray, drift: Drift, what: str) -> None:
        assert got.shape == want.shape, f"{what}: {got.shape}, the reference has {want.shape}"
        assert got.dtype == want.dtype, f"{what}: {got.dtype}, the reference has {want.dtype}"
        difference = np.abs(got.astype(np.float64) - want.astype(np.float64))
        if got.dtype == np.float32:  # as in parity
            difference /= np.maximum(np.abs(want.astype(np.float64)), 1)
        worst = difference.max(initial=0)
        assert worst <= drift.far, f"{what}: differs by {worst:g}, allowed is {drift.far:g} ({drift})"
        if got.dtype == np.float32:
            return
        self.values += difference.size
        self.loose += np.count_nonzero(difference)
        self.twice += np.count_nonzero(difference > drift.unit)
        self.may_loose += drift.loose * difference.size
        self.may_twice += drift.twice * difference.size

    def check(self) -> None:
        """No more differences than allowed; where these are few, their number is left to chance (Poisson, false alarm 1e-4)."""
        rules = (self.loose, self.may_loose, "at all"), (self.twice, self.may_twice, "by more than one step's difference")
        for number, mean, how in rules:
            most = 0 if mean == 0 else mean + 4 * np.sqrt(mean) + 4
            assert number <= most, f"{self.name}: {number} of {self.values} values differ {how}, allowed are {mean:.1f}"
