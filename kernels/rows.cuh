// rows.cuh: the records that the host packs for a launch (gpuaug/plan.py holds their NumPy twins).
#pragma once
#include "border.cuh"
#include "maps.gen.cuh"
#include "types.cuh"
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
struct Row : Ends {      // 192 bytes
  int frame[6];          // output pixel (x, y) -> pixel of the gather's frame:
                         // (f0 x + f1 y + f2, f3 x + f4 y + f5), entries of the 2x2 part in {-1, 0, 1}
  float m[9];            // numbers of the map, frame pixel -> source pixel; see map.cuh
  int map, sample;       // MapKind, Interpolation
  int border, fill;      // fill: offset into the blob, one float per channel
  int table, cells[2];   // of the map: offset into the blob; columns and lines of it
  int ops, n_ops;        // its slice of the op table
  int positions;         // does an operation look at pixel positions?
  int layers, n_layers;  // what operations read beside the pixel: offset into the blob of so many layers
  int plain;             // is the frame the output's own?
  int past;              // cpu/run.cpp: is dst of results that are too large to stay in the caches?
  int pad;
  double scale[2];  // MAP_RESIZE: source pixels per output pixel, x and y
};

// What is made of the pixels around a place: OpenCV's numbers, but for linear along x alone.
enum Interpolation { SAMPLE_NEAREST = 0, SAMPLE_LINEAR = 1, SAMPLE_CUBIC = 2, SAMPLE_LINE = 3, SAMPLE_LANCZOS = 4 };
// Its weights: of each fraction, in steps of 1/32, 8; in the blob they lie in front of the row's fill.
enum { LANCZOS_TAPS = 8, LANCZOS_BITS = 5, LANCZOS_STEPS = 1 << LANCZOS_BITS, LANCZOS_WORDS = LANCZOS_TAPS * LANCZOS_STEPS };

// What the reduction "moments" writes of a channel: number without NaNs, .., squared deviations
enum { STAT_COUNT = 0, STAT_SUM = 1, STAT_LOW = 2, STAT_HIGH = 3, STAT_SQUARES = 4, STATS = 5 };

struct Op {         // 64 bytes
  int code, at, n;  // OpCode; its part of the blob (in words of 4 bytes), of n entries
  int layer;        // the first that it reads, of its row's
  u32 p[12];        // its parameters, a struct of ops.gen.cuh
};

// A layer: an image of the size that a sample has where an operation reads it. In the blob, as LAYER_WORDS words: its address (low
// half first), strides of y, x, channel, element type, and, of what an earlier launch wrote to scratch memory, that launch and
// its row; else -1 (`place` of launch.hpp and cpu/run.cpp fill in such addresses).
struct Layer {
  const void* src;
  int sy, sx, sc, type;
};
enum { LAYER_WORDS = 8, LAYER_LAUNCH = 6, LAYER_ROW = 7 };

enum FillMode {       // of OP_RECTS and its like
  FILL_CONSTANT = 0,  // blob[fill + c]
  FILL_PER_RECT = 1,  // blob[fill + k * channels + c]
  FILL_RANDOM = 2,    // a number per pixel and channel, times scale; whole: its floor
  FILL_MEAN = 3,      // the sample's mean, of the moments found at `mean`
  FILL_NORMAL = 4,    // a normal number per pixel and channel, times scale
};

// One sample of one filter launch: separable weights, or a list of points.
enum FilterKind { FILTER_SEPARABLE = 0, FILTER_SPARSE = 1 };
struct FilterRow : Ends {  // 96 bytes; source and destination are of one size
  int border, fill;        // Border; CONSTANT: fill is an offset into the blob, one float per channel
  int kind, kh, kw;        // separable: lengths of the y and x weights, odd, anchored at their middle
  int n;                   // sparse: how many points
  int taps;                // offset into the blob. separable: y weights, x weights. sparse: n times (dy, dx, weight)
  float scale;             // result = scale * sum; uint8 rounds half to even
  int even;                // separable: are they means that one set of weights makes, the same backwards? (windows.cpp)
  int pad;
};

// One sample of one reduce launch: it reads the source and writes numbers, at offset `at` (in words of 4 bytes) of the plan's
// memory for them: `words` for each tile, line after line of them, and of each tile for each of `count` channels.
struct ReduceRow : Ends {  // 96 bytes; no destination
  int reduction;           // ReductionCode
  int at, words;
  int first, count;   // channels
  int down, across;   // tiles
  int height, width;  // of a tile; where they reach beyond the image its border is reflected (101)
  int pad;
};

// One sample of one lookup launch: of each of `tables` times `words` numbers at `from` it makes a table at `at`; of what is no
// histogram, `words` being those of a channel, one thing.
struct LookupRow : Ends {  // 96 bytes; neither source nor destination
  int lookup;              // LookupCode
  int from, words, at, tables;
  u32 p[5];  // its parameters, a struct of reductions.gen.cuh
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

// One sample of one resample launch: separable weights, for each output column and line its own.
struct ResampleRow : Ends {  // 80 bytes
  int columns, lines;        // offsets into the blob: for each output column (line) the first source column and how many, as ints
                             // [n], [n], then their weights [n][most]
  int across, down;          // most of a column, of a line
  int up;                    // do halves round up? else to even
  int past;                  // see Row
};

}  // namespace aug
