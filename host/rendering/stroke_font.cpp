#include <gallop/host/rendering/stroke_font.h>

namespace gallop {
namespace {

constexpr double kAdvance = 5.4, kNarrowAdvance = 2.6;

// Strokes separated by blanks, each a row of points "xy" with x from 0 to 4 and y from 0 to 6, a
// and b for -1 and -2, below the line.
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
    {'a', "4334140301103041 4440"},
    {'b', "0600 0314344341301001"},
    {'c', "4334140301103041"},
    {'d', "4640 4334140301103041"},
    {'e', "02424334140301103041"},
    {'f', "36261510 0434"},
    {'g', "4334140301103041 444a3b1b0a"},
    {'h', "0600 0314344340"},
    {'i', "1410 1616"},
    {'j', "242a1b0b 2626"},
    {'k', "0600 3401 1240"},
    {'l', "1610"},
    {'m', "0400 03142320 23344340"},
    {'n', "0400 0314344340"},
    {'o', "103041433414030110"},
    {'p', "040b 0314344341301001"},
    {'q', "444b 4334140301103041"},
    {'r', "0400 03143443"},
    {'s', "4414031232413000"},
    {'t', "16112030 0434"},
    {'u', "0401103041 4440"},
    {'v', "042044"},
    {'w', "0410233044"},
    {'x', "0440 0044"},
    {'y', "0420 441b"},
    {'z', "04440040"},
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
  for (const Glyph& glyph : kGlyphs) {
    if (glyph.letter == c) return &glyph;
  }
  return nullptr;
}

double advance_of(char c) {
  const bool narrow = c == '.' || c == ',' || c == ':' || c == 'i' || c == 'l';
  return narrow ? kNarrowAdvance : kAdvance;
}

double height_of(char c) { return c >= 'a' ? -1.0 - (c - 'a') : c - '0'; }

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
        strokes.back().push_back({x + (at[0] - '0'), height_of(at[1])});
      }
      if (*at == ' ') at++;
    }
    x += advance_of(c);
  }
  return strokes;
}

}  // namespace gallop
