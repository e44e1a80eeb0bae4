// params.hpp: parameters and tables of operations and lookups: numbers and arrays, by name, checked against what
// gpuaug/parameters.py declares, as words of 32 bits. What is wrong is told by a number; the sentence is made there.
#pragma once
#include <algorithm>
#include <cstring>
#include <limits>
#include <type_traits>
#include <vector>
#include "python.hpp"
namespace aug {

// gpuaug/parameters.py has these, too
enum Wrong { WRONG_NAMES = 1, WRONG_TYPE, WRONG_RANGE, WRONG_SHAPE, WRONG_COUNT, WRONG_NAN };

enum { OF_TABLE = 1000 };

// Thrown: which parameter (OF_TABLE: the table), and what is wrong with it.
struct Refused {
  int which, wrong;
  i64 code() const { return -(8LL * which + wrong); }
};

// One word: 'f' float, 'i' int, 'u' unsigned. Whole numbers of another type are whole numbers that fit.
template <class T, class S> inline void to_word(char* out, S value, int which) {
  if constexpr (std::is_integral<T>::value && std::is_integral<S>::value) {
    const bool above = value > S(0) && (std::uint64_t)value > (std::uint64_t)std::numeric_limits<T>::max();
    if (above || (value < S(0) && (i64)value < (i64)std::numeric_limits<T>::min())) throw Refused{which, WRONG_RANGE};
  }
  if constexpr (!std::is_integral<S>::value)
    if (value != value && which != OF_TABLE) throw Refused{which, WRONG_NAN};
  const T word = (T)value;
  std::memcpy(out, &word, sizeof word);
}

template <class T, class S> void to_words(char* out, const char* from, i64 n, i64 step, i64 by, int which) {
  if (sizeof(T) == sizeof(S) && std::is_integral<T>::value == std::is_integral<S>::value && by == 4 && step == 4 &&
      std::is_signed<T>::value == std::is_signed<S>::value) {
    std::memcpy(out, from, 4 * n);
    return;
  }
  for (i64 k = 0; k < n; ++k) {
    S value;
    std::memcpy(&value, from + k * by, sizeof value);
    to_word<T, S>(out + k * step, value, which);
  }
}

template <class T> void to_words(char* out, const Array& a, const char* from, i64 n, i64 step, i64 by, int which) {
  const bool wide = a.item == 8;
  switch (a.type) {
    case 'd':
      if (std::is_integral<T>::value) break;
      return to_words<T, double>(out, from, n, step, by, which);
    case 'f':
      if (std::is_integral<T>::value) break;
      return to_words<T, float>(out, from, n, step, by, which);
    case 'l':
    case 'q':
    case 'i':
      if (wide) return to_words<T, std::int64_t>(out, from, n, step, by, which);
      return to_words<T, std::int32_t>(out, from, n, step, by, which);
    case 'L':
    case 'Q':
    case 'I':
      if (wide) return to_words<T, std::uint64_t>(out, from, n, step, by, which);
      return to_words<T, std::uint32_t>(out, from, n, step, by, which);
    case 'h': return to_words<T, std::int16_t>(out, from, n, step, by, which);
    case 'H': return to_words<T, std::uint16_t>(out, from, n, step, by, which);
    case 'b': return to_words<T, std::int8_t>(out, from, n, step, by, which);
    case 'B':
    case '?': return to_words<T, std::uint8_t>(out, from, n, step, by, which);
  }
  throw Refused{which, WRONG_TYPE};
}

// n words `step` bytes apart, of numbers `by` bytes apart.
inline void to_words(char type, char* out, const Array& a, const char* from, i64 n, i64 step, i64 by, int which) {
  if (type == 'f') to_words<float>(out, a, from, n, step, by, which);
  else if (type == 'i') to_words<std::int32_t>(out, a, from, n, step, by, which);
  else to_words<std::uint32_t>(out, a, from, n, step, by, which);
}

// All of an array, line after line, as words behind those of `out`; returns where they start.
inline i64 append_table(std::vector<float>& out, const Array& a, char type) {
  const size_t at = next_table(out);
  const i64 count = a.count();
  if ((i64)at + count > 0x7fffffffLL)
    raise(PyExc_ValueError, "a batch's launches refer to more than 2^31 - 1 values; make it smaller");
  if (!count) return (i64)at;
  out.resize(at + count);
  char* to = (char*)(out.data() + at);
  int inner = a.ndim;  // axes from there on are one line: they lie one behind another
  i64 line = 1;
  while (inner > 0 && (a.shape(inner - 1) == 1 || a.stride(inner - 1) == a.item * line)) line *= a.shape(--inner);
  i64 by = a.item;
  if (inner == a.ndim && inner > 0) {  // the last axis has gaps: it is a line by itself
    --inner;
    line = a.shape(inner);
    by = a.stride(inner);
  }
  std::vector<i64> index(inner, 0);
  const char* from = a.data();
  for (i64 done = 0; done < count; done += line) {
    to_words(type, to + 4 * done, a, from, line, 4, by, OF_TABLE);
    for (int axis = inner - 1; axis >= 0; --axis) {
      from += a.stride(axis);
      if (++index[axis] < a.shape(axis)) break;
      from -= a.stride(axis) * a.shape(axis);
      index[axis] = 0;
    }
  }
  return (i64)at;
}

// The parameters of n samples.
class Params {
 public:
  // names: a tuple; declared: bytes, two for each: a type as above, or 'c' for a colour, and how many words (0: one, and no axis);
  // given: a dict. Colours go into the blob, whose first `channels` values are 0 at `zeros`.
  Params(PyObject* names, PyObject* declared, PyObject* given, i64 n, int channels, std::vector<float>& blob, i64 zeros = 0) {
    const Py_ssize_t count = PyTuple_Size(names);
    if (PyDict_Size(given) != count) throw Refused{0, WRONG_NAMES};
    if (!count) return;
    const Array kinds(declared);
    const char* kind = kinds.data();
    words_ = 0;
    for (Py_ssize_t k = 0; k < count; ++k) words_ += std::max<int>(1, kind[2 * k + 1]);
    // one line until a parameter has one for each sample
    data_.resize((size_t)words_);
    int word = 0;
    for (int k = 0; k < (int)count; ++k) {
      PyObject* value = PyDict_GetItem(given, PyTuple_GetItem(names, k));
      if (!value) throw Refused{k, WRONG_NAMES};
      const char type = kind[2 * k];
      const int size = kind[2 * k + 1], wide = size ? size : 1;
      if (type == 'c') colour(value, k, word, n, channels, blob, zeros);
      else if (PyObject_CheckBuffer(value)) array(value, type, size, k, word, n);
      else number(value, type, wide, k, word);
      word += wide;
    }
  }
  int bytes() const { return 4 * words_; }
  const char* line(i64 i) const { return (const char*)(data_.data() + (each_ ? i * words_ : 0)); }

