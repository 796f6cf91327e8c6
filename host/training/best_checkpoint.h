#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include <gallop/host/files/tensor_file.h>
#include <gallop/host/training/run_folder.h>

namespace gallop {

// The best mean return of the evaluations during a run.
struct BestEvaluation {
  double mean = 0;
  std::uint64_t step = 0;  // of the policy that had it
};

// The checkpoint of the policy that evaluated best: best.safetensors in a run's folder, the state
// of that step in the format of checkpoints, with the text "eval_return". Of equal ones the first.
class BestCheckpoint {
 public:
  // Goes on with the one that there is; a damaged one is warned of, and the next evaluation takes
  // its place. The folder outlives this.
  BestCheckpoint(const RunFolder& folder, const std::function<void(const std::string&)>& warn);

  // Writes `state` durably where the evaluation is better than the best one before. Throws an I/O
  // error; then the earlier one is intact.
  void offer(const BestEvaluation& evaluation, const std::function<TensorFile()>& state);

  const std::optional<BestEvaluation>& best() const { return best_; }

 private:
  const RunFolder& folder_;
  std::optional<BestEvaluation> best_;
};

}  // namespace gallop
