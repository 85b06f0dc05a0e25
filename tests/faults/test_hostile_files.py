"""Every kind of foreign file, made hostile: damaged, nested without end, larger inside than outside, leading elsewhere.

What must hold: the file is read, or refused by one `L3Error` of at most 400 letters that names it.
"""

import io
import json
import pickle
import struct
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np
import pytest

from l3net.audioset.clip_tables import read_clip_list
from l3net.audioset.ontology import Ontology, read_filter, read_ontology
from l3net.audioset.segment_lists import read_segments
from l3net.cli.embed import _read_list
from l3net.downstream.datasets import read_dataset_index
from l3net.embeddings.keras_archive import check_keras_archive
from l3net.embeddings.keras_metadata import add_keras_metadata, read_keras_metadata
from l3net.embeddings.soundnet import read_soundnet
from l3net.embeddings.vggish import read_vggish, read_whitening
from l3net.errors import DatasetError, L3Error, WeightsError
from l3net.models.pickled_arrays import read_pickled_arrays
from l3net.samples.shard_index import read_shard_index
from l3net.training.checkpoint import read_checkpoint
from l3net.training.model_state import load_l3
from l3net.vectors.dataset_vectors import read_dataset_vectors
from tests import tiny_embedding

TREE = Ontology({"/m/1": "Music"}, {"/m/1": []})


@dataclass(frozen=True)
class Kind:
    """A kind of foreign file: one that is well, and its reader."""

    name: str
    make: Callable[[Path], object]
    read: Callable[[Path], object]
    mutants: int = 60


def _index(path: Path) -> None:
    (path.parent / "part-0000.h5").touch()
    entry = {"path": "part-0000.h5", "sha256": "0" * 64, "n_samples": 6, "n_clips": 2}
    numbers = {"image_size": 64, "sample_rate": 48000, "samples_per_clip": 3, "n_samples": 6, "n_clips": 2}
    head = {"format_version": 2, "subset": "music", "split": "train", "largest_image_bytes": 900}
    path.write_text(json.dumps({**head, **numbers, "shards": [entry]}))


def _pca(path: Path) -> None:
    np.savez(path.with_suffix(".npz"), pca_eigen_vectors=np.eye(128), pca_means=np.zeros((128, 1)))
    path.with_suffix(".npz").rename(path)


def _layers(path: Path) -> None:
    with open(path, "wb") as file:
        np.save(file, np.array({"conv1": {"weights": np.zeros((2, 3), "f4")}}, object), allow_pickle=True)


def _openl3(path: Path) -> None:
    with h5py.File(path, "w") as file:
        file.attrs["layer_names"] = np.array(["conv"], "S")
        file.create_group("conv").attrs["weight_names"] = np.array(["conv/kernel:0"], "S")
        file["conv/conv/kernel:0"] = np.zeros((3, 3), "f4")


def _read_openl3(path: Path) -> None:
    from l3net.models import openl3_weights

    openl3_weights._read_layers(path)


def _vectors(path: Path) -> None:
    with h5py.File(path, "w") as file:
        for column in ("filename", "label", "fold", "group"):
            file[f"clips/{column}"] = np.array(["a", "b"], object).astype(h5py.string_dtype())
        file["embedding"], file["timestamps"], file["offsets"] = np.zeros((3, 4), "f4"), np.zeros(3), [0, 1, 3]
        file.attrs["kind"] = "l3"


