#pragma once

#include <string>
#include <vector>

#include <gallop/host/runtime/backend.h>
#include <gallop/host/training/run_folder.h>

namespace gallop {

// What computed a part of a run: when, by which program, where. Texts are UTF-8; empty where the
// system does not tell.
struct Provenance {
  std::string date;  // UTC, "2026-01-31T23:59:59Z"
  std::string version, commit, compiler, build_type;
  std::string device;
  int threads = 0;
  std::string processor, instructions, system, host;
  std::string folder;                // in which the command was given
  std::vector<std::string> command;  // its words
};

// Of this program, now.
Provenance provenance_of(const Backend& backend, int threads,
                         const std::vector<std::string>& command);

// The words as a shell takes them, in one line.
std::string command_text(const Provenance& provenance);

// Lines for the head of config.toml, each a comment.
std::string provenance_comment(const Provenance& provenance);

// Appends a line to sessions.jsonl of a run folder: what computes this part of the run. Throws an
// I/O error.
void record_session(const RunFolder& folder, const Provenance& provenance);

}  // namespace gallop
