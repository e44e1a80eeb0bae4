#include "op_scene.cuh"
#define AUG_GROUP AUG_OPS_SCENE
#include "cpu/operations.hpp"
