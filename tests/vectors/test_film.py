"""Sound and picture of a film at the same times: both tell the time that they are of."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

import l3net
from l3net.cli.main import main
from l3net.embeddings import add_keras_metadata
from l3net.embeddings.interface import WindowEmbedding
from l3net.errors import ClipError, WeightsError
from l3net.media.video import frames_at
from l3net.models.l3 import vision_embedding_network
from l3net.vectors.film import ImageEmbedding, embed_film, image_vectors
from tests import tiny_embedding
from tests.time_code import FPS, HEIGHT, WIDTH, read_picture, read_sound, write_clip


def grey(number: int, i: int) -> np.ndarray:
    """Return frame `i` as an even grey that tells it in any crop; up to 75 frames."""
    return np.full((HEIGHT, WIDTH, 3), 20 + 3 * i, np.uint8)


def time_of_images(images: np.ndarray) -> np.ndarray:
    assert images.shape[1:] == (56, 56, 3)
    return np.rint(((images.mean((1, 2, 3)) + 1) * 127.5 - 20) / 3)[:, None].astype(np.float32) / FPS


def time_of_sounds(windows: np.ndarray) -> np.ndarray:
    return np.array([[read_sound(window)[1]] for window in windows], np.float32)


SOUND = WindowEmbedding(time_of_sounds, 1, 48_000, 48_000)
IMAGES = ImageEmbedding(time_of_images, 1, 56, {})


@pytest.mark.parametrize("hop", [0.1, 0.04])
def test_sound_and_picture_are_of_the_same_times(hop: float, tmp_path: Path) -> None:
    write_clip(tmp_path / "film.mkv", 3, 2.0, picture=grey)
    heard, seen, times = embed_film(tmp_path / "film.mkv", sound_model=SOUND, image_model=IMAGES, hop_seconds=hop)
    np.testing.assert_allclose(times, np.arange(len(times)) * hop)
    assert len(heard) == len(seen) == len(times) == round(1 / hop) + 1
    np.testing.assert_allclose(heard[:, 0], times, atol=0.015)
    assert np.abs(seen[:, 0] - times).max() <= 0.5 / FPS + 1e-3  # Matroska keeps times in milliseconds


def test_centred_times_have_the_frame_of_the_windows_middle(tmp_path: Path) -> None:
    write_clip(tmp_path / "film.mkv", 3, 2.0, picture=grey)
    options = {"sound_model": SOUND, "image_model": IMAGES, "hop_seconds": 0.1, "center": True}
    heard, seen, times = embed_film(tmp_path / "film.mkv", **options)
    inner = slice(6, 14)
    np.testing.assert_allclose(heard[inner, 0], times[inner] - 0.5, atol=0.015)
    shown = times < 2.0  # behind the last frame it stays
    assert np.abs(seen[shown, 0] - times[shown]).max() <= 0.5 / FPS + 1e-3
    assert (seen[~shown, 0] == seen[-1, 0]).all()


def test_frames_are_the_nearest_before_the_first_and_behind_the_last(tmp_path: Path) -> None:
    write_clip(tmp_path / "clip.mkv", 5, 2.0)
    times = np.array([-1.0, 0.0, 0.015, 0.018, 1.0, 1.0, 5.0])
    shown = [read_picture(frame.to_ndarray(format="rgb24")) for frame in frames_at(tmp_path / "clip.mkv", times)]
    assert [number for number, _ in shown] == [5] * 7
    np.testing.assert_allclose([time * FPS for _, time in shown], [0, 0, 0, 1, 30, 30, 59])


def write_film(path: Path, begins: list[float], seconds: float) -> None:
    """Write a film whose frames begin at these times, as even greys that tell their number, under noise."""
    ticks = Fraction(1, 90_000)
    with av.open(str(path), "w") as file:
        picture = file.add_stream("libx264", rate=30, options={"preset": "ultrafast", "crf": "10"})
        picture.width, picture.height, picture.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        picture.codec_context.time_base = ticks
        sound = file.add_stream("flac", rate=48_000, layout="mono", format="s16")
        for i, begin in enumerate(begins):
            frame = av.VideoFrame.from_ndarray(grey(0, i), format="rgb24")
            frame.pts, frame.time_base = round(begin / ticks), ticks
            file.mux(picture.encode(frame))
        file.mux(picture.encode())
        noise = np.random.default_rng(0).integers(-900, 900, (1, round(48_000 * seconds)), np.int16)
        block = av.AudioFrame.from_ndarray(noise, format="s16", layout="mono")
        block.sample_rate, block.pts = 48_000, 0
        file.mux(sound.encode(block))
        file.mux(sound.encode())


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_frames_that_do_not_come_steadily_are_the_nearest_too_and_slides_stay(suffix: str, tmp_path: Path) -> None:
    """Slides, a burst at 30 frames a second, frames at odd times: what half a frame is differs from place to place."""
    burst, odd = 3 + np.arange(20) / 30, 4 + np.cumsum([0.11, 0.31, 0.07, 0.5, 0.23])
    begins = np.concatenate([[0.0, 1.5], burst, odd, [8.0]])
    write_film(tmp_path / f"film{suffix}", begins.tolist(), 10.0)
    options = {"sound_model": WindowEmbedding(lambda x: x[:, :1], 1, 48_000, 48_000), "image_model": IMAGES}
    _, seen, times = embed_film(tmp_path / f"film{suffix}", **options, hop_seconds=0.04)
    shown = np.rint(seen[:, 0] * FPS).astype(int)
    moving = (times > 3.0) & (times < 5.0)
    nearest = np.abs(begins[None] - times[moving, None]).min(1)
    np.testing.assert_allclose(np.abs(begins[shown[moving]] - times[moving]), nearest, atol=2e-3)
    for first, last, number in ((0.0, 1.48, 0), (1.52, 2.98, 1), (5.3, 7.98, len(begins) - 2), (8.02, 9.0, -1)):
        assert set(shown[(times >= first) & (times <= last)]) == {number % len(begins)}


def test_a_slide_that_stands_long_takes_no_memory_of_its_length(tmp_path: Path) -> None:
    write_film(tmp_path / "film.mkv", [0.0, 3.0], 4.0)
    times, wide = np.arange(30_000) * 1e-4, ImageEmbedding(lambda x: np.ones((len(x), 5000), np.float32), 5000, 56, {})
    sizes = [len(vectors) for vectors in image_vectors(tmp_path / "film.mkv", wide, times, 32)]
    assert sum(sizes) == len(times)
    assert max(sizes) <= 1024


def test_a_stream_of_frames_without_times_is_refused(tmp_path: Path) -> None:
    with av.open(str(tmp_path / "raw.h264"), "w") as file:
        picture = file.add_stream("libx264", rate=30)
        picture.width, picture.height, picture.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        for i in range(9):
            file.mux(picture.encode(av.VideoFrame.from_ndarray(grey(0, i), format="rgb24")))
        file.mux(picture.encode())
    with pytest.raises(ClipError, match=r"raw\.h264: its frames have no times; put them into a container: ffmpeg"):
        list(frames_at(tmp_path / "raw.h264", np.arange(3) * 0.1))


def test_the_command_writes_both_at_the_same_times(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    write_clip(tmp_path / "films" / "film.mkv", 3, 2.0, picture=grey)
    tiny_embedding.write_embedding(tmp_path / "embedding.keras")
    vision = vision_embedding_network(tiny_embedding.network())
    vision.save(tmp_path / "vision.keras")
    add_keras_metadata(tmp_path / "vision.keras", {"kind": "l3-vision", "image_size": 32})
    models = ["--model", str(tmp_path / "embedding.keras"), "--model", str(tmp_path / "vision.keras")]
    command = ["embed", str(tmp_path / "films"), "--output", str(tmp_path / "out"), "--modality", "both", *models]
    assert main([*command, "--hop-seconds", "0.25"]) == 0
    sound, image = (np.load(tmp_path / "out" / f"film.mkv{kind}.npz") for kind in ("", ".image"))
    np.testing.assert_array_equal(sound["timestamps"], np.arange(5) * 0.25)
    np.testing.assert_array_equal(image["timestamps"], sound["timestamps"])
    options = {"sound_model": tmp_path / "embedding.keras", "image_model": tmp_path / "vision.keras"}
    heard, seen, _ = l3net.embed_film(tmp_path / "films" / "film.mkv", **options, hop_seconds=0.25)
    np.testing.assert_array_equal(sound["embedding"], heard)
    np.testing.assert_array_equal(image["embedding"], seen)
    frame = np.stack([grey(0, round(time * FPS))[:32, :32] for time in sound["timestamps"]]) / 127.5 - 1
    np.testing.assert_allclose(seen, vision.predict(frame.astype(np.float32), verbose=0), atol=0.5)
    capsys.readouterr()
    assert main([*command, "--hop-seconds", "0.25"]) == 0
    assert "pictures embedded 0, already done 1, failed 0" in capsys.readouterr().err
    assert main([*command, "--hop-seconds", "0.5"]) == 0
    np.testing.assert_array_equal(np.load(tmp_path / "out" / "film.mkv.image.npz")["timestamps"], [0.0, 0.5, 1.0])
    assert main([*command[:-2], "--hop-seconds", "0.5"]) == 1
    assert "--modality both needs two models: --model embedding.keras --model vision.keras" in capsys.readouterr().err
    assert main([*command, "--pool", "mean"]) == 1
    assert "--pool leaves no times" in capsys.readouterr().err


def test_what_is_refused(tmp_path: Path) -> None:
    import soundfile

    soundfile.write(tmp_path / "sound.wav", np.zeros(60_000), 48_000)
    with pytest.raises(ClipError, match=r"sound\.wav: has no picture"):
        embed_film(tmp_path / "sound.wav", sound_model=SOUND, image_model=IMAGES)
    tiny_embedding.write_embedding(tmp_path / "embedding.keras")
    with pytest.raises(WeightsError, match=r"is of kind l3; expected one of images, a vision\.keras"):
        embed_film(tmp_path / "sound.wav", sound_model=SOUND, image_model=tmp_path / "embedding.keras")
    write_clip(tmp_path / "film.mkv", 3, 1.5, picture=grey)
    wild = ImageEmbedding(lambda images: np.full((len(images), 2), np.nan, np.float32), 2, 56, {})
    with pytest.raises(ClipError, match=r"film\.mkv: the image's vector at 0\.00 s holds values that are not finite"):
        embed_film(tmp_path / "film.mkv", sound_model=SOUND, image_model=wild)
