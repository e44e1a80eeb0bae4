// ops.gen.cuh: made of gpuaug/ops.py by `python kernels/generate.py`; not to be edited.
// clang-format off
#pragma once
#include "math.cuh"
#include "reductions.gen.cuh"
namespace aug {

// Word 2 of the counter of random words.
enum Stream {
  STREAM_NOISE = 0,
  STREAM_FILL = 1,
  STREAM_COLOUR = 2,
  STREAM_PIXELS = 3,
  STREAM_CHANNELS = 4,
  STREAM_GRID = 5,
  STREAM_OBJECTS = 6,
  STREAM_PLACES = 7,
  STREAM_SHAPES = 8,
};

enum OpCode {
  OP_MOVE = 1,
  OP_ROUND = 2,
  OP_LINEAR_U8 = 3,
  OP_LINEAR_U8_MEAN = 4,
  OP_LINEAR = 5,
  OP_LINEAR_MEAN = 6,
  OP_NORMALIZE = 7,
  OP_STANDARDIZE = 8,
  OP_HSV_U8 = 9,
  OP_HSV = 10,
  OP_GRAY = 11,
  OP_GRAY_LAB = 12,
  OP_DIFFERS = 13,
  OP_UNSHARP = 14,
  OP_ADD = 15,
  OP_FIELD = 16,
  OP_SHAPES = 17,
  OP_LUT = 18,
  OP_LUT_TILES = 19,
  OP_TO_YCRCB = 20,
  OP_FROM_YCRCB = 21,
  OP_TO_LAB = 22,
  OP_FROM_LAB = 23,
  OP_TO_BYTES = 24,
  OP_FROM_BYTES = 25,
  OP_GAUSS = 26,
  OP_RECTS = 27,
  OP_BITMAP = 28,
  OP_PIXELS = 29,
  OP_CHANNELS = 30,
  OP_INVERT = 31,
  OP_SOLARIZE = 32,
  OP_POWER = 33,
  OP_CURVE = 34,
  OP_POSTERIZE = 35,
  OP_TAKE = 36,
};

// positions after a turn or crop: x' = a x + b y + x0, y' = c x + d y + y0
struct AUG_ALIAS MoveOp {
  int a;
  int b;
  int x;
  int c;
  int d;
  int y;
};

// as storing float16 (half) or bfloat16 would
struct AUG_ALIAS RoundOp {
  int half;
};

// trunc(clip(v * factor + offset, 0, 255))
struct AUG_ALIAS LinearU8Op {
  float factor;
  float offset;
};

// linear_u8, offset times the mean
struct AUG_ALIAS LinearU8MeanOp {
  float factor;
  float offset;
  int mean;
};

// clip(v * factor + offset, low, high)
struct AUG_ALIAS LinearOp {
  float factor;
  float offset;
  float low;
  float high;
};

// linear, offset times the mean
struct AUG_ALIAS LinearMeanOp {
  float factor;
  float offset;
  float low;
  float high;
  int mean;
};

// (v - mean) * reciprocal
// table: f32 [2, channels]: means, reciprocals of deviations
struct AUG_ALIAS NormalizeOp {
};

// by the sample's own moments, clipped to -20..20
struct AUG_ALIAS StandardizeOp {
  int kind;
  int of;
};

// shifts in OpenCV's 8-bit HSV
struct AUG_ALIAS HsvU8Op {
  float hue;
  float saturation;
  float value;
};

// shifts in HSV of 0..1; hue in turns
struct AUG_ALIAS HsvOp {
  float hue;
  float saturation;
  float value;
};

// all channels: 0 a weighted mean, 1 of the extremes, 2 the mean, 3 the maximum; whole: as uint8
struct AUG_ALIAS GrayOp {
  int method;
  int whole;
};

// all channels: the lightness; values times scale are bytes
// table: f32 [3328]: 256 linear values of a byte, lightness by luminance, as OpenCV's 8-bit CIELab has them
struct AUG_ALIAS GrayLabOp {
  float scale;
};

// 1 where the value differs from the layer's by more than threshold / 255, else 0
struct AUG_ALIAS DiffersOp {
  float threshold;
};

// of a mask, an image and the image blurred: alpha times their difference is added where it is; whole: to bytes
struct AUG_ALIAS UnsharpOp {
  float alpha;
  int whole;
};

// (the layer + v, at most top) * factor, the words of a float64, low half first; whole: rounded
struct AUG_ALIAS AddOp {
  u32 factor[2];
  float top;
  int whole;
};

// v times a factor of the place. form 0: base + x * column + y * line; with the distance d of (x, y) 1: base + slope * d, 2: base + slope * 2^(scale * d^2). rounding: 0 none, 0..1; bytes: 1 cut off, 2 rounded
struct AUG_ALIAS FieldOp {
  int form;
  int rounding;
  float base;
  float slope;
  float x;
  float y;
  float scale;
};

// draws shapes, one over the other; whole: cut off to whole numbers; index: 0, or see kernels/op_shapes.cuh
// table: i32 [n, 8]: shapes and their parts, see `gpuaug.shapes`
struct AUG_ALIAS ShapesOp {
  int whole;
  int index;
  int strips;
};

// whole numbers 0..255 by the sample's table, for the channels that it is of
struct AUG_ALIAS LutOp {
  Tables tables;
};

// whole numbers 0..255 between the tables of the four nearest tiles, linear as OpenCV's CLAHE
struct AUG_ALIAS LutTilesOp {
  Tables tables;
};

// OpenCV's 8-bit RGB to YCrCb
struct AUG_ALIAS ToYcrcbOp {
};

// ... and back
struct AUG_ALIAS FromYcrcbOp {
};

// OpenCV's 8-bit RGB to LAB
// table: i32 [2297]: gpuaug.lab.FORWARD
struct AUG_ALIAS ToLabOp {
};

// ... and back
// table: i32 [4096]: gpuaug.lab.BACKWARD
struct AUG_ALIAS FromLabOp {
};

// round(clip(v * 255, 0, 255)) of images in 0..1
struct AUG_ALIAS ToBytesOp {
};

// v / 255
struct AUG_ALIAS FromBytesOp {
};

// v + N(mean, sigma); alike: for all channels; whole: truncated and clipped to 0..255
struct AUG_ALIAS GaussOp {
  u32 key[2];
  float sigma;
  float mean;
  int width;
  int alike;
  int whole;
};

// fills n rectangles
// table: i32 [n, 4]: x0, y0, x1, y1; a later one covers an earlier one
struct AUG_ALIAS RectsOp {
  u32 key[2];
  int width;
  float scale;
  int whole;
  int fill;
  int mode;
  int mean;
};

// fills the set bits of a map
// table: u32 [n]: lines of 32 pixels a word, lowest bit first
struct AUG_ALIAS BitmapOp {
  u32 key[2];
  int width;
  float scale;
  int whole;
  int fill;
  int mode;
  int mean;
  int words;
  int columns;
  int lines;
};

// fills each pixel with probability below; each: a draw for each channel
struct AUG_ALIAS PixelsOp {
  u32 key[2];
  int width;
  int each;
  float below;
  int fill;
};

// fills whole channels
// table: f32 [2, channels]: which to fill (0 or 1), fills
struct AUG_ALIAS ChannelsOp {
};

// top - v
struct AUG_ALIAS InvertOp {
  float top;
};

// top - v from the threshold on
struct AUG_ALIAS SolarizeOp {
  float threshold;
  float top;
};

// v to a power
struct AUG_ALIAS PowerOp {
  float exponent;
};

// whole numbers 0..255 through a table that the host has made
// table: u32 [n, 64]: 256 bytes, the new values: n is 1, or the channels
struct AUG_ALIAS CurveOp {
};

// the lowest of so many values; top 1: of 0..1, rounded to 0..255 before
// table: f32 [channels]: how many of 256 values become one
struct AUG_ALIAS PosterizeOp {
  float top;
};

// the layer's value in channel c where bit c is set, of the first 32
struct AUG_ALIAS TakeOp {
  u32 channels;
};

// Which operations on uint8 are a table of 256 bytes, and whether all channels have the same.
enum { LUT_NONE = 0, LUT_ALIKE = 1, LUT_CHANNELS = 2 };
constexpr unsigned char LUT_OPS[] = {LUT_NONE, LUT_NONE, LUT_NONE, LUT_ALIKE, LUT_ALIKE, LUT_NONE, LUT_NONE, LUT_NONE, LUT_NONE, LUT_NONE, LUT_NONE, LUT_NONE, LUT_NONE, LUT_NONE, LUT_NONE, LUT_NONE, LUT_NONE, LUT_NONE, LUT_CHANNELS, LUT_NONE, LUT_NONE, LUT_NONE, LUT_NONE, LUT_NONE, LUT_NONE, LUT_NONE, LUT_NONE, LUT_NONE, LUT_NONE, LUT_NONE, LUT_NONE, LUT_ALIKE, LUT_ALIKE, LUT_NONE, LUT_CHANNELS, LUT_CHANNELS, LUT_NONE};

struct Op;
struct Sample;
template <class G, int C> struct Pixels;

template <class G, int C>
AUG void op_invert(G g, const InvertOp& p, const Op&, const Sample&, Pixels<G, C>& px) {
  const float top = p.top;
  AUG_UNROLL for (int c = 0; c < C; ++c)
    g.each([&](Lane l) {
      const float v = px.v[c][l];
      px.v[c][l] = top - v;
    });
}

template <class G, int C>
AUG void op_solarize(G g, const SolarizeOp& p, const Op&, const Sample&, Pixels<G, C>& px) {
  const float threshold = p.threshold;
  const float top = p.top;
  AUG_UNROLL for (int c = 0; c < C; ++c)
    g.each([&](Lane l) {
      const float v = px.v[c][l];
      px.v[c][l] = v >= threshold ? top - v : v;
    });
}

template <class G, int C>
AUG void op_power(G g, const PowerOp& p, const Op&, const Sample&, Pixels<G, C>& px) {
  const float exponent = p.exponent;
  AUG_UNROLL for (int c = 0; c < C; ++c)
    g.each([&](Lane l) {
      const float v = px.v[c][l];
      px.v[c][l] = power_(v, exponent);
    });
}

// X(code, function, parameters, channels that it works on; 0: any)
#define AUG_OPS(X) \
  X(OP_MOVE, op_move, MoveOp, 0) \
  X(OP_ROUND, op_round, RoundOp, 0) \
  X(OP_LINEAR_U8, op_linear_u8, LinearU8Op, 0) \
  X(OP_LINEAR_U8_MEAN, op_linear_u8_mean, LinearU8MeanOp, 0) \
  X(OP_LINEAR, op_linear, LinearOp, 0) \
  X(OP_LINEAR_MEAN, op_linear_mean, LinearMeanOp, 0) \
  X(OP_NORMALIZE, op_normalize, NormalizeOp, 0) \
  X(OP_STANDARDIZE, op_standardize, StandardizeOp, 0) \
  X(OP_HSV_U8, op_hsv_u8, HsvU8Op, 3) \
  X(OP_HSV, op_hsv, HsvOp, 3) \
  X(OP_GRAY, op_gray, GrayOp, 3) \
  X(OP_GRAY_LAB, op_gray_lab, GrayLabOp, 3) \
  X(OP_DIFFERS, op_differs, DiffersOp, 0) \
  X(OP_UNSHARP, op_unsharp, UnsharpOp, 0) \
  X(OP_ADD, op_add, AddOp, 0) \
  X(OP_FIELD, op_field, FieldOp, 0) \
  X(OP_SHAPES, op_shapes, ShapesOp, 0) \
  X(OP_LUT, op_lut, LutOp, 0) \
  X(OP_LUT_TILES, op_lut_tiles, LutTilesOp, 0) \
  X(OP_TO_YCRCB, op_to_ycrcb, ToYcrcbOp, 3) \
  X(OP_FROM_YCRCB, op_from_ycrcb, FromYcrcbOp, 3) \
  X(OP_TO_LAB, op_to_lab, ToLabOp, 3) \
  X(OP_FROM_LAB, op_from_lab, FromLabOp, 3) \
  X(OP_TO_BYTES, op_to_bytes, ToBytesOp, 0) \
  X(OP_FROM_BYTES, op_from_bytes, FromBytesOp, 0) \
  X(OP_GAUSS, op_gauss, GaussOp, 0) \
  X(OP_RECTS, op_rects, RectsOp, 0) \
  X(OP_BITMAP, op_bitmap, BitmapOp, 0) \
  X(OP_PIXELS, op_pixels, PixelsOp, 0) \
  X(OP_CHANNELS, op_channels, ChannelsOp, 0) \
  X(OP_INVERT, op_invert, InvertOp, 0) \
  X(OP_SOLARIZE, op_solarize, SolarizeOp, 0) \
  X(OP_POWER, op_power, PowerOp, 0) \
  X(OP_CURVE, op_curve, CurveOp, 0) \
  X(OP_POSTERIZE, op_posterize, PosterizeOp, 0) \
  X(OP_TAKE, op_take, TakeOp, 0)

}  // namespace aug
