"""The options that name an embedding, --model and --settings, which several commands share."""

import argparse
import json
from pathlib import Path

from l3net.errors import ConfigError


def add_model_options(parser: argparse.ArgumentParser) -> None:
    """Add --model and --settings to the options of a command."""
    parser.add_argument(
        "--model", action="append", type=Path, default=[], metavar="M",
        help="an embedding.keras or .onnx, a vision.keras or .onnx for pictures; with --settings its weights, once for "
        "each file",
    )  # fmt: skip
    parser.add_argument(
        "--settings", type=_read_settings, default={"kind": "l3"}, metavar="JSON",
        help='another kind, as in the configuration, e.g. \'{"kind": "openl3", "front_end": "mel256"}\'',
    )  # fmt: skip


def check_model_options(options: argparse.Namespace, hop_seconds: float) -> None:
    """Check the embedding that the options name, before TensorFlow is loaded for it.

    Raises
    ------
    ConfigError
        A file that is not there, an unknown kind, key or value, or a hop that the kind cannot use.
    WeightsError
        Too many or too few files.
    """
    from l3net.embeddings import check_embedding

    if folders := [path for path in options.model if path.is_dir()]:
        raise ConfigError(f"--model {folders[0]}: is a folder; name the file in it, such as embedding.keras")
    if missing := [path for path in options.model if not path.is_file()]:
        raise ConfigError(f"--model {missing[0]}: no such file")
    if not options.model and options.settings == {"kind": "l3"}:
        raise ConfigError("--model is missing: name an embedding.keras, or another kind of embedding by --settings")
    check_embedding(options.settings, options.model).check_hop(hop_seconds)


def _read_settings(text: str) -> dict:
    """Return the settings of an embedding; argparse puts the option's name before the message of an error."""
    try:
        settings = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise argparse.ArgumentTypeError(f"{text[:80]!r} is no JSON: {error}") from None
    if not isinstance(settings, dict):
        raise argparse.ArgumentTypeError(f'{text!r} is no JSON object; expected for example {{"kind": "soundnet"}}')
    return settings
