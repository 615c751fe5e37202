// Random numbers against Random123, and what makes them reproducible: keys, rows and shards.
#include <Random123/philox.h>
#include <Random123/u01fixedpt.h>
#undef philox4x32  // a macro of Random123's C interface

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <numbers>
#include <numeric>
#include <vector>

#include "pushforward/error.h"
#include "pushforward/random.h"

using namespace pushforward;  // NOLINT

namespace {

constexpr Stream kStream{.seed = 0x0123456789abcdefull, .step = 7, .salt = 0};
constexpr ComponentId kComponent{42};
constexpr Index kDraw = 3;

/// What the toolkit's counters are, by the reference implementation.
std::array<std::uint32_t, 4> reference(std::uint32_t row, std::uint32_t chunk, std::uint32_t draw = kDraw) {
  const r123::Philox4x32::ctr_type counter = {{row, kStream.step, kComponent.value, (draw << 18) | chunk}};
  const r123::Philox4x32::key_type key = {{0x89abcdefu, 0x01234567u}};
  const auto words = r123::Philox4x32()(counter, key);
  return {words[0], words[1], words[2], words[3]};
}

template <class T>
struct Drawn {
  std::vector<T> memory;
  Block<T> block;
  Drawn(Index rows, Index columns, Index stride) : memory(static_cast<std::size_t>(stride * columns + 1), T(-99)) {
    block = {memory.data(), rows, columns, stride};
  }
};

enum class Kind { uniform, normal, sign };
constexpr Kind kKinds[] = {Kind::uniform, Kind::normal, Kind::sign};

template <class T>
void draw(Kind kind, const Draws& draws, Block<T> out) {
  if (kind == Kind::uniform) draws.uniform(out);
  if (kind == Kind::normal) draws.normal(out);
  if (kind == Kind::sign) draws.sign(out);
}
template <class T>
Drawn<T> drawn(Kind kind, Index first_row, Index rows, Index columns, Index which = kDraw) {
  Drawn<T> d(rows, columns, rows + 3);
  draw(kind, Draws(kStream, kComponent, which, first_row), d.block);
  return d;
}

template <class T>
void check_rows_and_shards() {
  for (const Kind kind : kKinds)
    for (const Index columns : {1, 2, 5, 131}) {
      CAPTURE(static_cast<int>(kind), columns);
      const Drawn<T> all = drawn<T>(kind, 0, 100, columns);
      for (const auto& [first, rows] : {std::pair<Index, Index>{0, 1}, {5, 1}, {99, 1}, {16, 16}, {3, 40}, {32, 68}}) {
        const Drawn<T> some = drawn<T>(kind, first, rows, columns);
        for (Index j = 0; j < columns; ++j)
          for (Index i = 0; i < rows; ++i) REQUIRE(some.block(i, j) == all.block(first + i, j));
      }
      // More columns do not change the ones before them.
      const Drawn<T> wider = drawn<T>(kind, 0, 100, columns + 9);
      for (Index j = 0; j < columns; ++j)
        for (Index i = 0; i < 100; ++i) REQUIRE(wider.block(i, j) == all.block(i, j));
      // Rows behind the last are not written.
      for (Index j = 0; j < columns; ++j)
        for (Index i = 100; i < 103; ++i) REQUIRE(all.block.column(j)[i] == T(-99));
      REQUIRE(all.memory.back() == T(-99));
    }
}

template <class T>
void check_moments() {
  constexpr Index kRows = 50000, kColumns = 6;
  const double n = kRows * kColumns;
  const auto moment = [&](const Drawn<T>& d, auto&& f) {
    double sum = 0;
    for (Index j = 0; j < kColumns; ++j)
      for (Index i = 0; i < kRows; ++i) sum += f(static_cast<double>(d.block(i, j)));
    return sum / n;
  };
  // Within five standard errors.
  const auto close = [&](double mean, double expected, double variance) {
    CHECK(std::abs(mean - expected) < 5 * std::sqrt(variance / n));
  };
  const Drawn<T> u = drawn<T>(Kind::uniform, 0, kRows, kColumns), z = drawn<T>(Kind::normal, 0, kRows, kColumns);
  const Drawn<T> s = drawn<T>(Kind::sign, 0, kRows, kColumns);
  close(moment(u, [](double x) { return x; }), 0.5, 1.0 / 12);
  close(moment(u, [](double x) { return (x - 0.5) * (x - 0.5); }), 1.0 / 12, 1.0 / 180);
  close(moment(z, [](double x) { return x; }), 0, 1);
  close(moment(z, [](double x) { return x * x; }), 1, 2);
  close(moment(z, [](double x) { return x * x * x; }), 0, 15);
  close(moment(z, [](double x) { return x * x * x * x; }), 3, 96);
  close(moment(z, [](double x) { return std::abs(x) > 3; }), std::erfc(3 / std::numbers::sqrt2), 0.0027);
  close(moment(s, [](double x) { return x; }), 0, 1);
  for (const Drawn<T>* d : {&u, &z, &s})
    for (Index j = 0; j + 1 < kColumns; ++j) {  // neighbours are uncorrelated
      double sum = 0;
      const double mean = d == &u ? 0.5 : 0, variance = d == &u ? 1.0 / 12 : 1;
      for (Index i = 0; i < kRows; ++i)
        sum += (static_cast<double>(d->block(i, j)) - mean) * (static_cast<double>(d->block(i, j + 1)) - mean);
      CHECK(std::abs(sum / kRows) < 5 * variance / std::sqrt(double(kRows)));
    }
}

}  // namespace

