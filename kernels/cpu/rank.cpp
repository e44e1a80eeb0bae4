// rank.cpp: a sample of a rank launch, for one element type.
#include "rank.hpp"
namespace aug {

template <class T> void rank_sample(const Launch& l, const RankRow& s, Scratch& scratch) {
  const int C = filter_planar(s) ? 1 : l.channels, strip = rank_strip(s, l.blob, C, sizeof(T));
  for (int c = 0; c < l.channels; c += C)
    for (int x = 0; x < s.sw; x += strip) rank_tile<T>(s, l.blob, c, C, x, min_(strip, s.sw - x), scratch.lines);
}
template void rank_sample<GPUAUG_IN>(const Launch&, const RankRow&, Scratch&);

}  // namespace aug
