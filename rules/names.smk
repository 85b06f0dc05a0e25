# Which models, embeddings and data sets a run has, and the files that go by their names; what a wildcard may stand for.
import re

from l3net.audioset import SPLITS
from l3net.configuration import EmbeddingName, ModelName, checkpoint_name, model_grid


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
    """Return the models of which every checkpoint is classified (accuracy against training samples): none where there is
    but one checkpoint, which is no curve."""
    several = len(config["train"]["checkpoints"]) > 1
    return [model for model in model_names() if several and model in config["classify"]["curve"]]


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


def one_of(names):
    """Return a pattern that matches each of the names, or nothing where there are none."""
    return "|".join(re.escape(str(name)) for name in names) or "(?!)"


LEGS = sorted(config["train"]["checkpoints"])
SUBSETS = sorted(config["audioset"]["subsets"])
PARTS = range(config["audioset"]["parts"])
DATASETS = sorted(config["datasets"])
EMBEDDINGS = trained_embeddings() + sorted(config["embeddings"])
SCORED = EMBEDDINGS + curve_embeddings()


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
