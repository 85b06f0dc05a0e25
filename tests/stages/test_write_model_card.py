"""The stage write_model_card: the model's own subset and accuracy, and nobody else's."""

from pathlib import Path

import pytest

from l3net.embeddings import add_keras_metadata
from write_model_card import write_model_card


@pytest.fixture
def files(tmp_path: Path) -> Path:
    import zipfile

    with zipfile.ZipFile(tmp_path / "embedding.keras", "w") as archive:
        archive.writestr("config.json", "{}")
    about = {"kind": "l3", "front_end": "mel128", "subset": "music", "dimension": 64, "epoch": 3, "samples_seen": 99}
    add_keras_metadata(tmp_path / "embedding.keras", about)
    rows = ["subset,split,status,n", "music,train,ok,101", "music,train,private,7", "environmental,train,ok,202"]
    (tmp_path / "attrition.csv").write_text("\n".join([*rows, "music,test,ok,13"]) + "\n")
    columns = "train_subset,test_subset,front_end,epoch,n,accuracy,ci_low,ci_high,n_units,unit,samples_seen\n"
    tested = "music,environmental,mel128,3,384,0.5521,0.4382,0.6607,16,clip,99\n"
    (tmp_path / "avc.csv").write_text(columns + tested + "music,music,mel128,3,360,0.8889,0.8467,0.9205,15,clip,99\n")
    return tmp_path


def card(files: Path, **settings: object) -> str:
    target = files / "README.md"
    given = {"name": "music-mel128", "source": "directory", **settings}
    write_model_card(files / "embedding.keras", files / "avc.csv", files / "attrition.csv", target, **given)
    return target.read_text()


def test_a_card_counts_the_clips_of_the_model_s_subset_and_the_intervals_of_both_tests(files: Path) -> None:
    text = card(files)
    assert "| train | 108 | 101 | 7 private |" in text and "| test | 13 | 13 |  |" in text
    assert "202" not in text
    assert "| environmental | 55.2 | 43.8 to 66.1 | 384 | 16 clips |" in text
    assert "| music | 88.9 | 84.7 to 92.0 | 360 | 15 clips |" in text


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"source": "youtube"}, "licensed by Google under CC BY 4.0"),
        ({"source": "directory"}, "Licence of the data: Not stated."),
        ({"synthetic": True}, "Licence of the data: Synthetic: drawn"),
        ({"data_licence": "CC0.", "synthetic": True}, "Licence of the data: CC0."),
    ],
)
def test_the_licence_is_the_user_s_word_or_what_is_known_of_the_source(
    files: Path, settings: dict[str, object], said: str
) -> None:
    assert said in card(files, **settings)
