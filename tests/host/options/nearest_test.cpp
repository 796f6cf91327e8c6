#include <gallop/host/options/nearest.h>

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace gallop {
namespace {

using Names = std::vector<std::string>;

TEST(Nearest, EditDistance) {
  EXPECT_EQ(edit_distance("", ""), 0);
  EXPECT_EQ(edit_distance("abc", ""), 3);
  EXPECT_EQ(edit_distance("", "abc"), 3);
  EXPECT_EQ(edit_distance("kitten", "sitting"), 3);
  EXPECT_EQ(edit_distance("ab", "ba"), 1);
  EXPECT_EQ(edit_distance("CartPole", "cartpole"), 0);
  EXPECT_EQ(edit_distance("steps", "setps"), 1);
  EXPECT_EQ(edit_distance("flaw", "lawn"), 2);
}

TEST(Nearest, NearestFirst) {
  const Names names = {"cartpole", "pendulum", "acrobot", "mountain_car", "mountain_car_continuous",
                       "lqr",      "mdp"};
  EXPECT_EQ(nearest_names("cartpol", names), (Names{"cartpole"}));
  EXPECT_EQ(nearest_names("pendelum", names), (Names{"pendulum"}));
  EXPECT_EQ(nearest_names("mountaincar", names), (Names{"mountain_car"}));
  EXPECT_EQ(nearest_names("mountain_cr", names), (Names{"mountain_car"}));
  EXPECT_EQ(nearest_names("mountain", names), (Names{"mountain_car", "mountain_car_continuous"}));
  EXPECT_EQ(nearest_names("lrq", names), (Names{"lqr"}));
  EXPECT_EQ(nearest_names("humanoid", names), (Names{}));
  EXPECT_EQ(nearest_names("continuous", names), (Names{"mountain_car_continuous"}));
  EXPECT_EQ(nearest_names("", names), (Names{}));
  EXPECT_EQ(nearest_names("mountain", names, 1).size(), 1u);
  EXPECT_EQ(nearest_names(std::string(1 << 20, 'x'), names), (Names{}));
}

TEST(Nearest, Sentences) {
  EXPECT_EQ(did_you_mean("zzz", Names{"abc"}), "");
  EXPECT_EQ(did_you_mean("step", Names{"steps"}), ": did you mean 'steps'?");
  EXPECT_EQ(did_you_mean("gama", Names{"gamma", "game"}), ": did you mean 'gamma' or 'game'?");
  EXPECT_EQ(did_you_mean("abcd", Names{"abcde", "abcdf", "abcdg"}),
            ": did you mean 'abcde', 'abcdf' or 'abcdg'?");
}

TEST(Nearest, NamesAreComparedWithoutCapitalsAndHyphens) {
  EXPECT_EQ(folded_name("Learning-Rate"), "learning_rate");
  EXPECT_EQ(folded_name("CartPole-v1"), "cartpole_v1");
}

}  // namespace
}  // namespace gallop
