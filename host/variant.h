#pragma once

#include <variant>

namespace gallop {

// A std::variant whose copies may run out of memory. libstdc++ takes one of texts and vectors for
// never valueless, and so destroys a copy that an exception left half made as if it held one of
// them, which is undefined. Here a copy holds `First` until it is complete.
template <class First, class... Rest>
class Variant : public std::variant<First, Rest...> {
  using Base = std::variant<First, Rest...>;

 public:
  using Base::Base;
  using Base::operator=;
  Variant() = default;
  Variant(const Variant& other) : Base() { Base::operator=(other); }
  Variant(Variant&&) noexcept = default;
  Variant& operator=(const Variant& other) = default;
  Variant& operator=(Variant&&) noexcept = default;
  ~Variant() = default;
};

}  // namespace gallop
