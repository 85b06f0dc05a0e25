"""Fetching over the network through the rules: how many jobs at a time, and one part from a server on loopback."""

from pathlib import Path

import pytest

from l3net.audioset.clip_tables import read_manifest
from tests import media_sources
from tests.loopback import serving
from tests.workflow.conftest import Workspace
from tests.workflow.stub_run import StubRun

# Each download notes how many are under way.
COUNT = """\
case $1 in *part-*) touch busy.$$; ls busy.* | wc -l >> counts; sleep 1; rm busy.$$ ;; esac
touch "$1"
"""


@pytest.mark.parametrize(("options", "most"), [((), 4), (("--resources", "downloads=2"), 2)])
def test_the_profile_bounds_downloads(options: tuple[str, ...], most: int, tmp_path: Path, root: Path) -> None:
    made = StubRun(tmp_path, root, work="sh work.sh")
    (tmp_path / "work.sh").write_text(COUNT)
    source = {"source": "http", "url_template": "http://mirror.example.org/{ytid}.mp4", "workers": 1}
    made.snakemake("--cores", 10, *options, "--until", "fetch_clips", *made.configure({"audioset": source}))
    counts = [int(line) for line in (tmp_path / "counts").read_text().split()]
    assert len(counts) == 10
    assert max(counts) <= most


def test_a_part_comes_from_a_server(workspace: Workspace, tmp_path: Path) -> None:
    video = media_sources.video(tmp_path / "video.mp4", seconds=4)
    segments = tmp_path / "segments.csv"
    segments.write_text("".join(f'clip-00000{n}, 1.000, 3.000, "/m/0342h"\n' for n in (1, 2)))
    with serving() as server:
        server.answers["/clip-000001.mp4"] = video
        section = {"segments": [str(segments)], "subsets": {"environmental": None}, "parts": 6, "source": "http"}
        section |= {"url_template": server.url + "/{ytid}.mp4", "directory": None, "allow_private_addresses": True}
        changed = workspace.configure(audioset=section, models={"subsets": ["music"]})
        manifests = [f"results/demo/manifests/part-{part:04d}.csv" for part in range(6)]
        ended = workspace.snakemake(*manifests, *changed)
    assert ended.returncode == 0, ended.stdout[-5000:]
    rows = [row for path in manifests for row in read_manifest(workspace.folder / path).itertuples()]
    assert {row.ytid: row.status for row in rows} == {"clip-000001": "ok", "clip-000002": "removed"}
