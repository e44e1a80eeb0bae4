// shuffle.hpp: bytes of three channels apart and together by shuffles of 16 bytes: left to itself GCC moves them one by one.
#pragma once
#include "lang.cuh"
namespace aug {

typedef u8 Bytes __attribute__((vector_size(16)));
#if defined(__clang__)
#define AUG_PICK2(a, b, ...) __builtin_shufflevector(a, b, __VA_ARGS__)
#else
#define AUG_PICK2(a, b, ...) __builtin_shuffle(a, b, Bytes{__VA_ARGS__})
#endif
AUG Bytes bytes_at(const u8* p) {
  Bytes v;
  __builtin_memcpy(&v, p, sizeof v);
  return v;
}
// clang-format off
// 16 pixels
AUG void apart(const u8* from, Bytes* plane) {
  const Bytes a = bytes_at(from), b = bytes_at(from + 16), c = bytes_at(from + 32);
  plane[0] = AUG_PICK2(AUG_PICK2(a, b, 0, 3, 6, 9, 12, 15, 18, 21, 24, 27, 30, 0, 0, 0, 0, 0), c,
                       0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 17, 20, 23, 26, 29);
  plane[1] = AUG_PICK2(AUG_PICK2(a, b, 1, 4, 7, 10, 13, 16, 19, 22, 25, 28, 31, 0, 0, 0, 0, 0), c,
                       0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 18, 21, 24, 27, 30);
  plane[2] = AUG_PICK2(AUG_PICK2(a, b, 2, 5, 8, 11, 14, 17, 20, 23, 26, 29, 0, 0, 0, 0, 0, 0), c,
                       0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 16, 19, 22, 25, 28, 31);
}
AUG void together(const Bytes* plane, u8* to) {
  const Bytes part0 = AUG_PICK2(AUG_PICK2(plane[0], plane[1], 0, 16, 0, 1, 17, 0, 2, 18, 0, 3, 19, 0, 4, 20, 0, 5), plane[2],
                              0, 1, 16, 3, 4, 17, 6, 7, 18, 9, 10, 19, 12, 13, 20, 15);
  __builtin_memcpy(to + 0, &part0, 16);
  const Bytes part1 = AUG_PICK2(AUG_PICK2(plane[0], plane[1], 21, 0, 6, 22, 0, 7, 23, 0, 8, 24, 0, 9, 25, 0, 10, 26), plane[2],
                              0, 21, 2, 3, 22, 5, 6, 23, 8, 9, 24, 11, 12, 25, 14, 15);
  __builtin_memcpy(to + 16, &part1, 16);
  const Bytes part2 = AUG_PICK2(AUG_PICK2(plane[0], plane[1], 0, 11, 27, 0, 12, 28, 0, 13, 29, 0, 14, 30, 0, 15, 31, 0), plane[2],
                              26, 1, 2, 27, 4, 5, 28, 7, 8, 29, 10, 11, 30, 13, 14, 31);
  __builtin_memcpy(to + 32, &part2, 16);
}
// clang-format on

}  // namespace aug
