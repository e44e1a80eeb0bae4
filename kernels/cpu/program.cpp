// program.cpp: the pixel operations, for one width of a chunk of channels. Each has a function of its own, found in a table: the
// registers and the stack that one needs are no other's business, and a library of ten times as many runs each of them as fast.
#include "pixel.cuh"
#include "parts.hpp"
namespace aug {

namespace {

template <int C> void nothing(const Op&, const Sample&, Pixels<G, C>&) {}

#define AUG_RUN(CODE, FUNCTION, PARAMS, CHANNELS)                                                                            \
  template <int C> __attribute__((noinline, flatten)) void run_##FUNCTION(const Op& op, const Sample& s, Pixels<G, C>& px) { \
    if constexpr (CHANNELS == 0 || CHANNELS == C) FUNCTION(G(), *(const PARAMS*)op.p, op, s, px);                            \
  }
AUG_OPS(AUG_RUN)
#undef AUG_RUN

// by their codes, of which LUT_OPS has a byte for each
#define AUG_ENTRY(CODE, FUNCTION, PARAMS, CHANNELS) run_##FUNCTION<C>,
template <int C>
constexpr void (*RUN[sizeof LUT_OPS])(const Op&, const Sample&, Pixels<G, C>&) = {nothing<C>, AUG_OPS(AUG_ENTRY)};
#undef AUG_ENTRY

}  // namespace

template <int C> void program_lanes(const Fused& f, const Row& s, int c0, Pixels<G, C>& px) {
  const Sample sample = {f.blob, f.found, f.channels, c0, s.layers};
  for (int k = s.ops; k < s.ops + s.n_ops; ++k) RUN<C>[f.ops[k].code](f.ops[k], sample, px);
}
template void program_lanes<GPUAUG_CHANNELS>(const Fused&, const Row&, int, Pixels<G, GPUAUG_CHANNELS>&);

}  // namespace aug
