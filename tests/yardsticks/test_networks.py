"""Networks that others trained reach on real recordings what they are known to reach, by a user's path.

    make test-network

The accuracy of the linear probe on ESC-10 is held within a point. An order of two embeddings is asserted where the
interval of their difference says that 400 clips can tell it.
"""

import itertools
import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from l3net.embeddings import load_embedding
from l3net.errors import WeightsError
from l3net.report.statistics import bootstrap_interval
from tests.yardsticks.aisfx_hear import load_model
from tests.yardsticks.networks import (
    YARDSTICKS,
    clips_of,
    correct_clips,
    fetch_weights,
    mean_interval,
    recordings_of,
)

UNDECIDED = {("aisfx", "soundnet")}  # 2.0 points, interval -1.8 to 6.1
_WITH_NETWORK = [pytest.mark.network, pytest.mark.real_data, pytest.mark.slow, pytest.mark.timeout(3600)]


def with_network(test: Callable) -> Callable:
    """Mark a test that fetches weights and embeds ESC-10."""
    for mark in _WITH_NETWORK:
        test = mark(test)
    return test


@pytest.fixture(scope="session")
def correct(
    request: pytest.FixtureRequest, shared_data: Path, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str], np.ndarray]:
    """Return a function that tells of a yardstick, by its name, which clips are named rightly, or skips the test."""
    made: dict[str, np.ndarray] = {}

    def of(name: str) -> np.ndarray:
        if name not in made:
            weights, vectors = weights_or_skip(request, name), tmp_path_factory.mktemp(f"vectors_{name}")
            made[name] = correct_clips(YARDSTICKS[name], weights, shared_data / "esc10", vectors)
        return made[name]

    return of


def weights_or_skip(request: pytest.FixtureRequest, name: str) -> list[Path]:
    """Return a yardstick's weights; the test is skipped where they or its modules are missing."""
    yardstick = YARDSTICKS[name]
    if yardstick.missing:
        pytest.skip(f"{name} needs {' and '.join(yardstick.missing)}, not installed here")
    try:
        return fetch_weights(yardstick, request.config.cache.mkdir("yardsticks"))
    except WeightsError as error:
        if "SHA-256" in str(error) or "HASHES" in str(error):  # other content than what was measured
            raise
        pytest.skip(f"the weights of {name} cannot be fetched here: {error}")


@with_network
@pytest.mark.parametrize("name", [name for name, yardstick in YARDSTICKS.items() if yardstick.percent is not None])
def test_the_known_accuracy_is_reached(correct: Callable[[str], np.ndarray], name: str) -> None:
    assert 100 * correct(name).mean() == pytest.approx(YARDSTICKS[name].percent, abs=1.0)


@with_network
@pytest.mark.parametrize(("better", "worse"), itertools.combinations(YARDSTICKS, 2))
def test_the_order_holds_where_the_paired_interval_tells_it(
    correct: Callable[[str], np.ndarray], shared_data: Path, better: str, worse: str
) -> None:
    difference = correct(better).astype(float) - correct(worse)
    low, high = mean_interval(difference, recordings_of(clips_of(shared_data / "esc10")))
    assert high > 0
    assert low > 0 or (better, worse) in UNDECIDED


@pytest.mark.network
@pytest.mark.parametrize(("name", "times"), [("yamnet", [0.4875, 0.9675]), ("aisfx", [49.5 * 1024 / 44100])])
def test_times_are_the_centres_of_what_is_heard_and_silence_is_finite(
    request: pytest.FixtureRequest, name: str, times: list[float]
) -> None:
    embedding = load_embedding(YARDSTICKS[name].settings, weights_or_skip(request, name))
    sound = np.zeros(int(1.5 * embedding.sample_rate), np.float32)
    pieces = list(embedding.embed([("long", [sound]), ("short", [sound[:100]])]))
    np.testing.assert_allclose(pieces[0].timestamps, times)
    assert [len(piece.vectors) for piece in pieces] == [len(times), 0, 1, 0]
    assert all(np.isfinite(piece.vectors).all() for piece in pieces)


def test_the_interval_over_single_clips_is_the_plain_bootstraps() -> None:
    values = np.random.default_rng(1).random(200) < 0.9
    plain = bootstrap_interval(values, draws=10_000, rng=np.random.default_rng(2))
    assert mean_interval(values, np.arange(200)) == pytest.approx(plain, abs=0.006)


def test_clips_that_repeat_one_another_do_not_narrow_the_interval() -> None:
    values = np.random.default_rng(1).random(50) < 0.8
    once = mean_interval(values, np.arange(50))
    assert mean_interval(np.repeat(values, 8), np.repeat(np.arange(50), 8)) == pytest.approx(once)


class Payload:
    """Hold what a pickle can carry: a call that is made when it is read."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self):
        return Path.touch, (self.marker,)


def test_a_checkpoint_with_a_payload_is_refused_before_it_runs(tmp_path: Path) -> None:
    path, marker = tmp_path / "checkpoint.pth", tmp_path / "was_here"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("archive/data.pkl", pickle.dumps((Payload(marker), {})))
    with pytest.raises(pickle.UnpicklingError, match="it asks for pathlib"):
        load_model(str(path))
    assert not marker.exists()
