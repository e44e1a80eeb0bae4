// cuda_shim.h: runs CUDA C++ kernels on the CPU, for tests.  g++ -x c++ -include cuda_shim.h k.cu
//
// One fiber per CUDA thread. A block's threads take turns on one OS thread and change over only
// at barriers and warp exchanges; blocks run one after another. What a launch finds:
//   - a missing __syncthreads: the result depends on the order of the threads, which the caller
//     chooses (forward, backward, shuffled), and shared memory starts as NaN in every block;
//   - threads of a block at different barriers, or gone while others wait: an error text;
//   - writes past the end of shared memory: a guard behind it;
//   - accesses outside of any allocation: ASan, when compiled with -fsanitize=address.
// Not found: races between blocks, misaligned vector loads, limits on registers.
#pragma once
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>
#if !defined(__x86_64__)
#include <ucontext.h>
#endif
#ifdef __SANITIZE_ADDRESS__
extern "C" void __sanitizer_start_switch_fiber(void** save, const void* bottom, size_t size);
extern "C" void __sanitizer_finish_switch_fiber(void* save, const void** bottom, size_t* size);
#endif

#define GPUAUG_EMULATE 1
#define __global__
#define __device__
#define __host__
#define __forceinline__ inline __attribute__((always_inline))
#define __restrict__ __restrict
#define __launch_bounds__(...)
#define __constant__ static
// one section, so that it can be poisoned before each block
#define __shared__ static __attribute__((section("emu_shared"), used))
// `extern __shared__ T name[]` has no equivalent: kernels write GPUAUG_SHARED(T, name)
#define GPUAUG_SHARED(T, name) T* name = (T*)emu::block.shared

struct dim3 {
  unsigned x = 1, y = 1, z = 1;
};

extern "C" char __start_emu_shared[] __attribute__((weak, visibility("hidden")));
extern "C" char __stop_emu_shared[] __attribute__((weak, visibility("hidden")));

namespace emu {
struct Block {
  dim3 grid, dim, idx;
  char* shared;
};
inline Block block;
inline int size() { return block.dim.x * block.dim.y * block.dim.z; }

#if defined(__x86_64__)
// saves the callee-saved registers on the stack, changes stacks
extern "C" void emu_switch(void** from, void* to);
asm(".text\n.globl emu_switch\n.hidden emu_switch\n.type emu_switch, @function\nemu_switch:\n"
    "push %rbp\npush %rbx\npush %r12\npush %r13\npush %r14\npush %r15\n"
    "mov %rsp, (%rdi)\nmov %rsi, %rsp\n"
    "pop %r15\npop %r14\npop %r13\npop %r12\npop %rbx\npop %rbp\nret\n");
struct Context {
  void* sp;
};
inline void change(Context& from, Context& to) { emu_switch(&from.sp, to.sp); }
inline void make(Context& c, char* stack, size_t n, void (*entry)()) {
  void** sp = (void**)((uintptr_t)(stack + n) & ~(uintptr_t)15);
  *--sp = nullptr;  // keeps the stack aligned at entry
  *--sp = (void*)entry;
  c.sp = sp - 6;
}
#else
typedef ucontext_t Context;
inline void change(Context& from, Context& to) { swapcontext(&from, &to); }
inline void make(Context& c, char* stack, size_t n, void (*entry)()) {
  getcontext(&c);
  c.uc_stack.ss_sp = stack;
  c.uc_stack.ss_size = n;
  c.uc_link = nullptr;
  makecontext(&c, entry, 0);
}
#endif

enum State { READY, BARRIER, WARP, DONE };
struct Fiber {
  Context ctx;
  dim3 tid;
  State state;
  const void* site;
};
constexpr size_t STACK = 64 << 10, GUARD = 256;
struct Pool {
  std::vector<Fiber> fiber;
  std::unique_ptr<char[]> stacks;
  Context main;
  int current = 0;
  void (*call)(void*);
  void* arg;
  const void* main_bottom = nullptr;
  size_t main_size = 0;
};
inline Pool pool;
inline int rank() { return pool.current; }

inline void enter(int t) {  // the scheduler runs fiber t until it waits
  pool.current = t;
#ifdef __SANITIZE_ADDRESS__
  void* save;
  __sanitizer_start_switch_fiber(&save, pool.stacks.get() + t * STACK, STACK);
#endif
  change(pool.main, pool.fiber[t].ctx);
#ifdef __SANITIZE_ADDRESS__
  __sanitizer_finish_switch_fiber(save, nullptr, nullptr);
#endif
}
inline void wait(State s, const void* site) {  // a fiber goes back to the scheduler
  Fiber& f = pool.fiber[pool.current];
  f.state = s;
  f.site = site;
#ifdef __SANITIZE_ADDRESS__
  void* save = nullptr;
  __sanitizer_start_switch_fiber(s == DONE ? nullptr : &save, pool.main_bottom, pool.main_size);
#endif
  change(f.ctx, pool.main);
#ifdef __SANITIZE_ADDRESS__
  __sanitizer_finish_switch_fiber(save, &pool.main_bottom, &pool.main_size);
#endif
}
inline void warp_sync() { wait(WARP, nullptr); }
inline void entry() {
#ifdef __SANITIZE_ADDRESS__
  __sanitizer_finish_switch_fiber(nullptr, &pool.main_bottom, &pool.main_size);
#endif
  pool.call(pool.arg);
  wait(DONE, nullptr);
}

// The order in which a block's threads run between two barriers.
enum Order { FORWARD = 0, BACKWARD = 1 };  // any other number: shuffled, with it as the seed
inline void arrange(std::vector<int>& turn, unsigned order, uint64_t& state) {
  const int n = (int)turn.size();
  for (int i = 0; i < n; ++i) turn[i] = order == BACKWARD ? n - 1 - i : i;
  if (order == FORWARD || order == BACKWARD) return;
  for (int i = n - 1; i > 0; --i) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    std::swap(turn[i], turn[(state >> 33) % (i + 1)]);
  }
}

