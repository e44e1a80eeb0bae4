"""README's lists are the registry's, and the modules import one another as docs/architecture.md says."""

from __future__ import annotations

import ast
import doctest
import importlib
import importlib.util
import inspect
import json
import sys
from pathlib import Path

import pytest

import gpuaug
from docs.site import api
from gpuaug.spellings import modules

ROOT = Path(__file__).resolve().parents[1]


def test_readme_lists_what_there_is_and_what_is_missing():
    spec = importlib.util.spec_from_file_location("generate", ROOT / "docs" / "generate.py")
    generate = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(generate)
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert generate.filled(text) == text, "run python docs/generate.py"
    text = (ROOT / "docs" / "swap-in.md").read_text(encoding="utf-8")
    assert generate.swapped(text) == text, "run python docs/generate.py"


def test_stubs_are_those_of_the_table():
    package = Path(gpuaug.__file__).parent
    there = {str(path.relative_to(package)): path.read_text(encoding="utf-8") for path in package.rglob("*.pyi")}
    assert there == modules.stubs(), "run python docs/generate.py"


def test_examples_of_swap_in():
    failed, tried = doctest.testfile(str(ROOT / "docs" / "swap-in.md"), module_relative=False)
    assert (failed, tried > 0) == (0, True)


# ---- layers ------------------------------------------------------------------------------------

# a module may import what stands left of it, and its own layer without a circle; what is not named is of the first
LAYERS = [
    (),
    ("transforms", "own", "torches", "whole"),
    (
        "targets",
        "oriented",
        "drawn",
        "reach",
        "reduced",
        "executed",
        "handing",
        "handing_batch",
        "now",
        "gathered",
        "inputs",
        "outputs",
        "applied",
        "single",
        "captured",
        "compose",
        "saving",
        "replay",
        "strangers",
        "former",
    ),
    ("audio", "data", "interop", "vision", "demo", "pictures", "reports", "commands", "explorer", "cli", "__main__"),
]


def layer(module: str) -> int:
    head = module.split(".")[0]
    return next((i for i, names in enumerate(LAYERS) if head in names), 0)


def imports() -> dict[str, set[str]]:
    """The modules of the package, and which of them each imports, inside of functions too; names without "gpuaug."."""
    package = Path(gpuaug.__file__).parent
    paths = {".".join(p.relative_to(package).with_suffix("").parts).removesuffix(".__init__"): p for p in package.rglob("*.py")}
    del paths["__init__"]  # the package itself: its __getattr__ finds everything
    found = {}
    for name, path in paths.items():
        inside = name.split(".") if path.name == "__init__.py" else name.split(".")[:-1]
        found[name] = set()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.level:
                base = inside[: len(inside) - node.level + 1] + (node.module.split(".") if node.module else [])
                whole = [".".join([*base, each.name]) for each in node.names]
                found[name] |= {one if one in paths else ".".join(base) for one in whole} & set(paths) - {name}
    return found


def test_layers_import_downwards():
    assert "track" in imports()["drawn"]
    upwards = {f"{a} imports {b}" for a, of in imports().items() for b in of if layer(b) > layer(a)}
    assert not upwards


def test_no_module_imports_itself_by_way_of_others():
    graph, done = imports(), set()

    def visit(name: str, path: list[str]) -> None:
        assert name not in path, f"a circle: {' -> '.join([*path[path.index(name) :], name])}"
        if name not in done:
            for other in sorted(graph[name]):
                visit(other, [*path, name])
            done.add(name)

    for name in graph:
        visit(name, [])


@pytest.mark.parametrize("module", api.MODULES)
def test_every_public_name_has_an_example(module):
    found = importlib.import_module(module)
    lacks = [name for name in api.public(module) if ">>> " not in (inspect.getdoc(getattr(found, name)) or "")]
    assert not set(lacks) - set(api.DATA)


@pytest.mark.parametrize("name", sorted({*gpuaug.REGISTRY, "Compose", "OneOf", "SomeOf", "BboxParams", "KeypointParams"}))
def test_every_docstring_has_an_example(name):
    text = getattr(gpuaug, name).__doc__ or ""
    assert ">>> " in text.partition("Example")[2], f"{name} needs a docstring with an Example: that runs (CONTRIBUTING.md)"
    assert name in gpuaug.REGISTRY or "Args:" in text


def test_every_module_of_transforms_is_imported():
    """What is not imported registers nothing, and no other test would miss it."""
    folder = Path(gpuaug.__file__).parent / "transforms"
    modules = {path.stem for path in folder.glob("*.py")} - {"__init__"}
    missing = {name for name in modules if f"gpuaug.transforms.{name}" not in sys.modules}
    assert not missing, f"import {', '.join(sorted(missing))} in gpuaug/transforms/__init__.py"


def test_the_example_of_readme_runs():
    text = (ROOT / "README.md").read_text().partition("## Add an augmentation")[2]
    code = text.partition("```python\n")[2].partition("```")[0]
    space: dict = {}
    exec(compile(code, "README.md", "exec"), space)
    last = code.strip().splitlines()[-1]
    assert eval(last, space).tolist() == json.loads(last.partition("# ")[2])
