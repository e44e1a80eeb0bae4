"""Programs that start others, and what they need: ended with all below them whatever happens, and a port that nobody takes."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import socket
import subprocess
from pathlib import Path

PATIENCE = 600  # seconds: against hanging only


def family(pid: int) -> list[int]:
    """A process and all below it."""
    parents = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            parents[int(stat.parent.name)] = int(stat.read_text().rpartition(")")[2].split()[1])
    found = [pid]
    for one in found:
        found += [child for child, parent in parents.items() if parent == one]
    return found


def kill(process: subprocess.Popen) -> None:
    """End a process and all below it at once; torchrun gives each rank a process group of its own."""
    for pid in family(process.pid):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    process.wait()


@contextlib.contextmanager
def ending():
    """A list of processes; those that still run at the end of the block are killed, however it ends."""
    started: list[subprocess.Popen] = []
    try:
        yield started
    finally:
        for process in started:
            if process.poll() is None:
                kill(process)


def finished(command: list, seconds: float = PATIENCE, **how) -> subprocess.CompletedProcess:
    """As `subprocess.run`, which leaves the processes of one that hangs."""
    with ending() as started:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **how)
        started.append(process)
        out, errors = process.communicate(timeout=seconds)
    return subprocess.CompletedProcess(command, process.returncode, out, errors)


def forked(function, seconds: float = 60) -> int | None:
    """What a forked process ends with, the function's result; None for one that still runs after so long, and is killed."""
    process = multiprocessing.get_context("fork").Process(target=lambda: os._exit(function()))
    process.start()
    process.join(seconds)
    left = process.exitcode
    process.kill()
    return left


@contextlib.contextmanager
def port():
    """A port's number. Nobody is given it meanwhile, and a server that asks for it finds it free: both allow to use it again."""
    with socket.socket() as held:
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        held.bind(("", 0))
        yield held.getsockname()[1]
