#include <gallop/host/files/sha256.h>

#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace gallop {
namespace {

std::string digest_of(std::string_view text) { return sha256_hex(std::as_bytes(std::span(text))); }

// FIPS 180-4 examples and the NIST long message.
TEST(Sha256, NistVectors) {
  EXPECT_EQ(digest_of(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(digest_of("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(digest_of("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  EXPECT_EQ(
      digest_of(
          "abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopqklmnop"
          "qrlmnopqrsmnopqrstnopqrstu"),
      "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1");
  EXPECT_EQ(digest_of(std::string(1'000'000, 'a')),
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

// Every split of messages around the block length gives the digest of the whole.
TEST(Sha256, PiecesDoNotMatter) {
  for (const size_t length : {55u, 56u, 63u, 64u, 65u, 119u, 120u, 128u, 200u}) {
    std::string text;
    for (size_t i = 0; i < length; ++i) text += static_cast<char>(i * 37 + 11);
    const std::string whole = digest_of(text);
    for (size_t cut = 0; cut <= length; ++cut) {
      Sha256 hash;
      hash.update(std::as_bytes(std::span(text).first(cut)));
      hash.update(std::as_bytes(std::span(text).subspan(cut)));
      ASSERT_EQ(hash.hex_digest(), whole) << length << " cut at " << cut;
    }
  }
}

}  // namespace
}  // namespace gallop
