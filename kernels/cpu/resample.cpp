// resample.cpp: a sample of a resample launch, for one element type.
#include "resample.hpp"
#include "halve.hpp"
#include "parts.hpp"
namespace aug {

namespace {

// two pixels for each, side by side, of one weight?
bool pairs(const float* blob, int at, int n, int most) {
  const TapTable taps(blob, at, n, most);
  if (most != 2) return false;
  for (int i = 0; i < n; ++i)
    if (taps.first(i) != 2 * i || taps.taps(i) != 2 || taps.weights(i)[0] != 0.5f || taps.weights(i)[1] != 0.5f) return false;
  return true;
}
bool halved(const Launch& l, const ResampleRow& s) {
  return l.source == DT_U8 && pairs(l.blob, s.columns, s.dw, s.across) && pairs(l.blob, s.lines, s.dh, s.down) &&
         halve(s, l.channels, s.up);
}

}  // namespace

template <class T> void resample_sample(const Launch& l, const ResampleRow& s, Scratch& scratch) {
  if (halved(l, s)) return;
  const int C = filter_planar(s) ? 1 : l.channels;
  for (int c = 0; c < l.channels; c += C) resample_image<T>(s, l.blob, c, C, scratch.lines);
}
template void resample_sample<GPUAUG_IN>(const Launch&, const ResampleRow&, Scratch&);

}  // namespace aug
