#include <gallop/host/runtime/backend.h>

#include <fmt/format.h>

#include <cassert>
#include <cmath>
#include <limits>

#include <gallop/host/error.h>

namespace gallop {
namespace {

// A result of `operation`, which is given room for n of them.
template <class Result, class Operation>
std::vector<Result> results(Backend& backend, std::size_t n, const Operation& operation) {
  auto* const at = static_cast<Result*>(backend.result_memory(n * sizeof(Result)));
  operation(at);
  std::vector<Result> found(n);
  backend.to_host(found.data(), at, n * sizeof(Result));
  return found;
}

}  // namespace

// An array that is left would give its memory back to a backend that is gone.
Backend::~Backend() {
  assert(n_arrays_ == 0 && "a backend ends before what was made with it (Environments, learners)");
}

std::size_t array_bytes(std::size_t size, std::size_t element) {
  const std::size_t most = std::size_t(std::numeric_limits<std::ptrdiff_t>::max()) / element;
  if (size <= most) return size * element;
  throw value_error(
      fmt::format("an array of {} elements of {} bytes; expected at most {}", size, element, most));
}

void require_within(std::size_t offset, std::size_t count, std::size_t size) {
  if (offset <= size && count <= size - offset) return;
  throw internal_error(
      fmt::format("a copy of {} elements from {} on, in an array of {}", count, offset, size));
}

std::vector<Moments> grouped_moments(Backend& backend, const float* x, int groups,
                                     long group_stride, long rows, long n, long stride) {
  if (groups == 0 || rows * n == 0) return std::vector<Moments>(groups);
  std::vector<Moments> found;
  for (const MomentSums& m : results<MomentSums>(backend, groups, [&](MomentSums* at) {
         backend.moments({x, rows, n, stride, 0, groups, group_stride, at});
       })) {
    found.push_back({m.mean, m.sum_of_squares, rows * n});
  }
  return found;
}

Moments moments(Backend& backend, const float* x, long rows, long n, long stride) {
  return grouped_moments(backend, x, 1, 0, rows, n, stride).front();
}

double norm(Backend& backend, const float* x, long n) {
  if (n == 0) return 0.0;
  const std::vector<MomentSums> about_zero = results<MomentSums>(backend, 1, [&](MomentSums* at) {
    backend.moments({x, 1, n, n, 1, 1, 0, at});
  });
  return std::sqrt(about_zero.front().sum_of_squares);
}

EpisodeSums episode_sums(Backend& backend, EpisodesRequest request) {
  return results<EpisodeSums>(backend, 1,
                              [&](EpisodeSums* at) {
                                request.result = at;
                                backend.episodes(request);
                              })
      .front();
}

}  // namespace gallop
