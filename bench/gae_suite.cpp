#include "bench/gae_suite.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include <gallop/host/error.h>
#include <gallop/host/runtime/processor.h>
#include "bench/checksum.h"
#include "bench/fisher_sides.h"
#include "bench/gae_sides.h"
#include "bench/peak.h"
#include "bench/turns.h"

namespace gallop {

const std::vector<std::string> kGaeShapes = {
    "8192x2048", "8192x128", "4096x128", "32768x8",  "8192x64",  "8192x192", "8192x256", "8192x320",
    "8192x512",  "1024x64",  "1024x128", "1024x192", "1024x256", "1024x320", "1024x512"};

namespace {

constexpr double kMostElements = 1 << 28;

GaeShape parse_shape(const std::string& text) {
  GaeShape shape = {};
  const char* const end = text.data() + text.size();
  const auto envs = std::from_chars(text.data(), end, shape.n_envs);
  if (envs.ec == std::errc() && envs.ptr != end && *envs.ptr == 'x') {
    const auto steps = std::from_chars(envs.ptr + 1, end, shape.n_steps);
    if (steps.ec == std::errc() && steps.ptr == end && shape.n_envs > 0 && shape.n_steps > 0 &&
        shape.elements() <= kMostElements) {
      return shape;
    }
  }
  throw value_error(
      fmt::format("--shape is '{}'; expected instances x steps such as 8192x128, at most {:.0f} "
                  "in all",
                  text, kMostElements));
}

void check(const GaeSuite& suite) {
  if (suite.threads < 0 || suite.threads > 1024) {
    throw value_error(fmt::format("--threads is {}; expected 0 to 1024", suite.threads));
  }
  if (!(suite.seconds > 0 && suite.seconds <= 3600)) {
    throw value_error(fmt::format("--seconds is {}; expected above 0, up to 3600", suite.seconds));
  }
  for (const std::string& shape : suite.shapes) parse_shape(shape);
}

void measure(const GaeSuite& suite, Backend& backend, const GaeBatch& batch, GaeKernel kernel,
             double memory_rate, BenchRow& row) {
  OurGae ours(backend, batch, kernel);
  PlainGae plain(batch, kernel);
  GaeCopy copy = {ours};
  ours.run();  // warm-up, and what the checksum is of
  plain.run();
  Checksum sum;
  sum.add(ours.advantage());
  sum.add(ours.target());
  row.checksum = sum.text();
  row.difference = std::max(greatest_difference(ours.advantage(), plain.advantage()),
                            greatest_difference(ours.target(), plain.target()));
  if (!(row.difference < kGaeTolerance)) {
    throw internal_error(
        fmt::format("advantages of {} differ from the plain loop's by {:.2g} of the greatest; "
                    "expected below {:.0e}",
                    row.name, row.difference, kGaeTolerance));
  }
  ours.run();  // a device records the sequence now
  Turns turns = {suite.seconds, row.threads, backend.name() == "cpu"};
  const bool copies = turns.on_cpu && turns.threads == 1;
  turns.take(ours, &plain, copies ? &copy : nullptr);
  row.per_second = turns.ours.median();
  row.spread = turns.ours.spread();
  row.baseline_per_second = turns.baseline.median();
  row.peak_fraction = copies ? row.per_second / turns.copy.median()
                             : row.per_second * row.bytes_per_step / memory_rate;
}

}  // namespace

void run_gae_suite(const GaeSuite& suite, const std::function<void(const BenchRow&)>& show) {
  check(suite);
  const int wanted = suite.threads > 0 ? suite.threads : available_processors();
  const auto backend = make_backend(suite.device, wanted, [](const std::string&) {});
  const bool on_cpu = backend->name() == "cpu";
  const int threads = on_cpu ? wanted : 1;
  const double memory_rate = measure_memory_rate(*backend, threads, std::min(0.3, suite.seconds));
  for (const std::string& text : suite.shapes.empty() ? kGaeShapes : suite.shapes) {
    const GaeBatch batch(parse_shape(text));
    for (const GaeKernel kernel : kGaeKernels) {
      BenchRow row;
      row.shape = batch.shape.text();
      row.kernel = name_of(kernel);
      row.name = fmt::format("gae/{}/{}", row.shape, row.kernel);
      row.scope = "GAE";
      row.backend = on_cpu ? std::string("cpu-") + isa_name(processor_isa()) : backend->name();
      row.threads = threads;
      row.stored = true;
      row.bytes_per_step = gae_bytes_per_element(batch.shape, kernel);
      row.baseline = "scalar";
      measure(suite, *backend, batch, kernel, memory_rate, row);
      show(row);
    }
  }
}

}  // namespace gallop
