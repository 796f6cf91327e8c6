#include "python/src/arrays.h"

#include <nanobind/ndarray.h>

namespace gallop::python {
namespace {

constexpr int kAligned = 0x0100;  // NPY_ARRAY_ALIGNED

struct Type {
  int status;  // gallop_dtype
  Py_ssize_t bytes;
};
constexpr Type kTypes[kNumDtypes] = {
    {GALLOP_FLOAT32, 4}, {GALLOP_INT64, 8}, {GALLOP_INT32, 4}, {GALLOP_BOOL, 1}};

}  // namespace

Described described(Dtype dtype, const std::vector<Py_ssize_t>& shape) {
  Described made;
  made.dtype = kTypes[int(dtype)].status;
  made.ndim = int(shape.size());
  std::int64_t stride = 1;
  for (std::size_t k = shape.size(); k-- > 0;) {
    made.shape[k] = shape[k];
    made.strides[k] = stride;
    stride *= shape[k];
  }
  return made;
}

bool describe_numpy(nb::handle array, Described& to) {
  const NumpyArray* const members = numpy_array(array);
  if (members == nullptr || members->n_dimensions < 1 || members->n_dimensions > 2) return false;
  if ((members->flags & kAligned) == 0) return false;
  for (int type = 0; type < kNumDtypes; type++) {
    if (members->dtype != numpy().dtypes[std::size_t(type)]) continue;
    to.dtype = kTypes[type].status;
    to.ndim = members->n_dimensions;
    to.data = members->data;
    for (int k = 0; k < to.ndim; k++) {
      if (members->strides[k] % kTypes[type].bytes != 0) return false;
      to.shape[k] = members->dimensions[k];
      to.strides[k] = members->strides[k] / kTypes[type].bytes;
    }
    return true;
  }
  return false;
}

Described describe(nb::handle array, const char* what, nb::object& owner) {
  Described to;
  if (describe_numpy(array, to)) {
    owner = nb::borrow(array);
    return to;
  }
  nb::ndarray<> view;
  if (!nb::try_cast<nb::ndarray<>>(array, view)) {
    raise(GALLOP_VALUE, std::string(what) + " is of type " +
                            nb::cast<std::string>(nb::str(array.type())) +
                            "; expected an array with a buffer or DLPack that can be written");
  }
  if (view.ndim() < 1 || view.ndim() > 2) {
    raise(GALLOP_VALUE, std::string(what) + " has " + std::to_string(view.ndim()) +
                            " dimensions; expected 1 or 2");
  }
  to.dtype = (int(view.dtype().code) << 8) | view.dtype().bits;
  to.device_type = view.device_type();
  to.device_id = view.device_id();
  to.ndim = int(view.ndim());
  to.data = view.data();
  for (std::size_t k = 0; k < view.ndim(); k++) {
    to.shape[k] = std::int64_t(view.shape(k));
    to.strides[k] = view.stride(k);
  }
  owner = nb::borrow(array);
  return to;
}

}  // namespace gallop::python
