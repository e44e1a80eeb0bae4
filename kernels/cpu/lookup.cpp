// lookup.cpp: a sample of a lookup launch.
#include "lookup.cuh"
#include "parts.hpp"
namespace aug {

void lookup_sample(const LookupRow& s, float* found) {
  int memory[LOOKUP_SHARED / 4];
  for (int i = 0; i < s.tables; ++i) lookup(s, i, found, memory);
}

}  // namespace aug