 private:
  void for_each(i64 n) {  // every sample gets a line of its own
    if (each_) return;
    each_ = true;
    std::vector<std::uint32_t> one(std::move(data_));
    data_.resize((size_t)n * words_);
    for (i64 i = 0; i < n; ++i) std::copy(one.begin(), one.end(), data_.begin() + i * words_);
    lines_ = n;
  }
  // words [word, word + wide) of all lines from those of the first
  void spread(int word, int wide) {
    for (i64 i = 1; i < lines_; ++i) std::copy_n(&data_[word], wide, &data_[i * words_ + word]);
  }
  char* at(int word) { return (char*)&data_[word]; }

  void number(PyObject* value, char type, int wide, int k, int word) {
    if (type == 'f') {
      const double number = PyFloat_AsDouble(value);
      if (number == -1.0 && PyErr_Occurred()) {
        PyErr_Clear();
        throw Refused{k, WRONG_TYPE};
      }
      to_word<float, double>(at(word), number, k);
    } else {
      if (!PyIndex_Check(value)) throw Refused{k, WRONG_TYPE};
      const i64 number = PyLong_AsLongLong(value);
      if (number == -1 && PyErr_Occurred()) {
        PyErr_Clear();
        throw Refused{k, WRONG_RANGE};
      }
      if (type == 'i') to_word<std::int32_t, std::int64_t>(at(word), number, k);
      else to_word<std::uint32_t, std::int64_t>(at(word), number, k);
    }
    for (int j = 1; j < wide; ++j) data_[word + j] = data_[word];
    spread(word, wide);
  }

