// op_replace.cuh: operations that replace pixels: rectangles, single pixels, channels, the set bits of a map.
#pragma once
#include "ops.gen.cuh"
#include "op_noise.cuh"
#include "pixels.cuh"
namespace aug {

// the smallest box that holds a group's pixels; on the GPU those of a thread: a reduction over the block would cost more than it saves
struct Box {
  int x0, y0, x1, y1;
};
template <class G, int C> AUG Box box_of(G, const Pixels<G, C>& px) {
  int x0 = px.x.v[0], x1 = x0, y0 = px.y.v[0], y1 = y0;
#if AUG_GPU
  AUG_UNROLL for (int k = 1; k < G::slots; ++k) {
    x0 = min_(x0, px.x.v[k]);
    x1 = max_(x1, px.x.v[k]);
    y0 = min_(y0, px.y.v[k]);
    y1 = max_(y1, px.y.v[k]);
  }
#else
  _Pragma("omp simd reduction(min:x0,y0) reduction(max:x1,y1)") for (int i = 0; i < G::lanes; ++i) {
    const int x = px.x.v[i], y = px.y.v[i];
    x0 = x < x0 ? x : x0;
    x1 = x > x1 ? x : x1;
    y0 = y < y0 ? y : y0;
    y1 = y > y1 ? y : y1;
  }
#endif
  return {x0, y0, x1, y1};
}

// Replaces the pixels with hit[l] > 0; hit[l] - 1 is the rectangle whose colour FILL_PER_RECT takes.
template <class G, int C, class P>
AUG void fill_hits(G g, const P& p, const Sample& s, typename G::template Var<int>& hit, Pixels<G, C>& px) {
  const float* fill = s.blob + p.fill;
  if (p.mode == FILL_CONSTANT || p.mode == FILL_MEAN) {
    const float mean = p.mode == FILL_MEAN ? sample_mean(s, p.mean) : 0.0f;
    AUG_UNROLL for (int c = 0; c < C; ++c) {
      const float f = p.mode == FILL_MEAN ? mean : ld(fill + s.c0 + c);
      g.each([&](Lane l) { px.v[c][l] = hit[l] ? f : px.v[c][l]; });
    }
  } else if (p.mode == FILL_PER_RECT) {
    AUG_UNROLL for (int c = 0; c < C; ++c)
      g.each([&](Lane l) {
        const float f = ld(fill + max_(hit[l] - 1, 0) * s.channels + s.c0 + c);
        px.v[c][l] = hit[l] ? f : px.v[c][l];
      });
  } else {
    const u32 k0 = p.key[0], k1 = p.key[1];
    const int width = p.width, whole = p.whole;
    const float scale = p.scale;
    const bool normals = p.mode == FILL_NORMAL;
    const auto one = [&](Lane l) {
      if (AUG_GPU && !hit[l]) return;
      const U4 u = threefry((u32)(px.y[l] * width + px.x[l]), (u32)(s.c0 >> 2), (u32)STREAM_FILL, 0u, k0, k1);
      float n[4] = {uniform(u.x), uniform(u.y), uniform(u.z), uniform(u.w)};
      if (normals) {
        normal2(u.x, u.y, n[0], n[1]);
        normal2(u.z, u.w, n[2], n[3]);
      }
      AUG_UNROLL for (int c = 0; c < C; ++c) {
        const float f = scale * (C == 1 ? pick(n, s.c0 & 3) : n[c]);
        px.v[c][l] = hit[l] ? (whole ? floor_(f) : f) : px.v[c][l];
      }
    };
    g.each_in_turn(one, hit, px.x, px.y, px.v);
  }
}

template <class G, int C> AUG void op_rects(G g, const RectsOp& p, const Op& op, const Sample& s, Pixels<G, C>& px) {
  typename G::template Var<int> hit;
  const u32* rects = (const u32*)s.blob + op.at;
  const Box box = box_of<G, C>(g, px);
  bool any = false;
  for (int k = 0, n = op.n; k < n; ++k, rects += 4) {
    const Four r = ld4(rects);
    const int x0 = (int)r.x, y0 = (int)r.y, x1 = (int)r.z, y1 = (int)r.w;
    if (x0 > box.x1 || x1 <= box.x0 || y0 > box.y1 || y1 <= box.y0) continue;
    const u32 w = (u32)(x1 - x0), h = (u32)(y1 - y0);
    if (!any) g.each([&](Lane l) { hit[l] = 0; });
    any = true;
    if (AUG_GPU && y0 <= box.y0 && y1 > box.y1) {  // as columns that are masked are: half of the questions
      seldom();
      g.each([&](Lane l) { hit[l] = (u32)(px.x[l] - x0) < w ? k + 1 : hit[l]; });
      continue;
    }
    g.each([&](Lane l) {
      const bool in = ((u32)(px.x[l] - x0) < w) & ((u32)(px.y[l] - y0) < h);
      hit[l] = in ? k + 1 : hit[l];
    });
  }
  if (any) fill_hits(g, p, s, hit, px);
}

template <class G, int C> AUG void op_pixels(G g, const PixelsOp& p, const Op&, const Sample& s, Pixels<G, C>& px) {
  const u32 k0 = p.key[0], k1 = p.key[1];
  const int width = p.width, each = p.each;
  const float below = p.below;
  const float* fill = s.blob + p.fill + s.c0;
  float f[C];
  AUG_UNROLL for (int c = 0; c < C; ++c)
    f[c] = ld(fill + c);
  const auto one = [&](Lane l) {
    const U4 u = philox((u32)(px.y[l] * width + px.x[l]), each ? (u32)(s.c0 >> 2) : 0u, (u32)STREAM_PIXELS, 0u, k0, k1);
    const float n[4] = {uniform(u.x), uniform(u.y), uniform(u.z), uniform(u.w)};
    AUG_UNROLL for (int c = 0; c < C; ++c) {
      const float z = !each ? n[0] : C == 1 ? pick(n, s.c0 & 3) : n[c];
      px.v[c][l] = z < below ? f[c] : px.v[c][l];
    }
  };
  g.each_in_turn(one, px.x, px.y, px.v);
}

template <class G, int C> AUG void op_channels(G g, const ChannelsOp&, const Op& op, const Sample& s, Pixels<G, C>& px) {
  AUG_UNROLL for (int c = 0; c < C; ++c) {
    const float drop = ld(s.blob + op.at + s.c0 + c), f = ld(s.blob + op.at + s.channels + s.c0 + c);
    if (drop != 0.0f) g.each([&](Lane l) { px.v[c][l] = f; });
  }
}

template <class G, int C> AUG void op_bitmap(G g, const BitmapOp& p, const Op& op, const Sample& s, Pixels<G, C>& px) {
  typename G::template Var<int> hit;
  const u32* map = (const u32*)s.blob + op.at;
  const int words = p.words, w = p.columns, h = p.lines;
  g.each([&](Lane l) {
    const int x = clamp_(px.x[l], 0, w - 1), y = clamp_(px.y[l], 0, h - 1);
    const bool in = ((u32)px.x[l] < (u32)w) & ((u32)px.y[l] < (u32)h);
    hit[l] = in ? (int)(ld(map + y * words + (x >> 5)) >> (x & 31) & 1u) : 0;
  });
  fill_hits(g, p, s, hit, px);
}

}  // namespace aug
