#pragma once

#include <string_view>
#include <vector>

#include <gallop/host/rendering/picture.h>

namespace gallop {

// Letters drawn with a pen, for pictures without a font at hand: digits, letters and
// + - . , : / = _ ( ); others are blanks. In units of which a capital letter is kCapitalUnits high,
// a small one without an ascender four, a descender kDescentUnits deep, and a font as a whole
// kFontSize.
constexpr double kCapitalUnits = 6, kDescentUnits = 2, kFontSize = 8.5;

// How wide the text is.
double text_units(std::string_view text);
// Its strokes: polylines from the left end of its base line, y up.
std::vector<std::vector<Point2>> text_strokes(std::string_view text);

}  // namespace gallop
