#include "op_tone.cuh"
#define AUG_GROUP AUG_OPS_TONE
#include "cpu/operations.hpp"
