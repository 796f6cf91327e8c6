// kernels/network/few.h against the tiles of kernels/network/forward.h.
#include <gallop/kernels/network/few.h>

#include "tests/kernels/isa_numbers.h"

namespace gallop::testing {
namespace {

NetworkShape random_shape(TestBits& random) {
  NetworkShape shape = {};
  shape.kind = NetworkKind::kMlp;
  shape.hidden = Activation(random.next() % 3);
  shape.n_layers = 2 + int(random.next() % 3);
  shape.width[0] = 1 + int(random.next() % 20);
  for (int l = 1; l < shape.n_layers; l++) shape.width[l] = 16 * (1 + int(random.next() % 6));
  shape.width[shape.n_layers] = 1 + int(random.next() % 20);
  return shape;
}

TEST(FewInstances, HaveTheBitsOfATile) {
  using Tile = TileShape<Native>;
  TestBits random;
  for (int trial = 0; trial < 100; trial++) {
    const NetworkShape shape = random_shape(random);
    ASSERT_TRUE(has_whole_rows(shape));
    std::vector<float> parameters(layer_offset(shape, shape.n_layers));
    for (float& p : parameters) p = random.between(-0.5f, 0.5f);
    const std::size_t floats = std::size_t(widest(shape)) * Tile::kInstances;
    std::vector<float> a(floats), b(floats), of_few(floats), other(floats, NAN);
    for (float& x : a) x = random.between(-2.0f, 2.0f);
    of_few = a;
    const int n = 1 + int(random.next() % kLanesOf<Native>);
    const float* const whole = forward_tile<Native>(shape, parameters.data(), a.data(), b.data());
    const float* const few =
        forward_few<Native>(shape, parameters.data(), n, of_few.data(), other.data());
    for (int j = 0; j < outputs_of(shape); j++) {
      for (int s = 0; s < n; s++) {
        const int at = j * Tile::kInstances + s;
        ASSERT_TRUE(same(few[at], whole[at])) << "output " << j << " of instance " << s;
      }
    }
  }
}

TEST(FewInstances, NeedRowsOfWholeRegisters) {
  NetworkShape shape = {NetworkKind::kMlp, Activation::kTanh, 3, {4, 32, 40, 1}};
  EXPECT_FALSE(has_whole_rows(shape));
  shape.width[2] = 48;
  EXPECT_TRUE(has_whole_rows(shape));
  shape.n_layers = 1;  // a linear map has no hidden layer
  EXPECT_FALSE(has_whole_rows(shape));
  shape.kind = NetworkKind::kTabular;
  EXPECT_FALSE(has_whole_rows(shape));
}

}  // namespace
}  // namespace gallop::testing
