"""The command l3net info: show the metadata of an embedding."""

import argparse
import json
from pathlib import Path
from typing import Any

# What a reader wants to know first, and how it is called.
_FIRST = {
    "kind": "kind",
    "subset": "trained on",
    "front_end": "front end",
    "front_end_version": "front end as in",
    "hop_length": "hop of spectrogram",
    "image_size": "image size",
    "pooling": "pooling",
    "dimension": "values of a vector",
    "precision": "precision",
    "epoch": "epoch",
    "samples_seen": "training samples",
    "validation_accuracy": "validation accuracy",
    "model_seed": "seed",
    "commit": "commit",
}
_KINDS = {"l3": "l3, sound", "l3-vision": "l3-vision, images"}


def add_command(commands: argparse._SubParsersAction) -> None:
    """Add this command and its options."""
    parser = commands.add_parser(
        "info",
        help="show the metadata of an embedding",
        description="Show what a model says of itself: its data, spectrogram, training, accuracy and versions.",
    )
    parser.set_defaults(run=run)
    parser.add_argument("model", type=Path, metavar="MODEL", help="an embedding.keras, vision.keras or .onnx")
    parser.add_argument("--json", action="store_true", help="print all of it as JSON, for programs")


def run(options: argparse.Namespace) -> int:
    """Print the metadata."""
    from l3net.embeddings import read_metadata

    metadata = read_metadata(options.model)
    if options.json:
        print(json.dumps(metadata, indent=2, sort_keys=True))
    else:
        print("\n".join(readable(metadata)))
    return 0


def readable(metadata: dict[str, Any]) -> list[str]:
    """Return metadata as lines: the facts first, then how it was trained, versions last."""
    shown = {**metadata, "kind": _KINDS.get(metadata["kind"], metadata["kind"])}
    if isinstance(accuracy := shown.get("validation_accuracy"), float):
        shown["validation_accuracy"] = f"{100 * accuracy:.1f} % (correspondence)"
    if isinstance(n_samples := shown.get("samples_seen"), int):
        shown["samples_seen"] = f"{n_samples:,}"
    lines = [f"{words:22}{shown[key]}" for key, words in _FIRST.items() if shown.get(key) not in (None, "")]
    training = metadata.get("training") or {}
    for title, text in (("training", training.get("config")), ("versions", metadata.get("versions"))):
        if text:
            lines += ["", f"{title}:"]
            facts = sorted(_mapping(text).items())
            width = max([20, *(len(name) + 2 for name, _ in facts)])
            lines += [f"  {name:{width}}{_plain(value)}" for name, value in facts]
    return lines


def _mapping(text: Any) -> dict[str, Any]:
    """Return what stands in a text of JSON; metadata of others may hold anything."""
    try:
        found = json.loads(text) if isinstance(text, str) else text
    except ValueError:
        return {"": text}
    return found if isinstance(found, dict) else {"": found}


def _plain(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {_plain(one)}" for name, one in sorted(value.items()))
    return str(value)
