// Splines that all rows share, on SIMD batches: knots are worked out once a step; a row finds its piece by comparisons
// and looks its numbers up in tables that fit into one or two registers.
#pragma once

#include "pushforward/kernel_loops.h"
#include "pushforward/spline_form.h"
#include "pushforward/spline_pieces.h"

namespace pushforward {

/// One column's prepared numbers as tables, and the sums of its gradients.
template <class T, bool kSplit, simd::Held kHeld>
class SplineTable {
  using B = simd::Batch<T>;
  using Piece = std::conditional_t<kSplit, LinearRationalPiece<T>, RationalQuadraticPiece<T>>;
  // Right ends are read one entry further.
  static constexpr Index kRoom = round_up(2 * kMaximumBins + 1 + simd::kTablePadding, simd::kTablePadding);
  /// Gradients of one row, side by side so that they are added to their piece's at once: xl, xr, yl, yr, shapes.
  static constexpr Index kSums = 8;

 public:
  /// `numbers`: knots, values, shapes of one element.
  template <bool kInverse>
  void load(const T* numbers, Index pieces) {
    pieces_ = pieces;
    const Index knots = pieces + 1;
    copy(numbers, knots, x_);
    copy(numbers + knots, knots, y_);
    copy(numbers + 2 * knots, kSplit ? pieces : knots, shape_);
    const T* search = numbers + (kInverse ? knots : 0) + 1;
    const B one(T(1)), infinity(std::numeric_limits<T>::infinity());
    for (Index i = 0; i < pieces; i += kLanes) {
      const B w = simd::load(x_ + i + 1) - simd::load(x_ + i), h = simd::load(y_ + i + 1) - simd::load(y_ + i);
      simd::store(iw_ + i, one / w);
      simd::store(ih_ + i, one / h);
      if (kSplit) simd::store(ishape_ + i, one / simd::load(shape_ + i));
    }
    for (Index i = 0; i < 2 * simd::kTablePadding || i < knots; i += kLanes) {
      const Index count = std::clamp<Index>(pieces - 1 - i, 0, kLanes);
      simd::store(search_ + i, simd::select(simd::first_lanes<T>(count), simd::load(search + i, count), infinity));
    }
  }

  simd::Place<T> find(const B& at) const { return simd::find<kHeld>(search_, pieces_ - 1, at); }

  Piece piece(const simd::Place<T>& place) const {
    const auto at = [&](const T* table) { return simd::lookup<kHeld>(table, place); };
    if constexpr (kSplit)
      return {at(x_), at(x_ + 1), at(y_), at(y_ + 1), at(shape_), at(iw_), at(ih_), at(ishape_)};
    else
      return {at(x_), at(x_ + 1), at(y_), at(y_ + 1), at(shape_), at(shape_ + 1), at(iw_), at(ih_)};
  }

  void clear_sums() {
    std::fill_n(&sums_[0][0], pieces_ * kSums, 0.0);
    std::fill_n(&recent_[0][0], 2 * pieces_ * kSums, T(0));
    recent_rows_ = 0;
  }
  /// Adds the first `count` rows to their pieces' sums, in a fixed order.
  void add(const simd::Place<T>& place, const PieceGradient<B>& g, Index count) {
    add_recent(place, g, std::min(count, kLanes));
    recent_rows_ += kLanes;
    if (recent_rows_ == kRowChunk) flush();
  }
  /// Call after the last row.
  void flush() {
    for (Index p = 0; p < pieces_; ++p)
      for (Index k = 0; k < kSums; ++k) {
        sums_[p][k] += static_cast<double>(recent_[2 * p][k] + recent_[2 * p + 1][k]);
        recent_[2 * p][k] = recent_[2 * p + 1][k] = T(0);
      }
    recent_rows_ = 0;
  }
  /// Adds the gradients of the element's prepared numbers, from `column` on.
  void add_gradients(const Gradient<T>& gradient, Index column) const {
    const auto put = [&](double g) { gradient.add_one(static_cast<T>(g), column++); };
    // The right end of a piece is the left end of the next one.
    const auto put_knots = [&](Index left) {
      put(sum(0, left));
      for (Index k = 1; k < pieces_; ++k) put(sum(k, left) + sum(k - 1, left + 1));
      put(sum(pieces_ - 1, left + 1));
    };
    put_knots(0);
    put_knots(2);
    if constexpr (kSplit)
      for (Index k = 0; k < pieces_; ++k) put(sum(k, 4));
    else
      put_knots(4);
  }

 private:
  static constexpr Index kLanes = simd::kLanes<T>;

