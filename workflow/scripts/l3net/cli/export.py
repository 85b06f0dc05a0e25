"""The command l3net export: write an embedding for other programs."""

import argparse
import logging
from pathlib import Path

from l3net.errors import ConfigError

_log = logging.getLogger("l3net")


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
    parser.add_argument(
        "--int8", action="store_true", help="an .onnx in 8 bits, smaller and less exact; needs --calibrate"
    )
    parser.add_argument(
        "--calibrate", nargs="+", type=Path, default=[], metavar="SOUNDS",
        help="sound files, or folders of them, like those that will be embedded: they set the ranges of the 8 bits",
    )  # fmt: skip


def run(options: argparse.Namespace) -> int:
    """Export the network in the format that the target's suffix names."""
    from l3net import exchange, models
    from l3net.embeddings import load_network, read_keras_metadata

    models.check_export_format(options.target)
    if options.int8 != bool(options.calibrate):
        raise ConfigError("--int8 and --calibrate SOUNDS go together: sounds set the ranges of the 8 bits")
    if missing := [path for path in options.calibrate if not path.exists()]:
        raise ConfigError(f"--calibrate {missing[0]}: no such file or folder")
    about = read_keras_metadata(options.model)  # a wrong file is found before TensorFlow is loaded
    if not options.int8:
        exchange.export_embedding(*load_network(options.model), options.target)
        return 0
    exchange.check_int8(about, options.target)
    change = exchange.export_int8(*load_network(options.model), options.target, options.calibrate)
    _log.info(
        "int8 against float32 on %d windows of these sounds: cosine %.5f in the mean, %.5f at worst; "
        "difference %.2f %% of a vector's length in the mean, %.2f %% at worst",
        change.windows, change.cosine_mean, change.cosine_worst, 100 * change.error_mean, 100 * change.error_worst,
    )  # fmt: skip
    return 0
