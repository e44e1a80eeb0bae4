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
from concurrent.futures import ThreadPoolExecutor
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
WANTED = os.environ.get("GPUAUG_VARIANTS") or "all"  # or names, "v3,v4", or "native": the best that this processor runs
if WANTED != "all":
    names = TOOLCHAIN["variants"]()[:1] if WANTED == "native" else WANTED.split(",")
    VARIANTS = {name: flags for name, flags in VARIANTS.items() if name in names}

# Sources that are compiled several times, as the CUDA files are: for each element type.
_NUMBERS = [f"GPUAUG_IN={name}" for name in ("u8", "f16", "bf16", "float")]
_TYPES = [*_NUMBERS, "GPUAUG_IN=i32"]
PARTS = {
    "cpu/filter.cpp": _NUMBERS,
    "cpu/load.cpp": _TYPES,
    "cpu/rank.cpp": _TYPES,
    "cpu/reduce.cpp": _NUMBERS,
    "cpu/resample.cpp": _NUMBERS,
    "cpu/scaled.cpp": _NUMBERS,
    "cpu/store.cpp": _TYPES,
}


def extensions():
    sources = sorted(str(path.relative_to(HERE)) for path in (HERE / "kernels").rglob("*.cpp"))
    return [
        Extension(
            f"gpuaug._cpu_{name}",
            sources,
            include_dirs=["kernels"],
            extra_compile_args=[*FLAGS, *flags],
            extra_link_args=["-pthread"],
            language="c++",
            optional=True,  # one of several: `run` fails if none was built
        )
        for name, flags in VARIANTS.items()
        if sources
    ]


def included(path):
    """A source and all headers of kernels/ that it includes."""
    found, waiting = set(), [path]
    while waiting:
        path = waiting.pop()
        if path not in found:
            found.add(path)
            for name in re.findall(r'#include "(.+)"', path.read_text()):
                waiting.append(next(at for at in (path.parent / name, HERE / "kernels" / name) if at.exists()))
    return found


class Object:
    """One source compiled once: for one variant, and one element type."""

    def __init__(self, ext, source, part, folder):
        self.ext, self.source, self.part = ext, source, part
        self.folder = Path(folder) / ext.name / part.partition("=")[2]
        self.path = (self.folder / source).with_suffix(".o")
        self.defines = [part] if part else []
        if Path(source).name == "sources.cpp":  # the only file that holds the hash of all: it alone hangs on each of them
            self.defines.append(f'GPUAUG_SOURCES="{TOOLCHAIN["sources_hash"](HERE / "kernels")}"')
            self.made_of = [path for path in (HERE / "kernels").rglob("*") if path.suffix in (".cpp", ".hpp", ".cuh")]
        else:
            self.made_of = included(HERE / source)

    def newest(self):
        return max(path.stat().st_mtime for path in [*self.made_of, HERE / "setup.py"])

    def compile(self, compiler):
        compiler.compile(
            [self.source],
            output_dir=str(self.folder),
            include_dirs=self.ext.include_dirs,
            extra_postargs=[*self.ext.extra_compile_args, *(f"-D{define}" for define in self.defines)],
        )


