"""The wheel: what is in it, how it is called, and that it works away from the checkout."""

import email
import re
import shutil
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import pytest

from gpuaug._toolchain import telling

CHECKOUT = Path(__file__).resolve().parents[1]
SOURCES = ["gpuaug", "kernels", "tests", "setup.py", "pyproject.toml", "MANIFEST.in", "LICENSE", "README.md"]


def pip(*arguments):
    done = subprocess.run(
        [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", *map(str, arguments)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """Built from a copy: a build folder in the checkout may still hold modules that are no longer there."""
    copy = tmp_path_factory.mktemp("source")
    for name in SOURCES:
        source = CHECKOUT / name
        if source.is_dir():  # with the times of the files, so that kernels already compiled are taken as they are
            shutil.copytree(source, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
        elif source.exists():
            shutil.copy2(source, copy / name)
    out = tmp_path_factory.mktemp("wheel")
    pip("wheel", "--no-build-isolation", "--no-deps", "--wheel-dir", out, copy)
    (built,) = out.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def names(wheel):
    with zipfile.ZipFile(wheel) as archive:
        return archive.namelist()


def test_only_top_level_name_is_gpuaug(names):
    assert {name.split("/")[0] for name in names if ".dist-info/" not in name} == {"gpuaug"}


def test_holds_every_module_and_kernel_source(names):
    modules = {str(path.relative_to(CHECKOUT)) for kind in ("*.py", "*.pyi") for path in (CHECKOUT / "gpuaug").rglob(kind)}
    assert modules <= set(names)
    assert "gpuaug/core/composition.pyi" in modules
    sources = [path for path in (CHECKOUT / "kernels").rglob("*") if path.suffix in {".cuh", ".cu", ".hpp", ".cpp"}]
    assert sources
    assert {f"gpuaug/_kernels/{path.relative_to(CHECKOUT / 'kernels')}" for path in sources} <= set(names)


def test_holds_the_compiled_kernels_without_a_python_tag(names):
    compiled = sorted(name for name in names if name.endswith(".so"))
    if not any(map(shutil.which, ("c++", "g++", "clang++"))):
        pytest.skip("no C++ compiler here")
    assert compiled in (["gpuaug/_cpu_v2.so", "gpuaug/_cpu_v3.so", "gpuaug/_cpu_v4.so"], ["gpuaug/_cpu_base.so"])


def test_tag_is_any_python_on_this_platform(wheel):
    assert re.fullmatch(r"gpuaug-[^-]+-py3-none-(?!any)\w+\.whl", wheel.name)


def test_metadata(wheel, names):
    (path,) = [name for name in names if name.endswith("dist-info/METADATA")]
    with zipfile.ZipFile(wheel) as archive:
        metadata = email.message_from_bytes(archive.read(path))
    required = [line for line in metadata.get_all("Requires-Dist") if "extra ==" not in line]
    assert sorted(re.match(r"\w+", line).group() for line in required) == ["numpy", "pillow", "torch"]
    assert {"cuda12", "cuda13", "albumentations", "bench", "test", "dev"} <= set(metadata.get_all("Provides-Extra"))
    assert metadata["License-Expression"] == "Apache-2.0"
    assert any(name.endswith("/LICENSE") for name in names)


def test_works_away_from_the_checkout(wheel, tmp_path):
    target = tmp_path / "site"
    pip("install", "--no-deps", "--target", target, wheel)
    program = f"""
import sys
sys.path.insert(0, {str(target)!r})
import gpuaug, gpuaug.compose
from pathlib import Path
print(Path(gpuaug.__file__).parent)
print(sorted(path.name for path in (Path(gpuaug.__file__).parent / "_kernels").glob("*.cuh")))
import numpy as np
image = np.arange(2 * 3 * 3, dtype=np.uint8).reshape(2, 3, 3)
out = gpuaug.Compose([gpuaug.HorizontalFlip(p=1)], seed=0)(image=image)["image"]
assert (out == image[:, ::-1]).all(), out
"""
    done = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr
    folder, kernels = done.stdout.splitlines()
    assert folder == str(target / "gpuaug")
    assert "lang.cuh" in kernels


def test_without_a_compiler_the_build_fails_and_says_what_is_missing(tmp_path):
    """A wheel without the library would be kept by pip, and given back when a compiler is there."""
    copy = tmp_path / "source"
    shutil.copytree(CHECKOUT / "gpuaug", copy / "gpuaug", ignore=shutil.ignore_patterns("__pycache__", "*.so"))
    (copy / "kernels").mkdir()
    (copy / "kernels" / "any.cpp").write_text("int unused;\n")
    shutil.copy2(CHECKOUT / "setup.py", copy)
    done = subprocess.run(
        [sys.executable, "setup.py", "--quiet", "build_ext", "--inplace"],
        cwd=copy, capture_output=True, text=True, check=False,
        env={"PATH": str(tmp_path / "empty"), "CC": "no-such-cc", "CXX": "no-such-c++"},
    )  # fmt: skip
    assert done.returncode != 0
    assert not list((copy / "gpuaug").glob("*.so"))
    for words in ("no-such-c++", "apt install g++", "dnf install", "conda install", "run the same command again"):
        assert words in done.stderr


def test_make_looks_for_a_compiler_before_it_downloads(tmp_path):
    done = subprocess.run(
        [sys.executable, CHECKOUT / "gpuaug" / "_toolchain.py"], capture_output=True, text=True, check=False,
        env={"PATH": str(tmp_path), "CXX": "no-such-c++"},
    )  # fmt: skip
    assert done.returncode == 1
    assert "looked for no-such-c++" in done.stderr
    makefile = (CHECKOUT / "Makefile").read_text()
    assert makefile.index("$(PYTHON) gpuaug/_toolchain.py") < makefile.index("\t$(PIP)")


def test_what_takes_long_says_so(capsys):
    said = ""
    with telling("compiling", every=0.01):
        while "\n" not in said:
            time.sleep(0.01)
            said += capsys.readouterr().err
    assert re.match(r"compiling, for \d+ s\n", said)
