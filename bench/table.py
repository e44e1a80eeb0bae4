"""Writes the tables of README.md from bench/results: `python -m bench.table`; with --check it only says if they differ.

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
SHOWN = (
    "torch",
    "albumentations",
    "opencv-python-headless",
    "nvidia-dali-cuda130",
    "kornia",
    "torchvision",
    "torchaudio",
    "cupy-cuda13x",
)


def caption(record):
    m = record["machine"]
    where = m["cpu"] if m["device"] == "cpu" else f"{m['device_name']}, host {m['cpu']}"
    names = {"opencv-python-headless": "OpenCV", "nvidia-dali-cuda130": "DALI", "cupy-cuda13x": "CuPy"}
    used = ", ".join(f"{names.get(name, name)} {m['versions'][name]}" for name in SHOWN if name in m["versions"])
    busy = f" Other work ran meanwhile (load {m['load']:.1f} on {m['cores']} cores)." if m["load"] > 2 * m["cores"] else ""
    return f"{record['date'][:10]}, {where}; Python {m['python']}, {used}.{busy}"


def section(name):
    module = importlib.import_module(f"bench.{name}")
    records = [json.loads(path.read_text()) for path in sorted(RESULTS.glob(f"{name}-*.json"))]
    if not records:
        return "Not measured yet."
    return "\n\n".join(f"{module.table(record['results'])}\n\n{caption(record)}" for record in records)


def filled(text):
    """The text with every table between markers made anew."""
    return re.sub(
        r"(<!-- bench:(\w+) -->\n).*?(<!-- /bench:\2 -->)",
        lambda found: f"{found[1]}\n{section(found[2])}\n\n{found[3]}",
        text,
        flags=re.DOTALL,
    )


def update():
    README.write_text(filled(README.read_text(encoding="utf-8")), encoding="utf-8")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true")
    if parser.parse_args().check:
        text = README.read_text(encoding="utf-8")
        sys.exit(filled(text) != text and "README.md: its tables are not those of bench/results; run python -m bench.table")
    update()


if __name__ == "__main__":
    main()
