"""The README's recipes, run as they are written: real commands where a machine can, a plan where a run takes hours."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from l3net.demo import generator
from tests import media_sources
from tests.workflow.stub_run import StubRun

ROOT = Path(__file__).parents[2]
# `snakemake` in the recipes is the real one, on a workflow whose work is replaced by `touch`; `make` only says what it
# would do, since it would set up an environment.
SHIM = """#!{shell}
exec {python} -m snakemake "$@"
"""


def recipes() -> dict[str, list[str]]:
    """Return the commands of each section of the README by its title."""
    found: dict[str, list[str]] = {}
    title = ""
    for line in (ROOT / "README.md").read_text().splitlines():
        if line.startswith("#"):
            title = line.lstrip("# ")
        elif re.match(r" {4}(?!results/|\w+: )", line):
            found.setdefault(title, []).append(line.strip().partition("   #")[0].strip())
    return found


RECIPES = recipes()


@pytest.fixture
def place(tmp_path: Path) -> StubRun:
    """A copy of the workflow, its work replaced by ``touch``, with what the recipes take for granted."""
    (tmp_path / "place").mkdir()
    made = StubRun(tmp_path / "place", ROOT)
    (made.folder / "docs").symlink_to(ROOT / "docs")
    shims = tmp_path / "bin"
    shims.mkdir()
    (shims / "snakemake").write_text(SHIM.format(shell="/bin/sh", python=sys.executable))
    (shims / "snakemake").chmod(0o755)
    return made


def type_in(place: StubRun, *commands: str) -> str:
    """Type commands into a shell, one after another, until one fails; return what they print."""
    paths = [str(place.folder.parent / "bin"), str(Path(sys.executable).parent), os.environ["PATH"]]
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"} | {"PATH": ":".join(paths)}
    script = "set -e\n" + "\n".join(commands)
    ended = subprocess.run(
        ["bash", "-c", script],
        cwd=place.folder,
        env=environment,
        text=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=600,
    )
    assert ended.returncode == 0, ended.stdout[-4000:]
    return ended.stdout


def make_targets(*commands: str) -> None:
    """Let make say what it would do, in the project's folder."""
    for command in commands:
        assert command.startswith("make ")
        ended = subprocess.run([*shlex.split(command), "--dry-run"], cwd=ROOT, capture_output=True, text=True)
        assert ended.returncode == 0, ended.stderr


