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

template <int... CODES> constexpr bool is_any_built() { return (is_built(CODES) || ...); }

// How many blocks of 256 threads a multiprocessor shall hold: 4 leave a thread 64 registers, which suffice for most views, 3 leave 80,
// for most gathers, 2 leave 128. tests/test_cuda_compile.py finds what would spill.
template <int C, int SAMPLE> constexpr int blocks() {
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 1000
  constexpr bool later = true;
#else
  constexpr bool later = false;
#endif
  constexpr bool four = C == 4, view = SAMPLE < 0;
  if (is_any_built<OP_ADDITIVE, OP_ZOOM>() || (four && is_any_built<OP_UNSHARP, OP_FANCY, OP_SHOT>())) return 2;
  if (view) {
    if (later && is_built(OP_SHOT)) return 2;
    if (is_any_built<OP_UNSHARP, OP_ADD, OP_ISO, OP_SPECKLE, OP_SHOT, OP_SCREEN, OP_SPLASH, OP_PIXELS>()) return 3;
    return four && is_any_built<OP_DIFFERS, OP_UNBLUR>() ? 3 : 4;
  }
  if (is_any_built<OP_UNSHARP, OP_SHOT>() || (SAMPLE >= 2 && is_any_built<OP_ISO, OP_SPLASH>())) return 2;
  if (four && (SAMPLE >= 2 || is_any_built<OP_PIXELS, OP_MULTIPLY, OP_GAUSS>())) return 2;
  return later && is_any_built<OP_ADD, OP_ISO, OP_SCREEN, OP_SPLASH>() ? 2 : 3;
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
