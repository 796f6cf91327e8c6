// Black-box optimisation by asking and telling: an optimizer proposes a population of points, is
// told how good each is, and moves. It maximises, and knows nothing of what a point is: parameters
// of a policy, arguments of a function.
//
//   optimizer->ask(candidates);                 // P members of D parameters
//   make_points(backend, candidates);           // on the host, where they are wanted there
//   for (...) fitness[m] = f(candidates.point(m));
//   optimizer->tell(fitness);
//
// One file a method in algorithms/black_box/; host/learning/optimize.h is that loop.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <gallop/host/learning/algorithm.h>
#include <gallop/kernels/policy/population.h>

namespace gallop {

// F^-1 g, by the metric of what the point parametrises. [D] -> [D]
using MetricSolution = std::function<std::vector<double>(std::span<const double> gradient)>;

// What an optimizer is made with. References outlive it.
struct OptimizerContext {
  Backend& backend;
  const Options& options;       // rows of its own table, with others beside them
  std::uint64_t seed;           // at most kMaxSeed
  std::vector<double> initial;  // [D] where the search begins; finite
  // Of policies; a network without layers for functions.
  PolicyShape shape = {};
  // At the centre of a policy; empty for functions.
  MetricSolution metric = {};
};

// Which members meet the same random numbers of whatever evaluates them.
enum class Scenarios {
  kOwn,     // each has its own
  kCommon,  // all of a generation have the same, the next one others
  kFixed    // all have the same for ever (PEGASUS)
};

// The population of one generation: points on the host, or perturbations in the memory of the
// optimizer's backend, which stand until the next ask, tell, skip or load.
struct Candidates {
  long dimension = 0;               // D
  int n = 0;                        // P
  std::vector<double> points = {};  // [P, D]; none for perturbations, before make_points
  Population population = {};       // of perturbations: its centre is not null
  Scenarios scenarios = Scenarios::kOwn;

  bool is_perturbed() const { return population.center != nullptr; }

  std::span<const double> point(int member) const {
    return std::span(points).subspan(std::size_t(member) * dimension, dimension);
  }
};

// An optimizer is a pure function of its context and of what it was told: equal bits on every
// machine, for any number of threads. Random numbers: purpose kRandomPerturbation
// (kernels/policy/population.h).
//
// Every call that throws leaves it as it was. A value error: the fitness is not of P numbers, or
// all of them are equal, which says nothing about a direction; non_finite: one is not a finite
// number, or the step would not be.
class BlackBoxOptimizer {
 public:
  explicit BlackBoxOptimizer(const OptimizerContext& context);
  virtual ~BlackBoxOptimizer() = default;

  Backend& backend() const { return backend_; }
  long dimension() const { return dimension_; }               // D
  virtual int population() const = 0;                         // P of the next generation
  std::uint64_t generation() const { return generation_; }    // that were told or skipped
  std::uint64_t evaluations() const { return evaluations_; }  // that were told or skipped

  // Fills in the population of this generation, the same one until tell or skip.
  virtual void ask(Candidates& candidates) = 0;
  // Learns from fitness [P], greater is better.
  void tell(std::span<const double> fitness);
  // Goes on to the next generation without learning from this one.
  void skip();

  // Where the search stands: the parameters that it would be judged by. [D]
  virtual std::vector<double> center() const = 0;
  // Whether a fitness that is equal for all members tells it something.
  virtual bool learns_from_constant() const { return false; }
  // Why going on is of no use, empty where it is.
  virtual std::string stop_reason() const { return ""; }
  // Whether observations of policies are to be normalised by what was seen in training, where the
  // method says so.
  virtual std::optional<bool> normalizes() const { return std::nullopt; }
  // Numbers of the last generation, besides those of its fitness.
  virtual Metrics metrics() const = 0;

  // Complete state: an optimizer that loads it goes on with the same bits. `load` throws a
  // checkpoint error that names the tensor where one is missing, of another size, or holds numbers
  // that no optimizer of these options can have.
  void save(TensorFile& file) const;
  void load(const TensorFile& file);

 protected:
  // Learns from a finite fitness [P], not constant unless learns_from_constant(); what it throws
  // leaves everything as it was.
  virtual void update(std::span<const double> fitness) = 0;
  virtual void save_state(TensorFile& file) const = 0;
  virtual void load_state(const TensorFile& file) = 0;  // may be left half done by an exception

  // After a load, a tell or a skip.
  virtual void moved() {}

  std::uint64_t seed() const { return seed_; }
  // eps of a member in this generation: standard normals [D], word for word those of a population
  // that the backend perturbs. Counter (member, generation, k / 4, 0).
  void normals(std::uint32_t member, std::span<double> eps) const;

 private:
  Backend& backend_;
  long dimension_;
  std::uint64_t seed_, generation_ = 0, evaluations_ = 0;
};

// Fills in the points of a population of perturbations.
void make_points(Backend& backend, Candidates& candidates);

// Members from the best to the worst; equal ones in the order of their numbers. [P]
std::vector<int> members_by_fitness(std::span<const double> fitness);

// Throws a value error where the population is smaller than the method can learn from.
void require_population(const char* method, std::int64_t population, std::int64_t least,
                        const char* why);

// Throws an Error (non_finite) that names `what` unless all are finite.
void require_finite(std::span<const double> values, const char* what);

}  // namespace gallop
