// Which way Fisher products go: what is asked for, what is measured, what a run keeps of it. The
// clock and the library are planted, which a device does not let a test do.
#ifndef GALLOP_GPU_TEST

#include <gallop/host/error.h>
#include <gallop/host/files/tensor_file.h>
#include <gallop/host/learning/algorithm.h>
#include <gallop/host/training/run_options.h>
#include "tests/cuda/counting_device.h"
#include "tests/cuda/fisher_case.h"

namespace gallop::testing {
namespace {

// A device on which a burst of fused products and one by matrices take the given times, in turn.
class ClockDevice : public CountingDevice {
 public:
  ClockDevice(Counts& counts, double fused, double by_matrices, bool has_library = true)
      : CountingDevice(counts), times_{fused, by_matrices}, has_library_(has_library) {}

  double seconds(const std::function<void()>& launches) override {
    CountingDevice::seconds(launches);
    return times_[looks_++ % 2];
  }
  std::unique_ptr<MatrixProducts> matrix_products(std::string& why) override {
    if (has_library_) return CountingDevice::matrix_products(why);
    why = "the library was not found";
    return nullptr;
  }

 private:
  double times_[2];
  bool has_library_;
  int looks_ = 0;
};

struct Watched {
  CountingDevice::Counts counts;
  std::vector<std::string> notes;
  std::unique_ptr<Backend> backend;

