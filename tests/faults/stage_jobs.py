"""One small job of every stage, as Snakemake would give it: what the tests of faults kill, starve of disk and compare.

A job's inputs are made by hand (`make_inputs`) or are what an earlier job wrote in `Places.made`, so that the jobs in
the order of `STAGES` are a small run of the whole workflow.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import h5py
import pandas as pd

from l3net.files.kept import sha256_of
from l3net.runtime import stage
from tests import media_sources, tiny_datasets, tiny_embedding, tiny_shards, tiny_training
from tests.small_store import SETTINGS as SHARD
from tests.small_store import SmallStore
from tests.stages import test_report_stages as predicted
from tests.stages.loading import stage_function

ROOT = Path(__file__).parents[2]
ONTOLOGY, PAPER = ROOT / "resources" / "ontology.json", ROOT / "resources" / "paper_results.csv"
SEGMENTS = "# YTID, start_seconds, end_seconds, positive_labels\n{}\n"
VIDEOS = [f"kill--{n:05d}" for n in range(3)]
REFERENCE = "music-mel256"
WILDCARD = "small"  # of every job: what it says while it works begins with its stage and this


@dataclass(frozen=True)
class Places:
    """Where a job finds and puts files.

    Attributes
    ----------
    given : the folder that `make_inputs` filled.
    made : the folder with a folder of outputs for each stage that ran undisturbed.
    out : the folder of this job's outputs.
    """

    given: Path
    made: Path
    out: Path


@dataclass(frozen=True)
class Job:
    """A job of one stage.

    Attributes
    ----------
    outputs : what the rule declares, by parameter.
    params : everything else the stage function takes.
    """

    stage: str
    outputs: dict[str, Path | list[Path]]
    params: dict[str, object]

    def run(self, log: Path | None = None) -> None:
        """Run the stage through the same door as under Snakemake; end the process as that does."""
        rule = SimpleNamespace(
            rule=self.stage,
            input=_Named({}),
            output=_Named(self.outputs),
            params=_Named(self.params),
            log=[str(log)] if log else [],
            wildcards=[WILDCARD],
            threads=1,
        )
        stage.main(stage_function(self.stage), rule)

    def targets(self) -> list[str]:
        """Return the names of all outputs."""
        return list(_Named(self.outputs))


class _Named(list):
    """A list of files of which some have names, as Snakemake gives them."""

    def __init__(self, named: dict[str, object]) -> None:
        files = [file for value in named.values() for file in (value if isinstance(value, list) else [value])]
        super().__init__(str(file) if isinstance(file, Path) else file for file in files)
        self._named = named

    def items(self):
        return self._named.items()


def make_inputs(given: Path) -> None:
    """Make what the first jobs of the workflow read."""
    given.mkdir(parents=True)
    (given / "videos").mkdir()
    rows = []
    for ytid in VIDEOS[:2]:  # the third is missing, which must not end a job
        media_sources.video(given / "videos" / f"{ytid}.mp4", seconds=4, size="64x48")
    for ytid in VIDEOS:
        rows.append(f'{ytid}, 1.000, 3.000, "/m/04rlf,/m/0342h"')
    (given / "segments.csv").write_text(SEGMENTS.format("\n".join(rows)))
    (given / "weights.npy").write_bytes(bytes(range(256)) * 400)
    SmallStore(given / "store", n_clips=3, seconds=3.0).write()
    for split in ("train", "valid", "test"):
        tiny_shards.write_split(given / "shards", split)
        tiny_shards.write_split(given / "other", split, seed=1)
    for folder, pairing in (("shards", "overlapping"), ("other", "last_frame")):
        with h5py.File(given / folder / "test.h5", "r+") as file:
            file.attrs["pairing"] = pairing
        tiny_shards.index_again(given / folder / "test.json")
    tiny_embedding.write_checkpoint(given / "contrastive.h5", objective="contrastive")
    tiny_datasets.lay_out_us8k(given / "us8k")
    tiny_datasets.write_embeddings(given / "embeddings" / "us8k.h5", dataset="us8k", embedding=f"l3-{REFERENCE}")
    _make_predictions(given / "scores")
    predicted._write_models(given)
    for rule in ("train_leg/a/epoch-003", "make_tables"):
        path = given / "benchmarks" / f"{rule}.tsv"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("s\tmax_rss\tcpu_time\n60.0\t500\t30.0\n")
    columns = ["model", "trained_on", "tested_on", "n", "accuracy", "ci_low", "ci_high", "n_units", "unit"]
    pairs = [(a, b) for a in ("overlapping", "last_frame") for b in ("overlapping", "last_frame")]
    scores = [["music-mel128", a, b, 64, 0.7, 0.6, 0.8, 6, "clip"] for a, b in pairs]
    pd.DataFrame(scores, columns=columns).to_csv(given / "pairing.csv", index=False)
    counts = [["overlapping", 0, 40], *(["last_frame", second, 5] for second in range(8))]
    pd.DataFrame(counts, columns=["pairing", "seconds", "n"]).to_csv(given / "offsets.csv", index=False)


def _make_predictions(folder: Path) -> None:
    for dataset in predicted.FOLDS:
        for k, model in enumerate(predicted.MODELS):
            subset, front_end = model.split("-")
            facts = {"front_end": front_end, "subset": subset}
            path = folder / dataset / f"l3-{model}.csv"
            predicted.write_predictions(path, dataset, f"l3-{model}", 0.5 + 0.05 * k, **facts)
        for epoch, skill in ((3, 0.4), (8, 0.6)):
            name = f"l3-music-mel256-epoch-{epoch:03d}"
            facts = {"front_end": "mel256", "subset": "music", "epoch": epoch, "samples_seen": epoch * 768}
            predicted.write_predictions(folder / dataset / f"{name}.csv", dataset, name, skill, **facts)
        facts = {"kind": "random", "front_end": "mel256", "epoch": -1, "samples_seen": 0}
        predicted.write_predictions(folder / dataset / "random.csv", dataset, "random", 0.2, **facts)


def _figure(name: str, **inputs: Callable[[Places], object]) -> Callable[[Places], Job]:
    def job(p: Places) -> Job:
        outputs = {"svg": p.out / f"{name}.svg", "png": p.out / f"{name}.png"}
        params = {key: value(p) if callable(value) else value for key, value in inputs.items()}
        return Job(name, outputs, {**params, "synthetic": True})

    return job


def _downstream(p: Places) -> Path:
    return p.made / "collect_scores" / "downstream.csv"


def _make_demo_videos(p: Places) -> Job:
    outputs = {"segments": p.out / "segments.csv", "videos": p.out / "videos"}
    return Job("make_demo_videos", outputs, {"seed": 11, "clips_per_class": 1, "duration_seconds": 1.0})


def _make_demo_datasets(p: Places) -> Job:
    outputs = {name: p.out / name for name in ("us8k", "esc50", "dcase2013")}
    return Job("make_demo_datasets", outputs, {"seed": 11, "clips_per_class": 2})


def _make_demo_mixtures(p: Places) -> Job:
    return Job("make_demo_mixtures", {"mixtures": p.out / "mixtures"}, {"seed": 11, "recordings": 12})


def _fetch_segments(p: Places) -> Job:
    return Job("fetch_segments", {"segments": [p.out / "0.csv"]}, {"sources": [str(p.given / "segments.csv")]})


def _select_clips(p: Places) -> Job:
    music = ROOT / "resources" / "filters" / "music.csv"
    params = {"segments": [p.made / "fetch_segments" / "0.csv"], "ontology": ONTOLOGY, "filter": music}
    return Job("select_clips", {"output": p.out / "music.csv"}, params)


def _fetch_clips(p: Places) -> Job:
    params = {"clips": [p.made / "select_clips" / "music.csv"], "part": 0, "parts": 1, "source": "directory"}
    params |= {"store": p.out / "store", "directory": p.given / "videos", "short_side": 48, "preset": "ultrafast"}
    return Job("fetch_clips", {"manifest": p.out / "part-0000.csv"}, params)


def _report_attrition(p: Places) -> Job:
    params = {"clips": [p.made / "select_clips" / "music.csv"], "ontology": ONTOLOGY, "subsets": ["music"], "parts": 1}
    params["manifests"] = [p.made / "fetch_clips" / "part-0000.csv"]
    outputs = {"attrition": p.out / "attrition.csv", "by_label": p.out / "attrition_by_label.csv"}
    return Job("report_attrition", outputs, params)


def _make_shard(p: Places) -> Job:
    store = p.given / "store"
    inputs = {"clips": store / "clips.csv", "manifest": store / "manifest.csv", "store": store / "store"}
    small = {"samples_per_clip": 20, "frames_per_clip": 10}
    return Job("make_shard", {"shard": p.out / "part-0000.h5"}, {**inputs, **SHARD, **small})


def _index_shards(p: Places) -> Job:
    return Job("index_shards", {"index": p.out / "train.json"}, {"shards": [p.made / "make_shard" / "part-0000.h5"]})


def _inspect_shards(p: Places) -> Job:
    outputs = {"sheet": p.out / "samples_music.png", "distributions": p.out / "distributions.csv"}
    return Job("inspect_shards", outputs, {"index": p.given / "shards" / "train.json", "subset": "music", "seed": 7})


def _train_leg(p: Places) -> Job:
    made = tiny_training.arguments(
        p.given / "shards", p.out, epoch=2, save_every_seconds=0.2, batches_per_epoch=4, validation_batches=2
    )
    return Job("train_leg", {"checkpoint": made.pop("checkpoint")}, made)


def _select_checkpoint(p: Places) -> Job:
    outputs = {"best": p.out / "best.h5", "history": p.out / "history.csv"}
    return Job("select_checkpoint", outputs, {"checkpoint": p.made / "train_leg" / "epoch-002.h5"})


def _best(p: Places) -> Path:
    return p.made / "select_checkpoint" / "best.h5"


def _evaluate_avc(p: Places) -> Job:
    params = {"checkpoint": _best(p), "tests": [p.given / "shards" / "test.json"], "subsets": ["music"]}
    params |= {"ontology": ONTOLOGY, "train_subset": "music", "front_end": "mel128"}
    outputs = {"scores": p.out / "avc.csv", "by_class": p.out / "avc_by_class.csv"}
    return Job("evaluate_avc", outputs, {**params, "seed": 0, "batch_size": 16, "batches": 4})


def _evaluate_pairing(p: Places) -> Job:
    tests = [p.given / folder / "test.json" for folder in ("shards", "other")]
    params = {"checkpoints": [_best(p)] * 2, "tests": tests, "model": "music-mel128"}
    outputs = {"scores": p.out / "pairing.csv", "offsets": p.out / "pairing_offsets.csv"}
    return Job("evaluate_pairing", outputs, {**params, "seed": 0, "batch_size": 16, "batches": 2})


def _evaluate_retrieval(p: Places) -> Job:
    params = {"checkpoint": p.given / "contrastive.h5", "test": p.given / "shards" / "test.json"}
    return Job(
        "evaluate_retrieval",
        {"scores": p.out / "retrieval.csv"},
        {**params, "model": "music-mel128", "seed": 0, "batch_size": 16},
    )


def _extract_embedding(p: Places) -> Job:
    outputs = {"model": p.out / "embedding.keras", "exports": [p.out / "vision.keras"]}
    return Job("extract_embedding", outputs, {"checkpoint": _best(p), "pooling": 512, "subset": "music"})


def _write_model_card(p: Places) -> Job:
    params = {"model": p.made / "extract_embedding" / "embedding.keras", "name": "music-mel128", "source": "directory"}
    params["correspondence"] = p.made / "evaluate_avc" / "avc.csv"
    params["attrition"] = p.made / "report_attrition" / "attrition.csv"
    return Job("write_model_card", {"card": p.out / "README.md"}, params)


def _describe_run(p: Places) -> Job:
    """The results that a crate lists lie in its own folder, so a link stands there first."""
    if not (result := p.out / "downstream.csv").is_symlink():
        result.symlink_to(_downstream(p))
    params = {"snakefile": ROOT / "Snakefile", "results": [result], "benchmarks": p.given / "benchmarks"}
    names = {"crate": "ro-crate-metadata.json", "workflow_file": "Snakefile", "configuration": "configuration.yaml"}
    outputs = {name: p.out / file for name, file in names.items()}
    return Job("describe_run", outputs, {**params, "name": "small", "settings": {"run": "small"}, "licence": "none"})


def _fetch_dataset(p: Places) -> Job:
    params = {"dataset": "us8k", "settings": {"layout": "us8k", "source": str(p.given / "us8k")}}
    return Job("fetch_dataset", {"index": p.out / "us8k.csv"}, {**params, "downloads": p.out / "downloads"})


def _fetch_weights(p: Places) -> Job:
    source = p.given / "weights.npy"
    settings = {"path": str(source), "sha256": sha256_of(source)}
    return Job("fetch_weights", {"weights": p.out / "weights.npy"}, {"name": "weights.npy", "settings": settings})


def _embed_dataset(p: Places) -> Job:
    inputs = {"clips": p.made / "fetch_dataset" / "us8k.csv", "model": [p.made / "extract_embedding/embedding.keras"]}
    settings = {"kind": "l3", "pooling": 512, "subset": "music", "front_end": "mel128", "model_seed": 0}
    params = {"dataset": "us8k", "embedding": "l3-music-mel128", "settings": settings, "hop_seconds": 0.5}
    return Job("embed_dataset", {"output": p.out / "l3.h5"}, {**inputs, **params, "batch_size": 4})


def _classify_dataset(p: Places) -> Job:
    params = {"embeddings": p.given / "embeddings" / "us8k.h5", "state": p.out / "l3.state", "dataset": "us8k"}
    params |= {"embedding": f"l3-{REFERENCE}", "hidden": [16], "learning_rates": [1e-3, 1e-2], "weight_decays": [1e-4]}
    params |= {"max_epochs": 4, "patience_epochs": 2, "batch_size": 16, "validation_share": 0.2, "xla": False}
    outputs = {"predictions": p.out / "l3.csv", "settings": p.out / "l3.settings.csv"}
    return Job("classify_dataset", outputs, params)


def _predictions(p: Places) -> list[Path]:
    return sorted((p.given / "scores").glob("*/*.csv"))


def _collect_scores(p: Places) -> Job:
    names = {"downstream": "downstream.csv", "overall": "overall.csv", "by_class": "class_accuracy.csv"}
    names |= {"against": "against_untrained.csv", "provenance_file": "provenance.json"}
    names |= {"provenance_page": "provenance.html"}
    outputs = {name: p.out / file for name, file in names.items()}
    params = {"predictions": _predictions(p), "embeddings": predicted.IDENTITIES, "bootstrap_draws": 50}
    return Job("collect_scores", outputs, params)


def _compare_embeddings(p: Places) -> Job:
    outputs = {"significance": p.out / "significance.csv", "page": p.out / "significance.html"}
    return Job("compare_embeddings", outputs, {"downstream": _downstream(p), "reference": REFERENCE})


def _make_tables(p: Places) -> Job:
    names = {"summary": "summary.csv", "headline": "headline.csv", "page": "summary.html", "answer": "answer.html"}
    names |= {"markdown": "summary.md", "latex": "summary.tex"}
    scores = p.made / "collect_scores"
    params = {"overall": scores / "overall.csv", "against": scores / "against_untrained.csv", "paper": PAPER}
    return Job("make_tables", {name: p.out / file for name, file in names.items()}, {**params, "protocol": "paper"})


def _make_avc_table(p: Places) -> Job:
    names = {"avc": "avc.csv", "page": "avc.html", "answer": "avc_answer.html"}
    scores = [p.given / "models" / model / "avc.csv" for model in predicted.MODELS]
    params = {"scores": scores, "models": predicted.MODELS, "paper": PAPER}
    return Job("make_avc_table", {name: p.out / file for name, file in names.items()}, params)


def _collect_runtimes(p: Places) -> Job:
    outputs = {name: p.out / f"runtimes.{suffix}" for name, suffix in (("runtimes", "csv"), ("svg", "svg"))}
    outputs |= {"png": p.out / "runtimes.png", "page": p.out / "runtimes.html"}
    return Job("collect_runtimes", outputs, {"folder": p.given / "benchmarks"})


def _histories(p: Places) -> list[Path]:
    return [p.given / "models" / model / "history.csv" for model in predicted.MODELS]


def _of_reference(p: Places) -> list[Path]:
    return sorted((p.given / "scores").glob(f"*/l3-{REFERENCE}.csv"))


STAGES: dict[str, Callable[[Places], Job]] = {
    "make_demo_videos": _make_demo_videos,
    "make_demo_datasets": _make_demo_datasets,
    "make_demo_mixtures": _make_demo_mixtures,
    "fetch_segments": _fetch_segments,
    "select_clips": _select_clips,
    "fetch_clips": _fetch_clips,
    "report_attrition": _report_attrition,
    "make_shard": _make_shard,
    "index_shards": _index_shards,
    "inspect_shards": _inspect_shards,
    "train_leg": _train_leg,
    "select_checkpoint": _select_checkpoint,
    "evaluate_avc": _evaluate_avc,
    "evaluate_pairing": _evaluate_pairing,
    "evaluate_retrieval": _evaluate_retrieval,
    "extract_embedding": _extract_embedding,
    "write_model_card": _write_model_card,
    "fetch_dataset": _fetch_dataset,
    "fetch_weights": _fetch_weights,
    "embed_dataset": _embed_dataset,
    "classify_dataset": _classify_dataset,
    "collect_scores": _collect_scores,
    "compare_embeddings": _compare_embeddings,
    "make_tables": _make_tables,
    "collect_runtimes": _collect_runtimes,
    "make_avc_table": _make_avc_table,
    "describe_run": _describe_run,
    "plot_input_representation": _figure("plot_input_representation", downstream=_downstream, protocol="paper"),
    "plot_training_subset": _figure("plot_training_subset", downstream=_downstream, protocol="paper"),
    "plot_training_samples": _figure("plot_training_samples", downstream=_downstream, protocol="paper"),
    "plot_embedding_type": _figure(
        "plot_embedding_type",
        overall=lambda p: p.made / "collect_scores" / "overall.csv",
        downstream=_downstream,
        paper=PAPER,
        protocol="paper",
    ),
    "plot_confusion": _figure(
        "plot_confusion", predictions=_of_reference, identities=predicted.IDENTITIES, reference=f"l3-{REFERENCE}"
    ),
    "plot_correspondence": _figure("plot_correspondence", avc=lambda p: p.made / "make_avc_table" / "avc.csv"),
    "plot_class_accuracy": _figure(
        "plot_class_accuracy", by_class=lambda p: p.made / "collect_scores" / "class_accuracy.csv", reference=REFERENCE
    ),
    "plot_embedding_map": _figure(
        "plot_embedding_map", embeddings=lambda p: [p.given / "embeddings" / "us8k.h5"], identities=predicted.IDENTITIES
    ),
    "plot_training_curves": _figure("plot_training_curves", histories=_histories, models=predicted.MODELS),
    "plot_attrition": _figure(
        "plot_attrition",
        attrition=lambda p: p.made / "report_attrition" / "attrition.csv",
        by_label=lambda p: p.made / "report_attrition" / "attrition_by_label.csv",
    ),
    "plot_pairing": _figure(
        "plot_pairing", scores=lambda p: [p.given / "pairing.csv"], offsets=lambda p: [p.given / "offsets.csv"]
    ),
}
# They import TensorFlow and take seconds where the others take tenths of one.
WITH_NETWORKS = {"train_leg", "evaluate_avc", "evaluate_pairing", "extract_embedding", "embed_dataset"}
WITH_NETWORKS |= {"classify_dataset", "evaluate_retrieval"}


def job_of(name: str, places: Places) -> Job:
    """Return the job of a stage, its outputs in ``places.out``."""
    places.out.mkdir(parents=True, exist_ok=True)
    return STAGES[name](places)
