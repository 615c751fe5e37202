#include "pushforward/random.h"

#include <algorithm>
#include <bit>
#include <numbers>
#include <string>

#include "pushforward/error.h"
#include "pushforward/simd.h"

namespace pushforward {

namespace {

// The last word of the counter holds the draw and, below it, the chunk: which four words of a row's stream.
constexpr int kChunkBits = 18;
constexpr Index kChunks = Index{1} << kChunkBits;
constexpr Index kDraws = (Index{1} << (32 - kChunkBits)) - 1;
/// The last word for permutations, which no draw reaches.
constexpr std::uint32_t kPermutationWord = 0xffffffffu;

constexpr std::uint32_t kMultiplier0 = 0xD2511F53u, kMultiplier1 = 0xCD9E8D57u;
constexpr std::uint32_t kWeyl0 = 0x9E3779B9u, kWeyl1 = 0xBB67AE85u;
constexpr int kRounds = 10;

using Words = simd::Batch<std::uint32_t>;
/// Counters that are enciphered side by side: as many as a register holds.
constexpr Index kWide = static_cast<Index>(Words::size);
static_assert(kWide == simd::kLanes<float>);

std::array<std::uint32_t, 2> split_words(std::uint64_t v) {
  return {static_cast<std::uint32_t>(v), static_cast<std::uint32_t>(v >> 32)};
}

/// The upper and lower halves of a * b.
PUSHFORWARD_KERNEL_INLINE void multiply_wide(const Words& a, std::uint32_t b, Words& high, Words& low) {
#ifdef __AVX512F__
  const __m512i x = a, m = _mm512_set1_epi32(static_cast<int>(b));
  const __m512i even = _mm512_mul_epu32(x, m), odd = _mm512_mul_epu32(_mm512_srli_epi64(x, 32), m);
  high = Words(_mm512_mask_mov_epi32(_mm512_srli_epi64(even, 32), 0xAAAA, odd));
  low = Words(_mm512_mask_mov_epi32(even, 0xAAAA, _mm512_slli_epi64(odd, 32)));
#elif defined(__AVX2__)
  const __m256i x = a, m = _mm256_set1_epi32(static_cast<int>(b));
  const __m256i even = _mm256_mul_epu32(x, m), odd = _mm256_mul_epu32(_mm256_srli_epi64(x, 32), m);
  high = Words(_mm256_blend_epi32(_mm256_srli_epi64(even, 32), odd, 0xAA));
  low = Words(_mm256_blend_epi32(even, _mm256_slli_epi64(odd, 32), 0xAA));
#else
  alignas(64) std::uint32_t x[kWide], h[kWide], l[kWide];
  a.store_aligned(x);
  for (Index i = 0; i < kWide; ++i) {
    const std::uint64_t product = std::uint64_t{x[i]} * b;
    h[i] = static_cast<std::uint32_t>(product >> 32);
    l[i] = static_cast<std::uint32_t>(product);
  }
  high = Words::load_aligned(h);
  low = Words::load_aligned(l);
#endif
}

/// The four words of kWide counters, word by word.
struct WideWords {
  alignas(64) std::uint32_t word[4][kWide];
};

void encipher(Words (&c)[4], std::array<std::uint32_t, 2> key, WideWords& out) {
  for (int round = 0; round < kRounds; ++round) {
    Words high0, low0, high1, low1;
    multiply_wide(c[0], kMultiplier0, high0, low0);
    multiply_wide(c[2], kMultiplier1, high1, low1);
    c[0] = high1 ^ c[1] ^ Words(key[0]);
    c[2] = high0 ^ c[3] ^ Words(key[1]);
    c[1] = low1;
    c[3] = low0;
    key[0] += kWeyl0;
    key[1] += kWeyl1;
  }
  for (int w = 0; w < 4; ++w) c[w].store_aligned(out.word[w]);
}

/// What stays the same in all counters of one draw.
struct Keys {
  std::array<std::uint32_t, 2> key;
  std::uint32_t step, component, draw, first_row;

