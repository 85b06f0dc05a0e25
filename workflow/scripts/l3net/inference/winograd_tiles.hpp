// The convolution of winograd.cpp for one instruction set, which includes this file inside a namespace of its own with
//   LANES           channels in a register
//   TILES_AT_ONCE   tiles whose products one call of `multiply` sums, even; its 2 * TILES_AT_ONCE sums are registers
//
// Words: a tile is 4x4 pixels of the output; it needs 6x6 pixels of the image, which the transform turns into values at
// 6x6 points. A panel is 2 * LANES channels of the output.

using Channels = float __attribute__((vector_size(LANES * sizeof(float))));
constexpr int PANEL = 2 * LANES;

inline Channels load(const float *from) {
  Channels values;
  std::memcpy(&values, from, sizeof values);
  return values;
}

inline void store(float *to, Channels values) { std::memcpy(to, &values, sizeof values); }

inline Channels larger(Channels a, Channels b) { return a > b || a != a ? a : b; }  // what is no number stays so

// Six pixels in a row, as the coefficients of a polynomial, to its values at the points 0, +-A, +-B and infinity.
inline void to_points(const Channels *pixels, Channels *values) {
  const Channels even_a = pixels[4] - 2.0f * pixels[2], odd_a = A * (pixels[3] - 2.0f * pixels[1]);
  const Channels even_b = pixels[4] - 0.5f * pixels[2], odd_b = B * (pixels[3] - 0.5f * pixels[1]);
  values[0] = pixels[0] - 2.5f * pixels[2] + pixels[4];
  values[1] = even_a + odd_a;
  values[2] = even_a - odd_a;
  values[3] = even_b + odd_b;
  values[4] = even_b - odd_b;
  values[5] = pixels[1] - 2.5f * pixels[3] + pixels[5];
}

// Sums of products at the six points to four pixels in a row.
inline void from_points(const Channels *sums, Channels *pixels) {
  const Channels even_a = sums[1] + sums[2], odd_a = A * (sums[1] - sums[2]);
  const Channels even_b = sums[3] + sums[4], odd_b = B * (sums[3] - sums[4]);
  pixels[0] = sums[0] + even_a + even_b;
  pixels[1] = odd_a + odd_b;
  pixels[2] = 0.5f * even_a + 2.0f * even_b;
  pixels[3] = 0.5f * odd_a + 2.0f * odd_b + sums[5];
}

// Write one tile's values at the 36 points: value `point` of channel `c` goes to
// values[point * next_point + c / LANES * next_channels + c % LANES]. The pixels that the next tile needs besides these
// are asked for from memory.
void transform_image(const float *const *pixels, int n_channels, float *values, std::ptrdiff_t next_point,
                     std::ptrdiff_t next_channels) {
  for (int c = 0; c < n_channels; c += LANES, values += next_channels) {
    Channels half_way[6][6], six[6], transformed[6];
    for (int x = 0; x < 6; ++x) {
      for (int y = 0; y < 6; ++y) {
        six[y] = load(pixels[6 * y + x] + c);
        if (x >= 2) __builtin_prefetch(pixels[6 * y + x] + 4 * n_channels + c, 0, 2);
      }
      to_points(six, transformed);
      for (int y = 0; y < 6; ++y) half_way[y][x] = transformed[y];
    }
    for (int y = 0; y < 6; ++y) {
      to_points(half_way[y], transformed);
      for (int x = 0; x < 6; ++x) store(values + (6 * y + x) * next_point, transformed[x]);
    }
  }
}

// Sum over the channels of the image, at one point, for TILES tiles and one panel. `soon` is memory that a later call
// reads: `lines` cache lines of it are asked for with each LANES channels.
template <int TILES>
void multiply(const float *values, std::ptrdiff_t next_channels, const float *kernel, int n_channels, float *sums,
              std::ptrdiff_t next_tile, const float *soon, int lines) {
  Channels totals[TILES][2] = {};
  for (int c = 0; c < n_channels; c += LANES, values += next_channels) {
    for (int line = 0; line < lines; ++line, soon += LINE) __builtin_prefetch(soon, 0, 2);
#pragma GCC unroll 16
    for (int lane = 0; lane < LANES; ++lane, kernel += PANEL) {
      const Channels left = load(kernel), right = load(kernel + LANES);
#pragma GCC unroll 16
      for (int tile = 0; tile < TILES; ++tile) {
        totals[tile][0] += left * values[tile * LANES + lane];
        totals[tile][1] += right * values[tile * LANES + lane];
      }
    }
  }
#pragma GCC unroll 16
  for (int tile = 0; tile < TILES; ++tile) {
    store(sums + tile * next_tile, totals[tile][0]);
    store(sums + tile * next_tile + LANES, totals[tile][1]);
  }
}

