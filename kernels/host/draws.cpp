// draws.cpp: uniforms of a batch, who is drawn, and parameters that take NumPy many calls; exports for gpuaug/library.py.
//
// Called, as track.cpp is, through ctypes.PyDLL, which keeps the interpreter's lock: these calls take microseconds, and to wait
// for the lock after each of them would take a loader's thread up to 5 ms (sys.getswitchinterval).
#include "python.hpp"
#include "draws.hpp"
#include "export.hpp"
using namespace aug;

namespace {

// uniforms [n, k] as they lie in the table, whose lines are columns
struct Uniforms {
  explicit Uniforms(PyObject* object, int columns) : array(object) {
    if (array.type != 'd' || array.ndim != 2 || array.shape(1) < columns)
      raise(PyExc_ValueError, "u must be float64 [n, %d]", columns);
    n = array.shape(0);
  }
  double at(i64 i, int k) const { return *(const double*)(array.data() + i * array.stride(0) + k * array.stride(1)); }
  Array array;
  i64 n;
};

}  // namespace

EXPORT int gpuaug_node_size() { return (int)sizeof(Node); }

// Is a value of a contiguous int64 array outside 0 .. limit - 1?
EXPORT int gpuaug_outside(PyObject* values, i64 limit) {
  return guarded([&] {
    const Array a(values);
    const i64 n = a.bytes() / 8, *v = a.whole<i64>(n, "values");
    u64 most = 0;
    for (i64 i = 0; i < n; ++i) most = std::max(most, (u64)v[i]);
    return most >= (u64)limit ? 1 : 0;
  });
}

EXPORT void gpuaug_uniforms(PyObject* ids, PyObject* occurrence, u32 epoch, PyObject* slots, PyObject* blocks, u64 seed,
                            PyObject* out) {
  guarded([&] {
    const Array i(ids), o(occurrence), s(slots), b(blocks), u(out, true);
    const i64 n = i.bytes() / 8, pairs = s.bytes() / 4;
    const u64* id = i.whole<u64>(n, "ids");
    const u32* times = o.whole<u32>(n, "occurrence");
    const u32 *slot = s.whole<u32>(pairs, "slots"), *block = b.whole<u32>(pairs, "blocks");
    double* to = u.whole<double>(4 * pairs * n, "out");
    for (i64 k = 0; k < pairs; ++k)
      uniform_lines(id, times, epoch, (int)n, slot[k], block[k], (u32)seed, (u32)(seed >> 32), to + 4 * k * n);
    return 0;
  });
}

EXPORT i64 gpuaug_select(PyObject* nodes, PyObject* children, PyObject* edges, PyObject* u, int samples, PyObject* visits,
                         PyObject* rows) {
  return guarded([&] {
    const Array n(nodes), c(children), e(edges), t(u), v(visits, true), r(rows, true);
    const i64 most_visits = v.bytes() / (i64)sizeof(Visit), most_rows = r.bytes() / 8;
    return Selection(n.whole<Node>(n.bytes() / (i64)sizeof(Node), "nodes"), c.whole<int>(c.bytes() / 4, "children"),
                     e.whole<double>(e.bytes() / 8, "edges"), t.whole<double>(t.bytes() / 8, "u"), samples, (Visit*)v.data(),
                     most_visits, r.whole<i64>(most_rows, "rows"), most_rows)
        .run();
  });
}

EXPORT void gpuaug_resized_crop(PyObject* u, PyObject* size, double scale0, double scale1, double ratio0, double ratio1,
                                PyObject* out) {
  guarded([&] {
    const Uniforms from(u, 22);
    const Column<double> sizes(size, from.n, "size", 2);
    const Array to(out, true);
    i64* window = to.whole<i64>(4 * from.n, "out");
    for (i64 i = 0; i < from.n; ++i) {
      const double h = sizes.line(i)[0], w = sizes.line(i)[1];
      resized_crop([&](int k) { return from.at(i, k); }, h, w, {scale0, scale1}, {ratio0, ratio1}, window + 4 * i);
    }
    return 0;
  });
}

// Affine's parameters of n samples; gpuaug/transforms/affine.py names the ranges.
struct AffineRanges {
  double mode;
  Range translate[2], shear[2], scale[2], rotate;
  double keep_ratio, balanced;
};
EXPORT void gpuaug_affine(PyObject* u, PyObject* size, PyObject* ranges, PyObject* matrix, PyObject* scale, PyObject* rotate) {
  guarded([&] {
    const Uniforms from(u, 9);
    const Column<double> sizes(size, from.n, "size", 2);
    const Array a(ranges), m(matrix, true), s(scale, true), r(rotate, true);
    const AffineRanges& range = *(const AffineRanges*)a.whole<double>(sizeof(AffineRanges) / 8, "ranges");
    double* matrices = m.whole<double>(9 * from.n, "matrix");
    double *scales = s.whole<double>(2 * from.n, "scale"), *angles = r.whole<double>(from.n, "rotate");
    for (i64 i = 0; i < from.n; ++i) {
      AffineParts p = {};
      for (int axis = 0; axis < 2; ++axis) {  // x, y
        const double side = sizes.line(i)[1 - axis], t = from.at(i, axis);
        const Range move = range.translate[axis];
        p.shift[axis] = side / 2 - 0.5;
        if (range.mode == 1) p.translate[axis] = (double)integer(t, (i64)move.low, (i64)move.high);
        if (range.mode == 2) p.translate[axis] = std::trunc(between(t, move) * side);
        p.shear[axis] = -between(from.at(i, 2 + axis), range.shear[axis]);
        const Range factor = range.scale[axis];
        const double coin = from.at(i, 4 + 2 * axis), f = from.at(i, 5 + 2 * axis);
        const bool both = range.balanced && factor.low < 1 && factor.high > 1;
        p.scale[axis] = between(f, !both ? factor : coin < 0.5 ? Range{factor.low, 1} : Range{1, factor.high});
      }
      if (range.keep_ratio) p.scale[1] = p.scale[0];
      p.rotate = between(from.at(i, 8), range.rotate);
      affine_matrix(p, matrices + 9 * i);
      scales[2 * i] = p.scale[0];
      scales[2 * i + 1] = p.scale[1];
      angles[i] = p.rotate;
    }
    return 0;
  });
}

