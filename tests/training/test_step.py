"""A step of training changes the network and augments; one of validation does neither."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from l3net.feed.augment import prepare_batch
from l3net.feed.pipeline import open_feed
from l3net.models.l3 import build_l3
from l3net.training.model_state import capture_variables
from l3net.training.optimizer import LearningRate, make_optimizer
from l3net.training.step import several_steps, training_step, validation_step
from tests import tiny_shards

N = 6


@pytest.fixture(scope="module")
def model() -> keras.Model:
    return build_l3("mel128", image_size=32, width=1 / 16, hop_length=1936, batch_norm_momentum=0.5)


@pytest.fixture(scope="module")
def batch() -> dict[str, tf.Tensor]:
    rng = np.random.default_rng(0)
    image, audio = rng.uniform(-1, 1, (N, 32, 32, 3)), rng.uniform(-1, 1, (N, 48000))
    label = np.array([1, 0, 1, 1, 0, 1])
    batch = {"image": image.astype("f4"), "audio": audio.astype("f4"), "label": label.astype("i4")}
    return {key: tf.constant(values) for key, values in batch.items()} | {"sample_id": tf.constant(["a"] * N)}


class Prepare:
    """Hand a batch on as it is, and keep what was asked for."""

    def __init__(self) -> None:
        self.augment: list[bool] = []

    def __call__(self, batch: dict, augment: bool) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        self.augment.append(augment)
        return batch["image"], batch["audio"], batch["label"]


def test_validation_changes_nothing_and_augments_nothing(model: keras.Model, batch: dict) -> None:
    prepare, before = Prepare(), capture_variables(model.variables)
    measure = validation_step(model, tf.distribute.get_strategy(), prepare, xla=False)
    loss, right = measure(batch)
    assert prepare.augment == [False]
    for name, values in capture_variables(model.variables).items():
        np.testing.assert_array_equal(values, before[name], err_msg=name)
    # Of the running means, not of the batch: a fresh computation from the probabilities.
    found = np.asarray(model({"image": batch["image"], "audio": batch["audio"]}, training=False))
    label = batch["label"].numpy()
    assert float(loss) == pytest.approx(-np.log(found[np.arange(N), label]).sum(), rel=1e-4)
    assert int(right) == (found.argmax(1) == label).sum()
    by_batch = np.asarray(model({"image": batch["image"], "audio": batch["audio"]}, training=True))
    assert abs(-np.log(by_batch[np.arange(N), label]).sum() - float(loss)) > 0.01


@pytest.mark.parametrize("augment", [True, False])
def test_training_changes_weights_and_running_means_and_augments_if_asked(batch: dict, augment: bool) -> None:
    model = build_l3("mel128", image_size=32, width=1 / 16, hop_length=1936, batch_norm_momentum=0.5)
    prepare, before = Prepare(), capture_variables(model.variables)
    optimizer = make_optimizer(model, LearningRate(1e-3), "float32")
    options = {"batch_size": N, "augment": augment, "xla": False}
    update = training_step(model, optimizer, tf.distribute.get_strategy(), prepare, **options)
    update(batch)
    assert prepare.augment == [augment]
    after = capture_variables(model.variables)
    # Biases before a batch norm have no gradient.
    for kind in ("/kernel", "/gamma", "/moving_mean", "/moving_variance"):
        names = [name for name in before if name.endswith(kind)]
        assert names and all((before[name] != after[name]).any() for name in names), kind


def test_several_steps_are_one_call_of_tensorflow_and_fewer_are_single_ones() -> None:
    total, calls = tf.Variable(1.0), []

    def step(batch):
        calls.append(tf.inside_function())
        return tf.identity(total.assign(total * 2.0 + batch["x"])), batch["x"]

    steps = several_steps(step, 3)
    batches = [{"x": tf.constant(float(n))} for n in range(3)]
    for start in (1.0, 12.0):  # as the first three steps leave it
        made = [(float(loss), float(right)) for loss, right in steps(batches)]
        assert made == [(2 * start, 0.0), (4 * start + 1, 1.0), (8 * start + 4, 2.0)]
    assert calls == [True] * 3, "traced once, run twice"
    assert [float(loss) for loss, _ in steps(batches[:2])] == [200.0, 401.0]
    assert calls == [True] * 3 + [False] * 2
    assert len(several_steps(step, 1)(batches[:1])) == 1
    assert not calls[-1]


@pytest.fixture(scope="module")
def fed(tmp_path_factory: pytest.TempPathFactory) -> list[dict]:
    index = tiny_shards.write_split(tmp_path_factory.mktemp("shards"), "train")
    return list(open_feed(index, batch_size=N, epoch=0, seed=0, workers=0, batches=1))


def test_on_one_device_xla_compiles_the_update_too(fed: list[dict]) -> None:
    model = build_l3("mel128", image_size=32, width=1 / 16, hop_length=1936)
    optimizer = make_optimizer(model, LearningRate(1e-5), "float32")
    options = {"batch_size": N, "augment": True, "xla": True}
    step = training_step(model, optimizer, tf.distribute.get_strategy(), prepare_batch, **options)
    graph = step.get_concrete_function(fed[0]).graph.as_graph_def()
    inside = {f.signature.name: [node.op for node in f.node_def] for f in graph.library.function}
    compiled = {name for f in graph.library.function if f.attr["_XlaMustCompile"].b for name in [f.signature.name]}
    n_updates = sum(inside[name].count("ResourceApplyAdam") for name in compiled)
    assert n_updates == len(model.trainable_variables)
    assert sum(ops.count("ResourceApplyAdam") for ops in inside.values()) == n_updates
    assert not any(node.op == "ResourceApplyAdam" for node in graph.node)
