#include "host/program/command_line.h"

#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <iostream>

#include "host/error.h"
#include "host/options/nearest.h"

namespace gallop {
namespace {

Error unknown_argument(const CLI::App& app, const std::string& argument) {
  std::vector<std::string> flags;
  for (const CLI::Option* option : app.get_options()) {
    for (const std::string& name : option->get_lnames()) flags.push_back("--" + name);
  }
  const std::string name = argument.substr(0, argument.find('='));
  return usage_error(
      fmt::format("unknown argument '{}' of gallop {}{}. 'gallop {} --help' names all", argument,
                  app.get_name(), did_you_mean(name, flags), app.get_name()));
}

}  // namespace

bool parse_command_line(CLI::App& app, std::vector<std::string> arguments) {
  app.allow_extras();
  std::reverse(arguments.begin(), arguments.end());  // as CLI11 takes them
  try {
    app.parse(arguments);
  } catch (const CLI::CallForHelp&) {
    std::cout << app.help();
    return false;
  } catch (const CLI::ValidationError& error) {
    throw value_error(fmt::format("gallop {}: {}", app.get_name(), error.what()));
  } catch (const CLI::ConversionError& error) {
    throw value_error(fmt::format("gallop {}: {}", app.get_name(), error.what()));
  } catch (const CLI::ParseError& error) {
    throw usage_error(fmt::format("gallop {}: {}", app.get_name(), error.what()));
  }
  const std::vector<std::string> extras = app.remaining();
  if (!extras.empty()) throw unknown_argument(app, extras.front());
  return true;
}

std::vector<double> parse_numbers(const std::string& text, const std::string& what) {
  std::vector<double> numbers;
  const char* at = text.data();
  const char* const end = at + text.size();
  while (true) {
    while (at < end && *at == ' ') at++;
    double number = 0;
    const auto [next, error] = std::from_chars(at, end, number);
    if (error != std::errc() || !std::isfinite(number)) {
      throw value_error(
          fmt::format("{} is '{}'; expected finite numbers separated by commas", what, text));
    }
    numbers.push_back(number);
    at = next;
    while (at < end && *at == ' ') at++;
    if (at == end) return numbers;
    if (*at != ',') {
      throw value_error(
          fmt::format("{} is '{}'; expected a comma at '{}'", what, text, std::string(at, end)));
    }
    at++;
  }
}

}  // namespace gallop
