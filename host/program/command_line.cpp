#include <gallop/host/program/command_line.h>

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <charconv>
#include <cmath>
#include <map>

#include <gallop/host/error.h>
#include <gallop/host/options/nearest.h>
#include <gallop/host/options/option_rows.h>
#include <gallop/host/options/option_value.h>
#include <gallop/host/options/split.h>
#include <gallop/host/options/utf8.h>
#include <gallop/host/program/advice.h>
#include <gallop/host/program/command_help.h>
#include <gallop/host/registry/plugin.h>

namespace gallop {

class CommandParser {
 public:
  CommandParser(const Command& command, const std::vector<std::string>& arguments)
      : command_(command), arguments_(arguments) {}

  std::optional<CommandLine> run() {
    group(spelled());
    bind();
    if (help_) {
      const std::string more = command_.more_help ? command_.more_help(line_) : "";
      std::fputs((command_help(command_) + more).c_str(), stdout);
      return std::nullopt;
    }
    require();
    return std::move(line_);
  }

 private:
  struct Flag {
    const OptionSpec* row = nullptr;
    bool is_option = false;  // of Command::options
  };

  Flag flag_called(const std::string& name) const {
    for (const Argument& flag : command_.flags) {
      if (flag.row.name == name) return {&flag.row, false};
    }
    if (command_.set_help.empty()) return {};
    if (name == "set") return {&kSet, false};
    for (const OptionSpec& row : command_.options) {
      if (flag_of(row.name) == flag_of(name)) return {&row, true};
    }
    return {};
  }

  // A negative number is a word or a value, no flag.
  static bool is_flag(const std::string& argument) {
    double number = 0;
    const char* const end = argument.data() + argument.size();
    return argument.size() > 1 && argument[0] == '-' &&
           std::from_chars(argument.data(), end, number).ptr != end;
  }

  // The arguments with flags in their own spelling, what stands behind '=' apart, a value behind
  // each option, and --set before each assignment.
  std::vector<std::string> spelled() {
    std::vector<std::string> result;
    bool only_words = false, in_set = false;
    for (at_ = 0; at_ < arguments_.size(); at_++) {
      const std::string& argument = arguments_[at_];
      if (only_words || !is_flag(argument)) {
        in_set = in_set && argument.find('=') != std::string::npos;
        if (in_set) result.push_back("--set");
        result.push_back(argument);
        continue;
      }
      only_words = argument == "--";
      if (only_words || !spell_flag(argument, result)) result.push_back(argument);
      in_set = result.size() >= 2 && result[result.size() - 2] == "--set";
    }
    return result;
  }

  // False where the argument is no flag of this command.
  bool spell_flag(const std::string& argument, std::vector<std::string>& result) {
    const std::size_t dashes = argument[1] == '-' ? 2 : 1;
    const std::size_t equals = std::min(argument.find('=', dashes), argument.size());
    const std::string name = folded_name(argument.substr(dashes, equals - dashes));
    if (argument == "-h" || argument == "-?" || name == "help") return help_ = true;
    if (dashes == 1) return false;
    std::optional<std::string> value;
    if (equals < argument.size()) value = argument.substr(equals + 1);
    Flag flag = flag_called(name);
    if (flag.row == nullptr && name.starts_with("no_") && !value) {
      flag = flag_called(name.substr(3));
      if (flag.row == nullptr || flag.row->type != OptionType::boolean) return false;
      value = "false";
    }
    if (flag.row == nullptr) return false;
    if (flag.row->type == OptionType::boolean && !value) value = boolean_behind(flag);
    if (!value) value = value_behind(flag);
    if (flag.is_option) used_.insert({flag.row->name, flag.row});
    result.push_back(flag_of(flag.row->name));
    result.push_back(*value);
    return true;
  }

  // A boolean option may have a value behind it, a switch has none.
  std::string boolean_behind(const Flag& flag) {
    if (!flag.is_option || at_ + 1 >= arguments_.size()) return "true";
    try {
      parse_option(*flag.row, arguments_[at_ + 1], "");
    } catch (const Error&) {
      return "true";
    }
    return arguments_[++at_];
  }

  std::string value_behind(const Flag& flag) {
    const std::string name = flag_of(flag.row->name);
    if (at_ + 1 == arguments_.size()) {
      throw usage_error(fmt::format("{} needs a value: {} {}", name, name, value_of(flag)));
    }
    const std::string& next = arguments_[at_ + 1];
    if (next.starts_with("--") && flag_called(folded_name(next.substr(2))).row != nullptr) {
      throw usage_error(
          fmt::format("{} needs a value, but {} follows: {} {}", name, next, name, value_of(flag)));
    }
    return arguments_[++at_];
  }

