#include "op_field.cuh"
#define AUG_GROUP AUG_OPS_FIELD
#include "cpu/operations.hpp"
