// How environments are drawn. One file of drawings/ draws an environment (or two that look alike):
// it bears the marker GALLOP_DRAWING(Type), by which the build finds it, with the C++ type of the
// environment, and defines
//
//   gallop::Drawing gallop_drawing_<Type>(const gallop::Episode&)
//
// in the global namespace. What has no file is drawn from its body's skeleton where it has one
// (drawings/body.cpp), else as traces of its numbers over time (drawings/traces.cpp), so that a new
// environment is drawn from the first day on.
#pragma once

#include <functional>

#include <gallop/host/rendering/episode.h>
#include <gallop/host/rendering/scene.h>

#define GALLOP_DRAWING(Type)

namespace gallop {

struct Drawing {
  std::function<Scene(int step)> scene;
  // Seconds of a film that a step takes where the environment declares no time step.
  double pace = 0.05;
};

// What the build found, with a closing empty entry that the count leaves out.
struct DrawingEntry {
  const char* type;
  Drawing (*make)(const Episode&);
};
extern const DrawingEntry kDrawingEntries[];
extern const int kNumDrawingEntries;

// How this episode is drawn. The episode outlives the drawing.
Drawing drawing_of(const Episode& episode);

Drawing body_drawing(const Episode& episode);
Drawing trace_drawing(const Episode& episode);

}  // namespace gallop
