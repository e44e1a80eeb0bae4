// store.cpp: where a fused launch writes its pixels, for one element type.
#include "store.cuh"
#include "parts.hpp"
namespace aug {

template <class T, int C> void store_lanes(const Row& s, int c0, int first, Pixels<G, C>& px) {
  store<G, T, C>(G(), s, c0, first, px);
}
template void store_lanes<GPUAUG_IN, 1>(const Row&, int, int, Pixels<G, 1>&);
template void store_lanes<GPUAUG_IN, 3>(const Row&, int, int, Pixels<G, 3>&);
template void store_lanes<GPUAUG_IN, 4>(const Row&, int, int, Pixels<G, 4>&);

}  // namespace aug
