#include <fmt/format.h>

#include <charconv>

#include <gallop/host/c_api/handles.h>

namespace gallop::c_api {
namespace {

// The number in "cuda:N", -1 for "cuda".
int device_index(const std::string& device) {
  if (device == "cuda") return -1;
  int index = -1;
  if (device.starts_with("cuda:")) {
    const char* const end = device.data() + device.size();
    const auto [at, error] = std::from_chars(device.data() + 5, end, index);
    if (error == std::errc() && at == end && index >= 0) return index;
  }
  throw value_error(
      fmt::format("a stream was given for the device '{}'; expected cuda or cuda:N", device));
}

std::shared_ptr<Device> make_device(const gallop_backend_options& options) {
  const auto device = std::make_shared<Device>();
  if (options.note != nullptr) {
    device->note = [note = options.note, user = options.user](const std::string& text) {
      note(user, text.c_str());
    };
  }
  const std::string name = options.device == nullptr ? "cpu" : options.device;
  device->threads = options.threads;
  if (options.stream == nullptr) {
    device->backend = make_backend(name, options.threads, device->note);
    device->is_cpu = device->backend->name() == "cpu";
    return device;
  }
  std::string why;
  device->backend = make_cuda_backend(device_index(name), why, device->note, options.stream);
  if (device->backend == nullptr) {
    throw Error(ExitCode::cuda, fmt::format("device '{}' was asked for: {}", name, why));
  }
  return device;
}

}  // namespace
}  // namespace gallop::c_api

using namespace gallop;
using namespace gallop::c_api;

extern "C" {

int gallop_backend_create(const gallop_backend_options* options, gallop_backend** backend) {
  return guard([&] {
    require_pointer(backend, "backend, where the handle goes,");
    auto made = std::make_unique<gallop_backend>();
    made->device = make_device(taken(options, "gallop_backend_options"));
    *backend = made.release();
  });
}

void gallop_backend_destroy(gallop_backend* backend) { delete backend; }

const char* gallop_backend_name(const gallop_backend* backend) {
  if (backend == nullptr) return "";
  return backend->device->is_cpu ? "cpu" : "cuda";
}

void* gallop_backend_stream(const gallop_backend* backend) {
  return backend == nullptr ? nullptr : backend->device->backend->stream();
}

int gallop_synchronize(gallop_backend* backend) {
  return guard([&] {
    require_pointer(backend, "backend");
    const Use use(*backend->device);
    Backend& of = *backend->device->backend;
    char byte;
    of.to_host(&byte, of.result_memory(1), 1);  // copies to the host wait
  });
}

int gallop_allocate(gallop_backend* backend, size_t bytes, void** memory) {
  return guard([&] {
    require_pointer(backend, "backend");
    require_pointer(memory, "memory, where the address goes,");
    if (bytes == 0) throw value_error("0 bytes were asked for; expected at least 1");
    const Use use(*backend->device);
    *memory = backend->device->backend->allocate(bytes);
  });
}

int gallop_free(gallop_backend* backend, void* memory) {
  return guard([&] {
    require_pointer(backend, "backend");
    if (memory == nullptr) return;
    const Use use(*backend->device);
    backend->device->backend->release(memory);
  });
}

int gallop_copy(gallop_backend* backend, void* to, const void* from, size_t bytes, int direction) {
  return guard([&] {
    require_pointer(backend, "backend");
    const auto way = choice_of<gallop_direction>(direction, 3, "direction");
    if (bytes == 0) return;
    require_pointer(to, "to");
    require_pointer(from, "from");
    const Use use(*backend->device);
    Backend& of = *backend->device->backend;
    if (way == GALLOP_TO_DEVICE) of.to_device(to, from, bytes);
    if (way == GALLOP_TO_HOST) of.to_host(to, from, bytes);
    if (way == GALLOP_WITHIN) of.copy_bytes(to, from, bytes);
  });
}

}  // extern "C"
