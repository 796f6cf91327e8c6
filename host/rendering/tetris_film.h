#pragma once

#include <vector>

#include <gallop/host/rendering/film.h>
#include <gallop/host/tetris/record.h>

namespace gallop {

// A game as a film, a piece a step: each lies where it landed, over the wall that it found; the
// rows that it fills are marked. `moves` are at least one.
FilmSubject tetris_film(std::vector<TetrisMove> moves, int rows);

}  // namespace gallop
