"""What to say where the compiled library is missing: the kernels for the CPU, and the host's part of every batch.

The build runs this file by its path, so it imports nothing but the standard library.
"""

import hashlib
import os
import shutil
import sys
from pathlib import Path

INSTALL = """\
    Debian, Ubuntu:  apt install g++
    Fedora, RHEL:    dnf install gcc-c++
    macOS:           xcode-select --install
    conda:           conda install -c conda-forge cxx-compiler
then run the same command again."""


def no_compiler(tried: str) -> str:
    return (
        f"its library was not compiled, because no C++ compiler was found (looked for {tried}, g++ and clang++).\n"
        f"It holds the kernels for the CPU, and what prepares a batch for a GPU too. Install a compiler:\n{INSTALL}"
    )


def compiler_failed(variants: str, version: str, reason: str) -> str:
    return (
        f"its library ({variants}) was not compiled: {version} failed with: {reason}\n"
        "It needs C++17 and -march=x86-64-v2 to v4: g++ 11 or clang++ 12, or newer. "
        f"To get a newer compiler:\n{INSTALL}"
    )


def missing() -> str:
    """The reason why there is no compiled library, and what to do, for an error at its first use."""
    return (
        "gpuaug: its compiled library is not beside the package; it was copied, or installed by a tool that does "
        "not run its build.\nIn a checkout, run `python setup.py build_ext --inplace` or `make`. That takes a C++ "
        f"compiler:\n{INSTALL}"
    )


def sources_hash(kernels: Path) -> str:
    """What the compiled kernels were made of: a library and headers that disagree must not run together."""
    digest = hashlib.sha256()
    for path in sorted([*kernels.glob("*.cuh"), *kernels.glob("*.hpp"), *kernels.glob("*.cpp")]):
        digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()[:16]


def check() -> None:
    """Ends the program with what to install if there is no compiler; `make` asks before it downloads anything."""
    tried = os.environ.get("CXX", "c++").split()[0]
    if not any(map(shutil.which, (tried, "g++", "clang++", "c++"))):
        sys.exit("gpuaug: " + no_compiler(tried))


if __name__ == "__main__":
    check()
