// Resets of instances that ended, gathered from wherever they stand into full registers. Episodes
// end one at a time, so resetting within the register that steps would draw random numbers for 16
// instances wherever one ended: half of all steps of CartPole under random actions.
#pragma once

#include <gallop/kernels/environment/runner.h>

namespace gallop::inline GALLOP_ISA {

// The mask without lanes from `count` on.
template <class F>
GALLOP_HD Mask<F> first_lanes(Mask<F> mask, int count) {
  if (count >= kLanesOf<F>) return mask;
  const Mask<F> first = consecutive_words<F>(0u) < Word<F>(std::uint32_t(count));
  const Mask<F> both = mask & first;
  return both;
}

// Instances that ended, by number.
template <class F>
struct EndedList {
  static constexpr int kW = kLanesOf<F>;
  static constexpr int kCapacity = 512;
  int n = 0;
  std::int32_t index[kCapacity + kW];

  GALLOP_HD void append(Mask<F> mask, int first) { n += list_lanes(index + n, mask, first); }
  GALLOP_HD bool full() const { return n + kW > kCapacity; }
  // Fills the last register with an instance that is there anyway.
  GALLOP_HD void pad() {
    for (int k = n; k % kW != 0; k++) index[k] = index[0];
  }
};

template <class T, class Lanes>
GALLOP_HD void scatter(T* to, const std::int32_t* index, int begin, int count, Lanes x,
                       const std::uint8_t* is_written = nullptr) {
  T lane[sizeof(Lanes) / sizeof(T)];
  __builtin_memcpy(lane, &x, sizeof(x));
  for (int k = 0; k < count; k++) {
    if (is_written == nullptr || is_written[k] != 0) to[index[k] - begin] = lane[k];
  }
}

// Return and length of the first episodes to end of the instances index[0 .. count).
template <class F>
GALLOP_HD void record_first(const StepOutput& out, const std::int32_t* index, int begin, int count,
                            F ended_return, Int<F> ended_length) {
  if (out.first_return == nullptr) return;
  float value[kLanesOf<F>];
  std::int32_t length[kLanesOf<F>];
  store_lanes(value, ended_return, kLanesOf<F>);
  store_words(length, ended_length, kLanesOf<F>);
  for (int k = 0; k < count; k++) {
    const int i = index[k] - begin;
    if (out.first_length[i] != 0) continue;
    out.first_return[i] = value[k];
    out.first_length[i] = length[k];
  }
}

template <class Env, class F>
struct Restart {
  using P = typename Env::template Parameters<F>;
  static constexpr int kW = kLanesOf<F>;
  static constexpr int kRows = Traits<Env>::kObservationRows;

  const EnvironmentBatch& batch;
  int begin;  // instance of element 0 of the outputs
  const StepOutput& out;

  // What the transition that ended the episodes leaves to write, then their resets: the numbers of
  // advance() in same-step mode.
  GALLOP_NOINLINE_HD void run(EndedList<F>& ended) {
    ended.pad();
    for (int k = 0; k < ended.n; k += kW) {
      P p;
      const Int<F> at = load_words(ended.index + k, kW, Int<F>());
      if (batch.parameters_per_instance == 0) {
        broadcast_struct<F>(p, batch.parameters);
      } else {
        gather_struct<F>(p, batch.parameters, at);
      }
      restart(ended.index + k, ended.n - k < kW ? ended.n - k : kW, at, p);
    }
    ended.n = 0;
  }

 private:
  GALLOP_HD void restart(const std::int32_t* index, int count, Int<F> at, const P& p) {
    Instances<Env, F> in;
    gather_struct<F>(in.state, batch.state, at);
    in.id = ids_at<F>(batch.ids, at);
    in.episode = gather_words(batch.episode, at);
    in.elapsed = gather_words(batch.elapsed, at);
    in.episode_return = gather(batch.episode_return, at);
    if (out.ended_return != nullptr) {
      scatter(out.ended_return, index, begin, count, in.episode_return);
    }
    if (out.ended_length != nullptr) scatter(out.ended_length, index, begin, count, in.elapsed);
    record_first(out, index, begin, count, in.episode_return, in.elapsed);
    if (out.final_observation != nullptr) write_final(p, in, index, count);
    in.episode = in.episode + Word<F>(1u);
    begin_episode<Env, F>(batch, p, in, F(0.0f) == F(0.0f));
    if (out.observation != nullptr) {
      write_observation(p, in, out.observation, index, count, nullptr);
    }
    scatter_struct(in.state, index, count);
    scatter(batch.episode, index, 0, count, in.episode);
    scatter(batch.elapsed, index, 0, count, in.elapsed);
    scatter(batch.episode_return, index, 0, count, in.episode_return);
  }

  GALLOP_HD void write_final(const P& p, const Instances<Env, F>& in, const std::int32_t* index,
                             int count) {
    if (out.final_of_cut == 0) {
      return write_observation(p, in, out.final_observation, index, count, nullptr);
    }
    const Int<F> limit(batch.time_limit > 0 ? batch.time_limit : 0x7fffffff);
    const Mask<F> truncated = in.elapsed >= limit;
    if (!any(truncated)) return;
    std::uint8_t is_kept[kW];
    store_mask(is_kept, truncated, kW);
    write_observation(p, in, out.final_observation, index, count, is_kept);
  }

  // Of the lanes whose flag is set, or of all.
  GALLOP_HD void write_observation(const P& p, const Instances<Env, F>& in, float* to,
                                   const std::int32_t* index, int count,
                                   const std::uint8_t* is_written) {
    F o[kRows];
    observe<Env, F>(batch.shared, p, in.state, o);
    const int rows = observation_rows<Env>(batch.shared);
    for (int k = 0; k < rows; k++) {
      scatter(to + k * out.observation_stride, index, begin, count, o[k], is_written);
    }
  }

  template <class G, class Struct>
  GALLOP_HD void gather_struct(Struct& s, const float* from, Int<G> at) {
    for (int k = 0; k < int(sizeof(Struct) / sizeof(G)); k++) {
      const G x = gather(from + k * batch.stride, at);
      __builtin_memcpy(reinterpret_cast<char*>(&s) + k * sizeof(G), &x, sizeof(G));
    }
  }
  template <class Struct>
  GALLOP_HD void scatter_struct(const Struct& s, const std::int32_t* index, int count) {
    for (int k = 0; k < int(sizeof(Struct) / sizeof(F)); k++) {
      F x;
      __builtin_memcpy(&x, reinterpret_cast<const char*>(&s) + k * sizeof(F), sizeof(F));
      scatter(batch.state + k * batch.stride, index, 0, count, x);
    }
  }
};

}  // namespace gallop::inline GALLOP_ISA