inline const char* run_block(unsigned order, uint64_t& state, std::vector<int>& turn) {
  const int n = size();
  for (int t = 0; t < n; ++t) {
    Fiber& f = pool.fiber[t];
    f.tid = {t % block.dim.x, t / block.dim.x % block.dim.y, t / (block.dim.x * block.dim.y)};
    f.state = READY;
    make(f.ctx, pool.stacks.get() + t * STACK, STACK, entry);
  }
  for (;;) {
    arrange(turn, order, state);
    for (int t : turn)
      if (pool.fiber[t].state == READY) enter(t);
    int done = 0, at = 0;
    const void* site = nullptr;
    for (auto& f : pool.fiber) {
      done += f.state == DONE;
      if (f.state != BARRIER) continue;
      if (at++ && f.site != site) return "threads wait at different __syncthreads";
      site = f.site;
    }
    if (done == n) return nullptr;
    bool warp = false;
    for (int w = 0; w < n; w += 32) {  // a warp goes on when its live threads all wait for it
      bool all = true, any = false;
      const int end = w + 32 < n ? w + 32 : n;
      for (int t = w; t < end; ++t) {
        any |= pool.fiber[t].state == WARP;
        all &= pool.fiber[t].state == WARP || pool.fiber[t].state == DONE;
      }
      if (any && !all) return "part of a warp is at a warp exchange";
      for (int t = w; t < end; ++t)
        if (pool.fiber[t].state == WARP) {
          pool.fiber[t].state = READY;
          warp = true;
        }
    }
    if (warp) continue;  // those at the barrier go on waiting
    if (done) return "some threads left the kernel while others wait at __syncthreads";
    for (auto& f : pool.fiber) f.state = READY;
  }
}

