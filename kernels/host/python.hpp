// python.hpp: arguments that are Python objects, read through the buffer protocol.
//
// The few functions of the stable ABI are declared by hand: the library is loaded by ctypes.PyDLL into an interpreter that
// has them, so that building it takes no Python headers and one build serves every Python 3. ctypes passes objects in 0.1 us
// and arrays come without asking NumPy for their address (1 us each).
#pragma once
#include <cmath>
#include <cstdint>
#include <cstring>
#include <exception>
#include <new>
#include <optional>
#include <type_traits>
#include <vector>

extern "C" {
typedef struct _object PyObject;
typedef intptr_t Py_ssize_t;
typedef struct {  // CPython 3.0 to date; part of the stable ABI since 3.11
  void* buf;
  PyObject* obj;
  Py_ssize_t len, itemsize;
  int readonly, ndim;
  char* format;
  Py_ssize_t *shape, *strides, *suboffsets;
  void* internal;
} Py_buffer;
int PyIndex_Check(PyObject*);
Py_ssize_t PyDict_Size(PyObject*);
PyObject* PyDict_GetItem(PyObject*, PyObject*);  // borrowed, as the next
PyObject* PyTuple_GetItem(PyObject*, Py_ssize_t);
Py_ssize_t PyTuple_Size(PyObject*);
long long PyLong_AsLongLong(PyObject*);
int PyObject_CheckBuffer(PyObject*);
int PyObject_GetBuffer(PyObject*, Py_buffer*, int);
void PyBuffer_Release(Py_buffer*);
double PyFloat_AsDouble(PyObject*);
PyObject* PyErr_Occurred();
void PyErr_Clear();
PyObject* PyErr_Format(PyObject*, const char*, ...);
PyObject* PyErr_NoMemory();
void* PyEval_SaveThread();
void PyEval_RestoreThread(void*);
PyObject* PyBytes_FromStringAndSize(const char*, Py_ssize_t);
extern PyObject *PyExc_ValueError, *PyExc_TypeError, *PyExc_IndexError, *PyExc_RuntimeError;
}

namespace aug {

typedef long long i64;

struct PythonError : std::exception {};  // the interpreter holds the message

template <class... A> [[noreturn]] void raise(PyObject* kind, const char* format, A... a) {
  PyErr_Format(kind, format, a...);
  throw PythonError();
}

// What an exported function does, with C++'s exceptions turned into Python's; ctypes.PyDLL raises what it finds set.
template <class F> auto guarded(F f) -> decltype(f()) {
  try {
    return f();
  } catch (const PythonError&) {
  } catch (const std::bad_alloc&) { PyErr_NoMemory(); } catch (const std::exception& error) {
    PyErr_Format(PyExc_RuntimeError, "gpuaug: %s", error.what());
  }
  return decltype(f())();
}

// An array of any real type and any strides, held while this lives.
class Array {
 public:
  explicit Array(PyObject* object, bool writable = false) {
    // 0x18: strides, 0x4: format, 0x1: writable
    if (PyObject_GetBuffer(object, &view_, 0x18 | 0x4 | (writable ? 0x1 : 0))) throw PythonError();
    type = view_.format ? view_.format[view_.format[0] == '<' || view_.format[0] == '=' || view_.format[0] == '@'] : 'B';
    item = (int)view_.itemsize;
    ndim = view_.ndim;
  }
  Array(const Array&) = delete;
  ~Array() { PyBuffer_Release(&view_); }
  i64 shape(int axis) const { return view_.shape[axis]; }
  i64 stride(int axis) const { return view_.strides[axis]; }
  const char* data() const { return (const char*)view_.buf; }
  i64 bytes() const { return view_.len; }

  i64 count() const { return view_.len / view_.itemsize; }
  // Whole numbers of 32 bits, which launches take as they are?
  bool words() const { return item == 4 && (type == 'i' || type == 'I' || type == 'l' || type == 'L'); }

  void check_contiguous(const char* name) const {
    i64 step = item;
    for (int a = ndim - 1; a >= 0; --a) {
      if (shape(a) > 1 && stride(a) != step) raise(PyExc_ValueError, "%s must be contiguous", name);
      step *= shape(a);
    }
  }
  // The memory of a contiguous array of `count` values of T.
  template <class T> T* whole(i64 count, const char* name) const {
    if (item != (int)sizeof(T) || view_.len != count * (i64)sizeof(T))
      raise(PyExc_ValueError, "%s has %zd bytes, not %zd values of %d", name, (Py_ssize_t)view_.len, (Py_ssize_t)count,
            (int)sizeof(T));
    check_contiguous(name);
    return (T*)view_.buf;
  }

  char type;
  int item, ndim;

