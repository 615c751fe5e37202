// One micro-kernel: a tile of C, kRegisters registers of rows by up to kTileColumns columns, stays in registers while
// the inner index runs. Columns of A are loaded, numbers of B are broadcast, both from where they lie: blocks are
// column-major and a shard has few rows, so there is nothing to gain from copying them first. A transposed A is copied,
// because lanes are rows of C.
//
// A BLAS chooses its kernels by the processor's model number, and takes one that it does not know for an old one: on an
// AMD Zen 5, OpenBLAS 0.3.21 uses half of the width. What is compiled here is what this library was compiled for.
#include "products.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "pushforward/simd.h"

namespace pushforward {

namespace {

template <class T>
using B = simd::Batch<T>;

#ifdef __AVX512F__
constexpr Index kRegisters = 4;
#else
constexpr Index kRegisters = 2;
#endif
constexpr Index kTileColumns = 6;
template <class T>
constexpr Index kTileRows = kRegisters* simd::kLanes<T>;
/// Rows of C that are too few for lanes.
template <class T>
constexpr Index kFewRows = simd::kLanes<T> / 2;
/// Inner indices that are summed in registers before C is touched.
constexpr Index kInner = 256;

/// A factor whose number (i, j) is at data[i * row_step + j * column_step].
template <class T>
struct Factor {
  const T* data;
  Index row_step, column_step;
  static Factor of(Block<const T> b, bool transposed) {
    return transposed ? Factor{b.data, b.stride, 1} : Factor{b.data, 1, b.stride};
  }
  const T* at(Index i, Index j) const { return data + i * row_step + j * column_step; }
};

/// Full registers, or a last one of which only some lanes are rows.
template <class T>
struct AllLanes {
  static B<T> load(const T* p, bool) { return simd::load(p); }
  static void store(T* p, const B<T>& v, bool) { simd::store(p, v); }
};
template <class T>
struct SomeLanes {
  simd::Lanes<T> of_last;
  B<T> load(const T* p, bool last) const { return last ? of_last.load(p) : simd::load(p); }
  void store(T* p, const B<T>& v, bool last) const { last ? of_last.store(p, v) : simd::store(p, v); }
};

/// A tile of C = A B + beta C over `inner` indices. `a` is the tile's first row, its columns a_step apart.
template <Index kRows, Index kColumns, class T, class Access>
void multiply_tile(const T* a, Index a_step, Factor<T> b, Index inner, T beta, T* c, Index c_step,
                   const Access& access) {
  constexpr Index kLanes = simd::kLanes<T>;
  B<T> sums[kColumns][kRows];
  for (Index j = 0; j < kColumns; ++j)
    for (Index r = 0; r < kRows; ++r) sums[j][r] = B<T>(T(0));
  const T* numbers = b.data;
  for (Index k = 0; k < inner; ++k, a += a_step, numbers += b.row_step) {
    B<T> x[kRows];
    for (Index r = 0; r < kRows; ++r) x[r] = access.load(a + r * kLanes, r == kRows - 1);
    for (Index j = 0; j < kColumns; ++j) {
      const B<T> number(numbers[j * b.column_step]);
      for (Index r = 0; r < kRows; ++r) sums[j][r] = simd::fma(x[r], number, sums[j][r]);
    }
  }
  for (Index j = 0; j < kColumns; ++j)
    for (Index r = 0; r < kRows; ++r) {
      T* p = c + j * c_step + r * kLanes;
      const bool last = r == kRows - 1;
      access.store(p, beta == T(0) ? sums[j][r] : simd::fma(B<T>(beta), access.load(p, last), sums[j][r]), last);
    }
}

/// use(std::integral_constant<Index, n>()) for an n of 1 to kLargest.
template <Index kLargest, class Use>
void with_constant(Index n, Use&& use) {
  if constexpr (kLargest > 1) {
    if (n < kLargest) return with_constant<kLargest - 1>(n, use);
  }
  use(std::integral_constant<Index, kLargest>());
}

/// Rows of C that are one tile high.
template <Index kRows, class T, class Access>
void multiply_rows(const T* a, Index a_step, Factor<T> b, Index inner, T beta, T* c, Block<T> whole,
                   const Access& access) {
  for (Index j = 0; j < whole.columns; j += kTileColumns)
    with_constant<kTileColumns>(std::min(kTileColumns, whole.columns - j), [&](auto columns) {
      multiply_tile<kRows, columns()>(a, a_step, Factor<T>{b.at(0, j), b.row_step, b.column_step}, inner, beta,
                                      c + j * whole.stride, whole.stride, access);
    });
}

// --- transposition ---------------------------------------------------------------------------------------------------

/// Transposes a square of registers.
template <class T>
void transpose_lanes(B<T>* v) {
  constexpr Index kLanes = simd::kLanes<T>;
#ifdef __AVX512F__
  // Interleaving the first half with the second, log2(kLanes) times, exchanges rows and columns.
  for (Index round = 1; round < kLanes; round *= 2) {
    B<T> next[kLanes];
    for (Index i = 0; i < kLanes / 2; ++i) {
      const B<T>&x = v[i], &y = v[i + kLanes / 2];
      if constexpr (sizeof(T) == 4) {
        const __m512i low = _mm512_set_epi32(23, 7, 22, 6, 21, 5, 20, 4, 19, 3, 18, 2, 17, 1, 16, 0);
        const __m512i high = _mm512_add_epi32(low, _mm512_set1_epi32(8));
        next[2 * i] = B<T>(_mm512_permutex2var_ps(x, low, y));
        next[2 * i + 1] = B<T>(_mm512_permutex2var_ps(x, high, y));
      } else {
        const __m512i low = _mm512_set_epi64(11, 3, 10, 2, 9, 1, 8, 0);
        const __m512i high = _mm512_add_epi64(low, _mm512_set1_epi64(4));
        next[2 * i] = B<T>(_mm512_permutex2var_pd(x, low, y));
        next[2 * i + 1] = B<T>(_mm512_permutex2var_pd(x, high, y));
      }
    }
    std::copy_n(next, kLanes, v);
  }
#else
  alignas(64) T numbers[kLanes][kLanes];
  for (Index i = 0; i < kLanes; ++i) v[i].store_aligned(numbers[i]);
  for (Index i = 0; i < kLanes; ++i)
    for (Index j = 0; j < i; ++j) std::swap(numbers[i][j], numbers[j][i]);
  for (Index i = 0; i < kLanes; ++i) v[i] = B<T>::load_aligned(numbers[i]);
#endif
}

/// out[k * kTileRows + i] = a(k, i) for up to kTileRows columns i; zero for those that are not there.
template <class T>
void copy_transposed(Block<const T> a, T* out) {
  constexpr Index kLanes = simd::kLanes<T>;
  for (Index k = 0; k < a.rows; k += kLanes) {
    const simd::Lanes<T> lanes(a.rows - k);
    for (Index i = 0; i < kTileRows<T>; i += kLanes) {
      B<T> v[kLanes];
      for (Index l = 0; l < kLanes; ++l) v[l] = i + l < a.columns ? lanes.load(a.column(i + l) + k) : B<T>(T(0));
      transpose_lanes<T>(v);
      for (Index l = 0; l < lanes.count(); ++l) simd::store(out + (k + l) * kTileRows<T> + i, v[l]);
    }
  }
}

}  // namespace

bool multiplies_faster(Index rows, Index inner, Index columns) {
#ifdef __AVX512F__
  static_cast<void>(rows), static_cast<void>(inner), static_cast<void>(columns);
  return true;
#else
  return std::min({rows, inner, columns}) <= 4;
#endif
}

namespace {

/// C = op(A) op(B) + beta C, lanes along the rows of C.
template <class T>
void multiply_by_rows(bool transpose_a, bool transpose_b, Block<const T> a, Block<const T> b, T beta, Block<T> c) {
  constexpr Index kHigh = kTileRows<T>;
  const Index inner = transpose_a ? a.rows : a.columns;
  const Factor<T> factor = Factor<T>::of(b, transpose_b);
  alignas(64) T copied[kHigh * kInner];
  for (Index k = 0; k < inner; k += kInner) {
    const Index count = std::min(kInner, inner - k);
    const Factor<T> here{factor.at(k, 0), factor.row_step, factor.column_step};
    const T keep = k == 0 ? beta : T(1);
    for (Index i = 0; i < c.rows; i += kHigh) {
      const Index rows = std::min(kHigh, c.rows - i);
      if (transpose_a) copy_transposed(a.middle_rows(k, count).middle_columns(i, rows), copied);
      const T* first = transpose_a ? copied : a.column(k) + i;
      const Index step = transpose_a ? kHigh : a.stride;
      if (rows == kHigh) {
        multiply_rows<kRegisters>(first, step, here, count, keep, c.data + i, c, AllLanes<T>());
        continue;
      }
      const Index registers = (rows + simd::kLanes<T> - 1) / simd::kLanes<T>;
      const SomeLanes<T> access{simd::Lanes<T>(rows - (registers - 1) * simd::kLanes<T>)};
      with_constant<kRegisters>(
          registers, [&](auto n) { multiply_rows<n()>(first, step, here, count, keep, c.data + i, c, access); });
    }
  }
}

/// The same for a C of fewer rows than lanes: C' = op(B)' op(A)', a piece of C at a time.
template <class T>
void multiply_few_rows(bool transpose_a, bool transpose_b, Block<const T> a, Block<const T> b, T beta, Block<T> c) {
  constexpr Index kPiece = 4 * kTileRows<T>;
  alignas(64) T memory[kPiece * kFewRows<T>];
  for (Index j = 0; j < c.columns; j += kPiece) {
    const Index count = std::min(kPiece, c.columns - j);
    const Block<T> piece{memory, count, c.rows, kPiece};
    const Block<const T> factor = transpose_b ? b.middle_rows(j, count) : b.middle_columns(j, count);
    multiply_by_rows(!transpose_b, !transpose_a, factor, a, T(0), piece);
    for (Index n = 0; n < count; ++n)
      for (Index i = 0; i < c.rows; ++i) {
        T& out = c(i, j + n);
        out = beta == T(0) ? piece(n, i) : std::fma(beta, out, piece(n, i));
      }
  }
}

}  // namespace

template <class T>
void multiply(bool transpose_a, bool transpose_b, Block<const T> a, Block<const T> b, T beta, Block<T> c) {
  if (c.rows <= kFewRows<T> && c.columns > kFewRows<T>)
    multiply_few_rows(transpose_a, transpose_b, a, b, beta, c);
  else
    multiply_by_rows(transpose_a, transpose_b, a, b, beta, c);
}

template void multiply(bool, bool, Block<const float>, Block<const float>, float, Block<float>);
template void multiply(bool, bool, Block<const double>, Block<const double>, double, Block<double>);

}  // namespace pushforward
