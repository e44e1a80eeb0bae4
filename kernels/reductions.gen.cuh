// reductions.gen.cuh: made of gpuaug/reductions.py by `python kernels/generate.py`; not to be edited.
// clang-format off
#pragma once
#include "lang.cuh"
namespace aug {

// Where a sample's tables lie (in words of 4 bytes), of which channels, how many down and across, and of what tiles.
struct AUG_ALIAS Tables {
  int at, first, count, down, across, height, width;
};

enum { TABLE_WORDS = 64 };

// moments: number of values that are no NaN, sum, minimum, maximum, squared deviations from the mean
// histogram: how often each of the values 0 .. 255 occurs
// covariance: as float64 the number of pixels, the sum, and the sums of products with this channel and those behind it
// luma: of 1 or 3 channels, for the first: the mean gray value, as float64
// lightness: of 3 channels, for the first: the deviation of half the sum of the extremes
// tint: of 1 or 3 channels, for the first: the mean of torchvision's gray values
enum ReductionCode {
  REDUCE_MOMENTS = 0,
  REDUCE_HISTOGRAM = 1,
  REDUCE_COVARIANCE = 2,
  REDUCE_LUMA = 3,
  REDUCE_LIGHTNESS = 4,
  REDUCE_TINT = 5,
};

enum LookupCode {
  LOOKUP_EQUALIZE = 0,
  LOOKUP_CLAHE = 1,
  LOOKUP_AUTOCONTRAST = 2,
  LOOKUP_EIGEN = 3,
};

// a flat histogram, as cv2.equalizeHist has it; pil: 1 albumentations' _equalize_pil, 2 Pillow and torchvision
struct AUG_ALIAS EqualizeLookup {
  int pil;
};

// a flat histogram of which no bin is above clip, of tiles of so many pixels
struct AUG_ALIAS ClaheLookup {
  int clip;
  int area;
};

// the range less cutoff (percent, the bits of a double) at its ends, stretched by its distribution or (pil) linearly; ignore: a value that stays, or -1
struct AUG_ALIAS AutocontrastLookup {
  u32 cutoff[2];
  int pil;
  int ignore;
};

// number of pixels, means, variances along the eigenvectors of the covariances, the largest first; of each channel its part in each. Then room for two matrices of float64
struct AUG_ALIAS EigenLookup {
  int channels;
};

// X(code, function)
#define AUG_REDUCTIONS(X) \
  X(REDUCE_MOMENTS, reduce_moments) \
  X(REDUCE_HISTOGRAM, reduce_histogram) \
  X(REDUCE_COVARIANCE, reduce_covariance) \
  X(REDUCE_LUMA, reduce_luma) \
  X(REDUCE_LIGHTNESS, reduce_lightness) \
  X(REDUCE_TINT, reduce_tint)

// X(code, function, parameters)
#define AUG_TABLE_LOOKUPS(X) \
  X(LOOKUP_EQUALIZE, lookup_equalize, EqualizeLookup) \
  X(LOOKUP_CLAHE, lookup_clahe, ClaheLookup) \
  X(LOOKUP_AUTOCONTRAST, lookup_autocontrast, AutocontrastLookup)
// X(code, function, parameters)
#define AUG_OTHER_LOOKUPS(X) \
  X(LOOKUP_EIGEN, lookup_eigen, EigenLookup)

}  // namespace aug
