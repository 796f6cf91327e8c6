// Actions outside a rollout on the subject, against the CPU bit for bit: every head, counts that
// fill no block, poisoned outputs, every order of threads, ids that count on or are given.
#include <gallop/kernels/policy/heads.h>

#include "tests/cuda/subject.h"

namespace gallop::testing {
namespace {

struct Chosen {
  std::vector<float> action, log_prob;
};

Chosen choose(Backend& backend, Head head, int n_actions, long n, bool deterministic,
              bool has_ids) {
  Numbers numbers(std::uint32_t(n) * 7 + std::uint32_t(head));
  const auto floats = [&](std::size_t count) {
    std::vector<float> values(count);
    for (float& x : values) x = numbers.uniform(-1.5f, 1.5f);
    return values;
  };
  const int outputs = head_outputs(head, n_actions);
  const std::size_t words = std::size_t(n + 15) / 16 * 16;
  std::vector<std::uint32_t> ids(words), episodes(words);
  std::vector<std::int32_t> steps(words);
  for (std::size_t i = 0; i < words; i++) {
    ids[i] = numbers.word();
    episodes[i] = numbers.word() % 9;
    steps[i] = std::int32_t(numbers.word() % 500);
  }
  ChooseRequest r = {};
  r.shape = {{NetworkKind::kMlp, Activation::kTanh, 1, {1, outputs}}, head, n_actions};
  const auto parameters = uploaded(backend, floats(std::size_t(parameter_count(r.shape))));
  const auto output = uploaded(backend, floats(std::size_t(outputs) * std::size_t(n)));
  const auto id = uploaded(backend, ids), episode = uploaded(backend, episodes);
  const auto step = uploaded(backend, steps);
  const std::size_t rows = std::size_t(action_rows(r.shape));
  const auto action = uploaded(backend, std::vector<float>(rows * std::size_t(n), -99.0f));
  const auto log_prob = uploaded(backend, std::vector<float>(std::size_t(n), -99.0f));
  r.parameters = parameters.data();
  r.n = n;
  r.output = output.data();
  r.deterministic = deterministic ? 1 : 0;
  r.seed = 0x123456789abcd;
  r.ids = {77, has_ids ? id.data() : nullptr};
  r.episode = episode.data();
  r.elapsed = step.data();
  r.action = action.data();
  r.log_prob = log_prob.data();
  backend.choose_actions(r);
  return {action.download(), log_prob.download()};
}

bool same(const std::vector<float>& a, const std::vector<float>& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0;
}

TEST(ChooseActions, EqualTheCpu) {
  const auto cpu = make_cpu_backend(2);
  const auto subject = make_subject();
  for (const Head head :
       {Head::kCategorical, Head::kGaussian, Head::kGaussianNetwork, Head::kDeterministic}) {
    for (const int n_actions : {2, 5}) {
      for (const long n : {1L, 16L, 33L, 300L}) {
        for (const int form : {0, 1, 2}) {
          SCOPED_TRACE(::testing::Message() << "head " << int(head) << " A " << n_actions << " n "
                                            << n << " form " << form);
          const Chosen expected = choose(*cpu, head, n_actions, n, form == 0, form == 2);
          for (const float x : expected.action) EXPECT_NE(x, -99.0f);
          in_every_order([&] {
            const Chosen actual = choose(*subject, head, n_actions, n, form == 0, form == 2);
            EXPECT_TRUE(same(expected.action, actual.action));
            EXPECT_TRUE(same(expected.log_prob, actual.log_prob));
          });
        }
      }
    }
  }
}

}  // namespace
}  // namespace gallop::testing
