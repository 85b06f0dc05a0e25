"""A linear probe on ESC-10: the five-fold accuracy of an embedding's mean and maximum over each recording.

    python -m tests.probe ESC10_FOLDER SETTINGS [FILE] [--hop-seconds 0.1]
    python -m tests.probe ../shared/data/esc10 '{"kind": "soundnet", "layer": "conv5"}' resources/weights/sound8.npy

ESC10_FOLDER holds a folder a class; the first digit of a file's name is its fold. The probe is logistic regression on
standardised features, nothing tuned. SoundNet without a FILE is the untrained one: He-normal kernels, no biases, batch
norms that change nothing. No test: its figures are in docs/embeddings.md.
"""

import argparse
import json
from pathlib import Path

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from l3net.embeddings.interface import Embedding
from l3net.embeddings.registry import load_embedding
from l3net.embeddings.soundnet import LAYERS, TRUNK, soundnet_embedding
from l3net.media.audio import audio_blocks


def features(embedding: Embedding, paths: list[Path], hop_seconds: float = 0.1) -> np.ndarray:
    """Return mean and maximum over time of every recording [shape=(n, 2 d)]."""
    sounds = ((path, audio_blocks(path, embedding.sample_rate)) for path in paths)
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


def esc10(embedding: Embedding, folder: Path, hop_seconds: float = 0.1) -> list[float]:
    """Return the five accuracies of an embedding on ESC-10."""
    paths = sorted(folder.glob("*/*.ogg"))
    labels, folds = np.array([path.parent.name for path in paths]), np.array([path.name[0] for path in paths])
    return accuracies(features(embedding, paths, hop_seconds), labels, folds)


def untrained_soundnet(layer: str, seed: int = 0) -> Embedding:
    """Return a layer of SoundNet with kernels that are drawn."""
    rng, channels, weights = np.random.default_rng(seed), 1, {}
    for name, made in LAYERS.items():
        shape = (made.kernel, channels, made.channels)
        kernel = rng.normal(0.0, np.sqrt(2.0 / np.prod(shape[:2])), shape).astype(np.float32)
        weights[name] = {"weights": kernel, "biases": np.zeros(made.channels, np.float32)}
        channels = made.channels if name in TRUNK else channels
    return soundnet_embedding(weights, layer)


def main() -> None:
    """Embed the recordings as the command line says and print the accuracies."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("settings", type=json.loads)
    parser.add_argument("files", nargs="*", type=Path)
    parser.add_argument("--hop-seconds", type=float, default=0.1)
    options = parser.parse_args()
    if options.settings["kind"] == "soundnet" and not options.files:
        named = untrained_soundnet(options.settings["layer"])
    else:
        named = load_embedding(options.settings, options.files)
    found = esc10(named, options.folder, options.hop_seconds)
    print(f"{json.dumps(options.settings)}: {np.mean(found):.4f} ({', '.join(f'{value:.4f}' for value in found)})")


if __name__ == "__main__":
    main()
