// Checkpoints: the container, the values of every tensor in front of a learner, and the options
// that a policy's file tells.
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cmath>
#include <cstring>
#include <map>
#include <memory>

#include <gallop/host/error.h>
#include <gallop/host/files/safetensors.h>
#include <gallop/host/files/sha256.h>
#include <gallop/host/training/trained_policy.h>
#include "tests/campaign/fuzz_target.h"
#include "tests/campaign/session.h"
#include "tests/campaign/small_run.h"
#include "tests/host/edited_tensors.h"

namespace gallop::campaign {
namespace {

using Texts = std::vector<std::string>;

std::string text_of(const std::vector<std::byte>& bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}
std::span<const std::byte> bytes_of(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

// With the digest that belongs to what it is now, so that it is refused for something else.
std::string signed_file(std::string_view input) {
  std::string text(input);
  const std::size_t place = text.find("\"sha256\":\"");
  if (place == std::string::npos || place + 10 + 64 > text.size()) return text;
  text.replace(place + 10, 64, 64, '0');
  return text.replace(place + 10, 64, sha256_hex(bytes_of(text)));
}

// A learner with what it saves, made once.
struct Subject {
  RunOptions options;
  std::unique_ptr<Backend> backend = make_cpu_backend(1);
  std::unique_ptr<Algorithm> algorithm;
  TensorFile good;
  std::vector<std::string> names;

  Subject(const char* environment, const char* name, const Texts& assignments)
      : options(small_options(environment, name, assignments)),
        algorithm(options.algorithm().create({*backend, options.environment(), options.values(),
                                              options.seed(), options.configure()})) {
    algorithm->iterate();
    good = saved();
    for (const auto& [key, tensor] : good.tensors()) {
      if (!tensor.bytes.empty()) names.push_back(key);
    }
  }
  TensorFile saved() const {
    TensorFile file;
    algorithm->save(file);
    return file;
  }
};

const std::vector<std::unique_ptr<Subject>>& subjects() {
  static const auto all = [] {
    std::vector<std::unique_ptr<Subject>> made;
    const auto add = [&](const char* environment, const char* algorithm, const Texts& more) {
      made.push_back(std::make_unique<Subject>(environment, algorithm, more));
    };
    add("cartpole", "ppo", {"normalize_observations=true"});
    add("pendulum", "trpo", {});
    add("mdp", "reinforce", {});
    add("lqr", "npg", {"nonfinite=reset"});
    add("inverted_pendulum", "a2c", {"normalize_observations=true"});
    add("pendulum", "sac", {"buffer_size=24", "learning_starts=8", "batch_size=8"});
    add("pendulum", "ddpg",
        {"buffer_size=24", "learning_starts=8", "batch_size=8", "noise=ou", "nonfinite=reset"});
    add("lqr", "shac", {});
    add("lqr", "svg", {"buffer_size=24", "minibatch=8", "updates=2", "model_epochs=1"});
    return made;
  }();
  return all;
}

bool equal(const TensorFile& a, const TensorFile& b) {
  if (a.tensors().size() != b.tensors().size()) return false;
  for (const auto& [name, tensor] : a.tensors()) {
    if (!b.has(name) || b.tensor(name).bytes != tensor.bytes) return false;
  }
  return true;
}

std::string run_safetensors(std::string_view input) {
  const bool is_signed = take_byte(input) % 4 != 0;
  const std::string text = is_signed ? signed_file(input) : std::string(input);
  const TensorFile file = read_safetensors(bytes_of(text), "fuzz");
  std::uint64_t total = 0;
  for (const auto& [name, tensor] : file.tensors()) {
    std::uint64_t size = 0;
    if (!is_tensor_name(name)) finding("a name that is none");
    if (!tensor_bytes(tensor.dtype, tensor.shape, size) || size != tensor.bytes.size()) {
      finding("a size that is not that of the shape");
    }
    total += size;
  }
  if (total > text.size()) finding("more bytes than the file has");
  const TensorFile again = read_safetensors(write_safetensors(file), "again");
  if (!equal(file, again) || file.texts() != again.texts()) finding("it is written otherwise");
  return fmt::format("read {}", file.tensors().empty() ? "nothing" : "tensors");
}

Texts safetensors_seeds() {
  TensorFile small;
  small.put<float>("a", {2}, std::vector<float>{1, 2});
  small.put<std::int64_t>("b/c", {1, 1}, std::vector<std::int64_t>{3});
  small.put<std::uint8_t>("none", {0}, std::vector<std::uint8_t>{});
  small.set_text("key", "a \"text\"\n\xc3\xa9");
  return {"\1" + text_of(write_safetensors(small)), "\1" + text_of(write_safetensors({})),
          std::string(1, '\0') + text_of(write_safetensors(small)),
          "\1" + text_of(write_safetensors(subjects()[2]->good))};
}

Texts safetensors_words() {
  return {"{",
          "}",
          "[",
          "]",
          ":",
          ",",
          "\"",
          "\\u0000",
          "null",
          "\"dtype\":\"F32\"",
          "\"shape\":[2]",
          "\"data_offsets\":[0,8]",
          "\"__metadata__\":{",
          "\"sha256\":\"",
          "F64",
          "I64",
          "U8",
          "BF16",
          "../x",
          "true",
          "1e3",
          std::string(7, '\0'),
          std::string(64, '0'),
          "\\ud800",
          "{\"a\":"};
}

// The input is a list of changes, 11 bytes each: which tensor, which element, which value. What is
// no change of values is one of a shape or a type, or leaves the tensor out.
TensorFile changed(const Subject& subject, std::string_view changes) {
  std::map<std::string, Tensor> tensors(subject.good.tensors().begin(),
                                        subject.good.tensors().end());
  for (; changes.size() >= 11; changes.remove_prefix(11)) {
    const auto byte = [&](int k) { return std::size_t(static_cast<unsigned char>(changes[k])); };
    const std::string& name = subject.names[(byte(0) | byte(1) << 8) % subject.names.size()];
    const auto found = tensors.find(name);
    if (found == tensors.end()) continue;
    Tensor& tensor = found->second;
    const std::size_t size = dtype_size(tensor.dtype), count = tensor.bytes.size() / size;
    if (byte(2) == 255) {
      tensors.erase(found);
    } else if (byte(2) == 254) {
      tensor.dtype = tensor.dtype == DType::f32 ? DType::i32 : DType::f32;
      tensor.bytes.resize(count * 4);
    } else if (byte(2) == 253) {
      tensor.shape = {count};
    } else if (byte(2) == 252) {
      tensor.shape = {count + 1};
      tensor.bytes.resize((count + 1) * size);
    } else if (count > 0) {
      std::memcpy(tensor.bytes.data() + byte(2) % count * size, changes.data() + 3, size);
    }
  }
  TensorFile file;
  for (const auto& [name, tensor] : tensors) test::put_tensor(file, name, tensor);
  return file;
}

std::string run_checkpoint(std::string_view input) {
  Subject& subject = *subjects()[take_byte(input) % subjects().size()];
  const unsigned how = take_byte(input);
  const TensorFile file = changed(subject, input);
  try {
    subject.algorithm->load(file);
  } catch (const Error& error) {
    if (error.code() != ExitCode::checkpoint && !is_out_of_memory(error))
      finding(std::string("not a checkpoint error: ") + error.what());
    if (how % 8 == 0 && !equal(subject.saved(), subject.good)) finding("a failed load changed it");
    throw;
  }
  if (how % 8 == 0 && !equal(subject.saved(), file)) {
    finding("what was loaded is not what is saved");
  }
  std::string what = "loaded";
  if (how % 8 == 1) {  // the run goes on, to wherever such numbers lead
    try {
      subject.algorithm->iterate();
      what = "loaded and iterated";
    } catch (const Error& error) {
      if (error.code() != ExitCode::non_finite && !is_out_of_memory(error)) {
        finding(std::string("not a number that is not finite: ") + error.what());
      }
      what = "loaded and stopped at a number that is not finite";
    }
  }
  subject.algorithm->load(subject.good);
  return what;
}

std::string change(unsigned tensor, unsigned element, std::string value) {
  value.resize(8);
  return std::string{char(tensor), char(tensor >> 8), char(element)} + value;
}
template <class T>
std::string raw(T value) {
  return {reinterpret_cast<const char*>(&value), sizeof value};
}

// Every tensor once with each of some numbers.
Texts checkpoint_seeds() {
  Texts seeds;
  for (unsigned s = 0; s < subjects().size(); s++) {
    for (unsigned k = 0; k < subjects()[s]->names.size(); k++) {
      for (const std::string& value :
           {raw(std::nanf("")), raw(1e30f), raw(std::int64_t(-1)), raw(1e9f)}) {
        seeds.push_back(std::string{char(s), char(k % 3)} + change(k, 0, value));
      }
    }
  }
  return seeds;
}

Texts checkpoint_words() {
  Texts words;
  for (const float x : {0.f, -1.f, 1.f, 0.5f, 64.f, 1e9f, 3e38f, -3e38f, 1e-45f, INFINITY, NAN}) {
    words.push_back(raw(x));
    words.push_back(raw(double(x)));
  }
  for (const std::int64_t x :
       {std::int64_t(0), std::int64_t(1), std::int64_t(-1), INT64_MAX, INT64_MIN,
        std::int64_t(1) << 31, std::int64_t(1) << 32, std::int64_t(1) << 53}) {
    words.push_back(raw(x));
  }
  for (const char c : {'\xff', '\xfe', '\xfd', '\xfc'}) words.emplace_back(1, c);
  return words;
}

// A policy's file whose text of options is the input.
std::string run_policy(std::string_view input) {
  static const std::string folder = [] {
    const std::string path = fmt::format("/dev/shm/gallop-campaign-{}", ::getpid());
    make_folder(*posix_file_system(), path);
    return path;
  }();
  const Subject& subject = *subjects()[take_byte(input) % subjects().size()];
  TensorFile file = subject.good;
  file.set_text("gallop.format", "1");
  file.set_text("gallop.step", std::to_string(subject.algorithm->steps()));
  try {
    file.set_text("options", input);
  } catch (const Error&) {
    return "no text";
  }
  file.put_scalar<std::uint64_t>("iterations", 1);
  const std::string path = folder + "/p.safetensors";
  {
    const auto files = posix_file_system();
    const File written(*files, path, O_WRONLY | O_CREAT | O_TRUNC);
    written.write(write_safetensors(file));
  }
  load_policy_file(*subject.backend, path);
  return "loaded";
}

Texts policy_seeds() {
  Texts seeds;
  for (unsigned s = 0; s < subjects().size(); s++) {
    seeds.push_back(std::string(1, char(s)) + subjects()[s]->options.fingerprint());
  }
  return seeds;
}

Texts policy_words() {
  return {"\n",
          "=",
          "environment=",
          "algorithm=",
          "hidden=4",
          "hidden=",
          "n_envs=",
          "seed",
          "mdp",
          "cartpole",
          "ppo",
          "trpo",
          "parameters.",
          "file=",
          "tanh",
          "1e30",
          "problem=3x2, 4 steps, ",
          "normalize_observations=true",
          "\xc3\xa9"};
}

}  // namespace

FuzzTarget safetensors_target() {
  return {"safetensors", run_safetensors, safetensors_seeds, safetensors_words, 1.5};
}
FuzzTarget checkpoint_target() {
  return {"checkpoint", run_checkpoint, checkpoint_seeds, checkpoint_words, 8};
}
FuzzTarget policy_target() { return {"policy", run_policy, policy_seeds, policy_words, 12}; }

}  // namespace gallop::campaign
