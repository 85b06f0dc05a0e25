"""The writer of shards: gains that 16 bits can hold."""

from pathlib import Path

import numpy as np

from l3net.samples.shard_format import SAMPLE
from l3net.samples.shard_writer import ShardWriter

SECOND = 48000


def test_gains_are_limited_by_what_each_sample_hears(tmp_path: Path) -> None:
    loud = np.zeros(10 * SECOND, np.int16)
    loud[: 5 * SECOND] = -32768
    loud[5 * SECOND :] = 32000
    writer = ShardWriter(tmp_path / "shard.h5", {})
    writer.add_clip([], np.full(10 * SECOND, 100, np.int16), "")
    writer.add_clip([], loud, "")
    rng = np.random.default_rng(0)
    samples = np.zeros(400, SAMPLE)
    samples["sound"], samples["start"] = rng.integers(0, 2, 400), rng.integers(0, 9 * SECOND + 1, 400)
    samples["gain"] = rng.uniform(0.9, 1.1, 400)
    before = samples.copy()
    writer.limit_gains(samples)
    writer.close()
    heard = samples["sound"] == 1
    peak = np.where(samples["start"] < 5 * SECOND, 32768, 32000)[heard]
    assert (peak * samples["gain"][heard].astype(np.float64) <= 32767).all()
    assert np.array_equal(samples[~heard], before[~heard])
    fits = heard & (np.where(samples["start"] < 5 * SECOND, 32768, 32000) * before["gain"].astype(float) <= 32767)
    assert np.array_equal(samples["gain"][fits], before["gain"][fits])
    # No lower than it must be.
    limited = samples["gain"][heard] < before["gain"][heard]
    assert (peak[limited] * samples["gain"][heard][limited].astype(float) > 32766).all()
