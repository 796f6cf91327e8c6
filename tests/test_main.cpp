// Entry of every test program. A selection without tests fails, so that a mistyped filter or a
// program that lost its tests never looks like success.
#include <gtest/gtest.h>

#include <cstdio>

int main(int argc, char** argv) {
  ::testing::InitGoogleTest(&argc, argv);
  if (::testing::GTEST_FLAG(list_tests)) return RUN_ALL_TESTS();
  const int status = RUN_ALL_TESTS();
  if (::testing::UnitTest::GetInstance()->test_to_run_count() == 0) {
    std::fputs("no test was selected\n", stderr);
    return 1;
  }
  return status;
}
