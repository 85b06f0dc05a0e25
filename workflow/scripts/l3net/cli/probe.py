"""The command l3net probe: how well a linear classifier tells the classes of a folder of recordings apart."""

import argparse
import logging
import re
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from l3net.cli.model_options import add_model_options, check_model_options
from l3net.errors import DatasetError

if TYPE_CHECKING:
    from l3net.embeddings import Embedding

_N_FOLDS, _MOST_FOLDS = 5, 10
_NAMED_AT_MOST = 5
_log = logging.getLogger("l3net")
_DESCRIPTION = """
Embed a folder of recordings and print the accuracy of a linear classifier on each fold, trained on the others.

FOLDER has a folder for each class. A file's fold is the number that its name begins with, as in ESC-50
(1-17092-A.ogg), if that makes two to ten folds, with every class outside each of them; otherwise the files of each
class are dealt into five folds. The features of a recording are the mean and the maximum of its vectors over time,
standardised; the classifier is logistic regression with nothing tuned.
"""


def add_command(commands: argparse._SubParsersAction) -> None:
    """Add this command and its options."""
    parser = commands.add_parser(
        "probe",
        help="try an embedding on a folder of recordings",
        description=_DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.set_defaults(run=run)
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="a folder for each class")
    add_model_options(parser)
    parser.add_argument(
        "--hop-seconds",
        type=float,
        default=0.1,
        metavar="SECONDS",
        help="seconds from one window to the next (default: 0.1)",
    )


def run(options: argparse.Namespace) -> int:
    """Print the mean accuracy, that of each fold, and what guessing gives."""
    paths = find_recordings(options.folder)
    folds = folds_of(paths)
    check_model_options(options, options.hop_seconds)
    from l3net.embeddings import load_embedding

    labels = np.array([path.parent.name for path in paths])
    features = recording_features(load_embedding(options.settings, options.model), paths, options.hop_seconds)
    found = fold_accuracies(features, labels, folds)
    n_classes = len(set(labels))
    print(f"accuracy: {100 * np.mean(found):.1f} %, by fold {' '.join(f'{100 * value:.1f}' for value in found)}")
    print(f"chance:   {100 / n_classes:.1f} %, {len(paths)} recordings of {n_classes} classes")
    return 0


def find_recordings(folder: Path) -> list[Path]:
    """Return the sound files of every class, sorted.

    Raises
    ------
    DatasetError
        A folder that is missing, or that has fewer than two classes.
    """
    from l3net.files import is_of_a_system
    from l3net.media import is_audio
    from l3net.runtime import counted

    if not folder.is_dir():
        raise DatasetError(f"{folder}: no such folder; expected one with a sub-folder of recordings for each class")
    visible = (path for path in folder.glob("*/*") if not any(map(is_of_a_system, path.relative_to(folder).parts)))
    paths = sorted(path for path in visible if path.is_file())
    sounds = [path for path in paths if is_audio(path)]
    if others := sorted(set(paths) - set(sounds)):
        named = [f"{path.parent.name}/{path.name}" for path in others[:_NAMED_AT_MOST]]
        named += ["..."] * (len(others) > _NAMED_AT_MOST)
        _log.warning("left out, %s without sound: %s", counted(len(others), "file"), ", ".join(named))
    paths = sounds
    if (n_classes := len({path.parent for path in paths})) < 2:
        raise DatasetError(
            f"{folder}: {n_classes} of its sub-folders have recordings; expected two or more, one for each class"
        )
    return paths


def folds_of(paths: Iterable[Path]) -> np.ndarray:
    """Return the number that each file's name begins with, or deal the files of each class into five folds.

    They are dealt where the numbers make one fold or more than ten, or leave a fold without a class to train on.

    Raises
    ------
    DatasetError
        Fewer than two classes have two files, so that there is nothing to train on.
    """
    paths = list(paths)
    n_of = Counter(path.parent for path in paths)
    if (n_usable := sum(n > 1 for n in n_of.values())) < 2:
        raise DatasetError(
            f"{n_usable} of {len(n_of)} classes have two recordings or more; expected two such classes or more, to"
            " train on some recordings and test on others"
        )
    numbers = [re.match(r"\d+", path.name) for path in paths]
    named = [int(number[0]) for number in numbers if number]
    if len(named) == len(numbers) and _make_folds(named, paths):
        return np.array(named)
    places, folds = {}, []
    for path in paths:
        places[path.parent] = places.get(path.parent, -1) + 1
        folds.append(places[path.parent] % _N_FOLDS)
    return np.array(folds)


def _make_folds(numbers: list[int], paths: list[Path]) -> bool:
    """Return whether there are two to ten folds, and files of every class outside each of them."""
    outside = {
        number: {path.parent for other, path in zip(numbers, paths, strict=True) if other != number}
        for number in set(numbers)
    }
    classes = {path.parent for path in paths}
    return 2 <= len(outside) <= _MOST_FOLDS and all(found == classes for found in outside.values())


def recording_features(embedding: "Embedding", paths: list[Path], hop_seconds: float = 0.1) -> np.ndarray:
    """Return the mean and the maximum over time of every recording's vectors [shape=(n, 2 d)]."""
    from l3net.media import audio_blocks

    sounds = ((path, audio_blocks(path, embedding.sample_rate)) for path in paths)
    features, vectors = [], []
    for piece in embedding.embed(sounds, hop_seconds=hop_seconds):
        if piece.error is not None:
            raise piece.error
        vectors.append(piece.vectors)
        if piece.is_last:
            whole = np.concatenate(vectors)
            features.append(np.concatenate([whole.mean(0), whole.max(0)]))
            vectors = []
    return np.array(features)


def fold_accuracies(features: np.ndarray, labels: np.ndarray, folds: np.ndarray) -> list[float]:
    """Return the accuracy on each fold of logistic regression that is trained on the other folds."""
    correct = fold_predictions(features, labels, folds) == labels
    return [float(correct[folds == fold].mean()) for fold in sorted(set(folds))]


def fold_predictions(features: np.ndarray, labels: np.ndarray, folds: np.ndarray) -> np.ndarray:
    """Return the class of each recording by logistic regression that is trained on the other folds."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    predicted = np.empty_like(labels)
    for fold in sorted(set(folds)):
        classifier = make_pipeline(StandardScaler(), LogisticRegression(max_iter=2000))
        classifier.fit(features[folds != fold], labels[folds != fold])
        predicted[folds == fold] = classifier.predict(features[folds == fold])
    return predicted
