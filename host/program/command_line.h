// The command line of one command as a table of its words and flags: what is parsed, validated and
// shown by --help. CLI11 groups the arguments, in command_line.cpp alone.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <gallop/host/options/option.h>

namespace gallop {

class CommandLine;

// A flag, or a word that is named by its place. The row says its name, type, limits and help as one
// of an options table does; a boolean is a switch without a value.
struct Argument {
  OptionSpec row;
  const char* value = "VALUE";  // what --help shows in its place: "FOLDER"
  bool required = false;
};

struct Command {
  std::string name;     // "eval", "bench gae"
  std::string summary;  // one sentence
  std::vector<Argument> words = {};
  bool repeats_last_word = false;  // any number of them (CommandLine::words)
  std::vector<Argument> flags = {};
  // What --set gives: "key=value of the algorithm". Each of these options also has a flag by its
  // name. Without a text there is no --set.
  std::string set_help = {};
  std::vector<OptionSpec> options = {};
  // Stands below the flags in --help; what was given so far may be looked at.
  std::function<std::string(const CommandLine&)> more_help = {};
  // What to say of a flag that is none, given all arguments; an empty text where nothing is known.
  std::function<std::string(const std::string& name, const std::vector<std::string>& arguments)>
      explain = {};
};

// An option that --set or its own flag gave.
struct GivenOption {
  std::string name;    // as it was written
  std::string text;    // its value
  std::string origin;  // "--set", "--gamma"
};

class CommandLine {
 public:
  bool given(std::string_view name) const;
  const std::string& text(std::string_view name) const;
  std::int64_t integer(std::string_view name) const { return values_.integer(name); }
  double real(std::string_view name) const { return values_.real(name); }
  bool flag(std::string_view name) const { return values_.flag(name); }
  // All that stood in the place of the last word, where it may be repeated.
  const std::vector<std::string>& words() const { return words_; }
  // In the order that they were given in.
  const std::vector<GivenOption>& options() const { return options_; }

 private:
  friend class CommandParser;
  Options values_;
  std::map<std::string, std::string, std::less<>> texts_;  // as given: a path may have any bytes
  std::vector<std::string> words_;
  std::vector<GivenOption> options_;
};

// Parses what follows the command's name. Nothing where help was asked for and printed. Flags are
// known in capitals and with underscores; `--set a=1 b=2` gives both. Throws a usage error for what
// the command does not know, with what may have been meant, for what is given twice and for what is
// missing; a value error for a value that is none, an empty one among them.
std::optional<CommandLine> parse_command_line(const Command& command,
                                              const std::vector<std::string>& arguments);

// Calls `set` for each option. Throws a usage error where two of them are the same one of `known`.
void apply_given(const std::vector<GivenOption>& given, const Options& known,
                 const std::function<void(const GivenOption&)>& set);

// Splits "1,2.5" or "1, 2.5" into numbers; `what` names the text in a value error.
std::vector<double> parse_numbers(const std::string& text, const std::string& what);

// Rows that several commands have.
OptionSpec seed_row(const char* help);
OptionSpec threads_row();
OptionSpec device_row();
Argument progress_flag();
// Of commands that look environments up: what it names has been loaded by then (load_plugin_of).
Argument plugin_flag();
// Loads the plugin that --plugin names among a command's arguments, so that its environments are
// known to all that reads the others. Throws a usage error where it cannot be used.
void load_plugin_of(const std::vector<std::string>& arguments);

}  // namespace gallop
