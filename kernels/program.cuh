// program.cuh: the operations of a sample, one after the other.
#pragma once
#include "pixel.cuh"
namespace aug {

template <class G, int C> AUG_FN void program(G g, const Fused& f, const Row& s, int c0, Pixels<G, C>& px) {
  const Sample sample = {f.blob, f.found, f.channels, c0, s.layers};
  for (int k = s.ops; k < s.ops + s.n_ops; ++k) apply(g, f.ops[k], sample, px);
}

}  // namespace aug
