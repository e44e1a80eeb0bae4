// op_scene.cuh: flares, snow, stains of tissue, patterns that the host has made.
#pragma once
#include "op_color.cuh"
#include "op_grain.cuh"
#include "op_layer.cuh"
namespace aug {

// Discs drawn one over the other onto a second image, of which a part is mixed into the first after each: bytes, rounded as
// fma(over, alpha, v * rest). Where the two are still equal that changes nothing.
enum { FLARE_WORDS = 8 };
template <class G> AUG void op_flare(G g, const FlareOp&, const Op& op, const Sample& s, Pixels<G, 3>& px) {
  typename G::template Var<float> over[3];
  const float* row = s.blob + op.at;
  bool apart = false;
  AUG_UNROLL for (int c = 0; c < 3; ++c)
    g.each([&](Lane l) { over[c][l] = px.v[c][l]; });
  for (int k = 0; k < op.n; ++k, row += FLARE_WORDS) {
    const float x = ld(row), y = ld(row + 1), most = ld(row + 2), alpha = ld(row + 3), rest = ld(row + 4);
    const int colour = (int)ld(row + 5);
    if (ld(row + 6) != 0.0f) {  // the second image begins anew
      AUG_UNROLL for (int c = 0; c < 3; ++c)
        g.each([&](Lane l) { over[c][l] = px.v[c][l]; });
      apart = false;
    }
    const auto inside = [&](Lane l) {
      const float dx = (float)px.x[l] - x, dy = (float)px.y[l] - y;
      return dx * dx + dy * dy <= most;
    };
    if (!apart && g.all([&](Lane l) { return !inside(l); })) continue;
    apart = true;
    AUG_UNROLL for (int c = 0; c < 3; ++c) {
      const float f = (float)(colour >> (8 * c) & 255);
      g.each([&](Lane l) {
        const float o = inside(l) ? f : over[c][l];
        over[c][l] = o;
        px.v[c][l] = round_(fma_(o, alpha, px.v[c][l] * rest));
      });
    }
  }
}
// 255 - (255 - image) * (255 - light) / 255, cut off: the light's red blurred, its green as it was, its blue blurred otherwise
template <class G> AUG void op_screen(G g, const ScreenOp&, const Op& op, const Sample& s, Pixels<G, 3>& px) {
  const Under<G, 3> image = under<G, 3>(g, op, s, px, 0), light = under<G, 3>(g, op, s, px, 1),
                    red = under<G, 3>(g, op, s, px, 2);
  g.each([&](Lane l) {
    AUG_UNROLL for (int c = 0; c < 3; ++c) {
      const float f = c == 0 ? red(l, 0) : c == 1 ? light(l, 1) : px.v[2][l], a = image(l, c);
      px.v[c][l] = trunc_(clamp_(255.0f - (255.0f - a) * (1.0f - f), 0.0f, 255.0f));
    }
  });
}

// Snow that lies on bytes: v is a texture, of which each line gets less; sparkles are white
template <class G> AUG void op_snow(G g, const SnowOp& p, const Op& op, const Sample& s, Pixels<G, 3>& px) {
  const Under<G, 3> image = under<G, 3>(g, op, s, px, 0);
  const float brighter = p.brighter, slope = p.slope, depth = p.depth, tint = p.tint;
  const u32 k0 = p.key[0], k1 = p.key[1];
  const int width = p.width;
  g.each([&](Lane l) {
    float h, t, v;
    to_hsv_u8(image(l, 0), image(l, 1), image(l, 2), h, t, v);
    const float layer = px.v[0][l] * (1.0f + slope * (float)px.y[l]) * depth;
    v = clamp_(v * brighter, 0.0f, 255.0f) + layer;
    const float a = fma_(h + layer, 0.85f, 0.6f * tint), b = fma_(t + layer, 0.85f, 0.75f * tint), c = fma_(v, 0.85f, tint);
    float hue = trunc_(clamp_(a, 0.0f, 255.0f));
    hue = hue >= 180.0f ? hue - 180.0f : hue;
    from_hsv_u8(hue, trunc_(clamp_(b, 0.0f, 255.0f)), trunc_(clamp_(c, 0.0f, 255.0f)), px.v[0][l], px.v[1][l], px.v[2][l]);
  });
  g.each([&](Lane l) {
    const U4 u = threefry((u32)(px.y[l] * width + px.x[l]), 0u, (u32)STREAM_PIXELS, 0u, k0, k1);
    const bool white = uniform(u.x) > 0.99f;
    AUG_UNROLL for (int c = 0; c < 3; ++c)
      px.v[c][l] = white ? 255.0f : px.v[c][l];
  });
}

// Optical densities through a matrix: one for tissue, which is darker than 0.85, and one for what lies beside it
template <class G> AUG void op_stain(G g, const StainOp& p, const Op& op, const Sample& s, Pixels<G, 3>& px) {
  const float* m = s.blob + op.at;
  const bool whole = p.whole != 0;
  float a[12], b[12];
  AUG_UNROLL for (int i = 0; i < 12; ++i) {
    a[i] = ld(m + i);
    b[i] = ld(m + 12 + i);
  }
  g.each([&](Lane l) {
    float v[3], d[3];
    AUG_UNROLL for (int c = 0; c < 3; ++c) {
      v[c] = whole ? px.v[c][l] / 255.0f : px.v[c][l];
      d[c] = -0.69314718f * log2_(max_(v[c], 1e-6f));
    }
    const bool tissue = v[0] * 0.299f + v[1] * 0.587f + v[2] * 0.114f < 0.85f;
    AUG_UNROLL for (int c = 0; c < 3; ++c) {
      const float x = fma_(a[4 * c], d[0], fma_(a[4 * c + 1], d[1], fma_(a[4 * c + 2], d[2], a[4 * c + 3])));
      const float y = fma_(b[4 * c], d[0], fma_(b[4 * c + 1], d[1], fma_(b[4 * c + 2], d[2], b[4 * c + 3])));
      const float out = clamp_(exp2_(-1.44269504f * (tissue ? x : y)), 0.0f, 1.0f);
      px.v[c][l] = whole ? round_(out * 255.0f) : out;
    }
  });
}

// A pattern of 0..1 for each pixel. form 0: added; 1: contrast about the mean; 2: taken off
template <class G, int C> AUG void op_pattern(G g, const PatternOp& p, const Op& op, const Sample& s, Pixels<G, C>& px) {
  typename G::template Var<float> amount;
  const float *table = s.blob + op.at, by = p.amount, mean = p.form == 1 ? sample_mean(s, p.mean) : 0.0f;
  const int width = p.width, form = p.form;
  g.each_scalar([&](Lane l) { amount[l] = ld(table + scalar(px.y[l] * width + px.x[l])); });
  const bool whole = p.whole != 0;
  AUG_UNROLL for (int c = 0; c < C; ++c)
    g.each([&](Lane l) {
      const float a = amount[l] * by, v = px.v[c][l], w = a + 1.0f;
      const float out = form == 0 ? v + a : form == 1 ? clamp_(v * w, 0.0f, 1.0f) + mean * (1.0f - w) : v * (1.0f - a);
      px.v[c][l] = whole ? trunc_(clamp_(out, 0.0f, 255.0f)) : clamp_(out, 0.0f, 1.0f);
    });
}

// a splash of a colour over the layer: v is how much there is, of which the largest counts as 1
template <class G> AUG void op_splash(G g, const SplashOp& p, const Op& op, const Sample& s, Pixels<G, 3>& px) {
  const Under<G, 3> image = under<G, 3>(g, op, s, px, 0);
  const float most = ld(s.found + p.of + STAT_HIGH), intensity = p.intensity, scale = most > 0.0f ? intensity / most : 0.0f;
  const float covers = p.covers;
  const bool whole = p.whole != 0;
  AUG_UNROLL for (int c = 0; c < 3; ++c) {
    const float colour = p.colour[c];
    g.each([&](Lane l) {
      const float m = px.v[c][l] * scale, v = whole ? image(l, c) / 255.0f : image(l, c);
      const float out = clamp_(v * (1.0f - covers * m) + m * colour, 0.0f, 1.0f);
      px.v[c][l] = whole ? round_(out * 255.0f) : out;
    });
  }
}

// ---- the image at other places ---------------------------------------------------------------------------------------------

AUG Layer layer_of(const Op& op, const Sample& s, int k) {
  const u32* words = (const u32*)s.blob + s.layers + LAYER_WORDS * (op.layer + k);
  Layer a;
  a.src = (const void*)((u64)ld(words + 1) << 32 | ld(words));
  a.sy = (int)ld(words + 2);
  a.sx = (int)ld(words + 3);
  a.sc = (int)ld(words + 4);
  a.type = (int)ld(words + 5);
  return a;
}
// f((T*)src) for the layer's type
template <class F> AUG void with_type(const Layer& a, F f) {
  switch (a.type) {
    case DT_U8: f((const u8*)a.src); break;
    case DT_F16: f((const f16*)a.src); break;
    case DT_BF16: f((const bf16*)a.src); break;
    default: f((const float*)a.src); break;
  }
}

// where a pixel's partner is in albumentations' frosted glass: -delta .. delta - 1 away in both directions
AUG void glass_step(int x, int y, int width, int delta, u32 k0, u32 k1, int& dx, int& dy) {
  const u32 h = speckle_hash(speckle_hash((u32)(y * width + x) + k0) ^ k1), range = (u32)(2 * delta);
  dy = (int)((h & 0xffffu) * range >> 16) - delta;
  dx = (int)((h >> 16) * range >> 16) - delta;
}
// All pixels of a region swap places with their partners at once: a pixel is what came to it last (from the left, then from above),
// else its partner, or itself outside of the region.
template <class G, int C> AUG void op_glass(G g, const GlassOp& p, const Op& op, const Sample& s, Pixels<G, C>& px) {
  typename G::template Var<int> tx, ty;
  const int delta = p.delta, width = p.width, height = p.height, x1 = width - delta, y1 = height - delta;
  const u32 k0 = p.key[0], k1 = p.key[1];
  g.each([&](Lane l) {
    const int x = px.x[l], y = px.y[l];
    int dx, dy;
    glass_step(x, y, width, delta, k0, k1, dx, dy);
    const bool in = (x > delta) & (x <= x1) & (y > delta) & (y <= y1);
    tx[l] = in ? x + dx : x;
    ty[l] = in ? y + dy : y;
  });
  for (int dx = -delta; dx < delta; ++dx)
    for (int dy = -delta; dy < delta; ++dy)
      g.each([&](Lane l) {
        const int x = px.x[l] - dx, y = px.y[l] - dy;
        int ex, ey;
        glass_step(x, y, width, delta, k0, k1, ex, ey);
        const bool here = (x > delta) & (x <= x1) & (y > delta) & (y <= y1) & (ex == dx) & (ey == dy);
        tx[l] = here ? x : tx[l];
        ty[l] = here ? y : ty[l];
      });
  const Layer a = layer_of(op, s, 0);
  with_type(a, [&](auto* src) {
    g.each_scalar([&](Lane l) {
      auto* q = src + ((i64)scalar(ty[l]) * a.sy + (i64)scalar(tx[l]) * a.sx + (i64)s.c0 * a.sc);
      AUG_UNROLL for (int c = 0; c < C; ++c)
        px.v[c][l] = get(ld(q + (i64)c * a.sc));
    });
  });
}

// The mean of the image and its enlargements about the middle, each linear between pixels of a window
enum {
  ZOOM_WORDS = 8
};  // x: source pixels per output pixel, what is added to an output pixel, window's first, its last; y: the same
template <class G, int C> AUG void op_zoom(G g, const ZoomOp& p, const Op& op, const Sample& s, Pixels<G, C>& px) {
  typename G::template Var<float> sum[C], fx, fy;
  typename G::template Var<int> x0, y0, right, below;
  const float* row = s.blob + op.at;
  const Layer a = layer_of(op, s, 0);
  AUG_UNROLL for (int c = 0; c < C; ++c)
    g.each([&](Lane l) { sum[c][l] = px.v[c][l]; });
  for (int k = 0; k < op.n; ++k, row += ZOOM_WORDS) {
    const float sx = ld(row), ox = ld(row + 1), left = ld(row + 2), mx = ld(row + 3);
    const float sy = ld(row + 4), oy = ld(row + 5), top = ld(row + 6), my = ld(row + 7);
    g.each([&](Lane l) {
      const float x = clamp_(((float)px.x[l] + ox) * sx - 0.5f, 0.0f, mx),
                  y = clamp_(((float)px.y[l] + oy) * sy - 0.5f, 0.0f, my);
      const float lx = floor_(x), ly = floor_(y);
      fx[l] = x - lx;
      fy[l] = y - ly;
      const int ix = (int)lx + (int)left, iy = (int)ly + (int)top;
      x0[l] = ix * a.sx;
      y0[l] = iy * a.sy;
      right[l] = lx < mx ? a.sx : 0;
      below[l] = ly < my ? a.sy : 0;
    });
    with_type(a, [&](auto* src) {
      src += (i64)s.c0 * a.sc;
      const int sc = a.sc;
      g.each_scalar([&](Lane l) {
        auto* q = src + ((i64)y0[l] + x0[l]);
        const int r = right[l], b = below[l];
        const float u = fx[l], v = fy[l];
        AUG_UNROLL for (int c = 0; c < C; ++c) {
          const float p0 = get(ld(q + c * sc)), p1 = get(ld(q + r + c * sc)), q0 = get(ld(q + b + c * sc)),
                      q1 = get(ld(q + b + r + c * sc));
          const float l0 = fma_(v, q0 - p0, p0), l1 = fma_(v, q1 - p1, p1);  // along y, then along x
          sum[c][l] += fma_(u, l1 - l0, l0);
        }
      });
    });
  }
  const float by = 1.0f / (float)(op.n + 1);
  const bool whole = p.whole != 0;
  AUG_UNROLL for (int c = 0; c < C; ++c)
    g.each([&](Lane l) {
      const float v = sum[c][l] * by;
      px.v[c][l] = whole ? round_(clamp_(v, 0.0f, 255.0f)) : v;
    });
}

}  // namespace aug
