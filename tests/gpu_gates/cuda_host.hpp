// CUDA's model of blocks on the host: a block is as many threads as it has on a card, blocks run one after another.
// Enough of CUDA for the kernels in backends/cupy_kernels, and no more.
//
// Without THREADS, the threads of a block take turns on one: fast, always in the same order, and a barrier that not all
// of them reach is found. With THREADS each is a thread of the system, for ThreadSanitizer to watch.
#pragma once
#include <cmath>
#include <cstdio>
#include <cstring>
#include <deque>
#include <functional>
#include <vector>
#ifdef THREADS
#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>
#define PER_THREAD thread_local
#else
#include <csetjmp>
#include <ucontext.h>
#define PER_THREAD
#endif

using std::copysign, std::erf, std::erfc, std::exp, std::fabs, std::floor, std::fmod, std::log, std::log1p, std::sqrt,
    std::tanh;

template <class V>
V cospi(V x) {
  return std::cos(V(3.14159265358979323846L) * x);
}
template <class V>
V sinpi(V x) {
  return std::sin(V(3.14159265358979323846L) * x);
}

#define __device__ static
// All shared memory lies in one section, so that it can be filled with nan before each block: a card clears nothing.
#define __shared__ static __attribute__((section("shared_memory")))
extern "C" {
extern char __start_shared_memory[] __attribute__((weak, visibility("hidden")));
extern char __stop_shared_memory[] __attribute__((weak, visibility("hidden")));
}

struct Index {
  unsigned x, y;
};
static PER_THREAD Index threadIdx, blockIdx;
static Index blockDim, gridDim;

namespace host {
static PER_THREAD unsigned number;  // of this thread in its block

#ifdef THREADS

// A barrier of our own: std::barrier's waiting threads meet in a table that all barriers share, and what two threads do
// around that meeting looks ordered to ThreadSanitizer.
struct Barrier {
  explicit Barrier(unsigned count) : expected(count) {}
  void wait(int) {
    std::unique_lock lock(mutex);
    const unsigned seen = generation;
    ++arrived;
    open();
    opened.wait(lock, [&] { return generation != seen; });
  }
  void leave() {
    std::unique_lock lock(mutex);
    --expected;
    open();
  }
  void open() {
    if (arrived == 0 || arrived < expected) return;
    arrived = 0;
    ++generation;
    opened.notify_all();
  }
  std::mutex mutex;
  std::condition_variable opened;
  unsigned expected, arrived = 0, generation = 0;
};

#else

struct Fiber {
  ucontext_t start;
  jmp_buf here;
  bool begun, done;
  std::vector<char> stack = std::vector<char>(64 * 1024);
};
static std::deque<Fiber> fibers;
static jmp_buf scheduler;
static unsigned long progress;  // grows with every barrier that opens and every thread that ends
static bool apart;              // whether threads met at one barrier coming from different lines

struct Barrier {
  explicit Barrier(unsigned count) : expected(count) {}
  void wait(int line) {
    const unsigned seen = generation;
    if (arrived && line != place) apart = true;
    place = line;
    ++arrived;
    open();
    while (generation == seen)
      if (!_setjmp(fibers[number].here)) _longjmp(scheduler, 1);
  }
  void leave() {
    --expected;
    open();
  }
  void open() {
    if (arrived == 0 || arrived < expected) return;
    arrived = 0;
    ++generation;
    ++progress;
  }
  unsigned expected, arrived = 0, generation = 0;
  int place = 0;
};

#endif

struct Warp {
  explicit Warp(unsigned size) : together(size) {}
  Barrier together;
  double lanes[32];
};
static std::deque<Barrier> block_together;
static std::deque<Warp> warps;

static void prepare(unsigned threads) {
  if (__start_shared_memory) std::memset(__start_shared_memory, 0xff, __stop_shared_memory - __start_shared_memory);
  block_together.clear();
  block_together.emplace_back(threads);
  warps.clear();
  for (unsigned first = 0; first < threads; first += 32) warps.emplace_back(threads - first < 32 ? threads - first : 32);
}

// A thread that has returned is not waited for, as on a card.
static void leave() {
  block_together[0].leave();
  warps[number / 32].together.leave();
}

#ifdef THREADS

static bool launch(Index grid, Index block, const std::function<void()>& kernel) {
  gridDim = grid, blockDim = block;
  const unsigned threads = block.x * block.y;
  Barrier begin(threads), end(threads);  // two, so that ending early does not look like coming before those who begin
  auto run = [&](unsigned t) {
    number = t;
    threadIdx = {t % block.x, t / block.x};
    for (unsigned i = 0; i < grid.x * grid.y; ++i) {
      if (t == 0) prepare(threads);
      begin.wait(0);
      blockIdx = {i % grid.x, i / grid.x};
      kernel();
      leave();
      end.wait(0);
    }
  };
  std::vector<std::thread> all;
  for (unsigned t = 0; t < threads; ++t) all.emplace_back(run, t);
  for (auto& thread : all) thread.join();
  return true;
}

#else

static const std::function<void()>* running;

static void live() {
  (*running)();
  leave();
  fibers[number].done = true;
  ++progress;
  _longjmp(scheduler, 1);
}

// False where the threads of a block wait for each other for ever, or at different places.
static bool run_block(unsigned threads, Index block) {
  prepare(threads);
  apart = false;
  for (unsigned t = 0; t < threads; ++t) {
    Fiber& f = fibers[t];
    f.begun = f.done = false;
    getcontext(&f.start);
    f.start.uc_stack.ss_sp = f.stack.data();
    f.start.uc_stack.ss_size = f.stack.size();
    makecontext(&f.start, live, 0);
  }
  for (static unsigned long seen; seen = progress, true;) {
    static bool left;
    left = false;
    for (number = 0; number < threads; ++number) {
      Fiber& f = fibers[number];
      if (f.done) continue;
      left = true;
      threadIdx = {number % block.x, number / block.x};
      if (_setjmp(scheduler)) continue;
      if (f.begun) _longjmp(f.here, 1);
      f.begun = true;
      setcontext(&f.start);
    }
    if (!left) return !apart;
    if (seen == progress) return false;
  }
}

static bool launch(Index grid, Index block, const std::function<void()>& kernel) {
  gridDim = grid, blockDim = block, running = &kernel;
  const unsigned threads = block.x * block.y;
  while (fibers.size() < threads) fibers.emplace_back();
  for (unsigned i = 0; i < grid.x * grid.y; ++i) {
    blockIdx = {i % grid.x, i / grid.x};
    if (!run_block(threads, block)) return false;
  }
  return true;
}

#endif
}  // namespace host

#define __syncthreads() host::block_together[0].wait(__LINE__)
#define __shfl_xor_sync(lanes, value, mask) host::exchange(value, mask, __LINE__)

namespace host {
template <class V>
V exchange(V value, int mask, int line) {
  Warp& warp = warps[number / 32];
  std::memcpy(&warp.lanes[number % 32], &value, sizeof value);
  warp.together.wait(line);
  std::memcpy(&value, &warp.lanes[number % 32 ^ mask], sizeof value);
  warp.together.wait(line);
  return value;
}
}  // namespace host

static unsigned long long atomicCAS(unsigned long long* at, unsigned long long expected, unsigned long long value) {
#ifdef THREADS
  std::atomic_ref<unsigned long long>(*at).compare_exchange_strong(expected, value);
  return expected;
#else
  const unsigned long long found = *at;
  if (found == expected) *at = value;
  return found;
#endif
}
