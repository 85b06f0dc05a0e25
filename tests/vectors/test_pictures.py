"""Images and the frames of videos embedded alone, by the network of a vision.keras or by one that tells the time."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from l3net.cli.main import main
from l3net.embeddings import add_keras_metadata
from l3net.errors import ClipError, ConfigError
from l3net.models.l3 import vision_embedding_network
from l3net.vectors.film import ImageEmbedding
from l3net.vectors.pictures import IMAGE_SUFFIXES, PictureEmbedding, picture_times
from tests import tiny_embedding
from tests.time_code import FPS, HEIGHT, WIDTH, write_clip

COLOUR = (200, 40, 120)


def grey(number: int, i: int) -> np.ndarray:
    """Return frame `i` as an even grey that tells it in any crop; up to 61 frames."""
    return np.full((HEIGHT, WIDTH, 3), 10 + 4 * i, np.uint8)


def time_of_images(images: np.ndarray) -> np.ndarray:
    assert images.shape[1:] == (56, 56, 3)
    return np.rint(((images.mean((1, 2, 3)) + 1) * 127.5 - 10) / 4)[:, None].astype(np.float32) / FPS


@pytest.fixture(scope="module")
def vision(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small vision.keras."""
    path = tmp_path_factory.mktemp("model") / "vision.keras"
    network = vision_embedding_network(tiny_embedding.network())
    network.save(path)
    add_keras_metadata(path, {"kind": "l3-vision", "image_size": 32, "dimension": network.output_shape[-1]})
    return path


def embedded(path: Path, hop: float) -> tuple[np.ndarray, np.ndarray]:
    class Task:
        source = path

    pieces = list(
        PictureEmbedding(ImageEmbedding(time_of_images, 1, 56, {})).embed([(Task, [])], hop_seconds=hop, batch_size=3)
    )
    assert pieces[-1].error is None
    return np.concatenate([one.vectors for one in pieces])[:, 0], np.concatenate([one.timestamps for one in pieces])


@pytest.mark.parametrize("hop", [0.1, 0.5])
def test_a_vector_of_a_video_is_of_the_frame_at_its_time(hop: float, tmp_path: Path) -> None:
    write_clip(tmp_path / "film.mkv", 3, 2.0, picture=grey)
    shown, times = embedded(tmp_path / "film.mkv", hop)
    np.testing.assert_allclose(times, np.arange(round(2.0 / hop)) * hop)
    assert np.abs(shown - times).max() <= 0.5 / FPS + 1e-3


@pytest.mark.parametrize("suffix", ["png", "jpg", "JPEG", "webp", "bmp", "tiff", "gif"])
def test_a_still_image_of_every_format_has_one_vector(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"a.{suffix}"
    Image.new("RGB", (90, 60), (83, 83, 83)).save(path, format="jpeg" if "j" in suffix.lower() else None)
    assert path.suffix.lower() in IMAGE_SUFFIXES
    shown, times = embedded(path, 0.1)
    assert times.tolist() == [0.0]
    assert shown[0] == pytest.approx((83 - 10) / 4 / FPS, abs=0.5 / FPS)


def test_images_and_videos_go_through_the_command_and_what_has_no_picture_fails_alone(
    vision: Path, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    folder = tmp_path / "in"
    (folder / "deep").mkdir(parents=True)
    Image.new("RGB", (80, 60), COLOUR).save(folder / "a.jpg", quality=95)
    Image.new("RGB", (60, 80), COLOUR).save(folder / "deep" / "b.png")
    write_clip(folder / "film.mkv", 3, 1.0, picture=grey)
    (folder / "notes.txt").write_text("not tried")
    (folder / "broken.png").write_bytes(b"no picture")
    call = ["embed", folder, "--model", vision, "--output", tmp_path / "out", "--hop-seconds", "0.25"]
    assert main([str(word) for word in call]) == 1
    said = capsys.readouterr().err
    assert "embedded 3, already done 0, failed 1" in said
    assert "broken.png: " in said
    found = {path.name: np.load(path) for path in (tmp_path / "out").rglob("*.npz")}
    assert {name: len(file["embedding"]) for name, file in found.items()} == {
        "a.jpg.npz": 1,
        "b.png.npz": 1,
        "film.mkv.npz": 4,
    }
    image = np.full((1, 32, 32, 3), np.array(COLOUR) / 127.5 - 1, np.float32)
    expected = np.asarray(vision_embedding_network(tiny_embedding.network())(image))[0]
    np.testing.assert_allclose(found["b.png.npz"]["embedding"][0], expected, rtol=1e-3, atol=1e-4)
    (folder / "broken.png").unlink()
    assert main([str(word) for word in [*call, "--settings", '{"kind": "vision"}', "--pool", "mean,max"]]) == 0
    assert len(np.load(tmp_path / "out" / "film.mkv.npz")["embedding"]) == 1


def test_what_cannot_be_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    tiny_embedding.write_embedding(tmp_path / "embedding.keras")
    words = ["embed", __file__, "--output", "o", "--settings", '{"kind": "vision"}']
    assert main(words) == 1
    assert "takes one --model, a vision.keras" in capsys.readouterr().err
    assert main([*words, "--model", str(tmp_path / "embedding.keras")]) == 1
    assert "is of kind l3; expected one of images, a vision.keras" in capsys.readouterr().err
    with pytest.raises(ConfigError, match="hop_seconds is 0"):
        picture_times(tmp_path / "a.png", 0)
    with pytest.raises(ClipError):
        picture_times(tmp_path / "none.png", 0.1)
