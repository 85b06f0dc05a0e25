"""From predictions to tables and figures: every table re-made by hand, every figure opened."""

import csv
import json
import re
import xml.etree.ElementTree as ElementTree
from collections import defaultdict
from pathlib import Path
from statistics import mean, stdev

import matplotlib.image
import numpy as np
import pandas as pd
import pytest
import scipy.stats

from l3net.errors import DatasetError
from l3net.report import display_name, model_title, pages
from tests.stages.loading import stage_function
from tests.tiny_datasets import write_embeddings

FRONT_ENDS, SUBSETS = ("linear", "mel128", "mel256"), ("music", "environmental")
CLASSES = (
    "NA",
    "rain_fall",
    "siren",
)  # the first is a word that pandas takes for no value where it is not told otherwise
MODELS = [f"{subset}-{front_end}" for subset in SUBSETS for front_end in FRONT_ENDS]
IDENTITIES = {f"l3-{model}": {"model": model, "checkpoint": "best", "model_seed": 0} for model in MODELS} | {
    f"l3-music-mel256-epoch-{epoch:03d}": {"model": "music-mel256", "checkpoint": f"epoch-{epoch:03d}", "model_seed": 0}
    for epoch in (3, 8)
}
COLLECTED = ("downstream.csv", "overall.csv", "class_accuracy.csv", "against_untrained.csv", "provenance.json")
COLLECTED += ("provenance.html",)
MADE = ("summary.csv", "headline.csv", "summary.md", "summary.tex", "summary.html", "answer.html")
FOLDS = {"us8k": [str(n) for n in range(1, 11)], "dcase2013": ["test"]}
ROOT = Path(__file__).parents[2]


def write_predictions(path: Path, dataset: str, embedding: str, skill: float, **facts: object) -> Path:
    """Write predictions drawn with a chance of `skill` to be right; the clips are the same for every embedding."""
    rng = np.random.default_rng(abs(int(skill * 1e6)) + len(embedding))
    facts = {"kind": "l3", "front_end": "", "subset": "", "epoch": 8, "samples_seen": 6144} | facts
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "w", newline="") as file:
        writer = csv.writer(file)
        named = [
            "dataset",
            "embedding",
            *facts,
            "protocol",
            "seed",
            "fold",
            "filename",
            "label",
            "predicted",
            "correct",
            "group",
        ]
        writer.writerow([*named, *(f"p:{label}" for label in CLASSES)])
        for seed in (0, 1):
            for fold in FOLDS[dataset]:
                for n in range(30):
                    label = CLASSES[n % 3]
                    found = label if rng.random() < skill else str(rng.choice(CLASSES))
                    row = [dataset, embedding, *facts.values(), "paper", seed, fold, f"{fold}-{n}.wav", label, found]
                    recording = f"{fold}-{n % 3}-{n // 6}" if dataset == "us8k" else f"{fold}-{n}"  # two clips of each
                    writer.writerow([*row, int(found == label), recording, 0.4, 0.3, 0.3])
    return path


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run's folder with predictions and everything that is made of them."""
    folder = tmp_path_factory.mktemp("run")
    for dataset in FOLDS:
        scores = folder / "scores" / dataset
        for k, model in enumerate(MODELS):
            subset, front_end = model.split("-")
            facts = {"front_end": front_end, "subset": subset}
            write_predictions(scores / f"l3-{model}.csv", dataset, f"l3-{model}", 0.5 + 0.05 * k, **facts)
        for epoch, skill in ((3, 0.4), (8, 0.6)):
            name = f"l3-music-mel256-epoch-{epoch:03d}"
            facts = {"front_end": "mel256", "subset": "music", "epoch": epoch, "samples_seen": epoch * 768}
            write_predictions(scores / f"{name}.csv", dataset, name, skill, **facts)
        facts = {"kind": "random", "front_end": "mel256", "epoch": -1, "samples_seen": 0}
        write_predictions(scores / "random.csv", dataset, "random", 0.2, **facts)
    tables = folder / "tables"
    stage_function("collect_scores")(
        sorted(folder.glob("scores/*/*.csv")),
        *(tables / name for name in COLLECTED),
        embeddings=IDENTITIES,
        synthetic=True,
    )
    compare = stage_function("compare_embeddings")
    pages = (tables / f"significance.{kind}" for kind in ("csv", "html"))
    compare(tables / "downstream.csv", *pages, reference="music-mel256", synthetic=True)
    _write_models(folder)
    make_tables(folder, tables, synthetic=True)
    return folder


