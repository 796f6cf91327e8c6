// Experience replay: a ring of transitions that were made by whatever policy, and batches drawn
// from it uniformly with replacement. Lin, "Self-improving reactive agents based on reinforcement
// learning, planning and teaching", 1992; as in Mnih et al., arXiv:1312.5602, section 4.
//
// A transition is one row: observation [O], action [A], reward, 1 where the episode terminated and
// else 0, next observation [O]. Next observations are of the same episode: at its end the final
// one, before any reset. An episode that a time limit cut off did not terminate.
#pragma once

#include <gallop/kernels/device/cpu_work.h>
#include <gallop/kernels/random/philox.h>
#include <gallop/kernels/random/stream.h>

namespace gallop {

constexpr long kMostReplayed = 1L << 30;  // transitions of a ring

// What changes with every block and batch, in the memory of the backend.
struct ReplayState {
  std::int64_t size;    // transitions that there are
  std::int64_t next;    // where the next one is written
  std::uint64_t draws;  // batches so far
};

struct ReplayRing {
  float* rows;    // [capacity, replay_width(O, A)]
  long capacity;  // at most kMostReplayed
  int observation_rows, action_rows;
  ReplayState* state;
};

// Writes transitions of a rollout: those of the numbers order[0 .. count), where transition (t, n)
// has the number t N + n; in the order of their numbers where `order` is null. They replace the
// oldest ones. A value error for a count below 0, or above what the ring or the rollout holds,
// and for a rollout of 2^32 transitions and above. Returns before it is done. The same bits on
// every backend and for any number of threads. No random numbers.
struct ReplayWriteRequest {
  ReplayRing ring;
  int n_steps, n_envs;             // T, N
  const float* observation;        // [T + 1, O, N]
  const float* action;             // [T, A, N]
  const float* reward;             // [T, N]
  const std::uint8_t* terminated;  // [T, N]
  const std::uint8_t* truncated;   // [T, N]
  const float* final_observation;  // [T, O, N] read where an episode ended
  const std::uint32_t* order;      // [count] or null
  long count;
};

// Draws `count` transitions and counts a batch. The ring must hold one. Inputs of a network of
// observation and action stand in one array each; the rows of actions of `next_input` keep what
// they hold. Returns before it is done. The same bits on every backend and for any number of
// threads. Random numbers: purpose kRandomReplay, counter (number in the batch, batches so far).
struct ReplayDrawRequest {
  ReplayRing ring;
  std::uint64_t seed;
  long count;         // B
  float* input;       // [O + A, B]
  float* reward;      // [B]
  float* terminated;  // [B] 1 or 0
  float* next_input;  // [O + A, B]
};

}  // namespace gallop

