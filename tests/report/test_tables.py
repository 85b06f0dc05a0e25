"""Tables are read as they were written: words that look like no value, numbers that look like names, formulas."""

import csv
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from l3net.errors import DatasetError
from l3net.report.tables import (
    best_checkpoints,
    checkpoints_on_the_way,
    read_table,
    read_tables,
    write_rows,
    write_table,
)

WORDS = ["NA", "None", "nan", "null", "", "007", "1e3", "True"]


def write(path: Path, *lines: str) -> Path:
    path.write_text("\n".join(lines) + "\n")
    return path


def test_words_stay_what_they_are(tmp_path: Path) -> None:
    table = read_table(write(tmp_path / "t.csv", "label,fold,n", *(f'"{word}",{word},1' for word in WORDS)))
    assert table["label"].tolist() == table["fold"].tolist() == WORDS


def test_an_empty_number_is_nan_and_the_others_are_numbers(tmp_path: Path) -> None:
    table = read_table(write(tmp_path / "t.csv", "dataset,std,n_clips,p:dog", "a,,3,0.25", "b,0.5,4,0.75"))
    assert np.isnan(table["std"][0])
    assert (table["std"][1], table["n_clips"].tolist(), table["p:dog"].tolist()) == (0.5, [3, 4], [0.25, 0.75])


def test_a_table_without_rows_has_its_columns(tmp_path: Path) -> None:
    """A run of one model compares nothing."""
    table = read_table(write(tmp_path / "t.csv", "dataset,p,n_pairs"))
    assert (len(table), list(table)) == (0, ["dataset", "p", "n_pairs"])
    assert table["p"].max() != table["p"].max()  # NaN, as of numbers


def test_several_tables_are_one(tmp_path: Path) -> None:
    paths = [write(tmp_path / f"{name}.csv", "model,n", f"{name},{n}") for n, name in enumerate(("NA", "b"))]
    assert read_tables(paths).to_numpy().tolist() == [["NA", 0], ["b", 1]]


def test_missing_columns_and_words_for_numbers_are_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "t.csv", "dataset,n", "a,many")
    with pytest.raises(DatasetError, match=r"t\.csv: no column model; expected a file of collect_scores"):
        read_table(path, ["dataset", "model"], "collect_scores")
    path = write(tmp_path / "u.csv", "dataset,accuracy", "a,high")
    with pytest.raises(DatasetError, match=r"u\.csv: row 1: column accuracy holds 'high'; expected finite numbers"):
        read_table(path)


@pytest.mark.parametrize("text", ["nan", "NaN", "inf", "-inf", "Infinity", "1e999"])
@pytest.mark.parametrize("column", ["accuracy", "std", "p", "correct", "n", "p:dog"])
@pytest.mark.parametrize("beside", ["0.25", "nan"])
def test_a_number_that_is_not_finite_is_refused_with_its_row(
    tmp_path: Path, column: str, text: str, beside: str
) -> None:
    """Beside a word pandas reads the whole column as text, beside numbers as numbers."""
    path = write(tmp_path / "t.csv", f"dataset,{column}", "a,0.5", f"b,{text}", f"c,{beside}")
    message = rf"t\.csv: row 2: column {column} holds '-?.+'; expected finite numbers; make the file again \(collect_sc"
    with pytest.raises(DatasetError, match=message):
        read_table(path, ["dataset"], "collect_scores")


def test_a_whole_number_beyond_every_float_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "t.csv", "dataset,n", "a,5", f"b,{'1' * 400}")
    with pytest.raises(DatasetError, match=r"t\.csv: row 2: column n holds '1{40}'; expected finite numbers$"):
        read_table(path)


@pytest.mark.parametrize("column", ["accuracy", "correct", "fold_mean", "val_accuracy", "p:dog"])
def test_an_accuracy_that_is_missing_is_refused(tmp_path: Path, column: str) -> None:
    path = write(tmp_path / "t.csv", f"dataset,{column}", "a,0.5", "b,", "c,0.25")
    with pytest.raises(DatasetError, match=rf"t\.csv: row 2: column {column} is empty; expected finite numbers$"):
        read_table(path)