TEST_CASE("one block of Philox4x32-10 equals Random123's and the known answers") {
  // The known answers of Random123's kat_vectors.
  using Words = std::array<std::uint32_t, 4>;
  CHECK(philox4x32({0, 0, 0, 0}, {0, 0}) == Words{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8});
  CHECK(philox4x32({~0u, ~0u, ~0u, ~0u}, {~0u, ~0u}) == Words{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd});
  CHECK(philox4x32({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}) ==
        Words{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1});
  for (std::uint32_t i = 0; i < 1000; ++i)
    CHECK(philox4x32({i, kStream.step, kComponent.value, kDraw << 18}, {0x89abcdefu, 0x01234567u}) == reference(i, 0));
}

TEST_CASE("words of many rows equal Random123's") {
  const Draws draws(kStream, kComponent, kDraw, 1000);
  for (const Index rows : {0, 1, 15, 16, 17, 100}) {
    std::vector<std::uint32_t> words(static_cast<std::size_t>(4 * rows + 1), 77);
    draws.words(words.data(), rows, 12);
    for (Index i = 0; i < rows; ++i) {
      const auto expected = reference(static_cast<std::uint32_t>(1000 + i), 12);
      for (std::size_t w = 0; w < 4; ++w) CHECK(words[static_cast<std::size_t>(4 * i) + w] == expected[w]);
    }
    CHECK(words.back() == 77);
  }
  CHECK_THROWS_WITH(draws.words(nullptr, 0, 1u << 18), "draws: chunk 262144 of a row; it must be below 262144");
}

TEST_CASE("uniform numbers are Random123's fixed-point conversions") {
  const Drawn<float> f = drawn<float>(Kind::uniform, 20, 33, 7);
  const Drawn<double> d = drawn<double>(Kind::uniform, 20, 33, 7);
  for (Index j = 0; j < 7; ++j)
    for (Index i = 0; i < 33; ++i) {
      const auto row = static_cast<std::uint32_t>(20 + i);
      const auto four = reference(row, static_cast<std::uint32_t>(j / 4));
      CHECK(f.block(i, j) == u01fixedpt_open_open_32_float(four[static_cast<std::size_t>(j % 4)]));
      const auto two = reference(row, static_cast<std::uint32_t>(j / 2));
      const auto low = two[static_cast<std::size_t>(j % 2 * 2)], high = two[static_cast<std::size_t>(j % 2 * 2 + 1)];
      CHECK(d.block(i, j) == u01fixedpt_open_open_64_double((std::uint64_t{high} << 32) | low));
    }
}

TEST_CASE("normal numbers are Box and Muller's") {
  const Drawn<float> f = drawn<float>(Kind::normal, 20, 33, 8);
  const Drawn<double> d = drawn<double>(Kind::normal, 20, 33, 8), u = drawn<double>(Kind::uniform, 20, 33, 8);
  for (Index j = 0; j < 8; ++j)
    for (Index i = 0; i < 33; ++i) {
      const auto pair = [&](double radius, double angle) {
        const double r = std::sqrt(-2 * std::log(radius)), turn = 2 * std::numbers::pi * angle;
        return j % 2 == 0 ? r * std::cos(turn) : r * std::sin(turn);
      };
      CHECK(d.block(i, j) == Approx(pair(u.block(i, j / 2 * 2), u.block(i, j / 2 * 2 + 1))).margin(1e-14));
      const auto words = reference(static_cast<std::uint32_t>(20 + i), static_cast<std::uint32_t>(j / 4));
      const std::size_t w = static_cast<std::size_t>(j % 4 / 2 * 2);
      const double radius = (words[w] + 0.5) / 4294967296.0;
      const float expected = static_cast<float>(pair(radius, double{u01fixedpt_open_open_32_float(words[w + 1])}));
      CHECK(double{f.block(i, j)} == Approx(double{expected}).epsilon(1e-6).margin(2e-6));
    }
}