using Multiply = void (*)(const float *, std::ptrdiff_t, const float *, int, float *, std::ptrdiff_t, const float *,
                          int);

template <int... N>
constexpr std::array<Multiply, sizeof...(N)> multiply_each(std::integer_sequence<int, N...>) {
  return {multiply<N + 1>...};
}

constexpr auto MULTIPLY = multiply_each(std::make_integer_sequence<int, TILES_AT_ONCE>());  // [tiles - 1]

// Write one tile of the output, or of its 2x2 maxima: `height` by `width` pixels, the part of it inside the output.
void transform_sums(const float *sums, std::ptrdiff_t next_point, const Layer &layer, float *output,
                    std::ptrdiff_t next_row, int height, int width) {
  for (int k = 0; k < layer.n_outputs; k += LANES) {
    Channels half_way[4][6], six[6], four[4], pixels[4][4];
    for (int x = 0; x < 6; ++x) {
      for (int y = 0; y < 6; ++y) six[y] = load(sums + (6 * y + x) * next_point + k);
      from_points(six, four);
      for (int y = 0; y < 4; ++y) half_way[y][x] = four[y];
    }
    const Channels bias = load(layer.bias + k);
    for (int y = 0; y < 4; ++y) {
      from_points(half_way[y], pixels[y]);
      for (int x = 0; x < 4; ++x) pixels[y][x] += bias;
      if (layer.relu)
        for (int x = 0; x < 4; ++x) pixels[y][x] = larger(pixels[y][x], Channels{});
    }
    if (layer.pool)
      for (int y = 0; y < 2; ++y)
        for (int x = 0; x < 2; ++x)
          pixels[y][x] = larger(larger(pixels[2 * y][2 * x], pixels[2 * y][2 * x + 1]),
                                larger(pixels[2 * y + 1][2 * x], pixels[2 * y + 1][2 * x + 1]));
    for (int y = 0; y < height; ++y)
      for (int x = 0; x < width; ++x) store(output + y * next_row + x * layer.n_outputs + k, pixels[y][x]);
  }
}

// Transform the pixels that tile number `tile` needs, to values[36, n_inputs / LANES, tiles, LANES], from its own on.
void transform_tile(const float *image, int height, int width, int n_inputs, int tile, const float *outside,
                    float *values, std::ptrdiff_t tiles) {
  const int across = (width + 3) / 4, top = tile / across * 4 - 1, left = tile % across * 4 - 1;
  const float *pixels[POINTS];
  for (int y = 0; y < 6; ++y)
    for (int x = 0; x < 6; ++x) {
      const bool inside = top + y >= 0 && top + y < height && left + x >= 0 && left + x < width;
      pixels[6 * y + x] = inside ? image + (std::ptrdiff_t(top + y) * width + left + x) * n_inputs : outside;
    }
  transform_image(pixels, n_inputs, values, n_inputs * tiles, tiles * LANES);
}

// Multiply values[36, n_inputs / LANES, tiles, LANES] and the kernel, to sums[36, tiles, n_outputs]. While a panel of
// the kernel is used by one group of tiles after the other, the next panel is fetched, a part by each.
void multiply_points(const Layer &layer, const float *values, std::ptrdiff_t tiles, float *sums) {
  const std::ptrdiff_t n_inputs = layer.n_inputs, n_outputs = layer.n_outputs;
  const int groups = (tiles + TILES_AT_ONCE - 1) / TILES_AT_ONCE;
  const int lines = (LANES * PANEL / LINE + groups - 1) / groups;
  const float *kernel = layer.kernel;
  for (int point = 0; point < POINTS; ++point, values += n_inputs * tiles, sums += tiles * n_outputs)
    for (int k = 0; k < n_outputs; k += PANEL, kernel += PANEL * n_inputs)
      for (int group = 0; group < groups; ++group) {
        const int begin = tiles * group / groups, end = tiles * (group + 1) / groups;
        const float *soon = kernel + PANEL * n_inputs + group * lines * LINE * (n_inputs / LANES);
        MULTIPLY[end - begin - 1](values + begin * LANES, tiles * LANES, kernel, n_inputs, sums + begin * n_outputs + k,
                                  n_outputs, soon, lines);
      }
}

