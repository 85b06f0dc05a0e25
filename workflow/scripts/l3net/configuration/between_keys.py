"""Checks between keys, made before any job runs: what fits alone and not together.

A check is a function that yields lines, each with the key's full name, what is wrong, and what would be right. To add
one, write it and name it in `CHECKS` (or `FILE_CHECKS`, if it looks at files).
"""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from l3net.configuration import data_sections, initial_weights, training_sections
from l3net.configuration.messages import nearest
from l3net.configuration.names import EVERY_CLIP, model_grid
from l3net.errors import ConfigError

if TYPE_CHECKING:
    from l3net.configuration.run import Configuration

AUDIOSET_CLIP_SECONDS = 10.0
FRAMES_PER_SECOND_LEAST = 2  # so that every second of a clip holds a frame that is used
WINDOW_SECONDS = {"l3": 1.0, "openl3": 1.0, "random": 1.0, "vggish": 0.975}  # kinds that cut sound into windows
_DEMO = "resources/demo/"


def check_between_keys(configuration: "Configuration") -> None:
    """Raise a `ConfigError` on the first keys that do not fit together."""
    _raise_first(line for check in CHECKS for line in check(configuration))


def check_files(configuration: "Configuration", folder: Path) -> None:
    """Raise a `ConfigError` on the first path, relative to `folder`, that the run needs and that is not there."""
    _raise_first(line for check in FILE_CHECKS for line in check(configuration, folder))


def _raise_first(lines: Iterable[str]) -> None:
    for line in lines:
        raise ConfigError(f"config: {line}")


def _grid(configuration: "Configuration") -> list[str]:
    grid = configuration.models
    return [model.name for model in model_grid(grid.subsets, grid.front_ends, grid.seeds)]


def _one_of(key: str, value: str, known: list[str], of: str) -> Iterator[str]:
    if value not in known:
        near = nearest(value, known) or f"; there are {', '.join(sorted(known)) or 'none'}"
        yield f"{key} is {value!r}, which is not {of}{near}"


def _run_has_a_name(configuration: "Configuration") -> Iterator[str]:
    if configuration.run is None:  # so that the paper's ten thousand jobs never start because no preset was named
        yield "run is null; expected the name that a preset gives, for the paper's run --configfile presets/paper.yaml"


def _models_stand_in_the_grid(configuration: "Configuration") -> Iterator[str]:
    if not configuration.datasets:  # then nothing asks for them
        return
    grid, where = _grid(configuration), "a model of the grid (models.subsets, front_ends and seeds)"
    yield from _one_of("report.reference", configuration.report.reference, grid, where)
    for n, model in enumerate(configuration.classify.curve):
        yield from _one_of(f"classify.curve[{n}]", model, grid, where)


def _subsets_have_filters(configuration: "Configuration") -> Iterator[str]:
    for n, subset in enumerate(configuration.models.subsets):
        yield from _one_of(
            f"models.subsets[{n}]", subset, list(configuration.audioset.subsets), "a subset of audioset.subsets"
        )


def _embeddings_have_weights(configuration: "Configuration") -> Iterator[str]:
    for name, entry in configuration.embeddings.items():
        if name.startswith("l3-"):
            yield f"embeddings.{name} starts with l3-, as the embeddings of our own models do; expected another name"
        files = getattr(entry, "weights", [])
        for file in [files] if isinstance(files, str) else files:
            yield from _one_of(
                f"embeddings.{name}.weights", file, list(configuration.weights), "a file of section weights"
            )


def _image_fits_its_frame(configuration: "Configuration") -> Iterator[str]:
    samples = configuration.samples
    if samples.image_size > samples.short_side:
        yield (
            f"samples.image_size is {samples.image_size}; expected at most samples.short_side, {samples.short_side} "
            "pixels, since the image is cut from a frame of that size"
        )


def _every_second_has_a_frame(configuration: "Configuration") -> Iterator[str]:
    samples, segments = configuration.samples, configuration.audioset.segments
    of_demo = all(path.startswith(_DEMO) for path in segments)
    seconds = configuration.demo.duration_seconds if of_demo else AUDIOSET_CLIP_SECONDS
    least = FRAMES_PER_SECOND_LEAST * seconds
    if samples.pairing == "overlapping" and samples.frames_per_clip < least:
        yield (
            f"samples.frames_per_clip is {samples.frames_per_clip}; expected {least:.0f} or more, two for each of a "
            f"clip's {seconds:.0f} seconds, so that every second has a frame"
        )


def _no_match_is_a_hard_negative(configuration: "Configuration") -> Iterator[str]:
    if configuration.samples.pairing == "clip" and (share := configuration.samples.hard_negatives):
        yield f"samples.hard_negatives is {share:g}; expected 0 with samples.pairing clip: any frame matches"


