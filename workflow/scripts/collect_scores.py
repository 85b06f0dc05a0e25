"""Collect the predictions of all data sets and embeddings into tables of accuracy."""

import html
import json
import logging
from pathlib import Path

from l3net.files import atomic
from l3net.report import accuracy, against_untrained, pages, write_table
from l3net.runtime import canonical_json, describe, stage

_log = logging.getLogger("l3net")
_IDENTITY = ("model_seed", "model", "checkpoint")


def collect_scores(
    predictions: list[Path],
    downstream: Path,
    overall: Path,
    by_class: Path,
    against: Path,
    provenance_file: Path,
    provenance_page: Path,
    *,
    embeddings: dict,
    confidence: float = 0.95,
    bootstrap_draws: int = 1000,
    seed: int = 0,
    synthetic: bool = False,
) -> None:
    """Write accuracy by fold, over all clips (with bootstrap intervals), by class, and beside the untrained network.

    Parameters
    ----------
    predictions : CSVs of classify_dataset.
    downstream : CSV, a row for each data set, embedding, fold and seed.
    overall : CSV, a row for each data set and embedding.
    by_class : CSV, a row for each data set, embedding and label.
    against : CSV, the difference of the trained embeddings to the untrained ones (kind random) clip by clip.
    provenance_file : JSON with the configuration, versions and commit behind the tables.
    provenance_page : HTML written, the same for the report.
    embeddings : settings of every embedding by its name; those of our models with ``model``, ``checkpoint`` (best, or
        epoch-NNN) and ``model_seed``, which become columns.
    confidence : of the intervals, a fraction.
    bootstrap_draws : resamples of the clips, or of the recordings that clips were cut from.
    seed : of the resamples.
    synthetic : the recordings are synthetic; a column says so.
    """
    import pandas as pd

    scores = [accuracy.read_predictions(path) for path in predictions]
    settings = {"confidence": confidence, "draws": bootstrap_draws, "seed": seed}
    tables = {
        downstream: [accuracy.accuracy_by_fold(found) for found in scores],
        overall: [accuracy.accuracy_over_clips(found, **settings) for found in scores],
        by_class: [accuracy.accuracy_by_class(found, confidence=confidence) for found in scores],
    }
    for path, parts in tables.items():
        table = pd.concat(parts)
        known = [embeddings.get(embedding, {}) for embedding in table["embedding"]]
        model_seed, model, checkpoint = ([facts.get(name, "") for facts in known] for name in _IDENTITY)
        table = table.assign(model_seed=model_seed, synthetic=synthetic, model=model, checkpoint=checkpoint)
        # Digits enough that equal differences of accuracies stay equal: the signed-rank test ranks them.
        write_table(table, path, float_format="%.12g")
    kinds = {found["embedding"].iloc[0]: found["kind"].iloc[0] for found in scores}
    untrained = {name for name, kind in kinds.items() if kind == "random"}
    trained = {name for name, facts in embeddings.items() if facts.get("checkpoint") == "best"}
    table = against_untrained.compare_with_untrained(scores, trained, untrained, **settings)
    write_table(table.assign(synthetic=synthetic), against, float_format="%.12g")
    described = describe(embeddings=embeddings, **settings, synthetic=synthetic)
    atomic.write_text(provenance_file, canonical_json(described) + "\n")
    _show_provenance(described, provenance_page)
    _log.info("%d predictions of %d files", sum(map(len, scores)), len(scores))


def _show_provenance(found: dict[str, str], page: Path) -> None:
    """Write commit, versions and settings as a page."""
    import pandas as pd

    versions = pd.DataFrame(json.loads(found["versions"]).items(), columns=["package", "version"])
    settings = json.dumps(json.loads(found["config"]), indent=2, ensure_ascii=False)
    more = f"<h2>Settings behind the tables</h2><pre>{html.escape(settings)}</pre>"
    note = f"Commit {found['commit']}"
    pages.write_page(page, "Provenance", versions, synthetic=False, note=note, more=more)


if __name__ == "__main__":
    stage.main(collect_scores, globals().get("snakemake"))