  /// Rows `row` to `row + kWide` of one chunk.
  void rows(Index row, Index chunk, WideWords& out) const {
    alignas(64) std::uint32_t numbers[kWide];
    for (Index l = 0; l < kWide; ++l) numbers[l] = first_row + static_cast<std::uint32_t>(row + l);
    Words c[4] = {Words::load_aligned(numbers), Words(step), Words(component), Words(last_word(chunk))};
    encipher(c, key, out);
  }
  /// Chunks `chunk` to `chunk + kWide` of the first row.
  void chunks(Index chunk, WideWords& out) const {
    alignas(64) std::uint32_t numbers[kWide];
    for (Index l = 0; l < kWide; ++l) numbers[l] = last_word(chunk) + static_cast<std::uint32_t>(l);
    Words c[4] = {Words(first_row), Words(step), Words(component), Words::load_aligned(numbers)};
    encipher(c, key, out);
  }

 private:
  std::uint32_t last_word(Index chunk) const { return (draw << kChunkBits) + static_cast<std::uint32_t>(chunk); }
};

/// Fills a block, kColumns columns from each chunk: make(words, values[kColumns][kWide]).
template <class T, Index kColumns, class Make>
void fill(const Keys& keys, Block<T> out, const Make& make) {
  const Index chunks = (out.columns + kColumns - 1) / kColumns;
  if (chunks > kChunks)
    throw ShapeError("draws: a row of " + std::to_string(out.columns) + " numbers, but one draw gives at most " +
                     std::to_string(kChunks * kColumns));
  WideWords words;
  alignas(64) T values[kColumns][kWide];
  if (out.rows == 1) {  // lanes are chunks, because there is one row only
    for (Index chunk = 0; chunk < chunks; chunk += kWide) {
      keys.chunks(chunk, words);
      make(words, values);
      const Index first = chunk * kColumns, last = std::min(out.columns, (chunk + kWide) * kColumns);
      for (Index j = first; j < last; ++j) *out.column(j) = values[(j - first) % kColumns][(j - first) / kColumns];
    }
    return;
  }
  for (Index chunk = 0; chunk < chunks; ++chunk) {
    const Index first = chunk * kColumns, count = std::min(kColumns, out.columns - first);
    for (Index i = 0; i < out.rows; i += kWide) {
      keys.rows(i, chunk, words);
      make(words, values);
      const Index rows = std::min(kWide, out.rows - i);
      for (Index k = 0; k < count; ++k) std::copy_n(values[k], rows, out.column(first + k) + i);
    }
  }
}

// Uniform numbers are the odd multiples of 2^-24 (float64: 2^-53): symmetric about 1/2, never 0 or 1, and exact. The
// upper bits of a word become the mantissa of a number in [1, 2).

void to_uniform(const std::uint32_t* word, float* out) {
  for (Index l = 0; l < kWide; ++l) out[l] = (std::bit_cast<float>((word[l] >> 9) | 0x3f800000u) - 1.0f) + 0x1p-24f;
}
void to_uniform(const std::uint32_t* low, const std::uint32_t* high, double* out) {
  for (Index l = 0; l < kWide; ++l) {
    const std::uint64_t word = (std::uint64_t{high[l]} << 32) | low[l];
    out[l] = (std::bit_cast<double>((word >> 12) | 0x3ff0000000000000ull) - 1.0) + 0x1p-53;
  }
}

/// All 32 bits of a word as a number in (0, 1], for logarithms: the tails of the normal reach 6.7.
void to_uniform_of_32_bits(const std::uint32_t* word, float* out) {
  for (Index l = 0; l < kWide; ++l) {
    const auto upper = static_cast<float>(static_cast<std::int32_t>(word[l] >> 16));
    const auto lower = static_cast<float>(static_cast<std::int32_t>(word[l] & 0xffffu));
    out[l] = upper * 0x1p-16f + (lower * 0x1p-32f + 0x1p-33f);
  }
}

/// sin and cos of 2 pi u for u in [0, 1]. Without branches: a lane does not depend on its neighbours.
template <class T>
PUSHFORWARD_KERNEL_INLINE void sine_and_cosine_of_turns(const simd::Batch<T>& u, simd::Batch<T>& sine,
                                                        simd::Batch<T>& cosine) {
  using B = simd::Batch<T>;
  const B turns = u * B(T(4));
  const B quadrant = xsimd::nearbyint(turns);
  const B x = (turns - quadrant) * B(std::numbers::pi_v<T> / 2), z = x * x;
  B p, q;                          // sin x = x + x z p, cos x = 1 - z / 2 + z^2 q on [-pi/4, pi/4]
  if constexpr (sizeof(T) == 4) {  // coefficients of the Cephes library
    p = simd::fma(simd::fma(B(T(-1.9515295891e-4)), z, B(T(8.3321608736e-3))), z, B(T(-1.6666654611e-1)));
    q = simd::fma(simd::fma(B(T(2.443315711809948e-5)), z, B(T(-1.388731625493765e-3))), z, B(T(4.166664568298827e-2)));
  } else {  // of fdlibm
    constexpr T kSine[] = {T(1.58969099521155010221e-10), T(-2.50507602534068634195e-08),
                           T(2.75573137070700676789e-06), T(-1.98412698298579493134e-04),
                           T(8.33333333332248946124e-03), T(-1.66666666666666324348e-01)};
    constexpr T kCosine[] = {T(-1.13596475577881948265e-11), T(2.08757232129817482790e-09),
                             T(-2.75573143513906633035e-07), T(2.48015872894767294178e-05),
                             T(-1.38888888888741095749e-03), T(4.16666666666666019037e-02)};
    p = B(kSine[0]);
    q = B(kCosine[0]);
    for (int k = 1; k < 6; ++k) {
      p = simd::fma(p, z, B(kSine[k]));
      q = simd::fma(q, z, B(kCosine[k]));
    }
  }
  const B s = simd::fma(x * z, p, x);
  const B c = simd::fma(z * z, q, simd::fma(z, B(T(-0.5)), B(T(1))));
  const B one(T(1)), two(T(2)), three(T(3));
  const simd::Mask<T> odd = (quadrant == one) | (quadrant == three);
  const B plain_sine = simd::select(odd, c, s), plain_cosine = simd::select(odd, s, c);
  sine = simd::select((quadrant == two) | (quadrant == three), -plain_sine, plain_sine);
  cosine = simd::select((quadrant == one) | (quadrant == two), -plain_cosine, plain_cosine);
}

/// Box and Muller, "A note on the generation of random normal deviates", 1958: two uniforms to two normals.
template <class T>
void to_normal_pair(const T* radius, const T* angle, T* first, T* second) {
  using B = simd::Batch<T>;
  for (Index l = 0; l < kWide; l += simd::kLanes<T>) {
    const B r = simd::sqrt(B(T(-2)) * simd::log_of_positive(simd::load(radius + l)));
    B sine, cosine;
    sine_and_cosine_of_turns(simd::load(angle + l), sine, cosine);
    simd::store(first + l, r * cosine);
    simd::store(second + l, r * sine);
  }
}

}  // namespace

std::array<std::uint32_t, 4> philox4x32(std::array<std::uint32_t, 4> c, std::array<std::uint32_t, 2> key) {
  for (int round = 0; round < kRounds; ++round) {
    const std::uint64_t product0 = std::uint64_t{kMultiplier0} * c[0], product1 = std::uint64_t{kMultiplier1} * c[2];
    c = {static_cast<std::uint32_t>(product1 >> 32) ^ c[1] ^ key[0], static_cast<std::uint32_t>(product1),
         static_cast<std::uint32_t>(product0 >> 32) ^ c[3] ^ key[1], static_cast<std::uint32_t>(product0)};
    key[0] += kWeyl0;
    key[1] += kWeyl1;
  }
  return c;
}

Draws::Draws(Stream stream, ComponentId component, Index draw, Index first_row)
    : key_(split_words(stream.seed)),
      step_(stream.step),
      component_(component.value),
      draw_(static_cast<std::uint32_t>(draw)),
      first_row_(static_cast<std::uint32_t>(first_row)) {
  if (draw < 0 || draw >= kDraws)
    throw Error("draws: draw " + std::to_string(draw) + " of a component; it must be between 0 and " +
                std::to_string(kDraws - 1));
}

template <class T>
void Draws::uniform(Block<T> out) const {
  const Keys keys{key_, step_, component_, draw_, first_row_};
  if constexpr (sizeof(T) == 4) {
    fill<T, 4>(keys, out, [](const WideWords& w, T(*values)[kWide]) {
      for (int k = 0; k < 4; ++k) to_uniform(w.word[k], values[k]);
    });
  } else {
    fill<T, 2>(keys, out, [](const WideWords& w, T(*values)[kWide]) {
      for (int k = 0; k < 2; ++k) to_uniform(w.word[2 * k], w.word[2 * k + 1], values[k]);
    });
  }
}

template <class T>
void Draws::normal(Block<T> out) const {
  const Keys keys{key_, step_, component_, draw_, first_row_};
  if constexpr (sizeof(T) == 4) {
    fill<T, 4>(keys, out, [](const WideWords& w, T(*values)[kWide]) {
      alignas(64) T radius[kWide], angle[kWide];
      for (int k = 0; k < 4; k += 2) {
        to_uniform_of_32_bits(w.word[k], radius);
        to_uniform(w.word[k + 1], angle);
        to_normal_pair(radius, angle, values[k], values[k + 1]);
      }
    });
  } else {
    fill<T, 2>(keys, out, [](const WideWords& w, T(*values)[kWide]) {
      alignas(64) T radius[kWide], angle[kWide];
      to_uniform(w.word[0], w.word[1], radius);
      to_uniform(w.word[2], w.word[3], angle);
      to_normal_pair(radius, angle, values[0], values[1]);
    });
  }
}

template <class T>
void Draws::sign(Block<T> out) const {
  fill<T, 128>({key_, step_, component_, draw_, first_row_}, out, [](const WideWords& w, T(*values)[kWide]) {
    for (int k = 0; k < 128; ++k)
      for (Index l = 0; l < kWide; ++l) values[k][l] = (w.word[k / 32][l] >> (k % 32)) & 1u ? T(1) : T(-1);
  });
}

void Draws::words(std::uint32_t* out, Index rows, std::uint32_t chunk) const {
  if (chunk >= kChunks)
    throw Error("draws: chunk " + std::to_string(chunk) + " of a row; it must be below " + std::to_string(kChunks));
  const Keys keys{key_, step_, component_, draw_, first_row_};
  WideWords words;
  for (Index i = 0; i < rows; i += kWide) {
    keys.rows(i, chunk, words);
    const Index count = std::min(kWide, rows - i);
    for (Index l = 0; l < count; ++l)
      for (int w = 0; w < 4; ++w) out[4 * (i + l) + w] = words.word[w][l];
  }
}

template void Draws::uniform<float>(Block<float>) const;
template void Draws::uniform<double>(Block<double>) const;
template void Draws::normal<float>(Block<float>) const;
template void Draws::normal<double>(Block<double>) const;
template void Draws::sign<float>(Block<float>) const;
template void Draws::sign<double>(Block<double>) const;

void random_permutation(std::uint64_t seed, std::uint32_t stream, std::uint32_t step, Index n, Index* out) {
  for (Index i = 0; i < n; ++i) out[i] = i;
  std::array<std::uint32_t, 4> words{};
  for (Index i = n - 1, used = 0; i > 0; --i, ++used) {
    if (used % 2 == 0)
      words = philox4x32({static_cast<std::uint32_t>(used / 2), step, stream, kPermutationWord}, split_words(seed));
    const std::size_t w = used % 2 == 0 ? 0 : 2;
    const std::uint64_t bits = (std::uint64_t{words[w + 1]} << 32) | words[w];
    // 64 bits times the range: the bias is below range / 2^64.
    const auto j = static_cast<Index>((static_cast<unsigned __int128>(bits) * static_cast<std::uint64_t>(i + 1)) >> 64);
    std::swap(out[i], out[j]);
  }
}

}  // namespace pushforward
