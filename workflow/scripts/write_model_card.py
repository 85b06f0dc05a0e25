"""Write the card of a trained model: what it is, of what it was made, how good it was, how to load it."""

from pathlib import Path

from l3net.embeddings import read_keras_metadata
from l3net.files import atomic
from l3net.report import read_table
from l3net.runtime import stage
from l3net.sharing import CardFacts, model_card
from l3net.sharing.card import SOURCES, SYNTHETIC


def write_model_card(
    model: Path,
    correspondence: Path,
    attrition: Path,
    card: Path,
    *,
    name: str,
    source: str,
    data_licence: str | None = None,
    synthetic: bool = False,
) -> None:
    """Write a model's README.md.

    Parameters
    ----------
    model : the embedding.keras.
    correspondence : avc.csv of the model, of evaluate_avc.
    attrition : attrition.csv of the run: which clips of each subset and split could be had.
    card : Markdown written.
    name : of the model.
    source : of the clips: youtube, http or directory.
    data_licence : of the training clips; None says what is known of the source.
    synthetic : whether the clips are.
    """
    about = read_keras_metadata(model)
    columns = ["test_subset", "accuracy", "ci_low", "ci_high", "n", "n_units", "unit"]
    rows = read_table(correspondence, columns, "evaluate_avc")[columns].to_dict("records")
    counts = read_table(attrition, ["subset", "split", "status", "n"], "report_attrition")
    facts = CardFacts(
        name=name,
        clips={(row.split, row.status): int(row.n) for row in counts.itertuples() if row.subset == about["subset"]},
        correspondence=rows,
        synthetic=synthetic,
        licence=data_licence or (SYNTHETIC if synthetic else SOURCES[source]),
    )
    atomic.write_text(card, model_card(about, facts))


if __name__ == "__main__":
    stage.main(write_model_card, globals().get("snakemake"))