  Watched(double fused, double by_matrices, bool has_library = true)
      : backend(make_kernel_backend(
            std::make_unique<ClockDevice>(counts, fused, by_matrices, has_library),
            [this](const std::string& note) { notes.push_back(note); })) {}
};

GradientCase small() {
  GradientCase c;
  c.hidden = {8};
  return c;
}

TEST(FisherProducts, TheFasterOneIsTakenAndKept) {
  const auto cpu = make_cpu_backend(1);
  const GradientCase c = small();
  const std::vector<float> exact = run_product(*cpu, c);
  for (const bool matrices : {false, true}) {
    Watched at(matrices ? 8e-4 : 4e-4, matrices ? 6e-4 : 6e-4);
    FisherCase of(*at.backend, c, FisherPath::kFaster);
    EXPECT_FALSE(of.fisher.choice());
    const std::vector<float> product = run_product(*at.backend, of);
    EXPECT_EQ(same_bits(exact, product), !matrices);
    const auto forced = matrices ? FisherPath::kMatrices : FisherPath::kFused;
    EXPECT_TRUE(same_bits(run_product(*at.backend, c, 1, forced), product));
    const std::optional<FisherChoice> choice = of.fisher.choice();
    ASSERT_TRUE(choice);
    EXPECT_EQ(choice->path, forced);
    EXPECT_DOUBLE_EQ(choice->fused_seconds, matrices ? 2e-4 : 1e-4);  // a burst is 4 products
    EXPECT_DOUBLE_EQ(choice->matrix_seconds, 1.5e-4);
    ASSERT_EQ(at.notes.size(), 1u);
    EXPECT_NE(at.notes[0].find("4-8-2 over 300 samples"), std::string::npos) << at.notes[0];
    EXPECT_NE(at.notes[0].find("150.0 us by loops"), std::string::npos) << at.notes[0];
    EXPECT_NE(at.notes[0].find(matrices ? "take loops" : "take the fused kernel"),
              std::string::npos);
    // It is asked for once.
    EXPECT_EQ(at.counts.captures, 2);
    EXPECT_TRUE(same_bits(product, run_product(*at.backend, of)));
    EXPECT_EQ(at.counts.captures, 2);
    EXPECT_EQ(at.notes.size(), 1u);
  }
}

TEST(FisherProducts, WithoutALibraryTheFusedKernelIsTakenAndThatIsSaid) {
  const auto cpu = make_cpu_backend(1);
  const GradientCase c = small();
  Watched at(1, 0.5, false);
  FisherCase of(*at.backend, c, FisherPath::kFaster);
  for (int k = 0; k < 2; k++) {
    EXPECT_TRUE(same_bits(run_product(*cpu, c), run_product(*at.backend, of)));
  }
  ASSERT_EQ(at.notes.size(), 1u);
  EXPECT_NE(at.notes[0].find("the library was not found"), std::string::npos) << at.notes[0];
  ASSERT_TRUE(of.fisher.choice());
  EXPECT_EQ(of.fisher.choice()->path, FisherPath::kFused);
  try {
    const FisherCase forced(*at.backend, c, FisherPath::kMatrices);
    ADD_FAILURE() << "not refused";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::cuda);
    EXPECT_NE(std::string(error.what()).find("the library was not found"), std::string::npos);
  }
}

TEST(FisherProducts, StrictNeitherOpensNorTimesAnything) {
  Watched at(1, 0.5, false);
  run_product(*at.backend, small());
  EXPECT_TRUE(at.notes.empty());
  EXPECT_EQ(at.counts.captures, 0);
}

RunOptions run_options(const std::vector<std::string>& assignments) {
  RunOptions options("pendulum", "trpo");
  for (const char* small : {"n_envs=16", "n_steps=20", "hidden=16,8", "value_epochs=1"}) {
    options.set_assignment(small, "test");
  }
  for (const std::string& text : assignments) options.set_assignment(text, "test");
  return options;
}
std::unique_ptr<Algorithm> learner_of(const RunOptions& options, Backend& backend) {
  return options.algorithm().create(
      {backend, options.environment(), options.values(), options.seed(), options.configure()});
}
std::vector<float> parameters_after(Algorithm& learner, Backend& backend) {
  const PolicyView policy = learner.policy();
  std::vector<float> values(std::size_t(parameter_count(policy.shape)));
  backend.to_host(values.data(), policy.parameters, values.size() * sizeof(float));
  return values;
}

// Notes but for the one that rollouts of this environment and policy are strict.
long fisher_notes(const std::vector<std::string>& notes) {
  return std::count_if(notes.begin(), notes.end(), [](const std::string& note) {
    return note.find("has no rollout on tensor cores") == std::string::npos;
  });
}

// The update of the policy is one graph either way, a pass of the value network's fit another; auto
// captures two more to time them. The gradient of mode fast is not exact: four updates, which move
// parameters by up to 0.3, carry its rounding to TF32, and the order of its sums, to 2.3e-2 of one
// of them.
TEST(FisherProducts, AnUpdateIsOneGraphAndTakesWhatTheOptionsSay) {
  const RunOptions strict = run_options({});
  const auto cpu = make_cpu_backend(1);
  const auto run = [](const RunOptions& options, Backend& backend) {
    const auto learner = learner_of(options, backend);
    for (int k = 0; k < 4; k++) learner->iterate();
    return parameters_after(*learner, backend);
  };
  const std::vector<float> exact = run(strict, *cpu);
  struct Case {
    std::vector<std::string> assignments;
    int captures;
    bool is_exact;
  };
  for (const Case& c : std::vector<Case>{{{}, 2, true},
                                         {{"fisher=fused"}, 2, true},
                                         {{"mode=fast", "fisher=fused"}, 2, false},
                                         {{"mode=fast", "fisher=cublas"}, 2, false},
                                         {{"mode=fast"}, 4, false}}) {
    const RunOptions options = run_options(c.assignments);
    Watched at(2, 1);
    const std::vector<float> parameters = run(options, *at.backend);
    EXPECT_EQ(at.counts.captures, c.captures);
    EXPECT_EQ(fisher_notes(at.notes), c.captures == 4 ? 1 : 0);
    EXPECT_EQ(same_bits(exact, parameters), c.is_exact);
    for (std::size_t k = 0; k < exact.size(); k++) ASSERT_NEAR(exact[k], parameters[k], 3e-2) << k;
    EXPECT_TRUE(same_bits(exact, run(options, *cpu)));  // the CPU has one way
  }
  EXPECT_THROW(learner_of(run_options({"fisher=cublas"}), *cpu), Error);
}

// A resumed run stays with what it had taken, whatever the clock says then.
TEST(FisherProducts, AResumedRunKeepsItsWay) {
  const RunOptions options = run_options({"mode=fast"});
  for (const bool matrices : {false, true}) {
    Watched first(matrices ? 2 : 1, matrices ? 1 : 2), second(matrices ? 1 : 2, matrices ? 2 : 1);
    const auto whole = learner_of(options, *first.backend);
    whole->iterate();
    whole->iterate();
    TensorFile file;
    whole->save(file);
    EXPECT_EQ(file.text("fisher"), matrices ? "cublas" : "fused");
    whole->iterate();
    const auto resumed = learner_of(options, *second.backend);
    resumed->load(file);
    resumed->iterate();
    EXPECT_EQ(fisher_notes(second.notes), 0);
    EXPECT_TRUE(same_bits(parameters_after(*whole, *first.backend),
                          parameters_after(*resumed, *second.backend)));
    TensorFile again;
    resumed->save(again);
    EXPECT_EQ(again.text("fisher"), file.text("fisher"));
    file.set_text("fisher", "abacus");
    EXPECT_THROW(resumed->load(file), Error);
  }
}

}  // namespace
}  // namespace gallop::testing

#endif
