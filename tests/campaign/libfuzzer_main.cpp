// A fuzz target for libFuzzer, which brings its own main(): the one that GALLOP_FUZZ_TARGET names.
#include <fcntl.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <fstream>

#include "tests/campaign/fuzz_target.h"
#include "tests/campaign/session.h"

namespace {

gallop::campaign::FuzzTarget named_target() {
  const char* name = std::getenv("GALLOP_FUZZ_TARGET");
  for (const auto& target : gallop::campaign::fuzz_targets()) {
    if (name != nullptr && std::string(target.name) == name) return target;
  }
  gallop::campaign::finding("GALLOP_FUZZ_TARGET names no target");
}

const gallop::campaign::FuzzTarget& target() {
  static const gallop::campaign::FuzzTarget named = named_target();
  return named;
}

}  // namespace

// Writes the seeds into the folder GALLOP_FUZZ_SEEDS and the words as a dictionary beside it.
extern "C" int LLVMFuzzerInitialize(int*, char***) {
  target();
  const int out = ::open("/dev/null", O_WRONLY);  // of what a command prints
  ::dup2(out, 1);
  if (const char* folder = std::getenv("GALLOP_FUZZ_SEEDS")) {
    int n = 0;
    for (const std::string& seed : target().seeds()) {
      std::ofstream(std::string(folder) + "/seed-" + std::to_string(n++), std::ios::binary) << seed;
    }
    std::ofstream words(std::string(folder) + ".dict");
    for (const std::string& word : target().words()) {
      if (word.empty()) continue;
      words << '"';
      for (const char c : word) {
        constexpr const char* kDigits = "0123456789abcdef";
        const auto byte = static_cast<unsigned char>(c);
        words << "\\x" << kDigits[byte / 16] << kDigits[byte % 16];
      }
      words << "\"\n";
    }
  }
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  gallop::campaign::behaviour(target(), {reinterpret_cast<const char*>(bytes), size});
  return 0;
}
