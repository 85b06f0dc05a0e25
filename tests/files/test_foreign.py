"""Texts, JSON and tables of somebody else's: whatever they hold, an error is one short line that names the file."""

import errno
import json
import os
import tempfile
from pathlib import Path

import pytest

from l3net.errors import ConfigError, L3Error, ShardError, one_line
from l3net.files.foreign import Fields, foreign, parse_json, read_fields, read_json, read_text
from l3net.files.foreign_tables import check_text_file, read_csv

hypothesis = pytest.importorskip("hypothesis", reason="hypothesis, of the extra dev, is not installed")
from hypothesis import given, settings  # noqa: E402
from hypothesis import strategies as st  # noqa: E402


@pytest.mark.parametrize(
    ("raised", "expected"),
    [
        (
            FileNotFoundError(2, "No such file or directory"),
            "cannot be read: No such file or directory; expected a list",
        ),
        (PermissionError(13, "Permission denied"), "cannot be read: Permission denied"),
        (OSError("Unable to open file (file signature not found)"), "cannot be read as a list: Unable to open file"),
        (RecursionError("maximum recursion depth"), "cannot be read as a list: it is nested too deeply"),
        (MemoryError(), "cannot be read as a list: it asks for more memory than there is"),
        (ValueError("two\nlines\x1b[2J"), r"cannot be read as a list: two lines\x1b[2J"),
        (KeyError("name"), "cannot be read as a list: name"),
        (ZeroDivisionError(), "cannot be read as a list: ZeroDivisionError"),
    ],
)
def test_whatever_goes_wrong_is_one_line_with_its_cause(raised: Exception, expected: str) -> None:
    with pytest.raises(ConfigError) as caught, foreign("a.txt", ConfigError, "a list"):
        raise raised
    assert str(caught.value).startswith(f"a.txt: {expected}")
    assert caught.value.__cause__ is raised


def test_errors_that_are_one_line_already_pass_and_interruptions_too() -> None:
    with pytest.raises(ShardError, match=r"^its own$"), foreign("a.txt", ConfigError, "a list"):
        raise ShardError("its own")
    with pytest.raises(KeyboardInterrupt), foreign("a.txt", ConfigError, "a list"):
        raise KeyboardInterrupt


def test_a_panic_of_a_library_in_rust_is_one_line() -> None:
    panic = type("PanicException", (BaseException,), {})
    with pytest.raises(ConfigError, match=r"read as a list: index out"), foreign("a.txt", ConfigError, "a list"):
        raise panic("index out of bounds")


@settings(max_examples=60)
@given(st.text(max_size=1500))
def test_a_message_is_one_printable_line_of_at_most_400_letters(text: str) -> None:
    said = str(L3Error(text))
    assert len(said) <= 400
    assert all(letter.isprintable() or letter in "\u200c\u200d" for letter in said)
    assert said == one_line(said)
    if text.isprintable() and len(text.strip()) <= 400:
        assert said == text.strip()


def test_a_long_message_keeps_where_it_begins_and_what_to_do() -> None:
    said = str(L3Error("results/a.h5: " + "x" * 5000 + "; make it again (-R make_shard)"))
    assert said.startswith("results/a.h5: xxx")
    assert said.endswith("xxx; make it again (-R make_shard)")


def test_a_text_is_bounded_also_where_it_has_no_size(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes("\ufeffÄ\n".encode())
    assert read_text(tmp_path / "a.txt", ConfigError, "a list", most=6) == "Ä\n"
    with pytest.raises(ConfigError, match=r"a\.txt: has more than .* MB; expected a list"):
        read_text(tmp_path / "a.txt", ConfigError, "a list", most=5)
    with pytest.raises(ConfigError, match=r"/dev/zero: has more than 1 MB; expected a list"):
        read_text(Path("/dev/zero"), ConfigError, "a list", most=1 << 20)
    with pytest.raises(ConfigError, match=r"cannot be read: Is a directory"):
        read_text(tmp_path, ConfigError, "a list")
    (tmp_path / "b.txt").write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigError, match=r"b\.txt: cannot be read as a list: 'utf-8' codec can't decode"):
        read_text(tmp_path / "b.txt", ConfigError, "a list")


@pytest.mark.parametrize("opening", ["[", '{"a":'])
def test_json_that_is_nested_without_end_is_one_line(tmp_path: Path, opening: str) -> None:
    (tmp_path / "deep.json").write_text(opening * 200_000)
    with pytest.raises(ConfigError, match=r"deep\.json: cannot be read as an index: it is nested too deeply"):
        read_json(tmp_path / "deep.json", ConfigError, "an index")


def test_a_number_of_a_million_digits_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "long.json").write_text('{"n": ' + "9" * 1_000_000 + "}")
    with pytest.raises(ConfigError, match=r"long\.json: cannot be read as an index: Exceeds the limit"):
        read_fields(tmp_path / "long.json", ConfigError, "an index")


