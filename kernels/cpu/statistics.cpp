// statistics.cpp: a sample of a statistics launch, for one element type.
#include "parts.hpp"
#include "stats.cuh"
namespace aug {

template <class T> void statistics_sample(const Launch& l, const Row& s, float* stats) {
  for (int c = 0; c < l.channels; ++c) statistics<T>(s, c, stats);
}
template void statistics_sample<GPUAUG_IN>(const Launch&, const Row&, float*);

}  // namespace aug
