// map.cpp: where a gather reads.
#include "map.cuh"
#include "parts.hpp"
namespace aug {

template void place<G>(G, const Row&, const float*, G::Var<int>&, G::Var<int>&, Place<G>&);

}  // namespace aug
