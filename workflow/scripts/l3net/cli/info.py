"""The command l3net info: show the metadata of an embedding, a checkpoint, or vectors."""

import argparse
import json
from pathlib import Path
from typing import Any

from l3net.errors import L3Error, WeightsError
from l3net.files import printable, system_errno

# What a reader wants to know first, and how it is called.
_FIRST = {
    "kind": "kind",
    "subset": "trained on",
    "front_end": "front end",
    "front_end_version": "front end as in",
    "hop_length": "hop of spectrogram",  # in samples
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
_OTHERS = (".npz", ".h5", ".parquet")
_KINDS = {"l3": "l3, sound", "l3-vision": "l3-vision, images"}


def add_command(commands: argparse._SubParsersAction) -> None:
    """Add this command and its options."""
    parser = commands.add_parser(
        "info",
        help="show the metadata of an embedding, or of vectors",
        description="Show what a model says of itself: its data, spectrogram, training, accuracy and versions; or of"
        " what sound and by which model the vectors of l3net embed were made.",
    )
    parser.set_defaults(run=run)
    parser.add_argument("model", type=Path, metavar="FILE",
        help="an embedding.keras, vision.keras or .onnx; vectors (.npz, .h5, .parquet), or a best.h5")  # fmt: skip
    parser.add_argument("--json", action="store_true", help="print all of it as JSON, for programs")


def run(options: argparse.Namespace) -> int:
    """Print the metadata."""
    from l3net.embeddings import read_metadata

    is_other = options.model.suffix in _OTHERS and options.model.is_file()
    metadata = _metadata_of_others(options.model) if is_other else read_metadata(options.model)
    if options.json:
        print(json.dumps(metadata, indent=2, sort_keys=True))
    else:
        print("\n".join(readable(metadata) if "kind" in metadata else _facts(metadata)))
    return 0


def _metadata_of_others(path: Path) -> dict[str, Any]:
    """Return the metadata of vectors or of a checkpoint."""
    from l3net.vectors import read_vector_metadata

    try:
        return read_vector_metadata(path)
    except L3Error:
        raise
    except (OSError, ValueError, KeyError, TypeError) as error:
        if system_errno(error) is not None:  # such as a file that may not be read
            raise
        raise WeightsError(
            f"{path}: has no metadata of this project; expected vectors that l3net embed wrote, a run's best.h5, or an"
            " embedding.keras"
        ) from None


def _facts(metadata: dict[str, Any]) -> list[str]:
    """Return the metadata of vectors or of a checkpoint as lines, those of the embedding last."""
    embedding = metadata.get("embedding")
    rest = {key: value for key, value in metadata.items() if key != "embedding" and value not in (None, "", [])}
    lines = [f"{key.replace('_', ' '):22}{_plain(value)}" for key, value in rest.items()]
    if isinstance(embedding, dict) and "kind" in embedding:
        lines += ["", "by the embedding:", *(f"  {line}".rstrip() for line in readable(embedding))]
    return lines


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
    return printable(str(value))