template <class F> const char* run_grid(F body, unsigned shared, unsigned order) {
  static char text[256];
  const int n = size();
  if (n < 1 || n > 1024) return "more than 1024 threads in a block, or none";
  if (block.grid.y > 65535 || block.grid.z > 65535) return "grid.y and grid.z end at 65535";
  pool.fiber.resize(n);
  pool.stacks.reset(new char[n * STACK]);
  pool.call = [](void* p) { (*(F*)p)(); };
  pool.arg = &body;
  std::vector<int> turn(n);
  uint64_t state = order;
#ifdef __SANITIZE_ADDRESS__
  const size_t guard = 0;  // ASan has its own
#else
  const size_t guard = GUARD;
#endif
  std::unique_ptr<char[]> memory(new char[shared + guard]);
  block.shared = memory.get();
  for (unsigned z = 0; z < block.grid.z; ++z)
    for (unsigned y = 0; y < block.grid.y; ++y)
      for (unsigned x = 0; x < block.grid.x; ++x) {
        block.idx = {x, y, z};
        memset(memory.get(), 0xff, shared + guard);  // 0xffffffff is a NaN, and -1
        if (__start_emu_shared) memset(__start_emu_shared, 0xff, __stop_emu_shared - __start_emu_shared);
        const char* why = run_block(order, state, turn);
        for (size_t i = 0; i < guard && !why; ++i)
          if (memory[shared + i] != (char)0xff) why = "a write past the end of shared memory";
        if (!why) continue;
        snprintf(text, sizeof text, "%s, in block (%u, %u, %u)", why, x, y, z);
        return text;
      }
  return nullptr;
}

inline uint64_t exchange_slot[1024];
template <class T> T exchange(T v, int lane) {  // lane's value; warp-wide
  memcpy(&exchange_slot[rank()], &v, sizeof v);
  warp_sync();
  T r;
  memcpy(&r, &exchange_slot[rank() / 32 * 32 + lane], sizeof r);
  warp_sync();
  return r;
}

template <class... A, size_t... I> void call(void (*k)(A...), void** a, std::index_sequence<I...>) {
  k(*(std::remove_reference_t<A>*)a[I]...);
}
template <class... A> int sizes(void (*)(A...), int* out, int room) {
  const int size[] = {(int)sizeof(A)..., 0};
  for (int i = 0; i < (int)sizeof...(A) && i < room; ++i) out[i] = size[i];
  return (int)sizeof...(A);
}
template <class... A>
const char* launch(void (*k)(A...), const unsigned* grid, const unsigned* dim, unsigned shared, void** args, unsigned order) {
  block.grid = {grid[0], grid[1], grid[2]};
  block.dim = {dim[0], dim[1], dim[2]};
  return run_grid([&] { call(k, args, std::index_sequence_for<A...>()); }, shared, order);
}
}  // namespace emu

// the signature of cuLaunchKernel, less the stream; returns what went wrong, or null
#define EMU_EXPORT(k)                                                                                                        \
  extern "C" __attribute__((visibility("default"))) const char* emu_launch(const unsigned* g, const unsigned* b, unsigned s, \
                                                                           void** a, unsigned order) {                       \
    return emu::launch(k, g, b, s, a, order);                                                                                \
  }                                                                                                                          \
  extern "C" __attribute__((visibility("default"))) int emu_sizes(int* out, int room) { return emu::sizes(k, out, room); }

#define threadIdx (emu::pool.fiber[emu::pool.current].tid)
#define blockIdx (emu::block.idx)
#define blockDim (emu::block.dim)
#define gridDim (emu::block.grid)
#define warpSize 32

// the return address is the barrier's place in the kernel, after inlining
inline __attribute__((noinline)) void __syncthreads() { emu::wait(emu::BARRIER, __builtin_return_address(0)); }
inline void __syncwarp(unsigned = ~0u) { emu::warp_sync(); }
template <class T> T __shfl_sync(unsigned, T v, int lane) { return emu::exchange(v, lane & 31); }
template <class T> T __shfl_xor_sync(unsigned, T v, int m) { return emu::exchange(v, (emu::rank() & 31) ^ m); }
template <class T> T __shfl_down_sync(unsigned, T v, int d) {
  const int lane = (emu::rank() & 31) + d;
  return emu::exchange(v, lane < 32 ? lane : lane - d);
}
template <class T> T __shfl_up_sync(unsigned, T v, int d) {
  const int lane = (emu::rank() & 31) - d;
  return emu::exchange(v, lane < 0 ? lane + d : lane);
}
inline unsigned __ballot_sync(unsigned, int p) {
  unsigned r = 0;
  emu::exchange_slot[emu::rank()] = p != 0;
  emu::warp_sync();
  for (int i = 0; i < 32; ++i) r |= (unsigned)emu::exchange_slot[emu::rank() / 32 * 32 + i] << i;
  emu::warp_sync();
  return r;
}
inline int __any_sync(unsigned m, int p) { return __ballot_sync(m, p) != 0; }
inline int __all_sync(unsigned m, int p) { return __ballot_sync(m, !p) == 0; }
// blocks and fibers never overlap: plain reads and writes are atomic
template <class T, class V> T atomicAdd(T* p, V v) {
  T o = *p;
  *p = o + (T)v;
  return o;
}
template <class T, class V> T atomicMax(T* p, V v) {
  T o = *p;
  if ((T)v > o) *p = (T)v;
  return o;
}
template <class T, class V> T atomicMin(T* p, V v) {
  T o = *p;
  if ((T)v < o) *p = (T)v;
  return o;
}
template <class T> T atomicCAS(T* p, T expected, T v) {
  T o = *p;
  if (o == expected) *p = v;
  return o;
}
inline void __threadfence() {}
inline void __threadfence_block() {}

