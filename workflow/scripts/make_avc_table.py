"""Make the table of audio-visual correspondence of all models, beside the paper's, with its page and its answer."""

from pathlib import Path

from l3net.files import atomic
from l3net.report import pages, read_table, write_table
from l3net.report import summary as summaries
from l3net.runtime import stage

_COLUMNS = ["train_subset", "test_subset", "front_end", "epoch", "n", "accuracy", "ci_low", "ci_high", "n_units"]


def make_avc_table(
    scores: list[Path],
    paper: Path,
    avc: Path,
    page: Path,
    answer: Path,
    *,
    models: list[str],
    confidence: float = 0.95,
    synthetic: bool = False,
) -> None:
    """Write accuracy of correspondence of every model on every subset's test samples.

    Parameters
    ----------
    scores : avc.csv of every model, of evaluate_avc.
    paper : the paper's numbers; they stand beside ours where ours are of real data.
    avc : CSV written.
    page : HTML written, the table as the report shows it.
    answer : HTML written, with which the report of a run without data sets begins.
    models : names of the models, in the order of `scores`.
    confidence : of the intervals in `scores`.
    synthetic : the clips are synthetic; said in the table and on the pages.
    """
    import pandas as pd

    published = summaries.read_paper(paper)
    tables = [read_table(path, _COLUMNS, "evaluate_avc") for path in scores]
    found = pd.concat([table.assign(model=model) for table, model in zip(tables, models, strict=True)])
    table = summaries.correspondence_beside_paper(found, published, synthetic=synthetic)
    write_table(table, avc, float_format="%.6g")
    note = "Does a sound belong to a picture? Percent of test samples answered rightly, with "
    note += f"{100 * confidence:g} % intervals over clips; guessing gives 50 %. No model was trained on their videos."
    printed = summaries.printed_correspondence(table)
    pages.write_page(page, "Audio-visual correspondence", printed, synthetic=synthetic, note=note)
    said = pages.answer_correspondence(table, confidence=confidence, synthetic=synthetic)
    atomic.write_text(answer, said + pages.to_html(printed))


if __name__ == "__main__":
    stage.main(make_avc_table, globals().get("snakemake"))
