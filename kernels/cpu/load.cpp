// load.cpp: where a fused launch reads its pixels, for one element type.
#include "fused.cuh"
#include "parts.hpp"
namespace aug {

extern template void place<G>(G, const Row&, const float*, G::Var<int>&, G::Var<int>&, Place<G>&);

template <class T, int C>
__attribute__((flatten)) void load_lanes(const Row& s, const float* blob, int c0, int first, Pixels<G, C>& px) {
  load<G, T, C>(G(), s, blob, c0, first, px);
}
template void load_lanes<GPUAUG_IN, 1>(const Row&, const float*, int, int, Pixels<G, 1>&);
template void load_lanes<GPUAUG_IN, 3>(const Row&, const float*, int, int, Pixels<G, 3>&);
template void load_lanes<GPUAUG_IN, 4>(const Row&, const float*, int, int, Pixels<G, 4>&);

}  // namespace aug
