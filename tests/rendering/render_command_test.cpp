// gallop render as a user calls it.
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "tests/host/temporary_folder.h"
#include "tests/rendering/gif_decoder.h"
#include "tests/training/program.h"

namespace gallop::testing {
namespace {

using nlohmann::json;
using test::file_text;
using test::names_in;
using test::put_file;
using test::TemporaryFolder;
using Words = std::vector<std::string>;

// The command fails with that code, says all of the texts, and leaves no file.
void expect_refused(Words words, int code, const Words& texts, const std::string& file = "e.gif",
                    const ProgramOptions& options = {}) {
  const TemporaryFolder folder;
  words.insert(words.begin(), "render");
  words.insert(words.end(), {"--out", folder / file});
  const ProgramResult result = run_program(words, options);
  EXPECT_EQ(result.code, code) << result.err;
  for (const std::string& text : texts) {
    EXPECT_NE(result.err.find(text), std::string::npos) << "'" << text << "': " << result.err;
  }
  EXPECT_TRUE(names_in(folder.path()).empty()) << file;
}

json rendered(Words words, const ProgramOptions& options = {}) {
  words.insert(words.begin(), "render");
  words.push_back("--json");
  const ProgramResult result = run_program(words, options);
  EXPECT_EQ(result.code, 0) << result.err;
  EXPECT_EQ(result.err, "");
  return result.code == 0 ? json::parse(result.out) : json();
}

void train(const std::string& run, const Words& more = {}) {
  Words words = {"train", "cartpole", "--steps", "20000", "--device", "cpu", "--out", run};
  words.insert(words.end(), more.begin(), more.end());
  ASSERT_EQ(run_program(words).code, 0);
}

TEST(RenderCommand, WritesGifAndHtmlOfAnEnvironment) {
  const TemporaryFolder folder;
  const json gif = rendered({"pendulum", "--policy", "zero", "--out", folder / "p.gif", "--fps",
                             "10", "--size", "120x90"});
  EXPECT_EQ(gif["frames"], 101);
  EXPECT_EQ(gif["length"], 200);
  EXPECT_EQ(gif["policy"], "zero");
  EXPECT_EQ(gif["end"], "truncated");
  const DecodedGif decoded = decode_gif(file_text(folder / "p.gif"));
  EXPECT_EQ(decoded.width, 120);
  EXPECT_EQ(decoded.height, 90);
  ASSERT_EQ(decoded.frames.size(), 101u);
  EXPECT_EQ(decoded.frames[5].hundredths, 10);
  EXPECT_TRUE(decoded.frames[0].pixels != decoded.frames[50].pixels);
  const json html = rendered({"CartPole-v1", "--out", folder / "c.html", "--max-steps", "5"});
  EXPECT_EQ(html["length"], 5);
  EXPECT_EQ(html["end"], "cut");
  EXPECT_EQ(html["policy"], "random");
  EXPECT_NE(file_text(folder / "c.html").find("</html>"), std::string::npos);
  EXPECT_EQ(names_in(folder.path()), (std::set<std::string>{"p.gif", "c.html"}));
  // The same command gives the same bytes; parameters, seed and episode change them.
  const auto bytes = [&](const Words& more) {
    Words words = {"cartpole", "--out", folder / "again.html"};
    words.insert(words.end(), more.begin(), more.end());
    rendered(words);
    return file_text(folder / "again.html");
  };
  const std::string once = bytes({});
  EXPECT_EQ(bytes({}), once);
  EXPECT_NE(bytes({"--seed", "2"}), once);
  EXPECT_NE(bytes({"--episode", "1"}), once);
  EXPECT_NE(bytes({"--set", "gravity=5"}), once);
}

TEST(RenderCommand, ShowsTheEpisodesOfARun) {
  const TemporaryFolder folder;
  const std::string run = folder / "run";
  train(run);
  const std::string report = file_text(run + "/report.html");
  EXPECT_NE(report.find("class=\"replay\""), std::string::npos);
  // All returns of an evaluation are those of the episodes.
  const ProgramResult eval = run_program({"eval", run, "--json", "--episodes", "3"});
  double sum = 0;
  for (const char* k : {"0", "1", "2"}) {
    const json one = rendered({run, "--episode", k, "--out", folder / "e.html"});
    sum += one["return"].get<double>();
  }
  EXPECT_NEAR(json::parse(eval.out)["eval_return_mean"].get<double>(), sum / 3, 1e-6);
  // The checkpoint alone tells its options; another environment does not fit it.
  const std::string checkpoint = run + "/checkpoints/" + checkpoints_in(run).back();
  const json by_run = rendered({run, "--policy", run, "--out", folder / "a.html"});
  const json by_file = rendered({"cartpole", "--policy", checkpoint, "--out", folder / "b.html"});
  EXPECT_EQ(by_run["return"], by_file["return"]);
  EXPECT_EQ(file_text(folder / "a.html"), file_text(folder / "b.html"));
  EXPECT_EQ(by_file["policy"], checkpoint);
  EXPECT_EQ(rendered({run, "--policy", "random", "--out", folder / "c.gif"})["policy"], "random");
  expect_refused({"pendulum", "--policy", checkpoint}, 4, {"pendulum", "cartpole"});
  put_file(folder / "bad.safetensors", "no checkpoint");
  expect_refused({"cartpole", "--policy", folder / "bad.safetensors"}, 4, {"bad.safetensors"});
  expect_refused({"cartpole", "--policy", folder / "no.safetensors"}, 5, {"no.safetensors"});
}

TEST(RenderCommand, RefusesWhatItCannotDo) {
  const TemporaryFolder empty;
  expect_refused({"cartpoel"}, 2, {"cartpoel", "cartpole"});
  expect_refused({"cartpole", "--sed", "1"}, 2, {"--sed", "--seed"});
  expect_refused({empty.path()}, 3, {"not a run folder"});
  expect_refused({"runs/none"}, 3, {"runs/none", "not a run folder"});
  expect_refused({"cartpole", "--policy", "best"}, 3, {"best", "random"});
  expect_refused({"cartpole"}, 3, {"e.avi", ".gif", ".mp4", ".html"}, "e.avi");
  for (const char* size : {"480", "480x", "x360", "480x360x", "0x0", "480x99999", "a"}) {
    expect_refused({"cartpole", "--size", size}, 3, {"--size", size, "64"});
  }
  expect_refused({"cartpole", "--fps", "0"}, 3, {"fps"});
  expect_refused({"cartpole", "--fps", "nan"}, 3, {"--fps", "nan", "120"});
  expect_refused({"cartpole", "--fps", "100"}, 3, {"100", "50"});
  expect_refused({"cartpole", "--max-steps", "0"}, 3, {"max-steps"});
  expect_refused({"cartpole", "--set", "gravity=1e9"}, 3, {"gravity"});
  expect_refused({"lqr", "--set", "a=1e6"}, 8, {"lqr", "not finite"});
  expect_refused({"cartpole"}, 5, {"none/e.gif"}, "none/e.gif");
  const ProgramResult no_out = run_program({"render", "cartpole"});
  EXPECT_EQ(no_out.code, 2);
  EXPECT_NE(no_out.err.find("--out"), std::string::npos);
}

TEST(RenderCommand, SaysWhatAnMp4Needs) {
  const TemporaryFolder bin;
  ProgramOptions nowhere;
  nowhere.environment = {{"PATH", bin.path()}};
  expect_refused({"cartpole"}, 5, {"ffmpeg", ".gif"}, "e.mp4", nowhere);
  // One that fails, before and after it has read its frames.
  for (const char* script :
       {"#!/bin/sh\necho no encoder >&2\nexit 1\n",
        "#!/bin/sh\nwhile read -r x; do :; done\necho no encoder >&2\nexit 3\n"}) {
    put_file(bin / "ffmpeg", script);
    ASSERT_EQ(::chmod((bin / "ffmpeg").c_str(), 0755), 0);
    expect_refused({"cartpole"}, 5, {"ffmpeg", "no encoder"}, "e.mp4", nowhere);
  }
  expect_refused({"cartpole", "--size", "121x90"}, 3, {"121x90", "even"}, "e.mp4", nowhere);
}

// With an ffmpeg at hand the film is read back by it; without one there is nothing to test, and
// the refusal above is what a user sees.
TEST(RenderCommand, AnMp4IsReadBackWhereFfmpegIs) {
  const TemporaryFolder folder;
  if (std::system("command -v ffmpeg >/dev/null 2>&1") != 0) {
    EXPECT_EQ(run_program({"render", "pendulum", "--out", folder / "e.mp4"}).code, 5);
    return;
  }
  const json film = rendered({"pendulum", "--out", folder / "e.mp4", "--size", "160x120"});
  EXPECT_EQ(film["frames"], 201);
  EXPECT_EQ(names_in(folder.path()), std::set<std::string>{"e.mp4"});
  const std::string raw = folder / "raw";
  const std::string command = "ffmpeg -loglevel error -i " + (folder / "e.mp4") +
                              " -f rawvideo -pix_fmt rgb24 -y " + raw + " </dev/null";
  ASSERT_EQ(std::system(command.c_str()), 0);
  EXPECT_EQ(std::filesystem::file_size(raw), 201u * 160 * 120 * 3);
}

}  // namespace
}  // namespace gallop::testing
