// fused.cuh: what a thread of a fused launch does: reads its pixels, runs the operations of its sample, writes them. A kernel is for
// views or for gathers (GPUAUG_SAMPLE), so that gathers do not cost views registers.
#pragma once
#include "linear.cuh"
#include "program.cuh"
#include "view.cuh"
namespace aug {

template <class G, class TI, class TO, int C> AUG void fused_view(G g, const Fused& f, const Row& s, int c0, int first) {
  typedef Quad<G, true> Q;
  const Spot t = Q::spot(s, first);
  if (t.left <= 0) return;
  if constexpr (sizeof(TI) == 1 && sizeof(TO) == 1) {
    if (s.n_ops == 0 && move_bytes<C>(s, c0, t)) return;
  }
  Pixels<G, C> px;
  load_quad<G, TI, C>(s, c0, t, px);
  if (s.positions) Q::positions(s, t, px);
  program<G, C>(g, f, s, c0, px);
  Q::template store<TO, C>(s, c0, t, px);
}

template <class G, class TI, class TO, int C> AUG void fused_gather(G g, const Fused& f, const Row& s, int c0, int first) {
  typedef Quad<G, false> Q;
  const Spot t = Q::spot(s, first);
  if (t.left <= 0) return;
  Pixels<G, C> px;
  Q::positions(s, t, px);
  Place<G> at;
  place<G>(g, s, f.blob, px.x, px.y, at);
  if (!is_label<TI> && GPUAUG_SAMPLE >= 1 && s.sample == SAMPLE_LINEAR) linear<G, TI, C>(s, f.blob, c0, at, px);
  else sample<G, TI, C>(g, s, f.blob, c0, at, px);
  program<G, C>(g, f, s, c0, px);
  Q::template store<TO, C>(s, c0, t, px);
}

}  // namespace aug
