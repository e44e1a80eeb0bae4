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
  OP_MIX = 36,
  OP_PERMUTE = 37,
  OP_PERMUTE_LAYER = 38,
  OP_LINEAR_CHANNELS = 39,
  OP_FANCY = 40,
  OP_PROJECT = 41,
  OP_DIVIDE = 42,
  OP_QUANTIZE = 43,
  OP_CONTRAST_U8 = 44,
  OP_CONTRAST = 45,
  OP_SATURATION = 46,
  OP_TO_HLS = 47,
  OP_FROM_HLS = 48,
  OP_BLEACH = 49,
  OP_BOXES = 50,
  OP_ISO = 51,
  OP_ADDITIVE = 52,
  OP_MULTIPLY = 53,
  OP_SPECKLE = 54,
  OP_SHOT = 55,
  OP_SHARPEN = 56,
  OP_STRETCH = 57,
  OP_BEZIER = 58,
  OP_FLARE = 59,
  OP_SCREEN = 60,
  OP_SNOW = 61,
  OP_STAIN = 62,
  OP_PATTERN = 63,
  OP_SPLASH = 64,
  OP_ABOVE = 65,
  OP_GLASS = 66,
  OP_ZOOM = 67,
  OP_TAKE = 68,
  OP_BLEND_MEAN = 69,
  OP_BLEND_GRAY = 70,
  OP_TINT = 71,
  OP_TURN_HUE = 72,
  OP_WIDEN = 73,
  OP_LEVELS = 74,
  OP_UNBLUR = 75,
  OP_WEIGH = 76,
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

// draws shapes, one over the other; whole: 1 cut off to whole numbers, 2 rounded; index: 0, or see op_shapes.cuh
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

// a matrix; whole: cut off to bytes
// table: f32 [3, 4]: for each channel the factors on all, and what is added
struct AUG_ALIAS MixOp {
  int whole;
};

// each channel becomes another
struct AUG_ALIAS PermuteOp {
  int from[3];
};

// each channel becomes another of the layer
// table: i32 [channels]: of each channel that which it becomes
struct AUG_ALIAS PermuteLayerOp {
};

// v * factor + offset of its channel, clipped
// table: f32 [2, channels]: factors, what is added
struct AUG_ALIAS LinearChannelsOp {
  float low;
  float high;
};

// AlexNet's colour noise as albumentations has it: a matrix of directions times (alpha * scale * variance) on the distance from the mean is added. The layer is the image itself
// table: f32 [channels]: alpha of each direction
struct AUG_ALIAS FancyOp {
  int whole;
  float scale;
  int of;
};

// all channels: the place along the first direction, from the mean
struct AUG_ALIAS ProjectOp {
  int of;
};

// v / by
struct AUG_ALIAS DivideOp {
  float by;
};

// v * top as a byte
struct AUG_ALIAS QuantizeOp {
  float top;
};

// linear_u8, the offset being the mean gray value times rest, the words of a float64, low half first
struct AUG_ALIAS ContrastU8Op {
  float factor;
  u32 rest[2];
  int luma;
};

// the same of 0..1
struct AUG_ALIAS ContrastOp {
  float factor;
  u32 rest[2];
  int luma;
};

// factor times the colour and rest times its gray value; whole: rounded to bytes
struct AUG_ALIAS SaturationOp {
  float factor;
  float rest;
  int whole;
};

// OpenCV's 8-bit RGB to HLS
struct AUG_ALIAS ToHlsOp {
};

// ... and back
struct AUG_ALIAS FromHlsOp {
};

// 8-bit HLS: lightness below limit times factor
struct AUG_ALIAS BleachOp {
  float limit;
  float factor;
};

// 8-bit HLS: the lightness of rectangles; a later one covers an earlier one
// table: i32 [n, 5]: x0, y0, x1, y1, the lightness
struct AUG_ALIAS BoxesOp {
};

// in HLS: N(0, hue) degrees to the hue, Poisson(deviation * intensity) * intensity * its lack to the lightness
struct AUG_ALIAS IsoOp {
  u32 key[2];
  int width;
  float hue;
  float intensity;
  int whole;
  int deviation;
};

// v + a + b * noise; kind: 0 uniform in 0..1, 1 normal, 2 Laplace, 3 of a table. columns, lines, step: coarser
// table: f32 [n]: of kind 3 the quantiles from 0 to 1
struct AUG_ALIAS AdditiveOp {
  u32 key[2];
  int kind;
  float a;
  float b;
  int width;
  int alike;
  int whole;
  int columns;
  int lines;
  float step[2];
};

// v times a uniform number of low .. low + range; alike: for all channels; whole: cut off to bytes
struct AUG_ALIAS MultiplyOp {
  u32 key[2];
  float low;
  float range;
  int width;
  int alike;
  int whole;
};

// of area pixels a random choice of so many grains, of which salt become top, the others 0; side: root of area
struct AUG_ALIAS SpeckleOp {
  u32 key[2];
  int width;
  int area;
  int side;
  int salt;
  int grains;
  float top;
};

// a Poisson number of v^2.2 / scale photons
struct AUG_ALIAS ShotOp {
  u32 key[2];
  float scale;
  int width;
  int whole;
};

// of a blurred image and the image as layer: the image and alpha times their difference; whole: cut off to bytes
struct AUG_ALIAS SharpenOp {
  float alpha;
  int whole;
};

// the range of the first channel becomes 0..1, of no range 0; whole: as bytes
struct AUG_ALIAS StretchOp {
  int whole;
  int of;
};

// of 0..1 a cubic curve from 0 to 1
// table: f32 [2, channels]: the ordinates of two inner points
struct AUG_ALIAS BezierOp {
};

