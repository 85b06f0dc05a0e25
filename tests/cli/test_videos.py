"""l3net videos: what it says, and that what it writes is what presets/own.yaml names."""

import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from l3net.cli.main import main
from tests import media_sources


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a video and two files that are none, beside which the command is typed."""
    (tmp_path / "films" / "Piano").mkdir(parents=True)
    media_sources.video(tmp_path / "films" / "Piano" / "a b.mp4", seconds=12)
    for n in range(22):
        (tmp_path / "films" / f"{n:02d}.txt").write_text("x" * (n + 1))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_summary(folder: Path, root: Path, capsys: pytest.CaptureFixture) -> None:
    assert main(["videos", "films", "--ontology", str(root / "resources" / "ontology.json")]) == 0
    said = capsys.readouterr().out.splitlines()
    assert said[0] == "my/segments.csv: 2 segments of 1 video, 0.2 minutes, 1 label (1 of AudioSet's)"
    assert said[3] == "left out, 22 of 23 files:"
    assert said[4].startswith("  00.txt: ")
    assert said[-2] == "  ... and 2 more, in my/segments.videos.csv"
    assert said[-1].startswith("too few to train on, 1 video: train, valid, test need 2 each")
    assert '"/m/05r5c"' in (folder / "my" / "segments.csv").read_text()


def test_what_it_writes_by_itself_is_what_the_preset_names(folder: Path, root: Path) -> None:
    assert main(["videos", "films", "--no-labels"]) == 0
    named = yaml.safe_load((root / "presets" / "own.yaml").read_text())["audioset"]
    assert all(Path(path).is_file() for path in named["segments"])
    assert Path(named["directory"]).is_dir()


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["nowhere"], "l3net: nowhere is not a folder; expected one with videos, in sub-folders or not"),
        (["films", "--output", "my"], "l3net: --output my: expected the name of a CSV, such as my/segments.csv"),
        (["films", "--every", "0"], "l3net: segments of 0 s; expected 1.1 to 600, such as 10"),
        (
            ["films", "--ontology", "none.json"],
            "l3net: none.json: cannot be read: No such file or directory; expected AudioSet's ontology.json",
        ),
        (["films", "--output", "films/00.txt/x.csv"], "l3net: "),
    ],
)
def test_mistakes_are_one_line(folder: Path, arguments: list[str], line: str, capsys: pytest.CaptureFixture) -> None:
    assert main(["videos", *arguments]) == 1
    said = [text for text in capsys.readouterr().err.splitlines() if not text.startswith("looking at")]
    assert len(said) == 1
    assert said[0].startswith(line)


def test_help_loads_neither_tensorflow_nor_pandas() -> None:
    code = "import sys\nfrom l3net.cli.main import main\ntry:\n    main(['videos', '--help'])\nexcept SystemExit:\n"
    code += "    print([name for name in ('tensorflow', 'pandas', 'av') if name in sys.modules])"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert ended.stdout.splitlines()[-1] == "[]"


def test_a_package_that_is_not_installed_is_one_line(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    monkeypatch.setitem(sys.modules, "pandas", None)
    for name in ("own_videos", "own_files"):
        monkeypatch.delitem(sys.modules, f"l3net.acquisition.{name}", raising=False)
    assert main(["videos", "films"]) == 1
    said = capsys.readouterr().err.splitlines()[-1]
    assert said == "l3net: this needs the package pandas: pip install 'l3net[workflow]'"
