"""HDF5 files that lead elsewhere or state more than they hold are refused; what stands in the file is read."""

from pathlib import Path

import h5py
import numpy as np
import pytest

from l3net.errors import WeightsError
from l3net.files.foreign_hdf5 import open_foreign_hdf5

SECRET = np.arange(64, dtype="u1")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A file with some of everything that is allowed."""
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.attrs.update({"text": "ä", "bytes": b"b", "n": 3, "names": np.array([b"x", b"y"])})
        file["numbers"] = np.arange(12.0).reshape(3, 4)
        file["group/inner/more"] = np.arange(5)
        file["group/one"] = np.float32(1.5)
        file["texts"] = np.array(["a", "bc"], object).astype(h5py.string_dtype())
    return tmp_path / "a.h5"


def read(path: Path, ask):
    with open_foreign_hdf5(path, WeightsError, "a checkpoint") as file:
        return ask(file)


def test_what_stands_in_the_file_is_read(path: Path) -> None:
    assert read(path, lambda f: [f.attribute(n) for n in ("text", "bytes", "n", "none")]) == ["ä", "b", 3, None]
    assert read(path, lambda f: f.attribute("names").tolist()) == [b"x", b"y"]
    np.testing.assert_array_equal(read(path, lambda f: f.array("numbers")), np.arange(12.0).reshape(3, 4))
    found = read(path, lambda f: f.arrays("group"))
    assert {name: values.tolist() for name, values in found.items()} == {"inner/more": [0, 1, 2, 3, 4], "one": 1.5}
    assert read(path, lambda f: f.arrays("none")) == {}
    assert read(path, lambda f: f.texts("texts")) == ["a", "bc"]


def test_types_are_checked(path: Path) -> None:
    for ask, message in {
        lambda f: f.text("n"): "attribute n is int64; expected a text",
        lambda f: f.array("texts"): "texts holds object; expected numbers",
        lambda f: f.array("group"): "group is no dataset",
        lambda f: f.texts("numbers"): "numbers holds float64 .*; expected a list of texts",
        lambda f: f.array("nothing"): "cannot be read as a checkpoint: it has no /nothing",
    }.items():
        with pytest.raises(WeightsError, match=rf"a\.h5: {message}"):
            read(path, ask)


def _external_storage(file: h5py.File, neighbour: Path) -> None:
    file.create_dataset("bad", (64,), "u1", external=[(str(neighbour), 0, 64)])


def _external_link(file: h5py.File, neighbour: Path) -> None:
    with h5py.File(neighbour.with_suffix(".h5"), "w") as other:
        other["secret"] = SECRET
    file["bad"] = h5py.ExternalLink(str(neighbour.with_suffix(".h5")), "/secret")


def _soft_link(file: h5py.File, neighbour: Path) -> None:
    file["bad"] = h5py.SoftLink("/numbers")


def _virtual(file: h5py.File, neighbour: Path) -> None:
    with h5py.File(neighbour.with_suffix(".h5"), "w") as other:
        other["secret"] = SECRET
    layout = h5py.VirtualLayout((64,), "u1")
    layout[:] = h5py.VirtualSource(str(neighbour.with_suffix(".h5")), "secret", (64,))
    file.create_virtual_dataset("bad", layout)


def _shape_bomb(file: h5py.File, neighbour: Path) -> None:
    file.create_dataset("bad", (1 << 40,), "f4", chunks=(1024,))


def _packed_bomb(file: h5py.File, neighbour: Path) -> None:
    file.create_dataset("bad", data=np.zeros(30_000_000, "u1"), compression="gzip")


HOSTILE = {
    _external_storage: "the data of bad stand in another file, which is not opened",
    _external_link: "/bad is a link that leads elsewhere, which is not followed",
    _soft_link: "/bad is a link that leads elsewhere, which is not followed",
    _virtual: "the data of bad stand in another file, which is not opened",
    _shape_bomb: r"bad states the shape \(1099511627776,\) of float32, more than the \d+ bytes of the file hold",
    _packed_bomb: r"bad states the shape .*more than the \d+ bytes.*h5repack -f bad:NONE unpacks it",
}


@pytest.mark.parametrize("make", HOSTILE, ids=lambda make: make.__name__)
def test_what_leads_elsewhere_or_is_not_there_is_refused(path: Path, make) -> None:
    neighbour = path.with_name("secret.bin")
    neighbour.write_bytes(SECRET.tobytes())
    with h5py.File(path, "a") as file:
        make(file, neighbour)
    for ask in (lambda f: f.array("bad"), lambda f: f.dataset("bad")):
        with pytest.raises(WeightsError, match=rf"a\.h5: {HOSTILE[make]}"):
            read(path, ask)
    with h5py.File(path, "a") as file:
        file.move("numbers", "group/numbers")
        file.move("bad", "group/bad")
    with pytest.raises(WeightsError, match=r"a\.h5: .*bad"):
        read(path, lambda f: f.arrays("group"))


def test_the_same_data_under_many_names_are_not_read_again_and_again(path: Path) -> None:
    with h5py.File(path, "w") as file:
        file["many/first"] = np.zeros(100_000)
        for n in range(50):
            file[f"many/{n}"] = file["many/first"]
    with pytest.raises(WeightsError, match=r"a\.h5: at many/\d+ more is to be read than the \d+ bytes of the file"):
        read(path, lambda f: f.arrays("many"))


def test_texts_that_are_one_long_text_many_times_are_not_all_read(path: Path) -> None:
    """Every element of a dataset of texts may lead to the same place in the file."""
    with h5py.File(path, "w") as file:
        file["texts"] = np.array(["x" * 60_000] + [""] * 5000, object).astype(h5py.string_dtype())
    content = path.read_bytes()
    with h5py.File(path) as file:
        start = file["texts"].id.get_offset()
    first = content[start : start + 16]
    path.write_bytes(content[:start] + first * 5001 + content[start + 16 * 5001 :])
    with pytest.raises(WeightsError, match=r"a\.h5: at texts more is to be read than the \d+ bytes"):
        read(path, lambda f: f.texts("texts"))


def test_groups_that_stand_in_each_other_end_somewhere(path: Path) -> None:
    with h5py.File(path, "a") as file:
        file["group/round"] = file["group"]
    with pytest.raises(WeightsError, match=r"a\.h5: (more than 32 groups inside each other|.*more is to be read)"):
        read(path, lambda f: f.arrays("group"))


def test_an_attribute_that_states_too_much_is_refused(path: Path) -> None:
    with h5py.File(path, "a") as file:
        file.attrs.create("wide", np.zeros(7000, "f8"))
        n_bytes = path.stat().st_size
    content = path.read_bytes()
    # its dataspace: one dimension of 7000, made 7000 times 2**20
    where = content.index((7000).to_bytes(8, "little"))
    path.write_bytes(content[:where] + (7000 << 20).to_bytes(8, "little") + content[where + 8 :])
    assert n_bytes
    with pytest.raises(WeightsError, match=r"a\.h5: "):
        read(path, lambda f: f.attribute("wide"))


def test_300_damaged_copies_are_read_or_refused_in_one_line(path: Path) -> None:
    content, rng, refused = path.read_bytes(), np.random.default_rng(15), 0
    for _ in range(300):
        spoilt = bytearray(content)
        for place in rng.integers(0, len(spoilt), rng.integers(1, 8)):
            spoilt[place] = rng.integers(256)
        path.write_bytes(spoilt[: rng.integers(1, len(spoilt))] if rng.random() < 0.2 else spoilt)
        try:
            read(path, lambda f: (f.arrays("group"), f.array("numbers"), f.texts("texts"), f.attribute("text")))
        except WeightsError as error:
            refused += 1
            assert len(str(error)) <= 400 and "\n" not in str(error)
    assert refused > 50
