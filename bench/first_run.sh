#!/bin/sh
# The first minutes on a card: bash bench/first_run.sh [folder for the results]. At most 9 minutes; nothing is installed or downloaded.
# It needs python3 with torch, CuPy, OpenCV and pytest, and the compiled library (gpuaug/_cpu_v*.so) beside the sources. Kernels that
# `PYTHONPATH=.:tests GPUAUG_CACHE_DIR=build/first_run python3 -m emu.prewarm sm_90` put there need not be compiled here.
cd "$(dirname "$0")/.." || exit 1
OUT=${1:-${OUT:-build/first_run_results}}
mkdir -p "$OUT" build/first_run
export PYTHONPATH="$PWD:$PWD/tests" PYTHONUNBUFFERED=1 GPUAUG_CACHE_DIR="$PWD/build/first_run" NO_ALBUMENTATIONS_UPDATE=1
PYTHON=${PYTHON:-python3}
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

METRICS=gpu__time_duration.sum,smsp__inst_executed.sum,smsp__issue_active.avg.pct_of_peak_sustained_active
METRICS=$METRICS,sm__warps_active.avg.pct_of_peak_sustained_active,dram__bytes_read.sum,dram__bytes_write.sum
METRICS=$METRICS,lts__t_sectors_op_write.sum,l1tex__t_requests_pipe_lsu_mem_global_op_ld.sum
METRICS=$METRICS,l1tex__t_sectors_pipe_lsu_mem_global_op_ld.sum,l1tex__data_pipe_lsu_wavefronts.sum
METRICS=$METRICS,sm__inst_executed_pipe_alu.sum,sm__inst_executed_pipe_fma.sum,sm__inst_executed_pipe_xu.sum
KINDS='regex:^(filter|fused|lookup|rank|reduce|resample)_'

tool nvidia-smi machine 15 nvidia-smi --query-gpu=name,driver_version,clocks.sm,clocks.max.sm,clocks.mem --format=csv
step versions 60 "$PYTHON" -c "
import sys, torch, cupy
from gpuaug import library
from gpuaug.backends import cuda, missing, nvrtc
print('python', sys.version.split()[0], 'torch', torch.__version__, 'cupy', cupy.__version__, 'nvrtc', nvrtc._version())
print('driver', missing.driver_version(), 'library', library.load().path.name, 'kernels compiled before', len(list(nvrtc.cache_folder().glob('*.bin'))))
print(cuda.problem() or 'a GPU can be used')
sys.exit(cuda.problem() is not None)"
case "$failed" in *versions*) echo "stopped: see $OUT/versions.txt"; exit 1 ;; esac
step tests 150 "$PYTHON" -m pytest tests/test_gpu.py -m gpu -q -p no:cacheprovider
step time 120 "$PYTHON" -m bench.gpu --counts --rounds 15 --out "$OUT/gpu.json"
tool ncu ncu 110 ncu --clock-control none --kernel-name "$KINDS" --csv --metrics "$METRICS" "$PYTHON" -m bench.gpu --once --batch 256
tool compute-sanitizer memcheck 80 compute-sanitizer --tool memcheck --error-exitcode 9 "$PYTHON" -m bench.gpu --once --batch 2
echo "kernels after: $(find build/first_run -name '*.bin' | wc -l) (more than before: they were not compiled beforehand, or for another NVRTC)"
echo "results: $OUT${failed:+; failed:$failed}"
[ -z "$failed" ]
