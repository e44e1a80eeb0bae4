#include "op_lookup.cuh"
#define AUG_GROUP AUG_OPS_LOOKUP
#include "cpu/operations.hpp"
