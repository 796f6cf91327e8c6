// Episodes of populations on the CPU (rollout/population_request.h). Scratch states are reset, and
// those that ended stand still until all of a block have. The bits are those of rollouts under each
// member's parameters: neither the form below nor threads nor how a population is split changes
// any.
#pragma once

#include <gallop/kernels/policy/act.h>
#include <gallop/kernels/population/members.h>
#include <gallop/kernels/population/panel_network.h>
#include <gallop/kernels/rollout/episode_block.h>

namespace gallop::inline GALLOP_ISA {

// Forms of evaluation. With as many episodes as lanes, or too few members to fill them, lanes hold
// the episodes of one member, whose policy acts as that of a rollout does. Else lanes hold members.
template <class F>
struct PopulationForm {
  static constexpr long kW = kLanesOf<F>;
  static constexpr int kTogether = 256;         // episodes of a member that are played together
  static constexpr long kPanelBytes = 3 << 19;  // that stay in the second cache

  bool by_member;
  bool pairs;
  int registers;  // of a block of instances
  int members;    // of a task, if not by member
  long per_member, tasks;

  explicit PopulationForm(const PopulationRequest& r) {
    const Population& p = r.population;
    const long episodes = r.episodes, rows = (episodes + kW - 1) / kW;
    // A panel that the second cache does not hold is read from memory at every step; where a step
    // of the environment takes little, it may rather be made with empty lanes.
    const bool streams = long(sizeof(float)) * kW * p.n_parameters > kPanelBytes;
    by_member = kW == 1 || p.n_members * rows <= (p.n_members + kW - 1) / kW * episodes ||
                4 * episodes >= 3 * kW * rows || (streams && !r.environment->spec->long_steps);
    pairs = !by_member && episodes == 1 && p.mirrored != 0 && p.members == nullptr;
    members = int(pairs ? 2 * kW : kW);
    per_member = (episodes + kTogether - 1) / kTogether;
    tasks = by_member ? p.n_members * per_member : (p.n_members + members - 1) / members;
    const long together = episodes < kTogether ? episodes : kTogether;
    registers = int(by_member ? (together + kW - 1) / kW : pairs ? 2 : episodes);
  }
};

// One member, lanes over its episodes.
template <class F>
class MemberEpisodes {
 public:
  static long floats(const PopulationRequest& r, const PopulationForm<F>& form) {
    const Population& p = r.population;
    return EpisodeBlock<F>::floats(r, form.registers * kLanesOf<F>) + whole_lines(p.n_parameters) +
           whole_lines(Noise<F>::run_floats(p)) + whole_lines(Noise<F>::scratch(p)) +
           whole_lines(2L * widest(p.shape.network) * 32);
  }

  MemberEpisodes(const PopulationRequest& request, const PopulationForm<F>& form, float* memory)
      : r(request) {
    const Population& p = r.population;
    row = memory + EpisodeBlock<F>::floats(r, form.registers * kLanesOf<F>);
    eps = row + whole_lines(p.n_parameters);
    factors = eps + whole_lines(Noise<F>::run_floats(p));
    act_scratch = factors + whole_lines(Noise<F>::scratch(p));
    block_memory = memory;
  }

  // Episodes [first, last) of a member.
  void run(int member, int first, int last) {
    constexpr int kW = kLanesOf<F>;
    const int n = last - first, columns = (n + kW - 1) / kW * kW;
    EpisodeBlock<F> block(r, columns, block_memory);
    for (int i = 0; i < columns; i++) block.set(i, member, i < n ? first + i : last - 1);
    block.n_played = n;
    const ActRequest request = {
        {r.population.shape, parameters(member), r.population.normalization},
        n,
        block.observation,
        block.stride,
        block.action,
        block.stride,
        nullptr,
        r.deterministic,
        r.scenario.seed,
        {0, block.policy_ids},
        block.batch.episode,
        block.batch.elapsed,
        act_scratch};
    block.play([&] { act<F>(request); });
    for (int i = 0; i < n; i++) block.keep(i);
  }

 private:
  const float* parameters(int member) {
    const Population& p = r.population;
    if (p.members != nullptr) return p.members + long(member) * p.n_parameters;
    if (member == made) return row;
    const Noise<F> noise(p, factors);
    const long run = Noise<F>::run(p);
    for (long k = 0; k < p.n_parameters; k += run) {
      const long last = k + run < p.n_parameters ? k + run : p.n_parameters;
      noise.write(pair_of(p, member), k, last, eps);
      perturb<F>(p, is_mirror(p, member), k, last, eps, row + k);
    }
    made = member;
    return row;
  }

  const PopulationRequest& r;
  float *row, *eps, *factors, *act_scratch, *block_memory;
  int made = -1;
};

// A register of members, or of mirrored pairs, and all their episodes.
template <class F>
class PanelEpisodes {
 public:
  static constexpr int kW = kLanesOf<F>;
  using Network = PanelNetwork<F>;

  static long floats(const PopulationRequest& r, const PopulationForm<F>& form) {
    const NetworkShape& shape = r.population.shape.network;
    return EpisodeBlock<F>::floats(r, form.registers * kW) +
           whole_lines(Panel<F>::floats(r.population)) +
           whole_lines(Network::input_floats(shape, form.registers)) +
           whole_lines(Network::output_floats(shape, form.registers)) + Network::unit_floats(shape);
  }

