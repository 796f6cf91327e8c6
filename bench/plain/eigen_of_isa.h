// Eigen for a unit that is compiled once for each instruction set: its namespace bears the name of
// the instruction set, so that its functions cannot be merged with those of another unit. Included
// before any other header of Eigen.
#pragma once

#define GALLOP_PASTE_(a, b) a##b
#define GALLOP_PASTE(a, b) GALLOP_PASTE_(a, b)
#define Eigen GALLOP_PASTE(Eigen_, GALLOP_ISA)
#define EIGEN_NO_DEBUG
#define EIGEN_DONT_PARALLELIZE
#include <Eigen/Core>
