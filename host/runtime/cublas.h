#pragma once

#include <memory>
#include <string>

#include <gallop/host/runtime/matrix_products.h>

namespace gallop {

// cuBLAS on a stream (cudaStream_t) of the current device, which it may use the tensor cores of, in
// TF32. Opened here and not linked, so that who does not ask for it pays nothing. Null, with the
// reason in `why`, where it is not installed or does not start.
std::unique_ptr<MatrixProducts> open_cublas(void* stream, std::string& why);

}  // namespace gallop
