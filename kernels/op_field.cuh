// op_field.cuh: factors that depend on the place: closed forms, one for each sample.
#pragma once
#include "pixels.cuh"
namespace aug {

// A polynomial: the same bits on both sides, and it vectorizes with no vector math library; about 2e-7 relative.
AUG float exp2_(float x) {
  x = clamp_(x, -126.0f, 127.0f);
  const float k = floor_(x), f = x - k;
  float p = 1.8775767e-3f;
  p = fma_(p, f, 8.9893397e-3f);
  p = fma_(p, f, 5.5826318e-2f);
  p = fma_(p, f, 2.4015361e-1f);
  p = fma_(p, f, 6.9315308e-1f);
  p = fma_(p, f, 1.0f);
  return unbits(bits(p) + ((u32)(int)k << 23));
}

enum FieldForm { FIELD_SLOPE = 0, FIELD_DISTANCE = 1, FIELD_BELL = 2 };
enum FieldRounding { FIELD_REAL = 0, FIELD_TRUNCATED = 1, FIELD_ROUNDED = 2 };

template <class G, int C> AUG void op_field(G g, const FieldOp& p, const Op&, const Sample&, Pixels<G, C>& px) {
  typename G::template Var<float> factor;
  const float base = p.base, slope = p.slope, x0 = p.x, y0 = p.y, scale = p.scale;
  if (p.form == FIELD_SLOPE) {
    g.each([&](Lane l) { factor[l] = base + ((float)px.x[l] * x0 + (float)px.y[l] * y0); });
  } else {
    const bool bell = p.form == FIELD_BELL;
    g.each([&](Lane l) {
      const float dx = (float)px.x[l] - x0, dy = (float)px.y[l] - y0, d = dx * dx + dy * dy;
      factor[l] = base + slope * (bell ? exp2_(d * scale) : sqrt_(d));
    });
  }
  const int rounding = p.rounding;
  AUG_UNROLL for (int c = 0; c < C; ++c)
    g.each([&](Lane l) {
      const float v = px.v[c][l] * factor[l], u = clamp_(v, 0.0f, 255.0f);
      px.v[c][l] = rounding == FIELD_REAL ? clamp_(v, 0.0f, 1.0f) : rounding == FIELD_TRUNCATED ? trunc_(u) : round_(u);
    });
}

}  // namespace aug
