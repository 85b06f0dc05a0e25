"""l3net real-input: a list in AudioSet's format, videos by id, and ESC-10 laid out as ESC-50."""

import csv
from pathlib import Path

import pytest

from l3net.audioset import part_of
from l3net.cli.main import main
from l3net.cli.real_input import ESC10, draw_id

ROWS = "file,label,start_seconds,part\nfilm.mp4,Piano,0,8\nfilm.mp4,Piano,20.5,0\nü street.webm,Engine,0,\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "in").mkdir()
    for name in ("film.mp4", "ü street.webm"):
        (tmp_path / "in" / name).write_text(name)
    (tmp_path / "in" / "list.csv").write_text(ROWS)
    return tmp_path


def lay_out(folder: Path, root: Path, *options: str) -> int:
    ontology = ["--ontology", str(root / "resources" / "ontology.json")]
    return main(["real-input", str(folder / "in" / "list.csv"), str(folder / "out"), *ontology, *options])


def test_videos_and_their_list(folder: Path, root: Path) -> None:
    assert lay_out(folder, root) == 0
    with open(folder / "out" / "segments.csv", newline="", encoding="utf-8") as file:
        lines = [line for line in file if not line.startswith("#")]
    rows = list(csv.reader(lines, skipinitialspace=True))
    assert len(rows) == 3
    by_part = {}
    for ytid, start, end, mid in rows:
        (video,) = (folder / "out" / "videos").glob(f"{ytid}.*")
        by_part[part_of(ytid, 10), float(start)] = video.read_text()
        assert float(end) == float(start) + 10.0
        assert mid == ("/m/05r5c" if video.suffix == ".mp4" else "/m/02mk9")
    assert by_part[8, 0.0] == by_part[0, 20.5] == "film.mp4"
    assert "ü street.webm" in by_part.values()


def test_esc10_is_laid_out_as_esc50(folder: Path, root: Path) -> None:
    for number, name in enumerate(ESC10, start=1):
        (folder / "esc10" / f"{number:03d} - {name}").mkdir(parents=True)
        for fold in "12":
            (folder / "esc10" / f"{number:03d} - {name}" / f"{fold}-1234-A.ogg").write_text(name)
    assert lay_out(folder, root, "--esc10", str(folder / "esc10")) == 0
    with open(folder / "out" / "ESC-50" / "meta" / "esc50.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 20
    for row in rows:
        assert (folder / "out" / "ESC-50" / "audio" / row["filename"]).read_text() == row["category"]
        assert row["filename"] == f"{row['fold']}-1234-A-{ESC10[row['category']]}.ogg"


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ("film.mp4,Pianos,0,8", "list.csv:2: the ontology has no label 'Pianos'; did you mean 'Piano'?"),
        ("other.mp4,Piano,0,8", "other.mp4: no such file"),
        ("film.mp4,Piano,zero,8", "list.csv:2: expected file,label,start_seconds,part, such as a.mp4,Piano,0,8"),
        ("film.mp4,Piano", "list.csv:2: expected file,label,start_seconds,part"),
        ("film.mp4,Piano,0,10", "list.csv:2: part is 10; expected 0 to 9, or nothing"),
    ],
)
def test_a_wrong_list_is_one_line(
    folder: Path, root: Path, rows: str, message: str, capsys: pytest.CaptureFixture
) -> None:
    (folder / "in" / "list.csv").write_text("file,label,start_seconds,part\n" + rows + "\n")
    assert lay_out(folder, root) == 1
    said = capsys.readouterr().err
    assert message in said
    assert said.count("\n") == 1
    assert not (folder / "out").exists()


def test_what_is_there_already_is_told_and_left(folder: Path, root: Path, capsys: pytest.CaptureFixture) -> None:
    assert lay_out(folder, root) == 0
    before = (folder / "out" / "segments.csv").read_bytes()
    assert lay_out(folder, root) == 1
    assert (
        f"{folder / 'out' / 'videos'}: is there already; remove it, or name another folder" in capsys.readouterr().err
    )
    assert (folder / "out" / "segments.csv").read_bytes() == before


def test_ids_belong_to_their_part() -> None:
    for part in range(10):
        ytid = draw_id("a name.m00", part)
        assert len(ytid) == 11
        assert part_of(ytid, 10) == part
