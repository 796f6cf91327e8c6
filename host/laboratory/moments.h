#pragma once

namespace gallop {

// Count, mean and sum of squared deviations of numbers, which merge.
struct Moments {
  double count = 0, mean = 0, squares = 0;

  double variance() const { return count > 1 ? squares / (count - 1) : 0; }

  // Chan, Golub and LeVeque 1979.
  void merge(const Moments& other) {
    if (other.count == 0) return;
    const double total = count + other.count, distance = other.mean - mean;
    mean += distance * other.count / total;
    squares += other.squares + distance * distance * count * other.count / total;
    count = total;
  }
};

// Those of x [n], in two passes over eight partial sums: the bits hang on x and n alone.
inline Moments moments_of(const double* x, int n) {
  constexpr int kParts = 8;
  double sums[kParts] = {}, squares[kParts] = {};
  for (int i = 0; i < n; i++) sums[i % kParts] += x[i];
  Moments m;
  m.count = n;
  for (const double sum : sums) m.mean += sum;
  m.mean /= n;
  for (int i = 0; i < n; i++) squares[i % kParts] += (x[i] - m.mean) * (x[i] - m.mean);
  for (const double sum : squares) m.squares += sum;
  return m;
}

}  // namespace gallop
