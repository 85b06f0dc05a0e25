"""Where a frame stands in the score."""

import numpy as np

from l3net.demo.motion import follow
from l3net.demo.sound_parts import Event


def test_follow_places_frames_between_onsets() -> None:
    score = [Event(1.0, 0.5, 100.0, 1.0), Event(2.0, 0.5, 200.0, 1.0)]
    moves = follow(score, np.array([0.5, 1.25, 1.75, 2.0]))
    assert moves.index.tolist() == [-1, 0, 0, 1]
    assert moves.since[1:].tolist() == [0.25, 0.75, 0.0]
    assert moves.sounding.tolist() == [False, True, False, True]
    assert moves.share.tolist() == [1.0, 0.25, 0.75, 0.0]
    assert moves.height.tolist() == [0.0, 0.0, 0.0, 1.0]
