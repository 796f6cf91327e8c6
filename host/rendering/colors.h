// The few colours of all pictures.
#pragma once

#include <gallop/host/rendering/scene.h>

namespace gallop {

constexpr Color kPaper = {247, 248, 250}, kInk = {38, 47, 61}, kSoft = {110, 122, 138};
constexpr Color kRule = {214, 220, 228}, kGround = {203, 211, 221}, kGroundDark = {184, 194, 207},
                kMark = {156, 168, 184};
constexpr Color kWater = {226, 238, 247}, kWaterRule = {199, 219, 235};
constexpr Color kBlue = {58, 120, 214}, kOrange = {232, 137, 49}, kGreen = {52, 160, 112},
                kPurple = {148, 92, 196}, kRed = {214, 76, 96}, kTeal = {36, 156, 172};
// For parts that are to be told apart.
constexpr Color kPartColors[] = {kBlue, kOrange, kGreen, kPurple, kRed, kTeal};
constexpr int kNumPartColors = 6;

}  // namespace gallop
