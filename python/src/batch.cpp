// Batches of environments.
#include "core.h"

namespace gallop::python {

void bind_batch(nb::module_&) {}

}  // namespace gallop::python