def make_tables(folder: Path, tables: Path, *, synthetic: bool) -> None:
    """Make the tables of correspondence and of downstream accuracy of a run's folder."""
    paper, collected = ROOT / "resources" / "paper_results.csv", folder / "tables"
    avc = [folder / "models" / model / "avc.csv" for model in MODELS]
    outputs = [tables / name for name in ("avc.csv", "avc.html", "avc_answer.html")]
    stage_function("make_avc_table")(avc, paper, *outputs, models=MODELS, synthetic=synthetic)
    inputs = (collected / "overall.csv", collected / "against_untrained.csv", paper)
    stage_function("make_tables")(*inputs, *(tables / name for name in MADE), protocol="paper", synthetic=synthetic)


@pytest.fixture(scope="module")
def real(run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same tables as if the data were real: they stand beside the paper's."""
    folder = tmp_path_factory.mktemp("real")
    make_tables(run, folder / "tables", synthetic=False)
    return folder


def _write_models(folder: Path) -> None:
    for model in MODELS:
        subset, front_end = model.split("-")
        rows = [f"{subset},{test},{front_end},8,512,0.75,0.71,0.79,40" for test in SUBSETS]
        path = folder / "models" / model / "avc.csv"
        path.parent.mkdir(parents=True)
        path.write_text(
            "train_subset,test_subset,front_end,epoch,n,accuracy,ci_low,ci_high,n_units\n" + "\n".join(rows) + "\n"
        )
        history = [f"{e},0.6,{0.5 + 0.03 * e},0.65,{0.5 + 0.02 * e},{e * 768}" for e in range(1, 9)]
        header = "epoch,loss,accuracy,val_loss,val_accuracy,samples_seen\n"
        path.with_name("history.csv").write_text(header + "\n".join(history) + "\n")


def correct_by(run: Path, *keys: str) -> dict[tuple, list[int]]:
    """Read all predictions with nothing but the csv module."""
    found = defaultdict(list)
    for path in run.glob("scores/*/*.csv"):
        with open(path, newline="") as file:
            for row in csv.DictReader(file):
                found[tuple(row[key] for key in keys)].append(int(row["label"] == row["predicted"]))
    return found


def read(path: Path) -> list[dict[str, str]]:
    with open(path, newline="") as file:
        return list(csv.DictReader(file))


def test_downstream_is_what_the_predictions_say(run: Path) -> None:
    rows = read(run / "tables" / "downstream.csv")
    assert list(rows[0])[:8] == ["dataset", "embedding", "front_end", "subset", "epoch", "fold", "n_clips", "accuracy"]
    expected = correct_by(run, "dataset", "embedding", "seed", "fold")
    assert len(rows) == len(expected) == 9 * 2 * (10 + 1)
    for row in rows:
        right = expected[row["dataset"], row["embedding"], row["seed"], row["fold"]]
        assert int(row["n_clips"]) == len(right) == 30
        assert float(row["accuracy"]) == pytest.approx(mean(right), abs=1e-6)
        assert row["synthetic"] == "True"


def test_a_table_says_which_embedding_a_row_is_of(run: Path) -> None:
    for name in ("downstream", "overall", "class_accuracy"):
        for row in read(run / "tables" / f"{name}.csv"):
            expected = IDENTITIES.get(row["embedding"], dict.fromkeys(("model", "checkpoint", "model_seed"), ""))
            assert {key: row[key] for key in expected} == {key: str(value) for key, value in expected.items()}


def test_overall_and_classes_are_what_the_predictions_say(run: Path) -> None:
    expected = correct_by(run, "dataset", "embedding")
    for row in read(run / "tables" / "overall.csv"):
        right = expected[row["dataset"], row["embedding"]]
        assert float(row["accuracy"]) == pytest.approx(mean(right), abs=1e-6)
        assert float(row["ci_low"]) < mean(right) < float(row["ci_high"])
        assert int(row["n_clips"]) == len(right) / 2
        assert (row["unit"], row["n_units"]) == {"us8k": ("recording", "150"), "dcase2013": ("clip", "30")}[
            row["dataset"]
        ]
    by_class = correct_by(run, "dataset", "embedding", "label")
    rows = read(run / "tables" / "class_accuracy.csv")
    assert len(rows) == 2 * 9 * 3
    for row in rows:
        right = by_class[row["dataset"], row["embedding"], row["label"]]
        assert float(row["accuracy"]) == pytest.approx(mean(right), abs=1e-6)
        assert (row["unit"], row["n_units"]) == {"us8k": ("recording", "50"), "dcase2013": ("clip", "10")}[
            row["dataset"]
        ]
        # Two seeds of a clip are two samples: at least as wide as if all samples were independent.
        narrowest = scipy.stats.binomtest(sum(right), len(right)).proportion_ci(0.95, "wilson")
        assert float(row["ci_low"]) <= narrowest.low + 1e-6
        assert float(row["ci_high"]) >= narrowest.high - 1e-6


def test_summary_has_mean_and_deviation_over_folds_and_the_papers_value(run: Path, real: Path) -> None:
    folds = correct_by(run, "dataset", "embedding", "fold")  # both seeds together: seeds are no folds
    rows = read(real / "tables" / "summary.csv")
    assert len(rows) == 2 * 7
    for row in rows:
        key = (row["dataset"], row["embedding"])
        values = [mean(right) for (dataset, embedding, *_), right in folds.items() if (dataset, embedding) == key]
        assert float(row["mean"]) == pytest.approx(mean(values), abs=1e-6)
        if len(values) > 1:
            assert float(row["std"]) == pytest.approx(stdev(values), abs=1e-6)
        else:
            assert row["std"] == ""
        paper = {("us8k", "l3-music-mel256"): 0.7823, ("us8k", "l3-environmental-mel256"): 0.7934}
        paper[("dcase2013", "l3-music-mel256")] = 0.97
        assert row["paper"] == ("" if key not in paper else f"{paper[key]:.6g}")
        if key in paper:
            assert float(row["difference"]) == pytest.approx(mean(values) - paper[key], abs=1e-6)
            assert row["paper_source"].startswith("Cramer et al. 2019")
        assert (row["protocol"], row["synthetic"]) == ("paper", "False")


def test_nothing_of_the_paper_stands_beside_synthetic_numbers(run: Path) -> None:
    tables = run / "tables"
    for name in ("summary.csv", "avc.csv", "headline.csv"):
        assert not [column for column in read(tables / name)[0] if "paper" in column or column == "difference"]
    for name in ("summary.md", "summary.tex", "summary.html", "avc.html"):
        text = (tables / name).read_text()
        assert "SYNTHETIC" in text
        assert not re.search(r"79\.34|78\.23|77\.04|vggish|ifference", text), name


def test_markdown_and_latex_say_what_the_summary_says(real: Path) -> None:
    markdown = (real / "tables" / "summary.md").read_text()
    latex = (real / "tables" / "summary.tex").read_text()
    for text in (markdown, latex):
        assert "protocol: paper" in text
        assert "95 % bootstrap interval (over 30 clips of DCASE 2013 scenes, 150 recordings of UrbanSound8K)" in text
        assert "SYNTHETIC" not in text
    lines = [[cell.strip() for cell in line.strip("|\n").split("|")] for line in markdown.splitlines()[2:]]
    assert lines[0] == ["data set", "embedding", "mean over folds", "over all clips", "paper", "difference", "data"]
    shown = {tuple(line[:2]): line[2:] for line in lines[2:]}
    stored = {(row["dataset"], row["embedding"]): row for row in read(real / "tables" / "summary.csv")}
    only_the_papers = {(dataset, other) for dataset in FOLDS for other in ("vggish", "soundnet")}
    assert shown.keys() == stored.keys() | only_the_papers
    assert shown["us8k", "vggish"] == ["", "", "73.43", "", "paper's"]
    for key, row in stored.items():
        numbers = {name: float(row[name] or "nan") * 100 for name in ("mean", "std", "accuracy", "ci_low", "ci_high")}
        assert shown[key][0] == ("{mean:.1f} ± {std:.1f}" if row["n_folds"] != "1" else "{mean:.1f}").format(**numbers)
        assert shown[key][1] == "{accuracy:.1f} ({ci_low:.1f} to {ci_high:.1f})".format(**numbers)
        assert shown[key][4] == "real"
        if row["paper"]:
            assert float(shown[key][2]) == pytest.approx(100 * float(row["paper"]))
            assert float(shown[key][3]) == pytest.approx(100 * float(row["difference"]), abs=0.06)
            assert shown[key][3][0] in "+-"
        else:
            assert shown[key][2:4] == ["", ""]
    for key, line in shown.items():
        assert f"{' & '.join([*key, *line])} \\\\".replace("±", r"$\pm$") in latex
    assert latex.count(r"\\") == len(shown) + 1


def test_the_headline_has_a_row_for_each_embedding(real: Path) -> None:
    rows = read(real / "tables" / "headline.csv")
    assert list(rows[0]) == ["embedding", "dcase2013", "dcase2013 (paper)", "us8k", "us8k (paper)"]
    shown = {row["embedding"]: row for row in rows}
    stored = read(real / "tables" / "summary.csv")
    assert shown.keys() == {row["embedding"] for row in stored} | {"vggish", "soundnet"}
    assert shown["l3-music-mel256"]["us8k (paper)"] == "78.23"
    assert list(shown["vggish"].values())[1:] == ["", "93", "", "73.43"]
    for row in stored:
        spread = f"\u00a0±\u00a0{100 * float(row['std']):.1f}" if row["n_folds"] != "1" else ""  # DCASE has one fold
        expected = f"{100 * float(row['mean']):.1f}{spread}"
        assert shown[row["embedding"]][row["dataset"]] == expected


def test_avc_stands_beside_the_paper(run: Path, real: Path) -> None:
    rows = read(real / "tables" / "avc.csv")
    columns = (
        "train_subset,test_subset,front_end,epoch,n,accuracy,ci_low,ci_high,n_units,model,paper,difference,synthetic"
    )
    assert ",".join(rows[0]) == columns
    assert [row["model"] for row in rows] == [f"{row['train_subset']}-{row['front_end']}" for row in rows]
    page = (run / "tables" / "avc.html").read_text()
    assert page.count('<td class="number">75.0 (71.0 to 79.0)</td>') == len(rows) == 12
    answer = (run / "tables" / "avc_answer.html").read_text()
    assert answer.startswith("<p><strong>The 6 models tell in 75.0 % on average of the test samples")
    assert "chance is 50 % (intervals above it: 6 of 6) (synthetic data)." in answer
    values = {(r["train_subset"], r["test_subset"]): r["paper"] for r in rows if r["front_end"] == "mel256"}
    assert values[("music", "music")] == "0.7704"
    assert values[("environmental", "environmental")] == "0.7808"
    assert all(row["paper"] == "" for row in rows if row["front_end"] != "mel256")


def test_significance_is_scipys(run: Path) -> None:
    rows = pd.read_csv(run / "tables" / "significance.csv")
    downstream = pd.read_csv(run / "tables" / "downstream.csv", dtype={"fold": str})
    assert set(rows["comparison"]) == {"input_representation", "training_subset", "embedding_type"}
    one = rows[(rows.comparison == "input_representation") & (rows.dataset == "us8k") & (rows["first"] == "linear")]
    row = one[one.second == "mel256"].iloc[0]
    here = downstream[(downstream.dataset == "us8k") & ~downstream.embedding.str.contains("epoch|random")]
    means = here.groupby(["front_end", "fold"]).accuracy.mean()
    pairs = [means[name].to_numpy() for name in ("linear", "mel256")]
    differs = (pairs[0] - pairs[1]).round(9)
    differs = differs[differs != 0]
    assert row.n_pairs == row.n_units == 10
    assert row.n == len(differs)
    expected = scipy.stats.wilcoxon(differs, method=scipy.stats.PermutationMethod(n_resamples=np.inf))
    assert row.statistic == expected.statistic
    assert row.p == pytest.approx(expected.pvalue)
    few = rows[(rows.comparison == "embedding_type") & (rows.dataset == "dcase2013")].iloc[0]
    assert np.isnan(few.p)
    assert few.note.startswith("too few pairs: 1 of 1 differ")


@pytest.mark.parametrize("pairs_of", ["averaged", "published_code"])
def test_every_row_of_significance_is_what_the_predictions_say(run: Path, tmp_path: Path, pairs_of: str) -> None:
    """Pairs re-made from the predictions alone; Holm's correction by its definition."""
    folds = {key: mean(right) for key, right in correct_by(run, "dataset", "embedding", "fold").items()}
    reference = "l3-music-mel256"
    table = tmp_path / "significance.csv"
    how = {"reference": reference.removeprefix("l3-"), "pairs": pairs_of, "synthetic": True}
    stage_function("compare_embeddings")(run / "tables" / "downstream.csv", table, tmp_path / "page.html", **how)
    rows = read(table)
    assert pairs_of != "averaged" or rows == read(run / "tables" / "significance.csv")
    assert len(rows) == (3 + 1 + 1) * 3  # comparisons of two, in two data sets and over both
    for row in rows:
        names = {
            "input_representation": [(f"l3-{s}-{row['first']}", f"l3-{s}-{row['second']}") for s in SUBSETS],
            "training_subset": [(f"l3-{row['first']}-{f}", f"l3-{row['second']}-{f}") for f in FRONT_ENDS],
            "embedding_type": [(reference, "random")],
        }[row["comparison"]]
        here = sorted({(d, *rest) for d, _, *rest in folds if row["dataset"] in (d, "all")})
        pairs = [[(folds[d, one, *rest], folds[d, two, *rest]) for one, two in names] for d, *rest in here]
        if pairs_of == "averaged":
            pairs = [tuple(map(mean, zip(*of_fold, strict=True))) for of_fold in pairs]
        else:
            pairs = [pair for of_fold in pairs for pair in of_fold]
            assert row["comparison"] == "embedding_type" or "not independent" in row["note"]
        assert (row["unit"], int(row["n_units"])) == ("fold", len(here))
        differences = np.round([one - two for one, two in pairs], 9)
        assert int(row["n_pairs"]) == len(pairs)
        assert int(row["n"]) == np.count_nonzero(differences)
        assert float(row["first_mean"]) == pytest.approx(mean(one for one, _ in pairs), abs=1e-5)
        assert float(row["second_mean"]) == pytest.approx(mean(two for _, two in pairs), abs=1e-5)
        assert (row["protocol"], row["synthetic"]) == ("paper", "True")
        if row["p"]:
            kept = differences[differences != 0]
            expected = scipy.stats.wilcoxon(kept, method="asymptotic")
            assert float(row["statistic"]) == expected.statistic
            assert float(row["p_normal"]) == pytest.approx(expected.pvalue, rel=1e-4)
            if len(kept) <= 12:
                expected = scipy.stats.wilcoxon(kept, method=scipy.stats.PermutationMethod(n_resamples=np.inf))
            assert float(row["p"]) == pytest.approx(expected.pvalue, abs=1e-5 if len(kept) <= 12 else 0.03)
            tested = [float(other["p"]) for other in rows if other["comparison"] == row["comparison"] and other["p"]]
            smaller = sorted(p for p in tested if p <= float(row["p"]))
            corrected = max(min(1.0, (len(tested) - k) * p) for k, p in enumerate(smaller))
            assert float(row["p_holm"]) == pytest.approx(corrected, rel=1e-4)
        else:
            assert row["note"].startswith("too few pairs")


def test_provenance_says_what_made_the_tables(run: Path) -> None:
    found = json.loads((run / "tables" / "provenance.json").read_text())
    assert set(found) == {"config", "versions", "commit"}
    assert json.loads(found["config"])["draws"] == 1000


def test_predictions_without_their_columns_are_refused(tmp_path: Path) -> None:
    (tmp_path / "bad.csv").write_text("dataset,embedding\nx,y\n")
    outputs = [tmp_path / name for name in COLLECTED]
    with pytest.raises(DatasetError, match=r"bad\.csv: no column kind, .*classify_dataset"):
        stage_function("collect_scores")([tmp_path / "bad.csv"], *outputs, embeddings={})


def draw(run: Path, name: str, synthetic: bool) -> tuple[Path, Path]:
    """Draw one figure as its rule would."""
    tables = run / "tables"
    folder = run / ("synthetic" if synthetic else "real")
    svg, png = folder / f"{name}.svg", folder / f"{name}.png"
    reference, protocol = {"reference": "music-mel256"}, {"protocol": "paper"}
    downstream = tables / "downstream.csv"
    if name == "embedding_map":
        for dataset in FOLDS:
            for embedding in ("l3-music-mel256", "random"):
                path = run / "embeddings" / dataset / f"{embedding}.h5"
                write_embeddings(path, dataset=dataset, embedding=embedding)
    if name == "attrition":
        rows = ["music,train,ok,90", "music,train,private,4", "music,valid,ok,10", "music,valid,short,1"]
        (run / "attrition.csv").write_text("subset,split,status,n\n" + "\n".join(rows) + "\n")
        rows = ["music,train,/m/a,Guitar,ok,,60", "music,train,/m/b,Drum,ok,,30", "music,train,/m/b,Drum,private,x,4"]
        (run / "by_label.csv").write_text("subset,split,mid,label,status,reason,n\n" + "\n".join(rows) + "\n")
    arguments = {
        "input_representation": ([downstream], protocol),
        "training_subset": ([downstream], protocol),
        "training_samples": ([downstream], protocol),
        "embedding_type": ([tables / "overall.csv", downstream, ROOT / "resources" / "paper_results.csv"], protocol),
        "confusion": (
            [sorted(run.glob("scores/*/*256.csv")) + sorted(run.glob("scores/*/random.csv"))],
            {"identities": IDENTITIES | {"random": {}}, "reference": "l3-music-mel256"},
        ),
        "correspondence": ([tables / "avc.csv"], {}),
        "class_accuracy": ([tables / "class_accuracy.csv"], reference),
        "embedding_map": ([sorted(run.glob("embeddings/*/*.h5"))], {"identities": IDENTITIES}),
        "training_curves": ([[run / "models" / m / "history.csv" for m in MODELS]], {"models": MODELS}),
        "attrition": ([run / "attrition.csv", run / "by_label.csv"], {}),
    }
    inputs, params = arguments[name]
    stage_function(f"plot_{name}")(*inputs, svg, png, **params, synthetic=synthetic)
    return svg, png


FIGURES = ["input_representation", "training_subset", "training_samples", "embedding_type", "confusion"]
FIGURES += ["class_accuracy", "embedding_map", "correspondence", "training_curves", "attrition"]


@pytest.mark.parametrize("name", FIGURES)
def test_figures_open_and_say_that_data_is_synthetic(run: Path, name: str) -> None:
    svg, png = draw(run, name, synthetic=True)
    assert ElementTree.parse(svg).getroot().tag == "{http://www.w3.org/2000/svg}svg"
    assert "<!-- SYNTHETIC DATA -->" in svg.read_text()
    picture = matplotlib.image.imread(png)
    height, width, _ = picture.shape
    assert width >= 600  # 200 dots an inch in print
    assert height >= 300
    inked = (picture[..., :3] < 0.9).any(axis=2)
    assert 0.005 < inked.mean() < 0.6
    assert not inked[:, [0, -1]].all()


def test_attrition_names_the_labels_that_lost_most(run: Path) -> None:
    svg, _ = draw(run, "attrition", synthetic=False)
    said = svg.read_text()
    assert "<!-- Drum, music (34) -->" in said
    assert "Guitar" not in said
    assert "<!-- music, train (94) -->" in said


def test_a_class_whose_name_means_no_value_is_drawn(run: Path) -> None:
    assert "<!-- NA (100) -->" in draw(run, "class_accuracy", synthetic=False)[0].read_text()
    assert "<!-- NA -->" in draw(run, "confusion", synthetic=False)[0].read_text()


def test_maps_of_more_than_five_embeddings_have_several_rows_and_say_which_is_untrained(tmp_path: Path) -> None:
    names = [f"of-{k}" for k in range(6)] + ["random"]
    for name in names:
        write_embeddings(tmp_path / f"{name}.h5", dataset="us8k", embedding=name)
    svg, png = tmp_path / "map.svg", tmp_path / "map.png"
    stage_function("plot_embedding_map")([tmp_path / f"{name}.h5" for name in names], svg, png, identities={})
    said = svg.read_text()
    assert all(said.count(f"<!-- {name} -->") == 1 for name in names[:-1])
    height, width, _ = matplotlib.image.imread(png).shape
    assert width <= 200 * 8 and height > 200 * 2.9  # two rows of five panels and two


def test_figures_of_real_data_bear_no_mark_and_the_same_data_gives_the_same_bytes(run: Path) -> None:
    svg, png = draw(run, "embedding_type", synthetic=False)
    assert "SYNTHETIC" not in svg.read_text()
    for model in MODELS:  # every model, not the reference alone
        assert f"<!-- {model_title(model)} -->" in svg.read_text()
    assert svg.read_text().count("<!-- the paper's mean -->") == 1  # one legend for all panels
    before = svg.read_bytes(), png.read_bytes()
    draw(run, "embedding_type", synthetic=False)
    assert (svg.read_bytes(), png.read_bytes()) == before


def test_runtimes_are_summed_by_rule(tmp_path: Path) -> None:
    header = "s\th:m:s\tmax_rss\tmax_vms\tmax_uss\tmax_pss\tio_in\tio_out\tmean_load\tcpu_time\n"
    for name, seconds in (("train_leg/a/epoch-003", 60.0), ("train_leg/a/epoch-008", 90.0), ("make_tables", 2.0)):
        path = tmp_path / "benchmarks" / f"{name}.tsv"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{header}{seconds}\t0:01:00\t500\t-\t-\t-\t0\t0\t99\t{seconds / 2}\n")
    outputs = [tmp_path / f"runtimes.{kind}" for kind in ("csv", "html", "svg", "png")]
    stage_function("collect_runtimes")(tmp_path / "benchmarks", *outputs)
    rows = read(outputs[0])
    assert [(row["rule"], row["jobs"], row["seconds"], row["longest_seconds"]) for row in rows] == [
        ("train_leg", "2", "150.0", "90.0"),
        ("make_tables", "1", "2.0", "2.0"),
    ]
    assert re.search(
        r"<td>train_leg</td><td class=.number.>2</td><td class=.number.>150\.0</td>", outputs[1].read_text()
    )
    assert ElementTree.parse(outputs[2]).getroot().tag.endswith("svg")
    assert matplotlib.image.imread(outputs[3]).shape[1] >= 600


def cells_of(page: Path) -> list[list[str]]:
    return [re.findall(r"<t[dh][^>]*>(.*?)</t[dh]>", row) for row in page.read_text().split("<tr>")[1:]]


def test_pages_show_the_rows_of_the_tables_in_percent(run: Path) -> None:
    tables = run / "tables"
    head, *shown = cells_of(tables / "summary.html")
    assert head == ["data set", "embedding", "mean over folds", "over all clips", "data"]
    stored = read(tables / "summary.csv")
    assert len(shown) == len(stored)
    for cells, row in zip(shown, stored, strict=True):
        assert cells[:2] == [display_name(row["dataset"]), row["embedding"]]
        assert cells[3].startswith(f"{100 * float(row['accuracy']):.1f} ({100 * float(row['ci_low']):.1f} to ")
    head, *shown = cells_of(tables / "significance.html")
    stored = read(tables / "significance.csv")
    expected = [[display_name(row["dataset"]), row["first"], row["second"]] for row in stored]
    assert [cells[1:4] for cells in shown] == expected
    said, below = cells_of(tables / "significance.html"), (tables / "significance.html").read_text()
    for cells, row in zip(said[1:], stored, strict=True):
        mark = cells[-1]
        assert mark == row["note"] or f"<p><b>{mark}</b>: {row['note'].replace('<', '&lt;')}.</p>" in below
    for cells, row in zip(shown, stored, strict=True):
        assert float(cells[head.index("first (%)")]) == pytest.approx(100 * float(row["first_mean"]), abs=0.051)
        assert cells[head.index("pairs that differ")] == f"{row['n']} of {row['n_pairs']}"
        assert (cells[head.index("p")] == "") is (row["p"] == "")
        if row["p"]:
            assert float(cells[head.index("p")]) == pytest.approx(float(row["p"]), rel=0.05, abs=5e-4)
    found, text = json.loads((tables / "provenance.json").read_text()), (tables / "provenance.html").read_text()
    assert found["commit"] in text
    for package, version in json.loads(found["versions"]).items():
        assert re.search(rf"<td>{package}</td><td[^>]*>{re.escape(version)}</td>", text)
    assert "&quot;draws&quot;: 1000" in text


def test_the_answer_is_what_the_predictions_say(run: Path) -> None:
    """Trained, untrained and chance from the predictions alone; the first sentence and the table say them."""
    right = {key: mean(found) for key, found in correct_by(run, "dataset", "embedding").items()}
    trained = {d: mean(right[d, f"l3-{model}"] for model in MODELS) for d in FOLDS}
    rows = {(row["dataset"], row["embedding"]): row for row in read(run / "tables" / "against_untrained.csv")}
    assert rows.keys() == {(d, name) for d in (*FOLDS, "all") for name in ("", *(f"l3-{model}" for model in MODELS))}
    for (dataset, name), row in rows.items():
        of = [dataset] if dataset in FOLDS else FOLDS
        accuracy = mean(right[d, name] if name else trained[d] for d in of)
        untrained = mean(right[d, "random"] for d in of)
        found = [float(row[key]) for key in ("accuracy", "untrained", "chance", "difference")]
        assert found == pytest.approx([accuracy, untrained, 1 / 3, accuracy - untrained])
        assert float(row["ci_low"]) < accuracy - untrained < float(row["ci_high"])
        assert (row["n_embeddings"], row["against"]) == ("1" if name else "6", "untrained")
    text = (run / "tables" / "answer.html").read_text()
    every = rows["all", ""]
    low, high = (f"{100 * float(every[key]):+.1f}" for key in ("ci_low", "ci_high"))
    assert text.startswith(
        f"<p><strong>{100 * mean(trained.values()):.1f} % of clips on average over 2 data sets are classified rightly "
        f"with what was trained here, {100 * float(every['untrained']):.1f} % with the untrained network and 33.3 % by "
    )
    assert f"(95 % interval {low} to {high}), and the interval is above 0 in " in text
    sure = sum(float(rows[d, ""]["ci_low"]) > 0 for d in FOLDS)
    assert f"above 0 in {sure} of 2 data sets (synthetic data).</strong>" in text


@pytest.mark.parametrize(("low", "said"), [(0.01, "is above 0"), (-0.01, "is not above 0")])
def test_the_answer_of_one_model_and_one_data_set_compares_nothing_with_itself(low: float, said: str) -> None:
    row = {"dataset": "mine", "against": "untrained", "unit": "clip", "n_units": 30, "n_embeddings": 1}
    row |= {"accuracy": 0.7, "untrained": 0.6, "chance": 0.5, "difference": 0.1, "ci_low": low, "ci_high": 0.2}
    table = pd.DataFrame([{**row, "embedding": name} for name in ("", "l3-mine-mel256")])
    text = pages.answer_downstream(table, confidence=0.95, synthetic=False)
    assert f"and the interval {said}.</strong>" in text
    assert "single models" not in text


@pytest.mark.parametrize("name", ["input_representation", "training_subset", "attrition"])
def test_a_hatch_is_as_opaque_as_it_was_drawn(run: Path, name: str) -> None:
    """A fill with a hatch is a pattern in SVG; where it is transparent, the hatch cannot be seen."""
    said = draw(run, name, synthetic=True)[0].read_text()
    patterns = re.findall(r"fill: url\(#\w+\)[^\"]*", said)
    assert patterns
    assert not [style for style in patterns if "opacity" in style]
    for pattern in re.findall(r"<pattern.*?</pattern>", said, flags=re.DOTALL):
        fill, stroke = re.search(r"fill=\"(#\w+)\"", pattern)[1], re.search(r"stroke: (#\w+)", pattern)[1]
        assert contrast(fill, stroke) > 1.5


def contrast(one: str, other: str) -> float:
    """Return the ratio of luminances as the web's accessibility guidelines define it."""

    def luminance(colour: str) -> float:
        parts = [int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5)]
        linear = [p / 12.92 if p <= 0.03928 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("name", ["input_representation", "training_subset", "training_samples", "embedding_type"])
def test_accuracy_begins_at_zero_and_has_its_chance_line(run: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from l3net.report import figure_style

    kept = []
    monkeypatch.setattr(figure_style, "save", lambda figure, *_, **__: kept.append(figure))
    draw(run, name, synthetic=True)
    for ax in kept[0].axes:
        limits = (ax.get_xlim(), ax.get_ylim())[name != "embedding_type"]
        assert limits == (0, 1)
        assert "chance" in [text.get_text() for text in ax.texts]
        dashed = [line for line in ax.lines if line.get_linestyle() == "--"]
        place = [np.unique((line.get_xdata(), line.get_ydata())[name != "embedding_type"]) for line in dashed]
        assert any(np.allclose(values, 1 / 3) for values in place)


def test_figure_4_marks_the_epoch_that_the_tables_show(run: Path) -> None:
    said = draw(run, "training_samples", synthetic=True)[0].read_text()
    assert said.count("<!-- kept epoch, as in the tables -->") == 1
    assert "the last one the last epoch" in " ".join(re.findall("<!-- (.*?) -->", said, flags=re.DOTALL))


def test_the_one_value_of_a_data_set_without_folds_shows_its_group(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from l3net.report import figure_style

    kept = []
    monkeypatch.setattr(figure_style, "save", lambda figure, *_, **__: kept.append(figure))
    draw(run, "training_subset", synthetic=True)
    (of_one_fold,) = [ax for ax in kept[0].axes if ax.get_title(loc="left").startswith("DCASE")]
    markers = {points.get_paths()[0].vertices.round(3).tobytes() for points in of_one_fold.collections}
    assert len(markers) == len(FRONT_ENDS)
