// export.hpp: what Python may call; everything else in the library is hidden.
#pragma once
#define EXPORT extern "C" __attribute__((visibility("default")))
