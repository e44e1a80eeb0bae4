// load.cpp: where a fused launch reads its pixels, for one element type: a strided view (view.hpp), or a gather: by a map (map.cuh),
// as an interpolation has it (sample.cuh). A group of lanes takes `lanes` consecutive output pixels of one sample and C of its
// channels; images of more channels are served in chunks.
#include "sample.cuh"
#include "parts.hpp"
#include "view.hpp"
namespace aug {

extern template void place<G>(G, const Row&, const float*, G::Var<int>&, G::Var<int>&, Place<G>&);

template <class T, int C>
__attribute__((flatten)) void load_lanes(const Row& s, const float* blob, int c0, int first, Pixels<G, C>& px) {
  const G g;
  if (s.map == MAP_VIEW) {
    if (s.positions) positions(g, s, first, px);
    load_view<G, T, C>(g, s, c0, first, px);
    if (s.positions) to_frame(g, s, px);
    return;
  }
  positions(g, s, first, px);
  to_frame(g, s, px);
  Place<G> t;
  place<G>(g, s, blob, px.x, px.y, t);
  sample<G, T, C>(g, s, blob, c0, t, px);
}
template void load_lanes<GPUAUG_IN, 1>(const Row&, const float*, int, int, Pixels<G, 1>&);
template void load_lanes<GPUAUG_IN, 3>(const Row&, const float*, int, int, Pixels<G, 3>&);
template void load_lanes<GPUAUG_IN, 4>(const Row&, const float*, int, int, Pixels<G, 4>&);

}  // namespace aug
