"""The guide's chapter on one's own videos is run as it stands there, command by command, as a new user would."""

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest

from tests.conftest import SHARED_DATA
from tests.stages.loading import stage_function
from tests.workflow.conftest import Workspace

# A run and a half of the workflow: some two minutes on two free cores, and many on busy ones.
pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]
CHAPTER = "## A model of your own videos\n"
# What takes an hour is planned only.
LONG = "snakemake --cores all --configfile presets/own.yaml my/sounds.yaml"
SECTIONS = ["List the videos", "Try it small", "Your own labelled sounds", "Use the model", "The real run"]
RECORDINGS_OF_A_CLASS = 5


def sections(root: Path) -> dict[str, str]:
    """Return the commands under each heading of the chapter."""
    chapter = (root / "docs" / "guide.md").read_text().split(CHAPTER)[1].split("\n## ")[0]
    parts = re.split(r"^### (.+)$", chapter, flags=re.MULTILINE)[1:]
    found = dict(zip(parts[::2], parts[1::2], strict=True))
    return {heading: "\n".join(re.findall(r"```sh\n(.*?)```", text, re.DOTALL)) for heading, text in found.items()}


def real_videos_and_sounds(folder: Path) -> None:
    """Put 29 real videos, linked, and a few recordings of three of ESC-10's classes into a new user's folder."""
    (folder / "films").symlink_to(SHARED_DATA / "video" / "open")
    for of_class in sorted(path for path in (SHARED_DATA / "esc10").iterdir() if path.is_dir())[:3]:
        shutil.copytree(of_class, folder / "sounds" / of_class.name, ignore=_but_a_few)


def _but_a_few(_: str, names: list[str]) -> list[str]:
    """Return all names but a few of a class: one of each of ESC-10's folds."""
    step = len(names) // RECORDINGS_OF_A_CLASS
    return sorted(set(names) - set(sorted(names)[::step][:RECORDINGS_OF_A_CLASS]))


def demo_videos_and_sounds(folder: Path) -> None:
    """Put videos and recordings of the demo's synthetic world into a new user's folder."""
    made = folder / "made"
    stage_function("make_demo_videos")(made / "list.csv", folder / "films", seed=1, clips_per_class=2, threads=2)
    sets = {name: made / name for name in ("us8k", "esc50", "dcase2013")}
    stage_function("make_demo_datasets")(**sets, seed=1, clips_per_class=RECORDINGS_OF_A_CLASS, threads=2)
    names = pd.read_csv(made / "esc50" / "meta" / "esc50.csv").groupby("category")["filename"].apply(list)
    for label, files in names.iloc[:3].items():
        (folder / "sounds" / label).mkdir(parents=True)
        for name in files[:RECORDINGS_OF_A_CLASS]:
            shutil.copy(made / "esc50" / "audio" / name, folder / "sounds" / label)


class NewUser:
    """Someone who types the guide's commands in a fresh copy of the project, each once, in their order."""

    def __init__(self, workspace: Workspace, commands: dict[str, str]) -> None:
        self.workspace, self.folder, self.commands, self.said = workspace, workspace.folder, commands, {}

    def follow_to(self, heading: str) -> str:
        """Type what stands up to the end of a section and was not typed yet; return what the section printed."""
        for section, commands in self.commands.items():
            if section not in self.said:
                self.said[section] = self._type(commands)
            if section == heading:
                return self.said[section]
        raise AssertionError(f"the guide has no section {heading}")

    def _type(self, commands: str) -> str:
        shell = f"set -e; export PATH={Path(sys.executable).parent}:$PATH; unset PYTHONDONTWRITEBYTECODE\n{commands}"
        shell = shell.replace(LONG, f"{LONG} --dry-run").replace("make report", ": make report")
        ended = subprocess.run(["bash", "-c", shell], cwd=self.folder, capture_output=True, text=True)
        assert ended.returncode == 0, f"{commands}\n{ended.stdout[-3000:]}\n{ended.stderr[-3000:]}"
        return ended.stdout + ended.stderr