KINDS = [
    Kind("checkpoint", tiny_embedding.write_checkpoint, read_checkpoint, mutants=15),
    Kind("embedding.keras", tiny_embedding.write_embedding, lambda p: (read_keras_metadata(p), check_keras_archive(p))),
    Kind("openl3.h5", _openl3, _read_openl3, mutants=150),
    Kind("vectors.h5", _vectors, read_dataset_vectors, mutants=150),
    Kind("pca.npz", _pca, read_whitening),
    Kind("layers.npy", _layers, lambda p: read_pickled_arrays(p, "weights"), mutants=300),
    Kind("vggish.ckpt", lambda p: p.write_bytes(b"\x57\xfb\x80\x8b\x24\x75\x47\xdb" * 20), read_vggish, mutants=10),
    Kind("train.json", _index, read_shard_index),
    Kind(
        "ontology.json",
        lambda p: p.write_text('[{"id": "/m/1", "name": "Music", "child_ids": ["/m/2"]}]'),
        read_ontology,
    ),
    Kind("filter.csv", lambda p: p.write_text("label,include_children\nMusic,true\n"), lambda p: read_filter(p, TREE)),
    Kind("segments.csv", lambda p: p.write_text('# x\nabcdefghijk, 1.0, 11.0, "/m/1"\n'), read_segments),
    Kind(
        "clips.csv",
        lambda p: p.write_text("ytid,start_seconds,end_seconds,labels\nabcdefghijk,1.0,11.0,/m/1\n"),
        read_clip_list,
    ),
    Kind(
        "index.csv",
        lambda p: p.write_text("path,filename,label,fold,group\n/x/a.wav,a.wav,dog,1,g\n"),
        read_dataset_index,
    ),
    Kind("files.txt", lambda p: p.write_text("a.wav\nb.wav\n"), _read_list),
]


def refused(kind: Kind, path: Path) -> str | None:
    """Read a file; return the line that refuses it, after looking at the line, or None where it is read."""
    try:
        kind.read(path)
    except L3Error as error:
        said = str(error)
        assert len(said) <= 400, said
        assert said.isprintable(), said
        assert path.name in said or "shard" in said, said
        return said
    return None


@pytest.fixture(scope="module")
def good(tmp_path_factory) -> dict[str, bytes]:
    folder, content = tmp_path_factory.mktemp("good"), {}
    for kind in KINDS:
        kind.make(folder / kind.name)
        content[kind.name] = (folder / kind.name).read_bytes()
    return content


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_damaged_copies_are_read_or_refused_in_one_line(kind: Kind, good, tmp_path: Path) -> None:
    content, rng = good[kind.name], np.random.default_rng(15)
    path = tmp_path / kind.name
    if kind.name == "train.json":
        _index(path)
    path.write_bytes(content)
    assert kind.name == "vggish.ckpt" or refused(kind, path) is None
    for number in range(kind.mutants):
        spoilt = bytearray(content)
        if number % 5 == 0:
            spoilt = spoilt[: rng.integers(0, len(spoilt))]
        elif number % 5 == 1:  # a piece stands twice
            start, end = sorted(rng.integers(0, len(spoilt), 2))
            spoilt[end:end] = spoilt[start:end]
        else:
            for place in rng.integers(0, len(spoilt), rng.integers(1, 8)):
                spoilt[place] = rng.integers(256)
        path.write_bytes(spoilt)
        refused(kind, path)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
@pytest.mark.parametrize(
    "content",
    [b"", b"\0" * 5000, b"\xff\xfe" + b"x" * 100, b"[" * 100_000, b'{"a":' * 50_000, b'"' * 999, b"\x1b[2J\x07" * 300],
    ids=["empty", "zeros", "no text", "deep list", "deep object", "quotes", "escapes"],
)  # fmt: skip
def test_other_content_is_refused_in_one_line(kind: Kind, content: bytes, tmp_path: Path) -> None:
    path = tmp_path / kind.name
    path.write_bytes(content)
    assert refused(kind, path) or kind.name == "files.txt" or (kind.name, content[:1]) == ("segments.csv", b"\0")


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_a_folder_and_a_file_that_is_missing_are_told(kind: Kind, tmp_path: Path) -> None:
    assert refused(kind, tmp_path / kind.name)
    (tmp_path / kind.name).mkdir()
    assert refused(kind, tmp_path / kind.name)


