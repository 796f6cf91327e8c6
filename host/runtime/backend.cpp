#include "host/runtime/backend.h"

#include "host/error.h"

namespace gallop {
namespace {

Error no_trust_region(const Backend& backend) {
  return Error(ExitCode::cuda, "trust-region methods do not run on the " + backend.name() +
                                   " backend; use --device cpu");
}

}  // namespace

void Backend::fisher_prepare(FisherRequest, float*) { throw no_trust_region(*this); }
void Backend::fisher_product(FisherRequest, float*) { throw no_trust_region(*this); }
void Backend::policy_divergence(DivergenceRequest, double (&)[kDivergenceSums]) {
  throw no_trust_region(*this);
}
void Backend::copy(float*, const float*, long) { throw no_trust_region(*this); }
double Backend::dot(const float*, const float*, long) { throw no_trust_region(*this); }
void Backend::add_scaled(float*, float, const float*, long) { throw no_trust_region(*this); }
void Backend::scale_and_add(float*, float, const float*, long) { throw no_trust_region(*this); }

}  // namespace gallop
