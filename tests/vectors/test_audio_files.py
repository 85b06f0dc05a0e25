"""Sound files of a folder: which are waiting, and what cannot be asked for."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

from l3net.embeddings.interface import WindowEmbedding
from l3net.errors import ClipError, ConfigError
from l3net.vectors.audio_files import embed_audio_files, find_audio_files


@pytest.fixture
def sounds(tmp_path: Path) -> Path:
    (tmp_path / "in" / "deep").mkdir(parents=True)
    noise = np.random.default_rng(1).normal(0, 0.1, 48000)
    soundfile.write(tmp_path / "in" / "a.wav", noise, 16000)
    soundfile.write(tmp_path / "in" / "deep" / "a.wav", noise, 48000)
    (tmp_path / "in" / "notes.txt").write_text("no sound")
    (tmp_path / "in" / ".hidden.wav").write_text("no sound")
    return tmp_path / "in"


def embedding() -> WindowEmbedding:
    """Return a network that gives of each window its first two samples."""
    return WindowEmbedding(lambda windows: windows[:, :2].copy(), 2, 48000, 48000)


def test_a_folder_keeps_its_structure(sounds: Path, tmp_path: Path) -> None:
    tasks = find_audio_files([sounds], tmp_path / "out", ".h5")
    found = {str(task.source.relative_to(sounds)): str(task.target.relative_to(tmp_path / "out")) for task in tasks}
    assert found == {"a.wav": "a.wav.h5", "deep/a.wav": "deep/a.wav.h5"}


def test_what_is_done_needs_no_model(sounds: Path, tmp_path: Path) -> None:
    def never() -> None:
        raise AssertionError("the model was loaded")

    (task,) = find_audio_files([sounds / "a.wav"], tmp_path / "out", ".npz")
    assert embed_audio_files(embedding, [task], about={"model": 1}).done == 1
    assert embed_audio_files(never, [task], about={"model": 1}).skipped == 1
    with pytest.raises(AssertionError, match="was loaded"):
        embed_audio_files(never, [task], about={"model": 2})


def test_hops_and_pools_that_cannot_be(sounds: Path, tmp_path: Path) -> None:
    tasks = find_audio_files([sounds], tmp_path / "out", ".npz")
    with pytest.raises(ConfigError, match=r"hop_seconds is 100.*milliseconds"):
        embed_audio_files(embedding, tasks, hop_seconds=100)
    with pytest.raises(ConfigError, match="pooling over time by 'median' is unknown"):
        embed_audio_files(embedding, tasks, pool=("median",))


def test_two_files_for_one_target_are_named(sounds: Path, tmp_path: Path) -> None:
    (tmp_path / "a.wav").write_bytes((sounds / "a.wav").read_bytes())
    with pytest.raises(ConfigError, match="would both be"):
        find_audio_files([sounds / "a.wav", tmp_path / "a.wav"], tmp_path / "out", ".npz")
    (tmp_path / "nothing").mkdir()
    with pytest.raises(ClipError, match="no files in this folder"):
        find_audio_files([tmp_path / "nothing"], tmp_path / "out", ".npz")
    with pytest.raises(ClipError, match=r"none\.wav: no such file"):
        find_audio_files([tmp_path / "none.wav"], tmp_path / "out", ".npz")


def test_only_the_vectors_that_are_damaged_are_made_anew(
    sounds: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    tasks = find_audio_files([sounds], tmp_path / "out", ".npz")
    embed_audio_files(embedding, tasks)
    first, second = (task.target for task in tasks)
    whole, times = first.read_bytes(), second.stat().st_mtime_ns
    for damaged in (
        b"",
        whole[:-300],
        b"no vectors",
        whole.replace(b"PK", b"KP"),
        whole[:200] + bytes(90) + whole[290:],
    ):
        first.write_bytes(damaged)
        outcome = embed_audio_files(embedding, tasks)
        assert (outcome.done, outcome.skipped, outcome.failed) == (1, 1, [])
        assert first.read_bytes() == whole
        assert f"{first} is damaged and is passed over" in caplog.text
    assert second.stat().st_mtime_ns == times


def test_links_are_followed_and_what_is_no_sound_is_left_out(
    sounds: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "far.WAV").write_bytes((sounds / "a.wav").read_bytes())
    (elsewhere / "back").symlink_to(sounds)
    (sounds / "a-link").symlink_to(elsewhere)
    for name in (
        "._a.wav",
        ".DS_Store",
        "desktop.ini",
        "Thumbs.db",
        "cover.jpg",
        "Folder.PNG",
        "deep/album.m3u8",
        "gone.wav",
    ):
        if name == "gone.wav":
            (sounds / name).symlink_to(tmp_path / "nothing")
        else:
            (sounds / name).write_bytes(b"no sound")
    (sounds / "closed").symlink_to("/proc/1/cwd/closed.wav")  # which only root may look at, and not everywhere
    tasks = find_audio_files([sounds], tmp_path / "out", ".npz")
    assert [str(task.source.relative_to(sounds)) for task in tasks] == ["a-link/far.WAV", "a.wav", "deep/a.wav"]
    assert "gone.wav: leads to nothing; left out" in caplog.text
    assert embed_audio_files(embedding, tasks).failed == []
