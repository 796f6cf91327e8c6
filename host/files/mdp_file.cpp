#include <gallop/host/files/mdp_file.h>

#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <numeric>

#include <gallop/host/error.h>
#include <gallop/host/files/durable_file.h>
#include <gallop/host/options/nearest.h>
#include <gallop/host/options/utf8.h>
#include <gallop/kernels/environment/mdp_table.h>

namespace gallop {
namespace {

constexpr double kSumTolerance = 1e-6;
constexpr size_t kLongestShown = 40;  // of a word that is not understood
constexpr std::string_view kBlank = " \t\r";

class MdpParser {
 public:
  explicit MdpParser(std::string_view origin) : origin_(origin) {}

  void line(std::string_view text) {
    ++line_;
    split(text.substr(0, text.find('#')));
    if (words_.empty()) return;
    const std::string_view keyword = words_[0];
    if (keyword == "states") {
      set_size(file_.n_states, MdpTable::kStates);
    } else if (keyword == "actions") {
      set_size(file_.n_actions, MdpTable::kActions);
    } else if (keyword == "horizon") {
      expect_words(2, "horizon STEPS");
      if (file_.horizon != 0) fail("'horizon' is given twice");
      file_.horizon = integer(1, 1, 1'000'000'000);
    } else if (keyword == "start") {
      start();
    } else if (keyword == "step") {
      step();
    } else if (keyword == "terminal") {
      require_sizes();
      expect_words(2, "terminal STATE");
      file_.table[layout().terminal() + integer(1, 0, file_.n_states - 1)] = 1;
    } else {
      unknown(keyword);
    }
  }

  MdpFile finish() {
    require_sizes();
    if (!has_start_) fail("there is no 'start' line with the probability of each initial state");
    for (int s = 0; s < file_.n_states; s++) {
      for (int a = 0; a < file_.n_actions; a++) {
        if (!has_step_[s * file_.n_actions + a]) {
          fail(fmt::format("there is no 'step {} {}' line for state {} and action {}", s, a, s, a));
        }
      }
    }
    return std::move(file_);
  }

 private:
  [[noreturn]] void fail(const std::string& what) const {
    throw value_error(fmt::format("{}:{}: {}", origin_, line_, what));
  }
  [[noreturn]] void unknown(std::string_view keyword) const {
    const std::string_view shown = keyword.substr(0, kLongestShown);
    const std::vector<std::string> known = {"states", "actions", "horizon",
                                            "start",  "step",    "terminal"};
    fail(
        fmt::format("unknown statement '{}'{}; expected states, actions, horizon, start, step or "
                    "terminal",
                    shown, did_you_mean(shown, known)));
  }

  void split(std::string_view text) {
    words_.clear();
    while (true) {
      const size_t begin = text.find_first_not_of(kBlank);
      if (begin == std::string_view::npos) return;
      const size_t end = std::min(text.find_first_of(kBlank, begin), text.size());
      words_.push_back(text.substr(begin, end - begin));
      text.remove_prefix(end);
    }
  }

  void expect_words(size_t count, const std::string& form) const {
    if (words_.size() == count) return;
    fail(fmt::format("'{}' has {} words after it, expected {}: {}", words_[0], words_.size() - 1,
                     count - 1, form));
  }

  template <class T>
  T number(size_t word) const {
    const std::string_view text = words_[word];
    T value{};
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size()) {
      fail(fmt::format("'{}' in '{}' is not {}", text.substr(0, kLongestShown), words_[0],
                       std::is_integral_v<T> ? "an integer" : "a number"));
    }
    return value;
  }
  int integer(size_t word, int low, int high) const {
    const int value = number<int>(word);
    if (value < low || value > high) {
      fail(fmt::format("{} in '{}' is out of range, expected {} to {}", value, words_[0], low,
                       high));
    }
    return value;
  }

  void set_size(int& size, int capacity) {
    expect_words(2, fmt::format("{} COUNT", words_[0]));
    if (size != 0) fail(fmt::format("'{}' is given twice", words_[0]));
    size = integer(1, 1, capacity);
    if (file_.n_states == 0 || file_.n_actions == 0) return;
    file_.table.assign(kMdpTableCapacity, 0.0f);
    has_step_.assign(file_.n_states * file_.n_actions, false);
  }
  void require_sizes() const {
    if (file_.table.empty()) fail("'states' and 'actions' must come first");
  }
  MdpTable layout() const { return {file_.n_states, file_.n_actions}; }

  // A distribution over the states from the words that begin at `first`, into the table at `to`.
  void distribution(size_t first, int to) {
    std::vector<double> p(file_.n_states);
    for (int k = 0; k < file_.n_states; k++) {
      p[k] = number<double>(first + k);
      if (!(p[k] >= 0 && p[k] <= 1)) {
        fail(fmt::format("probability of state {} is {}, expected 0 to 1", k, words_[first + k]));
      }
    }
    const double sum = std::accumulate(p.begin(), p.end(), 0.0);
    if (std::abs(sum - 1) > kSumTolerance) {
      fail(fmt::format("probabilities sum to {:.9g}, expected 1 (within {})", sum, kSumTolerance));
    }
    for (double& x : p) x /= sum;
    write_cumulative(p.data(), file_.n_states, file_.table.data() + to);
  }

  void start() {
    require_sizes();
    expect_words(1 + file_.n_states, "start and one probability for each state");
    if (has_start_) fail("'start' is given twice");
    distribution(1, layout().start());
    has_start_ = true;
  }

  void step() {
    require_sizes();
    expect_words(4 + file_.n_states, "step STATE ACTION REWARD and one probability for each state");
    const int s = integer(1, 0, file_.n_states - 1);
    const int a = integer(2, 0, file_.n_actions - 1);
    const int row = s * file_.n_actions + a;
    if (has_step_[row]) fail(fmt::format("'step {} {}' is given twice", s, a));
    const double reward = number<double>(3);
    if (!std::isfinite(float(reward))) {
      fail(fmt::format("reward {} is not finite, expected a number within float", words_[3]));
    }
    file_.table[layout().reward() + row] = float(reward);
    distribution(4, layout().cumulative() + row * file_.n_states);
    has_step_[row] = true;
  }

  std::string_view origin_;
  int line_ = 0;
  std::vector<std::string_view> words_;
  MdpFile file_;
  bool has_start_ = false;
  std::vector<bool> has_step_;  // [S, A]
};

}  // namespace

MdpFile parse_mdp(std::string_view text, std::string_view origin) {
  if (text.size() > kLargestProblem) {
    throw value_error(fmt::format("{} has {} bytes, expected a decision process of at most {}",
                                  origin, text.size(), kLargestProblem));
  }
  if (const char* encoding = other_encoding(text)) {
    throw value_error(
        fmt::format("{} is {} text, expected UTF-8; save it in that encoding", origin, encoding));
  }
  MdpParser parser(origin);
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    parser.line(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return parser.finish();
}

MdpFile read_mdp_file(const std::string& path) {
  return parse_mdp(read_given_file(*posix_file_system(), path, kLargestProblem), path);
}

}  // namespace gallop
