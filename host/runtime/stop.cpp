#include <gallop/host/runtime/stop.h>

#include <utility>

#include <gallop/host/error.h>
#include <gallop/host/runtime/backend.h>

namespace gallop {

StopScope::StopScope(Backend& backend, std::function<bool()> requested)
    : stoppable_(dynamic_cast<Stoppable*>(&backend)) {
  if (stoppable_ != nullptr) before_ = stoppable_->stop_when(std::move(requested));
}

void leave_if(const std::function<bool()>& requested) {
  if (requested && requested()) throw Error(ExitCode::interrupted, "stopped on request");
}

StopScope::~StopScope() {
  if (stoppable_ != nullptr) stoppable_->stop_when(std::move(before_));
}

}  // namespace gallop
