"""Labels of one's own data set: one a clip, several in one column, or a column for each class."""

import io

import pandas as pd
import pytest

from l3net.downstream.label_columns import own_columns, read_labels
from l3net.errors import DatasetError
from l3net.vectors.label_sets import are_label_sets, class_names, join_labels, label_matrix, rarest_labels, split_labels


def read(text: str) -> list[str]:
    table = pd.read_csv(io.StringIO(text), dtype=str, keep_default_na=False, skipinitialspace=True)
    return read_labels(table, "own.csv").tolist()


def test_the_three_ways() -> None:
    assert read("filename,label,fold\na.wav,dog;cat,1\n") == ["dog;cat"]
    assert read("filename,labels,fold\na.wav,siren; dog ;,1\nb.wav,,1\n") == [";dog;siren;", ";"]
    columns = "filename,fold,siren,dog,group\na.wav,1,1,0,x\nb.wav,2,no,TRUE,y\nc.wav,2,,0,z\n"
    assert read(columns) == [";siren;", ";dog;", ";"]


def test_a_semicolon_in_a_single_label_is_pointed_out(caplog: pytest.LogCaptureFixture) -> None:
    read("filename,label\na.wav,dog\nb.wav,dog;cat\n")
    assert "own.csv: 1 label with a semicolon, such as dog;cat, counted as one each" in caplog.text
    caplog.clear()
    read("filename,label\na.wav,dog\n")
    assert not caplog.records


def test_what_is_likely_meant_otherwise_is_pointed_out(caplog: pytest.LogCaptureFixture) -> None:
    assert read('filename,labels\na.wav,"dog,cat"\nb.wav,dog\n') == [";dog,cat;", ";dog;"]
    assert "own.csv: labels such as dog,cat count as one each; several are separated by semicolons" in caplog.text
    caplog.clear()
    read('filename,labels\na.wav,"Accelerating, revving;dog"\n')
    assert not caplog.records
    assert read("filename,dog,cat,cow\na.wav,1,0,0\nb.wav,0,1,0\n") == [";dog;", ";cat;"]
    assert "own.csv: no clip has the class cow; left out" in caplog.text


def test_a_published_split_holds_the_folds() -> None:
    def folds(text: str) -> list[str]:
        table = pd.read_csv(io.StringIO(text), dtype=str, keep_default_na=False)
        return list(own_columns(table, "own.csv")[1])

    assert folds("filename,split,labels\na.wav,train,dog\nb.wav,test,cat\n") == ["train", "test"]
    assert folds("filename,split,fold,labels\na.wav,val,1,dog\nb.wav,test,2,cat\n") == ["1", "2"]
    with pytest.raises(DatasetError, match=r"column split holds 'val'; expected train or test; give other folds in a"):
        folds("filename,split,labels\na.wav,train,dog\nb.wav,val,cat\n")


def test_what_is_refused() -> None:
    with pytest.raises(DatasetError, match=r"own\.csv: no labels; expected a column label, a column labels \(a;b\)"):
        read("filename,fold\na.wav,1\n")
    with pytest.raises(DatasetError, match=r"column loudness holds '0\.7'; expected 1 or 0"):
        read("filename,fold,dog,loudness\na.wav,1,1,0.7\n")
    with pytest.raises(DatasetError, match=r"the label of a\.wav begins with a semicolon; name the column labels"):
        read("filename,fold,label\na.wav,1,;dog;\n")


def test_sets_of_labels_as_text_and_numbers() -> None:
    column = [join_labels(["dog", "siren", "dog"]), join_labels([]), join_labels(["siren"])]
    assert column == [";dog;siren;", ";", ";siren;"]
    assert [split_labels(text) for text in column] == [["dog", "siren"], [], ["siren"]]
    assert are_label_sets(column)
    assert not are_label_sets(["dog", *column])
    assert class_names(column) == ["dog", "siren"]
    assert class_names(["b;c", "a"]) == ["a", "b;c"]
    assert label_matrix(column, ["dog", "siren"]).tolist() == [[1, 1], [0, 0], [0, 1]]
    assert rarest_labels(column).tolist() == ["dog", "", "siren"]
