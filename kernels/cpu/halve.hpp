// halve.hpp: see halve.cpp.
#pragma once
#include "rows.cuh"
namespace aug {

// Bytes to the means of 2 x 2; up: halves round up, not to the even. false: the sizes or channels are others.
bool halve(const Ends&, int channels, bool up);

}  // namespace aug
