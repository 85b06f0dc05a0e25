"""A pickled .npy is read without running what it carries."""

import pickle
from pathlib import Path

import numpy as np
import pytest

from l3net.errors import WeightsError
from l3net.models.pickled_arrays import read_pickled_arrays

LAYERS = {"conv1": {"weights": np.arange(6, dtype=np.float32).reshape(2, 3)}, "names": ["a", b"b"]}


class Payload:
    """What a pickle can carry: a call that is made when it is read."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self):
        return Path.touch, (self.marker,)


def save(path: Path, content: object) -> Path:
    np.save(path, np.array(content, object), allow_pickle=True)
    return path


def test_arrays_and_containers_are_read(tmp_path: Path) -> None:
    read = read_pickled_arrays(save(tmp_path / "a.npy", LAYERS), "weights")
    np.testing.assert_array_equal(read["conv1"]["weights"], LAYERS["conv1"]["weights"])
    assert read["names"] == LAYERS["names"]


def test_a_payload_is_refused_before_it_runs(tmp_path: Path) -> None:
    path = save(tmp_path / "evil.npy", {**LAYERS, "conv1": Payload(tmp_path / "was_here")})
    with pytest.raises(WeightsError, match=r"evil\.npy: cannot be read as weights: it asks for pathlib"):
        read_pickled_arrays(path, "weights")
    assert not (tmp_path / "was_here").exists()
    content = path.read_bytes()
    pickle.loads(content[content.index(b"\n") + 1 :])  # the same file does run where nothing refuses it
    assert (tmp_path / "was_here").exists()


def test_other_files_are_refused(tmp_path: Path) -> None:
    content = save(tmp_path / "a.npy", LAYERS).read_bytes()
    (tmp_path / "cut.npy").write_bytes(content[:200])
    np.save(tmp_path / "plain.npy", np.zeros(3))
    (tmp_path / "text.npy").write_text("no array")
    for name, message in {
        "cut": "cannot be read as weights",
        "plain": "holds an array of float64; expected a dictionary",
        "text": "cannot be read as weights",
        "none": "cannot be read: No such file",
    }.items():
        with pytest.raises(WeightsError, match=rf"{name}\.npy: {message}"):
            read_pickled_arrays(tmp_path / f"{name}.npy", "weights")
