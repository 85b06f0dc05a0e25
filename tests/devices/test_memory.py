"""A batch that does not fit: what TensorFlow raises becomes one line, of the leg too."""

from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from l3net.devices import memory, one_line_out_of_memory
from l3net.errors import ConfigError
from l3net.inference import fold_batch_norms
from l3net.training import loop
from tests import tiny_shards
from tests.stages.loading import stage_function
from tests.tiny_training import arguments


def exhausted(message: str):
    raise tf.errors.ResourceExhaustedError(None, None, message)


def test_an_embedding_that_asks_for_more_than_there_is() -> None:
    """What TensorFlow itself raises. It waits ten seconds for memory to come free."""
    embed = fold_batch_norms._compiled(lambda x: tf.fill([tf.shape(x)[0] * 10**6, 10**7], x[0, 0]), (None, 1))
    with pytest.raises(ConfigError, match=r"^batch_size 7 does not fit the memory of CPU \(out of memory at shape\["):
        embed(np.ones((7, 1), "f4"))


@pytest.mark.parametrize(
    ("message", "told"),
    [
        (
            "OOM when allocating tensor with shape[512,224,224,64] and type bfloat16 on "
            "/job:localhost/replica:0/task:0/device:GPU:1 by allocator GPU_1_bfc",
            "memory of GPU:1 (out of memory at shape[512,224,224,64] and type bfloat16); lower it (l3net doctor --gpu",
        ),
        (
            "Out of memory while trying to allocate 98.63GiB [Op:__inference_step_1]",
            "memory of the GPU (out of memory at 98.63GiB); lower it",
        ),
        ("failed to allocate 1073741824 bytes", "the GPU (out of memory at 1073741824 bytes); lower it"),
        ("no room", "memory of the GPU (out of memory); lower it"),
    ],
)
def test_what_a_card_says(message: str, told: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory.tf.config, "list_physical_devices", lambda kind: ["a card"])
    with pytest.raises(ConfigError) as error, one_line_out_of_memory("train.batch_size", 512):
        exhausted(message)
    assert told in str(error.value)
    assert "\n" not in str(error.value)


def test_other_errors_stay_what_they_are() -> None:
    with pytest.raises(tf.errors.InternalError, match="broken"), one_line_out_of_memory("train.batch_size", 512):
        raise tf.errors.InternalError(None, None, "broken")


def test_a_leg_whose_batch_does_not_fit_ends_with_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for split in ("train", "valid"):
        tiny_shards.write_split(tmp_path, split)
    make = loop.training_step

    def without_room(*args, **options):
        make(*args, **options)
        return lambda batch: exhausted("OOM when allocating tensor with shape[8,32] on device:CPU:0 by allocator cpu")

    monkeypatch.setattr(loop, "training_step", without_room)
    with pytest.raises(ConfigError, match=r"^train\.batch_size 8 does not fit the memory of CPU .*; lower it"):
        stage_function("train_leg")(**arguments(tmp_path, tmp_path / "run", epoch=1))
    assert not (tmp_path / "run" / "epoch-001.h5").exists()
