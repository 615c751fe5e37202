// Block: the one array type that crosses interfaces. Column-major, one column per event element.
#pragma once

#include <type_traits>

#include "pushforward/shape.h"

namespace pushforward {

/// A view of `rows x columns` numbers; column j starts at `data + j * stride`. Owns nothing.
///
/// Blocks that hold a batch have a stride of at least `rows` rounded up to kPadding and columns that start on 64
/// bytes; the rows from `rows` to the stride are padding: they may be computed, may hold anything (NaN included) and
/// are never reduced. Blocks with one row, and parameters, are compact (`stride == rows`).
template <class T>
struct Block {
  T* data = nullptr;
  Index rows = 0;
  Index columns = 0;
  Index stride = 0;

  T* column(Index j) const { return data + j * stride; }
  T& operator()(Index i, Index j) const { return data[i + j * stride]; }
  Index size() const { return rows * columns; }
  /// Columns `first` to `first + count`.
  Block middle_columns(Index first, Index count) const { return {data + first * stride, rows, count, stride}; }
  /// Rows `first` to `first + count`; keep `first` a multiple of kPadding where alignment matters.
  Block middle_rows(Index first, Index count) const { return {data + first, count, columns, stride}; }
  /// True if a loop may run over whole strides instead of rows.
  bool padded() const { return stride >= round_up(rows, kPadding); }

  operator Block<const T>() const
    requires(!std::is_const_v<T>)
  {
    return {data, rows, columns, stride};
  }
};

/// A compact block over a contiguous array (`stride == rows`).
template <class T>
constexpr Block<T> compact(T* data, Index rows, Index columns) {
  return {data, rows, columns, rows};
}

}  // namespace pushforward
