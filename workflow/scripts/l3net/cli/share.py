"""The command l3net share: a folder or zip with all that somebody else needs to use a model."""

import argparse
from pathlib import Path


def add_command(commands: argparse._SubParsersAction) -> None:
    """Add this command and its options."""
    parser = commands.add_parser(
        "share",
        help="make a folder or zip of a model with its card, exports, checksums and a test",
        description="Write a model's card, its weights (.keras, and openl3's .h5, ONNX and PyTorch where the model and"
        " the installed packages allow), checksums, and a test of three lines. The card is the README.md beside the"
        " model, which a run writes; without one it tells what the file itself does.",
    )
    parser.set_defaults(run=run)
    parser.add_argument("model", type=Path, metavar="MODEL", help="an embedding.keras")
    parser.add_argument("--output", type=Path, required=True, metavar="TARGET", help="a new folder, or TARGET.zip")


def run(options: argparse.Namespace) -> int:
    """Write the folder or zip, and say what it could not hold."""
    from l3net.sharing import share_model

    for line in share_model(options.model, options.output):
        print(line)
    print(f"written: {options.output}")
    return 0
