#include "python/src/numpy_arrays.h"

#include <nanobind/ndarray.h>

#include <algorithm>
#include <cstring>

namespace gallop::python {
namespace {

constexpr const char* kNames[kNumDtypes] = {"float32", "int64", "int32", "bool"};
constexpr std::size_t kBytes[kNumDtypes] = {4, 8, 4, 1};

// Whether the members of an array are what Python says of it.
bool is_as_expected(const nb::object& array) {
  const auto* members = reinterpret_cast<const NumpyArray*>(array.ptr());
  const nb::object shape = array.attr("shape"), strides = array.attr("strides");
  const auto interface = nb::cast<nb::dict>(array.attr("__array_interface__"));
  const auto address = nb::cast<std::uintptr_t>(interface["data"][0]);
  if (members->n_dimensions != nb::cast<int>(array.attr("ndim"))) return false;
  for (int k = 0; k < members->n_dimensions; k++) {
    if (members->dimensions[k] != nb::cast<Py_ssize_t>(shape[k])) return false;
    if (members->strides[k] != nb::cast<Py_ssize_t>(strides[k])) return false;
  }
  return reinterpret_cast<std::uintptr_t>(members->data) == address &&
         members->dtype == array.attr("dtype").ptr() &&
         members->flags == nb::cast<int>(array.attr("flags").attr("num")) &&
         members->weak_references == nullptr;
}

Numpy import_numpy() {
  // References that are never given back: the extension stays loaded as long as Python does.
  Numpy made;
  const nb::module_ module = nb::module_::import_("numpy");
  made.array_type = nb::object(module.attr("ndarray")).release().ptr();
  made.empty = nb::object(module.attr("empty")).release().ptr();
  for (int k = 0; k < kNumDtypes; k++) {
    made.dtypes[std::size_t(k)] = nb::object(module.attr("dtype")(kNames[k])).release().ptr();
  }
  nb::object array = module.attr("empty")(nb::make_tuple(2, 3), nb::handle(made.dtypes[0]));
  made.is_layout_known = is_as_expected(array) && is_as_expected(array.attr("T")) &&
                         is_as_expected(module.attr("empty")(5, nb::handle(made.dtypes[1])));
  return made;
}

// The count of references in the first half of its word, as all versions of the stable ABI that
// share one lock have it; later ones keep flags in the other half.
std::uint32_t references(PyObject* object) {
  std::uint32_t count;
  std::memcpy(&count, object, sizeof count);
  return count;
}

}  // namespace

Numpy& numpy() {
  static Numpy made = import_numpy();
  return made;
}

const NumpyArray* numpy_array(nb::handle object) {
  const Numpy& known = numpy();
  if (!known.is_layout_known) return nullptr;
  if (reinterpret_cast<PyObject*>(Py_TYPE(object.ptr())) != known.array_type) return nullptr;
  return reinterpret_cast<const NumpyArray*>(object.ptr());
}

nb::object new_array(Dtype dtype, const std::vector<Py_ssize_t>& shape) {
  PyObject* const dimensions = PyTuple_New(Py_ssize_t(shape.size()));
  if (dimensions == nullptr) throw nb::python_error();
  for (std::size_t k = 0; k < shape.size(); k++) {
    PyTuple_SetItem(dimensions, Py_ssize_t(k), PyLong_FromSsize_t(shape[k]));
  }
  return nb::handle(numpy().empty)(nb::steal(dimensions),
                                   nb::handle(numpy().dtypes[std::size_t(dtype)]));
}

void* data_of(nb::handle array) {
  const NumpyArray* const members = numpy_array(array);
  if (members != nullptr) return members->data;
  return nb::cast<nb::ndarray<>>(array).data();
}

ArrayPool::ArrayPool(Dtype dtype, std::vector<Py_ssize_t> shape)
    : dtype_(dtype), shape_(std::move(shape)), strides_(shape_.size()) {
  auto stride = Py_ssize_t(kBytes[std::size_t(dtype)]);
  for (std::size_t k = shape_.size(); k-- > 0;) {
    strides_[k] = stride;
    stride *= shape_[k];
  }
}

bool ArrayPool::is_free(const Entry& entry) const {
  if (references(entry.array.ptr()) != 1) return false;
  const auto& now = *reinterpret_cast<const NumpyArray*>(entry.array.ptr());
  const NumpyArray& made = entry.made;
  return now.data == made.data && now.n_dimensions == made.n_dimensions && now.base == made.base &&
         now.dtype == made.dtype && now.flags == made.flags && now.weak_references == nullptr &&
         std::equal(shape_.begin(), shape_.end(), now.dimensions) &&
         std::equal(strides_.begin(), strides_.end(), now.strides);
}

nb::object ArrayPool::take(void*& data) {
  if (!numpy().is_layout_known) {
    nb::object made = new_array(dtype_, shape_);
    data = data_of(made);
    return made;
  }
  for (Entry& entry : entries_) {
    if (!is_free(entry)) continue;
    data = entry.made.data;
    return entry.array;
  }
  Entry made = {new_array(dtype_, shape_), {}};
  std::memcpy(static_cast<void*>(&made.made), made.array.ptr(), sizeof made.made);
  data = made.made.data;
  nb::object taken = made.array;
  if (entries_.size() < kMost) {
    entries_.push_back(std::move(made));
  } else {
    entries_[next_] = std::move(made);
    next_ = (next_ + 1) % kMost;
  }
  return taken;
}

}  // namespace gallop::python
