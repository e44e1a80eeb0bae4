// maps.gen.cuh: made of gpuaug/maps/base.py by `python kernels/generate.py`; not to be edited.
#pragma once
namespace aug {

// Where output pixels are read; map.cuh has the formulas.
enum MapKind {
  MAP_VIEW = 0,
  MAP_AFFINE = 1,
  MAP_PROJECTIVE = 2,
  MAP_TIME_WARP = 3,
  MAP_RADIAL = 4,
  MAP_GRID = 5,
  MAP_MESH = 6,
  MAP_FIELD = 7,
  MAP_RESIZE = 8,
  MAP_PIXELS = 9,
  MAP_TILES = 10,
};
enum { MAP_WHOLE = MAP_RESIZE };  // from there on: whole pixels inside of the source

}  // namespace aug
