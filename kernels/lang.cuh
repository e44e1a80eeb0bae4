// lang.cuh: the whole difference between the GPU and the CPU build of the kernels.
//
// A kernel body is written for a Group of THREADS threads, each of which owns SLOTS lanes.
// `g.each(f)` runs f once per lane. What lives across two `each` calls is kept in a Var (one
// value per lane) or in shared memory.
//   GPU: THREADS = blockDim.x, SLOTS = 1..4. A Var is a register, each() is unrolled.
//   CPU: THREADS = 1, SLOTS = 64. A Var is a 64-element array on the stack, each() is a simd
//        loop, sync() is nothing, shared memory is the worker's scratch buffer.
//
// Both builds switch contraction off (-ffp-contract=off, --fmad=false): a multiply-add is
// fused where the source says fma_ and nowhere else, so that both round alike.
#pragma once

#if defined(__CUDACC__) || defined(__CUDACC_RTC__) || defined(GPUAUG_EMULATE)
#define AUG __device__ __forceinline__
#define AUG_GPU 1
#define AUG_SIMD _Pragma("unroll")
#define AUG_UNROLL _Pragma("unroll")
#define AUG_ROLLED _Pragma("unroll 1")  // on a GPU: registers and code of one turn only
#define AUG_FN __device__ __forceinline__
#define AUG_ALIAS
#else
#define AUG inline __attribute__((always_inline))
#define AUG_GPU 0
#define AUG_SIMD _Pragma("omp simd")
#define AUG_UNROLL _Pragma("GCC unroll 16")
#define AUG_ROLLED
#define AUG_ALIAS __attribute__((may_alias))  // structs that lie in an array of words
// flatten: every lambda and helper is inlined; a loop that calls one is not vectorized
#define AUG_FN static __attribute__((noinline, flatten))
#endif

namespace aug {

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;
typedef long long i64;

// In a branch that is seldom taken: what stands behind it is not done in advance, for all; v is unknown there, so that nothing that
// hangs on it is kept in registers before.
AUG void seldom() {
#if defined(__CUDACC_RTC__)
  asm volatile("");
#endif
}
AUG int seldom(int v) {
#if defined(__CUDACC_RTC__)
  asm volatile("" : "+r"(v));
#endif
  return v;
}

// The same place, of which the compiler knows nothing: what is read there is read anew, not kept in registers from before.
template <class T> AUG const T* anew(const T* p) {
#if defined(__CUDACC_RTC__)
  asm volatile("" : "+l"(p));
#endif
  return p;
}

struct Lane {
  int slot, id;
};  // slot: index into a Var; id: index within the group

// A vector of the processor lies in one line of its cache: by chance it would lie in two, for a third more time.
template <class T, int SLOTS> struct alignas(SLOTS * sizeof(T) % 64 ? alignof(T) : 64) Vars {
  T v[SLOTS];
  AUG T& operator[](Lane l) { return v[l.slot]; }
};

template <int THREADS, int SLOTS> struct Group {
  static constexpr int threads = THREADS, slots = SLOTS, lanes = THREADS * SLOTS;
  template <class T> using Var = Vars<T, SLOTS>;

  static AUG int thread() {
#if AUG_GPU
    return threadIdx.x;
#else
    return 0;
#endif
  }
  static AUG void sync() {
#if AUG_GPU
    __syncthreads();
#endif
  }
  // every lane of the group once
  template <class F> AUG void each(F f) const {
    const int t = thread();
    AUG_SIMD for (int s = 0; s < SLOTS; ++s)
      f(Lane{s, t + s * THREADS});
  }
  // every lane once, for bodies that no compiler vectorizes (scattered byte loads)
  template <class F> AUG void each_scalar(F f) const {
    const int t = thread();
#if AUG_GPU
    AUG_SIMD
#endif
    for (int s = 0; s < SLOTS; ++s)
      f(Lane{s, t + s * THREADS});
  }
  // every lane once, for long bodies that touch the variables v... alone. On the GPU one body serves a thread's lanes in turn: they
  // come round to the front, so that registers have fixed places. A quarter of the code, and no four generators side by side, which
  // would not fit into the registers.
  template <class F, class... V> AUG void each_in_turn(F f, V&... v) const {
#if AUG_GPU
    _Pragma("unroll 1") for (int s = 0; s < SLOTS; ++s) {
      f(Lane{0, thread()});
      (turn(v), ...);
    }
#else
    each(f);
#endif
  }
  template <class V> static AUG void turn(V& v) {
    const auto first = v.v[0];
    AUG_UNROLL for (int s = 0; s + 1 < SLOTS; ++s)
      v.v[s] = v.v[s + 1];
    v.v[SLOTS - 1] = first;
  }
  template <class V, int C> static AUG void turn(V (&v)[C]) {
    AUG_UNROLL for (int c = 0; c < C; ++c)
      turn(v[c]);
  }
  // does p hold in all lanes of this thread? (no barrier: threads may disagree)
  template <class F> AUG bool all(F p) const {
    const int t = thread();
    int ok = 1;
#if AUG_GPU
    AUG_SIMD
#else
    _Pragma("omp simd reduction(&:ok)")
#endif
    for (int s = 0; s < SLOTS; ++s)
      ok &= p(Lane{s, t + s * THREADS}) ? 1 : 0;
    return ok != 0;
  }
  // rows x cols items spread over the group, then a barrier
  template <class F> AUG void grid(int rows, int cols, F f) const {
#if AUG_GPU
    for (int y = threadIdx.x / 32; y < rows; y += THREADS / 32)
      for (int x = threadIdx.x % 32; x < cols; x += 32) f(y, x);
    __syncthreads();
#else
    for (int y = 0; y < rows; ++y) { _Pragma("omp simd") for (int x = 0; x < cols; ++x) f(y, x); }
#endif
  }
};

}  // namespace aug
