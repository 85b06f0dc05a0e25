"""Plot the accuracy of every class: the reference model beside the embeddings that are not ours."""

from pathlib import Path

from l3net.report import best_checkpoints, display_name, figure_style, read_table, reference_embedding, titles_in
from l3net.runtime import stage

_SHOWN_AT_MOST = 3


def plot_class_accuracy(
    by_class: Path, svg: Path, png: Path, *, reference: str, confidence: float = 0.95, synthetic: bool = False
) -> None:
    """Draw a panel for each data set: accuracy of each class with its interval, classes sorted by the reference."""
    scores = best_checkpoints(read_table(by_class, ["model", "checkpoint", "unit"], "collect_scores"))
    ours, titles = reference_embedding(scores, reference), titles_in(scores)
    others = sorted(scores.loc[scores["kind"] != "l3", "embedding"].unique())
    embeddings = list(dict.fromkeys([ours, *others]))
    left_out, embeddings = embeddings[_SHOWN_AT_MOST:], embeddings[:_SHOWN_AT_MOST]
    datasets = sorted(scores["dataset"].unique())
    tallest = max(scores.groupby("dataset")["label"].nunique())
    figure, axes = figure_style.panels(len(datasets), height=1.1 + 0.26 * tallest)
    for ax, dataset in zip(axes[0], datasets, strict=True):
        here = scores[scores["dataset"] == dataset].set_index(["embedding", "label"])
        labels = here.loc[ours].sort_values("accuracy").index
        thick = 0.8 / len(embeddings)
        for e, embedding in enumerate(embeddings):
            found = here.loc[embedding].loc[labels]
            y = [row + (e - (len(embeddings) - 1) / 2) * -thick for row in range(len(labels))]
            errors = [
                (found["accuracy"] - found["ci_low"]).clip(lower=0),
                (found["ci_high"] - found["accuracy"]).clip(lower=0),
            ]
            look = {
                "color": figure_style.COLOURS[e] + "AA",
                "hatch": figure_style.HATCHES[e],
                "edgecolor": figure_style.COLOURS[e],
            }
            ax.barh(y, found["accuracy"], thick * 0.9, label=titles[embedding], **look)
            ax.errorbar(found["accuracy"], y, xerr=errors, fmt="none", ecolor="#333333", elinewidth=0.7)
        counts = here.loc[ours, "n_clips"]
        names = [f"{label.replace('_', ' ')} ({counts[label]})" for label in labels]
        ax.set_yticks(range(len(labels)), names, fontsize=8)
        ax.set_title(display_name(dataset))
        ax.set_xlim(0, 1)
        ax.set_xlabel("accuracy (%)")
        ax.grid(axis="x")
        figure_style.percent(ax, "x")
    figure_style.legend_above(figure)
    note = f"protocol: {scores['protocol'].iloc[0]}; lines: {100 * confidence:g} % intervals over "
    note += f"{' or '.join(sorted({f'{unit}s' for unit in scores['unit']}))}; (n): clips"
    note += f"; not shown: {', '.join(left_out)}" * bool(left_out)
    figure_style.save(figure, svg, png, synthetic=synthetic, note=note)


if __name__ == "__main__":
    stage.main(plot_class_accuracy, globals().get("snakemake"))
