// filter.cuh: ../filter.cuh's sums by a block of threads on a tile.
//
//   block   256 threads (any multiple of 32), tile th x tw = 32 x 32 pixels, `chunk` channels
//   shared  what filter_shape of gpuaug/backends/shapes.py computes from the longest SEPARABLE weights of a launch: for each
//           channel min(th + kh - 1, FILTER_ROWS) lines with halo and th + kh - 1 lines filtered along x; POINTS need none
//   chunk   1 .. 4 channels. At 32 x 32 in 48 KiB: 4 up to 17 taps, 3 up to 33, 2 up to 65, 1 up to 161; above, th and tw
//           are halved
//   grid    x: ceil(max w / tw), y: ceil(max h / th), z: rows * ceil(channels / chunk)
// A tile that lies outside its sample returns at once, all threads of the block alike.
#pragma once
#include "../filter.cuh"
namespace aug {

enum { FILTER_ROWS = 32 };  // rows that a block filters along x at a time

// one pixel of the source, or what stands for it beyond the border
template <class T> AUG float filter_pixel(const FilterRow& row, const float* blob, int y, int x, int c) {
  const bool in = (y >= 0) & (y < row.sh) & (x >= 0) & (x < row.sw);
  if (!in) {
    if (row.border == BORDER_CONSTANT) return ld(blob + row.fill + c);
    y = border_index(y, row.sh, row.border);
    x = border_index(x, row.sw, row.border);
  }
  return get(ld((const T*)row.src + ((i64)y * row.sy + (i64)x * row.sx + (i64)c * row.sc)));
}

// channels c0 .. c0 + cn - 1 side by side: an item of a line is (column, channel)
template <class T, class G>
AUG void filter_separable(G g, const FilterRow& row, const float* blob, int c0, int cn, int y0, int x0, int th, int tw,
                          float* scratch) {
  const int kh = row.kh, kw = row.kw, rows = th + kh - 1, pitch = (tw + kw - 1) * cn, mid = tw * cn;
  const int per = 65536 / cn + 1;  // item / cn == item * per >> 16 for item < 16384, cn <= 4
  const int n = min_(rows, FILTER_ROWS);
  float* line = scratch;             // n x pitch: source rows with their halo
  float* acc = scratch + n * pitch;  // rows x mid: filtered along x
  const float *ky = blob + row.taps, *kx = ky + kh;
  for (int r0 = 0; r0 < rows; r0 += n) {
    const int m = min_(n, rows - r0);
    g.grid(m, pitch, [&](int y, int i) {
      const int x = (i * per) >> 16;
      line[y * pitch + i] = filter_pixel<T>(row, blob, y0 + r0 + y - kh / 2, x0 + x - kw / 2, c0 + i - x * cn);
    });
    g.grid((m + 3) / 4, mid, [&](int q, int i) {  // four rows share the loads of the weights
      const int y = 4 * q, last = m - 1;
      const float* a = line + y * pitch + i;
      const float* b = line + min_(y + 1, last) * pitch + i;
      const float* c = line + min_(y + 2, last) * pitch + i;
      const float* d = line + min_(y + 3, last) * pitch + i;
      float k = ld(kx), va = k * a[0], vb = k * b[0], vc = k * c[0], vd = k * d[0];
      // unrolled further, 64 registers (4 blocks of 256 threads on a multiprocessor) do not suffice
      _Pragma("unroll 2") for (int j = 1, at = cn; j < kw; ++j, at += cn) {
        k = ld(kx + j);
        va = fma_(k, a[at], va);
        vb = fma_(k, b[at], vb);
        vc = fma_(k, c[at], vc);
        vd = fma_(k, d[at], vd);
      }
      float* o = acc + (r0 + y) * mid + i;
      o[0] = va;
      if (y + 1 <= last) o[mid] = vb;
      if (y + 2 <= last) o[2 * mid] = vc;
      if (y + 3 <= last) o[3 * mid] = vd;
    });
  }
  T* dst = (T*)row.dst;
  const float scale = row.scale;
  g.grid((th + 3) / 4, mid, [&](int q, int i) {  // four rows in a window that slides down the column
    const int y = 4 * q, last = rows - 1;
    const float* t = acc + i;
    float k = ld(ky), a = t[y * mid], b = t[min_(y + 1, last) * mid], c = t[min_(y + 2, last) * mid];
    float d = t[min_(y + 3, last) * mid], va = k * a, vb = k * b, vc = k * c, vd = k * d;
    _Pragma("unroll 4") for (int j = 1; j < kh; ++j) {  // 4: the window moves by renaming
      a = b, b = c, c = d, d = t[min_(y + j + 3, last) * mid];
      k = ld(ky + j);
      va = fma_(k, a, va);
      vb = fma_(k, b, vb);
      vc = fma_(k, c, vc);
      vd = fma_(k, d, vd);
    }
    const int x = (i * per) >> 16;
    T* o = dst + ((i64)(y0 + y) * row.dy + (i64)(x0 + x) * row.dx + (i64)(c0 + i - x * cn) * row.dc);
    put(o, scale * va);
    if (y + 1 < th) put(o + row.dy, scale * vb);
    if (y + 2 < th) put(o + 2 * (i64)row.dy, scale * vc);
    if (y + 3 < th) put(o + 3 * (i64)row.dy, scale * vd);
  });
}

// points are read from the source itself: neighbouring lanes read neighbouring elements, and the L1
// cache holds the tile, whatever the extent of the kernel
template <class T, class G>
AUG void filter_points(G g, const FilterRow& row, const float* blob, int c0, int cn, int y0, int x0, int th, int tw) {
  const int per = 65536 / cn + 1;
  const float* p = blob + row.taps;
  T* dst = (T*)row.dst;
  g.grid(th, tw * cn, [&](int q, int i) {
    const int col = (i * per) >> 16, y = y0 + q, x = x0 + col, c = c0 + i - col * cn;
    float v = 0.0f;
    _Pragma("unroll 1") for (int j = 0; j < row.n; ++j) {
      const float t = filter_pixel<T>(row, blob, y + (int)ld(p + 3 * j), x + (int)ld(p + 3 * j + 1), c);
      const float w = ld(p + 3 * j + 2);
      v = j ? fma_(w, t, v) : w * t;
    }
    put(dst + ((i64)y * row.dy + (i64)x * row.dx + (i64)c * row.dc), row.scale * v);
  });
}

// rows [y0, y0 + th) x columns [x0, x0 + tw) x channels [c0, c0 + cn), cn <= 4, of one sample
template <class T, class G>
AUG void filter_tile(G g, const FilterRow& row, const float* blob, int c0, int cn, int y0, int x0, int th, int tw,
                     float* scratch) {
  th = min_(th, row.sh - y0);
  tw = min_(tw, row.sw - x0);
  if ((th <= 0) | (tw <= 0)) return;
  const int step = filter_planar(row) ? 1 : cn;
  for (int c = c0; c < c0 + cn; c += step) {
    if (row.kind == FILTER_SPARSE) filter_points<T>(g, row, blob, c, step, y0, x0, th, tw);
    else filter_separable<T>(g, row, blob, c, step, y0, x0, th, tw, scratch);
  }
}

}  // namespace aug
