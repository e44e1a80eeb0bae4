// reduce.cpp: a sample of a reduce launch, for one element type.
#include "parts.hpp"
#include "reduce.cuh"
namespace aug {

template <class T> void reduce_sample(const ReduceRow& s, float* found) {
  alignas(64) double memory[REDUCE_SHARED / 8];
  for (int i = 0; i < parts_of(s); ++i) reduce<T>(s, i, found, memory);
}
template void reduce_sample<GPUAUG_IN>(const ReduceRow&, float*);

}  // namespace aug
