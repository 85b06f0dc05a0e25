// 3x3 convolutions of float32 images by Winograd's F(4x4, 3x3), for winograd.py, which calls `l3net_convolve`. Products
// are of float32, or of values rounded to bfloat16 and summed in float32, which takes half the time.
//
// A tile of 4x4 pixels of the output takes 36 products for each pair of channels instead of 144. For some tiles at a
// time they are matrix products over the channels, one at each of 36 points; these and the transforms before and after
// them stay in the cache. Source: Lavin and Gray, "Fast Algorithms for Convolutional Neural Networks", CVPR 2016,
// section 4; in place of its points 0, +-1, +-2 stand 0, +-sqrt(1/2), +-sqrt(2), with half the rounding error.

#if !defined(__x86_64__) || !defined(__GNUC__) || defined(__clang__)
#error "needs x86-64 and GCC, whose target pragmas give each instruction set its own copy of the code"
#endif

#include <immintrin.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstring>
#include <utility>

namespace {

// One layer; winograd.py has the same structure and calls it _Parameters.
struct Layer {
  const float *kernel;      // at the points [36, n_outputs / PANEL, words, PANEL], where a word is one input, or two in
                            // bfloat16; of few inputs [n_outputs / PANEL, rows, PANEL]: 9 * n_inputs, the bias, and
                            // zeros up to a multiple of LANES
  const float *bias;        // [n_outputs]
  int n_inputs, n_outputs;  // channels; multiples of MANY, or fewer inputs than that
  int relu, pool;           // whether ReLU follows, and then the maximum of each 2x2 pixels, without padding
  int n_tiles;              // worked on together
};

constexpr int MANY = 32;  // inputs, from which tiles are worthwhile
constexpr float A = 0.70710678118654752440f, B = 1.41421356237309504880f;
constexpr std::ptrdiff_t POINTS = 36, LINE = 16;  // LINE: floats in a cache line

#pragma GCC push_options
#pragma GCC target("avx512f")
namespace avx512 {
constexpr int LANES = 16, TILES_AT_ONCE = 14, PER_WORD = 1;
using Channels = float __attribute__((vector_size(64)));
inline Channels add_products(Channels sums, Channels kernel, float value) { return sums + kernel * value; }
#include "winograd_tiles.hpp"
#include "winograd_direct.hpp"
}  // namespace avx512
#pragma GCC pop_options

#pragma GCC push_options
#pragma GCC target("avx2,fma")
namespace avx2 {
constexpr int LANES = 8, TILES_AT_ONCE = 6, PER_WORD = 1;
using Channels = float __attribute__((vector_size(32)));
inline Channels add_products(Channels sums, Channels kernel, float value) { return sums + kernel * value; }
#include "winograd_tiles.hpp"
#include "winograd_direct.hpp"
}  // namespace avx2
#pragma GCC pop_options

#pragma GCC push_options
#pragma GCC target("avx512f,avx512bf16")
namespace bfloat16 {
constexpr int LANES = 16, TILES_AT_ONCE = 14, PER_WORD = 2;
using Channels = float __attribute__((vector_size(64)));
inline Channels add_products(Channels sums, Channels kernel, float value) {
  return _mm512_dpbf16_ps(sums, __m512bh(kernel), __m512bh(_mm512_set1_ps(value)));
}
inline Channels rounded(Channels low, Channels high) { return Channels(_mm512_cvtne2ps_pbh(high, low)); }
#include "winograd_tiles.hpp"
}  // namespace bfloat16
#pragma GCC pop_options

}  // namespace

extern "C" {

// Return how many channels of the image a register of this CPU holds: 16 or 8 of float32, or 0 where no code here runs.
int l3net_lanes() {
  if (__builtin_cpu_supports("avx512f")) return avx512::LANES;
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") ? avx2::LANES : 0;
}

// Return the same of bfloat16: 32, or 0.
int l3net_bfloat16_lanes() {
  return __builtin_cpu_supports("avx512bf16") ? bfloat16::LANES * bfloat16::PER_WORD : 0;
}

// Compute one layer for one image [height, width, n_inputs], by registers of `lanes` channels of it, into
// output [height, width, n_outputs] (pooled: half of both sides, rounded down). Few inputs are multiplied in float32.
// scratch: 36 * n_tiles * (n_inputs + n_outputs) + n_inputs floats.
void l3net_convolve(int lanes, const Layer *layer, const float *image, int height, int width, float *output,
                    float *scratch) {
  const bool few = layer->n_inputs < MANY;
  const auto convolve = lanes == avx2::LANES ? (few ? avx2::convolve_directly : avx2::convolve_by_tiles)
                        : few                ? avx512::convolve_directly
                        : lanes == avx512::LANES ? avx512::convolve_by_tiles
                                                 : bfloat16::convolve_by_tiles;
  convolve(*layer, image, height, width, output, scratch);
}
}
