#include <gallop/host/c_api/handles.h>

#include <fmt/format.h>

namespace gallop::c_api {
namespace {

constexpr std::uint32_t kLargestStruct = 4096;  // bytes, of any version to come

// Of this thread. A text for which there is no memory is left out.
struct LastError {
  std::string text;
  int code = GALLOP_OK;
};

LastError& last_error() {
  thread_local LastError error;
  return error;
}

}  // namespace

int fail(int code, const char* message) noexcept {
  LastError& error = last_error();
  error.code = code;
  try {
    error.text = message;
  } catch (...) {
    error.text.clear();
  }
  return code;
}

Use::Use(Device& device) : device_(device) {
  if (!device_.busy.exchange(true, std::memory_order_acquire)) return;
  throw Error(
      ExitCode(GALLOP_BUSY),
      "the backend is in use by another call; it serves one caller at a time: wait for that "
      "one, or make a backend for each thread");
}

Use::~Use() {
  device_.busy.store(false, std::memory_order_release);
  device_.busy.notify_all();
}

void require_pointer(const void* pointer, const char* what, const char* of) {
  if (pointer != nullptr) return;
  throw value_error(of == nullptr ? fmt::format("{} is a null pointer", what)
                                  : fmt::format("{} of {} is a null pointer", what, of));
}

void require_count(std::size_t given, std::size_t expected, const char* what) {
  if (given == expected) return;
  throw value_error(fmt::format("{}: room for {} numbers; expected {}", what, given, expected));
}

std::string text_of(const char* text, const char* what) {
  require_pointer(text, what);
  return text;
}

void require_size(std::uint32_t size, const char* name) {
  if (size >= sizeof(std::uint32_t) && size <= kLargestStruct) return;
  throw value_error(
      fmt::format("{}: its member size is {}; set it to the size of the struct", name, size));
}

void require_zeros(const void* behind, std::size_t bytes, const char* name) {
  const char* const at = static_cast<const char*>(behind);
  if (std::all_of(at, at + bytes, [](char byte) { return byte == 0; })) return;
  throw value_error(
      fmt::format("{}: a member is set that this library, {}.{}, does not know; the "
                  "program was compiled for a later one",
                  name, GALLOP_ABI_MAJOR, GALLOP_ABI_MINOR));
}

}  // namespace gallop::c_api

extern "C" {

const char* gallop_last_error(void) { return gallop::c_api::last_error().text.c_str(); }
int gallop_last_error_code(void) { return gallop::c_api::last_error().code; }

}  // extern "C"