def with_config(path: Path, change: Callable[[dict], None], weights: bytes | None = None) -> Path:
    """Write an embedding.keras anew with a changed configuration."""
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    config = json.loads(members["config.json"])
    change(config["config"]["layers"])
    members["config.json"] = json.dumps(config).encode()
    members["model.weights.h5"] = weights or members["model.weights.h5"]
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def conv(layers: list[dict]) -> dict:
    return next(layer for layer in layers if layer["class_name"] == "Conv2D")["config"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda layers: conv(layers).update(filters=90_000),
            "describes convolutions of up to .* MB, the weights",
        ),
        (lambda layers: conv(layers).update(filters=10**9), "has a number of more than 100000"),
        (lambda layers: conv(layers).update(kernel_size=[999, 999]), "kernel_size is not 3 x 3"),
        (lambda layers: conv(layers).update(filters="8"), "filters is '8'; expected a whole number"),
        (
            lambda layers: layers[3].update(class_name="Lambda", module="keras.layers"),
            "has a 'Lambda'; no embedding of this project does",
        ),
        (
            lambda layers: layers[3].update(class_name="system", module="os"),
            "has a 'system'; no embedding of this project does",
        ),
        (
            lambda layers: conv(layers).update(kernel_initializer={"class_name": "function", "module": "builtins"}),
            "has a 'function'; no embedding of this project does",
        ),
        (lambda layers: layers[3].update(registered_name="other>Conv2D"), "has a '.*'; no embedding of this project"),
        (lambda layers: layers.extend(layers[3:4] * 300), "has 3.. layers; expected at most 200"),
    ],
)
def test_a_keras_archive_that_describes_something_else(good, tmp_path: Path, change, message: str) -> None:
    path = tmp_path / "embedding.keras"
    path.write_bytes(good["embedding.keras"])
    with pytest.raises(WeightsError, match=rf"embedding\.keras: config\.json.*{message}"):
        check_keras_archive(with_config(path, change))


def test_a_keras_archive_whose_weights_lead_elsewhere(good, tmp_path: Path) -> None:
    with h5py.File(tmp_path / "secret.h5", "w") as file:
        file["secret"] = np.zeros(8, "f4")
    made = io.BytesIO()
    with h5py.File(made, "w") as file:
        file["layers/batch_normalization/vars/0"] = h5py.ExternalLink(str(tmp_path / "secret.h5"), "/secret")
    path = tmp_path / "embedding.keras"
    path.write_bytes(good["embedding.keras"])
    with pytest.raises(WeightsError, match=r"embedding\.keras: .*vars/0 is a link that leads elsewhere"):
        check_keras_archive(with_config(path, lambda layers: None, made.getvalue().ljust(100_000, b"\0")))


def test_a_keras_archive_whose_member_inflates(good, tmp_path: Path) -> None:
    path = tmp_path / "embedding.keras"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("l3net.json", b" " * (60 << 20) + b'{"format_version": 1, "kind": "l3"}')
    assert path.stat().st_size < 1 << 20
    with pytest.raises(WeightsError, match=r"embedding\.keras: l3net\.json states 60 MB; expected at most 16 MB"):
        read_keras_metadata(path)
    with pytest.raises(WeightsError, match=r"embedding\.keras: 1 members state 60 MB together"):
        check_keras_archive(path)


def test_another_member_of_a_keras_archive_is_refused(good, tmp_path: Path) -> None:
    path = tmp_path / "embedding.keras"
    path.write_bytes(good["embedding.keras"])
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("assets/../../../x", b"x")
    with pytest.raises(WeightsError, match=r"embedding\.keras: holds 'assets/\.\./\.\./\.\./x'"):
        check_keras_archive(path)


