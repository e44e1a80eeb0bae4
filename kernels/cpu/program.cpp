// program.cpp: a stage's pixel operations, one after the other; their functions are in cpu/ops/.
#include "dispatch.gen.cuh"
#include "ops.gen.cuh"
#include "parts.hpp"
namespace aug {

#define AUG_RUN(CODE, FUNCTION, PARAMS, CHANNELS) template <int C> void run_##FUNCTION(const Op&, const Sample&, Pixels<G, C>&);
AUG_OPS(AUG_RUN)
#undef AUG_RUN

namespace {

template <int C> void nothing(const Op&, const Sample&, Pixels<G, C>&) {}

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
template void program_lanes<1>(const Fused&, const Row&, int, Pixels<G, 1>&);
template void program_lanes<3>(const Fused&, const Row&, int, Pixels<G, 3>&);
template void program_lanes<4>(const Fused&, const Row&, int, Pixels<G, 4>&);

}  // namespace aug
