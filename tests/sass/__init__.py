"""Executes the SASS of the CUDA kernels on the CPU, and counts: what a GPU would issue and ask of its memory, without one.

`Device` stands in for a GPU in `gpuaug.backends.cuda.run`; `Cubin` is a kernel, `Machine` runs some of its blocks.
An instruction that it does not know raises `Unknown`, with its name; an access that a GPU would stop for raises `Fault`.
"""

from . import access, bits, control, floats, halves, integer  # noqa: F401  they fill the table of instructions
from .cubin import Cubin, Unknown, missing
from .execute import OPCODES, Machine
from .memory import Fault, Memory

__all__ = ["OPCODES", "Cubin", "Fault", "Machine", "Memory", "Unknown", "missing"]
