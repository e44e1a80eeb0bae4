// copy.cpp: copies, tiles that change places, rectangles of constant colour: no arithmetic, so lines are copied and filled as they
// lie.
#include <cstring>
#include <type_traits>
#include "parts.hpp"
namespace aug {

bool only_copies(const Launch& l, const Row& s) {
  const int item = bytes_of(l.source);
  const bool pixels = s.sx == l.channels && s.sc == 1 && s.dx == s.sx && s.dc == 1;
  const bool planes = s.sx == 1 && s.dx == 1;
  static const int straight[6] = {1, 0, 0, 0, 1, 0};
  if ((s.map != MAP_VIEW && s.map != MAP_TILES) || l.source != l.target || item > 4 || !(pixels || planes)) return false;
  if (std::memcmp(s.frame, straight, sizeof straight)) return false;
  for (int k = s.ops; k < s.ops + s.n_ops; ++k)
    if (l.ops[k].code != OP_RECTS || ((const RectsOp*)l.ops[k].p)->mode > FILL_PER_RECT) return false;
  return true;
}

namespace {

// Lines of tiles, of `inner` values a pixel; see map.cuh for the table.
template <class T> void copy_tiles(const u32* table, const Row& s, const T* from, T* to, int inner) {
  std::vector<int> start;  // of the tiles of a line
  for (int x = 0; x < s.dw; ++x)
    if (x == 0 || table[x] != table[x - 1]) start.push_back(x);
  const int columns = (int)s.m[0];
  const int* shifts = (const int*)table + s.cells[0] + s.cells[1];
  for (int y = 0; y < s.dh; ++y)
    for (size_t k = 0; k < start.size(); ++k) {
      const int x = start[k], end = k + 1 < start.size() ? start[k + 1] : s.dw;
      const int* shift = shifts + 2 * ((i64)table[s.cells[0] + y] * columns + table[x]);
      std::memcpy(to + (i64)y * s.dy + (i64)x * inner, from + (i64)(y + shift[1]) * s.sy + (i64)(x + shift[0]) * inner,
                  (u64)(end - x) * inner * sizeof(T));
    }
}

template <class T> void copy_lines(const Launch& l, const Row& s) {
  const bool planes = s.sx == 1 && l.channels != 1;
  const int inner = planes ? 1 : l.channels, outer = planes ? l.channels : 1;
  const T* src = (const T*)s.src;
  T* dst = (T*)s.dst;
  const u64 line = (u64)s.dw * inner;
  for (int c = 0; c < outer; ++c) {
    const T* from = src + (i64)c * s.sc;
    T* to = dst + (i64)c * s.dc;
    if (s.map == MAP_TILES) copy_tiles<T>((const u32*)l.blob + s.table, s, from, to, inner);
    else if ((u64)s.sy == line && (u64)s.dy == line) std::memcpy(to, from, line * s.dh * sizeof(T));
    else
      for (int y = 0; y < s.dh; ++y) std::memcpy(to + (i64)y * s.dy, from + (i64)y * s.sy, line * sizeof(T));
  }
  std::vector<T> colours(line);
  for (int k = s.ops; k < s.ops + s.n_ops; ++k) {
    const Op& op = l.ops[k];
    const RectsOp& p = *(const RectsOp*)op.p;
    const u32* rects = (const u32*)l.blob + op.at;
    for (int r = 0; r < op.n; ++r) {
      const int x0 = max_((int)rects[4 * r], 0), y0 = max_((int)rects[4 * r + 1], 0);
      const int x1 = min_((int)rects[4 * r + 2], s.dw), y1 = min_((int)rects[4 * r + 3], s.dh);
      if (x0 >= x1 || y0 >= y1) continue;
      const float* fill = l.blob + p.fill + (p.mode == FILL_PER_RECT ? r * l.channels : 0);
      const u64 count = (u64)(x1 - x0) * inner;
      for (int c = 0; c < outer; ++c) {
        for (u64 i = 0; i < count; ++i) put(&colours[i], fill[planes ? c : (int)(i % inner)]);
        for (int y = y0; y < y1; ++y)
          std::memcpy(dst + (i64)c * s.dc + (i64)y * s.dy + (i64)x0 * inner, colours.data(), count * sizeof(T));
      }
    }
  }
}

}  // namespace

void copy_sample(const Launch& l, const Row& s) {
  by_type(l.source, [&](auto* t) { copy_lines<std::remove_pointer_t<decltype(t)>>(l, s); });
}

}  // namespace aug
