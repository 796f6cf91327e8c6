#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace gallop {

// A tabular Markov decision process as a file describes it, ready for the environment `mdp`: its
// parameters n_states and n_actions, its time limit, its shared table.
struct MdpFile {
  int n_states = 0;
  int n_actions = 0;
  int horizon = 0;  // steps until truncation, 0 for none
  std::vector<float>
      table;  // [kMdpTableCapacity], laid out as kernels/environment/mdp_table.h says
};

inline constexpr size_t kLargestProblem = size_t{1} << 20;  // bytes

// Reads a description of at most 1 MiB, one statement a line, '#' beginning a comment:
//
//   states 3                           # 1 to 64
//   actions 2                          # 1 to 16
//   horizon 4                          # optional; without it episodes are not cut
//   start 1 0 0                        # probability of each initial state
//   step 0 1  -0.1  0.1 0.8 0.1        # state, action, reward, probability of each next state
//   terminal 2                         # optional, repeatable: the episode ends on arrival
//
// `states` and `actions` come first; every (state, action) has exactly one `step`, in any order;
// terminal states need one too, for an episode may start there. Probabilities lie in [0, 1] and sum
// to 1 within 1e-6. Throws a value error that names the line for everything else.
MdpFile parse_mdp(std::string_view text, std::string_view origin);

// Reads the file at `path`; throws an I/O error where that fails.
MdpFile read_mdp_file(const std::string& path);

}  // namespace gallop
