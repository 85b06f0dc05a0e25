// The convolution of winograd.cpp for one instruction set, which includes this file inside a namespace of its own with
//   LANES           words in a register; a word is 32 bits
//   TILES_AT_ONCE   tiles whose products one call of `multiply` sums, even; its 2 * TILES_AT_ONCE sums are registers
//   PER_WORD        channels in a word of what is multiplied: 1 in float32, 2 in bfloat16
//   Channels        a register of float32, one for each of LANES channels
//   add_products    (sums, kernel, value) -> sums + kernel * value, with products of all channels in a word summed
//   rounded         with two channels in a word: two registers of float32 -> one of bfloat16
//
// Terms: a tile is 4x4 pixels of the output; it needs 6x6 pixels of the image, which the transform turns into values at
// 6x6 points. A panel is 2 * LANES channels of the output.

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

// Give put(point, values) the values of LANES channels, from `c` on, at each of one tile's 36 points. The pixels that the
// next tile needs besides these are asked for from memory.
template <class Put>
inline void to_all_points(const float *const *pixels, int n_channels, int c, Put put) {
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
    for (int x = 0; x < 6; ++x) put(6 * y + x, transformed[x]);
  }
}

// Write one tile's values at the 36 points: word `w` of value `point` goes to
// values[point * next_point + w / LANES * next_words + w % LANES].
template <int CHANNELS = PER_WORD>  // a template, so that only bfloat16 asks for `rounded`
void transform_image(const float *const *pixels, int n_channels, float *values, std::ptrdiff_t next_point,
                     std::ptrdiff_t next_words) {
  for (int c = 0; c < n_channels; c += CHANNELS * LANES, values += next_words) {
    const auto write = [&](int point, Channels words) { store(values + point * next_point, words); };
    if constexpr (CHANNELS == 1) {
      to_all_points(pixels, n_channels, c, write);
    } else {
      Channels low[POINTS];
      to_all_points(pixels, n_channels, c, [&](int point, Channels own) { low[point] = own; });
      to_all_points(pixels, n_channels, c + LANES,
                    [&](int point, auto high) { write(point, rounded(low[point], high)); });
    }
  }
}

// Sum over the channels of the image, at one point, for TILES tiles and one panel. `soon` is memory that a later call
// reads: `lines` cache lines of it are asked for with each LANES words.
template <int TILES>
void multiply(const float *values, std::ptrdiff_t next_words, const float *kernel, int n_words, float *sums,
              std::ptrdiff_t next_tile, const float *soon, int lines) {
  Channels totals[TILES][2] = {};
  for (int w = 0; w < n_words; w += LANES, values += next_words) {
    for (int line = 0; line < lines; ++line, soon += LINE) __builtin_prefetch(soon, 0, 2);
#pragma GCC unroll 16
    for (int lane = 0; lane < LANES; ++lane, kernel += PANEL) {
      const Channels left = load(kernel), right = load(kernel + LANES);
#pragma GCC unroll 16
      for (int tile = 0; tile < TILES; ++tile) {
        totals[tile][0] = add_products(totals[tile][0], left, values[tile * LANES + lane]);
        totals[tile][1] = add_products(totals[tile][1], right, values[tile * LANES + lane]);
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

// Transform the pixels that tile number `tile` needs, to values[36, words / LANES, tiles, LANES], from its own on.
void transform_tile(const float *image, int height, int width, int n_inputs, int tile, const float *outside,
                    float *values, std::ptrdiff_t tiles) {
  const int across = (width + 3) / 4, top = tile / across * 4 - 1, left = tile % across * 4 - 1;
  const float *pixels[POINTS];
  for (int y = 0; y < 6; ++y)
    for (int x = 0; x < 6; ++x) {
      const bool inside = top + y >= 0 && top + y < height && left + x >= 0 && left + x < width;
      pixels[6 * y + x] = inside ? image + (std::ptrdiff_t(top + y) * width + left + x) * n_inputs : outside;
    }
  transform_image(pixels, n_inputs, values, n_inputs / PER_WORD * tiles, tiles * LANES);
}

// Multiply values[36, words / LANES, tiles, LANES] and the kernel, to sums[36, tiles, n_outputs]. While a panel of the
// kernel is used by one group of tiles after the other, the next panel is fetched, a part by each.
void multiply_points(const Layer &layer, const float *values, std::ptrdiff_t tiles, float *sums) {
  const std::ptrdiff_t n_words = layer.n_inputs / PER_WORD, n_outputs = layer.n_outputs;
  const int groups = (tiles + TILES_AT_ONCE - 1) / TILES_AT_ONCE;
  const int lines = (LANES * PANEL / LINE + groups - 1) / groups;
  const float *kernel = layer.kernel;
  for (int point = 0; point < POINTS; ++point, values += n_words * tiles, sums += tiles * n_outputs)
    for (int k = 0; k < n_outputs; k += PANEL, kernel += PANEL * n_words)
      for (int group = 0; group < groups; ++group) {
        const int begin = tiles * group / groups, end = tiles * (group + 1) / groups;
        const float *soon = kernel + PANEL * n_words + group * lines * LINE * (n_words / LANES);
        MULTIPLY[end - begin - 1](values + begin * LANES, tiles * LANES, kernel, n_words, sums + begin * n_outputs + k,
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
