"""What is drawn in each figure is what its table says: no two numbers of a table are alike, so that a swap shows."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure

from l3net.errors import DatasetError
from l3net.report import figure_style
from tests.stages.loading import stage_function
from tests.tiny_datasets import write_embeddings

PAPER = Path(__file__).parents[2] / "resources" / "paper_results.csv"


@pytest.fixture
def drawn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Return a function that draws a figure of tables, each a list of rows, and gives it with what was said below."""
    kept: dict[str, object] = {}
    monkeypatch.setattr(figure_style, "save", lambda figure, svg, png, **how: kept.update(figure=figure, **how))

    def draw(name: str, *tables: list[dict] | list[list[dict]] | list[Path] | Path, **params: object) -> Figure:
        files = [_written(tmp_path / f"{n}", table) for n, table in enumerate(tables)]
        stage = stage_function(f"plot_{name}")
        stage(*files, tmp_path / "a.svg", tmp_path / "a.png", **params)
        figure = kept["figure"]
        _tell_every_missing_column(tmp_path, lambda: stage(*files, tmp_path / "b.svg", tmp_path / "b.png", **params))
        return figure

    return draw


def _tell_every_missing_column(folder: Path, stage: Callable[[], None]) -> None:
    """Run a stage once for each column of each table without it: it is not needed, or the error names it."""
    for path in folder.glob("*.csv"):
        whole = pd.read_csv(path, dtype=str, keep_default_na=False)
        for column in whole:
            whole.drop(columns=column).to_csv(path, index=False)
            try:
                stage()
            except DatasetError as error:
                assert f"{path.name}: no column {column}; expected a file of " in str(error)
        whole.to_csv(path, index=False)


def _written(place: Path, table: object) -> object:
    """Write rows as a CSV, a list of tables as one each; what is a path already stays."""
    if isinstance(table, Path) or (isinstance(table, list) and isinstance(table[0], Path)):
        return table
    if isinstance(table[0], list):
        return [_written(place.with_name(f"{place.name}-{n}"), one) for n, one in enumerate(table)]
    pd.DataFrame(table).to_csv(place.with_suffix(".csv"), index=False)
    return place.with_suffix(".csv")


def title(ax: Axes) -> str:
    return ax.get_title() or ax.get_title(loc="left")


def lines(ax: Axes) -> dict[str, list[tuple[float, float]]]:
    """Return the points of each line that is named in the legend."""
    found = {line.get_label(): list(zip(line.get_xdata(), line.get_ydata(), strict=True)) for line in ax.lines}
    return {name: points for name, points in found.items() if not name.startswith("_")}


def intervals(ax: Axes) -> list[tuple[float, float, float]]:
    """Return (point, low, high) of each error bar along x, from the bottom up."""
    found = []
    for bar in ax.containers:
        ((low, y), (high, _)) = next(one for one in bar.lines[2] if isinstance(one, LineCollection)).get_segments()[0]
        found.append((y, (float(bar.lines[0].get_xdata()[0]), round(float(low), 6), round(float(high), 6))))
    return [interval for _, interval in sorted(found)]


def test_training_curves(drawn) -> None:
    histories = [
        [{"epoch": e, "accuracy": start + 0.1 * e, "val_accuracy": start + value} for e, value in ((1, 0.2), (2, 0.05))]
        for start in (0.3, 0.5)
    ]
    figure = drawn("training_curves", histories, models=["music-mel128", "music-linear"])
    for ax, start, name in zip(figure.axes, (0.3, 0.5), ("mel128", "linear"), strict=True):
        assert name in title(ax)
        found = {label: np.ravel(points).tolist() for label, points in lines(ax).items()}
        assert found["training"] == pytest.approx([1, start + 0.1, 2, start + 0.2])
        assert found["validation"] == pytest.approx([1, start + 0.2, 2, start + 0.05])
        assert found["best epoch"] == pytest.approx([1, start + 0.2])


