#include <fmt/format.h>

#include "host/error.h"
#include "host/registry/generated.h"
#include "host/runtime/backend.h"

namespace gallop {

std::unique_ptr<Backend> make_backend(const std::string& device, int threads,
                                      const std::function<void(const std::string&)>& note) {
  if (device == "cpu") return make_cpu_backend(threads);
  if (device != "cuda" && device != "auto") {
    throw value_error(fmt::format("device is '{}'; expected auto, cpu or cuda", device));
  }
  std::string reason = "this build has no CUDA; build with GALLOP_CUDA=1";
  std::unique_ptr<Backend> cuda = make_cuda_backend(reason, note);
  if (cuda != nullptr) return cuda;
  if (device == "cuda") throw Error(ExitCode::cuda, "CUDA was asked for, but " + reason);
  if (kBuildInfo.has_cuda && note) note("no CUDA device (" + reason + "); computing on the CPU");
  return make_cpu_backend(threads);
}

}  // namespace gallop
