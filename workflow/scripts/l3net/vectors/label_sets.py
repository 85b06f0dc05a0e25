"""Clips with several labels: how a set of labels stands in a column of text, and what follows from it.

A set begins and ends with a semicolon, ``;dog;siren;``, and one without labels is ``;``. So no single label is taken
for a set, whatever its name holds.
"""

from collections.abc import Iterable, Sequence

import numpy as np

SEPARATOR = ";"


def join_labels(labels: Iterable[str]) -> str:
    """Return the text of a set of labels, in alphabetical order."""
    return "".join([SEPARATOR, *(f"{label}{SEPARATOR}" for label in sorted(set(labels)))])


def split_labels(text: str) -> list[str]:
    """Return the labels of a set."""
    return [label for label in text.split(SEPARATOR) if label]


def are_label_sets(column: Sequence[str]) -> bool:
    """Return whether the clips of a column have sets of labels, and not one label each."""
    return len(column) > 0 and all(str(text).startswith(SEPARATOR) for text in column)


def class_names(column: Sequence[str]) -> list[str]:
    """Return the classes of a column of labels or of sets, in alphabetical order."""
    if are_label_sets(column):
        return sorted({label for text in set(column) for label in split_labels(text)})
    return sorted(set(column))


def label_matrix(column: Sequence[str], classes: Sequence[str]) -> np.ndarray:
    """Return which clip has which class, float32 [shape=(n_clips, n_classes)], of a column of sets."""
    numbers, found = {name: n for n, name in enumerate(classes)}, np.zeros((len(column), len(classes)), np.float32)
    for row, text in enumerate(column):
        found[row, [numbers[label] for label in split_labels(text)]] = 1.0
    return found


def rarest_labels(column: Sequence[str]) -> np.ndarray:
    """Return each clip's rarest label, and for none an empty text; clips are dealt to training and validation by it."""
    counts: dict[str, int] = {}
    for text in column:
        for label in split_labels(text):
            counts[label] = counts.get(label, 0) + 1
    return np.array([min(split_labels(text), key=lambda label: (counts[label], label), default="") for text in column])
