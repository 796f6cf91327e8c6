#pragma once

#include <string>
#include <vector>

#include <gallop/host/runtime/backend.h>
#include <gallop/host/training/run_folder.h>

namespace gallop {

// Appends a line to sessions.jsonl of a run folder: when, with which program, compiled how, on
// which machine and device, from which folder and with which command this part of the run was
// computed. Throws an I/O error.
void record_session(const RunFolder& folder, const Backend& backend, int threads,
                    const std::vector<std::string>& command);

}  // namespace gallop