// Windows of one size at random places: (x0, y0, x1, y1) int64 [n, 4] from uniforms of y and x. Returns the first sample that is
// smaller than the window, or -1.
EXPORT i64 gpuaug_windows(PyObject* u, PyObject* size, int height, int width, PyObject* out) {
  return guarded([&]() -> i64 {
    const Uniforms from(u, 2);
    const Column<i64> sizes(size, from.n, "size", 2);
    const Array to(out, true);
    i64* window = to.whole<i64>(4 * from.n, "out");
    for (i64 i = 0; i < from.n; ++i, window += 4) {
      const i64 free_y = sizes.line(i)[0] - height, free_x = sizes.line(i)[1] - width;
      if (free_y < 0 || free_x < 0) return i;
      window[0] = (i64)std::floor(from.at(i, 1) * (double)(free_x + 1));
      window[1] = (i64)std::floor(from.at(i, 0) * (double)(free_y + 1));
      window[2] = window[0] + width;
      window[3] = window[1] + height;
    }
    return -1;
  });
}

// XYMasking's stripes: numbers holds (least, most) of num_masks_x, mask_x_length, num_masks_y, mask_y_length.
EXPORT void gpuaug_stripes(PyObject* u, PyObject* size, PyObject* numbers, PyObject* out) {
  guarded([&] {
    const Array n(numbers);
    const i64* number = n.whole<i64>(8, "numbers");
    const i64 kx = number[1], ky = number[5];
    const Uniforms from(u, (int)(2 + 2 * (kx + ky)));
    const Column<i64> sizes(size, from.n, "size", 2);
    const Array to(out, true);
    i64(*holes)[4] = (i64(*)[4])to.whole<i64>(4 * (kx + ky) * from.n, "out");
    for (i64 i = 0; i < from.n; ++i) {
      const i64 h = sizes.line(i)[0], w = sizes.line(i)[1];
      i64(*mine)[4] = holes + (kx + ky) * i;
      stripes([&](i64 k) { return from.at(i, (int)(2 + k)); }, from.at(i, 0), w, h, 0, number, number + 2, mine);
      stripes([&](i64 k) { return from.at(i, (int)(2 + 2 * kx + k)); }, from.at(i, 1), h, w, 1, number + 4, number + 6,
              mine + kx);
    }
    return 0;
  });
}

// y weights then x weights of each Gaussian as bytes of float32; where they start; their lengths [n, 2].
EXPORT PyObject* gpuaug_gaussian(PyObject* sigma, PyObject* ksize, PyObject* start, PyObject* lengths) {
  return guarded([&] {
    const Array s(start, true), l(lengths, true);
    const i64 n = s.bytes() / 8;
    i64 *starts = s.whole<i64>(n, "start"), *length = l.whole<i64>(2 * n, "lengths");
    const Column<double> sigmas(sigma, n, "sigma");
    const Column<i64> sizes(ksize, n, "ksize");
    std::vector<float> taps;
    for (i64 i = 0; i < n; ++i) {
      const int size = gaussian_size(sigmas[i], sizes[i]);
      starts[i] = (i64)taps.size();
      length[2 * i] = length[2 * i + 1] = size;
      gaussian_weights(sigmas[i], size, taps);
      taps.resize(starts[i] + 2 * size);
      std::copy_n(taps.begin() + starts[i], size, taps.begin() + starts[i] + size);
    }
    return bytes_of_vector(taps.data(), taps.size() * sizeof(float));
  });
}

// (dy, dx, weight) of the points of each line as bytes of float32; where they start; kernel height, width, points [n, 3].
EXPORT PyObject* gpuaug_motion(PyObject* ksize, PyObject* angle, PyObject* direction, PyObject* shift, PyObject* start,
                               PyObject* lengths) {
  return guarded([&] {
    const Array s(start, true), l(lengths, true);
    const i64 n = s.bytes() / 8;
    i64 *starts = s.whole<i64>(n, "start"), *length = l.whole<i64>(3 * n, "lengths");
    const Column<i64> sizes(ksize, n, "ksize");
    const Column<double> angles(angle, n, "angle"), directions(direction, n, "direction"), shifts(shift, n, "shift", 2);
    std::vector<float> taps;
    for (i64 i = 0; i < n; ++i) {
      starts[i] = (i64)taps.size();
      length[3 * i] = length[3 * i + 1] = sizes[i];
      length[3 * i + 2] = motion_points((int)sizes[i], angles[i], directions[i], shifts.line(i)[0], shifts.line(i)[1], taps);
    }
    return bytes_of_vector(taps.data(), taps.size() * sizeof(float));
  });
}
