"""The ontology and the filters of labels."""

import pytest

from l3net.audioset.ontology import Ontology, read_filter, read_ontology
from l3net.errors import ConfigError

TREE = Ontology(
    {"/m/a": "Animal", "/m/b": "Dog", "/m/c": "Bark", "/m/d": "Guitar", "/m/bb": "Music", "/m/e": "Bark, wild"},
    {"/m/a": ["/m/b"], "/m/b": ["/m/c"], "/m/c": [], "/m/d": [], "/m/bb": ["/m/d"], "/m/e": []},
)


def test_quoted_names_and_descendants(tmp_path):
    path = tmp_path / "f.csv"
    path.write_text('label,include_children\nAnimal,true\n"Bark, wild",false\nMusic,False\n')
    assert read_filter(path, TREE) == {"/m/a", "/m/b", "/m/c", "/m/e", "/m/bb"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("label,include_children\nGuitr,false\n", r"f\.csv, line 2: .* no label 'Guitr'; did you mean 'Guitar'"),
        ("label,include_children\nGuitar,maybe\n", "line 2: include_children is 'maybe'; expected true or false"),
        ("label,include_children\nGuitar\n", "line 2: include_children is 'none'; expected true or false"),
        ("name,children\nGuitar,true\n", "columns are .*; expected label,include_children"),
        ("label,include_children\n", "names no label"),
    ],
)
def test_bad_filters(text, message, tmp_path):
    (tmp_path / "f.csv").write_text(text)
    with pytest.raises(ConfigError, match=message):
        read_filter(tmp_path / "f.csv", TREE)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "cannot be read as AudioSet's ontology"),
        ("{}", "not AudioSet's ontology"),
        ('[{"id": 1}]', "label 0: id is 1; expected a text"),
        ("[1]", "label 0 is 1; expected an object"),
        ('[{"id": "/m/1", "name": "x", "child_ids": [1]}]', "label 0: child_ids has something else than texts"),
    ],
)
def test_bad_ontology(text, message, tmp_path):
    (tmp_path / "o.json").write_text(text)
    with pytest.raises(ConfigError, match=rf"o\.json: {message}"):
        read_ontology(tmp_path / "o.json")
