// operations.hpp: the operations of one header, AUG_GROUP, compiled by themselves: a file of cpu/ops/ for each, so that a change of one
// compiles that one.
//
// Each has a function of its own, found in program.cpp's table: the registers and the stack that one needs are no other's business,
// and a library of ten times as many runs each of them as fast.
#include "dispatch.gen.cuh"
#include "parts.hpp"
namespace aug {

#define AUG_RUN(CODE, FUNCTION, PARAMS, CHANNELS)                                                                            \
  template <int C> __attribute__((noinline, flatten)) void run_##FUNCTION(const Op& op, const Sample& s, Pixels<G, C>& px) { \
    if constexpr (CHANNELS == 0 || CHANNELS == C) FUNCTION(G(), *(const PARAMS*)op.p, op, s, px);                            \
  }                                                                                                                          \
  template void run_##FUNCTION<1>(const Op&, const Sample&, Pixels<G, 1>&);                                                  \
  template void run_##FUNCTION<3>(const Op&, const Sample&, Pixels<G, 3>&);                                                  \
  template void run_##FUNCTION<4>(const Op&, const Sample&, Pixels<G, 4>&);
AUG_GROUP(AUG_RUN)
#undef AUG_RUN

}  // namespace aug
