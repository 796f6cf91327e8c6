// Black-box optimizers.
#include <fmt/format.h>

#include <vector>

#include <gallop/host/c_api/handles.h>
#include <gallop/host/c_api/options.h>
#include <gallop/host/learning/black_box.h>
#include <gallop/host/registry/registry.h>

struct gallop_optimizer {
  std::shared_ptr<gallop::c_api::Device> device;
  const gallop::OptimizerDescriptor* descriptor;
  gallop::Options options;  // which the optimizer keeps a reference to
  std::unique_ptr<gallop::BlackBoxOptimizer> optimizer;
  gallop::Candidates candidates;
  std::string stop_reason;
};

namespace gallop::c_api {
namespace {

constexpr const char* kDefaultOptimizer = "cma_es";
constexpr std::size_t kMostDimensions = std::size_t(1) << 24;

std::unique_ptr<gallop_optimizer> made(gallop_backend& backend, const char* method,
                                       std::vector<double> initial, std::uint64_t seed,
                                       const std::vector<std::string>& assignments) {
  auto made = std::make_unique<gallop_optimizer>();
  made->device = backend.device;
  made->descriptor = &find_optimizer(method == nullptr ? kDefaultOptimizer : method);
  made->options.add(made->descriptor->options);
  for (const std::string& assignment : assignments) {
    made->options.set_assignment(assignment, kCaller);
  }
  if (seed > kMaxSeed) {
    throw value_error(fmt::format("seed is {}; expected at most {}", seed, kMaxSeed));
  }
  require_finite(initial, "the initial point");
  made->optimizer =
      made->descriptor->create({*backend.device->backend, made->options, seed, std::move(initial)});
  return made;
}

// Runs body(optimizer) while no other call has its backend.
template <class Body>
int with_optimizer(gallop_optimizer* optimizer, const Body& body) {
  return guard([&] {
    require_pointer(optimizer, "optimizer");
    const Use use(*optimizer->device);
    body(*optimizer);
  });
}

}  // namespace
}  // namespace gallop::c_api

using namespace gallop;
using namespace gallop::c_api;

extern "C" {

const char* gallop_optimizer_name(size_t i) {
  try {
    const std::vector<const OptimizerDescriptor*> all = all_optimizers();
    return i < all.size() ? all[i]->name : nullptr;
  } catch (...) {
    return nullptr;
  }
}

int gallop_optimizer_create(gallop_backend* backend, const char* method, const double* initial,
                            size_t n, uint64_t seed, const char* const* options, size_t n_options,
                            gallop_optimizer** optimizer) {
  return guard([&] {
    require_pointer(backend, "backend");
    require_pointer(optimizer, "optimizer, where the handle goes,");
    require_pointer(initial, "initial");
    if (n < 1 || n > kMostDimensions) {
      throw value_error(
          fmt::format("the initial point has {} numbers; expected 1 to {}", n, kMostDimensions));
    }
    std::vector<std::string> assignments;
    for (size_t k = 0; k < n_options; k++) {
      require_pointer(options, "options");
      assignments.push_back(text_of(options[k], "a text \"name=value\" of the options"));
    }
    const Use use(*backend->device);
    *optimizer = made(*backend, method, {initial, initial + n}, seed, assignments).release();
  });
}

void gallop_optimizer_destroy(gallop_optimizer* optimizer) { destroy_on_device(optimizer); }

int gallop_optimizer_get_info(gallop_optimizer* optimizer, gallop_optimizer_info* info) {
  return with_optimizer(optimizer, [&](gallop_optimizer& o) {
    o.stop_reason = o.optimizer->stop_reason();
    gallop_optimizer_info found = {};
    found.population = o.optimizer->population();
    found.dimension = size_t(o.optimizer->dimension());
    found.generation = o.optimizer->generation();
    found.evaluations = o.optimizer->evaluations();
    found.method = o.descriptor->name;
    found.stop_reason = o.stop_reason.empty() ? nullptr : o.stop_reason.c_str();
    give(info, found, "gallop_optimizer_info");
  });
}

int gallop_optimizer_ask(gallop_optimizer* optimizer, double* points, size_t n) {
  return with_optimizer(optimizer, [&](gallop_optimizer& o) {
    require_pointer(points, "points");
    const size_t expected = size_t(o.optimizer->population()) * size_t(o.optimizer->dimension());
    require_count(n, expected, "points of the population");
    o.optimizer->ask(o.candidates);
    make_points(o.optimizer->backend(), o.candidates);
    std::copy(o.candidates.points.begin(), o.candidates.points.end(), points);
  });
}

int gallop_optimizer_tell(gallop_optimizer* optimizer, const double* fitness, size_t n) {
  return with_optimizer(optimizer, [&](gallop_optimizer& o) {
    require_pointer(fitness, "fitness");
    o.optimizer->tell({fitness, n});
  });
}

int gallop_optimizer_skip(gallop_optimizer* optimizer) {
  return with_optimizer(optimizer, [](gallop_optimizer& o) { o.optimizer->skip(); });
}

int gallop_optimizer_get_center(gallop_optimizer* optimizer, double* center, size_t n) {
  return with_optimizer(optimizer, [&](gallop_optimizer& o) {
    require_pointer(center, "center");
    require_count(n, size_t(o.optimizer->dimension()), "the center");
    const std::vector<double> at = o.optimizer->center();
    std::copy(at.begin(), at.end(), center);
  });
}

}  // extern "C"
