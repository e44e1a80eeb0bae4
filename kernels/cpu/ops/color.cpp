#include "op_color.cuh"
#define AUG_GROUP AUG_OPS_COLOR
#include "cpu/operations.hpp"
