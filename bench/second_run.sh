#!/bin/sh
# After bench/first_run.sh: bash bench/second_run.sh [folder for the results]. At most 9 minutes; bench/card.sh says what it needs.
# The engine, every transform and whole chains beside their references, races, and other libraries on the same card. The references
# were computed beforehand (make card): albumentations need not be here.
# shellcheck source=bench/card.sh
. "$(dirname "$0")/card.sh"
REFERENCES=$CARRIED/references.npz

machine
arch=card
[ "$DEVICE" = cuda ] || arch=sm_90
step kernels 60 "$PYTHON" -m emu.prewarm "$arch" "$REFERENCES"
step engine 50 "$PYTHON" -m pytest tests/test_engine.py tests/data/test_mixing.py -m "gpu and card" -q -p no:cacheprovider
step references 50 "$PYTHON" -m frozen.replay "$REFERENCES" --device "$DEVICE" --out "$OUT/parity.json"
once() { # name, seconds: a tool of compute-sanitizer over one call of each kernel
    tool compute-sanitizer "$1" "$2" compute-sanitizer --tool "$1" --error-exitcode 9 "$PYTHON" -m bench.gpu --once --batch 2
}
once racecheck 70
once initcheck 45
once synccheck 45
step peers 145 "$PYTHON" -m bench.gpu --peers alone --batch 256 --rounds 10 --out "$OUT/peers.json"
finish
