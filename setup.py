"""Builds gpuaug: the Python package, the kernel sources, and the compiled library.

The library holds the kernels for the CPU and what prepares a batch for any device. It is a shared library with a plain C
ABI, loaded with ctypes: it is compiled against neither Python's headers nor torch's, so one wheel serves every Python 3.
It is compiled once for each instruction set; the best one that the processor has is chosen when it is first used. Where
it cannot be compiled the build fails and says what to install: pip would keep a wheel without it, and give it back later.
"""

import os
import platform
import re
import runpy
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

from setuptools import Extension, find_packages, setup
from setuptools.command.bdist_wheel import bdist_wheel
from setuptools.command.build_ext import build_ext
from setuptools.errors import CCompilerError, ExecError

HERE = Path(__file__).resolve().parent
TOOLCHAIN = runpy.run_path(str(HERE / "gpuaug" / "_toolchain.py"))  # by path: importing gpuaug would import torch

FLAGS = [
    "-std=c++17",
    "-O3",
    "-g0",
    "-pthread",
    "-fopenmp-simd",  # the pragmas only: libgomp's threads do not survive the fork of a DataLoader worker
    "-fno-math-errno",
    "-fno-trapping-math",
    "-fno-signed-zeros",
    "-ffp-contract=off",  # fused multiply-adds are explicit in the source, so that CPU and GPU round alike
    "-fvisibility=hidden",
]
if sys.platform == "win32":
    VARIANTS = {}  # the kernels use attributes of GCC and Clang; DALI has no Windows build either: WSL has both
elif platform.machine().lower() in ("x86_64", "amd64"):
    # v2 (SSE4.2) is the baseline: DALI and torch do not run on less
    VARIANTS = {f"v{level}": [f"-march=x86-64-v{level}"] for level in (2, 3, 4)}
    VARIANTS["v4"].append("-mprefer-vector-width=512")  # 10 % on colour, blur and noise
else:
    VARIANTS = {"base": []}  # arm64: NEON is part of the baseline
if os.environ.get("GPUAUG_VARIANTS"):  # for work on the kernels: GPUAUG_VARIANTS=v3 make compiles a third
    VARIANTS = {name: flags for name, flags in VARIANTS.items() if name in os.environ["GPUAUG_VARIANTS"].split(",")}


def extensions():
    sources = sorted(f"kernels/{path.name}" for path in (HERE / "kernels").glob("*.cpp"))
    headers = [path for suffix in ("*.cuh", "*.hpp") for path in (HERE / "kernels").glob(suffix)]
    depends = [f"kernels/{path.name}" for path in headers] + ["setup.py"]
    if not sources:
        return []
    return [
        Extension(
            f"gpuaug._cpu_{name}",
            sources,
            depends=depends,
            include_dirs=["kernels"],
            extra_compile_args=[*FLAGS, *flags, f'-DGPUAUG_SOURCES="{TOOLCHAIN["sources_hash"](HERE / "kernels")}"'],
            extra_link_args=["-pthread"],
            language="c++",
            optional=True,  # one of several: `run` fails if none was built
        )
        for name, flags in VARIANTS.items()
    ]


def included(path):
    """A source and all headers beside it that it includes."""
    found, waiting = set(), [path]
    while waiting:
        path = waiting.pop()
        if path not in found:
            found.add(path)
            waiting += [path.parent / name for name in re.findall(r'#include "(.+)"', path.read_text())]
    return found


