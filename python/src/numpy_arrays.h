// NumPy's arrays, made and read without a detour.
//
// A step of one instance takes less time than np.empty, so arrays that no one holds any more are
// given out again, and the arrays that come in are read where NumPy keeps their description: the
// members of its array object, whose order NumPy's C API fixes (PyArrayObject_fields in
// numpy/ndarraytypes.h). What is read there is compared with what Python says when the extension is
// imported; where that differed, arrays would be made and read by calls alone.
#pragma once

#include <nanobind/nanobind.h>

#include <array>
#include <cstdint>
#include <vector>

namespace gallop::python {

namespace nb = nanobind;

enum class Dtype : int { kFloat32, kInt64, kInt32, kBool };
constexpr int kNumDtypes = 4;

// The members of a NumPy array.
struct NumpyArray {
  PyObject_HEAD char* data;
  int n_dimensions;
  Py_ssize_t* dimensions;
  Py_ssize_t* strides;  // bytes
  PyObject* base;
  PyObject* dtype;
  int flags;
  PyObject* weak_references;
};

// NumPy as this process has it.
struct Numpy {
  PyObject* array_type = nullptr;
  PyObject* empty = nullptr;
  std::array<PyObject*, kNumDtypes> dtypes = {};  // of native byte order
  bool is_layout_known = false;
};
Numpy& numpy();  // imports it at the first call

// The members of an array that is exactly NumPy's own, else null.
const NumpyArray* numpy_array(nb::handle object);

// A new array with undefined contents, in rows.
nb::object new_array(Dtype dtype, const std::vector<Py_ssize_t>& shape);
// Where its numbers are.
void* data_of(nb::handle array);

// Arrays of one type and shape. What is taken is the caller's, as from np.empty; one that nobody
// else refers to any more, and that nobody has reshaped, is given out again.
class ArrayPool {
 public:
  ArrayPool() = default;
  ArrayPool(Dtype dtype, std::vector<Py_ssize_t> shape);
  nb::object take(void*& data);

 private:
  struct Entry {
    nb::object array;
    NumpyArray made;  // as it was made
  };
  static constexpr std::size_t kMost = 4;
  bool is_free(const Entry& entry) const;

  Dtype dtype_ = Dtype::kFloat32;
  std::vector<Py_ssize_t> shape_, strides_;
  std::vector<Entry> entries_;
  std::size_t next_ = 0;
};

}  // namespace gallop::python
