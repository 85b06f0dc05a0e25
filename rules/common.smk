# What the rules share: the checked configuration, names of files, params, wildcard constraints.
import os
import re
import shlex
import sys
from pathlib import Path

sys.path.insert(0, str(Path(workflow.basedir) / "workflow" / "scripts"))

from l3net.audioset import SPLITS, parts_of
from l3net.configuration import (
    EVERY_CLIP,
    EmbeddingName,
    ModelName,
    checkpoint_name,
    model_grid,
    read_configuration,
    without_secrets,
)
from l3net.errors import ConfigError
from l3net.network import conceal_all
from l3net.runs import journal, write_plan
from l3net.runtime.console import REPORT

try:
    # Checked, and with its keys in an order of its own: the order they are written in runs nothing again.
    config.update(read_configuration(config, Path.cwd()))
    # Params stand in Snakemake's records and reports; an address with a password or a token stands there as a hash.
    conceal_all(config)
except ConfigError as error:
    raise WorkflowError(str(error)) from None


def model_names():
    """Return the name of every model of the grid."""
    grid = config["models"]
    return [model.name for model in model_grid(grid["subsets"], grid["front_ends"], grid["seeds"])]


def model_fields(name):
    """Return the subset, front end and seed that a model's name stands for."""
    model = ModelName.parse(name)
    seed = config["models"]["seeds"][0] if model.seed is None else model.seed
    return {"subset": model.subset, "front_end": model.front_end, "model_seed": seed}


def curve_models():
    """Return the models of which every checkpoint is classified (accuracy against training samples)."""
    return [model for model in model_names() if model in config["classify"]["curve"]]


def trained_embeddings():
    """Return the names of our models' embeddings."""
    return [EmbeddingName(ModelName.parse(model)).name for model in model_names()]


def curve_embeddings():
    """Return the names of the curve's embeddings, one for each checkpoint."""
    epochs = config["train"]["checkpoints"]
    return [
        EmbeddingName(ModelName.parse(m), epoch).name for m in curve_models() for epoch in epochs
    ]


def dataset_settings(dataset):
    """Return the settings of a data set; one of layout folder gets the run's seed, from which its folds may be drawn."""
    settings = config["datasets"][dataset]
    return settings | {"seed": config["seed"]} if settings["layout"] == "folder" else settings


def embedding_spec(embedding):
    """Return the settings of a named embedding: those of our own models are made from the name, and an untrained network
    is built as the run's models are."""
    if embedding in config["embeddings"]:
        spec = config["embeddings"][embedding]
        if spec["kind"] == "random":
            width, seed = config["network"]["width"], config["seed"]
            spec = {**config["front_end"], "width": width, "seed": seed, **spec}
        return spec
    fields = model_fields(EmbeddingName.parse(embedding).model.name)
    return {"kind": "l3", "pooling": config["embed"]["pooling"], **fields}


def embedding_identity(embedding):
    """Return the columns of tables that say which of our models an embedding is of; none where it is not ours."""
    if embedding in config["embeddings"]:
        return {}
    ours = EmbeddingName.parse(embedding)
    seed = model_fields(ours.model.name)["model_seed"]
    return {"model": ours.model.name, "checkpoint": ours.checkpoint, "model_seed": seed}


def reference_embedding():
    """Return the name of the embedding of config report.reference."""
    return EmbeddingName(ModelName.parse(config["report"]["reference"])).name


def model_file(wildcards):
    """Return the file an embedding is computed with: ours, released weights, or none (random, hear)."""
    spec = embedding_spec(wildcards.embedding)
    if spec["kind"] == "l3":
        ours = EmbeddingName.parse(wildcards.embedding)
        tag = "" if ours.epoch is None else f"-{checkpoint_name(ours.epoch)}"
        return f"<results>/models/{ours.model.name}/embedding{tag}.keras"
    names = spec.get("weights", [])
    return [f"resources/weights/{name}" for name in ([names] if isinstance(names, str) else names)]


def demo_file(path):
    """Return `path` where the demo's rules make it, else nothing: the stage itself reports what is missing."""
    return [path] if str(path or "").startswith("resources/demo/") else []


def train_index(wildcards):
    """Return the index of a model's training shards."""
    return f"<results>/shards/{model_fields(wildcards.model)['subset']}/train.json"


def valid_index(wildcards):
    """Return the index of a model's validation shards."""
    return f"<results>/shards/{model_fields(wildcards.model)['subset']}/valid.json"


def previous_checkpoint(wildcards):
    """Return the checkpoint a leg starts from: none for the first."""
    earlier = [epoch for epoch in LEGS if epoch < int(wildcards.epoch)]
    return (
        f"<results>/models/{wildcards.model}/checkpoints/{checkpoint_name(max(earlier))}.h5"
        if earlier
        else []
    )


def other_run(path):
    """Return a file of the finished run that config report.other_pairing names."""
    return f"results/{config['report']['other_pairing']}/{path}"


