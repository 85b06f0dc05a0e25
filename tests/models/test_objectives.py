"""Objectives: what their heads give, and their losses against numpy."""

from typing import get_args

import numpy as np
import pytest
import tensorflow as tf

from l3net.configuration.training_sections import ObjectiveName
from l3net.models.l3 import build_l3
from l3net.models.objectives import OBJECTIVES, PROJECTION, TEMPERATURE, contrastive_loss


def outputs(objective: str, n: int = 3) -> list[np.ndarray]:
    """Return what the loss of an objective takes of a tiny network, probabilities first."""
    rng = np.random.default_rng(0)
    model = build_l3("mel128", image_size=32, width=1 / 16, hop_length=1936, objective=objective)
    image = rng.uniform(-1, 1, (n, 32, 32, 3)).astype(np.float32)
    audio = rng.uniform(-1, 1, (n, 48000)).astype(np.float32)
    made = OBJECTIVES[objective].training_network(model)({"image": image, "audio": audio})
    return [np.asarray(one) for one in (made if isinstance(made, list) else [made])]


def test_objectives_are_those_of_the_configuration() -> None:
    assert list(get_args(ObjectiveName)) == list(OBJECTIVES)


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_every_head_ends_in_probabilities(objective: str) -> None:
    probabilities, *_ = outputs(objective)
    assert probabilities.shape == (3, 2)
    np.testing.assert_allclose(probabilities.sum(1), 1.0, rtol=1e-5)


def test_the_contrastive_head_also_gives_directions() -> None:
    _, seen, heard = outputs("contrastive")
    assert seen.shape == heard.shape == (3, PROJECTION)
    for vectors in (seen, heard):
        np.testing.assert_allclose(np.square(vectors).sum(1), 1.0, rtol=1e-5)


@pytest.mark.parametrize("seed", range(4))
def test_the_contrastive_judgement_starts_the_right_way_round(seed: int) -> None:
    """Of every seed's network: the more alike the directions, the likelier the pair, and a right angle is undecided."""
    model = build_l3("mel128", image_size=32, width=1 / 16, hop_length=1936, objective="contrastive", seed=seed)
    judge = model.get_layer("fusion_dense_2")
    likely = np.asarray(judge(np.array([[-1.0], [-0.1], [0.0], [0.1], [1.0]], np.float32)))[:, 1]
    np.testing.assert_allclose(likely, 1 / (1 + np.exp(-2 * np.array([-1, -0.1, 0, 0.1, 1]))), rtol=1e-5)


def test_losses_are_sums_over_the_batch() -> None:
    label = np.array([1, 0, 1], np.int32)
    probabilities, seen, heard = (tf.constant(one) for one in outputs("contrastive"))
    cross_entropy = -np.log(probabilities.numpy()[np.arange(3), label]).sum()
    assert float(OBJECTIVES["correspondence"].loss(label, probabilities)) == pytest.approx(cross_entropy, rel=1e-5)
    contrastive = cross_entropy + 3 * float(contrastive_loss(seen, heard, tf.constant(label)))
    found = float(OBJECTIVES["contrastive"].loss(label, probabilities, seen, heard))
    assert found == pytest.approx(contrastive, rel=1e-5)


def test_contrastive_loss_against_numpy() -> None:
    rng = np.random.default_rng(0)
    images, sounds = (v / np.linalg.norm(v, axis=1, keepdims=True) for v in rng.standard_normal((2, 6, 4)))
    label = np.array([1, 0, 1, 1, 0, 1])
    similar = images @ sounds.T / TEMPERATURE
    by_row = np.exp(similar) / np.exp(similar).sum(1, keepdims=True)
    by_column = np.exp(similar) / np.exp(similar).sum(0, keepdims=True)
    expected = np.mean([-(np.log(by_row[i, i]) + np.log(by_column[i, i])) / 2 for i in np.flatnonzero(label)])
    found = contrastive_loss(*(tf.constant(v, tf.float32) for v in (images, sounds)), tf.constant(label))
    assert float(found) == pytest.approx(expected, rel=1e-4)
    nothing = contrastive_loss(*(tf.constant(v, tf.float32) for v in (images, sounds)), tf.zeros(6, tf.int32))
    assert float(nothing) == 0.0
