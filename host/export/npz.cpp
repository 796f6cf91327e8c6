#include <gallop/host/export/npz.h>

#include <fmt/format.h>

#include <array>
#include <span>
#include <string_view>
#include <vector>

#include <gallop/host/error.h>
#include <gallop/kernels/policy/heads.h>

namespace gallop {
namespace {

constexpr std::size_t kLargestArchive = 0xffffffffu;

void add_16(std::string& to, unsigned value) {
  to += char(value & 0xff);
  to += char(value >> 8 & 0xff);
}
void add_32(std::string& to, std::uint32_t value) {
  add_16(to, value & 0xffff);
  add_16(to, value >> 16);
}

// The checksum of ZIP files: CRC-32 of ISO 3309, reflected polynomial 0xedb88320.
std::uint32_t crc32(std::string_view bytes) {
  static constexpr auto kTable = [] {
    std::array<std::uint32_t, 256> table = {};
    for (std::uint32_t n = 0; n < 256; n++) {
      std::uint32_t c = n;
      for (int k = 0; k < 8; k++) c = (c & 1) != 0 ? 0xedb88320u ^ (c >> 1) : c >> 1;
      table[n] = c;
    }
    return table;
  }();
  std::uint32_t crc = 0xffffffffu;
  for (const char byte : bytes) crc = kTable[(crc ^ std::uint8_t(byte)) & 0xff] ^ (crc >> 8);
  return ~crc;
}

// Files stored one after another, without compression, dated 1980-01-01.
class ZipArchive {
 public:
  void add(const std::string& name, const std::string& contents) {
    if (archive_.size() + contents.size() + directory_.size() + 2 * name.size() + 1024 >
        kLargestArchive) {
      throw value_error("the policy has too many parameters for an .npz file of less than 4 GiB");
    }
    const std::uint32_t offset = std::uint32_t(archive_.size());
    std::string common;  // of the header before a file and the entry of the directory
    add_16(common, 20);  // version 2.0 reads it
    add_16(common, 0);   // flags
    add_16(common, 0);   // stored
    add_16(common, 0);   // 00:00:00
    add_16(common, 33);  // 1 January 1980
    add_32(common, crc32(contents));
    add_32(common, std::uint32_t(contents.size()));
    add_32(common, std::uint32_t(contents.size()));
    add_16(common, unsigned(name.size()));
    add_16(common, 0);  // extra field
    archive_ += "PK\x03\x04" + common + name + contents;
    directory_ += "PK\x01\x02";
    add_16(directory_, 20);  // made by version 2.0
    directory_ += common;
    add_16(directory_, 0);  // comment
    add_16(directory_, 0);  // disk
    add_16(directory_, 0);  // internal attributes
    add_32(directory_, 0);  // external attributes
    add_32(directory_, offset);
    directory_ += name;
    n_files_++;
  }

  std::string finished() const {
    std::string all = archive_ + directory_ + "PK\x05\x06";
    add_16(all, 0);  // this disk
    add_16(all, 0);  // that of the directory
    add_16(all, n_files_);
    add_16(all, n_files_);
    add_32(all, std::uint32_t(directory_.size()));
    add_32(all, std::uint32_t(archive_.size()));
    add_16(all, 0);  // comment
    return all;
  }

 private:
  std::string archive_, directory_;
  unsigned n_files_ = 0;
};

// A .npy file: magic, version, the length of a header, the header, row-major data from a multiple
// of 64 bytes on.
std::string npy(const char* type, const std::vector<long>& shape, std::string_view data) {
  std::string dims;
  for (const long n : shape) dims += fmt::format("{}, ", n);
  if (shape.size() > 1) dims.resize(dims.size() - 2);
  if (shape.size() == 1) dims.pop_back();
  std::string header =
      fmt::format("{{'descr': '{}', 'fortran_order': False, 'shape': ({}), }}", type, dims);
  const std::size_t before = 10;
  header.append(63 - (before + header.size()) % 64, ' ');
  header += '\n';
  std::string file("\x93NUMPY\x01\x00", 8);
  add_16(file, unsigned(header.size()));
  return file.append(header).append(data);
}

template <class T>
std::string npy(const std::vector<long>& shape, std::span<const T> values) {
  return npy(sizeof(T) == 8 ? "<f8" : "<f4", shape,
             {reinterpret_cast<const char*>(values.data()), values.size_bytes()});
}

// An array without dimensions that holds a text of ASCII.
std::string npy_text(const std::string& text) {
  std::string wide;
  for (const char c : text) add_32(wide, std::uint8_t(c));
  return npy(fmt::format("<U{}", text.size()).c_str(), {}, wide);
}

class Arrays {
 public:
  template <class T = float>
  void add(const std::string& name, const std::vector<long>& shape, std::span<const T> values) {
    archive_.add(name + ".npy", npy<T>(shape, values));
  }
  void add_text(const std::string& name, const std::string& text) {
    archive_.add(name + ".npy", npy_text(text));
  }
  std::string finished() const { return archive_.finished(); }

 private:
  ZipArchive archive_;
};

void add_network(Arrays& arrays, const PortablePolicy& policy) {
  const NetworkShape& network = policy.shape.network;
  const std::span<const float> all(policy.parameters);
  if (network.kind == NetworkKind::kTabular) {
    const long n_states = network.width[0], n_out = network.width[1];
    return arrays.add("table", {n_states, n_out}, all.first(std::size_t(n_states * n_out)));
  }
  for (int l = 0; l < network.n_layers; l++) {
    const long n_in = network.width[l], n_out = network.width[l + 1];
    const std::size_t at = std::size_t(layer_offset(network, l));
    const std::size_t n_weights = std::size_t(n_in * n_out);
    arrays.add(fmt::format("weight_{}", l), {n_in, n_out}, all.subspan(at, n_weights));
    arrays.add(fmt::format("bias_{}", l), {n_out}, all.subspan(at + n_weights, std::size_t(n_out)));
  }
}

void add_bounds(Arrays& arrays, const PortablePolicy& policy) {
  if (policy.about.action.empty()) return;
  std::vector<double> low, high;
  for (const PortableComponent& c : policy.about.action) {
    low.push_back(c.low);
    high.push_back(c.high);
  }
  arrays.add<double>("action_low", {long(low.size())}, low);
  arrays.add<double>("action_high", {long(high.size())}, high);
}

}  // namespace

std::string to_npz(const PortablePolicy& policy) {
  require_finite_policy(policy);
  Arrays arrays;
  add_network(arrays, policy);
  const long n_own = head_parameters(policy.shape.head, policy.shape.n_actions);
  const PortableSquash squash = squash_of(policy);
  if (!squash.centre.empty()) {
    arrays.add("half_range", {long(squash.half_range.size())}, std::span(squash.half_range));
    arrays.add("centre", {long(squash.centre.size())}, std::span(squash.centre));
  } else if (n_own > 0) {
    arrays.add("log_std", {n_own},
               std::span<const float>(policy.parameters).last(std::size_t(n_own)));
  }
  if (!policy.mean.empty()) {
    const long inputs = long(policy.mean.size());
    arrays.add("mean", {inputs}, std::span(policy.mean));
    arrays.add("inverse_std", {inputs}, std::span(policy.inverse_std));
    arrays.add("limit", {}, std::span(&policy.limit, 1));
  }
  add_bounds(arrays, policy);
  arrays.add_text("metadata", metadata_text(policy));
  return arrays.finished();
}

}  // namespace gallop
