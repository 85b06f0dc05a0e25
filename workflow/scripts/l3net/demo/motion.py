"""Motion in the demo's videos: where a frame stands in the score, so that onsets are seen, and the camera's shake."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


def shake(n: int, reach: int, rng: np.random.Generator) -> np.ndarray:
    """Return the camera's offsets in pixels, int [shape=(n, 2)], 0 to ``2 * reach``: a slow wander."""
    t = np.arange(n)[:, None]
    periods, phases = rng.uniform(40, 160, (3, 2)), rng.uniform(0, 2 * np.pi, (3, 2))
    wander = sum(np.sin(2 * np.pi * t / period + phase) for period, phase in zip(periods, phases, strict=True)) / 3
    return np.rint(reach * (1 + rng.uniform(0.2, 1.0) * wander)).astype(int)


@dataclass(frozen=True)
class Moves:
    """Where each frame stands in a score; poses are made from it.

    Parameters
    ----------
    index : number of the last event begun, -1 before the first, int [shape=(n_frames,)].
    since : seconds since its onset (large before the first).
    share : `since` as a share of the time to the next onset, 0 to 1.
    sounding : whether the event still lasts.
    height : its pitch between the score's lowest (0) and highest (1).
    """

    index: np.ndarray
    since: np.ndarray
    share: np.ndarray
    sounding: np.ndarray
    height: np.ndarray


def follow(score: Sequence[tuple[float, float, float, float]], times: np.ndarray) -> Moves:
    """Return where the frames at `times` (s) stand in `score`, events of (onset, duration, pitch, strength)."""
    onset, length, pitch, _ = np.array(score).T
    index = np.searchsorted(onset, times, side="right") - 1
    last = np.maximum(index, 0)
    since = np.where(index >= 0, times - onset[last], 1e3)
    step = np.append(np.diff(onset), np.median(np.diff(onset)) if len(onset) > 1 else 1.0)
    share = np.clip(since / np.maximum(step[last], 1e-3), 0.0, 1.0)
    height = (pitch - pitch.min()) / max(float(np.ptp(pitch)), 1e-9)
    return Moves(index, since, share, since < length[last], height[last])


def fade(moves: Moves, seconds: float, levels: int) -> np.ndarray:
    """Return levels - 1 at an onset, falling to 0 in `seconds`."""
    return np.ceil(np.clip(1.0 - moves.since / seconds, 0.0, 1.0) * (levels - 1)).astype(int)


def cycle(share: np.ndarray, levels: int) -> np.ndarray:
    """Return levels 0 to levels - 1 in turn, once round as `share` grows by 1."""
    return np.minimum((share % 1.0 * levels).astype(int), levels - 1)
