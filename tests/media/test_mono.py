"""The mean of the channels of every sample format, against sums of plain integers and floats."""

from pathlib import Path

import av
import numpy as np
import pytest

from l3net.media.audio import read_audio
from l3net.media.mono import mean_of_channels, mono_float32, mono_int16
from tests import media_sources

FORMATS = {"u8": np.uint8, "s16": np.int16, "s32": np.int32, "flt": np.float32, "dbl": np.float64}
LAYOUTS = {1: "mono", 2: "stereo", 6: "5.1"}


def channels_of(dtype: type, n_channels: int) -> np.ndarray:
    rng = np.random.default_rng(n_channels)
    if np.issubdtype(dtype, np.integer):
        limits = np.iinfo(dtype)
        values = rng.integers(limits.min, limits.max, (n_channels, 500), dtype, endpoint=True)
        values[:, 0], values[:, 1] = limits.min, limits.max
        return values
    return rng.uniform(-1.2, 1.2, (n_channels, 500)).astype(dtype)


def as_unit(channels: np.ndarray) -> np.ndarray:
    """Return the exact values that the samples stand for, float64."""
    exact = channels.astype(np.float64)
    if channels.dtype == np.uint8:
        return (exact - 128) / 128
    return exact / 2 ** (8 * channels.dtype.itemsize - 1) if channels.dtype.kind == "i" else exact


@pytest.fixture(params=[(name, planar, n) for name in FORMATS for planar in (False, True) for n in LAYOUTS])
def frame_and_channels(request: pytest.FixtureRequest) -> tuple[av.AudioFrame, np.ndarray]:
    name, is_planar, n_channels = request.param
    channels = channels_of(FORMATS[name], n_channels)
    array = channels if is_planar else np.ascontiguousarray(channels.T).reshape(1, -1)
    frame = av.AudioFrame.from_ndarray(array, format=name + "p" * is_planar, layout=LAYOUTS[n_channels])
    return frame, channels


def test_float32_is_the_scaled_mean(frame_and_channels: tuple[av.AudioFrame, np.ndarray]) -> None:
    frame, channels = frame_and_channels
    found = mono_float32(frame)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, as_unit(channels).mean(axis=0), rtol=0, atol=1.2e-7)


def test_int16_is_the_rounded_and_clipped_mean(frame_and_channels: tuple[av.AudioFrame, np.ndarray]) -> None:
    frame, channels = frame_and_channels
    found = mono_int16(frame)
    assert found.dtype == np.int16
    exact = np.clip(as_unit(channels).mean(axis=0) * 32768, -32768, 32767)
    assert np.abs(found - exact).max() <= 0.5 + 1e-6


def test_one_channel_of_int16_is_taken_as_it_is() -> None:
    channels = channels_of(np.int16, 1)
    frame = av.AudioFrame.from_ndarray(channels, format="s16", layout="mono")
    assert np.array_equal(mono_int16(frame), channels[0])


def test_the_mean_of_two_orders_of_memory_is_the_same() -> None:
    sound = np.random.default_rng(0).uniform(-1, 1, (10_000, 12)).astype(np.float32)
    assert np.array_equal(mean_of_channels(sound.T), sound.mean(axis=1, dtype=np.float64))


@pytest.mark.parametrize(
    ("n_channels", "name", "codec"),
    [(7, "a.ogg", "libvorbis"), (8, "a.ogg", "libvorbis"), (8, "a.m4a", "aac"), (8, "a.opus", "libopus"),
     (9, "a.wv", "wavpack"), (16, "a.mka", "libvorbis")],
)  # fmt: skip
def test_more_channels_than_a_frame_of_ffmpeg_has_pointers_for(
    tmp_path: Path, n_channels: int, name: str, codec: str
) -> None:
    """PyAV's own array of them reads beyond the last one, which ends the process."""
    channels = "|".join(f"{0.05 * (n + 1):.2f}*sin(2*PI*200*t)" for n in range(n_channels))
    layout = {7: ":c=6.1", 8: ":c=7.1"}.get(n_channels, "")
    source = ["-f", "lavfi", "-i", f"aevalsrc={channels}{layout}:s=48000:d=1"]
    path = media_sources.run(*source, "-c:a", codec, to=tmp_path / name)
    found = read_audio(path)[10_000:40_000]
    assert len(found) == 30_000
    # The deep channel of a surround sound (LFE) is coded without the higher half of its sound, or left out.
    assert np.sqrt(2) * found.std() == pytest.approx(0.05 * (n_channels + 1) / 2, rel=0.12)
