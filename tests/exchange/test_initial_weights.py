"""Starting from weights that exist: the same vectors as their owner's, what is refused, what is kept."""

import json
import logging
from pathlib import Path

import h5py
import keras
import numpy as np
import pytest

from l3net.configuration.initial_weights import initial_weights_fit_the_models, read_stored
from l3net.configuration.names import network_layers
from l3net.configuration.run import Configuration
from l3net.embeddings.embedding_keras import load_network, load_openl3
from l3net.errors import ConfigError, WeightsError
from l3net.exchange import give_initial_weights
from l3net.models.l3 import build_l3, embedding_network, vision_embedding_network
from l3net.models.openl3_weights import openl3_side, write_openl3_weights
from l3net.training.checkpoint import read_checkpoint
from l3net.training.model_state import freeze_parts
from tests import tiny_embedding, tiny_shards
from tests.stages.loading import stage_function
from tests.tiny_training import arguments

WIDE = {"front_end": "mel128", "image_size": 32, "width": 1.0, "version": "openl3"}


def sounds() -> np.ndarray:
    return np.random.default_rng(1).uniform(-0.5, 0.5, (3, 48_000)).astype(np.float32)


def images(size: int = 32) -> np.ndarray:
    return np.random.default_rng(2).uniform(-1, 1, (3, size, size, 3)).astype(np.float32)


def heard(model: keras.Model) -> np.ndarray:
    return embedding_network(model).predict(sounds(), verbose=0)


def seen(model: keras.Model) -> np.ndarray:
    return vision_embedding_network(model).predict(images(), verbose=0)


