// sample.cuh: what an image is at the places of a map: the nearest pixel, or an interpolation, and what lies beyond its borders.
#pragma once
#include "map.cuh"
#include "pixels.cuh"
namespace aug {

AUG float bilerp(float a, float b, float c, float d, float fx, float fy) { return lerp_(lerp_(a, b, fx), lerp_(c, d, fx), fy); }

// what storing an interpolated value in the image's type does to it
AUG float settle(float v, const u8*) { return round_(v); }
AUG float settle(float v, const f16*) { return from_half(half_bits(v)); }
AUG float settle(float v, const bf16*) { return unbits((u32)bhalf_bits(v) << 16); }
AUG float settle(float v, const float*) { return v; }
AUG float settle(float v, const i32*) { return v; }

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

template <class G, class T, int C>
AUG_FN void sample_linear(G g, const Row& s, const float* blob, int c0, Place<G>& t, Pixels<G, C>& px) {
  typename G::template Var<int> o[4];
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
      const int at = t.y[l] * sy + t.x[l] * sx;
      o[0][l] = at;
      o[1][l] = at + sx;
      o[2][l] = at + sy;
      o[3][l] = at + sx + sy;
    });
  } else {
    if (border <= BORDER_REPLICATE) {  // a loop of its own: without the modes' branches it vectorizes
      g.each([&](Lane l) {
        const int u0 = clamp_(t.x[l], 0, w - 1) * sx, u1 = clamp_(t.x[l] + 1, 0, w - 1) * sx;
        const int v0 = clamp_(t.y[l], 0, h - 1) * sy, v1 = clamp_(t.y[l] + 1, 0, h - 1) * sy;
        o[0][l] = v0 + u0;
        o[1][l] = v0 + u1;
        o[2][l] = v1 + u0;
        o[3][l] = v1 + u1;
      });
    } else {
      g.each([&](Lane l) {
        const int u0 = border_index(t.x[l], w, border) * sx, u1 = border_index(t.x[l] + 1, w, border) * sx;
        const int v0 = border_index(t.y[l], h, border) * sy, v1 = border_index(t.y[l] + 1, h, border) * sy;
        o[0][l] = v0 + u0;
        o[1][l] = v0 + u1;
        o[2][l] = v1 + u0;
        o[3][l] = v1 + u1;
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
      const bool words = C == 4 || g.all([&](Lane l) { return (max_(o[0][l], o[1][l]) < end) & (max_(o[2][l], o[3][l]) < end); });
      if (words) {
        g.each_scalar([&](Lane l) {
          AUG_UNROLL for (int k = 0; k < 4; ++k)
            q[k][l] = word<C>((const u8*)src + o[k][l]);
        });
      } else {
        g.each_scalar([&](Lane l) {
          AUG_UNROLL for (int k = 0; k < 4; ++k)
            q[k][l] = bytes<C>((const u8*)src + o[k][l]);
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
          q[k][l] = get(ld(p + o[k][l]));
      });
    } else {
      g.each_scalar([&](Lane l) {
        AUG_UNROLL for (int k = 0; k < 4; ++k)
          q[k][l] = get(ld(p + o[k][l]));
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

// The pixels at offsets o as words. That of the view's last pixel may end beyond the buffer: bytewise there.
template <int C, class G>
AUG void read_words(G g, const Row& s, const u8* src, typename G::template Var<int>& o, typename G::template Var<u32>& q) {
  const int end = max_(0, (s.sh - 1) * s.sy) + max_(0, (s.sw - 1) * s.sx);
  if (!AUG_GPU && (C == 4 || g.all([&](Lane l) { return o[l] < end; })))
    g.each_scalar([&](Lane l) { q[l] = word<C>(src + o[l]); });
  else g.each_scalar([&](Lane l) { q[l] = bytes<C>(src + o[l]); });
}

// Nearest: places round half to even, as OpenCV 5 does; whole pixels are taken as they are.
template <class G, class T, int C>
AUG_FN void sample_nearest(G g, const Row& s, const float* blob, int c0, Place<G>& t, Pixels<G, C>& px) {
  typename G::template Var<int> o;
  const int h = s.sh, w = s.sw, sy = s.sy, sx = s.sx, border = s.border;
  if (s.map >= MAP_WHOLE) {
    g.each([&](Lane l) { o[l] = t.y[l] * sy + t.x[l] * sx; });
  } else {
    g.each([&](Lane l) {
      t.x[l] = (int)round_(t.fx[l]);
      t.y[l] = (int)round_(t.fy[l]);
    });
    if (border <= BORDER_REPLICATE)  // a loop of its own: without the modes' branches it vectorizes
      g.each([&](Lane l) { o[l] = clamp_(t.y[l], 0, h - 1) * sy + clamp_(t.x[l], 0, w - 1) * sx; });
    else g.each([&](Lane l) { o[l] = border_index(t.y[l], h, border) * sy + border_index(t.x[l], w, border) * sx; });
  }
  const T* src = (const T*)s.src + (i64)c0 * s.sc;
  typename G::template Var<u32> q;
  const bool words = sizeof(T) == 1 && C >= 3 && s.sc == 1;  // bytes: one word a pixel
  if (words) read_words<C>(g, s, (const u8*)src, o, q);
  AUG_UNROLL for (int c = 0; c < C; ++c) {
    const T* p = src + (i64)c * s.sc;
    if (words) g.each([&](Lane l) { px.v[c][l] = byte_(q[l], c); });
    else g.each_scalar([&](Lane l) { px.v[c][l] = get(ld(p + o[l])); });
    if (border == BORDER_CONSTANT) {
      const float f = settle(ld(blob + s.fill + c0 + c), (const T*)0);
      g.each([&](Lane l) {
        const bool in = ((u32)t.x[l] < (u32)w) & ((u32)t.y[l] < (u32)h);
        px.v[c][l] = in ? px.v[c][l] : f;
      });
    }
  }
}

// Linear along x alone, between columns of one line; the ends of a line repeat.
template <class G, class T, int C> AUG_FN void sample_line(G g, const Row& s, int c0, Place<G>& t, Pixels<G, C>& px) {
  typename G::template Var<int> at, next;
  const int w = s.sw, sx = s.sx, sy = s.sy;
  g.each([&](Lane l) {
    const float k = floor_(t.fx[l]);
    const int i = (int)k, y = (int)t.fy[l] * sy;
    t.fx[l] -= k;
    at[l] = y + clamp_(i, 0, w - 1) * sx;
    next[l] = y + clamp_(i + 1, 0, w - 1) * sx;
  });
  AUG_UNROLL for (int c = 0; c < C; ++c) {
    const T* p = (const T*)s.src + (i64)(c0 + c) * s.sc;
    g.each_scalar([&](Lane l) {
      const float a = get(ld(p + at[l])), b = get(ld(p + next[l])), f = t.fx[l];
      px.v[c][l] = settle(f == 0.0f ? a : fma_(f, b - a, a), (const T*)0);  // on a column: a NaN beside it stays there
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
template <class G, class T, int C>
AUG_FN void sample_cubic(G g, const Row& s, const float* blob, int c0, Place<G>& t, Pixels<G, C>& px) {
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

// The most that a kernel can do of nearest (0), linear (1) and cubic (2), each with those before it: cubic is most of what NVRTC
// compiles, and is left to those who ask for it (gpuaug/backends/cuda.py).
#ifndef GPUAUG_SAMPLE
#define GPUAUG_SAMPLE 2
#endif

template <class G, class T, int C> AUG void sample(G g, const Row& s, const float* blob, int c0, Place<G>& t, Pixels<G, C>& px) {
  if constexpr (!is_label<T> && GPUAUG_SAMPLE >= 2) {
    if (s.sample == SAMPLE_CUBIC) return sample_cubic<G, T, C>(g, s, blob, c0, t, px);
  }
  if constexpr (!is_label<T> && GPUAUG_SAMPLE >= 1) {
    if (s.sample == SAMPLE_LINEAR) return sample_linear<G, T, C>(g, s, blob, c0, t, px);
    if (s.sample == SAMPLE_LINE) return sample_line<G, T, C>(g, s, c0, t, px);
  }
  sample_nearest<G, T, C>(g, s, blob, c0, t, px);
}

}  // namespace aug
