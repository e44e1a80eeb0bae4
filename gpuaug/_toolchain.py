"""What to say where the compiled library is missing: the kernels for the CPU, and the host's part of every batch.

The build runs this file by its path, so it imports nothing but the standard library.
"""

import contextlib
import hashlib
import os
import platform
import shutil
import sys
import threading
import time
from pathlib import Path

INSTALL = """\
    Debian, Ubuntu:  apt install g++
    Fedora, RHEL:    dnf install gcc-c++
    macOS:           xcode-select --install
    conda:           conda install -c conda-forge cxx-compiler
then run the same command again."""


def no_compiler(tried: str) -> str:
    names = ", ".join(dict.fromkeys((tried, "g++", "clang++")))
    return (
        f"its library was not compiled, because no C++ compiler was found (looked for {names}).\n"
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


def variants() -> list[str]:
    """Names of the builds that this processor can run, best first."""
    if platform.machine().lower() not in ("x86_64", "amd64"):
        return ["base"]
    try:
        flags = set(next(line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("flags")).split())
    except (OSError, StopIteration):
        return ["v2"]
    v3 = {"avx", "avx2", "bmi1", "bmi2", "f16c", "fma", "abm", "movbe"} <= flags
    v4 = v3 and {"avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"} <= flags
    return ["v4"] * v4 + ["v3"] * v3 + ["v2"]


def sources_hash(kernels: Path) -> str:
    """What the compiled kernels were made of: a library and headers that disagree must not run together."""
    digest = hashlib.sha256()
    files = {path.relative_to(kernels).as_posix(): path for kind in ("cuh", "hpp", "cpp") for path in kernels.rglob(f"*.{kind}")}
    for name, path in sorted(files.items()):
        digest.update(name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()[:16]


@contextlib.contextmanager
def telling(what: str, every: float = 30.0):
    """Says so every so many seconds, as long as the block takes: what takes a slow or busy machine minutes seems to hang."""
    done, began = threading.Event(), time.monotonic()

    def tell():
        while not done.wait(every):
            print(f"{what}, for {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)

    threading.Thread(target=tell, daemon=True).start()
    try:
        yield
    finally:
        done.set()


def check() -> None:
    """Ends the program with what to install if there is no compiler; `make` asks before it downloads anything."""
    tried = os.environ.get("CXX", "c++").split()[0]
    if not any(map(shutil.which, (tried, "g++", "clang++", "c++"))):
        sys.exit("gpuaug: " + no_compiler(tried))


if __name__ == "__main__":
    check()
