"""Devices: the names of strategies, and what is refused. Losses over several devices: tests/stages/test_devices.py."""

import os
from typing import get_args

import pytest
import tensorflow as tf

from l3net.configuration.training_sections import StrategyName
from l3net.devices.strategies import STRATEGIES, is_chief, open_strategy
from l3net.devices.switches import intra_op_threads
from l3net.errors import ConfigError


def test_strategies_are_those_of_the_configuration() -> None:
    assert get_args(StrategyName) == STRATEGIES


def test_one_device_writes_its_files() -> None:
    strategy = open_strategy("single")
    assert strategy.num_replicas_in_sync == 1
    assert is_chief(strategy)


def test_what_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SLURM_PROCID", raising=False)
    with pytest.raises(ConfigError, match=r"train\.strategy 'tpu' is unknown; expected one of auto, single"):
        open_strategy("tpu")
    with pytest.raises(ConfigError, match=r"multi_worker needs a SLURM step, but SLURM_PROCID is not set"):
        open_strategy("multi_worker")


def test_threads_are_those_that_were_set_else_the_variables_else_the_cpus(monkeypatch: pytest.MonkeyPatch) -> None:
    set_to = []
    monkeypatch.setattr(tf.config.threading, "get_intra_op_parallelism_threads", lambda: set_to[-1])
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: set(range(7)))
    for chosen, variable, expected in ((2, "3", 2), (0, "3", 3), (0, "0", 7), (0, None, 7)):
        set_to.append(chosen)
        if variable is None:
            monkeypatch.delenv("TF_NUM_INTRAOP_THREADS", raising=False)
        else:
            monkeypatch.setenv("TF_NUM_INTRAOP_THREADS", variable)
        assert intra_op_threads() == expected
