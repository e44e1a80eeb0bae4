// resample.cpp: a sample of a resample launch, for one element type.
#include "resample.hpp"
#include "parts.hpp"
namespace aug {

template <class T> void resample_sample(const Launch& l, const ResampleRow& s, Scratch& scratch) {
  const int C = filter_planar(s) ? 1 : l.channels;
  for (int c = 0; c < l.channels; c += C) resample_image<T>(s, l.blob, c, C, scratch.lines);
}
template void resample_sample<GPUAUG_IN>(const Launch&, const ResampleRow&, Scratch&);

}  // namespace aug
