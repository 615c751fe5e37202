// Engine: runs a model over batches, in shards, lanes and threads; the same bits on any number of threads.
#pragma once

#include "pushforward/model.h"
#include "pushforward/thread_pool.h"

namespace pushforward {

struct EngineSettings {
  std::uint64_t seed = 0;
  int lanes = 8;         // a power of two
  Index shard_rows = 0;  // 0: clamp(round_up(batch / lanes, 16), 32, 256)
  int threads = 1;       // never changes a result
};

/// Rows of a batch, in memory that outlives the call. Columns start on 64 bytes.
template <class T>
struct Rows {
  Block<const T> data;     // N x D, or no data pointer
  Block<const T> context;  // N x C, or none
  Block<const T> weights;  // N x 1, or none
  Index count = 0;
};

/// A column-major array that owns its memory, 64-byte aligned, padded.
template <class T>
class PUSHFORWARD_EXPORT Matrix {
 public:
  Matrix() = default;
  Matrix(Index rows, Index columns);
  Matrix(Matrix&&) noexcept;
  Matrix& operator=(Matrix&&) noexcept;
  ~Matrix();
  Block<T> block() const { return block_; }
  operator Block<const T>() const { return block_; }
  T& operator()(Index i, Index j) const { return block_(i, j); }
  Index rows() const { return block_.rows; }
  Index columns() const { return block_.columns; }

 private:
  Block<T> block_;
};

template <class T>
class PUSHFORWARD_EXPORT Engine {
 public:
  Engine(Model<T>& model, const EngineSettings& settings);
  ~Engine();

  /// Loss of the objective's phase at `theta` (a vector of layout.parameter_size), and its gradient if wanted
  /// (overwritten; zero where frozen). Statistics are kept for `update`. Throws NumericalError that names step, shard
  /// and component if the loss is not finite.
  double loss(int phase, const Rows<T>& batch, std::uint32_t step, std::span<const T> theta, std::span<T> gradient);
  /// The same in Mode::evaluate, without a gradient and without statistics: the loss of held-out rows.
  double held_out_loss(int phase, const Rows<T>& batch, std::uint32_t step, std::span<const T> theta);
  /// After a step was accepted: components' `update` with the statistics of the last `loss` call.
  void update(std::uint32_t step, std::span<const T> theta);
  /// Data-dependent initialisation: one serial, unrecorded pass over the batch as one shard; writes the store. A
  /// procedure that fills one layer after another counts its passes in `step`, which components see in the stream.
  void initialise(const Rows<T>& batch, std::uint32_t step = 0);
  /// One byte for each kPadding elements of the parameter vector: 1 is frozen. Empty: nothing is.
  void set_frozen(std::vector<std::uint8_t> frozen);

  /// log_prob of every row at `theta` (empty: the store's), Mode::evaluate, unrecorded; in double.
  void log_prob(const Rows<T>& rows, std::span<double> out, std::span<const T> theta = {});
  /// `n` samples at `theta` (empty: the store's) into out (n x D); log_prob too if `log_prob` is not empty.
  void sample(Index n, Block<const T> context, std::uint32_t step, Block<T> out, std::span<double> log_prob = {},
              std::span<const T> theta = {});
  /// Any unrecorded function of shards at `theta` (empty: the store's): f(pass, first_row, rows), in parallel.
  template <class F>
  void for_each_shard(Index rows, std::uint32_t step, Mode mode, F&& f, std::span<const T> theta = {}) {
    shards(
        rows, step, mode, theta,
        [](void* c, const Pass<T>& pass, Index first, Index count) {
          (*static_cast<std::remove_reference_t<F>*>(c))(pass, first, count);
        },
        &f);
  }
  /// Recomputes derived values from the store; called by the methods above where needed.
  void prepare();

  Model<T>& model() const;
  const EngineSettings& settings() const;
  Index shard_rows(Index batch) const;
  std::size_t memory() const;  // bytes held by the tapes

 private:
  void shards(Index rows, std::uint32_t step, Mode mode, std::span<const T> theta,
              void (*f)(void*, const Pass<T>&, Index, Index), void* c);
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

extern template class Matrix<float>;
extern template class Matrix<double>;
extern template class Engine<float>;
extern template class Engine<double>;

}  // namespace pushforward
