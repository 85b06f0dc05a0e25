"""What a user gets wrong ends with one clear line and exit code 1."""

from pathlib import Path

import pytest

from tests.workflow.conftest import Workspace


def lines_with(text: str, part: str) -> list[str]:
    return [line for line in text.splitlines() if part in line]


def test_a_misspelt_key_stops_before_anything_runs(workspace: Workspace) -> None:
    ended = workspace.snakemake("-n", *workspace.configure(train={"lerning_rate": 0.1}))
    assert ended.returncode == 1
    (line,) = lines_with(ended.stdout, "lerning_rate")
    assert line == "config: unknown key train.lerning_rate; did you mean train.learning_rate?"
    assert line == ended.stdout.splitlines()[-1]
    assert "Traceback" not in ended.stdout


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "does not exist"),  # Snakemake: a traceback
        (b"run: \xff", "cannot be read as a configuration"),  # so too
        (b"- run: mine", "is a list"),  # Snakemake: a line that names no file
        (b"", "is empty"),
        (b"seed: 1\nseed: 2\n", "has seed twice, in lines 1 and 2"),  # Snakemake takes the last
    ],
)
def test_a_broken_file_of_configuration_is_one_line(content: bytes | None, said: str, workspace: Workspace) -> None:
    if content is not None:
        (workspace.folder / "x.yaml").write_bytes(content)
    ended = workspace.snakemake("-n", "--configfile", "presets/demo.yaml", "x.yaml")
    assert ended.returncode == 1
    assert ended.stdout.splitlines()[-1].startswith(f"config: x.yaml: {said}")
    assert ended.stdout.count("x.yaml") == 1
    assert "Traceback" not in ended.stdout


def test_a_broken_file_of_the_project_is_named_too(workspace: Workspace) -> None:
    (workspace.folder / "config.yaml").unlink()
    (workspace.folder / "config.yaml").write_text("run: [\n")
    ended = workspace.snakemake("-n")
    assert ended.returncode == 1
    assert ended.stdout.splitlines()[-1].startswith("config: config.yaml, line 2, column 1: is no YAML")


def test_a_filter_that_names_no_label_of_the_ontology(workspace: Workspace) -> None:
    filter_file = workspace.folder / "filter.csv"
    filter_file.write_text("label,include_children\nAccordeon,false\n")
    segments = workspace.folder / "segments.csv"
    segments.write_text(
        '# a\n# b\n# YTID, start_seconds, end_seconds, positive_labels\n--2hxJ7vTaE, 0.000, 10.000, "/m/0mkg"\n'
    )
    changed = workspace.configure(
        audioset={"segments": [str(segments)], "subsets": {"music": str(filter_file)}}, models={"subsets": ["music"]}
    )
    ended = workspace.snakemake("results/demo/clips/music.csv", *changed)
    assert ended.returncode == 1
    (line,) = lines_with(ended.stdout, "Accordeon")
    assert line.startswith("select_clips music failed: ")
    assert line.endswith("(log: logs/demo/select_clips/music.log)")
    assert line == ended.stdout.splitlines()[-1]
    assert "filter.csv" in line
    assert "Accordion" in line
    assert "Traceback" not in ended.stdout


def test_a_missing_data_set_folder(workspace: Workspace, tmp_path: Path) -> None:
    missing = tmp_path / "no-such-folder"
    changed = workspace.configure(datasets={"esc50": {"layout": "esc50", "source": str(missing)}})
    ended = workspace.snakemake("results/demo/datasets/esc50.csv", *changed)
    assert ended.returncode == 1
    (line,) = lines_with(ended.stdout, "fetch_dataset esc50 failed: ")
    assert line == ended.stdout.splitlines()[-1]
    assert str(missing) in line
    assert "esc50" in line
    assert "Traceback" not in ended.stdout


def test_a_run_to_compare_with_that_was_not_made(workspace: Workspace) -> None:
    ended = workspace.snakemake("-n", *workspace.configure(report={"other_pairing": "never"}))
    assert ended.returncode == 1
    (line,) = lines_with(ended.stdout, "other_pairing")
    assert "names the run 'never', but results/never/models is not there; make that run first" in line
    assert "Traceback" not in ended.stdout


def test_a_run_without_a_preset_is_nobodys(workspace: Workspace) -> None:
    """Without the default profile, and so without the demo, what stands in config.yaml is no run by itself."""
    ended = workspace.snakemake("-n", "--workflow-profile", "none")
    assert ended.returncode == 1
    (line,) = lines_with(ended.stdout, "config: run")
    assert line.endswith("expected the name that a preset gives, for the paper's run --configfile presets/paper.yaml")


def test_a_cluster_without_a_preset_runs_the_demo(workspace: Workspace) -> None:
    ended = workspace.snakemake("-n", "--profile", "workflow/profiles/slurm", "--executor", "dryrun")
    assert ended.returncode == 0
    assert "results/demo/tables/summary.csv" in ended.stdout
    assert "results/paper" not in ended.stdout


def test_a_run_without_data_sets_ends_with_the_models(workspace: Workspace) -> None:
    none = dict.fromkeys(("us8k", "esc50", "dcase2013"))
    ended = workspace.snakemake("-n", "--quiet", "rules", *workspace.configure(datasets=none, weights=None))
    assert ended.returncode == 0, ended.stdout
    rules = {line.split()[0] for line in ended.stdout.splitlines() if line.split()[1:] and line.split()[1].isdigit()}
    assert {"train_leg", "evaluate_avc", "extract_embedding", "plot_training_curves"} <= rules
    assert not {"fetch_dataset", "embed_dataset", "collect_scores", "make_tables", "plot_confusion"} & rules
