#include "bench/row.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <set>

#include "bench/timer.h"

namespace gallop {
namespace {

BenchRow some_row() {
  BenchRow row;
  row.name = "rollout/cartpole/64-64";
  row.scope = "S+P";
  row.environment = "cartpole";
  row.policy = "64-64";
  row.backend = "cpu-v4";
  row.threads = 2;
  row.stored = true;
  row.per_second = 8.5e6;
  row.spread = 0.02;
  row.baseline = "scalar";
  row.baseline_per_second = 5e5;
  row.peak_fraction = 0.66;
  row.checksum = "00ff00ff00ff00ff";
  return row;
}

long commas(const std::string& line) { return std::count(line.begin(), line.end(), ','); }

TEST(BenchRow, JsonHoldsTheSchema) {
  const auto json = nlohmann::json::parse(to_json(some_row()));
  for (const char* key : {"name", "environment", "policy", "backend", "baseline", "checksum"}) {
    EXPECT_TRUE(json.at(key).is_string()) << key;
  }
  for (const char* key : {"per_second", "baseline_per_second", "peak_fraction"}) {
    EXPECT_TRUE(json.at(key).is_number_float()) << key;
  }
  EXPECT_EQ(json.at("threads"), 2);
  EXPECT_EQ(json.at("stored"), true);
  EXPECT_EQ(json.at("per_second"), 8.5e6);
}

TEST(BenchRow, WhatDoesNotApplyIsNullAndEmpty) {
  BenchRow row = some_row();
  row.baseline.clear();
  row.baseline_per_second = std::nan("");
  row.peak_fraction = std::nan("");
  const auto json = nlohmann::json::parse(to_json(row));
  for (const char* key : {"baseline", "baseline_per_second", "peak_fraction"}) {
    EXPECT_TRUE(json.at(key).is_null()) << key;
  }
  EXPECT_NE(to_csv(row).find(",,,00ff00ff00ff00ff"), std::string::npos) << to_csv(row);
  EXPECT_EQ(to_table(row).find("nan"), std::string::npos) << to_table(row);
}

TEST(BenchRow, CsvHasAFieldForEachName) {
  EXPECT_EQ(csv_header().substr(0, 10), "name,scope");
  EXPECT_EQ(commas(to_csv(some_row())), commas(csv_header()));
  EXPECT_EQ(commas(to_csv(BenchRow())), commas(csv_header()));
}

TEST(Rates, MedianSpreadAndBest) {
  Rates rates;
  EXPECT_TRUE(std::isnan(rates.median()));
  for (const double seconds : {1.0, 0.5, 0.25, 0.2, 0.125}) rates.add(1.0, seconds);
  EXPECT_EQ(rates.median(), 4.0);
  EXPECT_EQ(rates.best(), 8.0);
  EXPECT_EQ(rates.spread(), (5.0 - 2.0) / 4.0);
  EXPECT_EQ(rates.seconds(), 2.075);
}

}  // namespace
}  // namespace gallop
