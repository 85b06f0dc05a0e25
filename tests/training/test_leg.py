"""Legs: whose state is whose, and what a leg starts from."""

import json
from pathlib import Path

import numpy as np
import pytest

from l3net.configuration import Train
from l3net.errors import ConfigError
from l3net.training.checkpoint import Checkpoint, write_checkpoint
from l3net.training.leg import Leg, find_start
from tests.tiny_training import HOW, SETTINGS

NETWORK = {"front_end": "mel128", "image_size": 32, "width": 0.0625}
WEIGHTS = {"conv_4_2": np.zeros((3, 3, 1, 32), np.float32)}  # as wide as NETWORK: 512 channels times 0.0625


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "train.json").write_text("train")
    (tmp_path / "valid.json").write_text("valid")
    return tmp_path


def leg(folder: Path, *, previous: Path | None = None, network: dict = NETWORK, **changes: object) -> Leg:
    settings = Train.read({**SETTINGS, **HOW, **changes}, "train")
    return Leg(folder / "train.json", folder / "valid.json", previous, 4, 3, network, folder / "state", settings)


def write_state(of: Leg, **fields: object) -> None:
    of.state.mkdir(exist_ok=True)
    metadata = {"epoch": 2, "fingerprint": of.fingerprint(), "network": of.network}
    write_checkpoint(of.state_file, Checkpoint(metadata, WEIGHTS, **fields))


def test_the_fingerprint_stays_what_it_was_in_version_0_1_0(folder: Path) -> None:
    """A state that an earlier version saved must be found again."""
    assert leg(folder).fingerprint() == "63469a877727eb13"


@pytest.mark.parametrize(
    "how",
    [
        {"feed_workers": 9},
        {"save_every_seconds": 1.0},
        {"stop_on_nan": False},
        {"strategy": "auto"},
        {"xla": True},
        {"steps_per_call": 8},
    ],
)
def test_how_a_leg_runs_leaves_the_fingerprint(folder: Path, how: dict) -> None:
    assert leg(folder, **how).fingerprint() == leg(folder).fingerprint()


def test_what_a_leg_makes_changes_the_fingerprint(folder: Path) -> None:
    known = leg(folder).fingerprint()
    assert leg(folder, learning_rate=1e-4).fingerprint() != known
    assert leg(folder, network={**NETWORK, "width": 0.125}).fingerprint() != known
    (folder / "train.json").write_text("other")
    assert leg(folder).fingerprint() != known


def test_a_leg_goes_on_from_its_own_state_only(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    asked = leg(folder)
    assert find_start(asked, asked.fingerprint(), 2) is None
    write_state(asked, position={"batches": 5})
    assert find_start(asked, asked.fingerprint(), 2).position == {"batches": 5}
    assert find_start(asked, leg(folder, learning_rate=1e-4).fingerprint(), 2) is None
    assert "of another configuration or leg" in caplog.text


def test_a_previous_checkpoint_must_fit(folder: Path) -> None:
    path = folder / "epoch-002.h5"
    write_checkpoint(path, Checkpoint({"epoch": 2, "network": NETWORK}, WEIGHTS))
    asked = leg(folder, previous=path)
    assert find_start(asked, asked.fingerprint(), 2).metadata["epoch"] == 2
    other = leg(folder, previous=path, network={**NETWORK, "width": 0.125})
    with pytest.raises(ConfigError, match=r"epoch-002\.h5 holds another network than configured"):
        find_start(other, other.fingerprint(), 2)
    write_checkpoint(path, Checkpoint({"epoch": 4, "network": NETWORK}, WEIGHTS))
    with pytest.raises(ConfigError, match=r"epoch-002\.h5 is of epoch 4; the leg ends at 4"):
        find_start(asked, asked.fingerprint(), 2)


def test_leftovers_of_killed_saves_are_removed(folder: Path) -> None:
    asked = leg(folder)
    write_state(asked)
    (asked.state / ".state.0a1b2c3d.partial.h5").write_bytes(b"cut short")
    asked.remove_partial_saves()
    assert [path.name for path in asked.state.iterdir()] == ["state.h5"]


def test_another_number_of_threads_is_told(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    asked = leg(folder)
    assert json.loads(asked.provenance(2)["config"])["threads"] == 2
    write_state(asked, provenance=asked.provenance(2))
    assert find_start(asked, asked.fingerprint(), 2) is not None
    assert "was trained with" not in caplog.text
    assert find_start(asked, asked.fingerprint(), 4) is not None
    assert "state.h5 was trained with 2 threads, this leg has 4: bits will differ" in caplog.text
    caplog.clear()
    write_checkpoint(folder / "epoch-002.h5", Checkpoint({"epoch": 2, "network": NETWORK}, WEIGHTS, provenance={}))
    before_it_was_recorded = leg(folder, previous=folder / "epoch-002.h5", learning_rate=1e-4)
    assert find_start(before_it_was_recorded, "", 4) is not None
    assert "was trained with" not in caplog.text
