#pragma once

#include <random>
#include <string>
#include <vector>

namespace gallop::campaign {

// Changes inputs at random, alike for equal seeds: bits, bytes, stretches, numbers and words.
class Mutator {
 public:
  Mutator(std::uint64_t seed, std::vector<std::string> words)
      : random_(seed), words_(std::move(words)) {}

  // `other` is one more input, of which parts may be taken over.
  std::string mutated(std::string input, const std::string& other);
  std::mt19937_64& random() { return random_; }

 private:
  void mutate(std::string& text, const std::string& other);
  std::size_t place(const std::string& text) { return random_() % (text.size() + 1); }
  void replace_number(std::string& text);

  std::mt19937_64 random_;
  std::vector<std::string> words_;
};

}  // namespace gallop::campaign
