// sample.cuh: what an image is at the places of a map: the nearest pixel, or an interpolation, and what lies beyond its borders.
#pragma once
#include "map.cuh"
#include "pixels.cuh"
#if AUG_GPU
#include "gpu/quad.cuh"
#endif
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

#if !AUG_GPU  // there gpu/linear.cuh
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

#endif

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
    if (border <= BORDER_REPLICATE) {  // a loop of its own: without the modes' branches it vectorizes
      g.each([&](Lane l) { o[l] = clamp_(t.y[l], 0, h - 1) * sy + clamp_(t.x[l], 0, w - 1) * sx; });
    } else {
#if AUG_GPU
      u32 others = 0;
      g.each([&](Lane l) {
        o[l] = t.y[l] * sy + t.x[l] * sx;
        others |= ((u32)t.x[l] < (u32)w) & ((u32)t.y[l] < (u32)h) ? 0u : 1u << l.slot;
      });
      AUG_ROLLED while (others) {
        const u32 bit = others & (0u - others);
        const int mode = seldom(border);  // else the loop would be there once for each
        others ^= bit;
        const int y = border_index(chosen<G>(t.y, bit), h, mode), x = border_index(chosen<G>(t.x, bit), w, mode);
        choose<G>(o, bit, y * sy + x * sx);
      }
#else
      g.each([&](Lane l) { o[l] = border_index(t.y[l], h, border) * sy + border_index(t.x[l], w, border) * sx; });
#endif
    }
  }
  const T* src = (const T*)s.src + (i64)c0 * s.sc;
  typename G::template Var<u32> q;
  const bool words = !AUG_GPU && sizeof(T) == 1 && C >= 3 && s.sc == 1;  // bytes: one word a pixel
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
#if !AUG_GPU  // there gpu/taps.cuh
#if defined(__FMA__)
// Of three or four channels that lie side by side the sums are one vector: a fifth of the time of single ones. It reads four values
// for each of 4 x 4 pixels, so that right of three channels there must be a fifth pixel.
template <class T> struct CubicFour {
  static constexpr bool there = false;
};
template <> struct CubicFour<u8> {
  static constexpr bool there = true;
  typedef float Four __attribute__((vector_size(16)));
  static Four load(const u8* p) {  // GCC converts a vector of four bytes one by one
    typedef char Bytes __attribute__((vector_size(16)));
    typedef int Words __attribute__((vector_size(16)));
    int word;
    __builtin_memcpy(&word, p, 4);
    return __builtin_convertvector(__builtin_ia32_pmovzxbd128((Bytes)Words{word, 0, 0, 0}), Four);
  }
};
template <> struct CubicFour<float> {
  static constexpr bool there = true;
  typedef float Four __attribute__((vector_size(16)));
  static Four load(const float* p) {
    Four four;
    __builtin_memcpy(&four, p, 16);
    return four;
  }
};
template <class T> AUG void cubic_four(const T* p, i64 sy, int sx, const float* kx, const float* ky, float* sum) {
  typedef float Four __attribute__((vector_size(16)));
  Four whole = {};
  AUG_UNROLL for (int j = 0; j < 4; ++j, p += sy) {
    Four line = {};
    AUG_UNROLL for (int i = 0; i < 4; ++i)
      line = __builtin_ia32_vfmaddps(CubicFour<T>::load(p + i * sx), Four{} + kx[i], line);
    whole = __builtin_ia32_vfmaddps(line, Four{} + ky[j], whole);
  }
  __builtin_memcpy(sum, &whole, 16);
}
#endif
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
    const int x0 = (int)bx - 1, y0 = (int)by - 1;
    // most lie inside: there are no borders to reckon with, which would take most of the time
    const bool inside = ((u32)x0 < (u32)max_(w - 3, 0)) & ((u32)y0 < (u32)max_(h - 3, 0));
#if defined(__FMA__)
    if constexpr ((C == 3 || C == 4) && CubicFour<T>::there) {
      if (inside && s.sc == 1 && (C == 4 || (sx > 0 && x0 < w - 4))) {
        float four[4];
        cubic_four(src + (i64)y0 * sy + (i64)x0 * sx, sy, sx, kx, ky, four);
        AUG_UNROLL for (int c = 0; c < C; ++c)
          px.v[c][l] = settle(sizeof(T) == 1 ? clamp_(four[c], 0.0f, 255.0f) : four[c], (const T*)0);
        return;
      }
    }
#endif
    int at[4];  // the four columns, found once for all lines and channels
    AUG_UNROLL for (int i = 0; i < 4; ++i)
      at[i] = (inside ? x0 + i : border_index(x0 + i, w, border)) * sx;
    float sum[C];
    AUG_UNROLL for (int c = 0; c < C; ++c)
      sum[c] = 0.0f;
    AUG_UNROLL for (int j = 0; j < 4; ++j) {
      const int y = y0 + j, v = (inside ? y : border_index(y, h, border)) * sy;
      float line[C];
      AUG_UNROLL for (int c = 0; c < C; ++c)
        line[c] = 0.0f;
      AUG_UNROLL for (int i = 0; i < 4; ++i) {
        const bool in = inside || border != BORDER_CONSTANT || (((u32)(x0 + i) < (u32)w) & ((u32)y < (u32)h));
        AUG_UNROLL for (int c = 0; c < C; ++c)
          line[c] = fma_(kx[i], in ? get(ld(src + (v + at[i] + c * s.sc))) : ld(fill + c), line[c]);
      }
      AUG_UNROLL for (int c = 0; c < C; ++c)
        sum[c] = fma_(ky[j], line[c], sum[c]);
    }
    AUG_UNROLL for (int c = 0; c < C; ++c) {
      const float v = sizeof(T) == 1 ? clamp_(sum[c], 0.0f, 255.0f) : sum[c];
      px.v[c][l] = settle(v, (const T*)0);
    }
  });
}
#endif

// The most that a kernel can do of nearest (0), linear (1), cubic (2) and Lanczos (3), each with those before it: cubic is most of what
// NVRTC compiles, and is left to those who ask for it (gpuaug/backends/shapes.py).
#ifndef GPUAUG_SAMPLE
#define GPUAUG_SAMPLE 3
#endif
}  // namespace aug
#include "lanczos.cuh"  // reads as `settle` and `CubicFour` above say
namespace aug {

template <class G, class T, int C> AUG void sample(G g, const Row& s, const float* blob, int c0, Place<G>& t, Pixels<G, C>& px) {
#if !AUG_GPU  // there gathered of gpu/fused.cuh asks
  if constexpr (!is_label<T> && GPUAUG_SAMPLE >= 3) {
    if (s.sample == SAMPLE_LANCZOS) return sample_lanczos<G, T, C>(g, s, blob, c0, t, px);
  }
  if constexpr (!is_label<T> && GPUAUG_SAMPLE >= 2) {
    if (s.sample == SAMPLE_CUBIC) return sample_cubic<G, T, C>(g, s, blob, c0, t, px);
  }
  if constexpr (!is_label<T> && GPUAUG_SAMPLE >= 1) {
    if (s.sample == SAMPLE_LINEAR) return sample_linear<G, T, C>(g, s, blob, c0, t, px);
  }
#endif
  if constexpr (!is_label<T> && GPUAUG_SAMPLE >= 1) {
    if (s.sample == SAMPLE_LINE) return sample_line<G, T, C>(g, s, c0, t, px);
  }
  sample_nearest<G, T, C>(g, s, blob, c0, t, px);
}

}  // namespace aug
