// pixel.cuh: the pixel program: which function works for which operation of gpuaug/ops.py. An operation is the same for all
// pixels of a sample, so the switch is uniform.
//
// Images of uint8 keep whole numbers 0..255 in their lanes: an operation on them ends with the rounding or truncation of its
// reference, so that a fused program equals the steps one by one.
//
// GPUAUG_OPS: 64-bit words, a bit for each code; a kernel for the GPU holds the operations of its pipeline only, so that its
// registers do not grow with the library. Without it, all.
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
namespace aug {

constexpr bool is_built(int code) {
#ifdef GPUAUG_OPS
  constexpr u64 words[] = {GPUAUG_OPS};
  return code / 64 < (int)(sizeof words / sizeof *words) && (words[code / 64] >> code % 64 & 1) != 0;
#else
  return code > 0;
#endif
}

template <class G, int C> AUG void op_move(G g, const MoveOp& p, const Op&, const Sample&, Pixels<G, C>& px) {
  g.each([&](Lane l) {
    const int x = px.x[l], y = px.y[l];
    px.x[l] = p.a * x + p.b * y + p.x;
    px.y[l] = p.c * x + p.d * y + p.y;
  });
}

template <class G, int C> AUG void apply(G g, const Op& op, const Sample& s, Pixels<G, C>& px) {
  switch (op.code) {
#define AUG_CASE(CODE, FUNCTION, PARAMS, CHANNELS)                                                                  \
  case CODE:                                                                                                        \
    if constexpr (is_built(CODE) && (CHANNELS == 0 || CHANNELS == C)) FUNCTION(g, *(const PARAMS*)op.p, op, s, px); \
    break;
    AUG_OPS(AUG_CASE)
#undef AUG_CASE
    default: break;
  }
}

}  // namespace aug
