#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <gallop/host/report/chart.h>

namespace gallop {

// Of a figure that stands beside another one, and of what is legible on a telephone too.
constexpr int kHalfPageWidth = 420;

// One HTML page that needs nothing else: inline CSS, light and dark by the reader's setting, and
// the scripts of what the body holds: the numbers under the pointer in charts, the player of a
// replay. Title and subtitle are plain text, `body` is HTML made of cards.
std::string render_page(std::string_view title, std::string_view subtitle, std::string_view body);

// A framed part of the page: its title as plain text, its content as HTML.
std::string card(std::string_view title, std::string_view html, bool wide);

// A wide card with a table of numbers: heads, then rows that begin with a name. [rows, columns]
std::string table_card(std::string_view title, const std::vector<std::vector<std::string>>& rows);

// A card with a chart, over the whole width of the page, where it is drawn once more for narrow
// screens, or half of it.
std::string chart_card(const Chart& chart, bool wide);

}  // namespace gallop
