// op_layer.cuh: operations that read a second image at the pixel's place: what the sample was at an earlier step.
#pragma once
#include "ops.gen.cuh"
#include "pixels.cuh"
#if !AUG_GPU
#include "cpu/view.hpp"
#endif
namespace aug {

// A layer's pixels at the places of a group. On the CPU they are loaded at once: as a run where the places are one. On the GPU each
// is loaded where it is asked for, and holds no registers before.
template <class G, int C> struct Under {
#if AUG_GPU
  Pixels<G, C>& px;
  Layer a;
  int c0;
  AUG float operator()(Lane l, int c) const {
    const i64 at = (i64)px.y[l] * a.sy + (i64)px.x[l] * a.sx + (i64)(c0 + c) * a.sc;
    switch (a.type) {
      case DT_U8: return get(ld((const u8*)a.src + at));
      case DT_F16: return get(ld((const f16*)a.src + at));
      case DT_BF16: return get(ld((const bf16*)a.src + at));
      default: return get(ld((const float*)a.src + at));
    }
  }
#else
  Pixels<G, C> v;
  float operator()(Lane l, int c) const { return v.v[c].v[l.slot]; }
#endif
};

#if !AUG_GPU
template <class G, class T, int C> AUG void load_under(G g, const Layer& a, int c0, Pixels<G, C>& px, Pixels<G, C>& out) {
  const int sy = a.sy, sx = a.sx, first = px.y.v[0] * sy + px.x.v[0] * sx;
  const T* src = (const T*)a.src + (i64)c0 * a.sc;
  int off = 0;
  _Pragma("omp simd reduction(|:off)") for (int i = 0; i < G::lanes; ++i) off |= px.y.v[i] * sy + px.x.v[i] * sx - first - i * sx;
  if (!off) return load_run<T, C, G>(src + first, sx, a.sc, out, 0, G::lanes);
  for (int i = 0; i < G::lanes; ++i)
    for (int c = 0; c < C; ++c) out.v[c].v[i] = get(src[px.y.v[i] * sy + px.x.v[i] * sx + (i64)c * a.sc]);
}
#endif

// layer k of those that the operation reads
template <class G, int C> AUG Under<G, C> under(G g, const Op& op, const Sample& s, Pixels<G, C>& px, int k) {
  const u32* words = (const u32*)s.blob + s.layers + LAYER_WORDS * (op.layer + k);
  Layer a;
  a.src = (const void*)((u64)ld(words + 1) << 32 | ld(words));
  a.sy = (int)ld(words + 2);
  a.sx = (int)ld(words + 3);
  a.sc = (int)ld(words + 4);
  a.type = (int)ld(words + 5);
#if AUG_GPU
  return {px, a, s.c0};
#else
  Under<G, C> out;
  switch (a.type) {
    case DT_U8: load_under<G, u8, C>(g, a, s.c0, px, out.v); break;
    case DT_F16: load_under<G, f16, C>(g, a, s.c0, px, out.v); break;
    case DT_BF16: load_under<G, bf16, C>(g, a, s.c0, px, out.v); break;
    default: load_under<G, float, C>(g, a, s.c0, px, out.v); break;
  }
  return out;
#endif
}

// albumentations' unsharp mask. Values are the blurred image: where the image differs from it by more than a threshold ..
template <class G, int C> AUG void op_differs(G g, const DiffersOp& p, const Op& op, const Sample& s, Pixels<G, C>& px) {
  const Under<G, C> image = under<G, C>(g, op, s, px, 0);
  const float threshold = p.threshold;
  AUG_UNROLL for (int c = 0; c < C; ++c)
    g.each([&](Lane l) {
      const float d = image(l, c) - px.v[c][l];
      px.v[c][l] = max_(d, -d) * 255.0f > threshold ? 1.0f : 0.0f;
    });
}
// .. and, values being that mask blurred, the image with its difference from the blurred one added, where the mask has it
template <class G, int C> AUG void op_unsharp(G g, const UnsharpOp& p, const Op& op, const Sample& s, Pixels<G, C>& px) {
  const Under<G, C> image = under<G, C>(g, op, s, px, 0), blurred = under<G, C>(g, op, s, px, 1);
  const float alpha = p.alpha;
  const bool whole = p.whole != 0;
  AUG_UNROLL for (int c = 0; c < C; ++c)
    g.each([&](Lane l) {
      const float a = image(l, c), mask = px.v[c][l], sharp = clamp_(a + alpha * (a - blurred(l, c)), 0.0f, 1.0f);
      const float v = clamp_(sharp * mask + a * (1.0f - mask), 0.0f, 1.0f);
      px.v[c][l] = whole ? round_(v * 255.0f) : v;
    });
}

// the image, and alpha times its difference from the blurred one; whole: cut off
template <class G, int C> AUG void op_sharpen(G g, const SharpenOp& p, const Op& op, const Sample& s, Pixels<G, C>& px) {
  const Under<G, C> image = under<G, C>(g, op, s, px, 0);
  const float alpha = p.alpha;
  const bool whole = p.whole != 0;
  AUG_UNROLL for (int c = 0; c < C; ++c)
    g.each([&](Lane l) {
      const float a = image(l, c), v = a + alpha * (a - px.v[c][l]);
      px.v[c][l] = whole ? trunc_(clamp_(v, 0.0f, 255.0f)) : clamp_(v, 0.0f, 1.0f);
    });
}

// Products in float64, as OpenCV's: of a byte and a factor like 0.7 many lie on a half, or beside one.
template <class G, int C> AUG void op_add(G g, const AddOp& p, const Op& op, const Sample& s, Pixels<G, C>& px) {
  const Under<G, C> image = under<G, C>(g, op, s, px, 0);
  const double factor = double_of(p.factor[0], p.factor[1]);
  const float top = p.top;
  const bool whole = p.whole != 0;
  const double even = 6755399441055744.0;  // 1.5 * 2^52: rounds half to even
  AUG_UNROLL for (int c = 0; c < C; ++c)
    g.each([&](Lane l) {
      const double v = (double)min_(image(l, c) + px.v[c][l], top) * factor;
      px.v[c][l] = (float)(whole ? v + even - even : v);
    });
}

// Some channels of the layer in place of the own ones: bit c of `channels` for channel c.
template <class G, int C> AUG void op_take(G g, const TakeOp& p, const Op& op, const Sample& s, Pixels<G, C>& px) {
  const Under<G, C> image = under<G, C>(g, op, s, px, 0);
  AUG_UNROLL for (int c = 0; c < C; ++c)
    if (s.c0 + c < 32 && (p.channels >> (s.c0 + c) & 1u)) g.each([&](Lane l) { px.v[c][l] = image(l, c); });
}

}  // namespace aug
