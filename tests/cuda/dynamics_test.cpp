// The operations of kernels/dynamics/ on the subject, against the CPU bit for bit: counts that fill
// no register or block, poisoned outputs, every order of threads.
#include <gallop/kernels/dynamics/adjoint.h>

#include <algorithm>
#include <functional>

#include "tests/cuda/subject.h"
#include "tests/host/expect_error.h"

namespace gallop::testing {
namespace {

const long kCounts[] = {1, 15, 16, 17, 33, 300};

// Arrays of one case in the memory of a backend: inputs are numbers, outputs poisoned.
class Arrays {
 public:
  explicit Arrays(Backend& backend) : backend_(backend), numbers_(71) {}

  const float* input(long n, float low = -1.5f, float high = 1.5f) {
    std::vector<float> x(static_cast<std::size_t>(n));
    for (float& v : x) v = numbers_.uniform(low, high);
    return keep(inputs_, x);
  }
  const float* flags(long n) {
    std::vector<float> x(static_cast<std::size_t>(n));
    for (float& v : x) v = numbers_.word() % 3 == 0 ? 1.0f : 0.0f;
    return keep(inputs_, x);
  }
  const std::uint8_t* bytes(long n) {
    std::vector<std::uint8_t> x(static_cast<std::size_t>(n));
    for (std::uint8_t& v : x) v = numbers_.word() % 4 == 0 ? 1 : 0;
    bytes_.push_back(uploaded(backend_, x));
    return bytes_.back().data();
  }
  const std::uint32_t* words(long n, std::uint32_t below) {
    std::vector<std::uint32_t> x(static_cast<std::size_t>(n));
    for (std::uint32_t& v : x) v = numbers_.word() % below;
    words_.push_back(uploaded(backend_, x));
    return words_.back().data();
  }
  // With a few numbers behind it that stay as they are.
  float* output(long n) {
    return keep(outputs_, std::vector<float>(static_cast<std::size_t>(n) + 3, -99.0f));
  }
  std::vector<float> outputs() const {
    std::vector<float> all;
    for (const DeviceArray<float>& array : outputs_) {
      const std::vector<float> x = array.download();
      all.insert(all.end(), x.begin(), x.end());
    }
    return all;
  }

 private:
  float* keep(std::vector<DeviceArray<float>>& to, const std::vector<float>& x) {
    to.push_back(uploaded(backend_, x));
    return to.back().data();
  }

