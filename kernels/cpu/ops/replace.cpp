#include "op_replace.cuh"
#define AUG_GROUP AUG_OPS_REPLACE
#include "cpu/operations.hpp"