  PanelEpisodes(const PopulationRequest& request, const PopulationForm<F>& form_,
                const PanelPlan& plan, float* memory)
      : r(request),
        form(form_),
        block(request, form_.registers * kW, memory),
        panel(request.population, plan,
              memory + EpisodeBlock<F>::floats(request, form_.registers * kW)),
        network(panel, form_.registers) {
    const NetworkShape& shape = r.population.shape.network;
    a = panel.line + whole_lines(Panel<F>::floats(r.population));
    b = a + whole_lines(Network::input_floats(shape, form.registers));
    units = b + whole_lines(Network::output_floats(shape, form.registers));
  }

  void run(int first) {
    const int last = r.population.n_members - 1;
    const auto member_of = [&](int i) {
      const int lane = i % kW;
      return form.pairs ? first + 2 * lane + i / kW : first + lane;
    };
    for (int i = 0; i < block.n; i++) {
      const int m = member_of(i), past = form.pairs ? last - (1 - i / kW) : last;
      block.set(i, m <= last ? m : past, form.pairs ? 0 : i / kW);
    }
    panel.make(first);
    block.play([&] { act(); });
    for (int i = 0; i < block.n; i++) {
      if (member_of(i) <= last) block.keep(i);
    }
  }

 private:
  void act() {
    const PolicyShape& shape = r.population.shape;
    load_inputs();
    network.forward(a, b, units, block.batch.ended);
    const int n_out = outputs_of(shape.network), n_actions = shape.n_actions;
    const int rows = action_rows(shape);
    for (int e = 0; e < form.registers; e++) {
      F output[kMaxOutputs], log_std[kMaxOutputs], action[kMaxOutputs];
      for (int j = 0; j < n_out; j++) {
        output[j] = load_lanes(b + (long(j) * form.registers + e) * kW, kW, F());
      }
      choose(e, n_actions, output, log_std, action);
      for (int j = 0; j < rows; j++) {
        store_lanes(block.action + j * block.stride + e * kW, action[j], kW);
      }
    }
  }

  // As act() of policy/act.h does.
  void choose(int e, int n_actions, const F* output, F* log_std, F* action) {
    const PolicyShape& shape = r.population.shape;
    if (is_discrete(shape.head) && r.deterministic != 0) {
      action[0] = to_real(categorical_mode(output, n_actions));
      return;
    }
    if (shape.head == Head::kGaussian) {
      const long first = layer_offset(shape.network, shape.network.n_layers);
      for (int k = 0; k < n_actions; k++) log_std[k] = network.head_parameter(first + k, e);
    } else {
      log_std_of(shape.head, n_actions, output, static_cast<const float*>(nullptr), log_std);
    }
    Rng<F> rng(r.scenario.seed, kRandomAction, load_words(block.policy_ids + e * kW, kW, Word<F>()),
               load_words(block.batch.episode + e * kW, kW, Word<F>()),
               to_word(load_words(block.batch.elapsed + e * kW, kW, Int<F>())));
    choose_action(shape.head, n_actions, output, log_std, r.deterministic != 0, rng, action);
  }

  void load_inputs() {
    const NetworkShape& shape = r.population.shape.network;
    const bool tabular = shape.kind == NetworkKind::kTabular;
    for (int k = 0; k < block.obs_rows; k++) {
      for (int i = 0; i < block.n; i += kW) {
        const F x = load_lanes(block.observation + k * block.stride + i, kW, F());
        store_lanes(a + long(k) * block.n + i,
                    tabular ? x : normalize(r.population.normalization, k, x), kW);
      }
    }
  }

  const PopulationRequest& r;
  const PopulationForm<F>& form;
  EpisodeBlock<F> block;
  Panel<F> panel;
  Network network;
  float *a, *b, *units;
};

template <class F>
void evaluate_by_member(const PopulationRequest& r, const PopulationForm<F>& form,
                        const CpuWork& on) {
  const long scratch = whole_lines(MemberEpisodes<F>::floats(r, form));
  float* const memory = on.floats(on.owner, on.n_threads * scratch);
  split(on, form.tasks, 1, [&](int thread, long begin, long end) {
    MemberEpisodes<F> episodes(r, form, memory + thread * scratch);
    for (long task = begin; task < end; task++) {
      const int first = int(task % form.per_member) * form.kTogether;
      const int last = first + form.kTogether < r.episodes ? first + form.kTogether : r.episodes;
      episodes.run(int(task / form.per_member), first, last);
    }
  });
}

template <class F>
void evaluate_by_panel(const PopulationRequest& r, const PopulationForm<F>& form,
                       const CpuWork& on) {
  const Population& p = r.population;
  const long d = whole_lines(p.n_parameters);
  const long scratch = whole_lines(PanelEpisodes<F>::floats(r, form));
  float* const memory = on.floats(on.owner, 3 * d + on.n_threads * scratch);
  auto* const place = reinterpret_cast<std::uint32_t*>(memory);
  order_parameters<F>(p.shape, place);
  PanelPlan plan = {form.pairs, place, memory + d, p.sigma != nullptr ? memory + 2 * d : nullptr};
  for (long k = 0; form.pairs && k < p.n_parameters; k++) {
    plan.center[place[k]] = p.center[k];
    if (plan.sigma != nullptr) plan.sigma[place[k]] = p.sigma[k];
  }
  split(on, form.tasks, 1, [&](int thread, long begin, long end) {
    PanelEpisodes<F> episodes(r, form, plan, memory + 3 * d + thread * scratch);
    for (long task = begin; task < end; task++) episodes.run(int(task) * form.members);
  });
}

template <class F>
void evaluate_population(const PopulationRequest& r, const CpuWork& on) {
  const PopulationForm<F> form(r);
  if (form.by_member) {
    evaluate_by_member<F>(r, form, on);
  } else {
    evaluate_by_panel<F>(r, form, on);
  }
}

}  // namespace gallop::inline GALLOP_ISA