  Backend& backend_;
  Numbers numbers_;
  std::vector<DeviceArray<float>> inputs_, outputs_;
  std::vector<DeviceArray<std::uint8_t>> bytes_;
  std::vector<DeviceArray<std::uint32_t>> words_;
};

using Run = std::function<void(Backend&, Arrays&, long n)>;

void expect_equal(const char* label, const Run& run) {
  const auto cpu = make_cpu_backend(2);
  const auto subject = make_subject();
  for (const long n : kCounts) {
    SCOPED_TRACE(::testing::Message() << label << " of " << n);
    Arrays expected(*cpu);
    run(*cpu, expected, n);
    const std::vector<float> all = expected.outputs();
    EXPECT_GE(std::count(all.begin(), all.end(), -99.0f), 3);
    EXPECT_LT(std::count(all.begin(), all.end(), -99.0f), long(all.size()));
    in_every_order([&] {
      Arrays actual(*subject);
      run(*subject, actual, n);
      const std::vector<float> found = actual.outputs();
      ASSERT_EQ(found.size(), all.size());
      EXPECT_EQ(std::memcmp(found.data(), all.data(), all.size() * sizeof(float)), 0);
    });
  }
}

TEST(Dynamics, TransitionsAreKeptAndGathered) {
  constexpr int kT = 5, kO = 3, kA = 2;
  expect_equal("keep_transitions", [](Backend& backend, Arrays& a, long n) {
    backend.keep_transitions({kT, int(n), kO, kA, a.input((kT + 1) * kO * n), a.input(kT * kA * n),
                              a.input(kT * kO * n), a.bytes(kT * n), a.bytes(kT * n),
                              a.input(kA, -1, 0), a.input(kA, 0, 1), a.output(kT * (kO + kA) * n),
                              a.output(kT * kO * n), a.output(kT * n), a.output(kT * n)});
  });
  expect_equal("model_targets", [](Backend& backend, Arrays& a, long n) {
    backend.model_targets({kT, int(n), kO, kA, a.input(kT * (kO + kA) * n), a.input(kT * kO * n),
                           a.input(kT * n), a.input(kO + 1), a.input(kO + 1),
                           a.output(kT * (kO + 1) * n)});
  });
  expect_equal("gather_transitions", [](Backend& backend, Arrays& a, long n) {
    constexpr int kN = 7;
    backend.gather_transitions(
        {a.input(kT * kO * kN), kT, kN, kO, 2, a.words(n, kT * kN), 3, n, a.output(2 * n)});
  });
}

TEST(Dynamics, StepsOfTheModel) {
  constexpr int kO = 3;
  for (const bool noisy : {false, true}) {
    expect_equal("model_step", [noisy](Backend& backend, Arrays& a, long n) {
      backend.model_step({n, kO, a.input((kO + 1) * n), a.input(kO + 1), a.input(kO + 1),
                          noisy ? a.input(kO, 0, 1) : nullptr, 0x123456789ab, 1000, 7, 3,
                          a.input(kO * n), a.output(kO * n), noisy ? a.output(kO * n) : nullptr,
                          a.output(n)});
    });
  }
  expect_equal("clip_actions", [](Backend& backend, Arrays& a, long n) {
    backend.clip_actions(
        {n, 2, a.input(2 * n), a.input(2, -1, 0), a.input(2, 0, 1), a.output(2 * n)});
  });
}

TEST(Dynamics, StepsOfTheSweep) {
  constexpr int kO = 4;
  for (const int form : {0, 1, 2, 3}) {
    expect_equal("model_slopes", [form](Backend& backend, Arrays& a, long n) {
      const bool recorded = form < 2;
      backend.model_slopes({n, kO, 0.9f, form % 2 == 0 ? a.input(kO * n) : nullptr,
                            form != 3 ? a.input(kO * n) : nullptr, form == 2 ? 1 : 0,
                            recorded ? a.flags(n) : nullptr, recorded ? a.flags(n) : nullptr,
                            form != 1 ? a.input(n) : nullptr, a.input(kO + 1), a.output(kO * n),
                            a.output((kO + 1) * n)});
    });
  }
  for (const float limit : {0.0f, 1.0f}) {
    expect_equal("adjoint_step", [limit](Backend& backend, Arrays& a, long n) {
      backend.adjoint_step({n, kO, a.input(kO * n), a.input(kO * n),
                            limit > 0 ? a.input(kO * n) : nullptr, limit, a.output(kO * n)});
    });
  }
  expect_equal("sequence_errors", [](Backend& backend, Arrays& a, long n) {
    float* const alive = a.output(n);
    backend.copy({alive, a.flags(n), n});
    backend.sequence_errors({n, kO, 0.25f, a.input(kO * n), a.input(kO * n), a.input(n), a.input(n),
                             a.input(kO + 1), a.flags(n), alive, a.output(kO * n), a.output(n)});
  });
}

PolicyShape shape_with(Head head, int n_actions) {
  return {{NetworkKind::kMlp, Activation::kTanh, 1, {1, head_outputs(head, n_actions)}},
          head,
          n_actions};
}

TEST(Dynamics, SlopesAndWeightsOfPolicies) {
  for (const Head head : {Head::kGaussian, Head::kGaussianNetwork, Head::kDeterministic}) {
    for (const int n_actions : {1, 3}) {
      const PolicyShape shape = shape_with(head, n_actions);
      const int n_out = outputs_of(shape.network), n_own = head_parameters(head, n_actions);
      expect_equal("policy_slopes", [&](Backend& backend, Arrays& a, long n) {
        backend.policy_slopes({shape, a.input(parameter_count(shape)), n, a.input(n_out * n),
                               a.input(n_actions * n), a.input(n_actions * n),
                               a.input(n_actions, -1, 0), a.input(n_actions, 0, 1),
                               n_actions == 3 ? a.input(n) : nullptr, 0.1f, a.output(n_out * n),
                               n_own > 0 ? a.output(n_own * n) : nullptr});
      });
      expect_equal("importance_weights", [&](Backend& backend, Arrays& a, long n) {
        backend.importance_weights({shape, a.input(parameter_count(shape)), n, a.input(n_out * n),
                                    a.input(n_actions * n), a.input(n), 2.0f, a.output(n)});
      });
    }
  }
  expect_equal("one_step_targets", [](Backend& backend, Arrays& a, long n) {
    backend.one_step_targets({n, 0.1f, 0.9f, a.input(n), a.flags(n), a.input(n), a.output(n)});
  });
}

TEST(Dynamics, SlopesByDiscreteAndBoundedActionsAreRefused) {
  const auto subject = make_subject();
  for (const Head head :
       {Head::kCategorical, Head::kSquashedGaussian, Head::kSquashedDeterministic}) {
    PolicySlopesRequest r = {};
    r.shape = shape_with(head, 2);
    test::expect_error_with(
        ExitCode::value, [&] { subject->policy_slopes(r); }, "policy_slopes",
        "discrete or bounded");
  }
}

}  // namespace
}  // namespace gallop::testing
