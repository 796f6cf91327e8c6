#pragma once

#include <string>
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

// What a film shows: steps with a scene before each of them and one after the last.
struct FilmSubject {
  std::string name;
  Drawing drawing;
  double time_step = 0;              // seconds between two steps, 0 where there is no such number
  std::vector<double> rewards = {};  // of each step
  std::string ending = {};           // stands over the last scene: "terminated"
};

// An episode as pictures at equal distances in its own time, so that it plays as fast as the world
// that it shows. Begins with the first state and ends with the last one. The episode, or whatever
// else the drawing reads, outlives it.
class Film {
 public:
  Film(const Episode& episode, const FilmSettings& settings);
  Film(FilmSubject subject, const FilmSettings& settings);

  const std::string& name() const { return subject_.name; }
  int length() const { return int(subject_.rewards.size()); }  // steps
  double total_return() const { return returns_.back(); }
  int width() const { return settings_.width; }
  int height() const { return settings_.height; }
  double fps() const { return fps_; }
  int n_frames() const { return n_frames_; }
  int step_of(int frame) const;
  // The scene at that step, and over it name, step, time and return so far.
  Picture picture(int frame) const;

 private:
  FilmSubject subject_;
  FilmSettings settings_;
  double step_seconds_;
  double fps_;
  int n_frames_;
  std::vector<double> returns_;  // [T + 1] before each step
};

}  // namespace gallop