@pytest.mark.parametrize(
    ("metadata", "message"),
    [
        ([], "is a list of 0; expected an object"),
        ({"format_version": "1", "kind": "l3"}, "format_version is '1'; expected a whole number"),
        ({"format_version": 1}, "the field kind is missing"),
        ({"format_version": 1, "kind": ["l3"]}, "kind is a list of 1; expected a text"),
        ({"format_version": 1, "kind": "l3", "epoch": -1}, "epoch is -1; expected a whole number"),
        ({"format_version": 1, "kind": "l3", "validation_accuracy": "1"}, "validation_accuracy is '1'; expected"),
        ({"format_version": 1, "kind": "l3", "training": [1]}, "training is a list of 1; expected an object"),
        ({"format_version": 1, "kind": "l3", "training": {"config": "[" * 99999}}, "it is nested too deeply"),
        ({"format_version": 1, "kind": "l3", "versions": "[]"}, "versions is a list of 0; expected an object"),
    ],
)
def test_metadata_have_types(tmp_path: Path, metadata, message: str) -> None:
    with zipfile.ZipFile(tmp_path / "a.keras", "w") as archive:
        archive.writestr("l3net.json", json.dumps(metadata))
    with pytest.raises(WeightsError, match=rf"a\.keras: l3net\.json:? ?.*{message}"):
        read_keras_metadata(tmp_path / "a.keras")


def test_every_layer_of_our_networks_may_stand_in_an_archive(tmp_path: Path) -> None:
    """The list of layers that are let in is that of the networks; a new kind must be added to it."""
    from l3net.models.l3 import embedding_network, vision_embedding_network

    for front_end in ("linear", "mel128", "mel256"):
        model = tiny_embedding.network(front_end=front_end, image_size=64, hop_length=242)
        networks = [embedding_network(model), embedding_network(model, pooling=512), vision_embedding_network(model)]
        for number, network in enumerate(networks):
            network.save(tmp_path / f"{number}.keras")
            add_keras_metadata(tmp_path / f"{number}.keras", {"kind": "l3"})
            check_keras_archive(tmp_path / f"{number}.keras")


def changed_metadata(path: Path, **changes: object) -> Path:
    with h5py.File(path, "a") as file:
        metadata = json.loads(file.attrs["metadata"])
        for name, value in changes.items():
            (metadata["network"] if name in metadata["network"] else metadata)[name] = value
        file.attrs["metadata"] = json.dumps(metadata)
    return path


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"width": 60}, "network.width is 60, but its widest convolution has 64 channels"),
        ({"width": "1"}, "network: width is '1'; expected a number"),
        ({"image_size": 10**9}, "network: image_size is 1000000000; expected a whole number from 1 to 4320"),
        ({"epoch": "two"}, "metadata: epoch is 'two'; expected a whole number"),
        ({"subset": ["music"]}, "metadata: subset is a list of 1; expected a text"),
        ({"front_end": 7}, "front_end is 7; expected a text"),
    ],
)
def test_a_checkpoint_that_describes_another_network(good, tmp_path: Path, changes, message: str) -> None:
    path = tmp_path / "checkpoint"
    path.write_bytes(good["checkpoint"])
    with pytest.raises(WeightsError, match=rf"checkpoint: .*{message}"):
        read_checkpoint(changed_metadata(path, **changes))


def test_a_checkpoint_with_an_unknown_setting_is_one_line(good, tmp_path: Path) -> None:
    path = tmp_path / "checkpoint"
    path.write_bytes(good["checkpoint"])
    with h5py.File(path, "a") as file:
        metadata = json.loads(file.attrs["metadata"])
        metadata["network"]["colour"] = "red"
        file.attrs["metadata"] = json.dumps(metadata)
    with pytest.raises(WeightsError, match=r"cannot be read as a checkpoint of a network of ours: .*colour"):
        load_l3(path)


