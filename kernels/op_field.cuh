// op_field.cuh: factors that depend on the place: closed forms, one for each sample.
#pragma once
#include "ops.gen.cuh"
#include "pixels.cuh"
namespace aug {

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
