// Episodes as films: the recorded episode is that of an evaluation, every environment can be drawn,
// and what is in the picture is where the state says.
#include <gallop/host/rendering/film.h>

#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <set>

#include <gallop/host/error.h>
#include <gallop/host/learning/algorithm.h>
#include <gallop/host/learning/evaluate.h>
#include <gallop/host/registry/generated.h>
#include <gallop/host/registry/registry.h>
#include <gallop/host/rendering/canvas.h>
#include <gallop/host/rendering/colors.h>
#include <gallop/host/rendering/film_file.h>
#include <gallop/host/rendering/replay.h>
#include <gallop/host/report/player.h>
#include <gallop/host/training/run_options.h>
#include <gallop/kernels/tables/environment_table_impl.h>
#include "tests/rendering/gif_decoder.h"

namespace gallop::inline GALLOP_ISA {

// Environments of a test's own: one whose parameter tau is its time step, and one of a fixed step.
struct Drift {
  static constexpr const char* kName = "drift";
  static constexpr const char* kAliases = "";
  static constexpr const char* kSource = "this test";
  static constexpr const char* kTimeStep = "tau";
  static constexpr int kTimeLimit = 40;
  static constexpr ComponentSpec kObservation[] = {{"x", -1e3, 1e3}};
  static constexpr int kNumActions = 1;
  static constexpr const char* kStateNames[] = {"x"};
  static constexpr ParameterSpec kParameters[] = {
      {"speed", 1, 0, 10, "m/s", "of x"}, {"tau", 0.5, 1e-6, 1, "s", "time between two steps"}};
  template <class F>
  struct Parameters {
    F speed, tau;
  };
  template <class F>
  struct State {
    F x;
  };
  template <class F>
  static void reset(const Parameters<F>&, State<F>& s, Rng<F>&) {
    s.x = real<F>(0.0);
  }
  template <class F>
  static Outcome<F> step(const Parameters<F>& p, State<F>& s, Int<F>, Rng<F>&) {
    s.x = fmadd(p.speed, p.tau, s.x);
    return {real<F>(1.0), mask_of<F>(false)};
  }
  template <class F>
  static void observe(const Parameters<F>&, const State<F>& s, F* observation) {
    observation[0] = s.x;
  }
};
struct SlowDrift : Drift {
  static constexpr double kTimeStep = 0.25;
};

}  // namespace gallop::inline GALLOP_ISA

