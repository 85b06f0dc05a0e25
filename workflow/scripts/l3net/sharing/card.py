"""The model card: what a trained embedding is, what it was made of, how good it was, and how to load it."""

import json
from dataclasses import dataclass, field
from typing import Any

SOURCES = {
    "youtube": "AudioSet's lists and labels are licensed by Google under CC BY 4.0; the videos remain their owners'.",
    "http": "A mirror of videos; AudioSet's lists and labels are CC BY 4.0 (Google), the videos remain their owners'.",
    "directory": "Not stated. Whoever shares this model should know whether the licence of its videos allows it.",
}
SYNTHETIC = "Synthetic: drawn and synthesised by the workflow itself. No licence restricts it."


@dataclass(frozen=True, kw_only=True)
class CardFacts:
    """What a card tells beyond the metadata of the model's file; what is not known is left out.

    Parameters
    ----------
    name : of the model, such as ``music-mel256``.
    clips : (split, status) -> number of clips of the model's subset, as in attrition.csv.
    correspondence : a row for each subset that was tested on: test_subset, accuracy, ci_low, ci_high (shares), n
        samples, n_units, unit.
    synthetic : whether the training data is.
    licence : of the training data, in a sentence.
    """

    name: str = ""
    clips: dict[tuple[str, str], int] = field(default_factory=dict)
    correspondence: list[dict[str, Any]] = field(default_factory=list)
    synthetic: bool = False
    licence: str = ""


def model_card(about: dict[str, Any], facts: CardFacts) -> str:
    """Write the card as Markdown, with the header that model hubs read.

    Parameters
    ----------
    about : metadata of an embedding.keras (`read_keras_metadata`).
    """
    sections = [
        _header(facts),
        _title(about, facts),
        "## Load it\n\n" + _loading(about),
        "## What it is\n\n" + _table(_network(about)),
        "## Training data\n\n" + _data(about, facts),
        "## How good it was\n\n" + _accuracy(about, facts),
        "## Intended use\n\n" + _USE,
        "## Where it comes from\n\n" + _origin(about),
    ]
    return "\n\n".join(sections) + "\n"


_USE = (
    "Features of sound for classification, retrieval and analysis with small labelled data sets, in research. The model"
    " was not tested for decisions about people, for speech, or for alarms on which somebody's safety depends. What its"
    " training clips do not contain it does not know, and their imbalances are its own."
)


def _header(facts: CardFacts) -> str:
    tags = ["audio", "audio-embedding", "feature-extraction", "l3-net", *(["synthetic"] if facts.synthetic else [])]
    return "\n".join(["---", "library_name: keras", "tags:", *(f"- {tag}" for tag in tags), "---"])


def _title(about: dict[str, Any], facts: CardFacts) -> str:
    name = facts.name or f"{about.get('subset', 'sound')}-{about.get('front_end', '')}"
    what = "images" if about.get("kind") == "l3-vision" else "sound"
    said = (
        f"# {name}\n\nAn L3-Net (*Look, Listen and Learn*) embedding of {what}: a network that learned, without labels,"
        " to tell whether a video frame and a second of sound belong together."
    )
    if facts.synthetic:
        said += "\n\n**Trained on synthetic data; its numbers say nothing about real sound.**"
    return said


def _loading(about: dict[str, Any]) -> str:
    if about.get("kind") == "l3-vision":
        return (
            "```python\nimport keras\nimport l3net.models.spectrogram\n\nmodel = keras.saving.load_model("
            '"vision.keras")  # images [n, size, size, 3] in [-1, 1] -> vectors\n```'
        )
    return (
        '```python\nimport l3net\n\nvectors, times = l3net.embed(audio, sample_rate, model="embedding.keras")\n```\n\n'
        "or `l3net embed sounds/ --model embedding.keras --output out/`. To install l3net: `pip install .` in a copy"
        f" of the workflow. A vector has {about.get('dimension', '?')} values and stands for one second of sound at"
        " 48 kHz, mono; any other rate is resampled."
    )


