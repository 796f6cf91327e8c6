#pragma once

#include <functional>
#include <string>
#include <vector>

namespace gallop {

// What main() of a program of this project does: runs the command with the arguments after the
// program's name, and turns what it throws into a message on standard error and an exit code.
int run_main(int argc, char** argv,
             const std::function<int(const std::vector<std::string>&)>& command);

}  // namespace gallop
