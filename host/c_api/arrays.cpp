#include <gallop/host/c_api/arrays.h>

#include <fmt/format.h>

#include <cstdint>

namespace gallop::c_api {
namespace {

// An array with its strides, in the form of two dimensions.
struct Array {
  void* data;
  int dtype;
  long component_stride, instance_stride;
};

const char* dtype_name(int dtype) {
  switch (dtype) {
    case GALLOP_INT32:
      return "int32";
    case GALLOP_INT64:
      return "int64";
    case GALLOP_UINT8:
      return "uint8";
    case GALLOP_BOOL:
      return "bool";
    case GALLOP_FLOAT32:
      return "float32";
    default:
      return "none of gallop_dtype";
  }
}

std::string shape_text(const gallop_array& array) {
  std::string text = "[";
  for (int k = 0; k < array.ndim; k++) {
    text += fmt::format("{}{}", k == 0 ? "" : ", ", array.shape[k]);
  }
  return text + "]";
}

gallop_array described(const gallop_array* given, const char* what) {
  require_pointer(given, what);
  const gallop_array array = taken(given, what);
  if (array.ndim < 1 || array.ndim > 2) {
    throw value_error(fmt::format("{}: its ndim is {}; expected 1 or 2", what, array.ndim));
  }
  require_pointer(array.shape, "the shape", what);
  return array;
}

void require_device(const gallop_array& array, const Expected& e) {
  if (array.device_type == 0) return;
  if (array.device_type == (e.device.is_cpu ? GALLOP_DEVICE_CPU : GALLOP_DEVICE_CUDA)) return;
  throw value_error(
      fmt::format("{}: it is on a device of type {}, and the backend is {}; expected "
                  "its memory",
                  e.what, array.device_type, e.device.backend->name()));
}

Array checked(const gallop_array* given, const Expected& e, std::size_t element) {
  const gallop_array array = described(given, e.what);
  const bool is_flat = array.ndim == 1 && e.rows == 1;
  const bool fits =
      array.shape[0] == e.n && (is_flat || (array.ndim == 2 && array.shape[1] == e.rows));
  if (!fits) {
    throw value_error(fmt::format("{}: its shape is {}; expected [{}, {}]{}", e.what,
                                  shape_text(array), e.n, e.rows,
                                  e.rows == 1 ? fmt::format(" or [{}]", e.n) : ""));
  }
  require_pointer(array.data, "the data", e.what);
  require_device(array, e);
  if (reinterpret_cast<std::uintptr_t>(array.data) % element != 0) {
    throw value_error(
        fmt::format("{}: its data is not aligned to its elements of {} bytes", e.what, element));
  }
  Array as = {array.data, array.dtype, 1, e.rows};
  if (array.strides != nullptr) {
    as.instance_stride = array.strides[0];
    as.component_stride = array.ndim == 2 ? array.strides[1] : 1;
  }
  return as;
}

std::size_t element_of(int dtype) {
  return dtype == GALLOP_INT64 ? 8 : dtype == GALLOP_UINT8 || dtype == GALLOP_BOOL ? 1 : 4;
}

// The data of a contiguous array of one number for each instance.
void* flat(const gallop_array* given, Expected e, int dtype, int other) {
  e.rows = 1;
  const int found = described(given, e.what).dtype;
  if (found != dtype && found != other) {
    throw value_error(
        fmt::format("{}: it holds {}; expected {}", e.what, dtype_name(found), dtype_name(dtype)));
  }
  const Array array = checked(given, e, element_of(dtype));
  if (array.instance_stride != 1 && e.n > 1) {
    throw value_error(fmt::format("{}: {} from instance to instance; expected a contiguous array",
                                  e.what, array.instance_stride));
  }
  return array.data;
}

}  // namespace

ArrayView array_view(const gallop_array* given, const Expected& e) {
  const int dtype = described(given, e.what).dtype;
  const bool is_integer = dtype == GALLOP_INT32 || dtype == GALLOP_INT64;
  if (dtype != GALLOP_FLOAT32 && !(is_integer && e.is_index)) {
    throw value_error(fmt::format("{}: it holds {}; expected {}", e.what, dtype_name(dtype),
                                  e.is_index ? "int64, int32 or float32" : "float32"));
  }
  const Array array = checked(given, e, element_of(dtype));
  ArrayView view;
  view.data = array.data;
  view.kind = dtype == GALLOP_INT64   ? NumberKind::kInt64
              : dtype == GALLOP_INT32 ? NumberKind::kInt32
                                      : NumberKind::kFloat;
  view.component_stride = array.component_stride;
  view.instance_stride = array.instance_stride;
  if ((view.instance_stride == 0 && e.n > 1) || (view.component_stride == 0 && e.rows > 1)) {
    throw value_error(fmt::format("{}: its strides are {} and {}; expected numbers other than 0",
                                  e.what, view.instance_stride, view.component_stride));
  }
  return view;
}

float* floats_of(const gallop_array* array, const Expected& expected) {
  return static_cast<float*>(flat(array, expected, GALLOP_FLOAT32, GALLOP_FLOAT32));
}

std::int32_t* integers_of(const gallop_array* array, const Expected& expected) {
  return static_cast<std::int32_t*>(flat(array, expected, GALLOP_INT32, GALLOP_INT32));
}

std::uint8_t* flags_of(const gallop_array* array, const Expected& expected) {
  return static_cast<std::uint8_t*>(flat(array, expected, GALLOP_UINT8, GALLOP_BOOL));
}

long instances_of(const gallop_array* given, const char* what) {
  const gallop_array array = described(given, what);
  if (array.shape[0] < 1 || array.shape[0] > (1L << 28)) {
    throw value_error(
        fmt::format("{}: it has {} rows; expected 1 to {}", what, array.shape[0], 1L << 28));
  }
  return long(array.shape[0]);
}

}  // namespace gallop::c_api
