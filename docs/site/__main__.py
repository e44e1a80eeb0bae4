"""`python -m docs.site [--out build/site]`: stage the pages and build them; exit code 1 on any warning."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from sphinx.cmd.build import main as sphinx

from .stage import stage

ROOT = Path(__file__).resolve().parents[2]


def build(out: Path, staged: Path) -> int:
    stage(staged)
    return sphinx(["-b", "html", "-c", str(Path(__file__).parent), "-W", "--keep-going", "-q", str(staged), str(out)])


def main() -> None:
    options = argparse.ArgumentParser(prog="python -m docs.site", description=__doc__)
    options.add_argument("--out", type=Path, default=ROOT / "build" / "site", help="the folder of the pages")
    options.add_argument("--staged", type=Path, default=ROOT / "build" / "site-source", help="what they are made of")
    given = options.parse_args()
    failed = build(given.out, given.staged)
    if not failed:
        print(f"{given.out / 'index.html'}")
    sys.exit(failed)


if __name__ == "__main__":
    main()
