"""Archives of somebody else's: read within bounds, whatever they state or inflate to."""

import io
import tarfile
import tracemalloc
import zipfile
from pathlib import Path

import numpy as np
import pytest

from l3net.errors import DatasetError
from l3net.files import foreign_archives
from l3net.files.foreign_archives import open_foreign_tar, open_foreign_zip, read_member, read_npz

hypothesis = pytest.importorskip("hypothesis", reason="hypothesis, of the extra dev, is not installed")
from hypothesis import given, settings  # noqa: E402
from hypothesis import strategies as st  # noqa: E402


def refusal(match: str):
    return pytest.raises(DatasetError, match=match)


def asked(path: Path) -> tuple:
    return path, DatasetError, "an archive"


def zip_of(path: Path, members: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def tar_of(path: Path, members: dict[str, bytes], mode: str = "w:gz") -> Path:
    with tarfile.open(path, mode) as archive:
        for name, content in members.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return path


def test_a_zip_that_states_more_than_its_bound_is_not_opened(tmp_path: Path, monkeypatch) -> None:
    path = zip_of(tmp_path / "a.zip", {"zeros": bytes(20 << 20), "b": b"b"})
    with open_foreign_zip(*asked(path)) as archive:
        assert archive.read("b") == b"b"
        with refusal(r"a\.zip: zeros states 20 MB; expected at most 2 MB"):
            read_member(archive, "zeros", DatasetError, most=2 << 20)
    monkeypatch.setattr(foreign_archives, "_AT_LEAST", 1 << 20)
    with (
        pytest.raises(DatasetError, match=r"a\.zip: 2 members state 20 MB together"),
        open_foreign_zip(*asked(path)),
    ):
        pytest.fail("it was opened")


def test_a_zip_whose_directory_lies_about_a_size_gives_no_more_than_it_states(tmp_path: Path) -> None:
    path = zip_of(tmp_path / "a.zip", {"zeros": bytes(20 << 20)})
    path.write_bytes(path.read_bytes().replace((20 << 20).to_bytes(4, "little"), (1 << 20).to_bytes(4, "little")))
    tracemalloc.start()
    with (
        pytest.raises(DatasetError, match=r"a\.zip: cannot be read .*Bad CRC-32"),
        open_foreign_zip(*asked(path)) as archive,
    ):
        read_member(archive, "zeros", DatasetError, most=2 << 20)
    assert tracemalloc.get_traced_memory()[1] < 8 << 20
    tracemalloc.stop()


@pytest.mark.parametrize("mode", ["w", "w:gz", "w:bz2", "w:xz"])
def test_a_tar_is_read_however_it_is_packed(tmp_path: Path, mode: str) -> None:
    path = tar_of(tmp_path / "a.tar", {"a": b"one", "folder/b": bytes(100_000)}, mode)
    with open_foreign_tar(*asked(path)) as archive:
        assert archive.getnames() == ["a", "folder/b"]
        archive.extractall(tmp_path / "out", filter="data")
    assert (tmp_path / "out/folder/b").read_bytes() == bytes(100_000)


@pytest.mark.parametrize("mode", ["w:gz", "w:bz2", "w:xz"])
def test_a_tar_that_inflates_without_end_ends_at_its_bound(tmp_path: Path, monkeypatch, mode: str) -> None:
    monkeypatch.setattr(foreign_archives, "_AT_LEAST", 1 << 20)
    path = tar_of(tmp_path / "a.tar.gz", {"zeros": bytes(12 << 20), "behind": b"b"}, mode)
    with (
        pytest.raises(DatasetError, match=r"a\.tar\.gz: unpacks to more than 1 MB"),
        open_foreign_tar(*asked(path)) as archive,
    ):
        archive.getmembers()


def test_a_name_of_a_gigabyte_is_not_read(tmp_path: Path) -> None:
    """A header of its own states the length of a long name, which tarfile reads into memory."""
    entry = tarfile.TarInfo("././@LongLink")
    entry.type, entry.size = tarfile.GNUTYPE_LONGNAME, 900 << 20
    (tmp_path / "a.tar").write_bytes(entry.tobuf(tarfile.GNU_FORMAT) + bytes(1024))
    with (
        pytest.raises(DatasetError, match=r"a\.tar: the name of a member states 943718400 bytes"),
        open_foreign_tar(*asked(tmp_path / "a.tar")),
    ):
        pytest.fail("it was opened")


def npz_of(path: Path, header: bytes, content: bytes) -> Path:
    return zip_of(path, {"a.npy": b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header + content})


def test_arrays_of_an_npz_are_those_that_numpy_wrote(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    written = {
        "a": rng.normal(size=(3, 4)),
        "f": np.asfortranarray(rng.integers(0, 9, (2, 5))),
        "t": np.array("some text"),
        "empty": np.zeros((0, 7), "f4"),
        "scalar": np.float32(2),
    }
    np.savez(tmp_path / "a.npz", **written)
    found = read_npz(tmp_path / "a.npz", DatasetError, "vectors", tuple(written))
    for name, values in written.items():
        np.testing.assert_array_equal(found[name], values)
        assert found[name].dtype == np.asarray(values).dtype
        assert found[name].flags.writeable


@pytest.mark.parametrize(
    ("header", "message"),
    [
        (b"{'descr': '<f4', 'fortran_order': False, 'shape': (1099511627776,), }\n", "states the shape .* has 8 bytes"),
        (b"{'descr': '<f4', 'fortran_order': False, 'shape': (-1, -2), }\n", "shape"),
        (b"{'descr': '|O', 'fortran_order': False, 'shape': (2,), }\n", "holds objects; expected numbers or texts"),
        (b"{'descr': '<U0', 'fortran_order': False, 'shape': (1000000000,), }\n", "shape"),
        (b"{'descr': '<f4', 'fortran_order': False, 'shape': __import__('os')}\n", "cannot be read as vectors"),
        (b"(" * 5000, "cannot be read as vectors"),
    ],
)
def test_headers_that_state_something_else_are_refused(tmp_path: Path, header: bytes, message: str) -> None:
    with refusal(rf"a\.npz: (a )?{message}|a\.npz: .*{message}") as caught:
        read_npz(npz_of(tmp_path / "a.npz", header, bytes(8)), DatasetError, "vectors", ("a",))
    assert len(str(caught.value)) <= 400


def test_an_npz_without_an_array_says_which(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", b=np.zeros(1))
    with refusal(r"a\.npz: has no array a; expected vectors"):
        read_npz(tmp_path / "a.npz", DatasetError, "vectors", ("a",))


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_damaged_copies_are_read_or_refused_in_one_line(tmp_path_factory, data) -> None:
    folder = tmp_path_factory.getbasetemp()
    sound = io.BytesIO()
    np.savez(sound, a=np.arange(6.0))
    content = bytearray(sound.getvalue())
    for _ in range(data.draw(st.integers(1, 6))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    (folder / "spoilt.npz").write_bytes(content[: data.draw(st.integers(0, len(content)))] or content)
    try:
        read_npz(folder / "spoilt.npz", DatasetError, "vectors", ("a",))
    except DatasetError as error:
        assert len(str(error)) <= 400 and "\n" not in str(error)
