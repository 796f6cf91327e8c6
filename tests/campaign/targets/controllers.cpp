// Controllers of Tetris in files: one that is taken plays a game, whose walls a game can come to.
#include <gallop/host/tetris/controllers.h>
#include <gallop/host/tetris/record.h>
#include "tests/campaign/fuzz_target.h"
#include "tests/campaign/session.h"

namespace gallop::campaign {
namespace {

using Texts = std::vector<std::string>;

std::string run_controller(std::string_view input) {
  const TetrisController controller =
      tetris_controller(parse_tetris_controller(input, "fuzz.toml"));
  TetrisSettings settings;
  settings.rows = 6;
  int cells = 0;
  for (const TetrisMove& move : record_tetris_game(settings, controller, 0, 50)) {
    if (!move.fits) return "a game";
    cells += 4 - kTetrisColumns * move.lines;
    int there = 0;
    for (const std::uint32_t column : move.after) {
      if (column >> settings.rows != 0) finding("a cell above the board");
      there += count_bits(column);
    }
    if (there != cells) finding("cells that no piece brought");
  }
  return "a long game";
}

Texts controller_seeds() {
  return {
      "features = ['landing_height', 'eroded', 'row_transitions', 'column_transitions', "
      "'holes', 'wells']\nwells = 6\nweights = [-1, 1, -1, -1, -4, -1]\n",
      "features = [\"column_heights\", \"constant\"]\n"
      "weights = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 1e30]\n",
      "wells = -6\nweights = [-0.0, inf]\nfeatures = [\"wells\", \"holes\"]  # none\n"};
}

Texts controller_words() {
  Texts words = {"features", "weights", "wells", " = ",  "[",  "]",     "'",   "\"",
                 ", ",       "\n",      "-6",    "6",    "-",  "1e308", "nan", "inf",
                 "1e-45",    "#",       "[[",    "true", "{}", "0x10"};
  for (const TetrisFeature& f : tetris_features()) words.emplace_back(f.name);
  return words;
}

}  // namespace

FuzzTarget controller_target() {
  return {"controller", run_controller, controller_seeds, controller_words, 4.5};
}

}  // namespace gallop::campaign