def job_params(section, how=frozenset(), without=frozenset()):
    """Return the keys of a config section as params. Those in `how` change how a job runs and not what it makes:
    Snakemake leaves params that are functions of the threads out of what makes a finished job run again. All are
    functions, since Snakemake takes braces in text for wildcards."""

    def unwatched(value):
        return lambda wildcards, threads: value

    def watched(value):
        return lambda wildcards: value

    return {
        key: unwatched(value) if key in how else watched(value)
        for key, value in section.items()
        if key not in without
    }


def dealing():
    """Return the param that says how videos are dealt into parts; none where by their hash: jobs of runs from before
    this param stay as they are."""
    return {} if config["audioset"]["split"] == "hash" else {"split": config["audioset"]["split"]}


def synthetic_mark():
    """Return the param that marks a picture as one of synthetic data; none where it is of real data: pictures from before
    this param stay as they are."""
    return {"synthetic": True} if config["report"]["synthetic"] else {}


def one_of(names):
    """Return a pattern that matches each of the names, or nothing where there are none."""
    return "|".join(re.escape(str(name)) for name in names) or "(?!)"


# What training waits for, and training itself, go before all that can be done beside it: their chain is the longest.
LONG_CHAIN = 1
LEGS = sorted(config["train"]["checkpoints"])
SUBSETS = sorted(config["audioset"]["subsets"])
PARTS = range(config["audioset"]["parts"])
DATASETS = sorted(config["datasets"])
EMBEDDINGS = trained_embeddings() + sorted(config["embeddings"])
SCORED = EMBEDDINGS + curve_embeddings()
SEVERAL_FRONT_ENDS = len(config["models"]["front_ends"]) > 1
SEVERAL_SUBSETS = len(config["models"]["subsets"]) > 1
SEVERAL_MODELS = len(model_names()) > 1
# A figure or a test that compares is made where there are two to compare.
FIGURES_IF = {
    "input_representation": DATASETS and SEVERAL_FRONT_ENDS,
    "training_subset": DATASETS and SEVERAL_SUBSETS,
    "training_samples": DATASETS and curve_models() and len(LEGS) > 1,
    "embedding_type": DATASETS and len(EMBEDDINGS) > 1,
    "confusion": DATASETS,
    "class_accuracy": DATASETS,
    "embedding_map": DATASETS,
    "correspondence": SEVERAL_MODELS or SEVERAL_SUBSETS,
    "training_curves": True,
    "attrition": True,
    "runtimes": True,
}
FIGURES = [figure for figure, wanted in FIGURES_IF.items() if wanted]
TABLES_IF = {
    "summary": DATASETS,
    "significance": DATASETS and (SEVERAL_FRONT_ENDS or SEVERAL_SUBSETS or config["embeddings"]),
    "avc": True,
}
TABLES = [table for table, wanted in TABLES_IF.items() if wanted]


wildcard_constraints:
    subset=one_of(SUBSETS),
    split=one_of(SPLITS),
    part=r"\d{4}",
    model=one_of(model_names()),
    epoch=r"\d{3}",
    tag=r"|-epoch-\d{3}",
    dataset=one_of(DATASETS),
    embedding=one_of(SCORED),
    weights=one_of(config["weights"]),


def how_to_report():
    """Return the line that says how the report of this run is made."""
    files = [os.path.relpath(path) for path in workflow.overwrite_configfiles]
    if len(files) == 1 and not workflow.config_settings.config:
        return f"report: make report CONFIG={shlex.quote(files[0])}"
    words = ["--cores", "1", "--report", f"results/{config['run']}/report.html"]
    words += ["--configfile", *files] if files else []
    changed = [f"{key}={value}" for key, value in workflow.config_settings.config.items()]
    return f"report: snakemake {shlex.join(words + (['--config', *changed] if changed else []))}"


os.environ[REPORT] = how_to_report()
os.environ[journal.FOLDER] = f"logs/{config['run']}"


def run_results():
    """Return what a run's description lists; without a data set it ends with the trained models and their training."""
    more = ["downstream.csv", "summary.md", "summary.tex"] if DATASETS else []
    return [
        "<results>/attrition.csv",
        *expand("<results>/figures/samples_{subset}.png", subset=SUBSETS),
        *expand(
            "<results>/models/{model}/{file}",
            model=model_names(),
            file=[
                "embedding.keras",
                "README.md",
                "avc.csv",
                f"checkpoints/{checkpoint_name(max(LEGS))}.h5",
            ],
        ),
        *(
            expand("<results>/models/{model}/retrieval.csv", model=model_names())
            if config["train"]["objective"] == "contrastive"
            else []
        ),
        *expand("<results>/tables/{table}.{kind}", table=TABLES, kind=["csv", "html"]),
        *expand("<results>/tables/{table}", table=more),
        *expand("<results>/figures/{figure}.{kind}", figure=FIGURES, kind=["svg", "png"]),
        *(["<results>/figures/pairing.svg"] if config["report"]["other_pairing"] else []),
    ]


def final_files():
    """Return everything a whole run makes."""
    return [*run_results(), "<results>/ro-crate-metadata.json"]
