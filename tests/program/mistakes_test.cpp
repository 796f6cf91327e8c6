// The mistakes that a newcomer makes most often: each is answered with what would be right, or just
// works.
#include <gtest/gtest.h>

#include <filesystem>

#include "tests/host/temporary_folder.h"
#include "tests/training/program.h"

namespace gallop::testing {
namespace {

using test::put_file;
using test::TemporaryFolder;
using Words = std::vector<std::string>;

struct Mistake {
  Words words;  // @RUN stands for the folder of a run
  int code;
  Words answer;  // texts that have to be in the message
};

// For the parameter's name in the output of a failing test.
void PrintTo(const Mistake& mistake, std::ostream* stream) {
  *stream << "gallop";
  for (const std::string& word : mistake.words) *stream << " " << word;
}

const Mistake kRefused[] = {
    // Words of other programs for our flags and options.
    {{"train", "cartpole", "--lr", "1e-3"}, 2, {"'--lr'", "learning_rate", "--learning-rate"}},
    {{"train", "cartpole", "--set", "lr=1e-3"}, 2, {"'lr'", "learning_rate"}},
    {{"train", "cartpole", "--num-envs", "8"}, 2, {"n_envs", "--n-envs"}},
    {{"train", "cartpole", "--num_envs=8"}, 2, {"--n-envs"}},
    {{"train", "cartpole", "--total-timesteps", "1e6"}, 2, {"--steps"}},
    {{"train", "cartpole", "--timesteps", "1000"}, 2, {"--steps"}},
    {{"train", "cartpole", "--batch-size", "64"}, 2, {"--minibatch"}},
    {{"train", "cartpole", "--batch_size", "64", "--algorithm", "trpo"}, 2, {"--value-minibatch"}},
    {{"train", "cartpole", "--n-epochs", "4"}, 2, {"--epochs"}},
    {{"train", "cartpole", "--discount", "0.9"}, 2, {"--gamma"}},
    {{"train", "cartpole", "--ent-coef", "0.1"}, 2, {"--entropy-coefficient"}},
    {{"train", "cartpole", "--entropy", "0.1"}, 2, {"--entropy-coefficient"}},
    {{"train", "cartpole", "--clip-range", "0.1"}, 2, {"--clip"}},
    {{"train", "cartpole", "--hidden-sizes", "64,64"}, 2, {"--hidden"}},
    {{"train", "cartpole", "--max-kl", "0.1", "--algorithm", "trpo"}, 2, {"--delta"}},
    {{"train", "cartpole", "--vf-coef", "0.5"}, 2, {"value_learning_rate"}},
    {{"train", "cartpole", "--gpu"}, 2, {"--device cuda"}},
    {{"train", "--cuda", "cartpole"}, 2, {"--device cuda"}},
    {{"train", "cartpole", "--cpu"}, 2, {"--device cpu"}},
    {{"train", "cartpole", "--device", "gpu"}, 3, {"auto, cpu, cuda"}},
    {{"train", "cartpole", "--workers", "4"}, 2, {"--threads"}},
    {{"train", "--env", "CartPole-v1"}, 2, {"gallop train cartpole"}},
    {{"train", "cartpole", "--algo", "ppo"}, 2, {"--algorithm"}},
    {{"train", "cartpole", "--output", "runs/x"}, 2, {"--out"}},
    {{"train", "cartpole", "--load", "@RUN"}, 2, {"--resume"}},
    {{"train", "cartpole", "--load", "@RUN"}, 2, {"--init-from"}},
    {{"train", "cartpole", "--pretrained", "@RUN"}, 2, {"--init-from"}},
    {{"train", "cartpole", "--max-seconds", "60"}, 2, {"--time-limit"}},
    {{"train", "cartpole", "--log-freq", "10"}, 2, {"--log-interval"}},
    {{"train", "cartpole", "--save-total-limit", "3"}, 2, {"--keep"}},
    {{"train", "cartpole", "--max-kl", "0.01"}, 2, {"--target-kl"}},
    {{"train", "cartpole", "--norm-reward"}, 2, {"--normalize-rewards"}},
    {{"train", "cartpole", "--clip-range-vf", "0.2"}, 2, {"--value-clip"}},
    {{"train", "cartpole", "--domain-randomization", "gravity=1..2"}, 2, {"--randomize"}},
    // Ranges that are none.
    {{"train", "cartpole", "--randomize", "mas_pole=1..2"}, 2, {"cartpole", "'mass_pole'"}},
    {{"train", "cartpole", "--randomize", "mass_pole=0.3..0.1"}, 3, {"mass_pole", "above its end"}},
    {{"train", "cartpole", "--randomize", "mass_pole=-1..1"}, 3, {"mass_pole", "is -1; expected"}},
    {{"train", "cartpole", "--randomize", "mass_pole=0.1..inf"}, 3, {"mass_pole", "not finite"}},
    {{"train", "cartpole", "--randomize", "mass_pole=0.1"}, 3, {"mass_pole", "LOW..HIGH"}},
    {{"train", "cartpole", "--randomize", "mass_pole"}, 3, {"randomize", "NAME=LOW..HIGH"}},
    {{"train", "cartpole", "--randomize", "gravity=-1..1:log"}, 3, {"gravity", "logarithm"}},
    {{"train", "mdp", "--randomize", "n_states=2..3"}, 3, {"n_states", "sizes"}},
    {{"train", "cartpole", "--randomize", "gravity=8..9", "--gravity", "8"},
     3,
     {"gravity", "given", "drawn", "8..9"}},
    {{"train", "cartpole", "--gravity", "8", "--set", "randomize.gravity=8..9"},
     3,
     {"gravity", "given", "drawn", "8..9"}},
    {{"train", "cartpole", "--randomize", "gravity=8..9", "--randomize", "gravity=8..9"},
     2,
     {"randomize.gravity", "twice"}},
    {{"trace", "cartpole", "--actions", "0", "--randomize", "gravity=8..9"}, 2, {"--set"}},
    {{"train", "cartpole", "--log-interval", "0"}, 3, {"log_interval"}},
    {{"train", "cartpole", "--time-limit", "-1"}, 3, {"time_limit"}},
    {{"compare"}, 2, {"RUN"}},
    {{"compare", "cartpole"}, 3, {"gallop train cartpole"}},
    {{"comparison", "@RUN"}, 2, {"gallop compare RUN"}},
    {{"sweep", "cartpole"}, 2, {"gallop study"}},
    {{"train", "cartpole", "--render"}, 2, {"gallop render"}},
    {{"train", "cartpole", "--tensorboard"}, 2, {"TensorBoard"}},
    {{"train", "cartpole", "--verbose", "1"}, 2, {"progress"}},
    {{"eval", "@RUN", "--n-episodes", "5"}, 2, {"--episodes"}},
    {{"eval", "@RUN", "--gpu"}, 2, {"--device cuda"}},
    {{"eval", "@RUN", "--deterministic"}, 2, {"--sample"}},
    {{"export", "@RUN", "--out", "policy.onnx"}, 2, {"--to"}},
    {{"export", "@RUN"}, 2, {"--to"}},
    {{"export", "@RUN", "--to", "policy.pt"}, 3, {"to_torchscript"}},
    {{"export", "@RUN", "--to", "policy"}, 3, {".onnx, .h, .npz or .safetensors"}},
    {{"onnx", "@RUN"}, 2, {"gallop export"}},
    // Flags that are nearly right.
    {{"train", "cartpole", "--sed", "1"}, 2, {"'--seed'"}},
    {{"train", "cartpole", "-seed", "1"}, 2, {"'--seed'"}},
    {{"train", "cartpole", "--gama", "0.9"}, 2, {"'--gamma'"}},
    {{"train", "cartpole", "seed=1"}, 2, {"--set seed=1"}},
    {{"train", "cartpole", "--clip", "0.1", "--algorithm", "trpo"}, 2, {"ppo", "not of trpo"}},
    {{"train", "mountain_car", "--mass-cart", "2"}, 2, {"cartpole", "not of mountain_car"}},
    // What is missing, empty, or there twice.
    {{"train"}, 2, {"environment", "gallop list"}},
    {{"train", "cartpole", "--seed"}, 2, {"--seed needs a value"}},
    {{"train", "cartpole", "--out", "--json"}, 2, {"--out needs a value", "--json"}},
    {{"train", "cartpole", "--seed", ""}, 3, {"--seed", "empty"}},
    {{"train", "cartpole", "--out", ""}, 3, {"--out", "empty"}},
    {{"train", "cartpole", "--out="}, 3, {"--out", "empty"}},
    {{"train", "cartpole", "--config", ""}, 3, {"--config", "empty"}},
    {{"train", "--resume", ""}, 3, {"--resume", "empty"}},
    {{"train", "cartpole", "--device", ""}, 3, {"--device"}},
    {{"train", "cartpole", "--algorithm", ""}, 3, {"--algorithm", "empty"}},
    {{"train", "cartpole", "--set", "algorithm=trpo"}, 3, {"trpo", "ppo", "--algorithm trpo"}},
    {{"train", "cartpole", "--set", "environment=pendulum"}, 3, {"pendulum", "cartpole"}},
    {{"train", "--set", "environment=cartpole"}, 2, {"needs an environment"}},
    {{"train", "cartpole", "--set", ""}, 2, {"key=value"}},
    {{"train", ""}, 3, {"ENVIRONMENT", "empty"}},
    {{"eval", ""}, 3, {"RUN", "empty"}},
    {{"eval", "@RUN", "--seed", ""}, 3, {"--seed", "empty"}},
    {{"train", "cartpole", "--set", "seed=5", "--seed", "6"}, 2, {"seed", "twice", "'5'", "'6'"}},
    {{"train", "cartpole", "--seed", "5", "--seed", "5"}, 2, {"--seed", "twice"}},
    {{"train", "cartpole", "--set", "gamma=1", "GAMMA=0.5"}, 2, {"gamma", "twice"}},
    {{"train", "mdp", "--set", "file=a", "--set", "parameters.file=b"}, 2, {"file", "twice"}},
    {{"train", "cartpole", "--gravity", "5", "--set", "gravity=6"}, 2, {"gravity", "twice"}},
    {{"train", "cartpole", "--out", "a", "--out", "b"}, 2, {"--out", "twice"}},
    {{"study", "methods", "--steps", "10", "--set", "steps=20"}, 2, {"steps", "twice"}},
    // Words in the wrong place.
    {{"cartpole"}, 2, {"gallop train cartpole"}},
    {{"CartPole-v1"}, 2, {"gallop train CartPole-v1"}},
    {{"ppo", "cartpole"}, 2, {"gallop train ENVIRONMENT --algorithm ppo"}},
    {{"train", "ppo"}, 2, {"--algorithm ppo"}},
    {{"train", "cartpole", "ppo"}, 2, {"--algorithm ppo"}},
    {{"train", "cartpole", "pendulum"}, 2, {"gallop study"}},
    {{"train", "@RUN"}, 2, {"--resume"}},
    {{"@RUN"}, 2, {"gallop eval @RUN", "--resume @RUN"}},
    {{"eval", "cartpole"}, 3, {"gallop train cartpole", "gallop eval"}},
    {{"methods"}, 2, {"gallop study methods"}},
    {{"--seed", "1", "train", "cartpole"}, 2, {"the command comes first"}},
    {{"render", "cartpole"}, 2, {"--out", ".gif"}},
    {{"estimators", "cartpole"}, 2, {"lqr", "bandit"}},
    {{"study", "ppo"}, 2, {"methods"}},
    // Commands by other names.
    {{"trian", "cartpole"}, 2, {"'train'"}},
    {{"run", "cartpole"}, 2, {"gallop train"}},
    {{"evaluate", "@RUN"}, 2, {"gallop eval RUN"}},
    {{"play", "@RUN"}, 2, {"gallop render RUN"}},
    {{"resume", "@RUN"}, 2, {"gallop train --resume RUN"}},
    {{"benchmark"}, 2, {"gallop bench"}},
    {{"test"}, 2, {"./gallop test"}},
    {{"help", "trian"}, 2, {"trian", "'train'"}},
    // Games of controllers, and folders of other commands.
    {{"train", "tetris"}, 2, {"gallop tetris", "eval tetris --controller"}},
    {{"trace", "tetris", "--actions", "0"}, 2, {"gallop tetris"}},
    {{"eval", "tetris"}, 3, {"eval tetris --controller"}},
    {{"eval", "helicopter"}, 3, {"eval helicopter --controller baseline", "gallop train"}},
    {{"eval", "@RUN", "--controller", "baseline"}, 2, {"it is a run", "gallop eval @RUN"}},
    {{"eval", "@RUN", "--steps", "5"}, 2, {"--episodes"}},
    {{"eval", "helicopter", "--controller", "baseline", "--max-pieces", "5"}, 2, {"--max-pieces"}},
    {{"eval", "helicopter", "--policy", "baseline"}, 2, {"--controller"}},
    {{"render", "helicopter", "--controller", "baseline"}, 2, {"--policy"}},
    {{"differences", "cartpole"}, 2, {"helicopter", "gallop train cartpole"}},
    {{"differences", "tetris"}, 2, {"gallop tetris"}},
    {{"differences", "helicopter", "--n-samples", "4"}, 2, {"--samples"}},
    {{"graph", "row_1", "--n-samples", "4"}, 2, {"--samples"}},
    {{"graph", "row1"}, 2, {"row_1"}},
    {{"tetris", "--games", "5"}, 2, {"--report-games"}},
    {{"tetris", "--height", "10"}, 2, {"--rows"}},
    {{"tetris", "--algorithm", "es"}, 2, {"cross-entropy"}},
    {{"tetris", "--controller", "du"}, 2, {"eval tetris --controller"}},
    {{"tetris", "--popsize", "50"}, 2, {"--population"}},
    {{"train", "helicopter", "--controller", "baseline"}, 2, {"eval ENVIRONMENT --controller"}},
    {{"tetris", "--resume", "@RUN"}, 3, {"a training run", "gallop train --resume @RUN"}},
    {{"study", "methods", "--resume", "--out", "@RUN"}, 3, {"gallop train --resume @RUN"}},
    {{"study", "methods", "--algo", "es"}, 2, {"study's file"}},
    {{"study", "methods", "--env", "hopper"}, 2, {"study's file"}},
    {{"train", "cartpole", "--algorithm", "cem", "--generations", "5"}, 2, {"--steps"}},
    {{"train", "helicopter", "--algorithm", "cem", "--hidden", "64"},
     3,
     {"hidden is 64", "--policy network"}},
    {{"train", "cheetah"}, 2, {"half_cheetah"}},
    // Names where another kind of name is expected.
    {{"heli"}, 2, {"'helicopter'", "gallop train helicopter"}},
    {{"baseline"}, 2, {"gallop eval helicopter --controller baseline"}},
    {{"Dellacherie"}, 2, {"gallop eval tetris --controller dellacherie"}},
    {{"sphere"}, 2, {"gallop optimize sphere"}},
    {{"list", "dellacherie"}, 2, {"gallop eval tetris --controller dellacherie"}},
    {{"list", "heli"}, 2, {"'helicopter'? 'gallop list'"}},
    {{"train", "dellacherie"}, 2, {"gallop eval tetris --controller dellacherie"}},
    {{"eval", "du"}, 3, {"gallop eval tetris --controller du"}},
    {{"study", "tetris"}, 2, {"gallop tetris", "evolution"}},
    {{"study", "cartpole"}, 2, {"gallop train cartpole", "methods"}},
    {{"study", "baseline"}, 2, {"gallop eval helicopter --controller baseline", "methods"}},
    {{"optimize", "tetris"}, 2, {"gallop tetris", "sphere"}},
    {{"optimize", "cartpole"}, 2, {"gallop train cartpole", "sphere"}},
    {{"estimators", "tetris"}, 2, {"gallop tetris", "bandit"}},
    // gallop optimize.
    {{"optimize", "sphere", "--generations", "5"}, 2, {"--evaluations"}},
    {{"optimize", "sphere", "--algorithm", "es", "--lr", "0.1"}, 2, {"--learning-rate"}},
    {{"optimize"}, 2, {"FUNCTION", "sphere"}},
    {{"optimize", "spheer"}, 2, {"'sphere'"}},
    {{"optimize", "sphere", "--algorithm", "cmaess"}, 2, {"cma_es"}},
    {{"optimize", "sphere", "--algorithm", "ppo"}, 2, {"ppo", "gallop train"}},
    {{"optimize", "sphere", "--dim", "3"}, 2, {"--dimension"}},
    {{"optimize", "sphere", "--dimension", "0"}, 3, {"--dimension", "0"}},
    {{"optimize", "cigar", "--dimension", "1"}, 3, {"cigar", "from 2"}},
    {{"optimize", "sphere", "--popsize", "9"}, 2, {"--population"}},
    {{"optimize", "sphere", "--set", "population=3"}, 3, {"too small", "at least 4"}},
    {{"optimize", "sphere", "--set", "popolation=9"}, 2, {"'population'"}},
    {{"optimize", "sphere", "--set", "gamma=0.9"}, 2, {"gamma"}},
    {{"optimize", "rotated_ellipsoid", "--dimension", "16777216", "--algorithm", "cma_es"},
     3,
     {"D is 16777216", "at most 8192", "sep_cma_es"}},
    {{"minimize", "sphere"}, 2, {"gallop optimize FUNCTION"}},
    // Values.
    {{"train", "cartpole", "--steps", "1,000"}, 3, {"1,000", "100k"}},
    {{"train", "cartpole", "--steps", "1.5"}, 3, {"1.5", "integer"}},
    {{"train", "cartpole", "--n-envs", "100000000"}, 3, {"[1, 16777216]"}},
    {{"train", "cartpole", "--seed", "9.007199254740993e15"}, 3, {"[0, 9007199254740992]"}},
    {{"train", "breakout"}, 2, {"breakout", "gallop list"}},
    {{"train", "CartPole-v0"}, 2, {"CartPole-v1"}},
};

class Refused : public ::testing::TestWithParam<Mistake> {};

std::string in_place(std::string word, const std::string& run) {
  const std::size_t at = word.find("@RUN");
  return at == std::string::npos ? word : word.replace(at, 4, run);
}

// A run is made once, in a folder whose name is no word of the messages.
const std::string& a_run() {
  static const TemporaryFolder folder;
  static const std::string run = [] {
    const std::string path = folder / "run";
    const ProgramResult made =
        run_program({"train", "cartpole", "--steps", "1", "--device", "cpu", "--out", path});
    EXPECT_EQ(made.code, 0) << made.err;
    return path;
  }();
  return run;
}

TEST_P(Refused, WithWhatWouldBeRight) {
  const TemporaryFolder nowhere;
  const std::filesystem::path before = std::filesystem::current_path();
  std::filesystem::current_path(nowhere.path());
  Words words;
  for (const std::string& word : GetParam().words) words.push_back(in_place(word, a_run()));
  const ProgramResult result = run_program(words);
  EXPECT_EQ(result.code, GetParam().code) << result.err;
  EXPECT_EQ(result.out, "");
  EXPECT_EQ(result.err.find('\n'), result.err.size() - 1) << "one line: " << result.err;
  for (const std::string& text : GetParam().answer) {
    EXPECT_NE(result.err.find(in_place(text, a_run())), std::string::npos)
        << "'" << text << "' is not said: " << result.err;
  }
  EXPECT_TRUE(std::filesystem::is_empty(nowhere.path()));
  std::filesystem::current_path(before);
}

INSTANTIATE_TEST_SUITE_P(Mistakes, Refused, ::testing::ValuesIn(kRefused));

// What a newcomer writes for `train cartpole --seed 5 --steps 2000 --set gamma=0.9`, and means it:
// the configuration that would run is the same.
TEST(Accepted, OtherSpellingsAreTheSameRun) {
  const auto config = [](const Words& flags) {
    Words words = {"train"};
    words.insert(words.end(), flags.begin(), flags.end());
    words.push_back("--print-config");
    const ProgramResult result = run_program(words);
    EXPECT_EQ(result.code, 0) << result.err;
    EXPECT_EQ(result.err, "");
    return result.out;
  };
  const std::string expected =
      config({"cartpole", "--seed", "5", "--steps", "2000", "--set", "gamma=0.9"});
  EXPECT_NE(expected.find("\nseed = 5\n"), std::string::npos) << expected;
  EXPECT_NE(expected.find("\ngamma = 0.9\n"), std::string::npos) << expected;
  for (const Words& flags : {Words{"CARTPOLE", "--seed=5", "--steps=2k", "--gamma", "0.9"},
                             Words{"CartPole-v1", "--SEED", "5", "--Steps", "2e3", "--Gamma=.9"},
                             Words{"--seed", "5", "--steps", "2_000", "--gamma", "0.9", "cartpole"},
                             Words{"cartpole", "--set", "seed=5", "steps=2K", "gamma=0.9"},
                             Words{"--environment", "cartpole", "--algorithm", "PPO", "--seed", "5",
                                   "--steps", "2000", "--gamma", "0.9"},
                             Words{"cartpole", "--set", "environment=CartPole-v1", "algorithm=ppo",
                                   "gamma=0.9", "--seed", "0x5", "--steps", "2000.0"}}) {
    EXPECT_EQ(config(flags), expected) << flags[0] << " " << flags[1];
  }
}

TEST(Accepted, OptionsOfAlgorithmsAndEnvironmentsHaveFlags) {
  const ProgramResult result =
      run_program({"train", "pendulum", "--algorithm", "trpo", "--delta", "0.02", "--cg_iterations",
                   "7", "--normalize-observations", "--no-normalize-advantages", "--hidden",
                   "[32, 16]", "--gravity", "9.5", "--stop-return", "-200", "--print-config"});
  ASSERT_EQ(result.code, 0) << result.err;
  for (const char* line :
       {"\ndelta = 0.02\n", "\ncg_iterations = 7\n", "\nnormalize_observations = true\n",
        "\nnormalize_advantages = false\n", "\nhidden = [32, 16]\n", "\ngravity = 9.5\n",
        "\nstop_return = -200.0\n", "\nalgorithm = \"trpo\"\n"}) {
    EXPECT_NE(result.out.find(line), std::string::npos) << line << result.out;
  }
  // A value behind a boolean is taken as its value, a word that is none is not.
  const ProgramResult values = run_program(
      {"train", "--anneal", "off", "--normalize-observations", "pendulum", "--print-config"});
  ASSERT_EQ(values.code, 0) << values.err;
  EXPECT_NE(values.out.find("\nanneal = false\n"), std::string::npos);
  EXPECT_NE(values.out.find("\nnormalize_observations = true\n"), std::string::npos);
}

TEST(Accepted, NoHiddenLayersAndTheWordsForSections) {
  const ProgramResult linear =
      run_program({"train", "cartpole", "--hidden", "none", "--print-config"});
  ASSERT_EQ(linear.code, 0) << linear.err;
  EXPECT_NE(linear.out.find("\nhidden = []\n"), std::string::npos) << linear.out;
  const std::string all = run_program({"list"}).out;
  for (const char* word : {"environments", "envs", "algorithms", "studies", "all"}) {
    EXPECT_EQ(run_program({"list", word}).out, all) << word;
  }
}

TEST(Accepted, ParametersHaveFlagsInOtherCommandsToo) {
  const ProgramResult by_set = run_program({"trace", "pendulum", "--state", "1,0", "--actions", "0",
                                            "--set", "gravity=0"}),
                      by_flag = run_program({"trace", "pendulum", "--state", "1,0", "--actions",
                                             "0", "--gravity", "0"});
  EXPECT_EQ(by_flag.code, 0) << by_flag.err;
  EXPECT_EQ(by_flag.out, by_set.out);
  const ProgramResult training =
      run_program({"trace", "pendulum", "--actions", "0", "--set", "n_envs=3"});
  EXPECT_EQ(training.code, 2);
  EXPECT_NE(training.err.find("n_envs"), std::string::npos) << training.err;
  const ProgramResult estimators = run_program(
      {"estimators", "bandit", "--theta", "0.2", "--pilot", "64", "--samples", "1k", "--json"});
  EXPECT_EQ(estimators.code, 0) << estimators.err;
}

TEST(Accepted, TheConfigurationOfAnyRunBeginsThatRunAnew) {
  const TemporaryFolder folder;
  const auto bits_of = [](const ProgramResult& result) {
    const std::size_t at = result.out.find("\"bits\":");
    return at == std::string::npos ? "none: " + result.err : result.out.substr(at, 25);
  };
  int number = 0;
  for (const Words& begin :
       {Words{"pendulum"}, Words{"cartpole", "--algorithm", "trpo"},
        Words{"acrobot", "--algorithm", "vpg", "--seed", "7", "--gamma", "0.9"},
        Words{"mountain_car", "--algorithm", "a2c", "--gravity", "0.002"}}) {
    const std::string first = folder / ("first" + std::to_string(number)),
                      again = folder / ("again" + std::to_string(number++));
    Words words = {"train"};
    words.insert(words.end(), begin.begin(), begin.end());
    for (const char* word : {"--steps", "500", "--device", "cpu", "--json"}) {
      words.emplace_back(word);
    }
    words.insert(words.end(), {"--out", first});
    const std::string bits = bits_of(run_program(words));
    EXPECT_NE(bits.find("bits"), std::string::npos) << bits;
    EXPECT_EQ(bits, bits_of(run_program(
                        {"train", "--config", first + "/config.toml", "--json", "--out", again})))
        << begin.back();
    // Named again, by any of its names, it is the same; another name is refused.
    const ProgramResult other = run_program(
        {"train", "lqr", "--config", first + "/config.toml", "--out", folder / "other"});
    EXPECT_EQ(other.code, 3) << other.err;
    EXPECT_NE(other.err.find("lqr"), std::string::npos) << other.err;
  }
  // A file that names no environment needs one.
  put_file(folder / "part.toml", "gamma = 0.9\nGravity = 9.0\n");
  const ProgramResult unnamed = run_program({"train", "--config", folder / "part.toml"});
  EXPECT_EQ(unnamed.code, 2);
  EXPECT_NE(unnamed.err.find("environment"), std::string::npos) << unnamed.err;
  const ProgramResult named =
      run_program({"train", "cartpole", "--config", folder / "part.toml", "--print-config"});
  EXPECT_NE(named.out.find("\ngravity = 9.0\n"), std::string::npos) << named.err;
}

}  // namespace
}  // namespace gallop::testing
