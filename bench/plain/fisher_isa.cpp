// Fisher-vector products on Eigen's matrix products, compiled once for each instruction set of the
// kernels with their flags; Eigen's namespace bears its name, so that no function of it is merged
// with one of another unit.
//
// The algorithm is that of kernels/gradients/fisher.h: hidden units and probabilities are computed
// once; a product is a forward pass of the tangent, the Fisher matrix of the distribution, and a
// backward pass whose sums over samples Eigen accumulates in place. Samples are columns: of the two
// layouts the faster one.
#include "bench/plain/eigen_of_isa.h"

#include "bench/plain/fisher_baseline.h"

namespace gallop {
namespace {

using Matrix = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic>;
using Vector = Eigen::Matrix<float, Eigen::Dynamic, 1>;

constexpr int kLayers = 16;
constexpr long kChunk = kFisherBaselineChunk;

// Derivative of tanh by its value.
auto slope(const Matrix& unit) { return 1.0f - unit.array().square(); }

class Fisher {
 public:
  explicit Fisher(const FisherBaselineRequest& r)
      : n_layers_(r.n_layers),
        categorical_(r.categorical),
        count_(r.count),
        n_chunks_((r.count + kChunk - 1) / kChunk),
        chunks_(new Units[n_chunks_]) {
    offset_[0] = 0;
    for (int l = 0; l <= n_layers_; l++) width_[l] = r.width[l];
    for (int l = 0; l < n_layers_; l++) {
      offset_[l + 1] = offset_[l] + (width_[l] + 1L) * width_[l + 1];
      weight_[l] = weights_of(r.parameters, l);
      tangent_[l].resize(width_[l + 1], kChunk);
      delta_[l].resize(width_[l + 1], kChunk);
    }
    if (!categorical_) {
      const int n = width_[n_layers_];
      per_variance_ =
          (-2.0f * Eigen::Map<const Vector>(r.parameters + offset_[n_layers_], n)).array().exp();
    }
    for (long c = 0; c < n_chunks_; c++) prepare(r, c);
  }
  ~Fisher() { delete[] chunks_; }

  void product(const float* vector, float* to) {
    const int last = n_layers_ - 1;
    Eigen::Map<Vector>(to, offset_[n_layers_]).setZero();
    for (long c = 0; c < n_chunks_; c++) {
      const Units& at = chunks_[c];
      const long n = at.unit[0].cols();
      for (int l = 0; l < n_layers_; l++) {
        auto t = tangent_[l].leftCols(n);
        t.noalias() = weights_of(vector, l) * at.unit[l];
        if (l > 0) t.noalias() += weight_[l] * tangent_[l - 1].leftCols(n);
        if (l < last) {
          t = (t.colwise() + biases_of(vector, l)).array() * slope(at.unit[l + 1]);
        } else {
          t.colwise() += biases_of(vector, l);
        }
      }
      metric(at, n);
      for (int l = last; l >= 0; l--) {
        auto d = delta_[l].leftCols(n);
        Eigen::Map<Matrix>(to + offset_[l], width_[l + 1], width_[l]).noalias() +=
            d * at.unit[l].transpose();
        Eigen::Map<Vector>(bias_at(to, l), width_[l + 1]) += d.rowwise().sum();
        if (l == 0) break;
        auto next = delta_[l - 1].leftCols(n);
        next.noalias() = weight_[l].transpose() * d;
        next.array() *= slope(at.unit[l]);
      }
    }
    Eigen::Map<Vector>(to, offset_[n_layers_]) *= 1.0f / float(count_);
    for (int i = 0; !categorical_ && i < width_[n_layers_]; i++) {
      to[offset_[n_layers_] + i] = 2.0f * vector[offset_[n_layers_] + i];
    }
  }

 private:
  struct Units {
    Matrix unit[kLayers + 1];  // [width, n]: inputs, hidden units; last the probabilities
  };

  Eigen::Map<const Matrix> weights_of(const float* p, int l) const {
    return {p + offset_[l], width_[l + 1], width_[l]};
  }
  template <class T>
  T* bias_at(T* p, int l) const {
    return p + offset_[l] + long(width_[l]) * width_[l + 1];
  }
  Eigen::Map<const Vector> biases_of(const float* p, int l) const {
    return {bias_at(p, l), width_[l + 1]};
  }

  void prepare(const FisherBaselineRequest& r, long c) {
    const long first = c * kChunk, n = count_ - first < kChunk ? count_ - first : kChunk;
    Matrix* unit = chunks_[c].unit;
    unit[0] = Eigen::Map<const Matrix>(r.observation + first * width_[0], width_[0], n);
    for (int l = 0; l < n_layers_; l++) {
      unit[l + 1].noalias() = weight_[l] * unit[l];
      unit[l + 1].colwise() += biases_of(r.parameters, l);
      if (l + 1 < n_layers_) unit[l + 1] = unit[l + 1].array().tanh();
    }
    if (!categorical_) return;
    Matrix& p = unit[n_layers_];
    for (long s = 0; s < n; s++) {
      p.col(s) = (p.col(s).array() - p.col(s).maxCoeff()).exp();
      p.col(s) /= p.col(s).sum();
    }
  }

  // delta = M tangent of the outputs.
  void metric(const Units& at, long n) {
    const int last = n_layers_ - 1, n_out = width_[n_layers_];
    auto t = tangent_[last].leftCols(n);
    auto d = delta_[last].leftCols(n);
    if (!categorical_) {
      d = t.array().colwise() * per_variance_.array();
      return;
    }
    const float* p = at.unit[n_layers_].data();
    for (long s = 0; s < n; s++, p += n_out) {
      float mean = 0;
      for (int i = 0; i < n_out; i++) mean += p[i] * t(i, s);
      for (int i = 0; i < n_out; i++) d(i, s) = p[i] * (t(i, s) - mean);
    }
  }

  int n_layers_;
  bool categorical_;
  long count_, n_chunks_;
  int width_[kLayers + 1];
  long offset_[kLayers + 1];
  Matrix weight_[kLayers], tangent_[kLayers], delta_[kLayers];
  Vector per_variance_;
  Units* chunks_;
};

constexpr FisherBaseline kBaseline = {
    [](const FisherBaselineRequest& r) -> void* { return new Fisher(r); },
    [](void* fisher) { delete static_cast<Fisher*>(fisher); },
    [](void* fisher, const float* vector, float* product) {
      static_cast<Fisher*>(fisher)->product(vector, product);
    }};

}  // namespace
}  // namespace gallop

extern "C" const gallop::FisherBaseline* GALLOP_OF_ISA(gallop_fisher_baseline)() {
  return &gallop::kBaseline;
}
