// verbs.hpp: what the exports of track.cpp, gather.cpp and windows.cpp share.
#pragma once
#include <cstring>
#include <vector>
#include "python.hpp"
#include "track.hpp"
namespace aug {

inline Track& track_of(void* handle) {
  if (!handle) raise(PyExc_RuntimeError, "a track is finished once: make a new one");
  return *(Track*)handle;
}

// n float32 values of which 32-bit integers are kept as bits
inline i64 append_words(std::vector<float>& out, PyObject* object) {
  const Array a(object);
  a.check_contiguous("values for a launch");
  const i64 count = a.count();
  const size_t at = next_table(out);
  if ((i64)at + count > 0x7fffffffLL)
    raise(PyExc_ValueError, "a batch's launches refer to more than 2^31 - 1 values; make it smaller");
  out.resize(at + count);
  if (!count) return (i64)at;
  if (a.words() || (a.type == 'f' && a.item == 4)) std::memcpy(out.data() + at, a.data(), 4 * count);
  else convert(out.data() + at, a, count, 1, a.item, 0);
  return (i64)at;
}

// By how much a side grows in a resize: what is given, or, where that is 0, what the lengths say.
inline double factor_of(double given, int from, int to) { return given > 0 ? given : to / (double)from; }

}  // namespace aug
