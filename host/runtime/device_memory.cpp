#include <gallop/host/runtime/device_memory.h>

#include <cstdlib>
#include <string>

#include <gallop/host/error.h>

namespace gallop {

DeviceMemory device_memory() {
  const char* const asked = std::getenv("GALLOP_DEVICE_MEMORY");
  const std::string name = asked == nullptr || *asked == 0 ? "zero" : asked;
  if (name == "zero") return DeviceMemory::kZero;
  if (name == "raw") return DeviceMemory::kRaw;
  if (name == "poison") return DeviceMemory::kPoison;
  throw value_error("GALLOP_DEVICE_MEMORY is '" + name.substr(0, 80) +
                    "'; expected zero, raw or poison");
}

}  // namespace gallop