  std::string value_of(const Flag& flag) const {
    for (const Argument& argument : command_.flags) {
      if (&argument.row == flag.row) return argument.value;
    }
    return flag.row == &kSet ? "KEY=VALUE" : "VALUE";
  }

  // By CLI11: which words stand alone, which values belong to which flag.
  void group(std::vector<std::string> arguments) {
    CLI::App app;
    app.set_help_flag();
    app.allow_extras();
    const CLI::Option* words = app.add_option("words")->expected(0, int(arguments.size()));
    // The raw results are read: CLI11 converts "{}" and "[a,b]".
    std::map<std::string, const CLI::Option*> options;
    const auto add = [&](const std::string& name) {
      options[name] = app.add_option(flag_of(name))
                          ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
                          ->allow_extra_args(false);
    };
    for (const Argument& flag : command_.flags) add(flag.row.name);
    if (!command_.set_help.empty()) add("set");
    for (const auto& [name, row] : used_) add(name);
    std::reverse(arguments.begin(), arguments.end());  // as CLI11 takes them
    try {
      app.parse(arguments);
    } catch (const CLI::ParseError& error) {
      throw usage_error(fmt::format("gallop {}: {}", command_.name, error.what()));
    }
    words_ = words->results();
    for (const auto& [name, option] : options) values_[name] = option->results();
    for (const std::string& extra : app.remaining()) {
      if (is_flag(extra)) throw unknown_flag(extra);
      words_.push_back(extra);
    }
    if (words_.size() > command_.words.size() && !command_.repeats_last_word) {
      throw usage_error(
          fmt::format("unexpected {} behind 'gallop {}'{}. 'gallop {} --help' "
                      "explains",
                      in_quotes(words_[command_.words.size()]), command_.name,
                      advice_on_word(command_, words_[command_.words.size()]), command_.name));
    }
  }

  Error unknown_flag(const std::string& argument) const {
    const std::string flag = argument.substr(0, argument.find('='));
    const std::string name =
        folded_name(flag.substr(std::min(flag.find_first_not_of('-'), flag.size())));
    std::string answer = advice_on_flag(command_, name);
    if (answer.empty() && command_.explain) answer = command_.explain(name, arguments_);
    if (answer.empty()) answer = nearest_flags(command_, name);
    return usage_error(
        fmt::format("{} 'gallop {} --help' names all",
                    sentence(fmt::format("unknown argument {} of gallop {}{}", in_quotes(argument),
                                         command_.name, answer)),
                    command_.name));
  }

  void bind() {
    std::vector<OptionSpec> rows;
    for (const Argument& word : command_.words) rows.push_back(word.row);
    for (const Argument& flag : command_.flags) rows.push_back(flag.row);
    line_.values_.add(rows);
    for (std::size_t i = 0; i < words_.size(); i++) {
      const Argument& word = command_.words[std::min(i, command_.words.size() - 1)];
      const bool is_last = i + 1 >= command_.words.size();
      if (is_last && command_.repeats_last_word) line_.words_.push_back(words_[i]);
      set(word.row, words_[i], word.value);
    }
    for (const Argument& flag : command_.flags) {
      const std::vector<std::string>& given = values_[flag.row.name];
      const std::string name = flag_of(flag.row.name);
      if (given.size() > 1 && flag.row.type != OptionType::boolean) {
        throw usage_error(fmt::format("{} is given twice, {} and {}; leave one of them out", name,
                                      in_quotes(given[0]), in_quotes(given[1])));
      }
      if (!given.empty()) set(flag.row, given.back(), name);
    }
    for (const std::string& assignment : values_["set"]) {
      const Assignment parts = split_assignment(assignment, "--set");
      line_.options_.push_back({std::string(parts.name), std::string(parts.text), "--set"});
    }
    for (const auto& [name, row] : used_) {
      for (const std::string& text : values_[name]) {
        if (text.empty() && row->type != OptionType::integers) {  // an empty list is a value
          throw value_error(fmt::format("{} is given but empty", flag_of(name)));
        }
        line_.options_.push_back({name, text, flag_of(name)});
      }
    }
  }

  void set(const OptionSpec& row, const std::string& text, const std::string& origin) {
    if (text.empty()) {
      throw value_error(fmt::format("{} is given but empty; expected {}", origin, row.help));
    }
    if (row.type == OptionType::text) {
      line_.texts_[row.name] = text;
    } else {
      line_.values_.set(row.name, text, origin);
    }
  }