def test_the_mark_of_synthetic_data_stands_clear_of_the_legend(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The narrowest figure with a legend above it: the curves of one model."""
    kept, save = [], figure_style.save
    monkeypatch.setattr(figure_style, "save", lambda figure, *a, **how: (kept.append(figure), save(figure, *a, **how)))
    history = _written(tmp_path / "history", [{"epoch": e, "accuracy": 0.6, "val_accuracy": 0.6} for e in (1, 2)])
    files = ([history], tmp_path / "a.svg", tmp_path / "a.png")
    stage_function("plot_training_curves")(*files, models=["music-mel128"], synthetic=True)
    (figure,) = kept
    figure.draw_without_rendering()
    assert figure._suptitle.get_text() == "SYNTHETIC DATA"
    assert not figure._suptitle.get_window_extent().overlaps(figure.legends[0].get_window_extent())


def test_correspondence(drawn) -> None:
    rows, accuracy = [], 0.5
    for model, trained in (("music-mel128", "music"), ("environmental-linear", "environmental")):
        for tested in ("music", "environmental"):
            accuracy += 0.1
            ends = {"ci_low": accuracy - 0.03, "ci_high": accuracy + 0.05}
            rows.append({"model": model, "train_subset": trained, "test_subset": tested, "n": 64, "n_units": 9} | ends)
            rows[-1]["accuracy"] = accuracy
    figure = drawn("correspondence", rows)
    for ax, wanted in zip(figure.axes, ((0.9, 0.7), (0.8, 0.6)), strict=True):  # the second model at the bottom
        assert intervals(ax) == [pytest.approx((a, a - 0.03, a + 0.05)) for a in wanted]
        own = 1 if "music" in title(ax).lower() else 0  # the model that was trained on what is tested, from the bottom
        found = {bar.get_label(): bar.lines[0].get_ydata()[0] for bar in ax.containers}
        assert found == {"tested on the subset trained on": own, "tested on another subset": 1 - own}
    assert [tick.get_text() for tick in figure.axes[0].get_yticklabels()] == [
        "L3 env. linear",
        "L3 music mel128",
    ]
    assert ["environmental" in title(ax).lower() for ax in figure.axes] == [True, False]


def test_pairing(drawn) -> None:
    pairings, rows, accuracy = ("overlapping", "last_frame"), [], 0.5
    for trained in pairings:
        for tested in pairings:
            accuracy += 0.1
            row = {"model": "music-mel128", "trained_on": trained, "tested_on": tested, "n": 64, "n_units": 6}
            rows.append({**row, "accuracy": accuracy, "ci_low": accuracy - 0.03, "ci_high": accuracy + 0.05})
    offsets = [{"pairing": "overlapping", "seconds": 0, "n": 30}, {"pairing": "last_frame", "seconds": 0, "n": 1}]
    offsets += [{"pairing": "overlapping", "seconds": 1, "n": 10}, {"pairing": "last_frame", "seconds": 4, "n": 3}]
    figure = drawn("pairing", [rows], [offsets])
    bars = {
        bar.get_label(): [(round(b.get_x() + b.get_width() / 2), b.get_height()) for b in bar]
        for bar in figure.axes[0].containers
    }
    assert bars == {"overlapping": [(0, 0.75), (1, 0.25)], "last_frame": [(0, 0.25), (4, 0.75)]}
    for bar, wanted in zip(figure.axes[1].containers, ((0.6, 0.7), (0.8, 0.9)), strict=True):
        assert bar.lines[0].get_ydata() == pytest.approx(wanted)
        segments = bar.lines[2][0].get_segments()
        assert [tuple(s[:, 1]) for s in segments] == [pytest.approx((a - 0.03, a + 0.05)) for a in wanted]


def test_attrition(drawn) -> None:
    counts = [("train", "ok", 6), ("train", "removed", 2), ("valid", "ok", 3), ("valid", "private", 1)]
    of_label = [("Drum", "ok", 1), ("Drum", "removed", 4), ("Guitar", "ok", 9), ("Guitar", "private", 1)]
    figure = drawn(
        "attrition",
        [{"subset": "music", "split": split, "status": status, "n": n} for split, status, n in counts],
        [{"subset": "music", "label": label, "status": status, "n": n} for label, status, n in of_label],
    )

    def bars(ax: Axes) -> dict[str, list[tuple[int, float]]]:
        found: dict[str, list[tuple[int, float]]] = {}
        for bar in ax.containers:
            places = [(round(b.get_y() + b.get_height() / 2), round(b.get_width(), 4)) for b in bar if b.get_width()]
            found.setdefault(bar.get_label(), []).extend(places)
        return found

    assert bars(figure.axes[0]) == {"ok": [(0, 0.75), (1, 0.75)], "removed": [(0, 0.25)], "private": [(1, 0.25)]}
    assert bars(figure.axes[1]) == {"ok": [(0, 0.2), (1, 0.9)], "removed": [(0, 0.8)], "private": [(1, 0.1)]}
    assert [title(ax) for ax in figure.axes] == ["subset and split", "labels that lost most"]
    names = [[tick.get_text() for tick in ax.get_yticklabels()] for ax in figure.axes]
    assert names == [["music, train (8)", "music, valid (4)"], ["Drum, music (5)", "Guitar, music (10)"]]


def test_confusion(drawn) -> None:
    """Of the class a a third is taken for b, of b none for a."""
    answers = [("a", "a"), ("a", "a"), ("a", "b"), ("b", "b"), ("b", "b")]
    facts = {"dataset": "us8k", "kind": "l3", "protocol": "paper", "seed": 0}
    tables = [
        [{**facts, "embedding": name, "label": label, "predicted": found} for label, found in shown]
        for name, shown in (("l3-music-linear", answers[::-1]), ("l3-music-mel128", [(b, a) for a, b in answers]))
    ]
    identities = {f"l3-music-{name}": {"model": f"music-{name}", "checkpoint": "best"} for name in ("linear", "mel128")}
    figure = drawn("confusion", tables, identities=identities, reference="l3-music-mel128")
    first, second = (ax for ax in figure.axes if ax.images and title(ax))
    assert "mel128" in title(first)
    assert "linear" in title(second)
    assert np.asarray(second.images[0].get_array()) == pytest.approx(np.array([[2 / 3, 1 / 3], [0, 1]]))
    assert np.asarray(first.images[0].get_array()) == pytest.approx(np.array([[1, 0], [1 / 3, 2 / 3]]))


def scores(**changes: object) -> dict[str, object]:
    """Return a row of a table of accuracies."""
    row = {
        "dataset": "us8k",
        "embedding": "l3-music-linear",
        "model": "music-linear",
        "checkpoint": "best",
        "kind": "l3",
    }
    row |= {"front_end": "linear", "subset": "music", "protocol": "paper", "fold": "1", "seed": 0, "n_classes": 10}
    row |= {"epoch": 8, "samples_seen": 6144, "unit": "recording", "model_seed": 0, "n_clips": 7, "n": 70, "n_units": 9}
    return {**row, "accuracy": 0.5, "ci_low": 0.4, "ci_high": 0.6, **changes}


def of_model(subset: str, front_end: str) -> dict[str, str]:
    name = f"{subset}-{front_end}"
    return {"embedding": f"l3-{name}", "model": name, "subset": subset, "front_end": front_end}


@pytest.mark.parametrize(
    ("name", "place", "group"),
    [("input_representation", "front_end", "subset"), ("training_subset", "subset", "front_end")],
)
def test_boxes_over_folds(drawn, monkeypatch: pytest.MonkeyPatch, name: str, place: str, group: str) -> None:
    rows, wanted, accuracy = [], {}, 0.2
    for subset in ("environmental", "music"):
        for front_end in ("linear", "mel128"):
            for fold in ("1", "2"):
                for seed in (0, 1):
                    accuracy += 0.01
                    rows.append(scores(**of_model(subset, front_end), fold=fold, seed=seed, accuracy=accuracy))
            key = {"subset": subset, "front_end": front_end}
            wanted[key[place], key[group]] = pytest.approx([accuracy - 0.025, accuracy - 0.005])
    seen = []
    monkeypatch.setattr(
        figure_style, "grouped_boxes", lambda ax, values, places, groups: seen.append((values, places, groups))
    )
    drawn(name, rows, protocol="paper")
    values, places, groups = seen[0]  # the others are of tables without a column
    assert values == wanted
    assert {"front_end": ["linear", "mel128"], "subset": ["environmental", "music"]}[place] == list(places)
    assert {"front_end": ["linear", "mel128"], "subset": ["environmental", "music"]}[group] == list(groups)


def test_training_samples(drawn) -> None:
    """The star is at the kept epoch; a point of the line is the mean over folds."""
    rows = [scores(fold=fold, samples_seen=2000, accuracy=a) for fold, a in (("1", 0.55), ("2", 0.65))]
    for epoch, seen, mean in ((1, 1000, 0.3), (3, 3000, 0.4)):
        name = {"checkpoint": f"epoch-{epoch:03d}", "embedding": f"l3-music-linear-epoch-{epoch:03d}", "epoch": epoch}
        rows += [
            scores(**name, samples_seen=seen, fold=fold, accuracy=mean + a) for fold, a in (("1", -0.1), ("2", 0.1))
        ]
    (ax,) = drawn("training_samples", rows, protocol="paper").axes
    ((_, points),) = [(name, found) for name, found in lines(ax).items() if "linear" in name]
    assert np.ravel(points).tolist() == pytest.approx([1000, 0.3, 3000, 0.4])
    star = next(one for one in ax.collections if one.get_label().startswith("kept epoch"))
    assert star.get_offsets().tolist() == [pytest.approx([2000, 0.6])]


def test_embedding_type(drawn) -> None:
    overall, folds = [], []
    for k, (name, kind) in enumerate((("l3-music-linear", "l3"), ("random", "random"))):
        facts = {"embedding": name, "kind": kind, "model": "music-linear" if kind == "l3" else ""}
        accuracy = 0.7 - 0.3 * k
        overall.append(scores(**facts, accuracy=accuracy, ci_low=accuracy - 0.03, ci_high=accuracy + 0.05))
        folds += [scores(**facts, fold=fold, accuracy=accuracy + a) for fold, a in (("1", -0.1), ("2", 0.06))]
    (ax,) = drawn("embedding_type", overall, folds, PAPER, protocol="paper", synthetic=True).axes
    assert intervals(ax) == [pytest.approx((a, a - 0.03, a + 0.05)) for a in (0.4, 0.7)]
    dots = sorted(
        tuple(point) for one in ax.collections if not isinstance(one, LineCollection) for point in one.get_offsets()
    )
    assert dots == [pytest.approx(p) for p in ((0.3, 0), (0.46, 0), (0.6, 1), (0.76, 1))]
    assert "untrained" in ax.get_yticklabels()[0].get_text().lower()


def test_class_accuracy(drawn) -> None:
    values = {("siren", "linear"): 0.9, ("siren", "mel128"): 0.3, ("drill", "linear"): 0.2, ("drill", "mel128"): 0.6}
    clips = {"siren": 7, "drill": 12}
    rows = [
        scores(**of_model("music", front_end), label=label, accuracy=a, n_clips=clips[label])
        for (label, front_end), a in values.items()
    ]
    figure = drawn("class_accuracy", rows, reference="music-mel128")
    ax = figure.axes[0]
    assert np.asarray(ax.images[0].get_array()).tolist() == [[0.6, 0.2], [0.3, 0.9]]  # by the reference, which is first
    assert [tick.get_text() for tick in ax.get_yticklabels()] == ["drill (12)", "siren (7)"]
    assert ["mel128" in tick.get_text() for tick in ax.get_xticklabels()] == [True, False]


def test_embedding_map(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each panel shows the vectors of the embedding and data set that it is named after."""
    files = []
    for dataset in ("dcase2013", "us8k"):
        for embedding in ("l3-music-linear", "random"):
            files.append(tmp_path / dataset / f"{embedding}.h5")
            write_embeddings(files[-1], dataset=dataset, embedding=embedding)
    stage, seen, kept = stage_function("plot_embedding_map"), [], []
    monkeypatch.setitem(stage.__globals__, "clip_means", lambda clips, seed: (clips.attributes, seed))
    monkeypatch.setitem(
        stage.__globals__, "_scatter", lambda ax, about, seed: seen.append((ax, dict(about), seed)) or 5
    )
    monkeypatch.setattr(figure_style, "save", lambda figure, *_, **__: kept.append(figure))
    identities = {"l3-music-linear": {"model": "music-linear"}}
    stage(files, tmp_path / "a.svg", tmp_path / "a.png", identities=identities, seed=11)
    (figure,) = kept
    assert [(about["dataset"], about["embedding"], seed) for _, about, seed in seen] == [
        (dataset, embedding, 11) for dataset in ("dcase2013", "us8k") for embedding in ("l3-music-linear", "random")
    ]
    assert [figure.axes.index(ax) for ax, _, _ in seen] == [0, 1, 2, 3]
    assert "linear" in title(figure.axes[0])