namespace gallop::inline GALLOP_ISA {

// Numbers of a transition.
GALLOP_HD long replay_width(int observation_rows, int action_rows) {
  return 2L * observation_rows + action_rows + 2;
}
GALLOP_HD long replay_width(const ReplayRing& ring) {
  return replay_width(ring.observation_rows, ring.action_rows);
}

// Why a request is refused, or null.
inline const char* refusal(const ReplayWriteRequest& r) {
  const long held = long(r.n_steps) * r.n_envs;
  const bool fits = r.count >= 0 && r.count <= r.ring.capacity && (r.order || r.count <= held) &&
                    held < (1L << 32);
  return fits ? nullptr
              : "replay_write: more transitions than the ring or the rollout holds, or less than "
                "0, or "
                "a rollout of 2^32 and above";
}
inline const char* refusal(const ReplayDrawRequest& r) {
  if (r.count >= 0 && r.count < kMostReplayed) return nullptr;
  return "replay_draw: a batch of less than 0 or of 2^30 transitions and above";
}

// Number `column` of the row of transition (t, i).
GALLOP_HD float replay_value(const ReplayWriteRequest& r, long t, long i, int column) {
  const int o = r.ring.observation_rows, a = r.ring.action_rows, n = r.n_envs;
  if (column < o) return r.observation[(t * o + column) * n + i];
  if (column < o + a) return r.action[(t * a + column - o) * n + i];
  const long at = t * n + i;
  if (column == o + a) return r.reward[at];
  if (column == o + a + 1) return r.terminated[at] != 0 ? 1.0f : 0.0f;
  const int k = column - o - a - 2;
  const bool ended = (r.terminated[at] | r.truncated[at]) != 0;
  return ended ? r.final_observation[(t * o + k) * n + i]
               : r.observation[((t + 1) * o + k) * n + i];
}

// The place `count` after `place`, at most a round.
GALLOP_HD std::int64_t replay_place_after(const ReplayRing& ring, std::int64_t place, long count) {
  const std::int64_t after = place + count;
  return after < ring.capacity ? after : after - ring.capacity;
}

// The numbers [begin, end) of the row of the transition that is written as number k of its block.
GALLOP_HD void write_replay_row(const ReplayWriteRequest& r, const ReplayState& state, long k,
                                int begin, int end) {
  const long id = r.order == nullptr ? k : long(r.order[k]);
  const long t = long(std::uint32_t(id) / std::uint32_t(r.n_envs));
  const long place = replay_place_after(r.ring, state.next, k);
  float* const row = r.ring.rows + place * replay_width(r.ring);
  for (int c = begin; c < end; c++) row[c] = replay_value(r, t, id - t * r.n_envs, c);
}
GALLOP_HD void end_replay_write(const ReplayWriteRequest& r) {
  ReplayState& state = *r.ring.state;
  state.next = replay_place_after(r.ring, state.next, r.count);
  const std::int64_t size = state.size + r.count;
  state.size = size < r.ring.capacity ? size : r.ring.capacity;
}

template <class F>
void replay_write(const ReplayWriteRequest& r, const CpuWork& on) {
  const int width = int(replay_width(r.ring));
  split(on, r.count, kInstanceGrain, [&](int, long begin, long end) {
    for (long k = begin; k < end; k++) write_replay_row(r, *r.ring.state, k, 0, width);
  });
  end_replay_write(r);
}

// Words that choose the transitions of numbers `b` of a batch; W is a word or a register of them.
template <class W>
GALLOP_HD W replay_words(std::uint64_t seed, std::uint64_t draws, W b) {
  return philox<W>(b, W(std::uint32_t(draws)), W(std::uint32_t(draws >> 32)), W(0u), key_low(seed),
                   key_high(seed, kRandomReplay))
      .word[0];
}
// Uniform over the ring but for 2^-32 of its size.
GALLOP_HD long replay_place(std::uint32_t word, std::int64_t size) {
  return long(std::uint64_t(word) * std::uint64_t(size) >> 32);
}
// Where number `column` of the rows goes: [B].
GALLOP_HD float* replay_target(const ReplayDrawRequest& r, int column) {
  const int input = r.ring.observation_rows + r.ring.action_rows;
  if (column < input) return r.input + column * r.count;
  if (column == input) return r.reward;
  if (column == input + 1) return r.terminated;
  return r.next_input + (column - input - 2) * r.count;
}

template <class F>
void replay_draw(const ReplayDrawRequest& r, const CpuWork& on) {
  constexpr int kBlock = 64;  // a multiple of the lanes
  const int width = int(replay_width(r.ring));
  const ReplayState state = *r.ring.state;
  split(on, r.count, kBlock, [&](int, long begin, long end) {
    const float* row[kBlock];
    std::uint32_t word[kBlock];
    for (long b = begin; b < end; b += kBlock) {
      const int n = end - b < kBlock ? int(end - b) : kBlock;
      for (int k = 0; k < n; k += kLanesOf<F>) {
        store_words(word + k,
                    replay_words(r.seed, state.draws, consecutive_words<F>(std::uint32_t(b + k))),
                    kLanesOf<F>);
      }
      for (int k = 0; k < n; k++) {
        row[k] = r.ring.rows + replay_place(word[k], state.size) * width;
        for (int c = 0; c < width; c += 16) __builtin_prefetch(row[k] + c);
      }
      for (int c = 0; c < width; c++) {
        float* const to = replay_target(r, c) + b;
        for (int k = 0; k < n; k++) to[k] = row[k][c];
      }
    }
  });
  r.ring.state->draws++;
}

}  // namespace gallop::inline GALLOP_ISA
