#include <gallop/host/rendering/drawing.h>

#include <string_view>

#include <gallop/host/registry/generated.h>

namespace gallop {

Drawing drawing_of(const Episode& episode) {
  for (int i = 0; i < kNumDrawingEntries; i++) {
    if (std::string_view(kDrawingEntries[i].type) == episode.environment->type) {
      return kDrawingEntries[i].make(episode);
    }
  }
  return episode.spec().skeleton != nullptr ? body_drawing(episode) : trace_drawing(episode);
}

}  // namespace gallop
