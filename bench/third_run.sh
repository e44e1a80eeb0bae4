#!/bin/sh
# After bench/second_run.sh: bash bench/third_run.sh [folder for the results]. At most 9 minutes; bench/card.sh says what it needs.
# The loader's road to the card: decoding by DALI, where nvidia-dali is, and the loader with it, both beside the CPU; then the seconds
# of its parts. The JPEGs are those of build/first_run/photographs (make card), or made here where scikit-image or scikit-learn is.
# shellcheck source=bench/card.sh
. "$(dirname "$0")/card.sh"
PHOTOGRAPHS=$CARRIED/photographs

machine
package nvidia.dali decoding 90 "$PYTHON" -m bench.parts --only decoding --device "$DEVICE" --folder "$PHOTOGRAPHS" --out "$OUT/decoding.json"
step loading 120 "$PYTHON" -m bench.parts --only loading --device "$DEVICE" --folder "$PHOTOGRAPHS" --out "$OUT/loading.json"
package nvidia.dali operator 60 "$PYTHON" -m pytest tests/interop/test_dali.py -m gpu -q -p no:cacheprovider
step parts 180 "$PYTHON" -m bench.loader --only parts --device "$DEVICE" --folder "$PHOTOGRAPHS" --count 512 --rounds 5 --out "$OUT/loader.json"
finish
