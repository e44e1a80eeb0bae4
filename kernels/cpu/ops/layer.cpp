#include "op_layer.cuh"
#define AUG_GROUP AUG_OPS_LAYER
#include "cpu/operations.hpp"
