"""Mel filters: bands of equal width on a scale of pitch, as a matrix from the bins of a spectrum to bands.

There are two scales: the paper's front ends use HTK's formula, the package openl3 Slaney's.
"""

from collections.abc import Iterator

import numpy as np

from l3net.media import SAMPLE_RATE

_BLOCKS = 8  # pieces that `filter_blocks` cuts filters into


def mel_filters(n_mels: int, n_fft: int, *, htk: bool, sample_rate: int = SAMPLE_RATE) -> np.ndarray:
    """Return triangular mel filters of unit area (over Hz), from 0 Hz to half the sample rate.

    Parameters
    ----------
    htk : whether the scale is HTK's, 2595 log10(1 + f / 700), or Slaney's, linear to 1 kHz and logarithmic above.

    Returns
    -------
    np.ndarray float32 [shape=(n_mels, n_fft // 2 + 1)]
    """
    to_mel, to_hertz = (_htk_mel, _htk_hertz) if htk else (_slaney_mel, _slaney_hertz)
    edges = to_hertz(np.linspace(0.0, to_mel(sample_rate / 2), n_mels + 2))
    low, centre, high = edges[:-2, None], edges[1:-1, None], edges[2:, None]
    frequencies = np.linspace(0.0, sample_rate / 2, n_fft // 2 + 1)
    rising, falling = (frequencies - low) / (centre - low), (high - frequencies) / (high - centre)
    return (np.maximum(0.0, np.minimum(rising, falling)) * 2.0 / (high - low)).astype(np.float32)


def filter_blocks(filters: np.ndarray) -> Iterator[tuple[slice, np.ndarray]]:
    """Yield mel filters [shape=(n_mels, n_bins)] a few bands at a time: the bins they use, and a matrix from these bins
    to the bands. A filter is 0 at nearly all bins, so the blocks are an eighth of the whole matrix.
    """
    for block in np.array_split(filters, _BLOCKS):
        used = np.flatnonzero(block.any(axis=0))
        bins = slice(int(used[0]), int(used[-1]) + 1)
        yield bins, block[:, bins].T.copy()


def _htk_mel(hertz):
    return 2595.0 * np.log10(1.0 + hertz / 700.0)


def _htk_hertz(mel):
    return 700.0 * (10.0 ** (mel / 2595.0) - 1.0)


def _slaney_mel(hertz):
    return 3.0 * hertz / 200.0 if hertz < 1000.0 else 15.0 + 27.0 * np.log(hertz / 1000.0) / np.log(6.4)


def _slaney_hertz(mel):
    return np.where(mel < 15.0, 200.0 * mel / 3.0, 1000.0 * 6.4 ** ((mel - 15.0) / 27.0))
