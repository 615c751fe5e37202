#include <algorithm>
#include <new>
#include <utility>

#include "pushforward/engine.h"

namespace pushforward {

namespace {
constexpr std::align_val_t kAlignment{64};
}

template <class T>
Matrix<T>::Matrix(Index rows, Index columns) {
  const Index stride = round_up(rows, kPadding);
  const std::size_t count = static_cast<std::size_t>(std::max<Index>(stride * columns, 1));
  block_ = {static_cast<T*>(::operator new(count * sizeof(T), kAlignment)), rows, columns, stride};
  std::fill_n(block_.data, count, T(0));
}
template <class T>
Matrix<T>::Matrix(Matrix&& other) noexcept : block_(std::exchange(other.block_, {})) {}
template <class T>
Matrix<T>& Matrix<T>::operator=(Matrix&& other) noexcept {
  std::swap(block_, other.block_);
  return *this;
}
template <class T>
Matrix<T>::~Matrix() {
  if (block_.data) ::operator delete(block_.data, kAlignment);
}

template class Matrix<float>;
template class Matrix<double>;

}  // namespace pushforward
