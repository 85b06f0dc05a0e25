"""AudioSet's lists of clips, against a reading by the csv module."""

import csv
import gzip
from pathlib import Path

import pytest

from l3net.audioset import segment_lists
from l3net.audioset.segment_lists import read_segments
from l3net.errors import ClipError
from tests.audioset.lists import listed, row


def test_official_format(tmp_path):
    path = listed(tmp_path / "s.csv", row("--PJHxphWEs", "/m/09x0r,/t/dd00088"), row("-aaaaaaaaa_", "/m/012xff", 0))
    table = read_segments(path)
    assert table.drop("line").to_dict(as_series=False) == {
        "ytid": ["--PJHxphWEs", "-aaaaaaaaa_"],
        "start_seconds": [30.0, 0.0],
        "end_seconds": [40.0, 10.0],
        "labels": ["/m/09x0r,/t/dd00088", "/m/012xff"],
    }


def test_windows_line_ends_blank_lines_and_single_labels_without_quotes(tmp_path):
    path = tmp_path / "s.csv"
    path.write_bytes(b'# x\r\n\r\naaaaaaaaaaa, 1.0, 2.5, "/m/a,/m/b"\r\nbbbbbbbbbbb,3,4,/m/c\r\n\r\n')
    table = read_segments(path)
    assert table["labels"].to_list() == ["/m/a,/m/b", "/m/c"]
    assert table["end_seconds"].to_list() == [2.5, 4.0]


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        ('--exec=rm -rf, 0.0, 10.0, "/m/a"', "line 5: '--exec=rm -rf, 0.0, 10.0, "),
        ('../../../x.., 0.0, 10.0, "/m/a"', "line 5: .* is not a segment row; expected YTID, start_seconds"),
        ('bbbbbbbbbbb, ten, 10.0, "/m/a"', "line 5: "),
        ('bbbbbbbbbbb, -1.0, 10.0, "/m/a"', "line 5: "),
        ("bbbbbbbbbbb, 0.0, 10.0", "line 5: "),
        ('bbbbbbbbbbb, 0.0, 10.0, "Guitar"', "line 5: "),
        ('bbbbbbbbbbb, 0.0, 10.0, ""', "line 5: "),
        ('bbbbbbbbbbb, 20.0, 10.0, "/m/a"', "line 5: the clip ends before it starts"),
    ],
)
def test_rows_that_do_not_parse_are_named(bad, message, tmp_path):
    path = listed(tmp_path / "s.csv", row("aaaaaaaaaaa", "/m/a"), bad)
    with pytest.raises(ClipError, match=f"s.csv, {message}") as caught:
        read_segments(path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("data", "message"), [(b"", "is empty"), (b"\xff\xfe\x00x\n", "cannot be read|segment row|holds a NUL byte")]
)
def test_files_that_are_no_lists(data, message, tmp_path):
    (tmp_path / "s.csv").write_bytes(data)
    with pytest.raises(ClipError, match=message):
        read_segments(tmp_path / "s.csv")


def test_missing_file(tmp_path):
    with pytest.raises(ClipError, match=r"s\.csv: cannot be read: No such file or directory; expected a segment list"):
        read_segments(tmp_path / "s.csv")


def test_real_lists_are_read_whole(shared_data):
    for name in ("balanced_train_segments.csv", "unbalanced_train_segments.first65497.csv"):
        path = shared_data / "audioset" / name
        table = read_segments(path)
        with open(path, newline="") as file:
            oracle = [r for r in csv.reader(file, skipinitialspace=True) if not r[0].startswith("#")]
        assert table["ytid"].to_list() == [r[0] for r in oracle]
        assert table["labels"].to_list() == [r[3] for r in oracle]
        assert table["start_seconds"].to_list() == [float(r[1]) for r in oracle]


@pytest.mark.parametrize(
    "error", ["#NAME?", '"#NAME?"', "#VALUE!", "#name?", "# NAME?", "#NOM?", "#\u0418\u041c\u042f?", "#NV", "####"]
)
def test_ids_that_a_spreadsheet_replaced_are_refused(tmp_path: Path, error: str) -> None:
    rows = [f'{error}, 30.000, 40.000, "/m/04rlf"', 'abcdefghijk, 30.000, 40.000, "/m/04rlf"'] * 7
    (tmp_path / "a.csv").write_text("\n".join(["# a comment", *rows]) + "\n")
    said = r"a\.csv, line 2, 4, 6, 8, 10 and 2 more: a spreadsheet replaced the id by an error .* begins with -; take"
    with pytest.raises(ClipError, match=said):
        read_segments(tmp_path / "a.csv")


