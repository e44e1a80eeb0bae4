// op_shapes.cuh: vector shapes: lines, strokes, ellipses, polygons, one over the other.
//
// Polygons and lines cover the pixels that cv2.fillPoly and cv2.line cover. A line: Bresenham's steps, of which the closed form says
// which pixels they visit. A polygon: its outline by such lines, and inside the spans between pairs of crossings of a scan line,
// ends included; a crossing is OpenCV's 16.16 number, first column + (y - first line) * slope. So a pixel is inside if an odd
// number of crossings lies left of it, or if one lies on it.
//
// Shapes that are sorted by their first line may have an index: for each strip of SHAPE_STRIP lines the first row of the table whose
// shape reaches it (CPU only: on the GPU the lanes of a block would start at different ones).
#pragma once
#include "ops.gen.cuh"
#include "op_replace.cuh"
namespace aug {

enum Shape { SHAPE_LINE4 = 0, SHAPE_LINE8 = 1, SHAPE_ROUND = 2, SHAPE_POLYGON = 3 };
enum Blend { BLEND_OVER = 0, BLEND_TIMES = 1 };
enum {
  SHAPE_WORDS = 8,
  SHAPE_STRIP = 16,
  SHAPE_INSIDE = 1,
  SHAPE_COVERED = 2
};  // bits of a lane's hit while a shape is looked at

// Bresenham's line from the left end: sides of 4 or of 8 neighbours
template <class G, int C>
AUG void line_hits(G g, const u32* r, bool eight, typename G::template Var<int>& hit, Pixels<G, C>& px) {
  const int x0 = (int)ld(r), y0 = (int)ld(r + 1), dx = (int)ld(r + 2) - x0, up = (int)ld(r + 3) - y0;
  const int sign = up < 0 ? -1 : 1, dy = up * sign;
  const bool steep = dy > dx;
  const int along = max_(steep ? dy : dx, 1), across = steep ? dx : dy, last = steep ? dy : dx;
  g.each([&](Lane l) {
    const int x = px.x[l] - x0, y = (px.y[l] - y0) * sign, i = steep ? y : x, j = steep ? x : y;
    const int at = i * across, to = j * along;
    const bool in8 = (2 * to >= 2 * at - along) & (2 * to < 2 * at + along);
    const bool in4 = (to - along < at) & (to >= at - across) & (j >= 0);
    const bool in = (i >= 0) & (i <= last) & (eight ? in8 : in4);
    hit[l] |= in ? (int)SHAPE_COVERED : 0;
  });
}

template <class G, int C> AUG void op_shapes(G g, const ShapesOp& p, const Op& op, const Sample& s, Pixels<G, C>& px) {
  typename G::template Var<int> hit;
  const u32* rows = (const u32*)s.blob + op.at;
  const Box box = box_of<G, C>(g, px);
  const bool whole = p.whole != 0, rounds = p.whole == 2;
  int painted = -1;  // the colour of the shapes in hit that are not drawn yet, all of them opaque; -1: there are none
  const auto draw = [&](float alpha, int colour, int blend) {
    AUG_UNROLL for (int c = 0; c < C; ++c) {
      const float f = blend == BLEND_TIMES ? 0.0f : ld(s.blob + colour + s.c0 + c);
      g.each([&](Lane l) {
        const float old = px.v[c][l], over = rounds ? fma_(f, alpha, old * (1.0f - alpha)) : old + alpha * (f - old);
        const float mixed = blend == BLEND_TIMES ? old * alpha : alpha == 1.0f ? f : over;
        px.v[c][l] = hit[l] ? (rounds ? round_(mixed) : whole ? trunc_(mixed) : mixed) : old;
      });
    }
  };
#if AUG_GPU
  const int start = 0;
#else
  const int start = p.index ? (int)ld((const u32*)s.blob + p.index + clamp_(box.y0 / SHAPE_STRIP, 0, p.strips - 1)) : 0;
#endif
  for (int k = start; k < op.n;) {
    const u32* r = rows + SHAPE_WORDS * k;
    const int kind = (int)ld(r) & 255, parts = (int)ld(r) >> 8;
    k += 1 + parts;
    const int x0 = (int)ld(r + 1), y0 = (int)ld(r + 2), x1 = (int)ld(r + 3), y1 = (int)ld(r + 4);
    if (p.index && y0 > box.y1) break;  // they are sorted
    if (x0 > box.x1 || x1 < box.x0 || y0 > box.y1 || y1 < box.y0) continue;
    const float alpha = unbits(ld(r + 5));
    const int colour = (int)ld(r + 6), blend = (int)ld(r + 7), opaque = alpha == 1.0f && blend == BLEND_OVER ? colour : -1;
    if (painted >= 0 && opaque != painted) {
      draw(1.0f, painted, BLEND_OVER);
      painted = -1;
    }
    if (painted < 0) g.each([&](Lane l) { hit[l] = 0; });
    const u32* part = r + SHAPE_WORDS;
    if (kind <= SHAPE_LINE8) {
      line_hits<G, C>(g, part, kind == SHAPE_LINE8, hit, px);
    } else if (kind == SHAPE_POLYGON) {
      for (int e = 0; e < parts; ++e, part += SHAPE_WORDS) {
        const int top = (int)ld(part + 4), bottom = (int)ld(part + 5), x = (int)ld(part + 6), slope = (int)ld(part + 7);
        if (top > box.y1) continue;
        g.each([&](Lane l) {
          const int y = px.y[l], left = (int)((u32)x + (u32)(y - top) * (u32)slope - ((u32)px.x[l] << 16));
          const int now = left < 0 ? (int)SHAPE_INSIDE : left == 0 ? (int)SHAPE_COVERED : 0;
          const int in = (y >= top) & (y < bottom) ? now : 0;
          hit[l] = (hit[l] ^ (in & SHAPE_INSIDE)) | (in & SHAPE_COVERED);
        });
        line_hits<G, C>(g, part, true, hit, px);
      }
    } else {  // SHAPE_ROUND: the place along two axes; of length 0 an ellipse, else a stroke with round ends
      const float cx = unbits(ld(part)), cy = unbits(ld(part + 1)), ax = unbits(ld(part + 2)), ay = unbits(ld(part + 3));
      const float bx = unbits(ld(part + 4)), by = unbits(ld(part + 5)), length = unbits(ld(part + 6)),
                  most = unbits(ld(part + 7));
      g.each([&](Lane l) {
        const float dx = (float)px.x[l] - cx, dy = (float)px.y[l] - cy;
        float u = dx * ax + dy * ay;
        const float v = dx * bx + dy * by;
        u = u - clamp_(u, 0.0f, length);
        hit[l] |= u * u + v * v <= most ? (int)SHAPE_COVERED : 0;
      });
    }
    if (kind == SHAPE_POLYGON) g.each([&](Lane l) { hit[l] = hit[l] ? (int)SHAPE_COVERED : 0; });
    if (opaque >= 0) painted = opaque;
    else draw(alpha, colour, blend);
  }
  if (painted >= 0) draw(1.0f, painted, BLEND_OVER);
}

}  // namespace aug
