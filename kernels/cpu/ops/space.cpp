#include "op_space.cuh"
#define AUG_GROUP AUG_OPS_SPACE
#include "cpu/operations.hpp"