@pytest.fixture(scope="module", params=["real", "demo"])
def user(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, root: Path) -> Iterator[NewUser]:
    if request.param == "real" and not SHARED_DATA.is_dir():
        pytest.skip("the folder of real recordings (../shared/data) is not beside the project")
    if request.param == "demo" and SHARED_DATA.is_dir():
        pytest.skip("the guide is run on real recordings, which are beside the project, and not on the demo's too")
    workspace = Workspace(tmp_path_factory.mktemp("guide"), root)
    {"real": real_videos_and_sounds, "demo": demo_videos_and_sounds}[request.param](workspace.folder)
    return NewUser(workspace, sections(root))


def test_the_chapter_has_its_sections(root: Path) -> None:
    found = sections(root)
    assert list(found) == SECTIONS
    assert all(found.values())
    assert LONG in found["The real run"]


def test_videos_are_listed(user: NewUser) -> None:
    said = user.follow_to("List the videos")
    assert re.search(r"^my/segments.csv: \d+ segments of \d+ videos", said, re.MULTILINE)
    assert len(list((user.folder / "my" / "videos").iterdir())) >= 18
    assert not list((user.folder / "films").glob("*.csv"))


def test_a_small_run_goes_through_without_a_data_set(user: NewUser) -> None:
    user.follow_to("Try it small")
    results = user.folder / "results" / "try"
    counts = pd.read_csv(results / "attrition.csv")
    usable = counts[counts["status"].isin(["ok", "short"])].groupby(["subset", "split"])["n"].sum()
    assert set(usable.index) == {("mine", split) for split in ("train", "valid", "test")}
    assert (usable >= 2).all()
    avc = pd.read_csv(results / "tables" / "avc.csv")
    assert set(avc["train_subset"]) == set(avc["test_subset"]) == {"mine"}
    assert "SYNTHETIC" not in (results / "tables" / "avc.html").read_text()
    assert "mine-mel256" in (results / "report.html").read_text(errors="replace")
    assert (results / "figures" / "samples_mine.png").stat().st_size > 1000


def test_own_sounds_are_classified_and_nothing_is_trained_again(user: NewUser) -> None:
    user.follow_to("Try it small")
    checkpoint = user.folder / "results" / "try" / "models" / "mine-mel256" / "checkpoints" / "epoch-002.h5"
    before = checkpoint.stat().st_mtime_ns
    said = user.follow_to("Your own labelled sounds")
    assert checkpoint.stat().st_mtime_ns == before
    assert "l3-mine-mel256" in said
    scores = pd.read_csv(user.folder / "results/try/scores/mine/l3-mine-mel256.csv", dtype=str)
    assert len(scores) == 3 * RECORDINGS_OF_A_CLASS
    assert scores.groupby(["label", "fold"]).size().between(1, 2).all()
    assert (user.folder / "results/try/datasets/mine.folds.csv").is_file()


def test_the_model_embeds_and_is_probed(user: NewUser) -> None:
    said = user.follow_to("Use the model")
    assert len(list((user.folder / "vectors").rglob("*.npz"))) == 3 * RECORDINGS_OF_A_CLASS
    assert re.search(r"^accuracy: \d+\.\d %, by fold [\d. ]+$", said, re.MULTILINE)


def test_videos_that_are_added_make_the_run_go_on(user: NewUser) -> None:
    user.follow_to("Use the model")
    segments = user.folder / "my" / "segments.csv"
    listed = segments.read_text()
    segments.write_text(listed.rsplit("\n", 2)[0] + "\n")  # as a list with other videos would be
    try:
        ended = user.workspace.snakemake("-n", "--configfile", "presets/own.yaml", "my/try.yaml", "my/sounds.yaml")
    finally:
        segments.write_text(listed)
    planned = set(re.findall(r"^(?:local)?rule (\w+):", ended.stdout, re.MULTILINE))
    assert {"fetch_segments", "select_clips", "fetch_clips", "make_shard", "train_leg", "embed_dataset"} <= planned
    assert "fetch_dataset" not in planned


def test_the_real_run_is_planned(user: NewUser) -> None:
    said = user.follow_to("The real run")
    assert re.search(r"^train_leg +3$", said, re.MULTILINE)
    assert "results/own/tables/summary" in said
