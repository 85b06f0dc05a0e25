"""Windows: every sample is covered, times are exact, and a stream is cut as the whole would be."""

import numpy as np
import pytest

from l3net.embeddings.windows import Windows
from l3net.errors import ConfigError


def by_definition(sound: np.ndarray, length: int, rate: int, hop: float, center: bool) -> np.ndarray:
    """Return the windows one by one: window k starts at the sample nearest to k hops, until the last sample is in."""
    n = len(sound)
    if n < length and not center:
        before = (length - n) // 2
        return np.concatenate([np.zeros(before), sound, np.zeros(length - n - before)])[None]
    silence = length // 2 if center else 0
    padded = np.concatenate([np.zeros(silence), sound, np.zeros(3 * length + 100)])
    found, end = [], 0
    while end < silence + n:
        start = int(np.rint(len(found) * hop * rate))
        end = start + length
        found.append(padded[start:end])
    return np.array(found)


def test_any_stream_is_cut_as_the_whole_would_be() -> None:
    rng = np.random.default_rng(5)
    for _ in range(300):
        length, rate, center = int(rng.integers(2, 50)), int(rng.integers(5, 40)), bool(rng.integers(2))
        hop = float(rng.uniform(1 / rate, length / rate))
        sound = rng.random(int(rng.integers(1, 400))).astype(np.float32)
        windows = Windows(length, rate, hop, center)
        blocks = np.split(sound, np.sort(rng.integers(0, len(sound) + 1, int(rng.integers(0, 6)))))
        expected = by_definition(sound, length, rate, hop, center)
        np.testing.assert_array_equal(np.concatenate(list(windows.cut(blocks))), expected.astype(np.float32))
        assert windows.count(len(sound)) == len(expected)


@pytest.mark.parametrize(("center", "n"), [(False, 41), (True, 46)])
def test_windows_of_five_seconds(center: bool, n: int) -> None:
    assert Windows(48000, 48000, 0.1, center).count(240000) == n


def test_nothing_drifts_over_ten_hours() -> None:
    windows = Windows(22050, 22050, 1 / 3)  # 7350 samples; at 44.1 kHz / 7 the hop would not be whole
    uneven = Windows(44100, 44100, 0.07)  # 3087 samples exactly
    odd = Windows(16000, 16000, 0.0333)  # 532.8 samples
    for each in (windows, uneven, odd):
        k = int(36000 / each.hop_seconds)
        start = int(each.starts(k, k + 1)[0])
        assert abs(start - k * each.hop_seconds * each.sample_rate) <= 0.5 + 1e-6
        assert each.timestamps(k, k + 1)[0] == pytest.approx(start / each.sample_rate, abs=0.51 / each.sample_rate)


def test_a_long_stream_holds_little() -> None:
    windows = Windows(1000, 1000, 0.5)
    held = []
    for cut in windows.cut(np.full(10000, n, np.float32) for n in range(50)):
        held.append(len(cut))
    assert sum(held) == windows.count(500000)
    assert max(held) <= 64


@pytest.mark.parametrize(("hop", "hint"), [(0.0, ""), (-0.1, ""), (100.0, "milliseconds")])
def test_a_hop_that_loses_samples_is_refused(hop: float, hint: str) -> None:
    with pytest.raises(ConfigError, match=f"hop_seconds is {hop}.*{hint}"):
        Windows(48000, 48000, hop)
