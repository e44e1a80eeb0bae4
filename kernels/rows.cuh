// rows.cuh: the records that the host packs for a launch (gpuaug/plan.py holds their NumPy twins).
#pragma once
#include "lang.cuh"
namespace aug {

// Where a sample of a launch is read and written: every kind's row begins with it, so that stages, scratch memory and backends
// need to know no more of a kind than launch.hpp's table. Strides count elements and may be negative: a flipped or transposed
// source is a view. Addresses are of element (0, 0, 0) of the view; on the CPU 0 stands for the worker's scratch image (src:
// what this sample's previous stage wrote; dst: where its next reads).
struct Ends {  // 56 bytes
  i64 src, dst;
  int sh, sw, sy, sx, sc;  // source: height, width, strides of y, x, channel
  int dh, dw, dy, dx, dc;  // destination
};

// One sample of one fused launch.
struct Row : Ends {          // 160 bytes
  int frame[6];              // output pixel (x, y) -> pixel of the gather's frame:
                             // (f0 x + f1 y + f2, f3 x + f4 y + f5), entries of the 2x2 part in {-1, 0, 1}
  float m[9];                // gather: frame pixel -> source pixel (3x3, row-major)
  int gather, border, fill;  // fill: offset into the blob, one float per channel
  int ops, n_ops;            // its slice of the op table
  int stat;                  // offset of the sample's statistics (in floats), for operations that read them
  int positions;             // does an operation look at pixel positions?
  double scale[2];           // GATHER_RESIZE_NEAREST: source pixels per output pixel, x and y; _EXACT: offsets into the blob
                             // of tables of source columns and rows, whole numbers as bits
};

enum Gather {
  GATHER_NONE = 0,  // integer strides: copy, crop, flip, transpose
  GATHER_NEAREST = 1,
  GATHER_LINEAR = 2,
  GATHER_CUBIC = 3,                // by the matrix m
  GATHER_RESIZE_NEAREST = 4,       // cv2.resize's nearest: floor(i * scale)
  GATHER_TIME_WARP = 5,            // two linear pieces along x; see timewarp.cuh
  GATHER_RESIZE_NEAREST_EXACT = 6  // cv2.resize's INTER_NEAREST_EXACT: the pixel in which the output pixel's centre lies
};

// Statistics of one sample: STATS floats for each channel, at Row.stat of the launch that takes them (it reads the
// row's source alone) and of those that use them.
enum {
  STAT_COUNT = 0,
  STAT_SUM = 1,
  STAT_LOW = 2,
  STAT_HIGH = 3,
  STAT_SQUARES = 4,
  STATS = 5
};  // number without NaNs; squared deviations

enum OpCode {
  OP_NONE = 0,
  OP_MOVE,         // flag: 8 orientations and crops. x' = f0 x + f1 y + f2, y' = f3 x + f4 y + f5 (p[0..5])
  OP_ROUND,        // flag: 0 float16, 1 bfloat16   the rounding that storing the intermediate result would do
  OP_LINEAR_U8,    // trunc(clip(v * p[0] + p[1], 0, 255)); flag 1: p[1] is multiplied by the sample's mean
  OP_LINEAR,       // v * p[0] + p[1], clipped to p[2]..p[3]; flag 1: as above
  OP_NORMALIZE,    // (v - blob[arg + c]) * blob[arg + channels + c]
  OP_HSV_U8,       // p[0] hue shift (0..180), p[1] saturation, p[2] value, integers
  OP_HSV,          // p[0] hue shift (turns), p[1] saturation, p[2] value, in 0..1
  OP_GAUSS,        // p[0], p[1] key (bits), p[2] sigma, p[3] mean, p[4] width (bits); flag: see below
  OP_RECTS,        // arg: n rectangles (x0, y0, x1, y1 as int bits); flag: FillMode; p[5] offset of the fills (bits)
  OP_PIXELS,       // single pixels; see dropout.cuh
  OP_CHANNELS,     // whole channels
  OP_BITMAP,       // the set bits of a map
  OP_STANDARDIZE,  // by the sample's own statistics, then clipped to -20..20; flag: Standardize
  OP_COUNT
};

struct Op {                // 64 bytes
  int code, arg, n, flag;  // arg: offset into the blob (in words of 4 bytes)
  float p[12];
};

enum FillMode {       // of OP_RECTS and its like
  FILL_CONSTANT = 0,  // blob[p[5] + c]
  FILL_PER_RECT = 1,  // blob[p[5] + k * channels + c]
  FILL_RANDOM = 2,    // a number per pixel and channel: p[0], p[1] key, p[2] width (bits), p[3] scale, p[4] floor it?
  FILL_MEAN = 3,      // the sample's mean
};

// One sample of one filter launch: separable weights, or a list of points.
enum FilterKind { FILTER_SEPARABLE = 0, FILTER_SPARSE = 1 };
struct FilterRow : Ends {  // 88 bytes; source and destination are of one size
  int border, fill;        // Border; CONSTANT: fill is an offset into the blob, one float per channel
  int kind, kh, kw;        // separable: lengths of the y and x weights, odd, anchored at their middle
  int n;                   // sparse: how many points
  int taps;                // offset into the blob. separable: y weights, x weights. sparse: n times (dy, dx, weight)
  float scale;             // result = scale * sum; uint8 rounds half to even
};

// One sample of one rank launch: of what a window holds the median, the least or the greatest value. Types need an order and no
// arithmetic, so labels are ranked as numbers.
enum RankKind { RANK_MEDIAN = 0, RANK_LEAST = 1, RANK_GREATEST = 2 };
struct RankRow : Ends {  // 88 bytes; source and destination are of one size
  int border;            // Border; CONSTANT: what lies beyond it does not count (least and greatest)
  int kind, kh, kw;      // height and width that hold the window, odd, around the pixel; a median's is the whole square
  int runs, at;          // least and greatest: how many runs of pixels, and their offset in the blob: (dy, dx, length) as ints
  int pad[2];
};

}  // namespace aug
