#include "op_hls.cuh"
#define AUG_GROUP AUG_OPS_HLS
#include "cpu/operations.hpp"
