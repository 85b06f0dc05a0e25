# The only Python of the rules: checks of the configuration, wildcard constraints, and the names that rules share.
import re
import sys
from pathlib import Path

sys.path.insert(0, str(Path(workflow.basedir) / "workflow" / "scripts"))

from l3net.configuration.validate import check_configuration, read_schema
from l3net.errors import ConfigError

# A preset cannot take a key away when it is merged over config.yaml; it writes null for what its run leaves out.
for table in (
    config["audioset"]["subsets"],
    *map(config.get, ["datasets", "embeddings", "weights"]),
):
    for name in [name for name, entry in table.items() if entry is None]:
        del table[name]

try:
    schema = read_schema(
        Path(workflow.basedir) / "workflow" / "schemas" / "config.schema.yaml"
    )
    check_configuration(config, schema)
except ConfigError as error:
    raise WorkflowError(str(error)) from None

if (other := config["report"]["other_pairing"]) and not Path("results", other, "models").is_dir():
    raise WorkflowError(
        f"report.other_pairing names the run {other}, but results/{other}/models is not there; make that run first"
    )


def model_names():
    """Every model of the grid: {subset}-{front_end}, with -seed{n} from the second seed on."""
    grid = config["models"]
    tags = ["", *(f"-seed{seed}" for seed in grid["seeds"][1:])]
    return [
        f"{subset}-{front_end}{tag}"
        for subset in grid["subsets"]
        for front_end in grid["front_ends"]
        for tag in tags
    ]


def model_fields(model):
    """The subset, front end and seed that a model's name stands for."""
    found = re.fullmatch(r"(.+)-(linear|mel128|mel256)(?:-seed(\d+))?", model)
    subset, front_end, seed = found.groups()
    return {
        "subset": subset,
        "front_end": front_end,
        "model_seed": int(seed or config["models"]["seeds"][0]),
    }


def checkpoint_tags():
    """The epochs of config train.checkpoints as in file names: epoch-{NNN}."""
    return [f"epoch-{epoch:03d}" for epoch in config["train"]["checkpoints"]]


def curve_models():
    """The models of which every checkpoint is classified (accuracy against training samples)."""
    return [model for model in model_names() if model in config["classify"]["curve"]]


def trained_embeddings():
    """The embeddings of our models: l3-{model}."""
    return [f"l3-{model}" for model in model_names()]


def curve_embeddings():
    """The embeddings of the curve: l3-{model}-epoch-{NNN}."""
    return [f"l3-{m}-{tag}" for m in curve_models() for tag in checkpoint_tags()]


def embedding_spec(embedding):
    """The settings of a named embedding; those of our own models are made from the name."""
    if embedding in config["embeddings"]:
        return config["embeddings"][embedding]
    model = re.sub(r"^l3-(.+?)(-epoch-\d{3})?$", r"\1", embedding)
    return {"kind": "l3", "pooling": config["embed"]["pooling"], **model_fields(model)}


def model_file(wildcards):
    """The file an embedding is computed with: ours, released weights, or none (random, hear)."""
    spec = embedding_spec(wildcards.embedding)
    if spec["kind"] == "l3":
        model, tag = re.fullmatch(r"l3-(.+?)(-epoch-\d{3})?", wildcards.embedding).groups()
        return f"<results>/models/{model}/embedding{tag or ''}.keras"
    names = spec.get("weights", [])
    return [f"resources/weights/{name}" for name in ([names] if isinstance(names, str) else names)]


def demo_file(path):
    """`path` where the demo's rules make it, else nothing: the stage itself reports what is missing."""
    return [path] if str(path or "").startswith("resources/demo/") else []


def split_parts(split):
    """The parts of a split: the first 80 % train, then 10 % valid, 10 % test."""
    n = config["audioset"]["parts"]
    train, valid = int(n * 0.8), int(n * 0.9)
    return {
        "train": range(train),
        "valid": range(train, valid),
        "test": range(valid, n),
    }[split]


def train_index(wildcards):
    """The training shards of a model."""
    return f"<results>/shards/{model_fields(wildcards.model)['subset']}/train.json"


def valid_index(wildcards):
    """The validation shards of a model."""
    return f"<results>/shards/{model_fields(wildcards.model)['subset']}/valid.json"


def previous_checkpoint(wildcards):
    """The checkpoint a leg starts from: none for the first."""
    earlier = [epoch for epoch in LEGS if epoch < int(wildcards.epoch)]
    return (
        f"<results>/models/{wildcards.model}/checkpoints/epoch-{max(earlier):03d}.h5"
        if earlier
        else []
    )


def other_run(path):
    """A file of the finished run that config report.other_pairing names; of no run where it names none."""
    return f"results/{config['report']['other_pairing']}/{path}"


def job_params(section, how=(), without=()):
    """The keys of a config section as params. Those in `how` change how a job runs, not what it makes: Snakemake leaves
    params that are functions of the threads out of what makes a finished job run again."""

    def unwatched(value):
        return lambda wildcards, threads: value

    return {
        key: unwatched(value) if key in how else value
        for key, value in section.items()
        if key not in without
    }


def one_of(names):
    """A pattern that matches each of the names, or nothing where there are none."""
    return "|".join(re.escape(str(name)) for name in names) or "(?!)"


LEGS = sorted(config["train"]["checkpoints"])
SUBSETS = sorted(config["audioset"]["subsets"])
PARTS = range(config["audioset"]["parts"])
DATASETS = sorted(config["datasets"])
EMBEDDINGS = trained_embeddings() + sorted(config["embeddings"])
SCORED = EMBEDDINGS + curve_embeddings()
FIGURES = [
    "input_representation",
    "training_subset",
    "training_samples",
    "embedding_type",
    "training_curves",
    "confusion",
    "class_accuracy",
    "embedding_map",
    "attrition",
    "runtimes",
]


wildcard_constraints:
    subset=one_of(SUBSETS),
    split="train|valid|test",
    part=r"\d{4}",
    model=one_of(model_names()),
    epoch=r"\d{3}",
    tag=r"|-epoch-\d{3}",
    dataset=one_of(DATASETS),
    embedding=one_of(SCORED),
    weights=one_of(config["weights"]),


def final_files():
    """Everything a whole run makes."""
    results = "<results>"
    return [
        f"{results}/attrition.csv",
        *expand("<results>/figures/samples_{subset}.png", subset=SUBSETS),
        *expand(
            "<results>/models/{model}/{file}",
            model=model_names(),
            file=["embedding.keras", f"checkpoints/epoch-{max(LEGS):03d}.h5"],
        ),
        *expand(
            "<results>/tables/{table}",
            table=[
                "avc.csv",
                "downstream.csv",
                "summary.csv",
                "summary.md",
                "summary.tex",
                "significance.csv",
                "summary.html",
            ],
        ),
        *expand("<results>/figures/{figure}.{kind}", figure=FIGURES, kind=["svg", "png"]),
        *(["<results>/figures/pairing.svg"] if config["report"]["other_pairing"] else []),
    ]