  void require() const {
    const auto refuse = [&](const Argument& argument, const std::string& what) {
      if (!argument.required || line_.given(argument.row.name)) return;
      throw usage_error(fmt::format("gallop {} needs {}: {}. 'gallop {} --help' explains",
                                    command_.name, what, argument.row.help, command_.name));
    };
    for (const Argument& word : command_.words) refuse(word, word.value);
    for (const Argument& flag : command_.flags) {
      refuse(flag, flag_of(flag.row.name) + " " + flag.value);
    }
  }

  static constexpr OptionSpec kSet = {.name = "set", .type = OptionType::text};

  const Command& command_;
  const std::vector<std::string>& arguments_;
  std::size_t at_ = 0;
  bool help_ = false;
  std::map<std::string, const OptionSpec*> used_;  // options whose flags were given
  std::vector<std::string> words_;
  std::map<std::string, std::vector<std::string>> values_;  // by the names of the rows
  CommandLine line_;
};

bool CommandLine::given(std::string_view name) const {
  return texts_.contains(name) || values_.origin(name) != "default";
}

const std::string& CommandLine::text(std::string_view name) const {
  const auto given = texts_.find(name);
  return given == texts_.end() ? values_.text(name) : given->second;
}

std::optional<CommandLine> parse_command_line(const Command& command,
                                              const std::vector<std::string>& arguments) {
  return CommandParser(command, arguments).run();
}

namespace {

// What an option may be given once of: of a row of assignments those that the text names.
std::string identity(const GivenOption& option, const Options& known) {
  const std::string name = known.resolved(option.name).value_or(option.name);
  if (!known.has(name) || known.type(name) != OptionType::assignments) return name;
  const std::string of_one = folded_name(option.name);
  return of_one != name ? of_one
                        : fmt::format("{}.{}", name, option.text.substr(0, option.text.find('=')));
}

}  // namespace

void apply_given(const std::vector<GivenOption>& given, const Options& known,
                 const std::function<void(const GivenOption&)>& set) {
  std::map<std::string, const GivenOption*> before;
  for (const GivenOption& option : given) {
    const std::string name = identity(option, known);
    const auto [place, first] = before.insert({name, &option});
    // These two are compared with what was asked for anyway.
    const bool compared = name == "environment" || name == "algorithm";
    if (!first && !compared) {
      const GivenOption& other = *place->second;
      throw usage_error(fmt::format(
          "option '{}' is given twice, {} by {} and {} by {}; leave one "
          "of them out",
          name, in_quotes(other.text), other.origin, in_quotes(option.text), option.origin));
    }
    set(option);
  }
}

std::vector<double> parse_numbers(const std::string& text, const std::string& what) {
  std::vector<double> numbers;
  std::vector<std::string> parts = split_list(text);
  if (parts.empty()) parts.emplace_back();
  for (const std::string& part : parts) {
    double number = 0;
    const char* const end = part.data() + part.size();
    const auto [next, error] = std::from_chars(part.data(), end, number);
    if (error != std::errc() || next != end || !std::isfinite(number)) {
      throw value_error(fmt::format("{} is {}; expected finite numbers separated by commas, not {}",
                                    what, in_quotes(text), in_quotes(part)));
    }
    numbers.push_back(number);
  }
  return numbers;
}

OptionSpec seed_row(const char* help) {
  return integer_row("seed", 1, {.min = 0, .max = double(std::int64_t(1) << 53)}, help);
}

OptionSpec threads_row() {
  return integer_row("threads", 0, {.min = 0, .max = 4096}, "of the CPU, 0 for all processors");
}

OptionSpec device_row() {
  return text_row(
      "device", "auto",
      "where to compute: cpu, cuda, cuda:1 for the device of that number, or auto, which "
      "takes CUDA where it is there");
}

Argument progress_flag() {
  return {text_row("progress", "auto",
                   "auto: one line on a terminal; line: a line every ten seconds; none (auto)"),
          "FORM"};
}

Argument plugin_flag() {
  return {
      text_row("plugin", "", "shared library with environments of your own (docs/embedding.md)"),
      "FILE"};
}

void load_plugin_of(const std::vector<std::string>& arguments) {
  for (std::size_t i = 0; i < arguments.size() && arguments[i] != "--"; i++) {
    const std::size_t equals = arguments[i].find('=');
    if (folded_name(arguments[i].substr(0, equals)) != "__plugin") continue;
    // One without a value is left to the parser, which says what it needs.
    if (equals != std::string::npos) {
      load_plugin(arguments[i].substr(equals + 1));
    } else if (i + 1 < arguments.size()) {
      load_plugin(arguments[++i]);
    }
  }
}

}  // namespace gallop