  // An array of `size` words, or [n, size]; size 0: a number, or [n]. Axes of length 1 stand for all.
  void array(PyObject* value, char type, int size, int k, int word, i64 n) {
    const Array a(value);
    const int own = size ? 1 : 0, wide = size ? size : 1;
    const bool every = a.ndim == own + 1;
    if (a.ndim > own + 1) throw Refused{k, WRONG_SHAPE};
    const bool lines = every && a.shape(0) != 1;
    if (lines && a.shape(0) != n) throw Refused{k, WRONG_SHAPE};
    i64 along = 0;
    if (own && a.ndim) {
      const i64 last = a.shape(a.ndim - 1);
      if (last != wide && last != 1) throw Refused{k, WRONG_SHAPE};
      along = last == 1 ? 0 : a.stride(a.ndim - 1);
    }
    if (!a.count()) return;
    if (lines) {
      for_each(n);
      for (int j = 0; j < wide; ++j) to_words(type, at(word + j), a, a.data() + j * along, n, 4LL * words_, a.stride(0), k);
    } else {
      for (int j = 0; j < wide; ++j) to_words(type, at(word + j), a, a.data() + j * along, 1, 4, 4, k);
      spread(word, wide);
    }
  }

  // float32 [channels], or [n, .., channels]: the offset in the blob.
  void colour(PyObject* value, int k, int word, i64 n, int channels, std::vector<float>& blob, i64 zeros) {
    if (!PyObject_CheckBuffer(value)) throw Refused{k, WRONG_TYPE};
    const Array a(value);
    if (a.type != 'f' || a.item != 4) throw Refused{k, WRONG_TYPE};
    if (!a.ndim || a.shape(a.ndim - 1) != channels || (a.ndim > 1 && a.shape(0) != n)) throw Refused{k, WRONG_SHAPE};
    const i64 offset = append_table(blob, a, 'f');
    if (a.ndim > 1) {
      for_each(n);
      for (i64 i = 0; i < n; ++i) data_[i * words_ + word] = (std::uint32_t)(offset + i * (a.count() / n));
      return;
    }
    bool black = true;
    for (int c = 0; c < channels; ++c) {
      std::uint32_t bits;
      std::memcpy(&bits, &blob[offset + c], sizeof bits);
      black = black && bits == 0;
    }
    if (black) blob.resize(offset);
    data_[word] = (std::uint32_t)(black ? zeros : offset);
    spread(word, 1);
  }

  std::vector<std::uint32_t> data_;
  int words_ = 0;
  i64 lines_ = 1;
  bool each_ = false;
};

// A table as it is declared: int32s, its type and its axes, of which -1 is any number and -2 the channels.
class Table {
 public:
  // lead: 1 if its first axis is samples, n of them.
  Table(PyObject* declared, PyObject* values, int lead, i64 n, int channels) : array_(values) {
    const Array d(declared);
    const std::int32_t* want = (const std::int32_t*)d.data();
    const int axes = (int)(d.bytes() / 4) - 1;
    type_ = (char)want[0];
    if (lead && (!array_.ndim || array_.shape(0) != n)) throw Refused{OF_TABLE, WRONG_COUNT};
    if (array_.ndim != axes + lead) throw Refused{OF_TABLE, WRONG_SHAPE};
    entry_ = 1;
    for (int k = 0; k < axes; ++k) {
      const i64 length = array_.shape(lead + k), fixed = want[1 + k] == -2 ? channels : want[1 + k];
      if (fixed >= 0 && length != fixed) throw Refused{OF_TABLE, WRONG_SHAPE};
      if (k) entry_ *= length;
    }
    entries_ = array_.shape(lead);
  }
  i64 entries() const { return entries_; }  // along its first axis
  i64 entry() const { return entry_; }      // words of each
  i64 append(std::vector<float>& blob) const { return append_table(blob, array_, type_); }

 private:
  Array array_;
  char type_;
  i64 entry_, entries_;
};

}  // namespace aug
