#include <gallop/host/report/page.h>

#include <fmt/format.h>
#include <gallop_page_assets.h>

namespace gallop {
namespace {

constexpr int kWideWidth = 984, kWideHeight = 330;
constexpr int kNarrowHeight = 250;

// The scripts of a page: those whose mark is in its body.
struct PageScript {
  std::string_view mark, text;
};
constexpr PageScript kScripts[] = {{"<svg class=\"chart\"", kChartJs},
                                   {"<div class=\"replay\">", kPlayerJs}};

}  // namespace

std::string render_page(std::string_view title, std::string_view subtitle, std::string_view body) {
  std::string html =
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n";
  html += fmt::format("<title>{}</title>\n<style>{}</style>\n</head>\n<body>\n<main>\n",
                      escaped(title), kPageCss);
  html +=
      fmt::format("<h1>{}</h1>\n<p class=\"subtitle\">{}</p>\n", escaped(title), escaped(subtitle));
  html += body;
  for (const PageScript& script : kScripts) {
    if (body.find(script.mark) != std::string_view::npos)
      html += fmt::format("<script>{{\n{}}}</script>\n", script.text);
  }
  return html + "</main>\n</body>\n</html>\n";
}

std::string card(std::string_view title, std::string_view html, bool wide) {
  return fmt::format("<section class=\"card{}\"><h2>{}</h2>\n{}</section>\n", wide ? " wide" : "",
                     escaped(title), html);
}

std::string table_card(std::string_view title, const std::vector<std::vector<std::string>>& rows) {
  std::string html = "<table class=\"numbers\">\n<thead><tr>";
  for (const std::string& head : rows[0])
    html += fmt::format("<th scope=\"col\">{}</th>", escaped(head));
  html += "</tr></thead>\n<tbody>\n";
  for (size_t k = 1; k < rows.size(); k++) {
    html += fmt::format("<tr><th scope=\"row\">{}</th>", escaped(rows[k][0]));
    for (size_t j = 1; j < rows[k].size(); j++)
      html += fmt::format("<td>{}</td>", escaped(rows[k][j]));
    html += "</tr>\n";
  }
  return card(title, html + "</tbody></table>", true);
}

std::string chart_card(const Chart& chart, bool wide) {
  const std::string narrow = render_chart(chart, kHalfPageWidth, kNarrowHeight);
  if (!wide) return card(chart.title, narrow, false);
  return card(chart.title,
              fmt::format("<div class=\"roomy\">{}</div><div class=\"tight\">{}</div>",
                          render_chart(chart, kWideWidth, kWideHeight), narrow),
              true);
}

}  // namespace gallop
