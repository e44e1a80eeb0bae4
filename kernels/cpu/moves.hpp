// moves.hpp: elements that are moved as they lie (moves.cpp).
#pragma once
#include "parts.hpp"
namespace aug {

// How a destination lies: whole pixels side by side, or planes whose lines are.
struct Layout {
  int outer, inner;  // planes; channels of what lies side by side
  int one;           // bytes of what moves as one
};
bool layout(const Launch&, const Row&, Layout&);         // false: it lies otherwise
bool movable(const Launch&, const Row&, const Layout&);  // may the stage's pixels be moved there as they lie?
void move(const Launch&, const Row&, const Layout&);

// colours of `count` elements of a line, channels c, c + 1 .. in turn
void colour_line(int dtype, u8* to, u64 count, const float* colour, int c, int inner);
// `bytes` bytes of which the first `have` are there: the rest repeats them
void repeat(u8* to, u64 have, u64 bytes);

}  // namespace aug