template <class T> T __ldg(const T* p) { return *p; }
struct uint4 {
  unsigned x, y, z, w;
};
struct alignas(16) float4 {
  float x, y, z, w;
};
inline unsigned __funnelshift_r(unsigned low, unsigned high, unsigned by) {
  return (unsigned)(((uint64_t)high << 32 | low) >> (by & 31));
}
// sums of numbers whose exponents are near enough for a double to hold them, rounded towards zero or down
inline float emu_rounded(double exact, bool down) {
  const float r = (float)exact;
  const bool above = down ? (double)r > exact : std::fabs((double)r) > std::fabs(exact);
  return above ? std::nextafter(r, down ? -INFINITY : 0.0f) : r;
}
inline float __fadd_rz(float a, float b) { return emu_rounded((double)a + (double)b, false); }
inline float __fadd_rd(float a, float b) { return emu_rounded((double)a + (double)b, true); }
inline float __fmaf_rz(float a, float b, float c) { return emu_rounded((double)a * (double)b + (double)c, false); }
inline float __fmaf_rd(float a, float b, float c) { return emu_rounded((double)a * (double)b + (double)c, true); }
inline unsigned __byte_perm(unsigned a, unsigned b, unsigned selector) {
  const uint64_t pool = (uint64_t)b << 32 | a;
  unsigned r = 0;
  for (int i = 0; i < 4; ++i) r |= (unsigned)(pool >> 8 * (selector >> 4 * i & 7) & 255) << 8 * i;
  return r;
}
inline unsigned __dp4a(unsigned a, unsigned b, unsigned sum) {
  for (int i = 0; i < 32; i += 8) sum += (a >> i & 255) * (b >> i & 255);
  return sum;
}
inline unsigned __vminu2(unsigned a, unsigned b) {  // of two halves each
  const unsigned low = (a & 0xffff) < (b & 0xffff) ? a : b, high = a >> 16 < b >> 16 ? a : b;
  return (high & 0xffff0000u) | (low & 0xffff);
}
inline unsigned __vmaxu2(unsigned a, unsigned b) {
  const unsigned low = (a & 0xffff) < (b & 0xffff) ? b : a, high = a >> 16 < b >> 16 ? b : a;
  return (high & 0xffff0000u) | (low & 0xffff);
}
inline unsigned __float_as_uint(float f) {
  unsigned u;
  memcpy(&u, &f, 4);
  return u;
}
inline long long __double_as_longlong(double d) {
  long long l;
  std::memcpy(&l, &d, sizeof l);
  return l;
}
inline double __longlong_as_double(long long l) {
  double d;
  memcpy(&d, &l, 8);
  return d;
}
inline float __uint_as_float(unsigned u) {
  float f;
  memcpy(&f, &u, 4);
  return f;
}
inline int __float_as_int(float f) {
  int i;
  memcpy(&i, &f, 4);
  return i;
}
inline float __int_as_float(int i) {
  float f;
  memcpy(&f, &i, 4);
  return f;
}
inline int __mulhi(int a, int b) { return (int)(((int64_t)a * b) >> 32); }
inline unsigned __umulhi(unsigned a, unsigned b) { return (unsigned)(((uint64_t)a * b) >> 32); }
inline int __popc(unsigned v) { return __builtin_popcount(v); }
inline int __clz(int v) { return v ? __builtin_clz((unsigned)v) : 32; }
template <class T> T min(T a, T b) { return b < a ? b : a; }
template <class T> T max(T a, T b) { return a < b ? b : a; }
