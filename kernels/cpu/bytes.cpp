// bytes.cpp: stages that compute nothing, and tables. What is moved (moves.cpp), filled, or looked up byte by byte stays as it lies in
// memory, and never becomes a plane of floats: runs of operations that on uint8 are a table, and operations that fill rectangles or
// channels. Where more is to be done, a table that comes first is looked up before the rest.
#include "ops.gen.cuh"
#include "bytes.hpp"
#include <algorithm>
#include "moves.hpp"
namespace aug {

namespace {

bool fills(const Op& op) {
  return op.code == OP_CHANNELS || (op.code == OP_RECTS && ((const RectsOp*)op.p)->mode <= FILL_PER_RECT);
}

void fill_rects(const Launch& l, const Row& s, const Layout& d, const Op& op) {
  static thread_local std::vector<u8> colours;
  const RectsOp& p = *(const RectsOp*)op.p;
  const u32* rects = (const u32*)l.blob + op.at;
  const int item = bytes_of(l.target);
  colours.resize((u64)s.dw * d.one);
  const float* made = nullptr;  // what `colours` holds
  int made_of = -1, length = 0;
  for (int r = 0; r < op.n; ++r) {
    const int x0 = max_((int)rects[4 * r], 0), y0 = max_((int)rects[4 * r + 1], 0);
    const int x1 = min_((int)rects[4 * r + 2], s.dw), y1 = min_((int)rects[4 * r + 3], s.dh);
    if (x0 >= x1 || y0 >= y1) continue;
    const float* colour = l.blob + p.fill + (p.mode == FILL_PER_RECT ? r * l.channels : 0);
    for (int c = 0; c < d.outer; ++c) {
      if (colour != made || c != made_of || x1 - x0 > length) {
        colour_line(l.target, colours.data(), (u64)(x1 - x0) * d.inner, colour, c, d.inner);
        made = colour;
        made_of = c;
        length = x1 - x0;
      }
      u8* to = (u8*)s.dst + ((i64)c * s.dc + (i64)x0 * s.dx) * item;
      for (int y = y0; y < y1; ++y) std::memcpy(to + (i64)y * s.dy * item, colours.data(), (u64)(x1 - x0) * d.one);
    }
  }
}

void fill_channels(const Launch& l, const Row& s, const Layout& d, const Op& op) {
  static thread_local std::vector<u8> line;
  const float *drop = l.blob + op.at, *colour = drop + l.channels;
  const int item = bytes_of(l.target);
  const u64 bytes = (u64)s.dw * d.one;
  line.resize(2 * bytes);
  u8 *value = line.data(), *keep = value + bytes;
  for (int c = 0; c < d.outer; ++c) {
    if (d.outer > 1 && drop[c] == 0.0f) continue;
    colour_line(l.target, value, (u64)s.dw * d.inner, colour, c, d.inner);
    for (int i = 0; i < d.one; ++i) keep[i] = drop[c + i / item] != 0.0f ? 0 : 255;
    repeat(keep, d.one, bytes);
    for (u64 i = 0; i < bytes; ++i) value[i] &= ~keep[i];
    for (int y = 0; y < s.dh; ++y) {
      u8* to = (u8*)s.dst + ((i64)c * s.dc + (i64)y * s.dy) * item;
      for (u64 i = 0; i < bytes; ++i) to[i] = (to[i] & keep[i]) | value[i];
    }
  }
}

// ---- tables ------------------------------------------------------------------------------------------------------------------

// The operations of `s` on 0 .. 255: a table for each channel, or one for all. Returns how many.
template <int C> bool table_of_channels(const Fused& f, const Row& s, int c0, u8* tables) {
  Pixels<G, C> px;
  bool exact = true;
  for (int v = 0; v < 256; v += G::lanes) {
    for (int c = 0; c < C; ++c)
      for (int i = 0; i < G::lanes; ++i) px.v[c].v[i] = (float)(v + i);
    program_lanes<C>(f, s, c0, px);
    for (int c = 0; c < C; ++c)
      for (int i = 0; i < G::lanes; ++i) {
        u8& entry = tables[256 * (c0 + c) + v + i];
        put(&entry, px.v[c].v[i]);
        exact &= (float)entry == px.v[c].v[i];
      }
  }
  return exact;
}
// exact: set to whether all of them are bytes, which a uint8 image's always are
int make_tables(const Fused& f, const Row& s, std::vector<u8>& tables, bool* exact = nullptr) {
  bool alike = true;
  for (int k = s.ops; k < s.ops + s.n_ops; ++k) alike &= LUT_OPS[f.ops[k].code] == LUT_ALIKE;
  const int n = alike ? 1 : f.channels;
  tables.resize(256 * n);
  bool all = true;
  for (int c = 0; c < n; ++c) all &= table_of_channels<1>(f, s, c, tables.data());
  if (exact) *exact = all;
  for (int c = 1; c < n; ++c)
    if (std::memcmp(tables.data(), tables.data() + 256 * c, 256)) return n;
  return 1;
}

// bytes of pixels side by side, channels in turn, each through its own table: all through each of them, some at a time, and of each
// what is its own. Twice the speed of single bytes where the tables are vectors; one on either side of more than 4 channels.
void through_tables(u8* to, const u8* from, int pixels, int channels, const u8* tables) {
  enum { AT_ONCE = 12 * 128 };  // a multiple of 2, 3 and 4
  const i64 n = (i64)pixels * channels;
  i64 i = 0;
  if (channels <= 4) {
    alignas(64) u8 own[4][AT_ONCE], made[4][AT_ONCE];
    for (int c = 0; c < channels; ++c)
      for (int k = 0; k < AT_ONCE; ++k) own[c][k] = k % channels == c ? 255 : 0;
    for (; i + AT_ONCE <= n; i += AT_ONCE) {
      for (int c = 0; c < channels; ++c) through_table(made[c], from + i, AT_ONCE, tables + 256 * c);
      for (int c = 1; c < channels; ++c) {
        AUG_SIMD for (int k = 0; k < AT_ONCE; ++k)
          made[0][k] = (u8)((made[0][k] & ~own[c][k]) | (made[c][k] & own[c][k]));
      }
      std::memcpy(to + i, made[0], AT_ONCE);
    }
  }
  for (int c = (int)(i % channels); i < n; ++i) {
    to[i] = tables[256 * c + from[i]];
    c = c + 1 == channels ? 0 : c + 1;
  }
}

// lines of the source, which lie as the destination's do, to the destination
void apply_tables(const Row& s, const Layout& d, const std::vector<u8>& tables, int n, const u8* src, i64 sy, i64 sc) {
  const u64 line = (u64)s.dw * d.one;
  const bool whole = sy == (i64)line && s.dy == (i64)line;
  for (int c = 0; c < d.outer; ++c) {
    const u8* from = src + c * sc;
    u8* to = (u8*)s.dst + (i64)c * s.dc;
    const u8* table = tables.data() + (d.outer > 1 && n > 1 ? 256 * c : 0);
    for (int y = 0; y < (whole ? 1 : s.dh); ++y) {
      if (d.inner > 1 && n > 1) through_tables(to + (i64)y * s.dy, from + y * sy, whole ? s.dh * s.dw : s.dw, d.inner, table);
      else through_table(to + (i64)y * s.dy, from + y * sy, whole ? (i64)line * s.dh : (i64)line, table);
    }
  }
}

}  // namespace

// [first, end) of the row's operations, as a row of their own
static Row part_of(const Row& s, int first, int end) {
  Row part = s;
  part.ops = first;
  part.n_ops = end - first;
  return part;
}

static bool is_turned(const Row& s) {
  static const int straight[6] = {1, 0, 0, 0, 1, 0};
  return std::memcmp(s.frame, straight, sizeof straight);
}
// Does the source lie as the destination does, in the order of its pixels?
static bool lies_alike(const Row& s, const Layout& d) {
  return s.map == MAP_VIEW && !is_turned(s) && s.sx == s.dx && (d.outer > 1 || d.inner == 1 || s.sc == s.dc);
}

bool bytes_sample(const Launch& l, const Row& s, const float* found) {
  Layout d;
  if (l.source != l.target || !layout(l, s, d) || !movable(l, s, d)) return false;
  const bool turned = is_turned(s), u8s = l.source == DT_U8;
  const int end = s.ops + s.n_ops;
  for (int k = s.ops; k < end; ++k) {
    const Op& op = l.ops[k];
    if (!(u8s && LUT_OPS[op.code]) && !(fills(op) && !(turned && op.code == OP_RECTS))) return false;
  }
  const Fused f = {l.ops, l.blob, found, l.channels};
  static thread_local std::vector<u8> tables;
  int k = s.ops;
  const auto table_run = [&] {
    int to = k + 1;
    while (to < end && LUT_OPS[l.ops[to].code]) ++to;
    const int n = make_tables(f, part_of(s, k, to), tables);
    k = to;
    return n;
  };
  if (k < end && u8s && LUT_OPS[l.ops[k].code] && lies_alike(s, d)) {
    const int n = table_run();
    apply_tables(s, d, tables, n, (const u8*)s.src, s.sy, s.sc);
  } else {
    move(l, s, d);
  }
  while (k < end) {
    const Op& op = l.ops[k];
    if (op.code == OP_RECTS) fill_rects(l, s, d, op), ++k;
    else if (op.code == OP_CHANNELS) fill_channels(l, s, d, op), ++k;
    else {
      const int n = table_run();
      apply_tables(s, d, tables, n, (const u8*)s.dst, s.dy, s.dc);
    }
  }
  return true;
}

bool table_sample(const Launch& l, const Row& s, const float* found) {
  int first = 0;  // operations that come before all others and are a table
  bool reads = false;
  if (l.source == DT_U8)
    for (; first < s.n_ops && LUT_OPS[l.ops[s.ops + first].code]; ++first)
      reads |= l.ops[s.ops + first].n > 0 || l.ops[s.ops + first].code == OP_LUT;
  const bool gathers = s.map != MAP_VIEW;
  if (!first || (gathers && (!reads || is_turned(s)))) return false;
  static thread_local std::vector<u8> scratch, tables;
  const Launch bytes(l, DT_U8);
  const Fused f = {l.ops, l.blob, found, l.channels};
  Row head = s, tail = s;
  const int h = gathers ? s.dh : s.sh, w = gathers ? s.dw : s.sw, c = l.channels;
  if ((i64)h * w > 2 * (i64)s.dh * s.dw) return false;  // a crop follows that needs little of it
  const bool planes = !gathers && c > 1 && s.sc != 1;
  scratch.resize((i64)h * w * c + SCRATCH_PAST);
  head.dst = (i64)scratch.data();
  head.dh = h;
  head.dw = w;
  head.dx = planes ? 1 : c;
  head.dy = w * head.dx;
  head.dc = planes ? h * w : 1;
  head.n_ops = head.positions = head.n_layers = head.past = 0;
  if (!gathers) {
    static const int straight[6] = {1, 0, 0, 0, 1, 0};
    std::memcpy(head.frame, straight, sizeof straight);
    head.plain = 1;
  }
  Layout d;
  if (!layout(bytes, head, d) || (!gathers && !movable(bytes, head, d))) return false;
  bool exact;
  const int n = make_tables(f, part_of(s, s.ops, s.ops + first), tables, &exact);
  if (!exact) return false;
  if (lies_alike(head, d)) {
    apply_tables(head, d, tables, n, (const u8*)head.src, head.sy, head.sc);
  } else {
    if (gathers) fused_sample(bytes, head, found);
    else move(bytes, head, d);
    apply_tables(head, d, tables, n, (const u8*)head.dst, head.dy, head.dc);
  }
  tail.src = head.dst;
  tail.sy = head.dy;
  tail.sx = head.dx;
  tail.sc = head.dc;
  tail.sh = h;
  tail.sw = w;
  tail.map = MAP_VIEW;
  tail.ops += first;
  tail.n_ops -= first;
  fused_sample(l, tail, found);
  return true;
}

}  // namespace aug
