// Pictures of instances as they stand.
#include <fmt/format.h>

#include <algorithm>

#include <gallop/host/c_api/batch.h>
#include <gallop/host/rendering/canvas.h>
#include <gallop/host/rendering/drawing.h>

namespace gallop::c_api {
namespace {

constexpr int kSmallest = 16, kLargest = 4096;  // pixels

// An episode that is this instance's state alone.
Episode still(const gallop_batch& b, int instance) {
  const Environments& e = b.environments;
  const EnvironmentSpec& spec = e.spec();
  Episode episode;
  episode.environment = &e.entry();
  for (int k = 0; k < spec.n_parameters; k++) {
    episode.parameters.push_back(
        double(e.parameter_values(spec.parameters[k].name)[std::size_t(instance)]));
  }
  episode.sizes = {e.observation_size(), e.action_size()};
  std::vector<float> state(std::size_t(spec.n_state));
  for (std::size_t k = 0; k < state.size(); k++) {
    b.device->backend->to_host(&state[k], e.state() + long(k) * e.stride() + instance,
                               sizeof(float));
  }
  episode.states.push_back(std::move(state));
  return episode;
}

}  // namespace
}  // namespace gallop::c_api

using namespace gallop;
using namespace gallop::c_api;

extern "C" {

int gallop_batch_draw(const gallop_batch* batch, int32_t instance, int32_t width, int32_t height,
                      uint8_t* pixels, size_t n) {
  return guard([&] {
    require_pointer(batch, "batch");
    require_pointer(pixels, "pixels");
    for (const int32_t size : {width, height}) {
      if (size >= kSmallest && size <= kLargest) continue;
      throw value_error(fmt::format("a picture of {} x {} pixels; expected {} to {} each way",
                                    width, height, kSmallest, kLargest));
    }
    require_count(n, std::size_t(width) * std::size_t(height) * 3, "pixels [height, width, 3]");
    const Use use(*batch->device);
    const Environments& e = batch->environments;
    if (instance < 0 || instance >= e.n_envs()) {
      throw value_error(
          fmt::format("the instance is {}; expected 0 to {}", instance, e.n_envs() - 1));
    }
    if (!e.has_begun()) throw value_error("a picture before the first reset; reset the batch");
    const Episode episode = still(*batch, instance);
    Canvas canvas(width, height);
    canvas.draw(project(drawing_of(episode).scene(0), width, height));
    const auto painted = canvas.pixels();
    std::copy(painted.begin(), painted.end(), pixels);
  });
}

}  // extern "C"
