#pragma once

#include <string_view>

#include <gallop/host/program/command_line.h>
#include <gallop/host/rendering/film_file.h>
#include <gallop/host/training/signals.h>

namespace gallop {

// Tetris is a game of its own, not one of the environments: commands that play controllers know it
// by its name.
bool is_tetris(std::string_view word);

// The option of the game: the rows of its board.
OptionSpec tetris_rows_row();

// What `gallop eval tetris --controller NAME|FILE.toml` does; the exit code.
int evaluate_tetris(const CommandLine& line, SignalGuard& signals);
// What `gallop render tetris --policy NAME|FILE.toml` does; `settings` are those of the film.
int render_tetris(const CommandLine& line, const FilmSettings& settings, FilmFormat format);

}  // namespace gallop
