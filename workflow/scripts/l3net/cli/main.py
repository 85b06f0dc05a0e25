"""The command l3net: embed sound files, export an embedding, show what it is."""

import argparse
import json
import logging
import os
import sys
from pathlib import Path
from typing import Any

from l3net.errors import ConfigError, L3Error

_log = logging.getLogger("l3net")


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; return the exit code: 0, or 1 after an error of the user's or a file that broke."""
    parser = _parser()
    options = parser.parse_args(arguments)
    screen = logging.StreamHandler()
    screen.setFormatter(logging.Formatter("%(message)s"))
    _log.setLevel(logging.INFO)
    _log.handlers = [screen]
    try:
        return options.command(options)
    except L3Error as error:
        if os.environ.get("L3NET_TRACEBACK"):
            raise
        print(f"l3net: {error}", file=sys.stderr)
        return 1
    except OSError as error:  # a folder that cannot be written, a full disk
        if os.environ.get("L3NET_TRACEBACK"):
            raise
        print(f"l3net: {error.filename or 'writing'}: {error.strerror or error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("l3net: interrupted; what is done is kept, the same command goes on", file=sys.stderr)
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="l3net", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="command")
    embed = commands.add_parser("embed", help="embed sound files", description="Write the vectors of sound files.")
    embed.set_defaults(command=_embed)
    add = embed.add_argument
    add("paths", nargs="*", type=Path, metavar="FILES", help="files of any format that ffmpeg reads, or folders")
    add("--list", type=Path, metavar="FILE", help="a text file with one more path a line")
    add("--model", action="append", type=Path, default=[], metavar="M",
        help="an embedding.keras; with --settings its weights, once for each file")  # fmt: skip
    add("--settings", type=_settings, default={"kind": "l3"}, metavar="JSON",
        help='another kind, as in the configuration, e.g. \'{"kind": "openl3", "front_end": "mel256"}\'')  # fmt: skip
    add("--output", type=Path, required=True, metavar="DIR", help="folder of the vectors")
    add("--hop-seconds", type=float, default=0.1, help="from one window to the next (default: 0.1)")
    add("--center", action="store_true", help="timestamps are the centres of windows, as openl3's, not their starts")
    add("--pool", default="", metavar="HOW", help="one vector a file: mean, max, std, or some joined by commas")
    add("--format", choices=("npz", "h5", "parquet"), default="npz", help="of the vectors (default: npz)")
    add("--batch-size", type=int, default=32, help="windows at a time (default: 32)")
    add("--precision", choices=("float32", "bfloat16"), default="float32",
        help="bfloat16: less exact, faster on CPUs with AVX512_BF16 (default: float32)")  # fmt: skip
    add("--overwrite", action="store_true", help="also what is done")
    export = commands.add_parser("export", help="write an embedding for other programs")
    export.set_defaults(command=_export)
    export.add_argument("model", type=Path, help="an embedding.keras or vision.keras")
    export.add_argument("target", type=Path, help="TARGET.h5 (openl3), TARGET.onnx, or a folder (SavedModel)")
    info = commands.add_parser("info", help="show the metadata of an embedding")
    info.set_defaults(command=_info)
    info.add_argument("model", type=Path)
    return parser


def _embed(options: argparse.Namespace) -> int:
    from l3net.embeddings import embed_audio_files, find_audio_files
    from l3net.runtime import sha256_of

    paths = options.paths + (_listed(options.list) if options.list else [])
    if not paths:
        raise ConfigError("no files: name some, a folder, or --list FILE")
    if options.batch_size < 1:
        raise ConfigError(f"--batch-size is {options.batch_size}; expected 1 or more windows")
    tasks = find_audio_files(paths, options.output, f".{options.format}")
    if missing := [path for path in options.model if not path.is_file()]:
        raise ConfigError(f"--model {missing[0]}: no such file")
    if options.precision != "float32":
        options.settings = {**options.settings, "precision": options.precision}
    about = {"settings": options.settings, "model_sha256": [sha256_of(path) for path in options.model]}

    def load() -> Any:
        from l3net.embeddings import (
            load_embedding,  # loads TensorFlow, so after everything that can be wrong or done before
        )

        return load_embedding(options.settings, options.model)

    outcome = embed_audio_files(
        load,
        tasks,
        hop_seconds=options.hop_seconds,
        center=options.center,
        pool=tuple(filter(None, options.pool.split(","))),
        batch_size=options.batch_size,
        overwrite=options.overwrite,
        about=about,
    )
    _log.info("embedded %d, already done %d, failed %d", outcome.done, outcome.skipped, len(outcome.failed))
    return 1 if outcome.failed else 0


def _settings(text: str) -> dict:
    """Return the lines of an embedding; argparse puts the option's name before the message."""
    try:
        settings = json.loads(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is no JSON: {error}") from None
    if not isinstance(settings, dict):
        raise argparse.ArgumentTypeError(f'{text!r} is no JSON object; expected for example {{"kind": "soundnet"}}')
    return settings


def _listed(path: Path) -> list[Path]:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"--list {path}: cannot be read: {error}") from None
    return [Path(line) for line in map(str.strip, lines) if line]


def _export(options: argparse.Namespace) -> int:
    from l3net.embeddings import load_network
    from l3net.models import export_embedding

    export_embedding(*load_network(options.model), options.target)
    return 0


def _info(options: argparse.Namespace) -> int:
    from l3net.embeddings import read_keras_metadata

    print(json.dumps(read_keras_metadata(options.model), indent=2, sort_keys=True))
    return 0


if __name__ == "__main__":
    sys.exit(main())
