"""The command l3net export: write an embedding for other programs."""

import argparse
from pathlib import Path


def add_command(commands: argparse._SubParsersAction) -> None:
    """Add this command and its options."""
    parser = commands.add_parser(
        "export",
        help="write an embedding for other programs",
        description="Write the network of an embedding in the format that the name of TARGET asks for.",
    )
    parser.set_defaults(run=run)
    parser.add_argument("model", type=Path, metavar="MODEL", help="an embedding.keras or vision.keras")
    parser.add_argument(
        "target",
        type=Path,
        metavar="TARGET",
        help="a name that ends with .h5 (openl3), .onnx or .pt (PyTorch); any other is a folder (SavedModel)",
    )


def run(options: argparse.Namespace) -> int:
    """Export the network in the format that the target's suffix names."""
    from l3net import exchange, models
    from l3net.embeddings import load_network, read_keras_metadata

    models.check_export_format(options.target)
    read_keras_metadata(options.model)  # a wrong file is found before TensorFlow is loaded
    exchange.export_embedding(*load_network(options.model), options.target)
    return 0
