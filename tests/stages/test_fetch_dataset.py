"""fetch_dataset: every layout, one's own data set, downloads, and what it says about bad input."""

import functools
import http.server
import shutil
import tarfile
import threading
from pathlib import Path

import pandas as pd
import pytest

from l3net.downstream.archive_layouts import LAYOUTS, Archive, Layout
from l3net.errors import DatasetError
from tests.stages.loading import stage_function
from tests.tiny_datasets import lay_out_dcase2013, lay_out_esc50, lay_out_us8k, write_sound

fetch_dataset = stage_function("fetch_dataset")


def fetch(folder: Path, tmp_path: Path, layout: str, **settings: str) -> pd.DataFrame:
    index = tmp_path / "index.csv"
    fetch_dataset("mine", {"layout": layout, "source": str(folder), **settings}, index, tmp_path / "downloads")
    table = pd.read_csv(index, dtype=str)
    assert list(table.columns) == ["path", "filename", "label", "fold", "group"]
    assert all(Path(path).is_file() for path in table["path"])
    assert table["filename"].is_unique
    return table


def test_urbansound8k(tmp_path: Path) -> None:
    table = fetch(lay_out_us8k(tmp_path / "UrbanSound8K"), tmp_path, "us8k")
    assert len(table) == 12
    assert set(table["label"]) == {"siren", "drilling"}
    assert table.groupby("group").size().eq(2).all()
    assert set(table["group"]) == {"100", "101", "200", "201", "300", "301"}


def test_esc50_in_a_folder_of_its_archive_and_esc10_in_it(tmp_path: Path) -> None:
    lay_out_esc50(tmp_path / "ESC" / "ESC-50-master")
    assert fetch(tmp_path / "ESC", tmp_path, "esc50")["label"].nunique() == 3
    esc10 = fetch(tmp_path / "ESC", tmp_path, "esc10")
    assert set(esc10["label"]) == {"dog", "rain"}
    assert sorted(set(esc10["fold"])) == ["1", "2", "3", "4", "5"]


@pytest.mark.parametrize("coded", [False, True])
def test_dcase2013(tmp_path: Path, coded: bool) -> None:
    table = fetch(lay_out_dcase2013(tmp_path / "dcase", coded=coded), tmp_path, "dcase2013")
    assert table.groupby(["fold", "label"]).size().to_dict() == {
        ("test", "bus"): 2,
        ("test", "tube"): 2,
        ("train", "bus"): 2,
        ("train", "tube"): 2,
    }


def test_dcase2013_under_coded_names_needs_its_key(tmp_path: Path) -> None:
    folder = lay_out_dcase2013(tmp_path / "dcase", coded=True)
    (folder / "dcase2013_task1_filenamekey.csv").unlink()
    with pytest.raises(DatasetError, match=r"1_abcde0\.wav: expected a name like bus01\.wav, or the key"):
        fetch(folder, tmp_path, "dcase2013")


def test_the_real_esc10(shared_data: Path, tmp_path: Path) -> None:
    table = fetch(shared_data / "esc10", tmp_path, "esc10")
    assert (len(table), table["label"].nunique(), table["fold"].nunique()) == (400, 10, 5)
    assert table.groupby("group")["fold"].nunique().eq(1).all()


def test_ones_own_folder_and_csv(tmp_path: Path) -> None:
    lines = ["filename,label,fold,group"]
    for n in range(8):
        write_sound(tmp_path / "mine" / f"{n}.flac", n)
        lines.append(f"{n}.flac,{'ab'[n % 2]},{n // 4 + 1},{'' if n == 0 else f'person {n // 2}'}")
    (tmp_path / "clips.csv").write_text("\n".join(lines))
    table = fetch(tmp_path / "mine", tmp_path, "folder", metadata=str(tmp_path / "clips.csv")).set_index("filename")
    assert table.loc["0.flac", "group"] == "0.flac"
    assert table.loc["7.flac", "group"] == "person 3"


def test_a_class_of_one_group_is_told_before_anything_is_embedded(tmp_path: Path) -> None:
    lines = ["filename,label,group"]
    for n in range(12):
        write_sound(tmp_path / "mine" / f"{n}.flac", n)
        lines.append(f"{n}.flac,{'ab'[n % 2]},{f'person {n}' if n % 2 else 'the farm'}")
    (tmp_path / "mine" / "metadata.csv").write_text("\n".join(lines))
    said = r"data set mine: all 6 clips of class 'a' are of one group, 'the farm', and none is left to train on"
    with pytest.raises(DatasetError, match=said):
        fetch(tmp_path / "mine", tmp_path, "folder")
    assert not (tmp_path / "index.csv").exists()