  static void copy(const T* from, Index count, T* to) {
    for (Index i = 0; i < simd::kTablePadding || i <= count; i += kLanes)
      simd::store(to + i, simd::load(from + i, std::clamp<Index>(count - i, 0, kLanes)));
  }
  double sum(Index piece, Index k) const { return sums_[piece][k]; }
  void add_recent(const simd::Place<T>& place, const PieceGradient<B>& g, Index count);

  Index pieces_ = 0;
  alignas(64) T search_[kRoom];  // interior knots of the searched side, then infinity
  alignas(64) T x_[kRoom];
  alignas(64) T y_[kRoom];
  alignas(64) T shape_[kRoom];
  alignas(64) T iw_[kRoom];  // reciprocals of widths, heights, ratios
  alignas(64) T ih_[kRoom];
  alignas(64) T ishape_[kRoom];
  // Up to kRowChunk rows are summed in T, then those sums in double. Even and odd rows are kept apart, so that a row
  // in the same piece as the row before does not wait for it.
  alignas(64) T recent_[4 * kMaximumBins][kSums];
  alignas(64) double sums_[2 * kMaximumBins][kSums];
  Index recent_rows_ = 0;
};

template <class T, bool kSplit, simd::Held kHeld>
void SplineTable<T, kSplit, kHeld>::add_recent(const simd::Place<T>& place, const PieceGradient<B>& g, Index count) {
  alignas(64) std::int32_t pieces[kLanes];
  simd::store(pieces, place);
#ifdef __AVX512F__
  if constexpr (sizeof(T) == 4) {
    // Transpose 8 x 16 to 16 rows of 8.
    const __m512 zero = _mm512_setzero_ps();
    const __m512 q[8] = {g.xl, g.xr, g.yl, g.yr, g.shape0, kSplit ? zero : __m512(g.shape1), zero, zero};
    __m512 quads[8];  // quads[4 h + c], block b: quantities 4 h .. 4 h + 3 of row 4 b + c
    for (int h = 0; h < 2; ++h) {
      const __m512 a = _mm512_unpacklo_ps(q[4 * h], q[4 * h + 1]), b = _mm512_unpackhi_ps(q[4 * h], q[4 * h + 1]);
      const __m512 c = _mm512_unpacklo_ps(q[4 * h + 2], q[4 * h + 3]), d = _mm512_unpackhi_ps(q[4 * h + 2], q[4 * h + 3]);
      quads[4 * h + 0] = _mm512_shuffle_ps(a, c, 0x44);
      quads[4 * h + 1] = _mm512_shuffle_ps(a, c, 0xEE);
      quads[4 * h + 2] = _mm512_shuffle_ps(b, d, 0x44);
      quads[4 * h + 3] = _mm512_shuffle_ps(b, d, 0xEE);
    }
    const __m512i low_rows = _mm512_setr_epi32(0, 1, 2, 3, 16, 17, 18, 19, 4, 5, 6, 7, 20, 21, 22, 23);
    const __m512i high_rows = _mm512_setr_epi32(8, 9, 10, 11, 24, 25, 26, 27, 12, 13, 14, 15, 28, 29, 30, 31);
    const auto add_row = [&](Index i, const __m256& row) {
      if (i >= count) return;
      float* to = recent_[2 * pieces[i] + (i & 1)];
      _mm256_store_ps(to, _mm256_add_ps(_mm256_load_ps(to), row));
    };
    const auto upper = [](const __m512& v) {
      return _mm256_castpd_ps(_mm512_extractf64x4_pd(_mm512_castps_pd(v), 1));
    };
#pragma GCC unroll 4
    for (int c = 0; c < 4; ++c) {
      const __m512 r0 = _mm512_permutex2var_ps(quads[c], low_rows, quads[4 + c]);   // rows c and 4 + c
      const __m512 r1 = _mm512_permutex2var_ps(quads[c], high_rows, quads[4 + c]);  // rows 8 + c and 12 + c
      add_row(c, _mm512_castps512_ps256(r0));
      add_row(4 + c, upper(r0));
      add_row(8 + c, _mm512_castps512_ps256(r1));
      add_row(12 + c, upper(r1));
    }
    return;
  }
#endif
  alignas(64) T q[6][kLanes];
  simd::store(q[0], g.xl);
  simd::store(q[1], g.xr);
  simd::store(q[2], g.yl);
  simd::store(q[3], g.yr);
  simd::store(q[4], g.shape0);
  simd::store(q[5], g.shape1);
  for (Index i = 0; i < count; ++i) {
    T* to = recent_[2 * pieces[i] + (i & 1)];
    for (Index k = 0; k < (kSplit ? 5 : 6); ++k) to[k] += q[k][i];
  }
}

}  // namespace pushforward
