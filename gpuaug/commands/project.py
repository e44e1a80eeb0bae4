"""`gpuaug bench ops | loader | host`: the benchmarks of the repository, which no wheel holds."""

from __future__ import annotations

import subprocess
import sys


def run(module: str, arguments: list[str]) -> None:
    """Run ``python -m module`` where the repository is.

    Raises:
        ValueError: this is no checkout of the project.
    """
    from pathlib import Path

    root = Path(__file__).resolve().parents[2]
    if not (root / "bench" / "harness.py").exists():
        raise ValueError(f"{module} is in the repository and not in the package: run it in a checkout, `python -m {module}`")
    sys.exit(subprocess.run([sys.executable, "-m", module, *arguments], cwd=root).returncode)
