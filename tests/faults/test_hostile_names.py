"""Odd and hostile names of classes and files, from a data set to the report in a browser: no script runs there."""

import csv
import html
import os
import re
import shutil
import subprocess
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest
import yaml

from l3net.errors import DatasetError
from l3net.report import figure_text
from l3net.report.tables import read_table
from tests import tiny_datasets
from tests.faults.hostile_names import CLASSES, FILES, MARK
from tests.faults.results import Notes
from tests.stages.loading import stage_function
from tests.workflow.stub_run import StubRun

BEFORE = ("audioset.smk", "demo.smk", "samples.smk", "training.smk")
SUBSETS = {"music": "resources/filters/music.csv", "environmental": None}
CHANGES = {
    "run": "hostile",
    "audioset": {"subsets": SUBSETS, "segments": ["presets/demo.yaml"], "parts": 10, "directory": "presets"},
    "models": {"subsets": ["music"], "front_ends": ["mel128"], "seeds": [0]},
    "front_end": {"version": "training", "hop_length": 1936},
    "train": {"checkpoints": [2]},
    "embeddings": {"random": None, "cheap": {"kind": "hear", "module": "tests.faults.cheap_embedding"}},
    "embed": {"pooling": 512, "hop_seconds": 0.5},
    "classify": {"classifier": "linear", "curve": [], "hidden": [8], "max_epochs": 2},
    "report": {"reference": "music-mel128", "bootstrap_draws": 20},
}


def lay_out(folder: Path) -> Path:
    """Write a data set whose classes and files bear the names, three files of each class, one in each fold."""
    rows = []
    for n, label in enumerate(CLASSES.values()):
        for fold in range(3):
            name = f"{fold} " + list(FILES.values())[n] if fold else list(FILES.values())[n]
            tiny_datasets.write_sound(folder / name, 3 * n + fold)
            rows.append([name, label, str(fold), f"group {n} {fold}"])
    with open(folder / "metadata.csv", "w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([["filename", "label", "fold", "group"], *rows])
    return folder


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory, root: Path) -> Path:
    """The folder of a run with the names, with its report; what comes before the data set is stood in for."""
    folder = tmp_path_factory.mktemp("hostile names")
    made = StubRun(folder, root, work=None)
    for name in BEFORE:
        rules = folder / "rules" / name
        command = '    shell:\n        "{sys.executable} -m tests.faults.stand_in {output:q}"'
        rules.write_text(re.sub(r'(?m)^    script:\n +".*"$', command, rules.read_text()))
    dataset = lay_out(folder / "own sounds")
    changes = {**CHANGES, "datasets": {"us8k": None, "esc50": None, "dcase2013": None}}
    changes["datasets"]["own"] = {"layout": "folder", "source": str(dataset)}
    (folder / "changed.yaml").write_text(yaml.safe_dump(changes, allow_unicode=True))
    options = ["--configfile", "presets/demo.yaml", "changed.yaml"]
    before = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = f"{root}{os.pathsep}{before or ''}"
    try:
        made.snakemake("--cores", 2, *options)
        made.snakemake("--cores", 1, *options, "--report", "report.html")
    finally:
        os.environ.pop("PYTHONPATH") if before is None else os.environ.update(PYTHONPATH=before)
    assert not list(folder.rglob("hurt"))
    return folder


def test_every_class_and_file_arrives_as_it_is_called(finished: Path) -> None:
    table = read_table(finished / "results" / "hostile" / "scores" / "own" / "l3-music-mel128.csv")
    assert sorted(set(table["label"])) == sorted(CLASSES.values())
    assert set(FILES.values()) < set(table["filename"])
    by_class = read_table(finished / "results" / "hostile" / "tables" / "class_accuracy.csv")
    assert set(by_class["label"]) == set(CLASSES.values())


@pytest.mark.parametrize("kind", CLASSES)
def test_figures_have_the_label(finished: Path, kind: str, notes: Notes) -> None:
    figures = finished / "results" / "hostile" / "figures"
    for name in ("confusion", "class_accuracy"):
        text = (figures / f"{name}.svg").read_text(encoding="utf-8")
        ElementTree.fromstring(text)  # two dashes end a comment of XML
        drawn = [html.unescape(found) for found in re.findall(r"<!-- (.*?) -->", text, re.DOTALL)]
        label = figure_text.drawable(CLASSES[kind].replace("_", " ") if name == "x" else CLASSES[kind])
        shown = [words for words in drawn if _alike(words, label)]
        assert shown, f"{name}: {label!r} is not among {drawn[:40]}"
    notes.note("cases", f"class called: {kind}", must="in the figures, in the report, no script runs",
               came="as it must", test="test_figures_have_the_label, test_no_script_runs_in_the_report")  # fmt: skip


def _alike(drawn: str, label: str) -> bool:
    """Whether a text of a figure is a label, shortened perhaps; XML's comments cannot have two dashes."""
    plain = re.sub(r"[\s_-]+", "", drawn)
    wanted = re.sub(r"[\s_-]+", "", label)
    return plain.startswith(wanted[:12])


def browser() -> str:
    found = next(
        (path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), None
    )
    if found is None:
        pytest.skip("no chromium is installed")
    return found


def opened(path: Path) -> str:
    """Return the page's DOM after its scripts ran."""
    command = [browser(), "--headless", "--no-sandbox", "--disable-gpu", "--virtual-time-budget=5000", "--dump-dom"]
    done = subprocess.run([*command, path.resolve().as_uri()], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


def test_no_script_runs_in_the_report(finished: Path, tmp_path: Path) -> None:
    results = finished / "results" / "hostile"
    (tmp_path / "control.html").write_text(f"<p>{CLASSES['picture that fails']}</p>")
    assert f"data-{MARK}=" in opened(tmp_path / "control.html").partition(">")[0] + ">"  # the browser runs scripts
    pages = [finished / "report.html", *sorted(results.glob("tables/*.html"))]
    pages += [results / "figures" / f"{name}.svg" for name in ("confusion", "class_accuracy", "embedding_map")]
    for page in pages:
        dom = opened(page)
        assert f"data-{MARK}=" not in dom.partition("<body")[0], page
        assert "error on line" not in dom, page  # of XML


def test_a_line_break_in_a_name_is_refused(tmp_path: Path) -> None:
    tiny_datasets.write_sound(tmp_path / "a.wav", 1)
    (tmp_path / "metadata.csv").write_text('filename,label,fold\na.wav,"two\nlines",1\n')
    settings = {"layout": "folder", "source": str(tmp_path)}
    with pytest.raises(DatasetError, match=r"'a\.wav': a line break in label; expected text of one line"):
        stage_function("fetch_dataset")("own", settings, tmp_path / "index.csv", tmp_path / "downloads")