// bytes: each disc is drawn onto a second image, of which alpha is mixed into the first
// table: f32 [n, 8]: discs: x, y, squared radius, alpha, 1 - alpha, red + 256 green + 65536 blue, whether to begin anew
struct AUG_ALIAS FlareOp {
};

// bytes: light of 0..1 on the first layer: green of the second, red of the third, blue of the values
struct AUG_ALIAS ScreenOp {
};

// snow of a texture on bytes, in HSV: the texture times depth * (1 + slope * line)
struct AUG_ALIAS SnowOp {
  u32 key[2];
  int width;
  float brighter;
  float slope;
  float depth;
  float tint;
};

// optical densities through a matrix; whole: as bytes
// table: f32 [2, 3, 4]: of tissue, and beside it: for each channel's optical density the factors on all, what is added
struct AUG_ALIAS StainOp {
  int whole;
};

// times amount 0: added; 1: less 1 the contrast about the mean; 2: a shadow. whole: cut off to bytes
// table: f32 [n]: of each pixel
struct AUG_ALIAS PatternOp {
  int width;
  int form;
  float amount;
  int whole;
  int mean;
};

// a colour of 0..1, as much as values have of their largest, is added to the layer; covers: of which it takes as much
struct AUG_ALIAS SplashOp {
  float intensity;
  float covers;
  float colour[3];
  int whole;
  int of;
};

// 1 above a limit, else 0
struct AUG_ALIAS AboveOp {
  float limit;
};

// pixels of the layer swap places with others that are less than delta away
struct AUG_ALIAS GlassOp {
  u32 key[2];
  int delta;
  int width;
  int height;
};

// the mean of the image and its enlargements; the layer is the image itself
// table: f32 [n, 8]: enlargements, along x and y: pixels per pixel, offset, the window's first, its last counted from there
struct AUG_ALIAS ZoomOp {
  int whole;
};

// the layer's value in channel c where bit c is set, of the first 32
struct AUG_ALIAS TakeOp {
  u32 channels;
};

// factor times v and rest times the mean gray value, clipped; whole: cut off to bytes
struct AUG_ALIAS BlendMeanOp {
  float factor;
  float rest;
  int whole;
  int mean;
};

// factor times the colour and rest times its gray value, clipped; whole: cut off to bytes
struct AUG_ALIAS BlendGrayOp {
  float factor;
  float rest;
  int whole;
};

// all channels: the gray value; whole: cut off
struct AUG_ALIAS TintOp {
  int whole;
};

// the hue, in turns, is added to; whole: of bytes
struct AUG_ALIAS TurnHueOp {
  float turns;
  int whole;
};

// the range of each channel becomes the whole one, no range stays; whole: cut off to bytes
struct AUG_ALIAS WidenOp {
  int whole;
  int of;
};

// the lowest value of so many equal parts of 0..1
struct AUG_ALIAS LevelsOp {
  float count;
};

// of a blurred image and the image as layer: the image and rest times what the blurred one has more, clipped; the outermost pixels stay; whole: cut off to bytes
struct AUG_ALIAS UnblurOp {
  float rest;
  int whole;
  int width;
  int height;
};

// the layer and factor times v
struct AUG_ALIAS WeighOp {
  float factor;
};

// Which operations on uint8 are a table of 256 bytes, and whether all channels have the same.
enum { LUT_NONE = 0, LUT_ALIKE = 1, LUT_CHANNELS = 2 };
constexpr unsigned char LUT_OPS[] = {LUT_NONE, LUT_NONE, LUT_NONE, LUT_ALIKE, LUT_ALIKE, LUT_NONE, LUT_NONE, LUT_NONE, LUT_NONE, LUT_NONE, LUT_NONE, LUT_NONE, LUT_NONE, LUT_NONE, LUT_NONE, LUT_NONE, LUT_NONE, LUT_NONE, LUT_CHANNELS, LUT_NONE, LUT_NONE, LUT_NONE, LUT_NONE, LUT_NONE, LUT_NONE, LUT_NONE, LUT_NONE, LUT_NONE, LUT_NONE, LUT_NONE, LUT_NONE, LUT_ALIKE, LUT_ALIKE, LUT_NONE, LUT_CHANNELS, LUT_CHANNELS, LUT_NONE, LUT_NONE, LUT_NONE, LUT_NONE, LUT_NONE, LUT_NONE, LUT_NONE, LUT_NONE, LUT_ALIKE, LUT_NONE, LUT_NONE, LUT_NONE, LUT_NONE, LUT_NONE, LUT_NONE, LUT_NONE, LUT_NONE, LUT_NONE, LUT_NONE, LUT_NONE, LUT_NONE, LUT_NONE, LUT_NONE, LUT_NONE, LUT_NONE, LUT_NONE, LUT_NONE, LUT_NONE, LUT_NONE, LUT_NONE, LUT_NONE, LUT_NONE, LUT_NONE, LUT_ALIKE, LUT_NONE, LUT_NONE, LUT_NONE, LUT_NONE, LUT_NONE, LUT_NONE, LUT_NONE};
// Which operations make of a value another one that hangs on nothing else, whichever channel it is of.
constexpr bool VALUE_OPS[] = {false, false, false, true, false, true, false, false, false, false, false, false, false, false, false, false, false, false, false, false, false, false, false, false, false, false, false, false, false, false, false, true, true, true, false, false, false, false, false, false, false, false, true, true, false, false, false, false, false, false, false, false, false, false, false, false, false, false, false, false, false, false, false, false, false, true, false, false, false, false, false, false, false, false, true, false, false};

}  // namespace aug