class BuildKernels(build_ext):
    """Compiles the variants, two at a time: each is one large file that takes the compiler about a minute."""

    def initialize_options(self):
        super().initialize_options()
        self.reasons = {}

    def finalize_options(self):
        super().finalize_options()
        if self.parallel is None:
            self.parallel = min(2, os.cpu_count() or 1)

    def get_ext_filename(self, fullname):
        """gpuaug/_cpu_v3.so: no Python tag, since no Python ABI."""
        return fullname.replace(".", "/") + ".so"

    def get_export_symbols(self, ext):
        """No PyInit_: it is no Python module."""
        return ext.export_symbols

    def run(self):
        configured = os.environ.get("CXX") or sysconfig.get_config_var("CXX") or "c++"
        if not shutil.which(configured.split()[0]) and "CXX" not in os.environ:
            found = next((name for name in ("g++", "clang++", "c++") if shutil.which(name)), None)
            if found:
                os.environ["CXX"] = found
        with TOOLCHAIN["telling"]("gpuaug: still compiling"):
            super().run()
        if self.reasons and len(self.reasons) == len(self.extensions):
            raise SystemExit(f"\ngpuaug: {self.explain()}\n")
        if self.reasons:  # an old compiler that does not know the newest instructions: slower, but all there
            print(f"\ngpuaug: {self.explain()}\n", file=sys.stderr)

    def build_extension(self, ext):
        # distutils' own version shares one build_temp: the variants' objects would overwrite one another
        target = Path(self.get_ext_fullpath(ext.name))
        checkout = HERE / self.get_ext_filename(ext.name)
        newest = max(os.path.getmtime(path) for path in [*ext.sources, *ext.depends])
        target.parent.mkdir(parents=True, exist_ok=True)
        for built in {target, checkout}:  # pip gives every editable install a fresh build folder
            if not self.force and built.exists() and built.stat().st_mtime > newest:
                if built != target:
                    self.copy_file(str(built), str(target))
                return
        print(f"gpuaug: compiling the library ({ext.name.rpartition('_')[2]}), about a minute", file=sys.stderr, flush=True)
        try:
            objects = [self.compile_one(source, ext) for source in ext.sources]
            self.compiler.link_shared_object(objects, str(target), extra_postargs=ext.extra_link_args, target_lang="c++")
        except (CCompilerError, ExecError) as error:
            self.reasons[ext.name] = str(error)
            for stale in (target, checkout):
                stale.unlink(missing_ok=True)

    def compile_one(self, source, ext):
        """The object of a source, or an older one if nothing that it is made of is newer (kernels take 45 s)."""
        made = Path(self.build_temp) / ext.name / Path(source).with_suffix(".o")
        # host.cpp holds the hash of all of them
        parts = included(HERE / source) if "cpu" in source else {HERE / path for path in [*ext.sources, *ext.depends]}
        parts.add(HERE / "setup.py")
        if self.force or not made.exists() or made.stat().st_mtime < max(path.stat().st_mtime for path in parts):
            self.compiler.compile(
                [source],
                output_dir=str(Path(self.build_temp) / ext.name),
                include_dirs=ext.include_dirs,
                extra_postargs=ext.extra_compile_args,
            )
        return str(made)

    def explain(self):
        compiler = (getattr(self.compiler, "compiler_cxx", None) or ["c++"])[0]
        names = ", ".join(sorted(name.split("_cpu_")[1] for name in self.reasons))
        if not shutil.which(compiler):
            return TOOLCHAIN["no_compiler"](compiler)
        version = subprocess.run([compiler, "--version"], capture_output=True, text=True, check=False).stdout
        return TOOLCHAIN["compiler_failed"](
            names, (version.splitlines() or [compiler])[0], "; ".join(sorted(set(self.reasons.values())))
        )


class Wheel(bdist_wheel):
    def get_tag(self):
        """Any Python 3, this platform."""
        return "py3", "none", super().get_tag()[2]


def read(name):
    path = HERE / name
    return path.read_text(encoding="utf-8") if path.exists() else ""


# dali, cupy and torch have to speak of the same CUDA major version; cupy 14 takes numpy 2 or newer
EXTRAS = {
    "cuda12": ["nvidia-dali-cuda120>=2.4,<3", "cupy-cuda12x>=14,<15"],
    "cuda13": ["nvidia-dali-cuda130>=2.4,<3", "cupy-cuda13x>=14,<15"],
    "albumentations": ["albumentations>=2.0.8,<2.1", "opencv-python-headless>=4.9"],
    "audio": ["torchaudio"],
    "kornia": ["kornia>=0.8"],
    "cli": ["typer>=0.12", "rich>=13"],
    "webdataset": ["webdataset>=1.0,<2"],
    "huggingface": ["datasets>=3,<6"],
    "ray": ["ray[data]>=2.9,<3"],
    "lightning": ["lightning>=2.2,<3"],
}
EXTRAS["demo"] = EXTRAS["cli"] + EXTRAS["albumentations"] + ["scikit-learn>=1.4", "scikit-image>=0.22"]
EXTRAS["bench"] = EXTRAS["demo"] + EXTRAS["audio"] + EXTRAS["kornia"] + ["torchvision"]
EXTRAS["test"] = (
    EXTRAS["bench"] + EXTRAS["webdataset"] + EXTRAS["huggingface"] + EXTRAS["ray"] + EXTRAS["lightning"]
    + ["pytest>=8", "hypothesis>=6", "scipy>=1.11", "setuptools>=77", "torchdata>=0.11", "accelerate>=1.10", "pandas>=2"]
)  # fmt: skip
EXTRAS["dev"] = EXTRAS["test"] + ["ruff==0.17.6", "clang-format==20.1.8"]  # another version formats otherwise

setup(
    name="gpuaug",
    version=re.search(r"__version__ = \"(.+)\"", read("gpuaug/__init__.py")).group(1),
    description="Image and spectrogram augmentation on the GPU, with compiled kernels for the CPU as fallback",
    long_description=read("README.md"),
    long_description_content_type="text/markdown",
    author="the gpuaug authors",
    license_expression="Apache-2.0",
    license_files=["LICENSE"],
    python_requires=">=3.10",
    packages=[*find_packages(include=["gpuaug", "gpuaug.*"]), "gpuaug._kernels"],
    package_dir={"gpuaug._kernels": "kernels"},
    package_data={"gpuaug._kernels": ["*.cuh", "*.cu", "*.hpp", "*.cpp"]},
    ext_modules=extensions(),
    # the lowest versions were run together: constraints-lowest.txt says how; torch 2.6 is the first with DataLoader(in_order=)
    install_requires=["numpy>=1.26", "torch>=2.6", "pillow>=10"],
    extras_require=EXTRAS,
    entry_points={"console_scripts": ["gpuaug = gpuaug.cli:main"]},
    cmdclass={"build_ext": BuildKernels, "bdist_wheel": Wheel},
    zip_safe=False,
)
