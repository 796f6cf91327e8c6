// The CPU backend: threads and memory for the operations of the best instruction set.
#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <string_view>
#include <utility>

#include <gallop/host/error.h>
#include <gallop/host/runtime/aligned_memory.h>
#include <gallop/host/runtime/backend.h>
#include <gallop/host/runtime/machine_memory.h>
#include <gallop/host/runtime/processor.h>
#include <gallop/host/runtime/refusal.h>
#include <gallop/host/runtime/scratch.h>
#include <gallop/host/runtime/stop.h>
#include <gallop/host/runtime/thread_pool.h>
#include <gallop/kernels/tables/kernel_table.h>

namespace gallop {
namespace {

constexpr int kMostThreads = 4096;
constexpr std::size_t kLargeRequest = std::size_t(1) << 28;  // worth asking what memory there is
constexpr double kLook = 0.05;      // seconds of work between two looks whether to stop
constexpr double kFewestSteps = 8;  // of a part of a rollout

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

// Steps [first, first + count) of a rollout, as a rollout.
RolloutRequest steps_of(const RolloutRequest& whole, int first, int count) {
  RolloutRequest part = whole;
  const EnvironmentSpec& spec = *whole.environment->spec;
  const Sizes& sizes = whole.batch.shared.sizes;
  const long observations = spec.observation_kind == SpaceKind::kDiscrete ? 1 : sizes.observation;
  const long actions = spec.action_kind == SpaceKind::kDiscrete ? 1 : sizes.action;
  part.time += std::uint32_t(first);
  part.out = steps_of(whole.out, first, count, observations, actions, spec.n_state);
  return part;
}

// Seconds that each operation took lately for each instance, sample or element, and step: what
// takes little time is not looked at.
struct Paces {
#define GALLOP_PACE(name, Request) double name = 1;
  GALLOP_OPERATIONS(GALLOP_PACE)
  GALLOP_ENVIRONMENT_OPERATIONS(GALLOP_PACE)
#undef GALLOP_PACE
};

class CpuBackend : public Backend, public Stoppable {
 public:
  explicit CpuBackend(int n_threads)
      : pool_(n_threads > 0 ? n_threads : available_processors()),
        isa_(processor_isa()),
        kernels_(cpu_kernels(isa_)),
        work_{pool_.size(), this, &run_blocks, &scratch_floats} {}

  std::string name() const override { return "cpu"; }