def test_fields_have_types_and_ranges(tmp_path: Path) -> None:
    values = {"n": 3, "x": 0.5, "t": "text", "l": [1], "o": {"inner": 7}}
    (tmp_path / "a.json").write_text(json.dumps(values))
    found = read_fields(tmp_path / "a.json", ConfigError, "an index")
    assert (found.whole("n", 3, 3), found.number("x"), found.number("n"), found.text("t")) == (3, 0.5, 3.0, "text")
    assert (found.array("l"), found.fields("o").whole("inner")) == ([1], 7)
    found.only(*values)


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (lambda f: f.whole("none"), "the field none is missing"),
        (lambda f: f.whole("b"), "b is True; expected a whole number"),
        (lambda f: f.whole("x"), r"x is 0\.5; expected a whole number"),
        (lambda f: f.whole("n", 4), "n is 3; expected a whole number from 4 to"),
        (lambda f: f.whole("n", 0, 2), "n is 3; expected a whole number from 0 to 2"),
        (lambda f: f.number("nan"), "nan is nan; expected a number"),
        (lambda f: f.number("x", 1.0), r"x is 0\.5; expected a number from 1 to inf"),
        (lambda f: f.text("n"), "n is 3; expected a text"),
        (lambda f: f.text("t", longest=3), "t is 'text'; expected a text of at most 3 letters"),
        (lambda f: f.array("t"), "t is 'text'; expected a list"),
        (lambda f: f.fields("l"), ": l is a list of 1; expected an object of fields"),
        (lambda f: f.only("n", "x"), "unknown field 'b'; expected n, x"),
        (lambda f: f.whole("huge"), "huge is a number of hundreds of digits; expected a whole number"),
    ],
)
def test_other_fields_are_refused_by_name(ask, message: str) -> None:
    values = {"n": 3, "x": 0.5, "b": True, "nan": float("nan"), "t": "text", "l": [1], "huge": 10**3000}
    with pytest.raises(ConfigError, match=f"^a.json.*{message}"):
        ask(Fields(values, "a.json", ConfigError))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=50),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=20), inner, max_size=5),
)


@settings(max_examples=60)
@given(JSON, st.text(max_size=10))
def test_any_value_under_any_name_is_taken_or_refused_in_one_line(value: object, name: str) -> None:
    for method in ("whole", "number", "text", "array", "fields"):
        try:
            taken = getattr(Fields({name: value}, "a.json", ConfigError), method)(name)
        except ConfigError as error:
            assert len(str(error)) <= 400 and "\n" not in str(error)
        else:
            assert isinstance(taken, Fields) or taken == value


@settings(max_examples=60)
@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_any_bytes_are_json_or_one_line(content: bytes) -> None:
    try:
        parse_json(content, "a.json", ConfigError, "an index")
    except ConfigError as error:
        assert str(error).startswith("a.json: cannot be read as an index: ") and len(str(error)) <= 400


def test_a_table_keeps_its_words_and_refuses_rows_that_are_longer_than_the_header(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("a,b\nNA,null\n")
    assert read_csv(tmp_path / "a.csv", ConfigError, "a table", dtype=str).to_dict("list") == {
        "a": ["NA"],
        "b": ["null"],
    }
    (tmp_path / "b.csv").write_text("a,b\n1,2,3\n1,2,3\n")
    with pytest.raises(ConfigError, match=r"b\.csv: rows have more fields than the header; expected a table"):
        read_csv(tmp_path / "b.csv", ConfigError, "a table")
    (tmp_path / "c.csv").write_bytes(b'a,b\n"never closed')
    with pytest.raises(ConfigError, match=r"c\.csv: cannot be read as a table: .*EOF inside string"):
        read_csv(tmp_path / "c.csv", ConfigError, "a table")


def test_a_size_is_looked_at_before_a_library_reads(tmp_path: Path) -> None:
    with open(tmp_path / "large.csv", "wb") as file:
        os.truncate(file.fileno(), 3 << 30)  # a hole, which takes no room on the disk
    with pytest.raises(ConfigError, match=r"large\.csv: has 3072 MB; expected a table, of at most 1024 MB"):
        read_csv(tmp_path / "large.csv", ConfigError, "a table")
    with pytest.raises(ConfigError, match=r"of at most 2 MB"):
        check_text_file(tmp_path / "large.csv", ConfigError, "a table", most=2 << 20)


def test_a_table_with_a_nul_byte_is_refused_by_its_line(tmp_path: Path) -> None:
    """Pandas takes it, and the first to object is HDF5, when the name is written."""
    (tmp_path / "a.csv").write_bytes(b"filename,label\n" + b"a.wav,dog\n" * 200_000 + b"b\0.wav,dog\n")
    with pytest.raises(
        ConfigError, match=r"a\.csv: line 200002 holds a NUL byte \(is it in UTF-16\?\); expected a table, in UTF-8"
    ):
        read_csv(tmp_path / "a.csv", ConfigError, "a table")


def test_no_room_for_what_a_library_unpacks_is_no_fault_of_the_file() -> None:
    with pytest.raises(OSError, match="No space left") as caught, foreign("a.keras", ConfigError, "a model"):
        raise OSError(errno.ENOSPC, "No space left on device")
    assert caught.value.filename == tempfile.gettempdir()