def _network(about: dict[str, Any]) -> list[tuple[str, Any]]:
    settings = _training_settings(about)
    network = settings.get("network", {})
    rows = [
        ("front end", about.get("front_end")),
        ("version of the front end", about.get("front_end_version")),
        ("samples from one spectrogram frame to the next", about.get("hop_length")),
        ("width of the layers", network.get("width")),
        ("image size in training, pixels", network.get("image_size")),
        ("objective", settings.get("objective")),
        ("pooling at width 1, values", about.get("pooling")),
        ("values of a vector", about.get("dimension")),
        ("samples seen in training", about.get("samples_seen")),
        ("epoch", about.get("epoch")),
        ("learning rate", settings.get("learning_rate")),
        ("batch size", settings.get("batch_size")),
        ("precision", settings.get("precision")),
        ("seed", about.get("model_seed")),
    ]
    return [(name, value) for name, value in rows if value is not None]


def _training_settings(about: dict[str, Any]) -> dict[str, Any]:
    """Return the settings of the training that made the weights; none where the file does not tell them."""
    try:
        settings = json.loads(about["training"]["config"])
    except (KeyError, TypeError, ValueError):
        return {}
    return settings if isinstance(settings, dict) else {}


def _data(about: dict[str, Any], facts: CardFacts) -> str:
    said = [f"Subset `{about['subset']}`." if about.get("subset") else "The file does not name its training data."]
    if facts.clips:
        splits = [split for split in ("train", "valid", "test") if any(key[0] == split for key in facts.clips)]
        usable = {"ok", "short"}
        rows = ["| split | clips asked for | obtained | lost |", "|---|---:|---:|---|"]
        for split in splits:
            found = {status: n for (of, status), n in facts.clips.items() if of == split and n}
            lost = ", ".join(f"{n} {status}" for status, n in sorted(found.items()) if status not in usable)
            obtained = sum(n for status, n in found.items() if status in usable)
            rows.append(f"| {split} | {sum(found.values())} | {obtained} | {lost} |")
        said.append("\n".join(rows))
    said.append(f"Licence of the data: {facts.licence}" if facts.licence else "Licence of the data: not stated.")
    return "\n\n".join(said)


def _accuracy(about: dict[str, Any], facts: CardFacts) -> str:
    if not facts.correspondence:
        known = about.get("validation_accuracy")
        return "Not told." if known is None else f"Validation accuracy of correspondence: {100 * known:.1f} %."
    said = "Share of test samples for which the network rightly said whether picture and sound belong together; chance"
    said += " is 50 %."
    rows = ["| tested on | accuracy, % | 95 % interval | samples | independent |", "|---|---:|---|---:|---|"]
    for row in facts.correspondence:
        low, high = 100 * row["ci_low"], 100 * row["ci_high"]
        rows.append(
            f"| {row['test_subset']} | {100 * row['accuracy']:.1f} | {low:.1f} to {high:.1f} | {row['n']} "
            f"| {row['n_units']} {row['unit']}s |"
        )
    return said + "\n\n" + "\n".join(rows)


def _origin(about: dict[str, Any]) -> str:
    """Say by which code the file was made; the method's paper."""
    versions = about.get("versions", "{}")
    try:
        found = json.loads(versions) if isinstance(versions, str) else dict(versions)
    except (TypeError, ValueError):
        found = {}
    by = ", ".join(f"{name} {found[name]}" for name in ("l3net", "tensorflow", "keras", "numpy") if name in found)
    commit = about.get("commit")
    made = "Made by the L3 workflow" + (f", commit `{commit}`" if commit else "") + (f", with {by}." if by else ".")
    paper = "Look, Listen, and Learn More: Design Choices for Deep Audio Embeddings"
    return f"{made} Method: Cramer, Wu, Salamon, Bello: {paper}, ICASSP 2019, doi:10.1109/ICASSP.2019.8682475."


def _table(rows: list[tuple[str, Any]]) -> str:
    return "\n".join(["| | |", "|---|---|", *(f"| {name} | {value} |" for name, value in rows)])
