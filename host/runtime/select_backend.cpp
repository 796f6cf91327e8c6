#include <fmt/format.h>

#include <charconv>
#include <system_error>

#include <gallop/host/error.h>
#include <gallop/host/options/nearest.h>
#include <gallop/host/registry/generated.h>
#include <gallop/host/runtime/backend.h>
#include <gallop/host/runtime/processor.h>

namespace gallop {
namespace {

// Of "cuda:1".
int device_number(const std::string& device) {
  const std::string start = "cuda:";
  const bool named = device.compare(0, start.size(), start) == 0;
  const std::string number = named ? device.substr(start.size()) : "";
  int index = 0;
  const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), index);
  if (error != std::errc() || end != number.data() + number.size() || index < 0) {
    throw value_error(
        fmt::format("device is '{}'; expected auto, cpu, cuda or cuda:N for the device of number N",
                    device.substr(0, 80)));
  }
  return index;
}

// As many threads as were asked for, or, where nobody did, as the system gives.
std::unique_ptr<Backend> cpu_backend(int threads,
                                     const std::function<void(const std::string&)>& note) {
  const int available = available_processors();
  const auto say = [&](const std::string& text) {
    if (note) note(text);
  };
  if (threads > 2 * available) {
    say(
        fmt::format("warning: {} threads on {} processors take turns, which takes longer than with "
                    "as many threads as processors (--threads {})",
                    threads, available, available));
  }
  if (threads != 0) return make_cpu_backend(threads);
  for (int fewer = available;; fewer = (fewer + 1) / 2) {
    try {
      std::unique_ptr<Backend> backend = make_cpu_backend(fewer);
      if (fewer < available) say(fmt::format("warning: going on with {} threads", fewer));
      return backend;
    } catch (const Error& error) {
      if (error.code() != ExitCode::io || fewer == 1) throw;
      say(std::string("warning: ") + error.what());
    }
  }
}

}  // namespace

std::unique_ptr<Backend> make_backend(const std::string& named, int threads,
                                      const std::function<void(const std::string&)>& note) {
  const std::string device = folded_name(named);
  if (device == "cpu") return cpu_backend(threads, note);
  const int index = device == "cuda" || device == "auto" ? -1 : device_number(device);
  std::string reason = "this build has no CUDA; build with GALLOP_CUDA=1";
  std::unique_ptr<Backend> cuda = make_cuda_backend(index, reason, note);
  if (cuda != nullptr) return cuda;
  if (device != "auto") throw Error(ExitCode::cuda, "CUDA was asked for, but " + reason);
  if (kBuildInfo.has_cuda && note) note("no CUDA device (" + reason + "); computing on the CPU");
  return cpu_backend(threads, note);
}

}  // namespace gallop
