// program.cpp: the pixel operations, for one width of a chunk of channels.
#include "program.cuh"
#include "parts.hpp"
namespace aug {

template <int C> void program_lanes(const Fused& f, const Row& s, int c0, Pixels<G, C>& px) { program<G, C>(G(), f, s, c0, px); }
template void program_lanes<GPUAUG_CHANNELS>(const Fused&, const Row&, int, Pixels<G, GPUAUG_CHANNELS>&);

}  // namespace aug
