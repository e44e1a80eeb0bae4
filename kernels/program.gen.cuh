// program.gen.cuh: made of gpuaug/ops.py by `python kernels/generate.py`; not to be edited.
// clang-format off
#pragma once
#include "ops.gen.cuh"
#include "pixels.cuh"
namespace aug {

template <class G, int C>
AUG void op_linear(G g, const LinearOp& p, const Op&, const Sample&, Pixels<G, C>& px) {
  const float factor = p.factor;
  const float offset = p.offset;
  const float low = p.low;
  const float high = p.high;
  AUG_UNROLL for (int c = 0; c < C; ++c)
    g.each([&](Lane l) {
      const float v = px.v[c][l];
      px.v[c][l] = clamp_(v * factor + offset, low, high);
    });
}

template <class G, int C>
AUG void op_invert(G g, const InvertOp& p, const Op&, const Sample&, Pixels<G, C>& px) {
  const float top = p.top;
  AUG_UNROLL for (int c = 0; c < C; ++c)
    g.each([&](Lane l) {
      const float v = px.v[c][l];
      px.v[c][l] = top - v;
    });
}

template <class G, int C>
AUG void op_solarize(G g, const SolarizeOp& p, const Op&, const Sample&, Pixels<G, C>& px) {
  const float threshold = p.threshold;
  const float top = p.top;
  AUG_UNROLL for (int c = 0; c < C; ++c)
    g.each([&](Lane l) {
      const float v = px.v[c][l];
      px.v[c][l] = v >= threshold ? top - v : v;
    });
}

template <class G, int C>
AUG void op_power(G g, const PowerOp& p, const Op&, const Sample&, Pixels<G, C>& px) {
  const float exponent = p.exponent;
  AUG_UNROLL for (int c = 0; c < C; ++c)
    g.each([&](Lane l) {
      const float v = px.v[c][l];
      px.v[c][l] = power_(v, exponent);
    });
}

template <class G, int C>
AUG void op_divide(G g, const DivideOp& p, const Op&, const Sample&, Pixels<G, C>& px) {
  const float by = p.by;
  AUG_UNROLL for (int c = 0; c < C; ++c)
    g.each([&](Lane l) {
      const float v = px.v[c][l];
      px.v[c][l] = v / by;
    });
}

template <class G, int C>
AUG void op_quantize(G g, const QuantizeOp& p, const Op&, const Sample&, Pixels<G, C>& px) {
  const float top = p.top;
  AUG_UNROLL for (int c = 0; c < C; ++c)
    g.each([&](Lane l) {
      const float v = px.v[c][l];
      px.v[c][l] = clamp_(round_(v * top), 0.0f, 255.0f);
    });
}

template <class G, int C>
AUG void op_above(G g, const AboveOp& p, const Op&, const Sample&, Pixels<G, C>& px) {
  const float limit = p.limit;
  AUG_UNROLL for (int c = 0; c < C; ++c)
    g.each([&](Lane l) {
      const float v = px.v[c][l];
      px.v[c][l] = v > limit ? 1.0f : 0.0f;
    });
}

template <class G, int C>
AUG void op_levels(G g, const LevelsOp& p, const Op&, const Sample&, Pixels<G, C>& px) {
  const float count = p.count;
  AUG_UNROLL for (int c = 0; c < C; ++c)
    g.each([&](Lane l) {
      const float v = px.v[c][l];
      px.v[c][l] = clamp_(floor_(v * count), 0.0f, count - 1.0f) / count;
    });
}

}  // namespace aug
