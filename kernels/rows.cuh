// rows.cuh: the records that the host packs for a launch (gpuaug/plan.py holds their NumPy twins).
#pragma once
#include "lang.cuh"
namespace aug {

// One sample of one launch. Strides count elements and may be negative: a flipped or transposed
// source is a view. Addresses are of element (0, 0, 0) of the view; on the CPU 0 stands for the
// worker's scratch image (src: what this sample's previous stage wrote; dst: where its next reads).
struct Row {                // 160 bytes
  i64 src, dst;
  int sh, sw, sy, sx, sc;   // source: height, width, strides of y, x, channel
  int dh, dw, dy, dx, dc;   // destination
  int frame[6];             // output pixel (x, y) -> pixel of the gather's frame:
                            // (f0 x + f1 y + f2, f3 x + f4 y + f5), entries of the 2x2 part in {-1, 0, 1}
  float m[9];               // gather: frame pixel -> source pixel (3x3, row-major)
  int gather, border, fill; // fill: offset into the blob, one float per channel
  int ops, n_ops;           // its slice of the op table
  int stat;                 // offset of the sample's statistics (in floats), for operations that read them
  int positions;            // does an operation look at pixel positions?
  double scale[2];          // GATHER_RESIZE_NEAREST: source pixels per output pixel, x and y
};

enum Gather {
  GATHER_NONE = 0,           // integer strides: copy, crop, flip, transpose
  GATHER_NEAREST = 1, GATHER_LINEAR = 2, GATHER_CUBIC = 3,  // by the matrix m
  GATHER_RESIZE_NEAREST = 4, // cv2.resize's nearest: floor(i * scale)
  GATHER_TIME_WARP = 5       // two linear pieces along x; see timewarp.cuh
};

// Statistics of one sample: STATS floats for each channel, at Row.stat of the launch that takes them (it reads the
// row's source alone) and of those that use them.
enum { STAT_COUNT = 0, STAT_SUM = 1, STAT_LOW = 2, STAT_HIGH = 3, STAT_SQUARES = 4, STATS = 5 };  // number without NaNs; squared deviations

struct Op {                 // 64 bytes
  int code, arg, n, flag;   // arg: offset into the blob (in words of 4 bytes)
  float p[12];
};

// One sample of one filter launch: separable weights, or a list of points.
enum FilterKind { FILTER_SEPARABLE = 0, FILTER_POINTS = 1 };
struct FilterRow {          // 96 bytes
  i64 src, dst;             // as in Row
  int h, w;
  int sy, sx, sc, dy, dx, dc;
  int border, fill;         // Border; CONSTANT: fill is an offset into the blob, one float per channel
  int kind, kh, kw;         // separable: lengths of the y and x weights, odd, anchored at their middle
  int n;                    // points: how many
  int taps;                 // offset into the blob. separable: y weights, x weights. points: n times (dy, dx, weight)
  float scale;              // result = scale * sum; uint8 rounds half to even
  int pad[4];
};

}  // namespace aug
