// The shipped kernels once more, one number at a time: what the vector builds are compared with.
#include <gallop/kernels/tables/kernel_table.cpp>
