// Members, sums and ranks of populations on the subject, against the CPU.
#include <cmath>
#include <limits>

#include <gallop/host/error.h>
#include "tests/cuda/subject.h"

namespace gallop::testing {
namespace {

struct PopulationCase {
  int members = 10;
  long parameters = 37;
  bool mirrored = true, own_sigmas = true, given = false;
  int rank = 0;

  // The arrays live in `arrays`.
  Population make(Backend& backend, std::vector<DeviceArray<float>>& arrays) const {
    Numbers numbers(std::uint32_t(members + 3 * parameters));
    const auto put = [&](std::size_t n, float low, float high) {
      arrays.push_back(uploaded(backend, numbers.many(n, low, high)));
      return arrays.back().data();
    };
    Population p = {};
    p.n_members = members;
    p.n_parameters = parameters;
    p.mirrored = mirrored ? 1 : 0;
    p.center = put(std::size_t(parameters), -1.0f, 1.0f);
    p.sigma = own_sigmas ? put(std::size_t(parameters), 0.1f, 0.4f) : nullptr;
    p.members = given ? put(std::size_t(members * parameters), -2.0f, 2.0f) : nullptr;
    p.sigma_all = 0.3f;
    p.seed = 99;
    p.generation = 5;
    p.first_member = 12;
    p.rank = rank;
    p.shape.network.n_layers = 2;
    p.shape.network.width[0] = 4;
    p.shape.network.width[1] = 6;
    p.shape.network.width[2] = 1;
    return p;
  }
};

std::vector<PopulationCase> cases() {
  std::vector<PopulationCase> all;
  for (const int members : {2, 130, 258}) {
    for (const long parameters : {1, 4, 37, 600}) {
      for (const bool mirrored : {false, true}) {
        all.push_back({members, parameters, mirrored, parameters % 2 == 0});
      }
    }
  }
  for (const int rank : {1, 3}) all.push_back({6, 37, rank == 1, true, false, rank});
  return all;
}

TEST(PopulationKernels, MembersEqualTheCpu) {
  const auto cpu = make_cpu_backend(2);
  const auto subject = make_subject();
  std::vector<PopulationCase> all = cases();
  all.push_back({7, 37, false, true, true});
  for (const PopulationCase& c : all) {
    SCOPED_TRACE(::testing::Message() << c.members << " x " << c.parameters << " rank " << c.rank);
    const int first = c.members / 3, n = c.members - first;
    std::vector<std::vector<float>> found;
    for (Backend* backend : {cpu.get(), subject.get()}) {
      std::vector<DeviceArray<float>> arrays;
      const Population p = c.make(*backend, arrays);
      auto out = poisoned<float>(*backend, std::size_t(n * c.parameters + 5));
      backend->make_members({p, first, n, out.data()});
      backend->make_members({p, first, 0, out.data()});
      found.push_back(out.download());
      EXPECT_TRUE(untouched(std::vector<float>(found.back().end() - 5, found.back().end())));
    }
    EXPECT_TRUE(same_bits(found[0], found[1]));
  }
}

TEST(PopulationKernels, SumsEqualTheCpu) {
  const auto cpu = make_cpu_backend(2);
  const auto subject = make_subject();
  for (const PopulationCase& c : cases()) {
    SCOPED_TRACE(::testing::Message() << c.members << " x " << c.parameters << " rank " << c.rank);
    std::vector<float> weight = Numbers(4).many(std::size_t(c.members), -1.0f, 1.0f);
    for (const bool bad : {false, true}) {
      if (bad) weight.back() = std::numeric_limits<float>::quiet_NaN();
      std::vector<std::vector<float>> found;
      for (Backend* backend : {cpu.get(), subject.get()}) {
        std::vector<DeviceArray<float>> arrays;
        const Population p = c.make(*backend, arrays);
        const auto w = uploaded(*backend, weight);
        auto sum = poisoned<float>(*backend, std::size_t(c.parameters + 3));
        auto squares = poisoned<float>(*backend, std::size_t(c.parameters + 3));
        const bool both = c.members != 130;
        backend->sum_members({p, w.data(), sum.data(), both ? squares.data() : nullptr});
        found.push_back(sum.download());
        found.push_back(squares.download());
        EXPECT_EQ(untouched(found.back()), !both);
        EXPECT_EQ(std::isnan(found[0][0]), bad);
      }
      EXPECT_TRUE(same_bits(found[0], found[2]));
      EXPECT_TRUE(same_bits(found[1], found[3]));
    }
  }
}

TEST(PopulationKernels, RanksEqualTheCpu) {
  const auto cpu = make_cpu_backend(2);
  const auto subject = make_subject();
  for (const int n : {1, 2, 129, 3000}) {
    std::vector<float> fitness = Numbers(8).many(std::size_t(n), -3.0f, 3.0f);
    for (float& x : fitness) x = std::floor(x * 4) * 0.25f;  // with ties, both zeros among them
    for (std::size_t i = 5; i < fitness.size(); i += 31) {
      fitness[i] = std::numeric_limits<float>::quiet_NaN();
    }
    for (std::size_t i = 1; i < fitness.size(); i += 17) fitness[i] = -0.0f;
    std::vector<std::vector<std::uint32_t>> words;
    std::vector<std::vector<float>> centered;
    for (Backend* backend : {cpu.get(), subject.get()}) {
      const auto x = uploaded(*backend, fitness);
      const std::size_t size = std::size_t(n) + 3;
      auto order = poisoned<std::uint32_t>(*backend, size);
      auto rank = poisoned<std::uint32_t>(*backend, size);
      auto alone = poisoned<float>(*backend, size), both = poisoned<float>(*backend, size);
      backend->rank_members({x.data(), n, order.data(), rank.data(), both.data()});
      backend->rank_members({x.data(), n, nullptr, nullptr, alone.data()});
      words.push_back(order.download());
      words.push_back(rank.download());
      centered.push_back(alone.download());
      EXPECT_TRUE(same_bits(both.download(), centered.back()));
    }
    EXPECT_TRUE(same_bits(words[0], words[2]));
    EXPECT_TRUE(same_bits(words[1], words[3]));
    EXPECT_TRUE(same_bits(centered[0], centered[1]));
  }
}

TEST(PopulationKernels, WhatCannotBeIsAValueErrorOnEveryBackend) {
  const auto cpu = make_cpu_backend(1);
  const auto subject = make_subject();
  for (Backend* backend : {cpu.get(), subject.get()}) {
    std::vector<DeviceArray<float>> arrays;
    Population p = PopulationCase().make(*backend, arrays);
    auto out = poisoned<float>(*backend, 370);
    p.n_members = 9;
    try {
      backend->make_members({p, 0, 9, out.data()});
      ADD_FAILURE() << "not refused";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ExitCode::value);
      EXPECT_NE(std::string(error.what()).find("pairs"), std::string::npos) << error.what();
    }
    EXPECT_TRUE(untouched(out.download()));
  }
}

}  // namespace
}  // namespace gallop::testing
