"""How data sets, front ends and embeddings are named in figures and tables."""

from collections.abc import Sequence

_NAMES = {
    "us8k": "UrbanSound8K",
    "esc50": "ESC-50",
    "esc10": "ESC-10",
    "dcase2013": "DCASE 2013 scenes",
    "linear": "linear",
    "mel128": "mel 128",
    "mel256": "mel 256",
}


def display_name(key: str) -> str:
    """Return how a data set, front end or embedding is written in figures."""
    if key.startswith("l3-"):
        return "L3 " + key[3:].replace("-", " ", 1).replace("environmental", "env.")
    return _NAMES.get(key, key)


def scores_note(scores, protocol: str) -> str:
    """Return the line below a figure of scores (rows of dataset, fold, n_clips): protocol and n of each data set."""
    counts = scores.drop_duplicates(["dataset", "fold"]).groupby("dataset")["n_clips"].agg(["size", "sum"])
    sizes = (
        f"{display_name(key)} n = {row['sum']} clips in {row['size']} fold{'s' if row['size'] > 1 else ''}"
        for key, row in counts.iterrows()
    )
    return f"protocol: {protocol}; {', '.join(sizes)}"


def reference_embedding(embeddings: Sequence[str], model: str) -> str:
    """Return the embedding that stands for ours: that of `model`, else of its first seed, else the first of ours."""
    exact, seeds = f"l3-{model}", f"l3-{model}-seed"
    ours = sorted(name for name in embeddings if name.startswith("l3-")) or sorted(embeddings)
    return next((name for name in ours if name == exact or name.startswith(seeds)), ours[0])
