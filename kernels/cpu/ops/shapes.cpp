#include "op_shapes.cuh"
#define AUG_GROUP AUG_OPS_SHAPES
#include "cpu/operations.hpp"
