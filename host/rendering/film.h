#pragma once

#include <vector>

#include <gallop/host/rendering/drawing.h>
#include <gallop/host/rendering/picture.h>

namespace gallop {

struct FilmSettings {
  int width = 480, height = 360;
  double fps = 0;        // frames a second; 0 for one a step, but at most `most_fps`
  double most_fps = 50;  // where fps is 0
  int most_frames = 0;   // where fps is 0, a longer film gets fewer frames a second; 0 for no limit
};

// An episode as pictures at equal distances in its own time, so that it plays as fast as the world
// that it shows. Begins with the first state and ends with the last one. The episode outlives it.
class Film {
 public:
  Film(const Episode& episode, const FilmSettings& settings);

  const Episode& episode() const { return episode_; }
  int width() const { return settings_.width; }
  int height() const { return settings_.height; }
  double fps() const { return fps_; }
  int n_frames() const { return n_frames_; }
  int step_of(int frame) const;
  // The scene at that step, and over it name, step, time and return so far.
  Picture picture(int frame) const;

 private:
  const Episode& episode_;
  FilmSettings settings_;
  Drawing drawing_;
  double step_seconds_;
  double fps_;
  int n_frames_;
  std::vector<double> returns_;  // [T + 1] before each step
};

}  // namespace gallop
