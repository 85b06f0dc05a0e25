// The convolution of few inputs, by its definition, for the namespaces of winograd.cpp that include winograd_tiles.hpp
// and multiply float32.

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
