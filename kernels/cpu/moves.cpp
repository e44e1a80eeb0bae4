// moves.cpp: elements that are moved as they lie, by their size alone: views, and gathers whose columns and lines do not hang on each
// other (a window beyond the image, a resize to the nearest pixel).
#include "moves.hpp"
#include <algorithm>
#include <type_traits>
#include "bytes.hpp"
#include "map.cuh"
namespace aug {

namespace {

constexpr i64 OUTSIDE = (i64)1 << 62;  // in place of an offset: a pixel of the border's constant

// ---- where pixels come from ------------------------------------------------------------------------------------------------

// Bytes from the source's first element to the column (or line) of each output column, and each output line. Runs are columns
// that lie equally far apart.
struct Run {
  int at, n;
  i64 from, step;
};
struct Way {
  std::vector<i64> x, y;
  std::vector<Run> runs;
};

// the index of what a gather reads along one axis for a coordinate of its frame, as place() and sample_nearest() have it
int index_of(const Row& s, const float* blob, bool along_x, int k) {
  const int n = along_x ? s.sw : s.sh;
  switch (s.map) {
    case MAP_RESIZE: return min_((int)floor_((double)k * s.scale[along_x ? 0 : 1]), n - 1);
    case MAP_PIXELS: return (int)bits(blob[s.table + (along_x ? 0 : s.cells[0]) + k]);
    default: {
      const float a = along_x ? s.m[0] : s.m[4], c = along_x ? s.m[2] : s.m[5];
      return (int)round_(bounded(fma_(a, (float)k, c)));
    }
  }
}

// A window of whole pixels: the coordinate k is the index k + shift or shift - k, in numbers that float32 tells apart.
bool whole_window(const Row& s, bool along_x, int furthest, int& sign, int& shift) {
  const float a = along_x ? s.m[0] : s.m[4], c = along_x ? s.m[2] : s.m[5];
  if (s.map != MAP_AFFINE || (a != 1.0f && a != -1.0f) || c != round_(c) || __builtin_fabsf(c) + (float)furthest > 1e6f)
    return false;
  sign = (int)a;
  shift = (int)c;
  return true;
}

void axis(const Row& s, const float* blob, bool along_x, int first, int step, i64 stride, int count, std::vector<i64>& out) {
  const int n = along_x ? s.sw : s.sh;
  out.resize(count);
  const auto offset = [&](int k) {
    if ((u32)k < (u32)n) return k * stride;
    return s.border == BORDER_CONSTANT ? OUTSIDE : border_index(k, n, s.border) * stride;
  };
  int sign, shift;
  if (whole_window(s, along_x, first + count, sign, shift)) {
    for (int i = 0; i < count; ++i) out[i] = offset(shift + sign * (first + step * i));
    return;
  }
  for (int i = 0; i < count; ++i) out[i] = offset(index_of(s, blob, along_x, first + step * i));
}

// The runs of a window of whole pixels between constant borders, without a table of its columns; false: it is none.
bool window_runs(const Row& s, bool along_x, int first, int step, i64 stride, int count, std::vector<Run>& out) {
  int sign, shift;
  if (s.border != BORDER_CONSTANT || !whole_window(s, along_x, first + count, sign, shift)) return false;
  const int n = along_x ? s.sw : s.sh, from = shift + sign * first;  // column i is the index from + way * i
  const int way = sign * step;
  const int low = clamp_(way > 0 ? -from : from - n + 1, 0, count), high = clamp_(way > 0 ? n - from : from + 1, low, count);
  out.clear();
  if (low) out.push_back({0, low, OUTSIDE, 0});
  if (high > low) out.push_back({low, high - low, (i64)(from + way * low) * stride, way * stride});
  if (high < count) out.push_back({high, count - high, OUTSIDE, 0});
  return true;
}

void find_runs(Way& w) {
  w.runs.clear();
  const int n = (int)w.x.size();
  for (int i = 0; i < n;) {
    const i64 from = w.x[i];
    i64 step = 0;
    int k = i + 1;
    if (k < n && (from == OUTSIDE) == (w.x[k] == OUTSIDE)) {
      step = w.x[k] - from;
      while (k < n && w.x[k] - w.x[k - 1] == step) ++k;
    }
    w.runs.push_back({i, k - i, from, step});
    i = k;
  }
}

void copy_whole(u8* to, const u8* from, i64 n) { std::memcpy(to, from, n); }

bool separable(const Row& s) {
  if (s.sample != SAMPLE_NEAREST) return false;
  return s.map == MAP_RESIZE || s.map == MAP_PIXELS || (s.map == MAP_AFFINE && s.m[1] == 0.0f && s.m[3] == 0.0f);
}

#if defined(__SSSE3__)
// Columns of small pixels from anywhere, eight bytes of a line from 16 by one shuffle: a fifth of the time. No line is read beyond its
// columns.
struct Eights {
  std::vector<i64> base, bytes;
  std::vector<u8> lanes;
};
bool eights(const std::vector<i64>& pixels, int size, Eights& e) {
  const auto [least, most] = std::minmax_element(pixels.begin(), pixels.end());
  const i64 last = *most + size - 16;
  if (*most == OUTSIDE || last < *least) return false;
  std::vector<i64>& x = e.bytes;
  x.resize(pixels.size() * size);
  for (size_t i = 0; i < x.size(); ++i) x[i] = pixels[i / size] + (i64)(i % size);
  const int n = (int)x.size();
  if (n < 8) return false;
  e.base.clear();
  e.lanes.clear();
  for (int i = 0; i < n; i += 8) {
    const i64* at = x.data() + min_(i, n - 8);  // the last overlaps the one before it
    const auto [low, high] = std::minmax_element(at, at + 8);
    if (*high - *low > 15) return false;
    e.base.push_back(std::min(*low, last));
    for (int k = 0; k < 8; ++k) e.lanes.push_back((u8)(at[k] - e.base.back()));
  }
  return true;
}
AUG void copy_eights(u8* to, const u8* from, const Eights& e, int n) {
  typedef char Sixteen __attribute__((vector_size(16)));
  typedef i64 Words __attribute__((vector_size(16)));
  const int groups = (int)e.base.size();
  const i64* base = e.base.data();
  const u8* lanes = e.lanes.data();
  for (int g = 0; g < groups; ++g) {
    Sixteen v;
    i64 lane;
    std::memcpy(&v, from + base[g], 16);
    std::memcpy(&lane, lanes + 8 * g, 8);
    const i64 eight = ((Words)__builtin_ia32_pshufb128(v, (Sixteen)Words{lane, 0}))[0];
    std::memcpy(to + min_(8 * g, n - 8), &eight, 8);
  }
}
#endif

// Lines of `middle` bytes that lie side by side in the source, or from their end, wherever each line begins, between `left` and
// `right` bytes of a border. Nothing else is in this loop: with the choices that move_plane makes for each line it is 1.4 times as
// long, since the processor has fewer lines under way.
template <int P, bool MIRROR>
void move_lines(u8* to, i64 dst_line, const u8* from, const i64* begins, int lines, i64 left, i64 middle, i64 right,
                const u8* fill) {
  for (int y = 0; y < lines; ++y, to += dst_line) {
    if (begins[y] == OUTSIDE) {
      copy_bytes(to, fill, left + middle + right);
      continue;
    }
    if (left) copy_bytes(to, fill, left);
    if constexpr (MIRROR) copy_line<P>(to + left, from + begins[y], -P, (int)(middle / P), P);
    else copy_bytes(to + left, from + begins[y], middle);
    if (right) copy_bytes(to + left + middle, fill + left + middle, right);
  }
}
// The same, past the caches: a line is made in one that stays in them, unless it lies in the source as it will. Lines are read in
// their order in the source, and asked for one ahead: what goes backwards the processor does not ask for by itself.
#if defined(__AVX2__)
// n bytes from their end, a multiple of the cache's lines, to where such a line begins; `next` is asked for meanwhile
template <int P> AUG_FN void mirror_past(u8* to, const u8* from, i64 n, const u8* next) {
  const __m128i of = mirrored_lane_of<P>();
  for (i64 at = 0; at < n; at += 64) {
    __builtin_prefetch(next + at);
    for (i64 k = at; k < at + 64; k += Wide::VECTOR) Wide::whole(from + n - k - Wide::VECTOR).pick(of).turned().stream(to + k);
  }
}
#endif
template <int P, bool MIRROR>
void move_lines_past(u8* to, i64 dst_line, const u8* from, const i64* begins, int lines, i64 left, i64 middle, i64 right,
                     const u8* fill) {
  static thread_local std::vector<u8> room;
  room.resize(left + middle + right + 64);
  u8* const made = room.data();
  if (left) std::memcpy(made, fill, left);
  if (right) std::memcpy(made + left + middle, fill + left + middle, right);
  const bool back = lines > 1 && begins[lines - 1] < begins[0];
  if (back) to += (lines - 1) * dst_line;
  for (int i = 0; i < lines; ++i, to += back ? -dst_line : dst_line) {
    const int y = back ? lines - 1 - i : i, after = back ? y - 1 : y + 1;
    const bool more = MIRROR && i + 1 < lines && begins[after] != OUTSIDE;
    const u8* const next = from + begins[more ? after : y] - (middle - P);
#if defined(__AVX2__)
    if constexpr (MIRROR && 16 % P == 0) {
      if (begins[y] != OUTSIDE && !left && !right && !(((i64)to | middle) & 63)) {
        mirror_past<P>(to, from + begins[y] - (middle - P), middle, next);
        continue;
      }
    }
#endif
    if (more)
      for (i64 k = 0; k < middle; k += 64) __builtin_prefetch(next + k);
    if (begins[y] == OUTSIDE) {
      copy_past(to, fill, left + middle + right);
    } else if (!MIRROR && !left && !right) {
      copy_past(to, from + begins[y], middle);
    } else {
      if constexpr (MIRROR) copy_line<P>(made + left, from + begins[y], -P, (int)(middle / P), P);
      else copy_bytes(made + left, from + begins[y], middle);
      copy_past(to, made, left + middle + right);
    }
  }
}
// Are the columns such lines?
template <int P>
bool move_framed(const Way& w, const Row& s, u8* dst, i64 dst_line, const u8* src, const u8* fill, int size, bool past) {
  const size_t inside = w.runs[0].from == OUTSIDE ? 1 : 0;
  if (inside >= w.runs.size() || w.runs.size() > inside + 2) return false;
  const Run& r = w.runs[inside];
  if (w.runs.back().from != OUTSIDE && inside + 1 < w.runs.size()) return false;
  const bool straight = r.step == size || r.n == 1, back = P > 0 && r.step == -size;
  if (r.from == OUTSIDE || (!straight && !back)) return false;
  constexpr int Q = P > 0 ? P : 1;
  const auto lines = past ? (straight ? move_lines_past<Q, false> : move_lines_past<Q, true>)
                          : (straight ? move_lines<Q, false> : move_lines<Q, true>);
  const i64 left = (i64)r.at * size, middle = (i64)r.n * size, right = (i64)(s.dw - r.at - r.n) * size;
  lines(dst, dst_line, src + r.from, w.y.data(), s.dh, left, middle, right, fill);
  return true;
}

// f(to, from, step, n): the lines of a plane, or of whole pixels
template <int P>
void move_plane(const Way& w, const Row& s, u8* dst, i64 dst_line, const u8* src, const u8* fill, int size, bool past) {
  const i64 line = (i64)s.dw * size;
  if (move_framed<P>(w, s, dst, dst_line, src, fill, size, past)) return;
  if (w.runs.size() == 1 && std::abs(w.runs[0].step) > 64 && w.runs[0].from != OUTSIDE) {
    // A turned image: its columns are read in the cache lines of so many of its lines; what is written goes on along a line,
    // since tiles of 16 x 16 took five times as long.
    constexpr int TILE = 256;
    const Run& r = w.runs[0];
    for (int x = 0; x < s.dw; x += TILE)
      for (int y = 0; y < s.dh; ++y) {
        u8* to = dst + y * dst_line + (i64)x * size;
        const int n = min_(TILE, s.dw - x);
        if (w.y[y] == OUTSIDE) std::memcpy(to, fill, (u64)n * size);
        else copy_line<P>(to, src + w.y[y] + r.from + x * r.step, r.step, n, size);
      }
    return;
  }
  const bool loose = w.runs.size() > 16 && (int)w.runs.size() > s.dw / 8;  // columns from anywhere
#if defined(__SSSE3__)
  static thread_local Eights by_eight;
  Eights& e = by_eight;
  const bool shuffled = P >= 1 && P <= 4 && loose && eights(w.x, P, e);
#endif
  for (int y = 0; y < s.dh; ++y) {
    u8* to = dst + y * dst_line;
    if (w.y[y] == OUTSIDE) {
      std::memcpy(to, fill, line);
      continue;
    }
    if (y && w.y[y] == w.y[y - 1]) {
      std::memcpy(to, to - dst_line, line);
      continue;
    }
    const u8* from = src + w.y[y];
#if defined(__SSSE3__)
    if (shuffled) {
      copy_eights(to, from, e, s.dw * P);
      continue;
    }
#endif
    if (loose) {
      for (int x = 0; x < s.dw; ++x) copy_one<P>(to + (i64)x * size, w.x[x] == OUTSIDE ? fill : from + w.x[x], size);
      continue;
    }
    for (const Run& r : w.runs) {
      u8* here = to + (i64)r.at * size;
      if (r.from == OUTSIDE) copy_bytes(here, fill, (i64)r.n * size);
      else copy_line<P>(here, from + r.from, r.step, r.n, size);
    }
  }
}

#if defined(__AVX2__)
// Pixels of three bytes side by side, that become planes: never floats, a sixth of the time.
bool parted(const Launch& l, const Row& s, const Layout& d) {
  return l.channels == 3 && d.outer == 3 && d.one == 1 && s.map == MAP_VIEW && s.sc == 1 &&
         std::abs(s.frame[0] * s.sx + s.frame[3] * s.sy) == 3;
}
template <bool BACK> void part_line(const u8* from, u8* const* to, i64 n) {
  if (n >= Wide::VECTOR) return split_wide<BACK>(from, to, n);
  for (i64 x = 0; x < n; ++x)
    for (int c = 0; c < 3; ++c) to[c][x] = from[3 * (BACK ? n - 1 - x : x) + c];
}
void part(const Row& s) {
  const int* f = s.frame;
  const int ex = f[0] * s.sx + f[3] * s.sy, ey = f[1] * s.sx + f[4] * s.sy;
  const bool whole = ex == 3 && ey == 3 * s.dw && s.dy == s.dw;  // lines follow each other
  const i64 n = whole ? (i64)s.dh * s.dw : s.dw;
  const u8* src = (const u8*)s.src + (i64)f[2] * s.sx + (i64)f[5] * s.sy - (ex < 0 ? 3 * (n - 1) : 0);
  for (int y = 0; y < (whole ? 1 : s.dh); ++y) {
    u8* const dst = (u8*)s.dst + (i64)y * s.dy;
    u8* const to[3] = {dst, dst + s.dc, dst + 2 * (i64)s.dc};
    if (ex > 0) part_line<false>(src + (i64)y * ey, to, n);
    else part_line<true>(src + (i64)y * ey, to, n);
  }
}
#else
bool parted(const Launch&, const Row&, const Layout&) { return false; }
void part(const Row&) {}
#endif

}  // namespace

bool layout(const Launch& l, const Row& s, Layout& out) {
  const int item = bytes_of(l.target), n = l.channels;
  if (s.dx == n && (n == 1 || s.dc == 1)) out = {1, n, n * item};
  else if (s.dx == 1) out = {n, 1, item};
  else return false;
  return true;
}

bool movable(const Launch& l, const Row& s, const Layout& d) {
  if (s.map != MAP_VIEW && !separable(s)) return false;
  if (parted(l, s, d)) return true;
  if (d.outer > 1 || l.channels == 1) return l.channels == 1 || std::abs(s.sx) == 1 || std::abs(s.sy) == 1;
  return s.sc == 1;
}

void repeat(u8* to, u64 have, u64 bytes) {
  for (; have < bytes; have *= 2) std::memcpy(to + have, to, std::min(have, bytes - have));
}
void colour_line(int dtype, u8* to, u64 count, const float* colour, int c, int inner) {
  by_type(dtype, [&](auto* t) {
    using T = std::remove_pointer_t<decltype(t)>;
    for (int i = 0; i < inner; ++i) {
      T v;
      put(&v, colour[c + i]);
      std::memcpy(to + i * sizeof(T), &v, sizeof(T));
    }
    repeat(to, inner * sizeof(T), count * sizeof(T));
  });
}

void move(const Launch& l, const Row& s, const Layout& d) {
  if (parted(l, s, d)) return part(s);
  static thread_local Way w;
  static thread_local std::vector<u8> fill;
  const int item = bytes_of(l.source), *f = s.frame;
  const i64 sx = (i64)s.sx * item, sy = (i64)s.sy * item;
  const u8* src = (const u8*)s.src;
  u8* dst = (u8*)s.dst;
  const i64 line = (i64)s.dw * d.one, dst_line = (i64)s.dy * item;
  const bool past = s.past && !s.n_ops;  // operations would read it again
  if (s.map == MAP_VIEW) {
    src += f[2] * sx + f[5] * sy;
    const i64 ex = f[0] * sx + f[3] * sy, ey = f[1] * sx + f[4] * sy;
    if (ex == d.one && ey == line && dst_line == line) {
      const auto copy = past ? copy_past : copy_whole;
      for (int c = 0; c < d.outer; ++c) copy(dst + (i64)c * s.dc * item, src + (i64)c * s.sc * item, line * s.dh);
      return;
    }
    w.y.resize(s.dh);
    for (int y = 0; y < s.dh; ++y) w.y[y] = y * ey;
    w.runs.assign(1, {0, s.dw, 0, ex});
  } else {
    const bool turned = f[0] == 0;
    const int first = turned ? f[5] : f[2], step = turned ? f[3] : f[0];
    if (!window_runs(s, !turned, first, step, turned ? sy : sx, s.dw, w.runs)) {
      axis(s, l.blob, !turned, first, step, turned ? sy : sx, s.dw, w.x);
      find_runs(w);
    }
    axis(s, l.blob, turned, turned ? f[2] : f[5], turned ? f[1] : f[4], turned ? sx : sy, s.dh, w.y);
  }
  if (s.border == BORDER_CONSTANT && s.map != MAP_VIEW) fill.resize(line);
  for (int c = 0; c < d.outer; ++c) {
    if (s.border == BORDER_CONSTANT && s.map != MAP_VIEW)
      colour_line(l.source, fill.data(), (u64)s.dw * d.inner, l.blob + s.fill, c, d.inner);
    by_size(d.one, [&](auto size) {
      move_plane<decltype(size)::bytes>(w, s, dst + (i64)c * s.dc * item, dst_line, src + (i64)c * s.sc * item, fill.data(),
                                        d.one, past);
    });
  }
}

}  // namespace aug
