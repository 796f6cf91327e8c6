#pragma once

#include <string>
#include <string_view>

#include "host/logging/chart.h"

namespace gallop {

constexpr int kHalfPageWidth = 472;  // of a figure that stands beside another one

// One HTML page that needs nothing else: inline CSS, light and dark by the reader's setting, no
// script but what the body brings. Title and subtitle are plain text, `body` is HTML made of cards.
std::string render_page(std::string_view title, std::string_view subtitle, std::string_view body);

// A framed part of the page: its title as plain text, its content as HTML.
std::string card(std::string_view title, std::string_view html, bool wide);

// A card with a chart, over the whole width of the page or half of it.
std::string chart_card(const Chart& chart, bool wide);

}  // namespace gallop
