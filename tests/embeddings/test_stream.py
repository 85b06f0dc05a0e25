"""Live sound: the vectors of the whole file, bit for bit, as soon as they can be had, for a day and longer."""

import pickle
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import soundfile

import l3net
from l3net.embeddings.interface import SoundEmbedding, WindowEmbedding
from l3net.errors import ClipError, ConfigError
from l3net.media.audio import audio_blocks
from tests import tiny_embedding

RATE = 8000


def means(windows: np.ndarray) -> np.ndarray:
    """A network cheap enough for a day of sound: first sample, mean and last sample of each window."""
    return np.stack([windows[:, 0], windows.mean(1, dtype=np.float64), windows[:, -1]], 1).astype(np.float32)


def cheap(rate: int = RATE, network=means) -> WindowEmbedding:
    return WindowEmbedding(network, 3, rate, rate)


def of_file(path: Path, embedding: WindowEmbedding, **options: object) -> tuple[np.ndarray, np.ndarray]:
    pieces = list(embedding.embed([(0, audio_blocks(path, embedding.sample_rate))], **options))
    return np.concatenate([piece.vectors for piece in pieces]), np.concatenate([piece.timestamps for piece in pieces])


def joined(made: list) -> tuple[np.ndarray, np.ndarray]:
    return np.concatenate([vectors for vectors, _ in made]), np.concatenate([times for _, times in made])


