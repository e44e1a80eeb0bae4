#include "program.gen.cuh"
#define AUG_GROUP AUG_OPS_VALUES
#include "cpu/operations.hpp"
