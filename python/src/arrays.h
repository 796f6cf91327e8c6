// Arrays of Python as the C interface takes them.
#pragma once

#include <cstdint>

#include "python/src/core.h"
#include "python/src/numpy_arrays.h"

namespace gallop::python {

// A gallop_array with the memory of its shape; not to be moved once array() was called.
struct Described {
  std::int32_t dtype = GALLOP_FLOAT32, device_type = GALLOP_DEVICE_CPU, device_id = 0, ndim = 1;
  void* data = nullptr;
  std::int64_t shape[2] = {}, strides[2] = {};

  gallop_array array() const {
    auto made = sized<gallop_array>();
    made.dtype = dtype;
    made.data = data;
    made.device_type = device_type;
    made.device_id = device_id;
    made.ndim = ndim;
    made.shape = shape;
    made.strides = strides;
    return made;
  }
};

// Rows of an array that is made here.
Described described(Dtype dtype, const std::vector<Py_ssize_t>& shape);

// The description of a NumPy array of one or two dimensions whose numbers are of a type that the C
// interface knows and aligned; false for anything else.
bool describe_numpy(nb::handle array, Described& to);

// The same of whatever has a buffer or DLPack, on any device. An InvalidValue that begins with
// `what` where it has not, or has more dimensions or another type. `owner` keeps it alive.
Described describe(nb::handle array, const char* what, nb::object& owner);

}  // namespace gallop::python
