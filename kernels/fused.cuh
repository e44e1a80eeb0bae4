// fused.cuh: where a fused launch reads its pixels: a strided view (view.cuh), or a gather: by a map (map.cuh), as an interpolation
// has it (sample.cuh). What it does with them is program.cuh, or cpu/program.cpp; where it puts them store.cuh: one pass over a
// sample. A group of lanes takes `lanes` consecutive output pixels of one sample and C of its channels; images of more channels are
// served in chunks.
#pragma once
#include "sample.cuh"
#include "view.cuh"
namespace aug {

template <class G, class T, int C> AUG void load(G g, const Row& s, const float* blob, int c0, int first, Pixels<G, C>& px) {
  if (s.map == MAP_VIEW) {
    if (AUG_GPU || s.positions) positions(g, s, first, px);
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

}  // namespace aug
