#include "tests/campaign/fuzz_target.h"

#include <cctype>
#include <exception>

#include "tests/campaign/session.h"

namespace gallop::campaign {

std::vector<FuzzTarget> fuzz_targets() {
  return {toml_target(),       options_target(),   study_target(), safetensors_target(),
          checkpoint_target(), policy_target(),    logs_target(),  result_target(),
          problem_target(),    trace_target(),     words_target(), run_folder_target(),
          api_target(),        controller_target()};
}

std::string behaviour(const FuzzTarget& target, std::string_view input) {
  std::string text;
  try {
    text = target.run(input);
  } catch (const Error& error) {
    text = error.what();
    if (error.code() == ExitCode::internal) finding("an internal error: " + text);
    if (text.empty()) finding("an error without a message");
    text += char('0' + int(error.code()) % 10);
  } catch (const std::exception& error) {
    finding(std::string("an exception that is no Error: ") + error.what());
  }
  std::string kind;
  bool quoted = false;
  for (const char c : text) {
    if (c == '\'') quoted = !quoted;
    if (!quoted && (std::isalpha(static_cast<unsigned char>(c)) != 0 || c == ' ')) kind += c;
    if (kind.size() == 120) break;
  }
  return kind;
}

bool is_out_of_memory(const Error& error) {
  return std::string_view(error.what()).starts_with("out of memory");
}

unsigned take_byte(std::string_view& input) {
  if (input.empty()) return 0;
  const auto byte = static_cast<unsigned char>(input.front());
  input.remove_prefix(1);
  return byte;
}

}  // namespace gallop::campaign
