"""Official archives: fetched once, compared with what was published, unpacked into their folder only."""

import hashlib
import io
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest

from l3net.downstream.archive_download import fetch_archives
from l3net.downstream.archive_layouts import Archive, Layout
from l3net.errors import DatasetError
from tests.loopback import Server, serving

MEMBERS = {"Set/meta.csv": b"name\n", "Set/audio/1.wav": b"one", "Set/audio/2.wav": b"two"}


def zip_of(members: dict[str, bytes]) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return made.getvalue()


def tar_of(members: dict[str, bytes]) -> bytes:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w:gz") as archive:
        for name, content in members.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return made.getvalue()


def md5(content: bytes) -> str:
    return hashlib.md5(content).hexdigest()


def layout_of(*archives: Archive, metadata_md5: str | None = None) -> Layout:
    return Layout(
        title="A set",
        folder="set",
        licence="",
        citation="",
        archives=archives,
        read=lambda folder, settings: pd.DataFrame(),
        metadata="meta.csv",
        metadata_md5=metadata_md5,
    )


def files_below(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def server() -> Iterator[Server]:
    with serving() as running:
        yield running


@pytest.mark.parametrize(("name", "pack"), [("a.zip", zip_of), ("a.tar.gz", tar_of)])
@pytest.mark.parametrize("is_pinned", [True, False])
def test_an_archive_is_fetched_and_unpacked_once(server: Server, tmp_path: Path, name, pack, is_pinned: bool) -> None:
    content = pack(MEMBERS)
    server.answers[f"/{name}"] = content
    layout = layout_of(Archive(f"{server.url}/{name}", md5(content) if is_pinned else None))
    for _ in range(2):
        assert fetch_archives("mine", layout, tmp_path) == tmp_path / "set"
        assert files_below(tmp_path / "set") == {**MEMBERS, name: content}
    (tmp_path / "set/Set/audio/2.wav").unlink()
    fetch_archives("mine", layout, tmp_path)
    assert files_below(tmp_path / "set") == {**MEMBERS, name: content}
    assert server.requests[f"/{name}"] == 1


def test_an_archive_that_is_damaged_here_is_fetched_again(server: Server, tmp_path: Path) -> None:
    content = zip_of(MEMBERS)
    server.answers["/a.zip"] = content
    layout = layout_of(Archive(f"{server.url}/a.zip", md5(content)))
    (tmp_path / "set").mkdir()
    (tmp_path / "set" / "a.zip").write_bytes(content[:100])
    fetch_archives("mine", layout, tmp_path)
    assert files_below(tmp_path / "set") == {**MEMBERS, "a.zip": content}


@pytest.mark.parametrize(("name", "pack"), [("a.zip", zip_of), ("a.tar.gz", tar_of)])
def test_a_member_that_a_full_disk_or_a_kill_cut_is_unpacked_again(server: Server, tmp_path: Path, name, pack) -> None:
    content = pack(MEMBERS)
    server.answers[f"/{name}"] = content
    layout = layout_of(Archive(f"{server.url}/{name}", None))
    fetch_archives("mine", layout, tmp_path)
    (tmp_path / "set/Set/audio/2.wav").write_bytes(b"t")
    (tmp_path / "set/Set/audio/1.wav").write_bytes(b"")
    fetch_archives("mine", layout, tmp_path)
    assert files_below(tmp_path / "set") == {**MEMBERS, name: content}
    assert server.requests[f"/{name}"] == 1


def test_no_part_of_a_member_stands_in_its_place(server: Server, tmp_path: Path, monkeypatch) -> None:
    def cut(self, name, path):
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_bytes(b"t")
        raise OSError(28, "No space left on device")

    server.answers["/a.zip"] = content = zip_of(MEMBERS)
    monkeypatch.setattr(zipfile.ZipFile, "extract", cut)
    layout = layout_of(Archive(f"{server.url}/a.zip", None))
    with pytest.raises(DatasetError, match="No space left on device"):
        fetch_archives("mine", layout, tmp_path)
    assert files_below(tmp_path / "set") == {"a.zip": content}


def test_an_archive_without_a_published_digest_that_was_cut_is_fetched_again(server: Server, tmp_path: Path) -> None:
    server.answers["/a.zip"] = content = zip_of(MEMBERS)
    (tmp_path / "set").mkdir()
    (tmp_path / "set" / "a.zip").write_bytes(content[:-30])
    fetch_archives("mine", layout_of(Archive(f"{server.url}/a.zip", None)), tmp_path)
    assert files_below(tmp_path / "set") == {**MEMBERS, "a.zip": content}


def test_a_compressed_tar_whose_checksum_is_wrong_is_fetched_again(
    server: Server, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    server.answers["/a.tar.gz"] = content = tar_of(MEMBERS)
    (tmp_path / "set").mkdir()
    (tmp_path / "set" / "a.tar.gz").write_bytes(content[:-8] + bytes([content[-8] ^ 1]) + content[-7:])
    fetch_archives("mine", layout_of(Archive(f"{server.url}/a.tar.gz", None)), tmp_path)
    assert files_below(tmp_path / "set") == {**MEMBERS, "a.tar.gz": content}
    assert "CRC check failed" in caplog.text and "it is fetched again" in caplog.text


def test_a_damaged_archive_without_a_published_digest_is_fetched_again(
    server: Server, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Its directory is whole, so it looks like one; a member's checksum tells."""
    server.answers["/a.zip"] = content = zip_of(MEMBERS)
    (tmp_path / "set").mkdir()
    (tmp_path / "set" / "a.zip").write_bytes(content.replace(b"one", b"0ne", 1))
    fetch_archives("mine", layout_of(Archive(f"{server.url}/a.zip", None)), tmp_path)
    assert files_below(tmp_path / "set") == {**MEMBERS, "a.zip": content}
    assert "Bad CRC-32 for file 'Set/audio/1.wav'; it is fetched again" in caplog.text


def test_tars_are_unpacked_where_tarfile_has_no_filters(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def extract(archive, member, path="", set_attrs=True, *, numeric_owner=False) -> None:  # as Python 3.11.3 has it
        raise AssertionError("not filtered")

    monkeypatch.setattr(tarfile.TarFile, "extract", extract)
    server.answers["/a.tar.gz"] = content = tar_of({**MEMBERS, "/rooted": b"x"})
    fetch_archives("mine", layout_of(Archive(f"{server.url}/a.tar.gz", None)), tmp_path)
    assert files_below(tmp_path / "set") == {**MEMBERS, "rooted": b"x", "a.tar.gz": content}


def test_a_mirror_has_the_same_names(server: Server, tmp_path: Path) -> None:
    server.answers["/mirror/a.zip"] = zip_of(MEMBERS)
    layout = layout_of(Archive("http://published.invalid/files/a.zip", None))
    fetch_archives("mine", layout, tmp_path, mirror=f"{server.url}/mirror/")
    assert (tmp_path / "set/Set/meta.csv").exists()


def test_other_bytes_than_the_published_are_not_kept(server: Server, tmp_path: Path) -> None:
    server.answers["/a.zip"] = zip_of(MEMBERS)
    layout = layout_of(Archive(f"{server.url}/a.zip", "0" * 32))
    with pytest.raises(DatasetError, match=r"data set mine: http.*/a\.zip: the MD5 hash is .*, expected 0000"):
        fetch_archives("mine", layout, tmp_path)
    assert not files_below(tmp_path)


@pytest.mark.parametrize(("name", "content"), [("a.zip", b"no archive"), ("a.tar.gz", b"no archive")])
def test_what_is_no_archive_is_one_line(server: Server, tmp_path: Path, name: str, content: bytes) -> None:
    server.answers[f"/{name}"] = content
    with pytest.raises(DatasetError, match=f"data set mine: .*/{name}: cannot be read as a ") as caught:
        fetch_archives("mine", layout_of(Archive(f"{server.url}/{name}", None)), tmp_path)
    assert "\n" not in str(caught.value)


def test_no_member_leads_out_of_the_folder(server: Server, tmp_path: Path) -> None:
    server.answers["/a.tar.gz"] = tar_of({"../../hurt": b"x"})
    with pytest.raises(DatasetError, match="outside"):
        fetch_archives("mine", layout_of(Archive(f"{server.url}/a.tar.gz", None)), tmp_path / "deep")
    server.answers["/a.zip"] = zip_of({"../../hurt": b"x"})
    fetch_archives("mine", layout_of(Archive(f"{server.url}/a.zip", None)), tmp_path / "deep")
    assert [path.name for path in tmp_path.iterdir()] == ["deep"]
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["set"]


def test_the_metadata_is_the_published_one(server: Server, tmp_path: Path) -> None:
    server.answers["/a.zip"] = zip_of(MEMBERS)
    archive = Archive(f"{server.url}/a.zip", None)
    fetch_archives("mine", layout_of(archive, metadata_md5=md5(b"name\n")), tmp_path)
    with pytest.raises(DatasetError, match=r"meta\.csv: MD5 .*, expected the published 123; remove"):
        fetch_archives("mine", layout_of(archive, metadata_md5="123"), tmp_path)
    server.answers["/b.zip"] = zip_of({"other.csv": b""})
    with pytest.raises(DatasetError, match=r"meta\.csv is not in the archive; remove"):
        fetch_archives("mine", layout_of(Archive(f"{server.url}/b.zip", None), metadata_md5="1"), tmp_path / "new")


def test_a_layout_without_archives_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="layout folder has no official source; give the folder's path"):
        fetch_archives("mine", layout_of(), tmp_path)