def fresh(**changes: object) -> tuple[keras.Model, dict]:
    arguments_of = {**tiny_embedding.SETTINGS, "seed": 99, **changes}
    return build_l3(**arguments_of), arguments_of


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkpoint of an epoch whose best weights are others, and the two embeddings of its network."""
    folder = tmp_path_factory.mktemp("owner")
    tiny_embedding.write_checkpoint(folder / "epoch-002.h5")
    stage_function("extract_embedding")(
        folder / "epoch-002.h5", folder / "embedding.keras", exports=[folder / "vision.keras"]
    )
    return folder


def owner_vectors(files: Path) -> tuple[np.ndarray, np.ndarray]:
    audio, vision = (load_network(files / f"{name}.keras")[0] for name in ("embedding", "vision"))
    return audio.predict(sounds(), verbose=0), vision.predict(images(), verbose=0)


@pytest.mark.parametrize("names", [["epoch-002.h5"], ["embedding.keras", "vision.keras"]])
def test_it_gives_the_vectors_of_the_weights_owner(files: Path, names: list[str]) -> None:
    model, network = fresh()
    audio, vision = owner_vectors(files)
    assert np.abs(heard(model) - audio).max() > 1e-2
    give_initial_weights(model, network, [files / name for name in names])
    np.testing.assert_allclose(heard(model), audio, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(seen(model), vision, rtol=1e-5, atol=1e-5)


def test_a_checkpoint_gives_the_answers_too(files: Path) -> None:
    model, network = fresh()
    give_initial_weights(model, network, [files / "epoch-002.h5"])
    inputs = {"image": images(), "audio": sounds()}
    np.testing.assert_allclose(model.predict(inputs, verbose=0), tiny_embedding.network().predict(inputs, verbose=0))


def test_what_a_file_does_not_hold_starts_anew_and_is_named(files: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "l3net")
    model, network = fresh()
    before = seen(model)
    give_initial_weights(model, network, [files / "embedding.keras"])
    np.testing.assert_array_equal(seen(model), before)
    anew = next(line for line in caplog.messages if line.startswith("layers that start anew: ")).partition(": ")[2]
    held = {layer.name for layer in load_network(files / "embedding.keras")[0].layers if layer.weights}
    assert set(anew.split(", ")) == {layer.name for layer in model.layers if layer.weights} - held
    assert {"audio_norm_4_2", "fusion_dense_1", "vision_conv_1_1"} <= set(anew.split(", "))


def test_another_head_is_left_behind_and_named(files: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "l3net")
    model, network = fresh(objective="contrastive", spec_augment=True)
    give_initial_weights(model, network, [files / "epoch-002.h5"])
    assert "fusion_dense_1, fusion_dense_2 have no place in this network" in caplog.text
    np.testing.assert_allclose(seen(model), owner_vectors(files)[1], rtol=1e-5, atol=1e-5)


def test_openl3s_files_of_sound_and_of_images(tmp_path: Path) -> None:
    owner = tiny_embedding.network(**WIDE, hop_length=242)
    sound, image = tmp_path / "openl3_audio_mel128_env.h5", tmp_path / "openl3_image_env.h5"
    write_openl3_weights(embedding_network(owner), sound, "audio_embedding_layer")
    write_openl3_weights(vision_embedding_network(owner), image, "vision_embedding_layer")
    assert (openl3_side(sound), openl3_side(image)) == ("audio", "vision")
    model, network = fresh(**WIDE, hop_length=242)
    give_initial_weights(model, network, [sound, image])
    of_openl3 = load_openl3([sound], front_end="mel128", pooling=512)
    ours = embedding_network(model, pooling=512).predict(sounds(), verbose=0)
    by_openl3 = np.asarray(of_openl3.network(sounds()))  # with other convolutions, so rounded otherwise
    np.testing.assert_allclose(ours, by_openl3, rtol=0, atol=1e-5 * np.abs(by_openl3).max())
    np.testing.assert_array_equal(ours, embedding_network(owner, pooling=512).predict(sounds(), verbose=0))
    np.testing.assert_array_equal(seen(model), seen(owner))
    renamed = tmp_path / "openl3_audio_mel256_env.h5"
    renamed.write_bytes(sound.read_bytes())
    for path, wrong, line in (
        (renamed, {}, r"models\.front_ends mel256, the model has mel128"),
        (
            sound,
            {"version": "training"},
            r"front_end\.version openl3, the model has training; set front_end\.version so",
        ),
        (sound, {"hop_length": 484}, r"front_end\.hop_length 242, the model has 484"),
    ):
        with pytest.raises(WeightsError, match=line):
            give_initial_weights(model, {**network, **wrong}, [path])


def test_what_does_not_fit_is_named(files: Path, tmp_path: Path) -> None:
    model, network = fresh(width=0.25)
    line = r"epoch-002\.h5: does not fit the network in \w+ \(\d+x?.*; expected .*\), .* and \d+ more; is network"
    with pytest.raises(WeightsError, match=line) as caught:
        give_initial_weights(model, network, [files / "epoch-002.h5"])
    assert len(str(caught.value)) <= 400 + len(str(files))
    model, network = fresh(front_end="mel256")
    for name in ("epoch-002.h5", "embedding.keras"):
        with pytest.raises(WeightsError, match=r"models\.front_ends mel128, the model has mel256"):
            give_initial_weights(model, network, [files / name])
    give_initial_weights(model, network, [files / "vision.keras"])  # images know no spectrogram
    model, network = fresh()
    with pytest.raises(WeightsError, match=r"embedding\.keras: holds audio_.* which .*epoch-002\.h5 holds too"):
        give_initial_weights(model, network, [files / "epoch-002.h5", files / "embedding.keras"])
    (tmp_path / "text.h5").write_text("text")
    (tmp_path / "folder.h5").mkdir()
    wanted = r"weights to start from: an embedding\.keras, a vision\.keras, a checkpoint, or openl3's \.h5"
    for name, line in (
        ("text.h5", rf"text\.h5: cannot be read as {wanted}: "),
        ("none.h5", rf"none\.h5: cannot be read: No such file or directory; expected {wanted}$"),
        ("none.txt", rf"none\.txt: cannot be read: No such file or directory; expected {wanted}$"),
        ("folder.h5", r"folder\.h5: cannot be read: Is a directory"),
    ):
        with pytest.raises(WeightsError, match=line):
            give_initial_weights(model, network, [tmp_path / name])


@pytest.mark.parametrize(
    ("parts", "first", "last", "free"),
    [
        (["audio"], "audio_norm_0", "audio_conv_4_2", "audio_norm_4_2"),
        (["vision"], "vision_norm_0", "vision_conv_4_2", "audio_conv_1_1"),
        (["fusion"], "fusion_dense_1", "fusion_dense_2", "vision_norm_4_2"),
        (["vision_conv_1"], "vision_conv_1_1", "vision_conv_1_2", "vision_conv_2_1"),
    ],
)
def test_the_parts_of_freeze(parts: list[str], first: str, last: str, free: str) -> None:
    model, _ = fresh()
    freeze_parts(model, parts)
    assert [model.get_layer(name).trainable for name in (first, last, free)] == [False, False, True]


def test_a_configuration_reads_what_weights_say_of_themselves(files: Path, tmp_path: Path) -> None:
    of_owner = {"models.front_ends": "mel128", "front_end.version": "training", "front_end.hop_length": 1936}
    last = round(512 * tiny_embedding.SETTINGS["width"])
    assert read_stored(files / "epoch-002.h5") == (of_owner, {"audio": last, "vision": last})
    assert read_stored(files / "embedding.keras") == (of_owner, {"audio": last})
    assert read_stored(files / "vision.keras") == ({}, {"vision": last})
    for name in ("none.keras", "none.h5"):
        assert not any(read_stored(tmp_path / name))
    assert read_stored(tmp_path / "openl3_image_mel256_music.h5") == ({}, {"vision": 512})
    named, channels = read_stored(tmp_path / "openl3_audio_mel256_music.h5")
    assert named == {"models.front_ends": "mel256", "front_end.version": "openl3", "front_end.hop_length": 242}
    assert channels == {"audio": 512}


def test_a_configuration_tells_what_the_training_would_refuse(files: Path, tmp_path: Path) -> None:
    """No wrong file or width waits for the first training; TensorFlow is not asked."""
    owner = tiny_embedding.SETTINGS
    demo = {"run": "a", "front_end": {"version": "training", "hop_length": owner["hop_length"]}}
    demo["models"] = {"front_ends": [owner["front_end"]], "subsets": ["music"]}

    def said(*names: str, width: float = owner["width"]) -> list[str]:
        given = {**demo, "network": {"width": width}, "train": {"initial": list(names)}}
        return list(initial_weights_fit_the_models(Configuration.read(given, ""), files))

    for name in ("epoch-002.h5", "embedding.keras", "vision.keras"):
        assert said(name) == []
        (line, *_) = said(name, width=0.5)
        assert f"network.width is 0.5, and train.initial[0], '{name}', is of {owner['width']:g}" in line
    assert said("embedding.keras", "vision.keras") == []
    (line,) = said("embedding.keras", "epoch-002.h5")
    assert (
        line == "train.initial[1], 'epoch-002.h5', holds the audio layers, as 'embedding.keras' does; name one of them"
    )
    model, network = fresh()
    with pytest.raises(WeightsError, match="holds too; name one of them"):
        give_initial_weights(model, network, [files / "embedding.keras", files / "epoch-002.h5"])
    wide = build_l3(**WIDE)
    write_openl3_weights(embedding_network(wide), files / "theirs.h5", "audio_embedding_layer")
    (line,) = said("theirs.h5")
    assert "is of 1 (512 channels in audio_conv_4_2)" in line
    assert said("theirs.h5", width=1.0) == []
    for name, content in (("text.keras", b"text"), ("text.h5", b"text"), ("folder.keras", None)):
        (files / name).mkdir() if content is None else (files / name).write_bytes(content)
        (line,) = said(name)
        assert line.startswith(f"train.initial[0] is {name}: cannot be read")
        assert len(line) < 400
    with h5py.File(files / "other.h5", "w") as file:
        file["x"] = np.zeros((3, 3, 7, 8))
    assert said("other.h5")[0].startswith("train.initial[0] is other.h5: holds no network; expected weights to start")


@pytest.mark.parametrize("objective", ["correspondence", "contrastive"])
def test_a_configuration_knows_the_layers_before_any_network_is_built(objective: str) -> None:
    model, _ = fresh(objective=objective)
    assert sorted(network_layers(objective)) == sorted(layer.name for layer in model.layers if layer.weights)


def test_freeze_refuses_what_is_not_there() -> None:
    with pytest.raises(ConfigError, match=r"train\.freeze has 'audio_conv_9', and no layer is called so"):
        freeze_parts(fresh()[0], ["audio_conv_9"])
    with pytest.raises(ConfigError, match=r"leaves nothing to train"):
        freeze_parts(fresh()[0], ["audio", "vision", "fusion", "audio_norm", "vision_norm"])


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("shards")
    tiny_shards.write_split(folder, "train", n_clips=16)
    tiny_shards.write_split(folder, "valid", n_clips=16, share=16)
    return folder


def test_a_leg_starts_there_keeps_what_is_frozen_and_says_so(files: Path, data: Path, tmp_path: Path) -> None:
    """Two epochs, in one leg and in two, at a rate that moves all that may move."""
    train_leg = stage_function("train_leg")
    first = arguments(data, tmp_path / "run", epoch=1, freeze=["audio"], learning_rate=1e-2)
    first |= {"initial": [files / "embedding.keras"], "network": {"width": 0.125, "batch_norm_momentum": 0.9}}
    train_leg(**first)
    train_leg(**{**first, "initial": [], "epoch": 2, "previous": first["checkpoint"], "checkpoint": tmp_path / "2.h5"})
    train_leg(**{**first, "epoch": 2, "state": tmp_path / "s", "checkpoint": tmp_path / "one.h5"})
    owner = {variable.path: np.asarray(variable) for variable in load_network(files / "embedding.keras")[0].variables}
    found = [read_checkpoint(tmp_path / name).weights for name in ("2.h5", "one.h5")]
    np.testing.assert_array_equal(*(weights["vision_conv_1_1/kernel"] for weights in found))
    for weights in found:
        assert {name for name in weights if name in owner} == set(owner)
        assert all(np.array_equal(weights[name], values) for name, values in owner.items())
        assert not np.array_equal(weights["audio_norm_4_2/gamma"], np.ones_like(weights["audio_norm_4_2/gamma"]))
    origin = json.loads(read_checkpoint(tmp_path / "one.h5").provenance["config"])
    assert origin["freeze"] == ["audio"]
    (recorded,) = origin["initial"].values()
    assert len(recorded) == 64
    with pytest.raises(ConfigError, match=r"goes on from its own weights; leave initial out"):
        train_leg(**{**first, "epoch": 2, "previous": first["checkpoint"]})


def test_fewer_samples_to_an_accuracy_than_from_scratch(data: Path, tmp_path: Path) -> None:
    """The owner learned other clips of the same kinds; 80 % of the validation samples are the goal."""
    tiny_shards.write_split(tmp_path, "train", n_clips=16, seed=5)
    tiny_shards.write_split(tmp_path, "valid", seed=5)
    train_leg, changes = stage_function("train_leg"), {"batch_size": 16, "learning_rate": 2e-3, "augment": False}
    owner = arguments(tmp_path, tmp_path / "owner", epoch=4, batches_per_epoch=12, validation_batches=2, **changes)
    train_leg(**owner)
    taken = {}
    for name, initial in (("scratch", []), ("initial", [owner["checkpoint"]])):
        leg = arguments(data, tmp_path / name, epoch=6, batches_per_epoch=2, validation_batches=4, **changes)
        train_leg(**{**leg, "initial": initial, "seed": 4})
        history = read_checkpoint(leg["checkpoint"]).history
        reached = [n for n, value in zip(history["samples_seen"], history["val_accuracy"], strict=True) if value >= 0.8]
        taken[name] = min(reached, default=10**9)
    assert taken["initial"] * 2 <= min(taken["scratch"], 192), taken
