// What is verified: a model in its own precision and in float64, and rows that it is verified on.
#pragma once

#include <string>
#include <vector>

#include "evaluation.h"
#include "pushforward/registry/experiment.h"

namespace pushforward::verification {

/// A stretch of the rows: those of one split, or of a file.
struct Part {
  std::string name;
  Index first = 0, count = 0;
};

template <class T>
struct GatheredRows {
  Split<T> rows;               // of all parts, as the model sees them
  std::vector<Part> parts;     // the rows that a run was fitted to are called `train`
  std::vector<Index> numbers;  // of each row in the split or file, from 0
  /// `row 12 of test`
  std::string name_of(Index row) const;
};
/// At most `limit` rows of each split, picked by the seed, in the order that they have there.
template <class T>
GatheredRows<T> gather_rows(const std::vector<const Split<T>*>& splits, Index limit, std::uint64_t seed);

template <class T>
struct Subject {
  Engine<T>& engine;
  Engine<double>& exact;                  // the same model in float64; the same engine where that is its precision
  const GatheredRows<T>& gathered;        // may be no rows
  const DataPipeline<T>* data = nullptr;  // none: the model's units are the user's
  const DataPipeline<double>* exact_data = nullptr;

  const Distribution<T>& model() const { return *engine.model().distribution; }
  bool flow() const { return static_cast<bool>(model().as_flow()); }
  Block<const T> events() const { return gathered.rows.data; }
  Block<const T> context() const { return gathered.rows.context; }
  bool conditional() const { return engine.model().context > 0; }
};

/// The numbers of a model into another one of the same spec in another precision. Throws std::logic_error if their
/// layouts differ.
template <class T>
void copy_numbers(const Model<T>& from, Model<double>& to);

/// Steps that key the draws of verification, apart from those of training and of `sample`.
enum class DrawStep : std::uint32_t {
  round_trip = 0xffffff00,
  reference,
  samples,
  frame,
  inside,
};

/// The model's base at points of it, or the model itself if it is no flow: log-densities in nats.
template <class T>
std::vector<double> base_log_prob(Engine<T>& engine, Block<const T> points, Block<const T> context);
/// `n` draws of the base.
template <class T>
Matrix<T> draw_from_base(Engine<T>& engine, Index n, Block<const T> context, DrawStep step);
/// Means and standard deviations of the base's elements, one row for each of `n` rows, if the base is normal with
/// independent elements, so far as `points` of it show; else two empty ones.
template <class T>
struct NormalBase {
  Matrix<T> mean, deviation;
  explicit operator bool() const { return mean.rows() > 0; }
};
template <class T>
NormalBase<T> normal_base(Engine<T>& engine, Block<const T> points, Block<const T> context);

/// `n` contexts, those of the rows again and again; none for a model without.
template <class T>
Matrix<T> contexts_for(const Subject<T>& subject, Index n);
template <class To, class From>
Matrix<To> converted(Block<const From> from);
/// Rows of a block, by their places.
template <class T>
Matrix<T> picked(Block<const T> from, const std::vector<Index>& rows);
/// At most `limit` of the places in `from`, picked by the seed, in their order.
std::vector<Index> some_of(std::vector<Index> from, Index limit, std::uint64_t seed);

}  // namespace pushforward::verification