void convolve_by_tiles(const Layer &layer, const float *image, int height, int width, float *output,
                       float *scratch) {
  const std::ptrdiff_t n_inputs = layer.n_inputs, n_outputs = layer.n_outputs;
  const int across = (width + 3) / 4, n_tiles = (height + 3) / 4 * across;
  const int side = layer.pool ? 2 : 4;  // of a tile of the output
  const int out_height = layer.pool ? height / 2 : height, out_width = layer.pool ? width / 2 : width;
  float *values = scratch, *sums = values + POINTS * n_inputs * layer.n_tiles;
  float *outside = sums + POINTS * n_outputs * layer.n_tiles;  // a pixel of zeros: what lies around the image
  std::fill(outside, outside + n_inputs, 0.0f);

  for (int first = 0; first < n_tiles; first += layer.n_tiles) {
    const int tiles = std::min(layer.n_tiles, n_tiles - first);
    for (int tile = 0; tile < tiles; ++tile)
      transform_tile(image, height, width, layer.n_inputs, first + tile, outside, values + tile * LANES, tiles);
    multiply_points(layer, values, tiles, sums);
    for (int tile = 0; tile < tiles; ++tile) {
      const int top = (first + tile) / across * side, left = (first + tile) % across * side;
      transform_sums(sums + tile * n_outputs, n_outputs * tiles, layer,
                     output + (std::ptrdiff_t(top) * out_width + left) * n_outputs, out_width * n_outputs,
                     std::min(side, out_height - top), std::min(side, out_width - left));
    }
  }
}

// Write the 3x3 pixels around `n_pixels` pixels of a row, from (y, x) on, and a one for the bias, to
// patches[rows / LANES, n_pixels, LANES], whose values are zero.
void gather(const float *image, int height, int width, int n_inputs, int y, int x, int n_pixels, float *patches) {
  for (int pixel = 0; pixel < n_pixels; ++pixel) {
    const auto at = [&](int row) -> float & {
      return patches[(row / LANES * n_pixels + pixel) * LANES + row % LANES];
    };
    for (int i = 0; i < 3; ++i)
      for (int j = 0; j < 3; ++j) {
        const int from_y = y + i - 1, from_x = x + pixel + j - 1;
        if (from_y < 0 || from_y >= height || from_x < 0 || from_x >= width) continue;
        const float *from = image + (std::ptrdiff_t(from_y) * width + from_x) * n_inputs;
        for (int c = 0; c < n_inputs; ++c) at((3 * i + j) * n_inputs + c) = from[c];
      }
    at(9 * n_inputs) = 1.0f;
  }
}

// For few inputs, where a transform would cost more than it saves: patches of 3x3 pixels times the kernel as a matrix.
void convolve_directly(const Layer &layer, const float *image, int height, int width, float *output,
                       float *scratch) {
  const std::ptrdiff_t n_outputs = layer.n_outputs, n_rows = (9 * layer.n_inputs + LANES) / LANES * LANES;
  const int side = layer.pool ? 2 : 1;  // of the pixels that make one of the output
  const int out_width = width / side;
  float *patches = scratch, *sums = scratch + n_rows * TILES_AT_ONCE;  // sums[side, pixels, n_outputs]
  for (int y = 0; y + side <= height; y += side)
    for (int x = 0; x < width; x += TILES_AT_ONCE) {
      const int pixels = std::min(TILES_AT_ONCE, width - x);
      for (int below = 0; below < side; ++below) {
        std::fill(patches, patches + pixels * n_rows, 0.0f);
        gather(image, height, width, layer.n_inputs, y + below, x, pixels, patches);
        for (int k = 0; k < n_outputs; k += PANEL)
          MULTIPLY[pixels - 1](patches, std::ptrdiff_t(pixels) * LANES, layer.kernel + k * n_rows, n_rows,
                               sums + below * pixels * n_outputs + k, n_outputs, nullptr, 0);
      }
      float *to = output + (std::ptrdiff_t(y / side) * out_width + x / side) * n_outputs;
      for (int pixel = 0; pixel < pixels / side; ++pixel, to += n_outputs)
        for (int k = 0; k < n_outputs; k += LANES) {
          const float *from = sums + side * pixel * n_outputs + k;
          Channels value = load(from);
          if (layer.pool) {
            const float *under = from + pixels * n_outputs;
            value = larger(larger(value, load(from + n_outputs)), larger(load(under), load(under + n_outputs)));
          }
          store(to + k, layer.relu ? larger(value, Channels{}) : value);
        }
    }
}

void convolve(const Layer &layer, const float *image, int height, int width, float *output, float *scratch) {
  (layer.n_inputs < MANY ? convolve_directly : convolve_by_tiles)(layer, image, height, width, output, scratch);
}
