"""Plot accuracy by training subset, as box plots over folds (the paper's figure 3)."""

from pathlib import Path

from l3net.report import best_checkpoints, by_main_measure, figure_style, read_table, scores_note
from l3net.runtime import stage

_COLUMNS = ["dataset", "checkpoint", "kind", "front_end", "subset", "fold", "n_classes", "n_clips", "accuracy"]


def plot_training_subset(downstream: Path, svg: Path, png: Path, *, protocol: str, synthetic: bool = False) -> None:
    """Draw a panel for each data set: boxes over folds (seeds averaged) of each training subset, by front end."""
    scores = by_main_measure(best_checkpoints(read_table(downstream, _COLUMNS, "collect_scores")))
    scores = scores[scores["kind"] == "l3"]
    figure = figure_style.boxes_over_folds(scores, "subset", "front_end", legend="input")
    figure_style.save(figure, svg, png, synthetic=synthetic, note=scores_note(scores, protocol))


if __name__ == "__main__":
    stage.main(plot_training_subset, globals().get("snakemake"))
