#include <gallop/host/variant.h>

#include <gtest/gtest.h>

#include <new>
#include <string>
#include <vector>

namespace gallop {
namespace {

// Moved without an exception and not trivial, as texts and vectors are; copies run out of memory.
struct Scarce {
  Scarce() = default;
  Scarce(const Scarce&) { throw std::bad_alloc(); }
  Scarce(Scarce&&) noexcept {}
  Scarce& operator=(const Scarce&) { throw std::bad_alloc(); }
  Scarce& operator=(Scarce&&) noexcept { return *this; }
  std::string text = std::string(100, 'x');
};
using Value = Variant<int, std::string, std::vector<Scarce>>;

TEST(Variant, AHalfMadeCopyIsDestroyedAsNothing) {
  const Value value = std::vector<Scarce>(2);
  EXPECT_THROW(Value copy = value, std::bad_alloc);
  Value assigned = std::string(100, 'y');
  EXPECT_THROW(assigned = value, std::bad_alloc);
  EXPECT_EQ(std::get<std::string>(assigned), std::string(100, 'y'));
  std::vector<Value> values;
  values.emplace_back(1);
  EXPECT_THROW(values.push_back(value), std::bad_alloc);
  EXPECT_EQ(values.size(), 1u);
}

TEST(Variant, CopiesAndMovesHoldTheSame) {
  Value value = std::string(100, 'x');
  const Value copy = value;
  EXPECT_EQ(std::get<1>(copy), std::get<1>(value));
  Value other = 3;
  other = copy;
  EXPECT_TRUE(std::holds_alternative<std::string>(other));
  EXPECT_EQ(*std::get_if<std::string>(&other), std::get<1>(copy));
  const Value moved = std::move(value);
  EXPECT_EQ(std::get<1>(moved), std::get<1>(copy));
  EXPECT_EQ(std::visit([](const auto& held) { return sizeof(held); }, Value(3)), sizeof(int));
}

}  // namespace
}  // namespace gallop
