#include "host/logging/page.h"

#include <fmt/format.h>

namespace gallop {
namespace {

constexpr int kWideWidth = 984, kWideHeight = 330;
constexpr int kNarrowHeight = 260;

constexpr std::string_view kStyle = R"css(
:root { color-scheme: light dark;
  --page: #f5f6f8; --card: #ffffff; --ink: #1b2330; --soft: #5d6878; --rule: #e3e7ec;
  --c0: #2563c9; --c1: #d9620b; --c2: #16855b; --c3: #8a3fb8; --c4: #c11f4a;
  --c5: #0e8096; --c6: #7d5a12; --c7: #4b5563; --c8: #b03a9a; --c9: #5c7a0c; }
@media (prefers-color-scheme: dark) {
  :root { --page: #10141a; --card: #181e26; --ink: #e7ebf0; --soft: #98a4b3; --rule: #2a323d;
    --c0: #6ea8ff; --c1: #ffa057; --c2: #4fd19b; --c3: #cc94f2; --c4: #ff7d99;
    --c5: #4fcbe0; --c6: #dcb35c; --c7: #b4bfcc; --c8: #f39be0; --c9: #b5d45a; }
}
* { box-sizing: border-box; }
body { margin: 0; padding: 40px 20px 60px; background: var(--page); color: var(--ink);
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", sans-serif; }
main { max-width: 1032px; margin: 0 auto; }
h1 { margin: 0; font-size: 30px; line-height: 1.2; letter-spacing: -0.01em; }
h2 { margin: 0 0 8px; font-size: 15px; font-weight: 600; }
.subtitle { margin: 6px 0 28px; color: var(--soft); }
.figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(190px, 1fr));
  gap: 16px; margin: 0 0 16px; padding: 0; }
.card { background: var(--card); border: 1px solid var(--rule); border-radius: 10px;
  padding: 16px 20px; min-width: 0; }
.figures dt { color: var(--soft); font-size: 13px; }
.figures dd { margin: 2px 0 0; font-size: 24px; font-weight: 600; line-height: 1.25;
  font-variant-numeric: tabular-nums;
  overflow-wrap: anywhere; }
.grid2 { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(440px, 100%), 1fr));
  gap: 16px; margin: 16px 0;
  align-items: start; }
svg { display: block; width: 100%; height: auto; }
.wide { overflow-x: auto; }
.wide svg { min-width: 700px; }
svg text {
  fill: var(--soft); font-family: inherit; font-size: 12px; font-variant-numeric: tabular-nums; }
svg .legend { fill: var(--ink); }
svg .grid { stroke: var(--rule); }
svg .axis { stroke: var(--soft); }
svg .line { fill: none; stroke-width: 2; stroke-linejoin: round; stroke-linecap: round; }
svg .d1 { stroke-dasharray: 9 4; } svg .d2 { stroke-dasharray: 3 4; }
svg .d3 { stroke-dasharray: 12 4 2 4; } svg .d4 { stroke-dasharray: 6 3 1 3 1 3; }
svg .band { stroke: none; fill-opacity: 0.13; }
svg .mark { stroke-width: 1; }
svg .hollow { fill: var(--card); stroke-width: 1.8; }
svg .best { fill: none; stroke: var(--ink); stroke-width: 2.5; }
svg .level { stroke: var(--soft); stroke-dasharray: 2 4; }
svg .faint { stroke-width: 1; opacity: 0.35; }
svg .point { stroke: none; opacity: 0; }
svg .point:hover { opacity: 1; }
.c0 { stroke: var(--c0); fill: var(--c0); } .c1 { stroke: var(--c1); fill: var(--c1); }
.c2 { stroke: var(--c2); fill: var(--c2); } .c3 { stroke: var(--c3); fill: var(--c3); }
.c4 { stroke: var(--c4); fill: var(--c4); } .c5 { stroke: var(--c5); fill: var(--c5); }
.c6 { stroke: var(--c6); fill: var(--c6); } .c7 { stroke: var(--c7); fill: var(--c7); }
.c8 { stroke: var(--c8); fill: var(--c8); } .c9 { stroke: var(--c9); fill: var(--c9); }
table { width: 100%; border-collapse: collapse; font-size: 14px; }
th, td { padding: 6px 0; border-top: 1px solid var(--rule); text-align: left;
  vertical-align: top; font-weight: 400; }
tr:first-child > * { border-top: 0; }
th { color: var(--soft); padding-right: 16px; white-space: nowrap; }
td { text-align: right; font-variant-numeric: tabular-nums; overflow-wrap: anywhere; }
.columns td, .columns th { text-align: left; padding-right: 11px; white-space: nowrap;
  font-size: 13px; }
.columns td:last-child { white-space: normal; min-width: 170px; padding-right: 0; }
.numbers th { color: var(--ink); padding-right: 24px; }
.numbers thead th { color: var(--soft); font-size: 13px; }
.numbers thead th + th, .numbers td { text-align: right; white-space: nowrap;
  padding-left: 20px; padding-right: 0; }
.stack { display: grid; gap: 16px; margin: 0 0 16px; }
.note { margin: 0 0 16px; max-width: 80ch; }
@media print { body { padding: 0; background: none; } .card { break-inside: avoid; } }
)css";

}  // namespace

std::string render_page(std::string_view title, std::string_view subtitle, std::string_view body) {
  std::string html =
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n";
  html += fmt::format("<title>{}</title>\n<style>{}</style>\n</head>\n<body>\n<main>\n",
                      escaped(title), kStyle);
  html +=
      fmt::format("<h1>{}</h1>\n<p class=\"subtitle\">{}</p>\n", escaped(title), escaped(subtitle));
  html += body;
  return html + "</main>\n</body>\n</html>\n";
}

std::string card(std::string_view title, std::string_view html, bool wide) {
  return fmt::format("<section class=\"card{}\"><h2>{}</h2>\n{}</section>\n", wide ? " wide" : "",
                     escaped(title), html);
}

std::string chart_card(const Chart& chart, bool wide) {
  const int width = wide ? kWideWidth : kHalfPageWidth;
  return card(chart.title, render_chart(chart, width, wide ? kWideHeight : kNarrowHeight), wide);
}

}  // namespace gallop
