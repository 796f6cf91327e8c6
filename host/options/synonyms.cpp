#include <gallop/host/options/synonyms.h>

#include <fmt/format.h>

#include <algorithm>

#include <gallop/host/options/nearest.h>

namespace gallop {
namespace {

// Names of ours, best first, with the words that textbooks and other programs use for them.
struct Synonyms {
  std::string_view names;
  std::string_view words;
};

constexpr Synonyms kSynonyms[] = {
    {"environment", "env env_id env_name environment_id environment_name gym_id task game domain"},
    {"algorithm", "algo alg algorithm_name agent method learner trainer"},
    {"seed", "random_seed rng_seed random_state rng seeds s"},
    {"steps",
     "total_timesteps timesteps total_steps max_steps num_timesteps n_timesteps max_timesteps "
     "total_env_steps env_steps environment_steps time_steps frames total_frames num_frames "
     "max_frames train_steps training_steps iterations iters n_iterations num_iterations n_iters "
     "max_iterations max_iters n_iter generations n_generations num_generations max_generations "
     "updates n_updates num_updates episodes n_episodes "
     "num_episodes max_episodes num_env_steps step_count budget"},
    {"threads",
     "n_threads num_threads nthreads thread workers n_workers num_workers cpus n_cpus num_cpus "
     "n_cpu num_cpu cores n_cores num_cores jobs n_jobs num_jobs processes n_processes"},
    {"device", "gpu cuda cpu gpus use_gpu use_cuda accelerator backend platform"},
    {"mode", "precision fp16 bf16 tf32 fp32 deterministic strict fast"},
    {"eval_episodes",
     "n_eval_episodes num_eval_episodes evaluation_episodes n_evaluation_episodes test_episodes "
     "eval_eps"},
    {"eval_interval",
     "eval_freq eval_every eval_frequency evaluation_interval evaluate_every test_interval "
     "eval_period"},
    {"stop_return",
     "target_return reward_threshold solved_at stop_reward target_reward early_stop "
     "early_stopping threshold goal_return return_threshold stop_at"},
    {"checkpoint_interval",
     "save_freq save_interval save_every checkpoint_freq checkpoint_every checkpoint_frequency "
     "save_frequency"},
    {"time_limit",
     "max_time max_seconds max_runtime max_hours max_minutes time_budget timeout walltime "
     "wall_time max_walltime"},
    {"init_from",
     "pretrained warm_start finetune fine_tune finetune_from initialize_from initialise_from "
     "init_policy load_policy start_from transfer_from"},
    {"log_interval",
     "log_freq log_every log_frequency logging_interval log_every_n_steps logging_steps log_rate"},
    {"keep",
     "keep_checkpoints max_checkpoints n_checkpoints num_checkpoints save_total_limit keep_last "
     "keep_last_n max_to_keep checkpoints_to_keep"},
    {"n_envs",
     "num_envs nenvs envs n_env num_env number_of_envs n_environments num_environments "
     "environments env_count parallel_envs n_parallel num_parallel n_actors num_actors n_agents "
     "instances n_instances num_instances vec_envs"},
    {"n_steps",
     "num_steps nsteps rollout_length rollout_len rollout_steps rollout unroll_length unroll "
     "horizon steps_per_env steps_per_rollout t_max trajectory_length rollout_fragment_length "
     "steps_per_epoch n_rollout_steps num_rollout_steps"},
    {"gamma", "discount discount_factor discount_rate discounting"},
    {"gae_lambda", "lambda lam gae lambda_ gae_lam td_lambda tau lmbda"},
    {"hidden",
     "hidden_sizes hidden_size hidden_dim hidden_dims hidden_units hidden_layers layers n_layers "
     "num_layers layer_sizes net_arch network net architecture arch units width mlp policy_kwargs "
     "n_hidden num_hidden policy_hidden actor_hidden hid"},
    {"value_hidden",
     "critic_hidden vf_hidden value_net value_layers critic_layers vf_arch critic_sizes"},
    {"activation", "act act_fn activation_fn activation_function nonlinearity nonlin"},
    {"init_log_std log_std",
     "log_std_init init_std std initial_std action_std action_std_init init_noise_std std_init "
     "sigma"},
    {"reward_scale",
     "reward_scaling reward_scaler scale_reward scale_rewards rew_scale reward_factor"},
    {"normalize_observations",
     "norm_obs obs_norm normalize_obs normalise_obs normalise_observations norm_observations "
     "observation_normalization obs_normalization vecnormalize vec_normalize state_norm "
     "normalize_states normalize normalization"},
    {"normalize_rewards",
     "norm_reward norm_rewards reward_norm normalize_reward normalise_reward normalise_rewards "
     "reward_normalization rew_norm normalize_returns"},
    {"normalize_advantages",
     "norm_adv adv_norm normalize_adv normalize_advantage normalise_advantage "
     "normalise_advantages advantage_normalization whiten_advantages"},
    {"learning_rate step delta value_learning_rate",
     "lr alpha step_size stepsize policy_lr actor_lr pi_lr lr_actor lr_policy adam_lr eta"},
    {"value_learning_rate", "vf_lr v_lr critic_lr value_lr lr_critic lr_v lr_value baseline_lr"},
    {"anneal",
     "anneal_lr lr_anneal lr_annealing lr_decay lr_schedule schedule decay learning_rate_decay "
     "learning_rate_schedule anneal_learning_rate linear_decay"},
    {"epochs value_epochs",
     "n_epochs num_epochs epoch update_epochs k_epochs ppo_epochs ppo_epoch noptepochs "
     "n_opt_epochs "
     "optimization_epochs train_iters train_pi_iters opt_epochs"},
    {"value_epochs", "train_v_iters vf_iters value_iters vf_epochs critic_epochs n_critic_updates"},
    {"minibatch value_minibatch",
     "batch_size batchsize batch minibatch_size mini_batch_size mini_batch minibatches "
     "sgd_minibatch_size bs num_minibatches n_minibatches"},
    {"batch_size", "batchsize batch minibatch minibatch_size mini_batch_size bs sample_batch_size"},
    {"buffer_size", "buffer replay_size replay_buffer_size replay_capacity memory_size capacity"},
    {"learning_starts",
     "start_steps warmup warmup_steps random_steps update_after initial_steps start_timesteps "
     "min_replay_size"},
    {"train_freq", "train_frequency update_every update_interval update_freq"},
    {"gradient_steps", "grad_steps updates_per_step utd utd_ratio replay_ratio"},
    {"tau", "soft_tau target_update_rate soft_update soft_update_tau"},
    {"policy_delay", "policy_frequency policy_freq actor_update_freq"},
    {"exploration_noise", "act_noise action_noise expl_noise noise_std noise_sigma"},
    {"target_noise", "policy_noise target_policy_noise"},
    {"target_noise_clip", "noise_clip"},
    {"initial_entropy_coefficient", "init_alpha init_temperature initial_alpha"},
    {"value_clip", "clip_range_vf cliprange_value clip_value vf_clip vf_clip_param clip_vloss"},
    {"randomize",
     "domain_randomization domain_randomisation randomise randomization randomisation ranges"},
    {"clip",
     "clip_range cliprange clip_eps clip_epsilon clip_ratio clip_coef clip_param epsilon eps "
     "clipping ppo_clip"},
    {"entropy_coefficient",
     "entropy ent_coef ent_coeff entropy_coef entropy_coeff entropy_weight entropy_bonus "
     "entropy_cost entropy_beta entropy_regularization c2"},
    {"max_gradient_norm",
     "max_grad_norm grad_norm grad_clip gradient_clip clip_grad clip_gradient clip_grad_norm "
     "gradient_clipping grad_norm_clip max_norm clip_norm gradient_norm"},
    {"step", "optimizer optimiser optim update_rule"},
    {"population directions",
     "popsize pop_size population_size lambda_ n_members n_population npop n_directions "
     "num_directions deltas n_deltas"},
    {"sigma nu", "sigma0 sigma_init noise_std noise_stdev std_noise delta_std perturbation_std"},
    {"weight_decay", "l2 l2coeff l2_coeff wd weight_penalty"},
    {"elite_fraction", "elite elites elite_frac rho n_elite best_frac elite_ratio"},
    {"reward_shift", "shift_reward survival_bonus alive_bonus"},
    {"baseline", "critic value_baseline"},
    {"estimator", "advantage advantage_estimator"},
    {"n", "n_step nstep n_step_return lookahead"},
    {"delta target_kl",
     "max_kl target_kl kl kl_target kl_limit trust_region trust_region_radius radius"},
    {"damping", "cg_damping fisher_damping damping_coeff damping_coef"},
    {"cg_iterations", "cg_iters cg_iter cg_steps cg_max_steps cg n_cg"},
    {"cg_tolerance", "cg_tol residual_tol cg_residual_tol"},
    {"backtracks",
     "backtrack_iters line_search_iters max_backtracks line_search_steps backtracking "
     "line_search_max_iter"},
    {"backtrack_factor",
     "backtrack_coeff backtrack_coef backtrack_ratio line_search_coef "
     "line_search_shrinking_factor"},
    {"beta", "kl_coef kl_coeff kl_penalty kl_weight initial_beta"},
    {"adapt", "adaptive adaptive_kl"},
    {"cuda", "gpu nvidia"},  // of the choices of device
};

struct Missing {
  std::string_view words, why;
};

constexpr Missing kMissing[] = {
    {"vf_coef vf_coeff value_coef value_loss_coef value_loss_coeff critic_coef c1",
     "the value network shares nothing with the policy, so its loss has no weight; its step is "
     "value_learning_rate"},
    {"adam_eps adam_epsilon beta1 beta2 adam_beta1 adam_beta2 momentum weight_decay",
     "Adam has its usual constants: moments of 0.9 and 0.999, an epsilon of 1e-8"},
};

bool has_word(std::string_view list, std::string_view word) {
  while (!list.empty()) {
    const std::size_t blank = std::min(list.find(' '), list.size());
    if (list.substr(0, blank) == word) return true;
    list.remove_prefix(std::min(blank + 1, list.size()));
  }
  return false;
}

}  // namespace

std::vector<std::string> names_meant(std::string_view given, std::span<const std::string> known) {
  const std::string word = folded_name(given);
  std::vector<std::string> result;
  for (const Synonyms& s : kSynonyms) {
    if (!has_word(s.words, word)) continue;
    std::string_view names = s.names;
    while (!names.empty()) {
      const std::size_t blank = std::min(names.find(' '), names.size());
      const std::string name(names.substr(0, blank));
      names.remove_prefix(std::min(blank + 1, names.size()));
      const bool there = std::find(known.begin(), known.end(), name) != known.end();
      if (there && std::find(result.begin(), result.end(), name) == result.end()) {
        result.push_back(name);
      }
    }
  }
  return result;
}

std::string why_missing(std::string_view word) {
  for (const Missing& m : kMissing) {
    if (has_word(m.words, folded_name(word))) return std::string(m.why);
  }
  return "";
}

std::string what_is_meant(std::string_view word, std::span<const std::string> known) {
  const std::vector<std::string> meant = names_meant(word, known);
  if (!meant.empty()) return fmt::format(": it is called '{}' here", meant.front());
  return did_you_mean(word, known);
}

}  // namespace gallop
