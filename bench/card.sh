#!/bin/sh
# What the runs on a card share; first_run.sh, second_run.sh and third_run.sh source it.
#
# Nothing is installed or downloaded. A run needs python3 with torch, CuPy, OpenCV and pytest, and the compiled library
# (gpuaug/_cpu_v*.so) beside the sources; what else it would use is named where it is missing, and left out. build/first_run is
# carried along (docs/gpu.md says what fills it). Each step's output is a file of the results' folder: the script's argument, or $OUT.
# DEVICE=cpu tries a script where there is no card: steps that have nothing to do without one say so.
cd "$(dirname "$0")/.." || exit 1
NAME=$(basename "$0" .sh)
OUT=${1:-${OUT:-build/${NAME}_results}}
DEVICE=${DEVICE:-cuda}
PYTHON=${PYTHON:-python3}
CARRIED=build/first_run
mkdir -p "$OUT" "$CARRIED"
export PYTHONPATH="$PWD:$PWD/tests" PYTHONUNBUFFERED=1 GPUAUG_CACHE_DIR="$PWD/$CARRIED" NO_ALBUMENTATIONS_UPDATE=1
failed=""

step() { # name, seconds, command
    name=$1 limit=$2
    shift 2
    begun=$(date +%s)
    echo "=== $name"
    timeout "$limit" "$@" >"$OUT/$name.txt" 2>&1
    code=$?
    tail -n "${LINES_SHOWN:-15}" "$OUT/$name.txt"
    echo "--- $name: rc $code after $(($(date +%s) - begun)) s of $limit"
    [ $code -eq 0 ] || failed="$failed $name"
}

tool() { # a step for a tool that may be missing: its name, then as `step`
    if command -v "$1" >/dev/null; then shift; step "$@"; else echo "=== $2: $1 is not installed, left out"; fi
}

package() { # a step for a Python package that may be missing: its name, then as `step`
    wanted=$1
    shift
    if "$PYTHON" -c "import $wanted" 2>/dev/null; then step "$@"; else echo "=== $1: $wanted is not installed, left out"; fi
}

machine() { # the card and the versions; without a card that can be used the run ends here
    tool nvidia-smi machine 15 nvidia-smi --query-gpu=name,driver_version,clocks.sm,clocks.max.sm,clocks.mem --format=csv
    step versions 60 "$PYTHON" -c "
import sys, torch, cupy
from gpuaug import library
from gpuaug.backends import cuda, missing, nvrtc
print('python', sys.version.split()[0], 'torch', torch.__version__, 'cupy', cupy.__version__, 'nvrtc', nvrtc._version())
print('driver', missing.driver_version(), 'library', library.load().path.name, 'kernels compiled before', len(list(nvrtc.cache_folder().glob('*.bin'))))
print(cuda.problem() or 'a GPU can be used')
sys.exit(sys.argv[1] == 'cuda' and cuda.problem() is not None)" "$DEVICE"
    case "$failed" in *versions*) echo "stopped: see $OUT/versions.txt"; exit 1 ;; esac
}

finish() {
    echo "kernels after: $(find "$CARRIED" -name '*.bin' | wc -l) (more than before: they were not compiled beforehand, or for another NVRTC)"
    echo "results: $OUT${failed:+; failed:$failed}"
    [ -z "$failed" ]
}
