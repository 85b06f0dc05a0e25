"""Pages of the report: tables as text for people, in percent, and the sentence that answers what a run asks; the same
tables in Markdown and LaTeX."""

import html
from pathlib import Path
from typing import TYPE_CHECKING

from l3net.files import atomic
from l3net.report.against_untrained import ACCURACY, ALL_DATASETS, MEASURE
from l3net.report.labels import display_name, model_title

if TYPE_CHECKING:
    import pandas as pd

_SHORT_NOTE = 20  # characters of a note that stands in its cell
_PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title><style>
body {{ font: 13px/1.45 system-ui, sans-serif; margin: 1.5em 1em 1.5em 1.5em; color: #222; }}
table {{ border-collapse: collapse; max-width: 94em; }}
th, td {{ padding: .3em .45em; border-bottom: 1px solid #ddd; text-align: left; vertical-align: top; }}
th {{ position: sticky; top: 0; background: #fff; border-bottom: 2px solid #555; }}
td.number, th.number {{ text-align: right; }}
td.number {{ white-space: nowrap; }}
th {{ max-width: 8em; }}
tr:hover td {{ background: #eef5fb; }}
.synthetic {{ color: #D55E00; font-weight: bold; }}
p {{ max-width: 60em; }}
</style><h1>{title}</h1>{mark}{note}{body}</html>
"""

_WORDS = {"data set", "embedding", "data"}  # columns of the table of accuracies that are no numbers


def write_page(
    path: Path, title: str, table: "pd.DataFrame", *, synthetic: bool, note: str = "", more: str = ""
) -> None:
    """Write a table as a page that opens inside the report.

    Parameters
    ----------
    table : cells as text.
    synthetic : say that the data is synthetic.
    note : a line of text above the table.
    more : HTML below it.
    """
    mark = '<p class="synthetic">SYNTHETIC DATA</p>' if synthetic else ""
    said = f"<p>{html.escape(note)}</p>" if note else ""
    atomic.write_text(path, _PAGE.format(title=html.escape(title), mark=mark, note=said, body=to_html(table) + more))


def to_html(table: "pd.DataFrame") -> str:
    """Return a table of text as HTML; a column whose cells all begin like numbers stands to the right."""
    numbers = {name for name in table if len(table) and table[name].map(_begins_like_a_number).all()}

    def line(tag: str, cells: list[str]) -> str:
        looks = [' class="number"' if name in numbers else "" for name in table]
        filled = zip(looks, cells, strict=True)
        return "<tr>" + "".join(f"<{tag}{look}>{html.escape(str(cell))}</{tag}>" for look, cell in filled) + "</tr>\n"

    body = "".join(line("td", cells) for cells in table.to_numpy().tolist())
    return f"<table>\n<thead>{line('th', list(table.columns))}</thead>\n<tbody>{body}</tbody>\n</table>\n"


def footnotes(texts: "pd.Series") -> tuple["pd.Series", str]:
    """Return a column whose long texts are letters, and as HTML what the letters stand for, below the table.

    Parameters
    ----------
    texts : a column of text, in which the same long texts come again and again.
    """
    long = dict.fromkeys(text for text in texts if len(text) > _SHORT_NOTE)
    marks = {text: chr(ord("a") + k) for k, text in enumerate(long)}
    lines = "".join(f"<p><b>{mark}</b>: {html.escape(text)}.</p>\n" for text, mark in marks.items())
    return texts.map(lambda text: marks.get(text, text)), lines


def to_markdown(table: "pd.DataFrame", note: str) -> str:
    """Return a table in Markdown under its note."""
    rules = ["---" if column in _WORDS else "---:" for column in table.columns]
    lines = [list(table.columns), rules, *table.astype(str).to_numpy().tolist()]
    return f"{note}\n\n" + "".join(f"| {' | '.join(line)} |\n" for line in lines)


def to_latex(table: "pd.DataFrame", note: str) -> str:
    """Return a table for a LaTeX document (package booktabs)."""
    rows = [" & ".join(map(_escape, line)) + r" \\" for line in [list(table.columns), *table.astype(str).to_numpy()]]
    sides = "".join("l" if column in _WORDS else "r" for column in table.columns)
    head = [f"% {note}", rf"\begin{{tabular}}{{{sides}}}", r"\toprule"]
    return "\n".join([*head, rows[0], r"\midrule", *rows[1:], r"\bottomrule", r"\end{tabular}", ""])


def percent(fraction: float, sign: str = "") -> str:
    """Return a fraction in percent to one decimal, nothing where there is none."""
    return "" if fraction != fraction else f"{100 * fraction:{sign}.1f}"


def answer_downstream(against: "pd.DataFrame", *, confidence: float, synthetic: bool) -> str:
    """Return as HTML what a run asks: is what was learned worth anything for recognising sounds?

    Parameters
    ----------
    against : of `compare_with_untrained`.
    confidence : of its intervals.
    synthetic : the data is synthetic, which the first sentence says.
    """
    mean = against[against["embedding"] == ""]
    datasets = mean[mean["dataset"] != ALL_DATASETS]
    averaged = _averaged(datasets)
    overall = (mean[mean["dataset"] == ALL_DATASETS] if len(averaged) > 1 else averaged).iloc[0]
    n_models, n = int(overall["n_embeddings"]), len(averaged)
    has_untrained = overall["against"] == "untrained"
    beside = "the untrained network" if has_untrained else "chance"
    sure = datasets[datasets["ci_low"] > 0]
    known = f"{percent(overall['untrained'])} % with the untrained network and " if has_untrained else ""
    where = f"on average over {n} data sets" if n > 1 else f"of {display_name(averaged['dataset'].iloc[0])}"
    is_right = f"{percent(overall['accuracy'])} % of clips {where} are classified rightly with what was trained here"
    if overall.get(MEASURE, ACCURACY) != ACCURACY:
        is_right = f"The mean average precision {where} is {percent(overall['accuracy'])} % with what was trained here"
    above = f"above 0 in {len(sure)} of {len(datasets)} data sets"
    if len(datasets) == 1:
        above = "above 0" if len(sure) else "not above 0"
    sentence = (
        f"<strong>{is_right}, "
        f"{known}{percent(overall['chance'])} % by chance: training is worth {percent(overall['difference'], '+')} "
        f"points over {beside} ({100 * confidence:g} % interval {percent(overall['ci_low'], '+')} to "
        f"{percent(overall['ci_high'], '+')}), and the interval is {above}{' (synthetic data)' * synthetic}.</strong>"
    )
    of, same = "Scores are over all clips", "untrained is a network of the same front end"
    if n_models > 1:
        of += f"; “trained” is the mean of the {n_models} trained embeddings"
        same = "untrained are networks of the same front ends"
    of += f"; {same}" * has_untrained
    drawn = "intervals are bootstraps over clips, or over the recordings that they were cut from."
    return f"<p>{sentence}</p>\n<p>{of}; {drawn}</p>\n" + to_html(
        _by_dataset(mean, against, has_untrained=has_untrained)
    )


def _averaged(datasets: "pd.DataFrame") -> "pd.DataFrame":
    """Return the data sets that are averaged: not those of clips with several labels, if there are others."""
    of_one = datasets[datasets[MEASURE] == ACCURACY] if MEASURE in datasets else datasets
    return of_one if len(of_one) else datasets


def _by_dataset(mean: "pd.DataFrame", against: "pd.DataFrame", *, has_untrained: bool) -> "pd.DataFrame":
    """Return a row of text for each data set and for their mean."""
    import pandas as pd

    rows = []
    for row in mean.to_dict("records"):
        single = against[(against["dataset"] == row["dataset"]) & (against["embedding"] != "")]
        every = row["dataset"] == ALL_DATASETS
        name = "mean" if every else display_name(row["dataset"])
        if len(set(mean.get(MEASURE, [ACCURACY]))) > 1:
            name += f" ({row[MEASURE]})"
        cells = {"data set": name, "trained (%)": percent(row["accuracy"])}
        if has_untrained:
            cells["untrained (%)"] = percent(row["untrained"])
        cells["chance (%)"] = percent(row["chance"])
        cells["difference (points)"] = _spanned(row)
        if row["n_embeddings"] > 1:
            cells["single models above 0"] = f"{(single['ci_low'] > 0).sum()} of {len(single)}"
        cells["intervals over"] = f"{row['n_units']:.0f} " + ("in all" if every else f"{row['unit']}s")
        rows.append(cells)
    return pd.DataFrame(rows)


def each_against(against: "pd.DataFrame") -> "pd.DataFrame":
    """Return a row for each trained embedding; its difference with the interval in a column for each data set."""
    import pandas as pd

    single, rows = against[against["embedding"] != ""], []
    for name, found in single.groupby("embedding", sort=False):
        by_dataset = {row["dataset"]: row for row in found.to_dict("records")}
        cells = {
            display_name(key): _spanned(by_dataset[key]) for key in single["dataset"].unique() if key in by_dataset
        }
        rows.append({"embedding": name, **{("mean" if k == ALL_DATASETS else k): v for k, v in cells.items()}})
    return pd.DataFrame(rows).fillna("")


def answer_correspondence(avc: "pd.DataFrame", *, confidence: float, synthetic: bool) -> str:
    """Return as HTML what a run without data sets asks: did the models learn which sound belongs to a picture?

    Parameters
    ----------
    avc : the table of correspondence.
    """
    own = avc[avc["train_subset"] == avc["test_subset"]]
    own = own if len(own) else avc
    sure = (own["ci_low"] > 0.5).sum()
    if len(own) == 1:
        row = own.iloc[0]
        found = f"{model_title(row['model'])} tells in {percent(row['accuracy'])} %"
        span = f"{100 * confidence:g} % interval {percent(row['ci_low'])} to {percent(row['ci_high'])}: "
        span += "above chance" if sure else "not shown to be above chance"
    else:
        found = f"The {len(own)} models tell in {percent(own['accuracy'].mean())} % on average"
        span = f"intervals above it: {sure} of {len(own)}"
    sentence = f"{found} of the test samples whether a sound belongs to a picture, where chance is 50 % ({span})"
    return f"<p><strong>{sentence}{' (synthetic data)' * synthetic}.</strong></p>\n"


def _spanned(row: dict) -> str:
    return f"{percent(row['difference'], '+')} ({percent(row['ci_low'], '+')} to {percent(row['ci_high'], '+')})"


def _begins_like_a_number(cell: object) -> bool:
    text = str(cell).lstrip("+-")
    return not text or text[0].isdigit()


def _escape(text: str) -> str:
    for character in "&%_#$":
        text = text.replace(character, "\\" + character)
    return text.replace("±", r"$\pm$")
