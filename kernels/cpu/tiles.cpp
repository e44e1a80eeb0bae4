// tiles.cpp: tiles that change places and nothing else: their lines are copied as they lie.
#include <cstring>
#include "parts.hpp"
namespace aug {

bool tiles_sample(const Launch& l, const Row& s) {
  static const int straight[6] = {1, 0, 0, 0, 1, 0};
  const bool pixels = s.sx == l.channels && s.dx == s.sx && (l.channels == 1 || (s.sc == 1 && s.dc == 1));
  const bool planes = s.sx == 1 && s.dx == 1;
  if (s.map != MAP_TILES || s.n_ops || l.source != l.target || !(pixels || planes)) return false;
  if (std::memcmp(s.frame, straight, sizeof straight)) return false;

  const u32* column = (const u32*)l.blob + s.table;  // map.cuh describes the table
  const u32* line = column + s.cells[0];
  const int* shifts = (const int*)line + s.cells[1];
  std::vector<int> start;  // of the tiles of a line
  for (int x = 0; x < s.dw; ++x)
    if (x == 0 || column[x] != column[x - 1]) start.push_back(x);
  start.push_back(s.dw);
  const i64 item = bytes_of(l.source), one = item * (pixels ? l.channels : 1);
  for (int c = 0; c < (pixels ? 1 : l.channels); ++c) {
    const u8* from = (const u8*)s.src + item * c * s.sc;
    u8* to = (u8*)s.dst + item * c * s.dc;
    for (int y = 0; y < s.dh; ++y)
      for (size_t k = 0; k + 1 < start.size(); ++k) {
        const int x = start[k];
        const int* shift = shifts + 2 * ((i64)line[y] * (int)s.m[0] + column[x]);
        std::memcpy(to + item * y * s.dy + one * x, from + item * (y + shift[1]) * s.sy + one * (x + shift[0]),
                    one * (start[k + 1] - x));
      }
  }
  return true;
}

}  // namespace aug
