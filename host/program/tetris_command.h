#pragma once

#include <gallop/host/program/command_line.h>
#include <gallop/host/rendering/film_file.h>
#include <gallop/host/training/signals.h>

namespace gallop {

// The option of the game: the rows of its board.
OptionSpec tetris_rows_row();

// What `gallop eval tetris --controller NAME|FILE.toml` does; the exit code.
int evaluate_tetris(const CommandLine& line, SignalGuard& signals);
// What `gallop render tetris --policy NAME|FILE.toml` does; `settings` are those of the film.
int render_tetris(const CommandLine& line, const FilmSettings& settings, FilmFormat format);

}  // namespace gallop
