#!/bin/sh
# The first minutes on a card: bash bench/first_run.sh [folder for the results]. At most 9 minutes; bench/card.sh says what it needs.
# Kernels that `make card` made beforehand need not be compiled here.
# shellcheck source=bench/card.sh
. "$(dirname "$0")/card.sh"

METRICS=gpu__time_duration.sum,smsp__inst_executed.sum,smsp__issue_active.avg.pct_of_peak_sustained_active
METRICS=$METRICS,sm__warps_active.avg.pct_of_peak_sustained_active,dram__bytes_read.sum,dram__bytes_write.sum
METRICS=$METRICS,lts__t_sectors_op_write.sum,l1tex__t_requests_pipe_lsu_mem_global_op_ld.sum
METRICS=$METRICS,l1tex__t_sectors_pipe_lsu_mem_global_op_ld.sum,l1tex__data_pipe_lsu_wavefronts.sum
METRICS=$METRICS,sm__inst_executed_pipe_alu.sum,sm__inst_executed_pipe_fma.sum,sm__inst_executed_pipe_xu.sum
KINDS='regex:^(filter|fused|lookup|rank|reduce|resample)_'

machine
step tests 150 "$PYTHON" -m pytest tests/test_gpu.py -m gpu -q -p no:cacheprovider
step time 120 "$PYTHON" -m bench.gpu --counts --peers none --rounds 15 --out "$OUT/gpu.json"
tool ncu ncu 110 ncu --clock-control none --kernel-name "$KINDS" --csv --metrics "$METRICS" "$PYTHON" -m bench.gpu --once --batch 256
tool compute-sanitizer memcheck 80 compute-sanitizer --tool memcheck --error-exitcode 9 "$PYTHON" -m bench.gpu --once --batch 2
finish
