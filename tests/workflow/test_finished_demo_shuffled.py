"""A trained model of the demo, asked about shuffled sound: what it knows lies in the pairs, not in either side."""

import json
from pathlib import Path

import numpy as np
import pytest

pytestmark = pytest.mark.finished_demo
MODEL, SUBSET = "music-mel128", "music"


@pytest.fixture(scope="module")
def asked(root: Path) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the labels, the model's guesses, and its guesses with the sounds shuffled, on all test samples."""
    run = root / "results" / "demo"
    checkpoint, index = run / "models" / MODEL / "best.h5", run / "shards" / SUBSET / "test.json"
    if not (checkpoint.exists() and index.exists()):
        pytest.skip("results/demo has no trained model: run the demo first (make run)")
    from l3net.feed.augment import prepare_batch
    from l3net.feed.pipeline import open_feed
    from l3net.training.model_state import load_l3

    model, _ = load_l3(checkpoint)
    n = json.loads(index.read_text())["n_samples"]
    data = open_feed(index, batch_size=n, epoch=0, seed=1, batches=1)  # one batch: sounds of all clips are mixed
    image, audio, label = (np.asarray(part) for part in prepare_batch(next(iter(data)), False))
    shuffled = np.random.default_rng(2).permutation(audio)
    guesses = [
        model.predict({"image": image, "audio": sound}, batch_size=32, verbose=0).argmax(1)
        for sound in (audio, shuffled)
    ]
    return label, *guesses


def test_accuracy_falls_to_chance_with_shuffled_sound(asked: tuple[np.ndarray, np.ndarray, np.ndarray]) -> None:
    label, guess, guess_of_shuffled = asked
    error = 0.5 / np.sqrt(len(label))
    assert (guess == label).mean() > 0.5 + 4 * error
    assert abs((guess_of_shuffled == label).mean() - 0.5) < 3 * error