def test_comments_are_none_of_these(tmp_path: Path) -> None:
    rows = ["# is this right?", '#abcdefghij0, 1.0, 2.0, "/m/04rlf"', "#", "# a, b!", "# num_ytids=2, num_segs=2"]
    (tmp_path / "a.csv").write_text("\n".join([*rows, 'abcdefghijk, 30.000, 40.000, "/m/04rlf"']) + "\n")
    assert read_segments(tmp_path / "a.csv")["ytid"].to_list() == ["abcdefghijk"]


@pytest.mark.parametrize("end", ["", "l", 'lf,/m/03"', "lf,"])
def test_a_row_that_was_cut_is_none(tmp_path: Path, end: str) -> None:
    (tmp_path / "a.csv").write_text(f'abcdefghijk, 30.000, 40.000, "/m/04r{end}'.removesuffix('"'))
    with pytest.raises(ClipError, match=r"a\.csv, line 1: .* is not a segment row"):
        read_segments(tmp_path / "a.csv")


def test_a_packed_list_is_not_unpacked(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(gzip.compress(b'abcdefghijk, 30.000, 40.000, "/m/04rlf"\n'))
    with pytest.raises(ClipError, match=r"a\.csv: is packed \(gzip or the like\); unpack it first"):
        read_segments(tmp_path / "a.csv")


def test_no_time_is_beyond_every_video(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(f'abcdefghijk, 0, {"9" * 400}, "/m/04rlf"\n')
    with pytest.raises(ClipError, match=r"a\.csv, line 1: .* is not a segment row"):
        read_segments(tmp_path / "a.csv")


def test_digits_are_those_of_ascii(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text('abcdefghijk, \u0663\u0660.000, 40.000, "/m/04rlf"\n', encoding="utf-8")
    with pytest.raises(ClipError, match=r"a\.csv, line 1: .* is not a segment row"):
        read_segments(tmp_path / "a.csv")


@pytest.mark.parametrize("wanted", [None, {"/m/a"}, {"/m/bb", "/m/c"}])
def test_one_pass_gives_what_the_careful_reading_gives(wanted, tmp_path, monkeypatch):
    """Also where a line ends as on Windows; /m/b is no part of /m/bb."""
    rows = [row("aaaaaaaaaaa", "/m/a,/m/b"), row("-aaaaaaaaaa", "/m/bb", 0), row("bbbbbbbbbbb", "/m/b\r", 7)]
    rows += [row("ccccccccccc", "/own/x.y,/m/c"), row("ccccccccccc", "/m/c,/m/a", 0.5)]
    path = listed(tmp_path / "s.csv", *(text.replace('\r"', '"\r') for text in rows), "")
    known = {"/m/a", "/m/b", "/m/bb", "/m/c"}
    quick = segment_lists._read_quickly(path, known, wanted)
    monkeypatch.setattr(segment_lists, "_read_quickly", lambda *_: None)
    assert quick.equals(read_segments(path, known=known, wanted=wanted))
    lines = {"/m/a": [4, 8], "/m/b": [4, 6], "/m/bb": [5], "/m/c": [7, 8]}
    expected = range(4, 9) if wanted is None else {line for mid in wanted for line in lines[mid]}
    assert quick["line"].to_list() == sorted(expected)


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (row("bbbbbbbbbbb", "/m/zz"), "line 5: the ontology has no label /m/zz"),
        ('bbbbbbbbbbb, 20.0, 10.0, "/m/b"', "line 5: the clip ends before it starts"),
        ('bbbbbbbbbbb, 10.0, 20.0, "/m/b,"', "line 5: .* is not a segment row"),
        ('bbbbbbbbbbb, 10.0, 20.0, "/m/b, /m/b"', "line 5: .* is not a segment row"),
        ('#NAME?, 10.0, 20.0, "/m/b"', "line 5: a spreadsheet replaced the id"),
    ],
)
def test_a_row_that_is_not_wanted_is_refused_too(bad, message, tmp_path):
    path = listed(tmp_path / "s.csv", row("aaaaaaaaaaa", "/m/a"), bad)
    with pytest.raises(ClipError, match=message):
        read_segments(path, known={"/m/a", "/m/b"}, wanted={"/m/a"})


def test_lists_that_are_not_quite_as_published_are_read_too(tmp_path):
    path = tmp_path / "s.csv"
    path.write_text('aaaaaaaaaaa,1,2,/m/a\n# between\nbbbbbbbbbbb,  1.5,2.5,   "/m/a,/m/b"\nccccccccccc,1,2,/m/b\n')
    assert segment_lists._read_quickly(path, {"/m/a", "/m/b"}, {"/m/a"}) is None
    found = read_segments(path, known={"/m/a", "/m/b"}, wanted={"/m/a"})
    assert found.rows() == [("aaaaaaaaaaa", 1.0, 2.0, "/m/a", 1), ("bbbbbbbbbbb", 1.5, 2.5, "/m/a,/m/b", 3)]
