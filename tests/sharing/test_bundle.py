"""`l3net share`: the folder holds what it says, its test passes, and fails for another model."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest

from l3net.cli.main import main
from l3net.sharing import share_model
from tests import tiny_embedding


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("run") / "embedding.keras"
    tiny_embedding.write_embedding(path)
    return path


@pytest.fixture(scope="module")
def shared(model: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[str]]:
    target = tmp_path_factory.mktemp("shared") / "new" / "mine"
    return target, share_model(model, target)


def check(folder: Path) -> subprocess.CompletedProcess:
    return subprocess.run([sys.executable, "check.py"], cwd=folder, capture_output=True, text=True)


def test_a_folder_holds_card_weights_checksums_and_a_test_that_passes(
    model: Path, shared: tuple[Path, list[str]]
) -> None:
    folder, left_out = shared
    assert (folder / "embedding.keras").read_bytes() == model.read_bytes()
    assert "# music-mel128" in (folder / "README.md").read_text()
    # This small network fits no openl3 file: said, and nothing half-written.
    assert any(line.startswith("without embedding.h5 (openl3): openl3's network has") for line in left_out)
    assert not (folder / "embedding.h5").exists()
    sums = subprocess.run(
        ["sha256sum", "--check", "--strict", "SHA256SUMS"], cwd=folder, capture_output=True, text=True
    )
    assert sums.returncode == 0, sums.stderr
    listed = {line.split("  ")[1] for line in (folder / "SHA256SUMS").read_text().splitlines()}
    assert listed == {path.name for path in folder.iterdir()} - {"SHA256SUMS"}
    assert len((folder / "check.py").read_text().splitlines()) == 3
    ended = check(folder)
    assert ended.returncode == 0 and ended.stdout == "as expected\n", ended.stderr
    assert [path.name for path in folder.parent.iterdir()] == ["mine"]


def test_the_test_fails_for_another_model(shared: tuple[Path, list[str]], tmp_path: Path) -> None:
    for path in shared[0].iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    np.save(tmp_path / "check_vectors.npy", np.load(tmp_path / "check_vectors.npy") * 1.01)
    ended = check(tmp_path)
    assert ended.returncode != 0 and "AssertionError" in ended.stderr


def test_a_zip_has_the_run_s_card(model: Path, tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    (tmp_path / "embedding.keras").write_bytes(model.read_bytes())
    (tmp_path / "README.md").write_text("# the run's card\n")
    target = tmp_path / "mine.zip"
    assert main(["share", str(tmp_path / "embedding.keras"), "--output", str(target)]) == 0
    with zipfile.ZipFile(target) as archive:
        assert archive.testzip() is None
        assert archive.read("mine/README.md") == b"# the run's card\n"
        assert "mine/check.py" in archive.namelist()
    odd = tmp_path / os.fsdecode(b"m\xe4.zip")  # no text
    assert main(["share", str(tmp_path / "embedding.keras"), "--output", str(odd)]) == 0
    with zipfile.ZipFile(odd) as archive:
        assert "m\\xe4/check.py" in archive.namelist()
    assert f"written: {target}" in capsys.readouterr().out
    assert main(["share", str(tmp_path / "embedding.keras"), "--output", str(target)]) == 1
    assert "is there already" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["mine.tar.gz", "mine.tgz", "mine.7z", "mine.keras"])
def test_another_archive_than_a_zip_is_refused_at_once(
    name: str, model: Path, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    assert main(["share", str(model), "--output", str(tmp_path / name)]) == 1
    assert "only a zip is packed; name it mine.zip, or a folder" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_a_file_that_is_no_model_leaves_nothing(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    (tmp_path / "x.keras").write_text("no")
    assert main(["share", str(tmp_path / "x.keras"), "--output", str(tmp_path / "out")]) == 1
    assert "cannot be read as an embedding.keras" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["x.keras"]
