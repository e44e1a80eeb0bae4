// filter.cpp: a sample of a filter launch, for one element type.
#include "filter.hpp"
#include "parts.hpp"
namespace aug {

template <class T> void filter_sample(const Launch& l, const FilterRow& s, Scratch& scratch) {
  scratch.lines.resize(filter_scratch_floats(s, l.channels));
  filter_image<T>(s, l.blob, l.channels, scratch.lines.data());
}
template void filter_sample<GPUAUG_IN>(const Launch&, const FilterRow&, Scratch&);

}  // namespace aug
