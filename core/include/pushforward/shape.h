// Index, Shape and the padding rule that every block of columns obeys.
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <vector>

#define PUSHFORWARD_EXPORT __attribute__((visibility("default")))

namespace pushforward {

using Index = std::int64_t;

/// Rows are padded to a multiple of this, so that a SIMD loop needs no tail.
inline constexpr Index kPadding = 16;

constexpr Index round_up(Index n, Index multiple) { return (n + multiple - 1) / multiple * multiple; }

/// The shape of one event: `[2]`, `[1, 28, 28]`; the empty shape is a scalar of size 1.
class Shape {
 public:
  Shape() = default;
  Shape(std::initializer_list<Index> extents) : extents_(extents) {}
  explicit Shape(std::vector<Index> extents) : extents_(std::move(extents)) {}

  std::size_t rank() const { return extents_.size(); }
  Index operator[](std::size_t axis) const { return extents_[axis]; }
  const std::vector<Index>& extents() const { return extents_; }

  /// Number of elements of one event: the columns of a batch.
  Index size() const {
    Index n = 1;
    for (Index e : extents_) n *= e;
    return n;
  }
  std::string to_string() const {
    std::string text = "[";
    for (std::size_t i = 0; i < extents_.size(); ++i)
      text += (i ? ", " : "") + std::to_string(extents_[i]);
    return text + "]";
  }
  friend bool operator==(const Shape& a, const Shape& b) { return a.extents_ == b.extents_; }

 private:
  std::vector<Index> extents_;
};

}  // namespace pushforward
