"""The pages: those of docs/, and those that are made."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from . import api, coverage, migration, transforms

DOCS = Path(__file__).resolve().parents[1]
ROOT, PAGES = DOCS.parent, DOCS / "site" / "pages"
LINK = re.compile(r"(!?)\[([^\]]*)\]\(([^)#\s]*)(#[^)\s]*)?\)")


def stage(folder: Path) -> None:
    """Write all that Sphinx reads into a folder, which is emptied."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for path in [*DOCS.glob("*.md"), *PAGES.glob("*.md")]:
        write(folder / path.name, path.read_text(encoding="utf-8"), path)
    index = folder / "index.md"
    index.write_text(index.read_text(encoding="utf-8").replace("(others)", "\n".join(_others())), encoding="utf-8")
    for path in DOCS.glob("*.png"):
        shutil.copy(path, folder / path.name)
    for name in ("CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md"):
        if (ROOT / name).exists():
            write(folder / name.lower(), (ROOT / name).read_text(encoding="utf-8"), ROOT / name)
    examples = folder / "examples"
    examples.mkdir()
    for path in (ROOT / "examples").glob("*.py"):
        shutil.copy(path, examples / path.name)
    (folder / "tasks.md").write_text(_tasks(), encoding="utf-8")
    for made in (transforms.pages(folder), coverage.pages(), migration.pages(), api.pages()):
        for name, text in made.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")


def _others() -> list[str]:
    """The pages of docs/ that the index does not name itself."""
    named = (PAGES / "index.md").read_text(encoding="utf-8").split()
    return sorted(path.stem for path in DOCS.glob("*.md") if path.stem not in named)


def write(to: Path, text: str, source: Path) -> None:
    """A page with its links as the site has them: those to files of the repository that are no pages become words."""

    def linked(match):
        image, words, target, anchor = match.groups()
        if not target or "://" in target or source.parent == PAGES:  # those link to what is made: Sphinx looks
            return match[0]
        found = (source.parent / target).resolve()
        if not found.exists():
            raise FileNotFoundError(f"{source} links to {target}, which is not there")
        if found.parent == DOCS:
            return f"{image}[{words}]({found.name}{anchor or ''})"
        if found.parent == ROOT and found.name.lower() in ("changelog.md", "contributing.md", "security.md"):
            return f"[{words}]({found.name.lower()}{anchor or ''})"
        return words if words.startswith("`") else f"{words} (`{target.lstrip('./')}`)"

    to.write_text(LINK.sub(linked, text), encoding="utf-8")


def _tasks() -> str:
    """A section for each example: its docstring, how it is run, and the program."""
    import ast

    parts = ["# Tasks\n\nWhole programs, each run by the tests: a few steps, the loss falls.\n"]
    for path in sorted((ROOT / "examples").glob("*.py")):
        said = (ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or path.stem).strip()
        head = said.splitlines()[0].rstrip(".")
        rest = "\n".join(said.splitlines()[1:]).strip()
        parts.append(f"## {path.stem.replace('_', ' ').capitalize()}\n\n{head}.\n\n{rest}\n")
        parts.append(f"```{{literalinclude}} examples/{path.name}\n:language: python\n```\n")
    return "\n".join(parts)
