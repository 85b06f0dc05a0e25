"""A linear probe on ESC-10: the five-fold accuracy of an embedding's mean and maximum over each recording.

    python -m tests.probe ESC10_FOLDER SETTINGS [FILE]
    python -m tests.probe ../shared/data/esc10 '{"kind": "soundnet", "layer": "conv5"}' resources/weights/sound8.npy

ESC10_FOLDER holds a folder a class; the first digit of a file's name is its fold. The probe is logistic regression on
standardised features, nothing tuned. No test: its figures are in docs/embeddings.md.
"""

import json
import sys
from pathlib import Path

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from l3net import embeddings, sound
from l3net.embedding_streams import Embedding


def features(embedding: Embedding, paths: list[Path], hop_seconds: float = 0.1) -> np.ndarray:
    """Return mean and maximum over time of every recording [shape=(n, 2 d)]."""
    sounds = ((path, sound.blocks(path, embedding.sample_rate)) for path in paths)
    rows, vectors = [], []
    for piece in embedding.embed(sounds, hop_seconds=hop_seconds):
        vectors.append(piece.vectors)
        if piece.is_last:
            whole = np.concatenate(vectors)
            rows.append(np.concatenate([whole.mean(0), whole.max(0)]))
            vectors = []
    return np.array(rows)


def accuracies(values: np.ndarray, labels: np.ndarray, folds: np.ndarray) -> list[float]:
    """Return the accuracy on each fold, trained on the others."""
    found = []
    for fold in sorted(set(folds)):
        probe = make_pipeline(StandardScaler(), LogisticRegression(max_iter=2000))
        probe.fit(values[folds != fold], labels[folds != fold])
        found.append(float(probe.score(values[folds == fold], labels[folds == fold])))
    return found


def esc10(embedding: Embedding, folder: Path) -> list[float]:
    """Return the five accuracies of an embedding on ESC-10."""
    paths = sorted(folder.glob("*/*.ogg"))
    labels, folds = np.array([path.parent.name for path in paths]), np.array([path.name[0] for path in paths])
    return accuracies(features(embedding, paths), labels, folds)


if __name__ == "__main__":
    named = embeddings.load(json.loads(sys.argv[2]), [Path(path) for path in sys.argv[3:]])
    result = esc10(named, Path(sys.argv[1]))
    print(f"{sys.argv[2]}: {np.mean(result):.4f} ({', '.join(f'{value:.3f}' for value in result)})")
