#include "op_vision.cuh"
#define AUG_GROUP AUG_OPS_VISION
#include "cpu/operations.hpp"
