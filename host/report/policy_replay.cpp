#include <gallop/host/report/policy_replay.h>

#include <gallop/host/rendering/episode.h>
#include <gallop/host/rendering/replay.h>
#include <gallop/host/report/player.h>

namespace gallop {
namespace {

constexpr double kFramesPerSecond = 25;  // enough to see, and 5 ms for 10 s of cartpole

}  // namespace

std::string policy_replay(Backend& backend, const RunOptions& options, const PolicyView& policy) {
  EpisodeRequest request;
  request.environment = &options.environment();
  request.configure = options.configure();
  request.policy = policy;
  request.seed = options.seed();
  const Episode episode = record_episode(backend, request);
  if (episode.nonfinite_step == 0) return "";
  FilmSettings settings;
  settings.most_fps = kFramesPerSecond;
  settings.most_frames = kMostReplayFrames;
  return player_html(Film(episode, settings));
}

}  // namespace gallop
