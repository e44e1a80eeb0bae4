// fused.cuh: what a thread of a fused launch does: reads its pixels, runs the operations of its sample, writes them. A kernel is for
// views or for gathers (GPUAUG_SAMPLE), so that gathers do not cost views registers.
#pragma once
#include "linear.cuh"
#include "program.cuh"
#include "taps.cuh"
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

template <class G, class T, int C> AUG void gathered(G g, const Fused& f, const Row& s, int c0, Place<G>& at, Pixels<G, C>& px) {
  if constexpr (!is_label<T> && GPUAUG_SAMPLE >= 3) {
    if (s.sample == SAMPLE_LANCZOS) return sample_taps<LanczosTaps, G, T, C>(g, s, f.blob, c0, at, px);
  }
  if constexpr (!is_label<T> && GPUAUG_SAMPLE >= 2) {
    if (s.sample == SAMPLE_CUBIC) return sample_taps<CubicTaps, G, T, C>(g, s, f.blob, c0, at, px);
  }
  if constexpr (!is_label<T> && GPUAUG_SAMPLE >= 1) {
    if (s.sample == SAMPLE_LINEAR) return linear<G, T, C>(s, f.blob, c0, at, px);
  }
  sample<G, T, C>(g, s, f.blob, c0, at, px);
}
// Is a thread's place found once more behind the taps? Many of them need the registers; so do few, of floats, from sm_100 on.
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 1000
constexpr bool IS_LEAN = GPUAUG_SAMPLE >= 1;
#else
constexpr bool IS_LEAN = GPUAUG_SAMPLE >= 2;
#endif

template <class G, class TI, class TO, int C> AUG void fused_gather(G g, const Fused& f, const Row& s, int c0, int first) {
  typedef Quad<G, false> Q;
  Pixels<G, C> px;
  Spot t = Q::spot(s, first);
  if (t.left <= 0) return;
  Q::positions(s, t, px);
  Place<G> at;
  place<G>(g, s, f.blob, px.x, px.y, at);
  gathered<G, TI, C>(g, f, s, c0, at, px);
  if (IS_LEAN) {
    t = Q::again(s);
    if (s.positions) Q::positions(s, t, px);
  }
  program<G, C>(g, f, s, c0, px);
  Q::template store<TO, C>(s, c0, t, px);
}

}  // namespace aug
