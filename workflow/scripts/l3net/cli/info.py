"""The command l3net info: show the metadata of an embedding."""

import argparse
import json
from pathlib import Path


def add_command(commands: argparse._SubParsersAction) -> None:
    """Add this command and its options."""
    parser = commands.add_parser("info", help="show the metadata of an embedding")
    parser.set_defaults(run=run)
    parser.add_argument("model", type=Path, help="an embedding.keras or vision.keras")


def run(options: argparse.Namespace) -> int:
    """Print the metadata as JSON."""
    from l3net.embeddings import read_keras_metadata

    print(json.dumps(read_keras_metadata(options.model), indent=2, sort_keys=True))
    return 0
