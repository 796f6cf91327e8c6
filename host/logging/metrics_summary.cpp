// The metrics of a run of any length in a table of limited size.
#include <algorithm>
#include <cmath>
#include <limits>

#include <gallop/host/logging/metrics_table.h>

namespace gallop {
namespace {

constexpr uint64_t kMostStretches = 1024;           // as many as a screen has columns of pixels
constexpr uint64_t kMostCells = uint64_t{1} << 20;  // 32 MiB of them

// The values of one metric in a stretch of iterations; of a single iteration `low` is its value.
struct Cell {
  double sum = 0, weight = 0;
  double low = std::numeric_limits<double>::quiet_NaN();
  double high = std::numeric_limits<double>::quiet_NaN();

  void add(double value, double times) {
    if (!std::isfinite(value)) return;
    low = std::isfinite(low) ? std::min(low, value) : value;
    high = std::isfinite(high) ? std::max(high, value) : value;
    if (!(times > 0)) return;
    sum += times * value;
    weight += times;
  }
  void merge(const Cell& other) {
    sum += other.sum;
    weight += other.weight;
    const bool mine = std::isfinite(low), its = std::isfinite(other.low);
    low = mine && its ? std::min(low, other.low) : mine ? low : other.low;
    high = mine && its ? std::max(high, other.high) : mine ? high : other.high;
  }
};

struct Stretch {
  uint64_t last_step = 0;
  uint64_t n_iterations = 0;
  std::vector<Cell> cells;  // [names]

  void merge(const Stretch& other) {
    last_step = other.last_step;
    n_iterations += other.n_iterations;
    for (size_t k = 0; k < cells.size(); ++k) cells[k].merge(other.cells[k]);
  }
};

// Stretches of equal length; when there are too many, each two become one.
class Stretches {
 public:
  Stretches(const MetricsReader& reader, uint64_t most_rows)
      : most_(std::min(
            most_rows,
            std::max(kMostStretches, kMostCells / std::max<size_t>(1, reader.names().size())))),
        episodes_(reader.index_of("episodes")),
        weighted_(reader.names().size(), false) {
    for (const char* name : {"return", "length"}) {
      const size_t k = reader.index_of(name);
      if (k < weighted_.size() && episodes_ < weighted_.size()) weighted_[k] = true;
    }
  }

  void add(const MetricsReader& reader) {
    if (is_full() && all_.size() >= most_) halve();
    const bool is_new = is_full();
    if (is_new) all_.push_back({0, 0, std::vector<Cell>(weighted_.size())});
    Stretch& stretch = all_.back();
    stretch.last_step = reader.step();
    ++stretch.n_iterations;
    const std::span<const double> values = reader.values();
    for (size_t k = 0; k < values.size(); ++k) {
      Cell& cell = stretch.cells[k];
      cell.add(values[k], weighted_[k] ? values[episodes_] : 1.0);
      if (is_new && !std::isfinite(values[k])) cell.low = cell.high = values[k];
    }
  }

  void finish(MetricsTable& table) {
    while (each_ > 1 && all_.size() > kMostStretches) halve();
    table.iterations_each = each_;
    for (const Stretch& stretch : all_) {
      table.n_iterations += stretch.n_iterations;
      table.steps.push_back(stretch.last_step);
      std::vector<double> mean, low, high;
      for (const Cell& cell : stretch.cells) {
        mean.push_back(each_ == 1 ? cell.low : cell.sum / cell.weight);
        low.push_back(cell.low);
        high.push_back(cell.high);
      }
      table.rows.push_back(std::move(mean));
      if (each_ == 1) continue;
      table.low.push_back(std::move(low));
      table.high.push_back(std::move(high));
    }
  }

 private:
  // Whether the next iteration begins a stretch.
  bool is_full() const { return all_.empty() || all_.back().n_iterations >= each_; }

  void halve() {
    each_ *= 2;
    size_t n = 0;
    for (size_t k = 0; k < all_.size(); k += 2, ++n) {
      if (k + 1 < all_.size()) all_[k].merge(all_[k + 1]);
      if (n != k) all_[n] = std::move(all_[k]);
    }
    all_.resize(n);
  }

  uint64_t most_;
  size_t episodes_;
  std::vector<bool> weighted_;
  uint64_t each_ = 1;
  std::vector<Stretch> all_;
};

}  // namespace

MetricsTable summarise_metrics_csv(const std::string& path, std::shared_ptr<FileSystem> files,
                                   uint64_t most_rows) {
  const File file = File::to_read(*files, path);
  MetricsReader reader(file);
  MetricsTable table;
  table.names = reader.names();
  Stretches stretches(reader, most_rows);
  using Next = MetricsReader::Next;
  for (Next next = reader.next(); next != Next::kEnd; next = reader.next()) {
    if (next == Next::kRow) {
      stretches.add(reader);
    } else {
      ++table.n_damaged;
    }
  }
  stretches.finish(table);
  return table;
}

}  // namespace gallop
