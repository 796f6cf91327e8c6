#pragma once

namespace gallop::campaign {

// operator new and aligned_alloc of a program that links failing_memory.cpp. The allocation number
// `at`, counted from 0 here, fails; none does where it is negative.
void fail_allocation(long at);
// How many there were since then. None fails any more.
long stop_failing();

}  // namespace gallop::campaign