def test_the_loss_of_a_training_that_went_on_may_be_no_number(tmp_path: Path) -> None:
    path = write(tmp_path / "t.csv", "epoch,loss,val_loss,val_accuracy", "1,0.5,0.5,0.5", "2,nan,inf,0.5", "3,x,1,1")
    with pytest.raises(DatasetError, match=r"row 3: column loss holds 'x'"):
        read_table(path)
    path.write_text(path.read_text().replace("x", "inf"))
    assert np.isnan(read_table(path)["loss"][1])
    assert read_table(path)["val_loss"].tolist() == [0.5, np.inf, 1]


def test_a_row_is_of_a_best_checkpoint_or_of_one_on_the_way(tmp_path: Path) -> None:
    lines = ("l3-a,best", "l3-a-epoch-004,epoch-004", "random,", "my-epoch-004,")
    table = read_table(write(tmp_path / "t.csv", "embedding,checkpoint", *lines))
    assert best_checkpoints(table)["embedding"].tolist() == ["l3-a", "random", "my-epoch-004"]
    assert checkpoints_on_the_way(table)["embedding"].tolist() == ["l3-a-epoch-004"]


FORMULAS = ["=1+1", "+1", "-0RWZT-miFs", "@SUM(A1)", "\tx", "'=x", "''@x", '=HYPERLINK("http://x")']
HARMLESS = ["dog", "a=b", "'tis", "'", "", "rain-fall", " =1", "犬"]


def test_no_text_of_a_table_is_a_formula_and_all_are_read_as_they_were(tmp_path: Path) -> None:
    texts = [*FORMULAS, *HARMLESS, *WORDS]
    table = pd.DataFrame({"label": texts, "accuracy": np.linspace(-1, 1, len(texts)), "n": -1, "synthetic": True})
    table["p:=x"] = "0.5"
    write_table(table, tmp_path / "t.csv", float_format="%.3f")
    with open(tmp_path / "t.csv", newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [row["label"] for row in rows[: len(FORMULAS)]] == [f"'{text}" for text in FORMULAS]
    assert [row["label"] for row in rows[len(FORMULAS) :]] == [*HARMLESS, *WORDS]
    assert (rows[0]["accuracy"], rows[0]["n"], rows[0]["synthetic"]) == ("-1.000", "-1", "True")  # numbers stay numbers
    again = read_table(tmp_path / "t.csv")
    assert again["label"].tolist() == texts
    assert (again["accuracy"][0], again["n"][0], again["p:=x"][0]) == (-1.0, -1, 0.5)


def test_a_column_may_be_named_like_a_formula(tmp_path: Path) -> None:
    write_table(pd.DataFrame({"@x": ["a"]}), tmp_path / "t.csv")
    assert (tmp_path / "t.csv").read_text() == "'@x\na\n"


@pytest.mark.parametrize("content", [b"a,b\n1,2,3\n", b'a,"b\n1,2\n', b"a,\xff\n", b"", b"\x00" * 20])
def test_what_is_no_table_is_one_line_that_names_the_file(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "odd.csv").write_bytes(content)
    with pytest.raises(DatasetError, match=r"odd\.csv: .*(expected|as a table of)") as caught:
        read_table(tmp_path / "odd.csv", ["accuracy"])
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("float_format", [None, "%.6f"])
def test_rows_are_written_as_their_table_is(tmp_path: Path, float_format: str | None) -> None:
    """To the byte: words with quotes, commas and line breaks, formulas, numbers of every type, what is missing."""
    rows = [
        {"=label": 'a "dog", barking\nloudly', "n": 3, "yes": True, "p": 0.1, "of": np.float32(0.1), "none": None},
        {"=label": "=1+1", "n": np.int64(4), "yes": False, "p": 1e-17, "of": np.float32(2.0), "none": "NA"},
        {"=label": "", "n": 5, "yes": True, "p": float("nan"), "of": np.float64(1 / 3), "none": "@"},
        {"=label": "é", "n": -6, "yes": True, "p": 123456789.123, "of": np.float64(1e300), "none": "-1", "late": "x"},
    ]
    write_table(pd.DataFrame(rows), tmp_path / "table.csv", float_format=float_format)
    write_rows(rows, tmp_path / "rows.csv", float_format=float_format)
    assert (tmp_path / "rows.csv").read_bytes() == (tmp_path / "table.csv").read_bytes()
    write_rows([], tmp_path / "empty.csv")
    assert (tmp_path / "empty.csv").read_bytes() == b"\n"
