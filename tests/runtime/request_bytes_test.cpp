// host/runtime/recording.h: requests are the same where all their fields are, whatever stands in
// the padding between them, and another one where any field is.
#include <gallop/host/runtime/recording.h>

#include <gtest/gtest.h>

#include <cstring>
#include <new>

#include <gallop/kernels/operations.h>

namespace gallop::testing {
namespace {

void first() {}
void second() {}

// A request in memory that held `garbage`, its fields written one by one.
template <class Request, class Write>
RequestBytes bytes_of(int garbage, const Write& write) {
  alignas(Request) unsigned char memory[sizeof(Request)];
  std::memset(memory, garbage, sizeof(memory));
  auto& request = *new (memory) Request;
  write(request);
  RequestBytes bytes;
  bytes.add(&first, request);
  return bytes;
}

#if __has_builtin(__builtin_clear_padding)

template <class Request, class Write>
void expect_no_padding(const Write& write) {
  const RequestBytes zeros = bytes_of<Request>(0, write);
  for (const int garbage : {0x5a, 0xa5, 0xff}) {
    EXPECT_TRUE(bytes_of<Request>(garbage, write) == zeros) << garbage;
  }
}

TEST(RequestBytes, PaddingDoesNotCount) {
  float x[8];
  expect_no_padding<AddScaledRequest>([&](AddScaledRequest& r) {  // behind `a`
    r.y = x;
    r.a = 2;
    r.x = x + 4;
    r.n = 4;
  });
  expect_no_padding<CopyRequest>([&](CopyRequest& r) {
    r.to = x;
    r.from = x + 4;
    r.n = 4;
  });
  expect_no_padding<StandardizeRequest>([&](StandardizeRequest& r) {
    r.x = x;
    r.n = 8;
    r.mean = 1;
    r.inverse_std = 3;
  });
  expect_no_padding<StepRequest>([&](StepRequest& r) {  // behind `rule` and `epsilon`
    r.rule = StepRule::kAdam;
    r.parameters = r.first_moment = r.second_moment = x;
    r.gradient = x;
    r.state = nullptr;
    r.max_norm = 1;
    r.beta1 = r.beta2 = 0.5;
    r.epsilon = 1e-8f;
    r.n = 8;
  });
  // Structs within it, filled in as a whole.
  expect_no_padding<PolicyGradientRequest>([&](PolicyGradientRequest& r) {
    r.policy = {};
    r.samples = {};
    r.loss = PolicyLoss::kSurrogate;
    r.clip = r.entropy_coefficient = r.kl_penalty = r.weight = 0.25f;
    r.arithmetic = Arithmetic::kStrict;
    r.gradient = x;
  });
}

#endif

// Every byte of a request of all operations, one after the other: what differs there differs in the
// bytes, unless it is padding.
template <class Request>
int bytes_that_count() {
  int count = 0;
  for (std::size_t at = 0; at < sizeof(Request); at++) {
    const auto with = [at](unsigned char value) {
      RequestBytes bytes;
      Request request = {};
      std::memcpy(reinterpret_cast<unsigned char*>(&request) + at, &value, 1);
      bytes.add(&first, request);
      return bytes;
    };
    if (!(with(0) == with(1))) count++;
  }
  return count;
}

TEST(RequestBytes, EveryFieldCounts) {
  EXPECT_EQ(bytes_that_count<CopyRequest>(), int(sizeof(CopyRequest)));  // it has no padding
  EXPECT_GE(bytes_that_count<AddScaledRequest>(), int(sizeof(AddScaledRequest)) - 4);
  // At most the end of a word behind each of some fields.
#define GALLOP_COUNT(name, Request) \
  EXPECT_GT(bytes_that_count<Request>(), int(sizeof(Request)) * 3 / 4) << #name;
  GALLOP_OPERATIONS(GALLOP_COUNT)
  GALLOP_DEVICE_OPERATIONS(GALLOP_COUNT)
  GALLOP_ENVIRONMENT_OPERATIONS(GALLOP_COUNT)
#undef GALLOP_COUNT
}

TEST(RequestBytes, OrderNumberAndOperationCount) {
  const CopyRequest a = {}, b = {nullptr, nullptr, 1};
  const auto bytes = [](std::initializer_list<std::pair<void (*)(), CopyRequest>> requests) {
    RequestBytes all;
    for (const auto& [function, request] : requests) all.add(function, request);
    return all;
  };
  EXPECT_TRUE(bytes({{first, a}, {first, b}}) == bytes({{first, a}, {first, b}}));
  EXPECT_FALSE(bytes({{first, a}, {first, b}}) == bytes({{first, b}, {first, a}}));
  EXPECT_FALSE(bytes({{first, a}, {first, b}}) == bytes({{first, a}}));
  EXPECT_FALSE(bytes({{first, a}}) == bytes({{second, a}}));
  EXPECT_FALSE(bytes({}) == bytes({{first, a}}));
}

}  // namespace
}  // namespace gallop::testing
