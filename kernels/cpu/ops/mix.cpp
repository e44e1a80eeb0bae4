#include "op_mix.cuh"
#define AUG_GROUP AUG_OPS_MIX
#include "cpu/operations.hpp"
