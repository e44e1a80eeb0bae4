// pixel.cuh: the functions of all operations of gpuaug/ops.py.
//
// Images of uint8 keep whole numbers 0..255 in their lanes: an operation on them ends with the rounding or truncation of its
// reference, so that a fused program equals the steps one by one.
#pragma once
#include "op_color.cuh"
#include "op_field.cuh"
#include "op_grain.cuh"
#include "op_hls.cuh"
#include "op_layer.cuh"
#include "op_lookup.cuh"
#include "op_mix.cuh"
#include "op_noise.cuh"
#include "op_replace.cuh"
#include "op_scene.cuh"
#include "op_shapes.cuh"
#include "op_space.cuh"
#include "op_tone.cuh"
#include "op_vision.cuh"
#include "program.gen.cuh"