def _hop_fits_windows(configuration: "Configuration") -> Iterator[str]:
    hop = configuration.embed.hop_seconds
    for name, entry in configuration.embeddings.items():
        window = WINDOW_SECONDS.get(entry.kind, hop)
        if hop > window:
            yield (
                f"embed.hop_seconds is {hop:g}; expected at most {window:g}, the window of embeddings.{name} "
                f"(kind {entry.kind}), so that no sound is left out"
            )


def _export_fits_the_network(configuration: "Configuration") -> Iterator[str]:
    for export in configuration.embed.exports:
        if export.endswith("openl3") and configuration.network.width != 1:
            yield (
                f"embed.exports has {export}, but network.width is {configuration.network.width:g}; "
                "openl3 takes the weights of networks of width 1 only"
            )


def _official_data_sets_are_published(configuration: "Configuration") -> Iterator[str]:
    for name, dataset in configuration.datasets.items():
        if dataset.layout == "folder" and dataset.source == "official":
            yield f"datasets.{name}.source is official, but layout folder is published nowhere; expected a folder"


def _videos_are_there(configuration: "Configuration", folder: Path) -> Iterator[str]:
    audioset = configuration.audioset
    hint = "; for a folder of your own videos, l3net videos FOLDER writes list and links (docs/guide.md)"
    lists = {f"audioset.segments[{n}]": path for n, path in enumerate(audioset.segments) if "://" not in path}
    folders = {"audioset.directory": audioset.directory} if audioset.source == "directory" else {}
    for key, path in {**lists, **folders}.items():
        if not path.startswith(_DEMO) and not (folder / path).exists():
            yield f"{key} is {path!r}, and there is no such {'folder' if key in folders else 'file'}{hint}"


def _filters_are_there(configuration: "Configuration", folder: Path) -> Iterator[str]:
    paths = {f"audioset.subsets.{name}": path for name, path in configuration.audioset.subsets.items()}
    for key, path in {**paths, "audioset.ontology": configuration.audioset.ontology}.items():
        if path != EVERY_CLIP and not (folder / path).is_file():
            beside = (folder / path).parent
            stems = [one.stem for one in beside.iterdir()] if beside.is_dir() else []
            near = nearest(Path(path).stem, stems).replace("?", f"{Path(path).suffix}?")
            yield f"{key} is {path!r}, and there is no such file{near}"


def _folders_have_metadata(configuration: "Configuration", folder: Path) -> Iterator[str]:
    for name, dataset in configuration.datasets.items():
        if dataset.layout != "folder" or dataset.source.startswith(_DEMO):
            continue
        source = folder / dataset.source
        has_table = bool(dataset.metadata) or (source / "metadata.csv").is_file()
        if dataset.metadata and not (folder / dataset.metadata).is_file():
            yield f"datasets.{name}.metadata is {dataset.metadata!r}, and there is no such file"
        elif not source.is_dir():
            yield f"datasets.{name}.source is {dataset.source!r}, and there is no such folder"
        elif not has_table and not any(map(Path.is_dir, source.iterdir())):
            yield (
                f"datasets.{name}.source is {dataset.source!r}, which has no sub-folder; layout folder needs one for "
                "each class, or metadata.csv with the columns filename and label"
            )


def _other_run_is_there(configuration: "Configuration", folder: Path) -> Iterator[str]:
    other = configuration.report.other_pairing
    if other is None:
        return
    key = f"report.other_pairing names the run {other!r}"
    if other == configuration.run:
        yield f"{key}, which is this run itself; expected a finished run of another samples.pairing"
    elif not (models := folder / "results" / other / "models").is_dir():
        runs = [path.parent.name for path in (folder / "results").glob("*/models")]
        yield f"{key}, but results/{other}/models is not there{nearest(other, runs) or '; make that run first'}"
    else:
        made = sorted(path.name for path in models.iterdir())
        for model in _grid(configuration):
            if model not in made:
                yield f"{key}, which has no model {model}; it has {', '.join(made) or 'none'}"


def _bits_are_promised_without_xla(configuration: "Configuration") -> Iterator[str]:
    if configuration.train.deterministic and configuration.train.xla:
        yield "train.deterministic is true with train.xla, which has no deterministic gradient of pooling; choose one"


CHECKS: tuple[Callable[["Configuration"], Iterator[str]], ...] = (
    _run_has_a_name,
    _subsets_have_filters,
    _models_stand_in_the_grid,
    _embeddings_have_weights,
    _image_fits_its_frame,
    _every_second_has_a_frame,
    _no_match_is_a_hard_negative,
    training_sections.frozen_parts_are_layers,
    data_sections.scenes_have_their_world,
    data_sections.source_has_its_address,
    _hop_fits_windows,
    _export_fits_the_network,
    _official_data_sets_are_published,
    _bits_are_promised_without_xla,
)
FILE_CHECKS: tuple[Callable[["Configuration", Path], Iterator[str]], ...] = (
    _videos_are_there,
    _filters_are_there,
    initial_weights.initial_weights_are_there,
    initial_weights.initial_weights_fit_the_models,
    _folders_have_metadata,
    _other_run_is_there,
)
