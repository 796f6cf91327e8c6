#include "host/rendering/stroke_font.h"

#include <cctype>

namespace gallop {
namespace {

constexpr double kAdvance = 5.4, kNarrowAdvance = 2.6;

// Strokes separated by blanks, each a row of points "xy" with x from 0 to 4 and y from 0 to 6.
struct Glyph {
  char letter;
  const char* strokes;
};
constexpr Glyph kGlyphs[] = {
    {'0', "103041453616050110"},
    {'1', "052620 1030"},
    {'2', "05163645440040"},
    {'3', "051636454433 13334241301001"},
    {'4', "3036023242"},
    {'5', "460603334241301001"},
    {'6', "453616050110304142331302"},
    {'7', "064610"},
    {'8', "13040516364544331302011030414233"},
    {'9', "011030414536160504133344"},
    {'A', "000516364540 0343"},
    {'B', "000636454433 033342413000"},
    {'C', "4536160501103041"},
    {'D', "00062645412000"},
    {'E', "46060040 0333"},
    {'F', "460600 0333"},
    {'G', "45361605011030414323"},
    {'H', "0006 4046 0343"},
    {'I', "1030 2026 1636"},
    {'J', "0110304146"},
    {'K', "0006 460340"},
    {'L', "060040"},
    {'M', "0006234640"},
    {'N', "00064046"},
    {'O', "103041453616050110"},
    {'P', "00063645443303"},
    {'Q', "103041453616050110 2240"},
    {'R', "00063645443303 2340"},
    {'S', "453616050413334241301001"},
    {'T', "2026 0646"},
    {'U', "060110304146"},
    {'V', "062046"},
    {'W', "0610233046"},
    {'X', "0046 0640"},
    {'Y', "062346 2320"},
    {'Z', "06460040"},
    {'+', "2125 0343"},
    {'-', "0343"},
    {'.', "1010"},
    {',', "1101"},
    {':', "1111 1414"},
    {'/', "0046"},
    {'=', "0242 0444"},
    {'_', "0040"},
    {'(', "26151120"},
    {')', "16252110"},
};

const Glyph* glyph_of(char c) {
  const char upper = char(std::toupper(static_cast<unsigned char>(c)));
  for (const Glyph& glyph : kGlyphs) {
    if (glyph.letter == upper) return &glyph;
  }
  return nullptr;
}

double advance_of(char c) { return c == '.' || c == ',' || c == ':' ? kNarrowAdvance : kAdvance; }

}  // namespace

double text_units(std::string_view text) {
  double units = 0;
  for (const char c : text) units += advance_of(c);
  return text.empty() ? 0 : units - (kAdvance - 4);
}

std::vector<std::vector<Point2>> text_strokes(std::string_view text) {
  std::vector<std::vector<Point2>> strokes;
  double x = 0;
  for (const char c : text) {
    const Glyph* glyph = glyph_of(c);
    const char* at = glyph == nullptr ? "" : glyph->strokes;
    while (*at != 0) {
      strokes.emplace_back();
      for (; *at != 0 && *at != ' '; at += 2) {
        strokes.back().push_back({x + (at[0] - '0'), double(at[1] - '0')});
      }
      if (*at == ' ') at++;
    }
    x += advance_of(c);
  }
  return strokes;
}

}  // namespace gallop