def test_the_protocol_says_which_folds_can_be_evaluated(tmp_path: Path) -> None:
    """All recordings of b are of one group, in both folds; the published code alone trains on those of the other."""
    lines = ["filename,label,fold,group"]
    for number in range(8):
        label, fold = "ab"[number % 2], number // 4 + 1
        write_sound(tmp_path / "own" / f"{number}.flac", seed=number)
        lines.append(f"{number}.flac,{label},{fold},{'the farm' if label == 'b' else f'place {number}'}")
    (tmp_path / "own" / "metadata.csv").write_text("\n".join(lines) + "\n")
    settings, index = {"layout": "folder", "source": str(tmp_path / "own")}, tmp_path / "index.csv"
    with pytest.raises(DatasetError, match=r"data set mine: all 4 clips of class 'b' are of one group, 'the farm'"):
        fetch_dataset("mine", settings, index, tmp_path / "downloads", protocol="paper")
    assert not index.exists()
    fetch_dataset("mine", settings, index, tmp_path / "downloads", protocol="published_code")
    assert len(pd.read_csv(index)) == 8


def test_capital_suffixes_and_the_notes_of_file_managers(tmp_path: Path) -> None:
    folder = lay_out_dcase2013(tmp_path / "dcase", coded=False)
    for path in sorted(folder.rglob("*.wav")):
        path.rename(path.with_suffix(".WAV"))
        (path.parent / f"._{path.stem}.WAV").write_bytes(b"note")
    assert len(fetch(folder, tmp_path, "dcase2013")) == 8
    for part in folder.iterdir():
        if part.is_dir():
            shutil.rmtree(part)
            part.mkdir()
    with pytest.raises(DatasetError, match="no recordings in scenes_stereo/ and scenes_stereo_testset/"):
        fetch(folder, tmp_path, "dcase2013")


def test_bad_input_gets_one_line(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"no folder .*absent; set datasets\.mine\.source .* or to 'official'"):
        fetch(tmp_path / "absent", tmp_path, "us8k")
    (tmp_path / "empty").mkdir()
    with pytest.raises(DatasetError, match=r"meta/esc50\.csv: no such file"):
        fetch(tmp_path / "empty", tmp_path, "esc50")
    with pytest.raises(DatasetError, match="no ESC-10 here"):
        fetch(tmp_path / "empty", tmp_path, "esc10")
    with pytest.raises(DatasetError, match="scenes_stereo: no such folder"):
        fetch(tmp_path / "empty", tmp_path, "dcase2013")
    (tmp_path / "empty" / "metadata.csv").write_text("filename,fold\na.wav,1\n")
    with pytest.raises(DatasetError, match=r"metadata\.csv: no labels; expected a column label"):
        fetch(tmp_path / "empty", tmp_path, "folder")
    with pytest.raises(DatasetError, match=r"data set mine: layout is 'nope'; expected one of us8k, "):
        fetch(tmp_path / "empty", tmp_path, "nope")


@pytest.fixture
def server(tmp_path: Path):
    folder = tmp_path / "served"
    folder.mkdir()

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

    handler = functools.partial(Quiet, directory=folder)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as httpd:
        threading.Thread(target=httpd.serve_forever, daemon=True).start()
        yield folder, f"http://127.0.0.1:{httpd.server_port}"
        httpd.shutdown()


def test_official_archives_are_fetched_checked_and_unpacked(
    tmp_path: Path, server: tuple[Path, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    import hashlib

    folder, address = server
    lay_out_us8k(tmp_path / "UrbanSound8K")
    with tarfile.open(folder / "UrbanSound8K.tar.gz", "w:gz") as archive:
        archive.add(tmp_path / "UrbanSound8K", "UrbanSound8K")
    digests = [
        hashlib.md5(path.read_bytes()).hexdigest()
        for path in (folder / "UrbanSound8K.tar.gz", tmp_path / "UrbanSound8K/metadata/UrbanSound8K.csv")
    ]
    official = LAYOUTS["us8k"]
    with pytest.raises(DatasetError, match=r"UrbanSound8K\.tar\.gz: .*hash"):
        fetch("official", tmp_path, "us8k", mirror=address)
    served = {**vars(official), "archives": (Archive(official.archives[0].url, digests[0]),)}
    monkeypatch.setitem(LAYOUTS, "us8k", Layout(**served))
    with pytest.raises(DatasetError, match=r"MD5 .*, expected the published"):
        fetch("official", tmp_path, "us8k", mirror=address)
    served["metadata_md5"] = digests[1]
    monkeypatch.setitem(LAYOUTS, "us8k", Layout(**served))
    assert len(fetch("official", tmp_path, "us8k", mirror=address)) == 12
    (folder / "UrbanSound8K.tar.gz").unlink()
    assert len(fetch("official", tmp_path, "us8k", mirror=address)) == 12
    shutil.rmtree(tmp_path / "downloads")
    with pytest.raises(DatasetError, match="404"):
        fetch("official", tmp_path, "us8k", mirror=address)
