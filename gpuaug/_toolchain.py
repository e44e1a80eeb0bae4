"""What to say where the kernels for the CPU could not be compiled.

The build runs this file by its path, so it imports nothing but the standard library.
"""

import hashlib
from pathlib import Path

NOTE = "_cpu_missing.txt"
"""Beside this file; written by the build, with the reason, only where kernels are missing."""

INSTALL = """\
    Debian, Ubuntu:  apt install g++
    Fedora, RHEL:    dnf install gcc-c++
    macOS:           xcode-select --install
    conda:           conda install -c conda-forge cxx-compiler
then install gpuaug again (pip install --force-reinstall --no-deps gpuaug, or `make` in a checkout)."""


def no_compiler(tried: str) -> str:
    return (
        f"its kernels for the CPU were not compiled, because no C++ compiler was found (looked for {tried}, g++ and "
        f"clang++).\nA GPU does not need them. To use the CPU, install one:\n{INSTALL}"
    )


def compiler_failed(variants: str, version: str, reason: str) -> str:
    return (
        f"its kernels for the CPU ({variants}) were not compiled: {version} failed with: {reason}\n"
        "They need C++17 and -march=x86-64-v2 to v4: g++ 11 or clang++ 12, or newer. A GPU does not need them. "
        f"To get a newer compiler:\n{INSTALL}"
    )


def missing() -> str:
    """The reason why there are no kernels for the CPU, and what to do, for an error at their first use."""
    note = Path(__file__).with_name(NOTE)
    if note.exists():
        return "gpuaug: " + note.read_text().strip()
    return (
        "gpuaug: its kernels for the CPU are not beside the package; it was copied, or installed by a tool that does "
        "not run its build.\nIn a checkout, run `python setup.py build_ext --inplace` or `make`. That takes a C++ "
        f"compiler:\n{INSTALL}"
    )


def sources_hash(kernels: Path) -> str:
    """What the compiled kernels were made of: a library and headers that disagree must not run together."""
    digest = hashlib.sha256()
    for path in sorted([*kernels.glob("*.cuh"), *kernels.glob("cpu*.cpp")]):
        digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()[:16]