def pickled(content: bytes) -> bytes:
    header = b"{'descr': '|O', 'fortran_order': False, 'shape': (), }\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + content


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"c_codecs\nencode\n(Vx\nVzlib_codec\ntR.", "it asks for the codec 'zlib_codec'; only latin1"),
        (b"c_codecs\nencode\n(Vx\nVutf-16\ntR.", "it asks for the codec 'utf-16'; only latin1"),
        (b"cnumpy\nndarray\n((L1099511627776L\nttR.", "it (makes|has)|cannot be read|takes no arguments"),
        (b"\x80\x02]r\xff\xff\xff\xff.", "it puts something in place 4294967295 of its memory"),
        (b"\x80\x04\x8e" + (1 << 40).to_bytes(8, "little") + b"x.", "expected 1099511627776 bytes"),
        (b"]" * 3000 + b"a" * 2999 + b".", "more than 50 containers inside each other"),
        (b"cos\nsystem\n(S'true'\ntR.", "it asks for os.system, which no array needs"),
    ],
)
def test_pickles_that_ask_for_more_than_arrays(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "a.npy"
    path.write_bytes(pickled(content))
    with pytest.raises(WeightsError, match=message) as caught:
        read_pickled_arrays(path, "weights")
    assert len(str(caught.value)) <= 400


def test_an_array_that_states_another_shape_than_its_bytes_have(tmp_path: Path) -> None:
    made = pickle.dumps(np.zeros(4, "f4"), protocol=2).replace(b"K\x04\x85", b"J\x00\x00\x00\x40\x85")
    (tmp_path / "a.npy").write_bytes(pickled(made))
    with pytest.raises(WeightsError, match=r"array of shape \(1073741824,\) of float32 with another number of bytes"):
        read_pickled_arrays(tmp_path / "a.npy", "weights")


def test_old_and_new_pickles_of_arrays_are_read(tmp_path: Path) -> None:
    values = {
        "a": np.asfortranarray(np.arange(6, dtype=">f8").reshape(2, 3)),
        "s": np.array(["ä"]),
        "o": [1, None, "x"],
    }
    for protocol in (0, 1, 2, 3, 4):
        content = pickle.dumps(np.array(values, object), protocol=protocol)
        (tmp_path / "a.npy").write_bytes(pickled(content))
        found = read_pickled_arrays(tmp_path / "a.npy", "weights")
        np.testing.assert_array_equal(found["a"], values["a"])
        assert (found["s"].tolist(), found["o"]) == (["ä"], [1, None, "x"])


def test_soundnets_reader_says_what_is_missing(good, tmp_path: Path) -> None:
    (tmp_path / "layers.npy").write_bytes(good["layers.npy"])
    with pytest.raises(WeightsError, match=r"layers\.npy: layer conv1: weights has shape \(2, 3\)"):
        read_soundnet(tmp_path / "layers.npy")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"n_samples": -1}, "n_samples is -1; expected a whole number from 1"),
        ({"largest_image_bytes": 1 << 50}, "largest_image_bytes is .*; expected a whole number from 1 to 67108864"),
        ({"shards": {}}, "shards is an object of 0 fields; expected a list"),
        ({"shards": []}, "names no shard; make it again"),
        ({"shards": [3]}, "shard 0 is 3; expected an object"),
        ({"colour": "red"}, "unknown field 'colour'"),
        ({"subset": "x" * 101}, "subset is 'x.*; expected a text of at most 100 letters"),
    ],
)
def test_an_index_has_types_and_ranges(tmp_path: Path, change: dict, message: str) -> None:
    _index(tmp_path / "train.json")
    fields = json.loads((tmp_path / "train.json").read_text())
    (tmp_path / "train.json").write_text(json.dumps({**fields, **change}))
    with pytest.raises(L3Error, match=rf"train\.json:? ?.*{message}"):
        read_shard_index(tmp_path / "train.json")


def test_a_heap_whose_sizes_add_nothing_is_refused_and_does_not_hang(good, tmp_path: Path) -> None:
    """HDF5 would add 0 to the place of the next text for ever."""
    content = bytearray(good["vectors.h5"])
    start = content.index(b"GCOL")
    content[start + 24 : start + 32] = (2**64 - 16).to_bytes(8, "little")
    (tmp_path / "vectors.h5").write_bytes(content)
    with pytest.raises(DatasetError, match=r"vectors\.h5: .*the sizes of a heap are impossible"):
        read_dataset_vectors(tmp_path / "vectors.h5")
