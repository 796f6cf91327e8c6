// Stands for the CUDA backend in builds without CUDA. Empty in the others.
#include <gallop/host/runtime/backend.h>

#if !defined(GALLOP_HAVE_CUDA)

namespace gallop {

std::unique_ptr<Backend> make_cuda_backend(int, std::string&,
                                           const std::function<void(const std::string&)>&, void*) {
  return nullptr;
}

}  // namespace gallop

#endif
