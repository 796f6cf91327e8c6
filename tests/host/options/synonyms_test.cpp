#include <gallop/host/options/synonyms.h>

#include <gtest/gtest.h>

namespace gallop {
namespace {

using Names = std::vector<std::string>;

TEST(Synonyms, AreThoseThatThereAre) {
  const Names ppo = {"learning_rate", "epochs", "minibatch", "n_envs", "step"};
  EXPECT_EQ(names_meant("lr", ppo), (Names{"learning_rate", "step"}));
  EXPECT_EQ(names_meant("Num-Envs", ppo), (Names{"n_envs"}));
  EXPECT_EQ(names_meant("n_epochs", ppo), (Names{"epochs"}));
  EXPECT_EQ(names_meant("n_epochs", Names{"value_epochs"}), (Names{"value_epochs"}));
  EXPECT_EQ(names_meant("discount", ppo), Names{});
  EXPECT_EQ(names_meant("", ppo), Names{});
  EXPECT_EQ(names_meant("lr lr", ppo), Names{});
  const Names sac = {"batch_size", "buffer_size", "learning_starts", "tau"};
  EXPECT_EQ(names_meant("replay_size", sac), (Names{"buffer_size"}));
  EXPECT_EQ(names_meant("minibatch", sac), (Names{"batch_size"}));
}

TEST(Synonyms, Sentences) {
  const Names names = {"learning_rate", "gamma"};
  EXPECT_EQ(what_is_meant("lr", names), ": it is called 'learning_rate' here");
  EXPECT_EQ(what_is_meant("gama", names), ": did you mean 'gamma'?");
  EXPECT_EQ(what_is_meant("zzz", names), "");
  EXPECT_NE(why_missing("vf-coef"), "");
  EXPECT_EQ(why_missing("gamma"), "");
}

}  // namespace
}  // namespace gallop
