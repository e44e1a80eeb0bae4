#include "op_grain.cuh"
#define AUG_GROUP AUG_OPS_GRAIN
#include "cpu/operations.hpp"
