// program.cuh: the operations of a sample, one after the other, for a GPU; kernels/cpu/program.cpp has them for a CPU. An operation is
// the same for all pixels of a sample, so the switch is uniform.
//
// GPUAUG_OPS: 64-bit words, a bit for each code; a kernel holds the operations of its pipeline only, so that its registers do not
// grow with the library. Without it, all.
#pragma once
#include "dispatch.gen.cuh"
#include "pixel.cuh"
namespace aug {

constexpr bool is_built(int code) {
#ifdef GPUAUG_OPS
  constexpr u64 words[] = {GPUAUG_OPS};
  return code / 64 < (int)(sizeof words / sizeof *words) && (words[code / 64] >> code % 64 & 1) != 0;
#else
  return code > 0;
#endif
}

// Is there an operation that needs more registers than four pixels leave it? tests/test_cuda_compile.py finds those that would spill.
constexpr bool is_wide() {
  constexpr int codes[] = {OP_DIFFERS, OP_UNSHARP, OP_ADD,    OP_FANCY,  OP_ISO,  OP_PIXELS, OP_ADDITIVE,
                           OP_SPECKLE, OP_SHOT,    OP_SCREEN, OP_SPLASH, OP_ZOOM, OP_UNBLUR, OP_MULTIPLY};
  for (int code : codes)
    if (is_built(code)) return true;
  return false;
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

template <class G, int C> AUG void program(G g, const Fused& f, const Row& s, int c0, Pixels<G, C>& px) {
  const Sample sample = {f.blob, f.found, f.channels, c0, s.layers};
  for (int k = s.ops, end = k + s.n_ops; k < end; ++k) apply(g, f.ops[k], sample, px);
}

}  // namespace aug
