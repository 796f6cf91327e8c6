// Eigen for a unit that is compiled once for each instruction set: its namespace bears the name of
// the instruction set, so that its functions cannot be merged with those of another unit. Included
// before any other header of Eigen.
#pragma once

#include <gallop/kernels/numerics/platform.h>

#define Eigen GALLOP_OF_ISA(Eigen)
#define EIGEN_NO_DEBUG
#define EIGEN_DONT_PARALLELIZE
#include <Eigen/Core>