TEST_CASE("signs are the bits of the words") {
  const Drawn<float> s = drawn<float>(Kind::sign, 20, 17, 300);
  for (Index j = 0; j < 300; ++j)
    for (Index i = 0; i < 17; ++i) {
      const auto words = reference(static_cast<std::uint32_t>(20 + i), static_cast<std::uint32_t>(j / 128));
      const bool set = words[static_cast<std::size_t>(j % 128 / 32)] >> (j % 32) & 1u;
      REQUIRE(s.block(i, j) == (set ? 1 : -1));
    }
}

TEST_CASE("an element depends on the keys, its row and its column alone") {
  SECTION("float32") { check_rows_and_shards<float>(); }
  SECTION("float64") { check_rows_and_shards<double>(); }
}

TEST_CASE("every key gives other numbers") {
  const auto first = [](Stream stream, ComponentId component, Index which, Index row) {
    double number = 0;
    Draws(stream, component, which, row).uniform(Block<double>{&number, 1, 1, 1});
    return number;
  };
  const double base = first(kStream, kComponent, kDraw, 0);
  CHECK(base == first(kStream, kComponent, kDraw, 0));
  CHECK(base != first({.seed = kStream.seed + 1, .step = 7}, kComponent, kDraw, 0));
  CHECK(base != first({.seed = kStream.seed + (1ull << 32), .step = 7}, kComponent, kDraw, 0));
  CHECK(base != first({.seed = kStream.seed, .step = 8}, kComponent, kDraw, 0));
  CHECK(base != first(kStream, ComponentId{43}, kDraw, 0));
  CHECK(base != first(kStream, kComponent, kDraw + 1, 0));
  CHECK(base != first(kStream, kComponent, kDraw, 1));
  CHECK_THROWS_WITH(first(kStream, kComponent, 16383, 0),
                    "draws: draw 16383 of a component; it must be between 0 and 16382");
  CHECK_THROWS_AS(first(kStream, kComponent, -1, 0), Error);
}

TEST_CASE("a row that is too long is refused") {
  const Draws draws(kStream, kComponent, kDraw, 0);
  CHECK_THROWS_WITH(draws.normal(Block<float>{nullptr, 0, (1 << 20) + 1, 0}),
                    "draws: a row of 1048577 numbers, but one draw gives at most 1048576");
}

TEST_CASE("moments are those of the distributions") {
  SECTION("float32") { check_moments<float>(); }
  SECTION("float64") { check_moments<double>(); }
}

TEST_CASE("uniform numbers are never 0 or 1") {
  // The extreme words, by the reference's own conversion, which ours equals (above).
  CHECK(u01fixedpt_open_open_32_float(0) > 0);
  CHECK(u01fixedpt_open_open_32_float(~0u) < 1);
  CHECK(u01fixedpt_open_open_64_double(0) > 0);
  CHECK(u01fixedpt_open_open_64_double(~0ull) < 1);
  const Drawn<float> u = drawn<float>(Kind::uniform, 0, 4000000, 4);
  float lowest = 1, highest = 0;
  for (Index j = 0; j < 4; ++j)
    for (Index i = 0; i < u.block.rows; ++i) {
      lowest = std::min(lowest, u.block(i, j));
      highest = std::max(highest, u.block(i, j));
    }
  CHECK(lowest > 0);
  CHECK(highest < 1);
}

TEST_CASE("permutations are functions of their keys, and uniform") {
  const auto permutation = [](std::uint64_t seed, std::uint32_t stream, std::uint32_t step, Index n) {
    std::vector<Index> p(static_cast<std::size_t>(n));
    random_permutation(seed, stream, step, n, p.data());
    return p;
  };
  for (const Index n : {0, 1, 2, 3, 1000}) {
    std::vector<Index> p = permutation(1, 2, 3, n), expected(p.size());
    CHECK(p == permutation(1, 2, 3, n));
    std::iota(expected.begin(), expected.end(), 0);
    if (n == 1000) {
      CHECK(p != expected);
      CHECK(p != permutation(2, 2, 3, n));
      CHECK(p != permutation(1, 3, 3, n));
      CHECK(p != permutation(1, 2, 4, n));
    }
    std::sort(p.begin(), p.end());
    CHECK(p == expected);
  }
  // All 24 orders of four things, chi-square at a level of 1e-4 with 23 degrees of freedom.
  constexpr int kTrials = 24000;
  std::array<int, 256> counts{};
  for (std::uint32_t step = 0; step < kTrials; ++step) {
    const std::vector<Index> p = permutation(9, 1, step, 4);
    ++counts[static_cast<std::size_t>(p[0] + 4 * p[1] + 16 * p[2] + 64 * p[3])];
  }
  double chi_square = 0;
  int kinds = 0;
  for (const int count : counts)
    if (count > 0) {
      ++kinds;
      chi_square += (count - kTrials / 24.0) * (count - kTrials / 24.0) / (kTrials / 24.0);
    }
  CHECK(kinds == 24);
  CHECK(chi_square < 58.0);
}