@pytest.mark.parametrize(
    ("command", "line"),
    [
        ("run CONFIG=none.yaml", "CONFIG=none.yaml: no such file"),
        ("report CONFIG=none.yaml", "CONFIG=none.yaml: no such file"),
        ("report CONFIG='presets/own.yaml none.yaml'", "CONFIG=none.yaml: no such file"),
        ("report CONFIG=a.yaml", 'results/of-nobody: no such folder; first: make run CONFIG="a.yaml"'),
    ],
)
def test_what_make_cannot_report_is_a_line(command: str, line: str, tmp_path: Path) -> None:
    for name in ("Makefile", ".venv", "presets"):
        (tmp_path / name).symlink_to(ROOT / name)
    (tmp_path / "a.yaml").write_text("run: of-nobody\n")
    # Started by `make test`, it would be a make within a make.
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}
    line_of_make = f"make --silent --old-file setup {command}"
    ended = subprocess.run(line_of_make, shell=True, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert ended.returncode != 0
    assert [said for said in ended.stderr.splitlines() if not said.startswith("make: ")] == [line]


def write_sounds(folder: Path, classes: int = 2, clips: int = 6) -> None:
    rng = generator(3, "sounds")
    for c in range(classes):
        for k in range(clips):
            path = folder / f"class {c}" / f"sound {k}.wav"
            path.parent.mkdir(parents=True, exist_ok=True)
            tone = np.sin(2 * np.pi * 200 * (c + 1) * np.arange(24_000) / 16_000)
            soundfile.write(path, 0.3 * tone + 0.05 * rng.normal(size=tone.size), 16_000)


def write_model(place: StubRun) -> None:
    from tests.tiny_embedding import write_embedding

    path = place.folder / "results" / "own" / "models" / "mine-mel256" / "embedding.keras"
    path.parent.mkdir(parents=True, exist_ok=True)
    write_embedding(path)


def test_the_readme_has_its_five_recipes() -> None:
    assert [title for title in RECIPES if title in FIVE] == FIVE
    assert RECIPES["Recipes"] == ["make setup", ". .venv/bin/activate"]
    assert RECIPES["Two commands"] == ["make run", "make test"]


FIVE = [
    "Train on my own videos",
    "Embed my sounds",
    "Compare my embedding with L3, YAMNet and SoundNet on my sounds",
    "The paper on SLURM",
    "A workstation with a GPU",
]


def test_train_on_my_own_videos(place: StubRun, tiny_videos: Path) -> None:
    """The list is made of real videos; fetching and training are replaced by touch, the report only planned."""
    (place.folder / "my-videos").symlink_to(tiny_videos)
    videos, run, report = RECIPES[FIVE[0]]
    said = type_in(place, videos, run)
    rows = [row for row in (place.folder / "my" / "segments.csv").read_text().splitlines() if not row.startswith("#")]
    assert len(rows) == 12, said
    assert f"next: {run}\n" in said
    results = place.folder / "results" / "own"
    for name in ("models/mine-mel256/embedding.keras", "tables/avc.csv", "figures/training_curves.svg"):
        assert (results / name).exists()
    # One model and no data set: nothing is compared with itself.
    made = {path.name for path in (*results.glob("figures/*"), *results.glob("tables/*"))}
    assert not made & {"embedding_type.svg", "input_representation.svg", "correspondence.svg", "significance.csv"}
    make_targets(report)


def test_embed_my_sounds(place: StubRun) -> None:
    write_sounds(place.folder / "my-sounds")
    write_model(place)
    said = type_in(place, *RECIPES[FIVE[1]])
    assert "mel128" in said  # of l3net info
    assert len(list((place.folder / "vectors").rglob("*.npz"))) == 12


def test_compare_my_embedding(place: StubRun, tiny_videos: Path) -> None:
    """The comparison is planned and run with its work replaced by touch; the probe is real."""
    (place.folder / "my-videos").symlink_to(tiny_videos)
    write_sounds(place.folder / "my-sounds")
    install, compare, report, probe = RECIPES[FIVE[2]]
    assert install == "pip install onnx onnxruntime"
    make_targets(report)
    type_in(place, RECIPES[FIVE[0]][0], compare)
    scores = place.folder / "results" / "own" / "scores" / "mine"
    assert {path.stem for path in scores.glob("*.csv")} >= {"l3-mine-mel256", "random", "soundnet", "yamnet"}
    assert (place.folder / "results" / "own" / "figures" / "embedding_type.svg").exists()
    assert (place.folder / "results" / "own" / "tables" / "summary.md").exists()
    write_model(place)  # in the place of the empty one
    found = re.search(r"accuracy: (\d+\.\d) %.*\nchance: +50.0 %, 12 recordings of 2 classes", type_in(place, probe))
    assert float(found[1]) == 100.0  # two tones are told apart


def test_the_paper_on_slurm_is_planned(place: StubRun) -> None:
    pytest.importorskip("snakemake_executor_plugin_slurm", reason="the extra slurm is not installed")
    plan, run = RECIPES[FIVE[3]]
    assert run == plan.replace("-n --quiet rules ", "")
    jobs = dict(re.findall(r"^(\w+) +(\d+)$", type_in(place, plan), flags=re.MULTILINE))
    assert (jobs["fetch_clips"], jobs["train_leg"], jobs["make_shard"]) == ("800", "180", "1600")


def test_a_workstation_with_a_gpu_is_planned(place: StubRun) -> None:
    setup, doctor, run, report = RECIPES[FIVE[4]]
    assert doctor.startswith("l3net doctor")
    make_targets(setup, report)
    said = type_in(place, f"{run} -n --quiet rules")
    assert re.search(r"^train_leg +\d+$", said, flags=re.MULTILINE)


@pytest.mark.parametrize("command", RECIPES["One stage again"])
def test_one_stage_again(place: StubRun, command: str) -> None:
    type_in(place, command if " -n " in command else f"{command} -n")


@pytest.fixture(scope="module")
def tiny_videos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twelve videos in two sub-folders, named as people name files."""
    folder = tmp_path_factory.mktemp("videos")
    for k in range(12):
        path = folder / ("a garden" if k % 2 else "kitchen") / f"Film {k}: été.mp4"
        path.parent.mkdir(exist_ok=True)
        media_sources.video(path, seconds=4, size="64x48", fps="10", click=f"0.2*sin(2*PI*{200 + 20 * k}*t)")
    return folder
