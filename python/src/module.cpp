#include "python/src/core.h"

NB_MODULE(_core, module) {
  using namespace gallop::python;
  module.doc() = "The C interface of Gallop, as the package gallop uses it.";
  check(gallop_check_abi(GALLOP_ABI_VERSION));
  module.def("version", &gallop_version);
  module.def("build_info", &gallop_build_info, "One JSON object.");
  bind_backend(module);
  bind_registry(module);
  bind_batch(module);
  bind_policy(module);
  bind_runs(module);
  bind_optimize(module);
}
