#include "op_noise.cuh"
#define AUG_GROUP AUG_OPS_NOISE
#include "cpu/operations.hpp"
