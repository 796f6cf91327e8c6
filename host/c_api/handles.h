// What all functions of the C interface have in common: errors as codes, structs with sizes, and
// backends that serve one caller at a time.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstring>
#include <exception>
#include <functional>
#include <memory>
#include <new>
#include <string>

#include <gallop/host/c_api/gallop.h>
#include <gallop/host/error.h>
#include <gallop/host/runtime/backend.h>

namespace gallop::c_api {

// A backend with what is made on it; the last of them releases it.
struct Device {
  std::function<void(const std::string&)> note;
  std::unique_ptr<Backend> backend;
  bool is_cpu = false;
  int threads = 0;  // as asked for
  std::atomic<bool> busy{false};
};

// One call's hold of a device.
class Use {
 public:
  // Throws an Error (GALLOP_BUSY) where another call has it.
  explicit Use(Device& device);
  ~Use();
  Use(const Use&) = delete;
  Use& operator=(const Use&) = delete;

 private:
  Device& device_;
};

// Waits until no call has the device, then destroys what was made on it.
template <class Handle>
void destroy_on_device(Handle* handle) noexcept {
  if (handle == nullptr) return;
  const std::shared_ptr<Device> device = handle->device;
  while (device->busy.exchange(true, std::memory_order_acquire)) device->busy.wait(true);
  delete handle;
  device->busy.store(false, std::memory_order_release);
  device->busy.notify_all();
}

// Notes the error of this thread and returns its code.
int fail(int code, const char* message) noexcept;

// Runs the body of a function: 0, or the code of what it throws.
template <class Body>
int guard(const Body& body) noexcept {
  try {
    body();
    return GALLOP_OK;
  } catch (const Error& error) {
    return fail(error.exit_status(), error.what());
  } catch (const std::bad_alloc&) {
    return fail(GALLOP_VALUE, "out of memory: the host has none left for this call");
  } catch (const std::exception& error) {
    return fail(GALLOP_INTERNAL, error.what());
  } catch (...) {
    return fail(GALLOP_INTERNAL, "an exception of unknown type");
  }
}

// Throws a value error that says what is null: `what`, or what `of` says it belongs to.
void require_pointer(const void* pointer, const char* what, const char* of = nullptr);
// Throws a value error where there are not `expected` numbers.
void require_count(std::size_t given, std::size_t expected, const char* what);
// A text that is not null.
std::string text_of(const char* text, const char* what);

// Throws a value error for a size that no version of the struct has.
void require_size(std::uint32_t size, const char* name);
void require_zeros(const void* behind, std::size_t bytes, const char* name);

// A struct of the caller's, which may be older or newer than this library: members that it lacks
// are 0, those that this library does not know have to be 0. `given` may be null: all 0.
template <class Struct>
Struct taken(const Struct* given, const char* name) {
  Struct all;
  std::memset(static_cast<void*>(&all), 0, sizeof all);
  if (given == nullptr) return all;
  require_size(given->size, name);
  const std::size_t known = std::min<std::size_t>(given->size, sizeof all);
  std::memcpy(static_cast<void*>(&all), given, known);
  const char* const bytes = reinterpret_cast<const char*>(given);
  require_zeros(bytes + known, given->size - known, name);
  return all;
}

// Fills in as much of the caller's struct as it has.
template <class Struct>
void give(Struct* to, Struct from, const char* name) {
  require_pointer(to, name);
  require_size(to->size, name);
  from.size = to->size;
  std::memcpy(static_cast<void*>(to), &from, std::min<std::size_t>(to->size, sizeof from));
}

// The number as one of an enumeration of `count`.
template <class Enum>
Enum choice_of(int number, int count, const char* what) {
  if (number >= 0 && number < count) return Enum(number);
  throw value_error(std::string(what) + " is " + std::to_string(number) + "; expected 0 to " +
                    std::to_string(count - 1));
}

}  // namespace gallop::c_api

struct gallop_backend {
  std::shared_ptr<gallop::c_api::Device> device;
};