@pytest.mark.parametrize("seconds", [0.4, 1.0, 7.3])
@pytest.mark.parametrize(("file_rate", "channels", "center"), [(RATE, 1, False), (22_050, 2, False), (44_100, 1, True)])
def test_the_bits_are_those_of_the_file(
    seconds: float, file_rate: int, channels: int, center: bool, tmp_path: Path
) -> None:
    rng = np.random.default_rng(3)
    sound = rng.integers(-9000, 9000, (round(seconds * file_rate), channels), np.int16)
    soundfile.write(tmp_path / "sound.wav", sound, file_rate)
    vectors, times = of_file(tmp_path / "sound.wav", cheap(), hop_seconds=0.1, center=center)
    for mean in (3, 700, 30_000):
        sizes = rng.integers(0, 2 * mean, 4 + len(sound) // mean)
        live = l3net.stream(cheap(), hop_seconds=0.1, sample_rate=file_rate, center=center)
        made = list(live(np.split(sound, np.minimum(np.cumsum(sizes), len(sound)))))
        found = joined(made)
        np.testing.assert_array_equal(found[0], vectors)
        np.testing.assert_array_equal(found[1], times)


def test_blocks_of_fewer_samples_than_channels() -> None:
    sound = np.random.default_rng(5).normal(0, 0.1, (2 * RATE, 6))
    vectors, _ = l3net.embed(sound, RATE, model=cheap(), hop_seconds=0.1)
    for size in (1, 2, 5, 4000):
        live = l3net.stream(cheap(), hop_seconds=0.1)
        found = joined([*(live.push(sound[n : n + size]) for n in range(0, len(sound), size)), live.finish()])
        np.testing.assert_array_equal(found[0], vectors)
    live = l3net.stream(cheap())
    with pytest.raises(ClipError, match=r"shape \(2, 1024\).*did you mean the transpose"):
        live.push(np.zeros((2, 1024)))
    live.push(np.zeros((1024, 2)))
    with pytest.raises(ClipError, match="a block has 1 channels, those before it 2; expected as many"):
        live.push(np.zeros(1024))


def test_streams_in_threads_of_one_network(tmp_path: Path) -> None:
    tiny_embedding.write_embedding(tmp_path / "embedding.keras")
    model = l3net.load(tmp_path / "embedding.keras")
    sounds = np.random.default_rng(0).normal(0, 0.1, (4, 90_000)).astype(np.float32)

    def live(sound: np.ndarray) -> np.ndarray:
        made = list(l3net.stream(model, hop_seconds=0.1)(np.split(sound, range(1000, 90_000, 4321))))
        return joined(made)[0]

    with ThreadPoolExecutor(4) as threads:
        found = list(threads.map(live, sounds))
    for sound, vectors in zip(sounds, found, strict=True):
        np.testing.assert_array_equal(vectors, l3net.embed(sound, 48_000, model=model, hop_seconds=0.1)[0])


def test_the_bits_of_a_real_network_are_those_of_embed(tmp_path: Path) -> None:
    tiny_embedding.write_embedding(tmp_path / "embedding.keras")
    sound = np.random.default_rng(0).normal(0, 0.1, 110_000).astype(np.float32)
    vectors, times = l3net.embed(sound, 48_000, model=tmp_path / "embedding.keras", hop_seconds=0.1)
    live = l3net.stream(tmp_path / "embedding.keras", hop_seconds=0.1)
    found = joined([*(live.push(block) for block in np.split(sound, range(1000, 110_000, 4321))), live.finish()])
    np.testing.assert_array_equal(found[0], vectors)
    np.testing.assert_array_equal(found[1], times)


@pytest.mark.parametrize("file_rate", [RATE, 44_100])
def test_a_vector_comes_within_a_window_and_a_hop(file_rate: int) -> None:
    """Blocks of 10 ms on a clock: by the time a vector comes, at most a window and a hop have passed."""
    live, clock, delays = l3net.stream(cheap(), hop_seconds=0.1, sample_rate=file_rate), 0.0, []
    for _ in range(500):
        clock += 0.01
        delays += [clock - time for time in live.push(np.zeros(round(0.01 * file_rate)))[1]]
    assert len(delays) >= 39
    assert max(delays) <= 1.1
    assert min(delays) >= 1.0 - 1e-9
    if file_rate == RATE:  # no resampler holds anything back
        assert max(delays) <= 1.0 + 1e-9


def test_a_day_of_sound_without_drift_or_growth() -> None:
    """86,400 s in blocks of 5 to 15 s, a hop that is no whole number of samples; every sample tells its time."""
    rate, hop, n, rng = 100, 0.333, 0, np.random.default_rng(1)
    live = l3net.stream(cheap(rate), hop_seconds=hop)
    count, worst, last_time, held = 0, 0.0, -1.0, {}
    while n < 86_400 * rate:
        block = np.arange(n, n + rng.integers(500, 1500)) % 4_000_000  # exact in float32
        n += len(block)
        vectors, times = live.push(block.astype(np.float32))
        count, last_time = count + len(times), times[-1]
        worst = max(worst, np.abs(vectors[:, 0] - times * rate % 4_000_000).max())
        held.setdefault(n // (3600 * rate), []).append(len(pickle.dumps(live._cutter)))
    assert worst <= 0.5 + 1e-6  # of a sample: the start is the sample nearest to its time, after a day too
    assert last_time > 86_390
    assert count == int((n - rate) / (hop * rate)) + 1
    # Bytes: less than a window and a hop, and the numbers that count them.
    assert max(held[23]) <= max(held[0]) + 64
    assert max(held[0]) <= 4 * 2 * rate + 1000


def test_small_blocks_wait_without_being_copied_again_and_again() -> None:
    sound = np.random.default_rng(0).random(4 * RATE).astype(np.float32)
    live, calls = l3net.stream(cheap(), hop_seconds=0.5), []
    joins = live._cutter._join
    live._cutter._join = lambda: (calls.append(1), joins())
    made = joined([*(live.push(sound[n : n + 1]) for n in range(len(sound))), live.finish()])
    np.testing.assert_array_equal(made[0], means(np.lib.stride_tricks.sliding_window_view(sound, RATE)[:: RATE // 2]))
    assert len(calls) <= 8


def test_what_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"hop_seconds is 2\.0 .*; expected above 0 and at most the window's 1 s"):
        l3net.stream(cheap(), hop_seconds=2.0)
    for rate in (0, -1, 44_100.5, float("nan"), "48000"):
        with pytest.raises(ConfigError, match=rf"sample_rate is {rate!r}; expected a whole number of Hz"):
            l3net.stream(cheap(), sample_rate=rate)
    for size in (0, -1, None):
        for call in (l3net.stream, lambda *model, **size: l3net.embed(np.ones(RATE), RATE, model=model[0], **size)):
            with pytest.raises(ConfigError, match=rf"batch_size is {size}; expected a whole number of 1 or more"):
                call(cheap(), batch_size=size)
    with pytest.raises(ConfigError, match=r"hop_seconds is '0\.1'; expected a number of seconds"):
        l3net.stream(cheap(), hop_seconds="0.1")
    with pytest.raises(ConfigError, match="soundnet hears a sound as a whole and has no stream"):
        l3net.stream(SoundEmbedding(None, 3, RATE, {"kind": "soundnet"}))
    live = l3net.stream(cheap())
    assert live.push(np.zeros(0))[0].shape == (0, 3)
    live.push(np.zeros(RATE // 2))
    with pytest.raises(ClipError, match=r"the sound at 0\.501 s is not a finite number"):
        live.push(np.array([0.0] * 8 + [np.nan]))
    for nothing in (None, 0.5):
        with pytest.raises(ClipError, match=r"sound has shape \(\)"):
            live.push(nothing)
    with pytest.raises(ClipError, match=r"sound has shape \(2, 3, 4\)"):
        live.push(np.zeros((2, 3, 4)))
    live.finish()
    for call in (live.finish, lambda: live.push(np.zeros(3))):
        with pytest.raises(ConfigError, match="the stream is finished"):
            call()
    with pytest.raises(ClipError, match=r"the vector at 0\.00 s holds values that are not finite"):
        l3net.stream(cheap(network=lambda windows: means(windows) * np.nan)).push(np.ones(RATE))