class BuildKernels(build_ext):
    """Compiles what a change asks for, two files at a time, and links the variants. `included` tells what hangs on what."""

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

    def build_extensions(self):
        wanted = []  # (extension, where its library goes, its objects)
        for ext in self.extensions:
            objects = [
                Object(ext, source, part, self.build_temp)
                for source in ext.sources
                for part in PARTS.get(source.removeprefix("kernels/"), [""])
            ]
            target = Path(self.get_ext_fullpath(ext.name))
            if not self.is_built(ext, target, max(made.newest() for made in objects)):
                wanted.append((ext, target, objects))
        stale = [
            made
            for _, _, objects in wanted
            for made in objects
            if self.force or not made.path.exists() or made.path.stat().st_mtime < made.newest()
        ]
        if wanted:
            names = ", ".join(ext.name.rpartition("_")[2] for ext, _, _ in wanted)
            print(f"gpuaug: compiling the library ({names}), {len(stale)} files", file=sys.stderr, flush=True)
        with ThreadPoolExecutor(self.parallel) as pool:
            list(pool.map(self.compile_one, stale))
        for ext, target, objects in wanted:
            try:
                if ext.name not in self.reasons:
                    target.parent.mkdir(parents=True, exist_ok=True)
                    paths = [str(made.path) for made in objects]
                    self.compiler.link_shared_object(paths, str(target), extra_postargs=ext.extra_link_args, target_lang="c++")
            except (CCompilerError, ExecError) as error:
                self.reasons[ext.name] = str(error)
            if ext.name in self.reasons:
                for path in (target, HERE / self.get_ext_filename(ext.name)):
                    path.unlink(missing_ok=True)

    def is_built(self, ext, target, newest):
        """Is the library newer than all that it is made of, at its place or in the checkout? It is then copied to its place."""
        for built in dict.fromkeys((target, HERE / self.get_ext_filename(ext.name))):  # pip's editable installs build elsewhere
            if not self.force and built.exists() and built.stat().st_mtime > newest:
                if built != target:
                    target.parent.mkdir(parents=True, exist_ok=True)
                    self.copy_file(str(built), str(target))
                return True
        return False

    def compile_one(self, made):
        if made.ext.name not in self.reasons:  # a variant that one file of does not compile is not made
            try:
                made.compile(self.compiler)
            except (CCompilerError, ExecError) as error:
                self.reasons[made.ext.name] = str(error)

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
    "yaml": ["pyyaml>=6"],
    "cli": ["typer>=0.12", "rich>=13", "psutil>=5.9"],
    "pictures": ["matplotlib>=3.8,<4", "scikit-learn>=1.4", "scikit-image>=0.22"],
    "webdataset": ["webdataset>=1.0,<2"],
    "huggingface": ["datasets>=3,<6"],
    "remote": ["fsspec>=2024.2,<2027", "s3fs>=2024.2,<2027", "aiohttp>=3.9,<4"],
    "ray": ["ray[data]>=2.9,<3"],
    "lightning": ["lightning>=2.5,<3"],
    # libjpeg-turbo 3; it has no wheels for other machines and newer Pythons: there that of the system serves
    "fast": ["turbojpeg>=0.0.2,<1; platform_machine in 'x86_64 AMD64' and python_version < '3.14'"],
    "cache": ["pyarrow>=16,<27", "tqdm>=4.60"],
    "parquet": ["pyarrow>=16,<27"],
    "lmdb": ["lmdb>=1.4,<4"],
    "hdf5": ["h5py>=3.10,<4"],
    "litdata": ["litdata>=0.2.70,<0.3"],
    "zarr": ["zarr>=3.1,<4; python_version>='3.11'"],  # zarr 3 has no older ones
}
EXTRAS["formats"] = EXTRAS["parquet"] + EXTRAS["lmdb"] + EXTRAS["hdf5"] + EXTRAS["zarr"]  # without litdata's boto3
EXTRAS["docs"] = EXTRAS["pictures"] + [
    "sphinx>=8,<9",
    "myst-parser>=4,<6",
    "furo>=2024.8",
    "sphinx-copybutton>=0.5",
    "sphinx-design>=0.6",
]
EXTRAS["demo"] = EXTRAS["cli"] + EXTRAS["albumentations"] + EXTRAS["pictures"] + EXTRAS["yaml"] + EXTRAS["fast"]
EXTRAS["explore"] = EXTRAS["cli"] + EXTRAS["pictures"] + EXTRAS["yaml"] + ["nicegui>=3.18,<4"]
EXTRAS["bench"] = EXTRAS["demo"] + EXTRAS["audio"] + EXTRAS["kornia"] + EXTRAS["cache"] + ["torchvision"]
EXTRAS["test"] = (
    EXTRAS["bench"] + EXTRAS["docs"]
    + EXTRAS["yaml"] + EXTRAS["webdataset"] + EXTRAS["huggingface"] + EXTRAS["ray"] + EXTRAS["lightning"]
    + EXTRAS["formats"] + EXTRAS["litdata"] + ["msgpack>=1"]
    + EXTRAS["explore"] + ["playwright>=1.50,<2", "httpx>=0.27"]  # with Debian's chromium, if it is there
    + EXTRAS["remote"] + ["moto[s3,server]>=5,<6"]  # an S3 server on loopback
    + ["pytest>=8", "hypothesis>=6", "scipy>=1.11", "setuptools>=77", "torchdata>=0.11", "accelerate>=1.10", "pandas>=2"]
    + ["timm>=1"]  # for examples/timm_transforms.py
    + ["mypy>=1.15,<3", "nvidia-cuda-cuobjdump>=13,<14", "nvidia-cuda-nvdisasm>=13,<14"]  # they read sm_75 to sm_120 cubins
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
    package_data={
        "gpuaug": ["py.typed", "**/*.pyi"],
        "gpuaug._kernels": ["*.cuh", "*.cu", "*.hpp", "*/*.cuh", "*/*.hpp", "*/*.cpp", "*/*/*.cpp"],
    },
    ext_modules=extensions(),
    # the lowest versions were run together: constraints-lowest.txt says how; torch 2.6 is the first with DataLoader(in_order=)
    install_requires=["numpy>=1.26", "torch>=2.6", "pillow>=10.1"],
    extras_require=EXTRAS,
    entry_points={"console_scripts": ["gpuaug = gpuaug.cli:main"]},
    cmdclass={"build_ext": BuildKernels, "bdist_wheel": Wheel},
    zip_safe=False,
)