  void* allocate(std::size_t bytes) override {
    // All of it is written, and the system may end a process for memory that it had granted.
    const bool is_there = bytes < kLargeRequest || bytes <= machine_memory();
    void* memory = is_there ? allocate_aligned(bytes) : nullptr;
    if (memory == nullptr) {
      throw value_error("out of memory: " + std::to_string(bytes) +
                        " bytes asked for; fewer instances (n_envs, episodes), shorter rollouts "
                        "(n_steps) or a smaller network take less");
    }
    std::memset(memory, 0, (bytes + 63) / 64 * 64);
    return memory;
  }
  void release(void* memory) noexcept override { std::free(memory); }
  std::uint64_t available_memory() const override { return machine_memory(); }
  void clear(void* memory, std::size_t bytes) override { std::memset(memory, 0, bytes); }
  void copy_bytes(void* to, const void* from, std::size_t bytes) override {
    std::memcpy(to, from, bytes);
  }
  void to_device(void* to, const void* from, std::size_t bytes) override {
    std::memcpy(to, from, bytes);
  }
  void to_host(void* to, const void* from, std::size_t bytes) override {
    std::memcpy(to, from, bytes);
  }
  void* result_memory(std::size_t bytes) override {
    return results_.floats(long((bytes + sizeof(float) - 1) / sizeof(float)));
  }

#define GALLOP_METHOD(name, Request)                                           \
  void name(const Request& r) override {                                       \
    operate(r, kernels_.name, is_left_on_request<Request>(#name), pace_.name); \
  }
  GALLOP_OPERATIONS(GALLOP_METHOD)
#undef GALLOP_METHOD
#define GALLOP_METHOD(name, Request) \
  void name(const Request&) override { refuse(#name); }
  GALLOP_DEVICE_OPERATIONS(GALLOP_METHOD)
#undef GALLOP_METHOD
#define GALLOP_METHOD(name, Request)                                          \
  void name(const EnvironmentEntry& entry, const Request& request) override { \
    Request r = request;                                                      \
    r.environment = &environment_table(entry, isa_);                          \
    operate(r, kernels_.name, true, pace_.name);                              \
  }
  GALLOP_ENVIRONMENT_OPERATIONS(GALLOP_METHOD)
#undef GALLOP_METHOD

  void policy_step(const PolicyStepRequest& r) override {
    policy_gradient(r.gradient);
    optimizer_step(r.step);
  }
  void value_step(const ValueStepRequest& r) override {
    value_gradient(r.gradient);
    optimizer_step(r.step);
  }

  bool has_fast_rollout(const EnvironmentEntry&, const RolloutRequest&) const override {
    return false;
  }
  std::string matrix_library(std::string&) override { return ""; }
  void multiply(const MatrixProduct&) override { refuse("multiply"); }

  void run(const std::function<void()>& operations, std::unique_ptr<Recording>&) override {
    operations();
  }
  void both(const std::function<void()>& first, const std::function<void()>& second) override {
    first();
    second();
  }
  double seconds(const std::function<void()>& operations) override {
    const Clock::time_point start = Clock::now();
    operations();
    return seconds_since(start);
  }

  std::function<bool()> stop_when(std::function<bool()> requested) override {
    return std::exchange(requested_, std::move(requested));
  }

 private:
  template <class Request>
  void operate(const Request& r, void (*operation)(const Request&, const CpuWork&), bool is_long,
               double& pace, long steps = 1) {
    require_valid(r);
    watched_ = is_long && requested_ ? &pace : nullptr;
    watched_steps_ = steps;
    operation(r, work_);
    if (std::exchange(watched_, nullptr) != nullptr) leave_if(requested_);
  }
  // A rollout that takes long is made in parts of some steps: the same bits.
  void operate(const RolloutRequest& r, void (*operation)(const RolloutRequest&, const CpuWork&),
               bool is_long, double& pace) {
    const int all = r.out.n_steps;
    for (int first = 0; first < all;) {
      const double expected = pace * r.out.n_envs;  // seconds a step
      const int fitting = int(std::min(double(all), std::max(kFewestSteps, kLook / expected)));
      const int count = requested_ ? std::min(fitting, all - first) : all;
      operate<RolloutRequest>(steps_of(r, first, count), operation, is_long, pace, count);
      first += count;
    }
  }

  [[noreturn]] static void refuse(const char* operation) {
    throw internal_error(std::string(operation) + " is an operation of devices, not of the CPU");
  }

  // Two blocks a thread, at fixed bounds; what threads share depends on sizes alone.
  static void run_blocks(void* owner, long n, long grain,
                         void (*body)(const void*, int, long, long), const void* context) {
    CpuBackend& backend = *static_cast<CpuBackend*>(owner);
    const long blocks = 2L * backend.pool_.size();
    const long block = ((n + blocks - 1) / blocks + grain - 1) / grain * grain;
    const double units = double(n) * double(backend.watched_steps_);
    const bool looks = backend.watched_ != nullptr && *backend.watched_ * units > kLook;
    const Clock::time_point start = Clock::now();
    if (!looks) {
      backend.pool_.run(
          n, block, [=](int thread, long begin, long end) { body(context, thread, begin, end); });
    } else {
      backend.run_pieces(n, block, grain, body, context);
    }
    if (backend.watched_ != nullptr && n > 0) *backend.watched_ = seconds_since(start) / units;
  }
  // Blocks in pieces, larger ones while they take little time; between them it looks.
  void run_pieces(long n, long block, long grain, void (*body)(const void*, int, long, long),
                  const void* context) {
    pool_.run(n, block, [&](int thread, long begin, long end) {
      for (long piece = grain; begin < end && !requested_();) {
        const Clock::time_point start = Clock::now();
        const long next = std::min(begin + piece, end);
        body(context, thread, begin, next);
        begin = next;
        if (seconds_since(start) < kLook) piece *= 2;
      }
    });
  }
  static float* scratch_floats(void* owner, long count) {
    return static_cast<CpuBackend*>(owner)->scratch_.floats(count);
  }

  ThreadPool pool_;
  Isa isa_;
  const CpuKernels& kernels_;
  CpuWork work_;
  Scratch scratch_, results_;
  std::function<bool()> requested_;
  Paces pace_;
  double* watched_ = nullptr;  // pace of the operation that runs, where it may be left
  long watched_steps_ = 1;     // that it takes with each of what it is split over
};

}  // namespace

std::unique_ptr<Backend> make_cpu_backend(int n_threads) {
  if (n_threads < 0 || n_threads > kMostThreads) {
    throw value_error("threads is " + std::to_string(n_threads) + "; expected 0, for all that " +
                      "the process may use, to " + std::to_string(kMostThreads));
  }
  return std::make_unique<CpuBackend>(n_threads);
}

}  // namespace gallop
