// op_space.cuh: OpenCV's 8-bit colour spaces, to the bit: whole numbers 0..255 in the lanes of three channels before and after.
#pragma once
#include "part.cuh"
#include "ops.gen.cuh"
#include "pixels.cuh"
namespace aug {

AUG float byte_from(int v) { return (float)clamp_(v, 0, 255); }

template <class G> AUG void op_to_ycrcb(G g, const ToYcrcbOp&, const Op&, const Sample&, Pixels<G, 3>& px) {
  g.each([&](Lane l) {
    const int r = (int)px.v[0][l], gr = (int)px.v[1][l], b = (int)px.v[2][l];
    const int y = (4899 * r + 9617 * gr + 1868 * b + 8192) >> 14;
    px.v[0][l] = (float)y;
    px.v[1][l] = byte_from(((r - y) * 11682 + (128 << 14) + 8192) >> 14);
    px.v[2][l] = byte_from(((b - y) * 9241 + (128 << 14) + 8192) >> 14);
  });
}
template <class G> AUG void op_from_ycrcb(G g, const FromYcrcbOp&, const Op&, const Sample&, Pixels<G, 3>& px) {
  g.each([&](Lane l) {
    const int y = (int)px.v[0][l], cr = (int)px.v[1][l] - 128, cb = (int)px.v[2][l] - 128;
    px.v[0][l] = byte_from(y + ((cr * 22987 + 8192) >> 14));
    px.v[1][l] = byte_from(y + ((cb * -5636 + cr * -11698 + 8192) >> 14));
    px.v[2][l] = byte_from(y + ((cb * 29049 + 8192) >> 14));
  });
}

// Three lanes' indices become what the table has there.
template <class G, class V> AUG void look_up(G g, const int* table, V& a, V& b, V& c) {
  g.each_scalar([&](Lane l) {
    a[l] = entry(table, scalar(a[l]));
    b[l] = entry(table, scalar(b[l]));
    c[l] = entry(table, scalar(c[l]));
  });
}

// The tables are gpuaug/lab.py's: linear light of a byte; cube roots of 0 .. 1 in steps of 1/2040; the byte of linear light.
enum { LAB_LIGHTS = 256 };
template <class G> AUG void op_to_lab(G g, const ToLabOp&, const Op& op, const Sample& s, Pixels<G, 3>& px) {
  const int *light = (const int*)(s.blob + op.at), *root = light + LAB_LIGHTS;
  typename G::template Var<int> r, gr, b;
  g.each([&](Lane l) {
    r[l] = byte_of(px.v[0][l]);
    gr[l] = byte_of(px.v[1][l]);
    b[l] = byte_of(px.v[2][l]);
  });
  look_up(g, light, r, gr, b);
  g.each([&](Lane l) {
    const int x = r[l], y = gr[l], z = b[l];
    r[l] = (1777 * x + 1541 * y + 778 * z + 2048) >> 12;
    gr[l] = (871 * x + 2929 * y + 296 * z + 2048) >> 12;
    b[l] = (73 * x + 448 * y + 3575 * z + 2048) >> 12;
  });
  look_up(g, root, r, gr, b);
  g.each([&](Lane l) {
    const int x = r[l], y = gr[l], z = b[l];
    // of all colours: 0 .. 255, 42 .. 226, 20 .. 223
    px.v[0][l] = (float)((296 * y - 1336934 + 16384) >> 15);
    px.v[1][l] = (float)((500 * (x - y) + (128 << 15) + 16384) >> 15);
    px.v[2][l] = (float)((200 * (y - z) + (128 << 15) + 16384) >> 15);
  });
}

// the cube of v / 2^14, times 2^14; linear below 6/29
AUG int lab_cube(int v) {
  // v * 108 / 841, cut off: on the CPU by a float that is 1 / 841 and a little, on the GPU by 2^32 * 108 / 841, rounded up
#if AUG_GPU
  const int quotient = __mulhi(v, 551553470) - (v >> 31);
#else
  const int quotient = (int)((float)(v * 108) * 0.00118906074f);
#endif
  return v <= 3390 ? quotient - 290 : (((v * v) >> 14) * v) >> 14;
}
// to the nearest whole number
AUG int lab_near(float v) {
#if defined(__CUDACC_RTC__)
  return __float2int_rn(v);
#else
  return (int)round_(v);
#endif
}
AUG int lab_bin(int sum) { return clamp_((sum + 8192) >> 14, 0, 4095); }
template <class G> AUG void op_from_lab(G g, const FromLabOp&, const Op& op, const Sample& s, Pixels<G, 3>& px) {
  const int* bytes = (const int*)(s.blob + op.at);
  typename G::template Var<int> r, gr, b;
  g.each([&](Lane l) {
    const float L = px.v[0][l];
    const int a5 = (int)px.v[1][l], b5 = (int)px.v[2][l];
    // the same for all 256 as OpenCV's tables of y and f(y)
    const float f = L * 0.00338066253f + 0.137931034f;
    const int y = lab_near(L <= 20.0f ? L * 7.11294651f : f * f * f * 16384.0f);
    const int fy = lab_near(L * 55.3887749f + 2259.86206f);
    const int x = lab_cube(fy + (((5 * a5 * 53687 + 128) >> 13) - 4194));
    const int z = lab_cube(fy - (((b5 * 41943 + 16) >> 9) - 10484));
    r[l] = lab_bin(12615 * x - 6296 * y - 2223 * z);
    gr[l] = lab_bin(-3773 * x + 7684 * y + 185 * z);
    b[l] = lab_bin(217 * x - 836 * y + 4715 * z);
  });
  look_up(g, bytes, r, gr, b);
  g.each([&](Lane l) {
    px.v[0][l] = (float)r[l];
    px.v[1][l] = (float)gr[l];
    px.v[2][l] = (float)b[l];
  });
}

// Turns and crops between the steps of a stage: where pixels are, for the operations to come.
template <class G, int C> AUG void op_move(G g, const MoveOp& p, const Op&, const Sample&, Pixels<G, C>& px) {
  g.each([&](Lane l) {
    const int x = px.x[l], y = px.y[l];
    px.x[l] = p.a * x + p.b * y + p.x;
    px.y[l] = p.c * x + p.d * y + p.y;
  });
}

}  // namespace aug
