"""The command l3net embed: write the vectors of sound files."""

import argparse
import logging
from pathlib import Path
from typing import TYPE_CHECKING

from l3net.cli.model_options import add_model_options, check_model_options
from l3net.errors import ConfigError, WeightsError
from l3net.inference import PRECISIONS

if TYPE_CHECKING:
    from l3net.embeddings import Embedding

_log = logging.getLogger("l3net")


def add_command(commands: argparse._SubParsersAction) -> None:
    """Add this command and its options."""
    parser = commands.add_parser(
        "embed",
        help="embed sound files, images or videos",
        description="Write the vectors of sound files; with a vision.keras, of images and the frames of videos.",
    )
    parser.set_defaults(run=run)
    add = parser.add_argument
    add("paths", nargs="*", type=Path, metavar="FILES", help="files of any format that ffmpeg reads, or folders")
    add("--list", type=Path, metavar="FILE", help="a text file with one more path a line")
    add_model_options(parser)
    add("--modality", choices=("sound", "both"), default="sound",
        help="both: the picture too, at the same times; needs a second --model, a vision.keras")  # fmt: skip
    add("--output", type=Path, required=True, metavar="DIR", help="folder of the vectors")
    add("--hop-seconds", type=float, default=0.1, metavar="SECONDS",
        help="seconds from one window or frame to the next (default: 0.1)")  # fmt: skip
    add("--center", action="store_true", help="timestamps are the centres of windows, as openl3's, not their starts")
    add("--pool", default="", metavar="HOW", help="one vector a file: mean, max, std, or some joined by commas")
    add("--format", choices=("npz", "h5", "parquet"), default="npz", help="format of the vectors (default: npz)")
    add("--batch-size", type=int, default=32, metavar="N", help="windows at a time (default: 32)")
    add("--precision", choices=PRECISIONS, default="float32",
        help="bfloat16: vectors change by 0.7 %% of their length. Measured on a core with AVX512_BF16: 25 windows/s,"
        " against 15 in float32 (default: float32)")  # fmt: skip
    add("--overwrite", action="store_true", help="embed again what is done")


def run(options: argparse.Namespace) -> int:
    """Embed the files; return 1 where one of them could not be read."""
    from l3net.files import sha256_of
    from l3net.vectors import check_pool, embed_audio_files, find_audio_files, find_pictures

    paths = options.paths + (_read_list(options.list) if options.list else [])
    if not paths:
        raise ConfigError("no files: name some, a folder, or --list FILE")
    if (above := _file_in_the_way(options.output)) is not None:
        raise ConfigError(f"--output {options.output}: {above} is a file; expected a folder")
    if options.batch_size < 1:
        raise ConfigError(f"--batch-size is {options.batch_size}; expected 1 or more windows")
    vision = _vision_model(options)
    find = find_audio_files if vision is None else find_pictures
    tasks = find(paths, options.output, f".{options.format}")
    if options.precision != "float32":
        options.settings = {**options.settings, "precision": options.precision}
    pool = tuple(filter(None, options.pool.split(",")))
    check_pool(pool)
    images = _split_models(options) if options.modality == "both" else None
    if vision is None:
        check_model_options(options, options.hop_seconds)
    elif not options.hop_seconds > 0:
        raise ConfigError(f"--hop-seconds is {options.hop_seconds}; expected above 0")

    def load() -> "Embedding":
        if vision is not None:
            from l3net.vectors import load_picture_embedding

            return load_picture_embedding(vision, options.precision)
        from l3net.embeddings import load_embedding

        return load_embedding(options.settings, options.model)

    outcome = embed_audio_files(
        load,
        tasks,
        hop_seconds=options.hop_seconds,
        center=options.center,
        pool=pool,
        batch_size=options.batch_size,
        overwrite=options.overwrite,
        about={"settings": options.settings, "model_sha256": [sha256_of(path) for path in options.model]},
    )
    _log.info("embedded %d, already done %d, failed %d", outcome.done, outcome.skipped, len(outcome.failed))
    if images is None:
        return 1 if outcome.failed else 0
    from l3net.vectors import embed_pictures, load_image_embedding

    pictures = embed_pictures(
        lambda: load_image_embedding(images, options.precision),
        tasks,
        batch_size=options.batch_size,
        overwrite=options.overwrite,
        about={"image_model_sha256": sha256_of(images), "precision": options.precision},
    )
    _log.info("pictures embedded %d, already done %d, failed %d", pictures.done, pictures.skipped, len(pictures.failed))
    return 1 if outcome.failed or pictures.failed else 0


def _file_in_the_way(folder: Path) -> Path | None:
    """Return the file that stands where a folder or one above it is to be made."""
    return next((path for path in (folder, *folder.parents) if path.exists() and not path.is_dir()), None)


def _split_models(options: argparse.Namespace) -> Path:
    """Leave the model of sound among the options, and return that of images."""
    from l3net.embeddings import read_metadata

    if options.pool:
        raise ConfigError("--pool leaves no times, at which --modality both embeds the picture; leave one of them out")
    images = [path for path in options.model if path.is_file() and read_metadata(path)["kind"] == "l3-vision"]
    if len(images) != 1 or len(options.model) != 2:
        raise ConfigError("--modality both needs two models: --model embedding.keras --model vision.keras")
    options.model = [path for path in options.model if path != images[0]]
    return images[0]


def _vision_model(options: argparse.Namespace) -> Path | None:
    """Return the vision.keras with which pictures are to be embedded; None where sound is."""
    from l3net.embeddings import read_metadata

    if options.modality == "both":
        return None
    if options.settings.get("kind") == "vision":
        if set(options.settings) != {"kind"} or len(options.model) != 1:
            raise ConfigError('--settings {"kind": "vision"} has no other key and takes one --model, a vision.keras')
        if (kind := read_metadata(options.model[0])["kind"]) != "l3-vision":
            raise ConfigError(f"--model {options.model[0]}: is of kind {kind}; expected one of images, a vision.keras")
        return options.model[0]
    is_one = options.settings == {"kind": "l3"} and len(options.model) == 1 and options.model[0].is_file()
    try:
        is_of_images = is_one and read_metadata(options.model[0])["kind"] == "l3-vision"
    except WeightsError:
        return None  # what is wrong with the file is said where it is loaded, after all options are checked
    return options.model[0] if is_of_images else None


def _read_list(path: Path) -> list[Path]:
    from l3net.files import read_text

    text = read_text(path, ConfigError, "a list of files, one path a line (--list)")
    if "\0" in text:  # which no path can hold
        raise ConfigError(
            f"{path}: line {text[: text.index(chr(0))].count(chr(10)) + 1} holds a NUL byte; expected paths"
        )
    lines = text.splitlines()
    return [Path(line) for line in map(str.strip, lines) if line]
