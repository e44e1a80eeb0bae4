"""Writes the tables of README.md, docs/measured.md and docs/performance.md from bench/results: `python -m bench.table`;
--check only says if they differ.

A table stands between `<!-- bench:NAME -->` and `<!-- /bench:NAME -->`, and is made of every bench/results/NAME-*.json.
"""

import argparse
import importlib
import json
import re
import sys
from pathlib import Path

from bench.harness import RESULTS

README = Path(__file__).resolve().parents[1] / "README.md"
MEASURED = README.parent / "docs" / "measured.md"
PAGES = (README, MEASURED, README.parent / "docs" / "performance.md")
ALWAYS = ("torch",)
NAMES = {"opencv-python-headless": "OpenCV", "nvidia-dali-cuda130": "DALI", "nvidia-dali-cuda120": "DALI", "cupy-cuda13x": "CuPy"}


def caption(record, used=()):
    """When, where, and the versions of what took part: torch and the packages that the benchmark's module names in USED."""
    m = record["machine"]
    where = m["cpu"] if m["device"] == "cpu" else f"{m['device_name']}, host {m['cpu']}"
    there = [name for name in (*ALWAYS, *used) if name in m["versions"]]
    took_part = ", ".join(f"{NAMES.get(name, name)} {m['versions'][name]}" for name in there)
    busy = f" Other work ran meanwhile (load {m['load']:.1f} on {m['cores']} cores)." if m["load"] > 2 * m["cores"] else ""
    return f"{record['date'][:10]}, {where}; Python {m['python']}, {took_part}.{busy}"


def section(name):
    """name: of a module, or of a module and of its function that makes the table: sass_whole is bench.sass.whole."""
    name, _, kind = name.partition("_")
    module = importlib.import_module(f"bench.{name}")
    records = [json.loads(path.read_text()) for path in sorted(RESULTS.glob(f"{name}-*.json"))]
    if not records:
        return "Not measured yet."
    made, below = getattr(module, kind or "table"), getattr(module, "caption", caption)
    used = getattr(module, "USED", ())
    return "\n\n".join(f"{made(record['results'])}\n\n{below(record, used)}" for record in records)


def filled(text):
    """The text with every table between markers made anew."""
    return re.sub(
        r"(<!-- bench:(\w+) -->\n).*?(<!-- /bench:\2 -->)",
        lambda found: f"{found[1]}\n{section(found[2])}\n\n{found[3]}",
        text,
        flags=re.DOTALL,
    )


def update():
    for page in PAGES:
        page.write_text(filled(page.read_text(encoding="utf-8")), encoding="utf-8")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true")
    if parser.parse_args().check:
        texts = {page.name: page.read_text(encoding="utf-8") for page in PAGES}
        wrong = [name for name, text in texts.items() if filled(text) != text]
        sys.exit(wrong and f"{', '.join(wrong)}: tables are not those of bench/results; run python -m bench.table")
    update()


if __name__ == "__main__":
    main()
