"""How data sets, front ends and embeddings are written in figures."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

_NAMES = {
    "us8k": "UrbanSound8K",
    "esc50": "ESC-50",
    "esc10": "ESC-10",
    "dcase2013": "DCASE 2013 scenes",
    "mel128": "mel 128",
    "mel256": "mel 256",
}


def display_name(key: str) -> str:
    """Return how a data set, a front end or a subset is written; a name of one's own stays as it is."""
    return _NAMES.get(key, key)


def dataset_title(key: str, scores: "pd.DataFrame") -> str:
    """Return how a data set is written above its scores; where clips have several labels it says what these are.

    Parameters
    ----------
    scores : a table of scores with the column dataset.
    """
    return display_name(key) + (" (average precision)" if key in several_labels(scores) else "")


def measure_name(scores: "pd.DataFrame") -> str:
    """Return what an axis of scores shows: accuracy, or average precision where clips have several labels."""
    several, datasets = several_labels(scores), set(scores["dataset"])
    names = ["accuracy"] * (datasets != several or not several) + ["average precision"] * bool(several)
    return f"{' or '.join(names)} (%)"


def several_labels(scores: "pd.DataFrame") -> set[str]:
    """Return the data sets of a table of scores whose clips have several labels."""
    if "prevalence" not in scores:
        return set()
    return set(scores.loc[scores["prevalence"].notna(), "dataset"])


def model_title(model: str) -> str:
    """Return how a model of ours, or its embedding, is written."""
    return "L3 " + model.replace("-", " ", 1).replace("environmental", "env.")


def embedding_titles(identities: Mapping[str, Mapping[str, object]]) -> dict[str, str]:
    """Return how each embedding at its best checkpoint is written.

    Parameters
    ----------
    identities : for each embedding its ``model``, which is empty or missing where it is not ours, and where it is
        known its ``kind``; those of kind random are untrained networks, and are called so.
    """
    return {name: _embedding_title(name, identity) for name, identity in identities.items()}


def _embedding_title(name: str, identity: Mapping[str, object]) -> str:
    if identity.get("model"):
        return model_title(str(identity["model"]))
    return f"{name} (untrained)" if identity.get("kind") == "random" and "untrained" not in name else name


def titles_in(scores: "pd.DataFrame") -> dict[str, str]:
    """Return how each embedding of a table (columns embedding, model, kind) is written."""
    known = scores.drop_duplicates("embedding").set_index("embedding")
    return embedding_titles(known[["model", "kind"]].to_dict("index"))


def reference_embedding(scores: "pd.DataFrame", model: str) -> str:
    """Return the embedding that stands for ours: that of `model`, else the first of ours, else the first.

    Parameters
    ----------
    scores : rows with columns embedding, model and kind, at their best checkpoints.
    """
    for rows in (scores[scores["model"] == model], scores[scores["kind"] == "l3"], scores):
        if len(rows):
            return min(rows["embedding"])
    raise ValueError("a table without rows has no reference")


def chances(scores: "pd.DataFrame") -> dict[str, float]:
    """Return the accuracy that guessing gives on each data set, 1 / number of classes; where clips have several labels
    the average precision of a guess, the classes' mean prevalence.

    Parameters
    ----------
    scores : rows with columns dataset and n_classes.
    """
    found = {str(dataset): 1 / float(n) for dataset, n in scores.groupby("dataset")["n_classes"].max().items()}
    for dataset in several_labels(scores):
        found[dataset] = float(scores.loc[scores["dataset"] == dataset, "prevalence"].mean())
    return found


def scores_note(scores: "pd.DataFrame", protocol: str) -> str:
    """Return the line below a figure of scores: the protocol, and the clips and folds of each data set.

    Parameters
    ----------
    scores : rows with columns dataset, fold and n_clips.
    """
    counts = scores.drop_duplicates(["dataset", "fold"]).groupby("dataset")["n_clips"].agg(["size", "sum"])
    sizes = (
        f"{display_name(key)} n = {row['sum']} clips in {row['size']} fold{'s' if row['size'] > 1 else ''}"
        for key, row in counts.iterrows()
    )
    return f"protocol: {protocol}; dashed: chance; {', '.join(sizes)}"
