// What the build found and compiled in. The arrays are written by the build from the markers
// GALLOP_ENVIRONMENT(Type) in sims/, GALLOP_ALGORITHM(Type) in algorithms/ and
// GALLOP_OPTIMIZER(Type) in algorithms/black_box/, and from the files
// configs/<algorithm>/<environment>.toml and configs/studies/<study>.toml. All are constants:
// nothing registers itself at start.
#pragma once

namespace gallop {

struct EnvironmentTable;      // kernels/environment
struct TransitionTable;       // kernels/environment
struct CudaEnvironmentTable;  // kernels/tables
struct AlgorithmDescriptor;   // host/registry
struct OptimizerDescriptor;   // host/registry

// The instruction sets that kernels can be compiled for (GALLOP_ALL_ISAS of cmake/GallopIsa.cmake).
enum class Isa { v3, v4 };  // AVX2 + FMA, AVX-512
constexpr int kNumIsas = 2;

struct EnvironmentEntry {
  const char* type;                                 // name of the C++ struct
  const EnvironmentTable* (*compiled[kNumIsas])();  // null where the build lacks one
  const TransitionTable* (*transitions)();
  const CudaEnvironmentTable* (*cuda)();  // null in a build without CUDA
};

// An environment of the source tree that this build leaves out (GALLOP_SIMS).
struct UnbuiltEnvironment {
  const char* name;
  const char* aliases;  // separated by commas
};

struct AlgorithmEntry {
  const char* type;
  const AlgorithmDescriptor& (*descriptor)();
};

struct OptimizerEntry {
  const char* type;
  const OptimizerDescriptor& (*descriptor)();
};

struct ConfigEntry {
  const char* algorithm;    // folder of the file
  const char* environment;  // stem of the file
  const char* text;         // TOML
};

struct StudyEntry {
  const char* name;  // stem of the file
  const char* text;  // TOML
};

struct BuildInfo {
  const char* version;
  const char* commit;      // of the sources when the build was configured, or "unknown"
  const char* compiler;    // "GNU 12.2.0"
  const char* build_type;  // "Release"
  bool has_cuda;
};

extern const EnvironmentEntry kEnvironmentEntries[];
extern const int kNumEnvironmentEntries;
extern const UnbuiltEnvironment kUnbuiltEnvironments[];
extern const int kNumUnbuiltEnvironments;
extern const AlgorithmEntry kAlgorithmEntries[];
extern const int kNumAlgorithmEntries;
extern const OptimizerEntry kOptimizerEntries[];
extern const int kNumOptimizerEntries;
extern const ConfigEntry kConfigEntries[];
extern const int kNumConfigEntries;
extern const StudyEntry kStudyEntries[];
extern const int kNumStudyEntries;
extern const BuildInfo kBuildInfo;

}  // namespace gallop