 private:
  Py_buffer view_;
};

template <class T, class S> void copy_strided(T* out, const char* from, i64 n, i64 k, i64 s0, i64 s1) {
  for (i64 i = 0; i < n; ++i)
    for (i64 j = 0; j < k; ++j) {
      S value;
      std::memcpy(&value, from + i * s0 + j * s1, sizeof value);
      if (std::is_integral<T>::value && std::is_floating_point<S>::value && !(std::fabs((double)value) < 9e18))
        raise(PyExc_ValueError, "a number that should be whole is not finite, or above 9e18");
      out[i * k + j] = (T)value;
    }
}
template <class T> void convert(T* out, const Array& a, i64 n, i64 k, i64 s0, i64 s1) {
  const char* p = a.data();
  switch (a.type) {
    case 'd': return copy_strided<T, double>(out, p, n, k, s0, s1);
    case 'f': return copy_strided<T, float>(out, p, n, k, s0, s1);
    case 'l':
    case 'q':
    case 'i':
      if (a.item == 4) return copy_strided<T, std::int32_t>(out, p, n, k, s0, s1);
      return copy_strided<T, std::int64_t>(out, p, n, k, s0, s1);
    case 'L':
    case 'Q':
    case 'I':
      if (a.item == 4) return copy_strided<T, std::uint32_t>(out, p, n, k, s0, s1);
      return copy_strided<T, std::uint64_t>(out, p, n, k, s0, s1);
    case 'h': return copy_strided<T, std::int16_t>(out, p, n, k, s0, s1);
    case 'B':
    case '?': return copy_strided<T, std::uint8_t>(out, p, n, k, s0, s1);
    case 'b': return copy_strided<T, std::int8_t>(out, p, n, k, s0, s1);
  }
  raise(PyExc_TypeError, "gpuaug: arrays of type '%c' are not read here; use float64, float32 or whole numbers", a.type);
}

template <class T> bool is_of(const Array& a) {
  static_assert(std::is_same<T, float>::value || std::is_same<T, double>::value || std::is_same<T, i64>::value, "");
  if (std::is_same<T, i64>::value) return a.item == 8 && (a.type == 'l' || a.type == 'q');
  return a.type == (sizeof(T) == 8 ? 'd' : 'f');
}

// n values, or n lines of k, as T. A number, or one line of k, stands for all n. An array of that type is read where it lies.
template <class T> class Column {
 public:
  Column(PyObject* object, i64 n, const char* name, i64 k = 1) : lines_(n), length_(k) {
    if (!PyObject_CheckBuffer(object)) {
      const double value = PyFloat_AsDouble(object);
      if (value == -1.0 && PyErr_Occurred()) {
        PyErr_Clear();
        raise(PyExc_TypeError, "%s must be an array or a number, not another object (a list: numpy.asarray of it)", name);
      }
      values_.assign(k, (T)value);
      data_ = values_.data();
      return;
    }
    held_.emplace(object);
    const Array& a = *held_;
    const bool line = a.ndim == 1 && k > 1 && a.shape(0) == k;
    if (a.ndim == 0) {
      values_.resize(1);
      convert(values_.data(), a, 1, 1, 0, 0);
      values_.resize(k, values_[0]);
    } else if (line) {
      values_.resize(k);
      convert(values_.data(), a, 1, k, 0, a.stride(0));
    } else if ((a.ndim == 1 && k == 1 && a.shape(0) == n) || (a.ndim == 2 && a.shape(0) == n && a.shape(1) == k)) {
      step_ = k;
      const i64 size = (i64)sizeof(T);
      if (is_of<T>(a) && a.stride(0) == k * size && (k == 1 || a.stride(1) == size)) {
        data_ = (const T*)a.data();
        return;
      }
      values_.resize(n * k);
      convert(values_.data(), a, n, k, a.stride(0), a.ndim == 2 ? a.stride(1) : 0);
    } else {
      raise(PyExc_ValueError, "%s must be one number, %zd lines of %zd, or one of them; its first axis has %zd", name,
            (Py_ssize_t)n, (Py_ssize_t)k, (Py_ssize_t)a.shape(0));
    }
    data_ = values_.data();
  }
  const T* line(i64 i) const { return data_ + i * step_; }
  T operator[](i64 i) const { return data_[i * step_]; }
  // All of them, line after line.
  const T* all() {
    if (step_ == 0 && lines_ > 1) {
      std::vector<T> every;
      for (i64 i = 0; i < lines_; ++i) every.insert(every.end(), data_, data_ + length_);
      values_ = std::move(every);
      data_ = values_.data();
      step_ = length_;
    }
    return data_;
  }

 private:
  std::optional<Array> held_;
  std::vector<T> values_;
  const T* data_;
  i64 step_ = 0, lines_, length_;
};

// Rows of a batch: an array of whole numbers, or anything else (a slice) for all of them.
inline std::vector<int> rows_of(PyObject* object, int samples) {
  std::vector<int> rows;
  if (!PyObject_CheckBuffer(object)) {
    rows.resize(samples);
    for (int i = 0; i < samples; ++i) rows[i] = i;
    return rows;
  }
  const Array a(object);
  if (a.ndim != 1 || a.type == '?' || a.type == 'd' || a.type == 'f')
    raise(PyExc_TypeError, "rows must be a slice or a line of whole numbers");
  const i64 n = a.shape(0);
  rows.resize(n);
  std::vector<i64> given;
  const i64* from = (const i64*)a.data();
  if ((a.type != 'l' && a.type != 'q') || a.item != 8 || (n > 1 && a.stride(0) != 8)) {
    given.resize(n);
    convert(given.data(), a, n, 1, a.stride(0), 0);
    from = given.data();
  }
  for (i64 k = 0; k < n; ++k) {
    if (from[k] < 0 || from[k] >= samples) raise(PyExc_IndexError, "row %zd of a batch of %d", (Py_ssize_t)from[k], samples);
    rows[k] = (int)from[k];
  }
  return rows;
}

inline PyObject* bytes_of_vector(const void* data, i64 size) {
  return PyBytes_FromStringAndSize((const char*)data, (Py_ssize_t)size);
}

// Tables start at a multiple of four words: a GPU reads four at once.
inline size_t next_table(const std::vector<float>& out) { return (out.size() + 3) & ~(size_t)3; }

}  // namespace aug