namespace gallop::testing {
namespace {

using Actions = EpisodeRequest::Actions;

Episode played(const std::string& environment, Actions actions, std::uint64_t seed = 1,
               long max_steps = 10000) {
  EpisodeRequest request;
  request.environment = &find_environment(environment);
  request.actions = actions;
  request.seed = seed;
  request.max_steps = max_steps;
  const std::unique_ptr<Backend> backend = make_cpu_backend(1);
  return record_episode(*backend, request);
}

nlohmann::json film_in(const std::string& html) {
  const std::string open = "<script type=\"application/json\">";
  const std::size_t begin = html.find(open) + open.size();
  return nlohmann::json::parse(html.substr(begin, html.find("</script>", begin) - begin));
}

TEST(Episode, IsTheOneOfAnEvaluation) {
  for (const char* environment : {"cartpole", "acrobot", "pendulum", "mdp", "lqr"}) {
    const RunOptions options(environment, "ppo");
    const std::unique_ptr<Backend> backend = make_cpu_backend(2);
    const std::unique_ptr<Algorithm> algorithm = options.algorithm().create(
        {*backend, options.environment(), options.values(), 5, options.configure()});
    for (const bool deterministic : {true, false}) {
      const Evaluation evaluation =
          evaluate_policy(*backend, options.environment(), algorithm->policy(), 4, 9, deterministic,
                          options.configure());
      for (int k = 0; k < 4; k++) {
        EpisodeRequest request;
        request.environment = &options.environment();
        request.configure = options.configure();
        request.policy = algorithm->policy();
        request.deterministic = deterministic;
        request.seed = 9;
        request.number = std::uint32_t(k);
        const Episode episode = record_episode(*backend, request);
        EXPECT_EQ(episode.length(), evaluation.lengths[k]) << environment << " " << k;
        EXPECT_NEAR(episode.return_before(episode.length()), evaluation.returns[k],
                    1e-4 * (1 + std::abs(evaluation.returns[k])))
            << environment << " " << k;
        EXPECT_TRUE(episode.ended());
        EXPECT_EQ(episode.states.size(), episode.rewards.size() + 1);
        EXPECT_EQ(episode.actions.size(), episode.rewards.size());
      }
    }
  }
}

TEST(Episode, RandomAndZeroActions) {
  const Episode a = played("cartpole", Actions::kRandom), b = played("cartpole", Actions::kRandom);
  EXPECT_EQ(a.states, b.states);
  EXPECT_NE(a.states, played("cartpole", Actions::kRandom, 2).states);
  std::set<float> seen;
  for (const auto& action : a.actions) seen.insert(action[0]);
  EXPECT_EQ(seen.size(), 2u);
  const Episode zero = played("pendulum", Actions::kZero);
  EXPECT_EQ(zero.length(), 200);
  EXPECT_TRUE(zero.truncated);
  for (const auto& action : zero.actions) EXPECT_EQ(action[0], 0.0f);
  // The state that ended the episode is the last one, not that of a reset.
  EXPECT_GT(std::abs(a.state(a.length(), "theta")), 0.2);
  const Episode cut = played("pendulum", Actions::kRandom, 1, 7);
  EXPECT_EQ(cut.length(), 7);
  EXPECT_FALSE(cut.ended());
  EpisodeRequest explosive;
  explosive.environment = &find_environment("lqr");
  explosive.configure = [](Environments& environments) { environments.set_parameter("a", 1e6); };
  explosive.actions = Actions::kZero;
  const std::unique_ptr<Backend> backend = make_cpu_backend(1);
  const Episode broken = record_episode(*backend, explosive);
  EXPECT_GT(broken.nonfinite_step, 1);
  EXPECT_EQ(broken.length(), broken.nonfinite_step - 1);
  for (const auto& state : broken.states) EXPECT_TRUE(std::isfinite(state[0]));
  EXPECT_THROW(cut.state(0, "no_such"), Error);
  EXPECT_THROW(cut.parameter("no_such"), Error);
}

TEST(Film, ShowsEveryEnvironment) {
  for (const EnvironmentEntry* entry : all_environments()) {
    const std::string name = spec_of(*entry).name;
    const Episode episode = played(name, Actions::kRandom, 3, 40);
    EXPECT_EQ(episode.nonfinite_step, -1) << name;
    FilmSettings settings;
    settings.width = 160;
    settings.height = 120;
    const Film film(episode, settings);
    ASSERT_GT(film.n_frames(), 1) << name;
    for (int k = 0; k < film.n_frames(); k++) {
      EXPECT_GT(film.picture(k).figures.size(), 4u) << name;  // not the texts alone
    }
    // A GIF of it shows what was drawn, but for the nearest colours.
    const DecodedGif gif = decode_gif(gif_bytes(film));
    ASSERT_EQ(int(gif.frames.size()), film.n_frames()) << name;
    Canvas canvas(160, 120);
    for (int k = 0; k < film.n_frames(); k++) {
      canvas.draw(film.picture(k));
      double off = 0;
      for (std::size_t i = 0; i < canvas.pixels().size(); i++) {
        off += std::abs(canvas.pixels()[i] - gif.frames[k].pixels[i]);
      }
      EXPECT_LT(off / double(canvas.pixels().size()), 1) << name << " frame " << k;
    }
    const nlohmann::json replay = nlohmann::json::parse(replay_json(film));
    EXPECT_EQ(int(replay["frames"].size()), film.n_frames()) << name;
  }
}

TEST(Film, PutsThePoleWhereTheStateSays) {
  const Episode episode = played("cartpole", Actions::kZero);
  const Film film(episode, {});
  const int last = film.n_frames() - 1;
  const double x = episode.state(episode.length(), "x");
  const double theta = episode.state(episode.length(), "theta");
  // The track's 4.8 m and a margin of 15 % are the width; the camera's height is 0.55 of its half.
  const double pixels = 240 / (1.15 * 2.4), middle = 0.55 * 0.75 * 1.15 * 2.4;
  const auto place = [&](double along) {
    const double px = 240 + pixels * (x + along * std::sin(theta));
    const double pz = 180 - pixels * (0.33 + along * std::cos(theta) - middle);
    return std::pair<int, int>(int(px), int(pz));
  };
  Canvas canvas(480, 360);
  canvas.draw(film.picture(last));
  const auto [tip_x, tip_y] = place(1.0);
  EXPECT_TRUE(canvas.at(tip_x, tip_y) == kOrange);
  const auto [mid_x, mid_y] = place(0.5);
  EXPECT_TRUE(canvas.at(mid_x, mid_y) == kOrange);
  const auto [above_x, above_y] = place(1.1);
  EXPECT_TRUE(canvas.at(above_x, above_y) == kPaper);
  EXPECT_GT(std::abs(theta), 0.2);
}

TEST(Film, PlaysAsFastAsTheWorld) {
  const Episode episode = played("pendulum", Actions::kZero);  // 200 steps of 0.05 s
  const auto frames = [&](FilmSettings settings) {
    const Film film(episode, settings);
    EXPECT_EQ(film.step_of(0), 0);
    EXPECT_EQ(film.step_of(film.n_frames() - 1), 200);
    for (int k = 1; k < film.n_frames(); k++) EXPECT_GE(film.step_of(k), film.step_of(k - 1));
    EXPECT_NEAR(film.n_frames() / film.fps(), 10, 1.5 / film.fps() + 1e-9);
    return film.n_frames();
  };
  EXPECT_EQ(frames({}), 201);  // one a step
  FilmSettings settings;
  settings.most_fps = 10;
  EXPECT_EQ(frames(settings), 101);
  settings.fps = 40;
  EXPECT_EQ(frames(settings), 401);
  settings.fps = 0.3;
  EXPECT_EQ(frames(settings), 4);
  FilmSettings few;
  few.most_frames = 50;
  EXPECT_EQ(frames(few), 50);
}

const EnvironmentTable* drift_table() { return &EnvironmentFunctions<Drift>::kTable; }
const EnvironmentTable* slow_table() { return &EnvironmentFunctions<SlowDrift>::kTable; }
const EnvironmentEntry kDrift = {"Drift", {drift_table}, nullptr, nullptr};
const EnvironmentEntry kSlowDrift = {"SlowDrift", {slow_table}, nullptr, nullptr};

Episode drifting(const EnvironmentEntry& entry, double tau) {
  Episode episode;
  episode.environment = &entry;
  episode.parameters = {1, tau};
  episode.states.assign(41, {0.5f});
  episode.actions.assign(40, {0.0f});
  episode.rewards.assign(40, -1.0f);
  return episode;
}

std::string corner_of(const Film& film) {
  return film.picture(film.n_frames() - 1).figures.back().text;
}

TEST(Film, AnEnvironmentDeclaresItsTimeStep) {
  EXPECT_EQ(drifting(kDrift, 0.125).time_step(), 0.125);
  EXPECT_EQ(drifting(kSlowDrift, 0.125).time_step(), 0.25);
  for (const char* name : {"cartpole", "acrobot", "pendulum"}) {
    Episode episode = played(name, Actions::kZero, 1, 3);
    const int k = episode.spec().time_step_parameter;
    ASSERT_GE(k, 0) << name;
    EXPECT_STREQ(episode.spec().parameters[k].unit, "s") << name;
    EXPECT_EQ(episode.time_step(), episode.spec().parameters[k].value) << name;
  }
  EXPECT_EQ(played("lqr", Actions::kZero).time_step(), 0);

  const Episode episode = drifting(kSlowDrift, 0.125);
  const Film film(episode, {});
  EXPECT_EQ(film.fps(), 4);
  EXPECT_EQ(film.n_frames(), 41);
  EXPECT_NE(corner_of(film).find("step 40  10.00 s"), std::string::npos) << corner_of(film);
  const Episode quick = drifting(kDrift, 0.125);
  EXPECT_EQ(Film(quick, {}).fps(), 8);
  EXPECT_NE(corner_of(Film(quick, {})).find("5.00 s"), std::string::npos);
  // Without a time of its own it has a pace, and no seconds.
  const Episode timeless = played("lqr", Actions::kZero);
  EXPECT_TRUE(corner_of(Film(timeless, {})).starts_with("step 10  return "));
}

TEST(Replay, HoldsEveryFrameAndNeedsNothingElse) {
  const Episode episode = played("mountain_car_continuous", Actions::kRandom);
  FilmSettings settings;
  settings.most_frames = kMostReplayFrames;
  const Film film(episode, settings);
  const std::string html = film_page(film, "<title>", "& more");
  EXPECT_EQ(html, film_page(film, "<title>", "& more"));
  EXPECT_NE(html.find("&lt;title&gt;"), std::string::npos);
  for (const char* outside : {"http", "src=", "href=", "import", "fetch"}) {
    EXPECT_EQ(html.find(outside), std::string::npos) << outside;
  }
  const nlohmann::json replay = film_in(html);
  EXPECT_EQ(replay["frames"].size(), 500u);
  EXPECT_NEAR(replay["fps"].get<double>(), film.fps(), 1e-3);
  const std::size_t n_figures = replay["figures"].size(), n_styles = replay["styles"].size();
  EXPECT_LT(n_figures, 500u * 12);  // what stands still is stored once
  for (const auto& frame : replay["frames"]) {
    EXPECT_GT(frame.size(), 5u);
    for (const auto& figure : frame) EXPECT_LT(figure.get<std::size_t>(), n_figures);
  }
  for (const auto& figure : replay["figures"]) {
    EXPECT_LE(figure[0].get<int>(), 3);
    EXPECT_LT(figure[1].get<std::size_t>(), n_styles);
    EXPECT_GE(figure.size(), 5u);
  }
}

}  // namespace
}  // namespace gallop::testing
