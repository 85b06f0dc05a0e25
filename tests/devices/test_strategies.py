"""Devices: the names of strategies, and what is refused. Losses over several devices: tests/stages/test_devices.py."""

from typing import get_args

import pytest

from l3net.configuration.training_sections import StrategyName
from l3net.devices.strategies import STRATEGIES, is_chief, open_strategy
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
