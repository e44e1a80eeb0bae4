// fused.cuh: where a fused launch reads its pixels: a strided view (view.cuh), or a gather. What it does with them is
// program.cuh, where it puts them store.cuh: one pass over a sample. A group of lanes takes `lanes` consecutive output pixels
// of one sample and C of its channels; images of more channels are served in chunks.
#pragma once
#include "view.cuh"
namespace aug {

AUG float lerp_(float a, float b, float t) { return fma_(t, b - a, a); }
AUG float bilerp(float a, float b, float c, float d, float fx, float fy) { return lerp_(lerp_(a, b, fx), lerp_(c, d, fx), fy); }

// what storing an interpolated value in the image's type does to it
AUG float settle(float v, const u8*) { return round_(v); }
AUG float settle(float v, const f16*) { return from_half(half_bits(v)); }
AUG float settle(float v, const bf16*) { return unbits((u32)bhalf_bits(v) << 16); }
AUG float settle(float v, const float*) { return v; }

// A pixel of up to four bytes as one word. Three bytes are read as four where that stays inside.
#if !AUG_GPU
typedef u32 __attribute__((aligned(1), may_alias)) u32_unaligned;
#endif
template <int C> AUG u32 word(const u8* p) {
#if !AUG_GPU
  if (C >= 3) {
    u32 w = *(const u32_unaligned*)p;
    __asm__("" : "+r"(w));  // stays a scalar load and store: the compiler would collect vectors by insertion, at twice the time
    return w;
  }
#endif
  u32 w = ld(p);
  AUG_UNROLL for (int c = 1; c < C; ++c)
    w |= (u32)ld(p + c) << (8 * c);
  return w;
}
template <int C> AUG u32 bytes(const u8* p) {
  u32 w = ld(p);
  AUG_UNROLL for (int c = 1; c < C; ++c)
    w |= (u32)ld(p + c) << (8 * c);
  return w;
}
AUG float byte_(u32 w, int c) { return (float)(int)((w >> (8 * c)) & 255u); }

template <class G> struct Taps {  // of a bilinear gather
  typename G::template Var<float> fx, fy;
  typename G::template Var<int> x, y, o[4];
};

template <class G, int C> AUG void map(G g, const Row& s, Pixels<G, C>& px, Taps<G>& t) {
  const float a = s.m[0], b = s.m[1], c = s.m[2], d = s.m[3], e = s.m[4], f = s.m[5];
  g.each([&](Lane l) {
    const float X = (float)px.x[l], Y = (float)px.y[l];
    // beyond 10^6 pixels outside a border has no meaning; the bound keeps index arithmetic exact
    t.fx[l] = clamp_(fma_(a, X, fma_(b, Y, c)), -1e6f, 1e6f);
    t.fy[l] = clamp_(fma_(d, X, fma_(e, Y, f)), -1e6f, 1e6f);
  });
}

template <class G, class T, int C> AUG_FN void gather_linear(G g, const Row& s, const float* blob, int c0, Pixels<G, C>& px) {
  Taps<G> t;
  map(g, s, px, t);
  const int h = s.sh, w = s.sw, sy = s.sy, sx = s.sx, border = s.border;
  const T* src = (const T*)s.src + (i64)c0 * s.sc;
  g.each([&](Lane l) {
    const float kx = floor_(t.fx[l]), ky = floor_(t.fy[l]);
    t.fx[l] -= kx;
    t.fy[l] -= ky;
    t.x[l] = (int)kx;
    t.y[l] = (int)ky;
  });
  const bool inside = g.all([&](Lane l) { return (t.x[l] >= 0) & (t.y[l] >= 0) & (t.x[l] < w - 1) & (t.y[l] < h - 1); });
  if (inside) {
    g.each([&](Lane l) {
      const int o = t.y[l] * sy + t.x[l] * sx;
      t.o[0][l] = o;
      t.o[1][l] = o + sx;
      t.o[2][l] = o + sy;
      t.o[3][l] = o + sx + sy;
    });
  } else {
    if (border <= BORDER_REPLICATE) {  // a loop of its own: without the modes' branches it vectorizes
      g.each([&](Lane l) {
        const int u0 = clamp_(t.x[l], 0, w - 1) * sx, u1 = clamp_(t.x[l] + 1, 0, w - 1) * sx;
        const int v0 = clamp_(t.y[l], 0, h - 1) * sy, v1 = clamp_(t.y[l] + 1, 0, h - 1) * sy;
        t.o[0][l] = v0 + u0;
        t.o[1][l] = v0 + u1;
        t.o[2][l] = v1 + u0;
        t.o[3][l] = v1 + u1;
      });
    } else {
      g.each([&](Lane l) {
        const int u0 = border_index(t.x[l], w, border) * sx, u1 = border_index(t.x[l] + 1, w, border) * sx;
        const int v0 = border_index(t.y[l], h, border) * sy, v1 = border_index(t.y[l] + 1, h, border) * sy;
        t.o[0][l] = v0 + u0;
        t.o[1][l] = v0 + u1;
        t.o[2][l] = v1 + u0;
        t.o[3][l] = v1 + u1;
      });
    }
  }
  const bool filled = !inside && border == BORDER_CONSTANT;
  const float* fill = blob + s.fill + c0;
  if constexpr (sizeof(T) == 1 && C >= 3) {  // bytes: one word a tap
    if (s.sc == 1) {
      typename G::template Var<u32> q[4];
      // the word of the view's last pixel may end beyond the buffer: bytewise there
      const int end = max_(0, (h - 1) * sy) + max_(0, (w - 1) * sx);
      const bool words =
          C == 4 || g.all([&](Lane l) { return (max_(t.o[0][l], t.o[1][l]) < end) & (max_(t.o[2][l], t.o[3][l]) < end); });
      if (words) {
        g.each_scalar([&](Lane l) {
          AUG_UNROLL for (int k = 0; k < 4; ++k)
            q[k][l] = word<C>((const u8*)src + t.o[k][l]);
        });
      } else {
        g.each_scalar([&](Lane l) {
          AUG_UNROLL for (int k = 0; k < 4; ++k)
            q[k][l] = bytes<C>((const u8*)src + t.o[k][l]);
        });
      }
      if (filled) {
        u32 f = 0;
        AUG_UNROLL for (int c = 0; c < C; ++c)
          f |= (u32)(int)ld(fill + c) << (8 * c);
        g.each([&](Lane l) {
          const bool x0 = (u32)t.x[l] < (u32)w, x1 = (u32)(t.x[l] + 1) < (u32)w;
          const bool y0 = (u32)t.y[l] < (u32)h, y1 = (u32)(t.y[l] + 1) < (u32)h;
          q[0][l] = x0 & y0 ? q[0][l] : f;
          q[1][l] = x1 & y0 ? q[1][l] : f;
          q[2][l] = x0 & y1 ? q[2][l] : f;
          q[3][l] = x1 & y1 ? q[3][l] : f;
        });
      }
      AUG_UNROLL for (int c = 0; c < C; ++c)
        g.each([&](Lane l) {
          px.v[c][l] =
              round_(bilerp(byte_(q[0][l], c), byte_(q[1][l], c), byte_(q[2][l], c), byte_(q[3][l], c), t.fx[l], t.fy[l]));
        });
      return;
    }
  }
  AUG_UNROLL for (int c = 0; c < C; ++c) {
    typename G::template Var<float> q[4];
    const T* p = src + (i64)c * s.sc;
    if (sizeof(T) == 4) {
      g.each([&](Lane l) {
        AUG_UNROLL for (int k = 0; k < 4; ++k)
          q[k][l] = get(ld(p + t.o[k][l]));
      });
    } else {
      g.each_scalar([&](Lane l) {
        AUG_UNROLL for (int k = 0; k < 4; ++k)
          q[k][l] = get(ld(p + t.o[k][l]));
      });
    }
    if (filled) {
      const float f = ld(fill + c);
      g.each([&](Lane l) {
        const bool x0 = (u32)t.x[l] < (u32)w, x1 = (u32)(t.x[l] + 1) < (u32)w;
        const bool y0 = (u32)t.y[l] < (u32)h, y1 = (u32)(t.y[l] + 1) < (u32)h;
        q[0][l] = x0 & y0 ? q[0][l] : f;
        q[1][l] = x1 & y0 ? q[1][l] : f;
        q[2][l] = x0 & y1 ? q[2][l] : f;
        q[3][l] = x1 & y1 ? q[3][l] : f;
      });
    }
    g.each([&](Lane l) { px.v[c][l] = settle(bilerp(q[0][l], q[1][l], q[2][l], q[3][l], t.fx[l], t.fy[l]), (const T*)0); });
  }
}

// nearest: by the matrix (rounded half to even, as OpenCV 5), cv2.resize's floor(i * scale), or tables of columns and rows
template <class G, class T, int C> AUG_FN void gather_nearest(G g, const Row& s, const float* blob, int c0, Pixels<G, C>& px) {
  Taps<G> t;
  const int h = s.sh, w = s.sw, sy = s.sy, sx = s.sx, border = s.border;
  if (s.gather == GATHER_RESIZE_NEAREST) {
    const double kx = s.scale[0], ky = s.scale[1];
    g.each([&](Lane l) {
      t.x[l] = min_((int)floor_((double)px.x[l] * kx), w - 1);
      t.y[l] = min_((int)floor_((double)px.y[l] * ky), h - 1);
      t.o[0][l] = t.y[l] * sy + t.x[l] * sx;
    });
  } else if (s.gather == GATHER_RESIZE_NEAREST_EXACT) {
    const float *columns = blob + (i64)s.scale[0], *lines = blob + (i64)s.scale[1];
    g.each_scalar([&](Lane l) {
      t.x[l] = (int)bits(ld(columns + px.x[l]));
      t.y[l] = (int)bits(ld(lines + px.y[l]));
      t.o[0][l] = t.y[l] * sy + t.x[l] * sx;
    });
  } else {
    map(g, s, px, t);
    g.each([&](Lane l) {
      t.x[l] = (int)round_(t.fx[l]);
      t.y[l] = (int)round_(t.fy[l]);
      t.o[0][l] = border_index(t.y[l], h, border) * sy + border_index(t.x[l], w, border) * sx;
    });
  }
  const T* src = (const T*)s.src + (i64)c0 * s.sc;
  AUG_UNROLL for (int c = 0; c < C; ++c) {
    const T* p = src + (i64)c * s.sc;
    const float f = ld(blob + s.fill + c0 + c);
    g.each_scalar([&](Lane l) { px.v[c][l] = get(ld(p + t.o[0][l])); });
    if (border == BORDER_CONSTANT)
      g.each([&](Lane l) {
        const bool in = ((u32)t.x[l] < (u32)w) & ((u32)t.y[l] < (u32)h);
        px.v[c][l] = in ? px.v[c][l] : f;
      });
  }
}

AUG void cubic_weights(float f, float* k) {  // Keys' cubic, A = -0.75 as OpenCV
  const float A = -0.75f, g = 1.0f - f, h = 2.0f - f;
  k[0] = ((A * (f + 1.0f) - 5.0f * A) * (f + 1.0f) + 8.0f * A) * (f + 1.0f) - 4.0f * A;
  k[1] = ((A + 2.0f) * f - (A + 3.0f)) * f * f + 1.0f;
  k[2] = ((A + 2.0f) * g - (A + 3.0f)) * g * g + 1.0f;
  k[3] = ((A * h - 5.0f * A) * h + 8.0f * A) * h - 4.0f * A;
}
template <class G, class T, int C> AUG_FN void gather_cubic(G g, const Row& s, const float* blob, int c0, Pixels<G, C>& px) {
  Taps<G> t;
  map(g, s, px, t);
  const int h = s.sh, w = s.sw, sy = s.sy, sx = s.sx, border = s.border;
  const T* src = (const T*)s.src + (i64)c0 * s.sc;
  const float* fill = blob + s.fill + c0;
  g.each_scalar([&](Lane l) {
    const float bx = floor_(t.fx[l]), by = floor_(t.fy[l]);
    float kx[4], ky[4];
    cubic_weights(t.fx[l] - bx, kx);
    cubic_weights(t.fy[l] - by, ky);
    AUG_UNROLL for (int c = 0; c < C; ++c) {
      float sum = 0.0f;
      AUG_UNROLL for (int j = 0; j < 4; ++j) {
        const int y = (int)by - 1 + j, v = border_index(y, h, border) * sy;
        float line = 0.0f;
        AUG_UNROLL for (int i = 0; i < 4; ++i) {
          const int x = (int)bx - 1 + i;
          const bool in = border != BORDER_CONSTANT || (((u32)x < (u32)w) & ((u32)y < (u32)h));
          const float q = in ? get(ld(src + (v + border_index(x, w, border) * sx + c * s.sc))) : ld(fill + c);
          line = fma_(kx[i], q, line);
        }
        sum = fma_(ky[j], line, sum);
      }
      sum = sizeof(T) == 1 ? clamp_(sum, 0.0f, 255.0f) : sum;
      px.v[c][l] = settle(sum, (const T*)0);
    }
  });
}

}  // namespace aug
#include "timewarp.cuh"
namespace aug {

template <class G, class T, int C> AUG void load(G g, const Row& s, const float* blob, int c0, int first, Pixels<G, C>& px) {
  if (s.gather == GATHER_NONE) {
    if (AUG_GPU || s.positions) positions(g, s, first, px);
    load_view<G, T, C>(g, s, c0, first, px);
    if (s.positions) to_frame(g, s, px);
    return;
  }
  positions(g, s, first, px);
  to_frame(g, s, px);
  if constexpr (!is_label<T>) {  // labels are taken as they are or nearest: no code that would compute with them
    if (s.gather == GATHER_TIME_WARP) return gather_time_warp<G, T, C>(g, s, c0, px);
    if (s.gather == GATHER_LINEAR) return gather_linear<G, T, C>(g, s, blob, c0, px);
    if (s.gather == GATHER_CUBIC) return gather_cubic<G, T, C>(g, s, blob, c0, px);
  }
  gather_nearest<G, T, C>(g, s, blob, c0, px);
}

}  // namespace aug
