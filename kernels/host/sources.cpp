// sources.cpp: what the library was made of. The only file that is compiled anew with every change of another.
#include "export.hpp"

EXPORT const char* gpuaug_sources() { return GPUAUG_SOURCES; }
