"""Opening clips of the store, and reading their frame times and amount of sound without decoding.

Conventions: times in seconds from the clip's start; decoders have one thread and report damage.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
from av.container import InputContainer

from l3net.errors import ClipError
from l3net.media.container import REFUSE_DAMAGE, open_container
from l3net.media.rates import SAMPLE_RATE


@dataclass(frozen=True)
class Outline:
    """What the packets of a clip say without decoding.

    Parameters
    ----------
    times : seconds at which the frames are shown, ascending [shape=(n_frames,)].
    n_sound : samples of sound.
    width, height : pixels of the picture.
    """

    times: np.ndarray
    n_sound: int
    width: int
    height: int

    def scaled(self, short_side: int) -> tuple[int, int]:
        """Return the width and height at a shorter side of `short_side` pixels."""
        factor = short_side / min(self.width, self.height)
        return max(round(self.width * factor), short_side), max(round(self.height * factor), short_side)


def read_outline(path: Path) -> Outline:
    """Read the outline of a clip of the store from its packets.

    Raises
    ------
    ClipError
        The file is missing or not media, lacks picture or sound, or its sound is not at 48 kHz.
    """
    with open_clip(path) as container:
        video, audio = clip_streams(path, container)
        shown, samples = [], 0.0
        for packet in container.demux(video, audio):
            if packet.stream is video and packet.pts is not None:
                shown.append(float(packet.pts * packet.time_base))
            elif packet.stream is audio and packet.pts is not None:
                samples = max(samples, float((packet.pts + (packet.duration or 0)) * packet.time_base))
        times = np.sort(np.array(shown))
        return Outline(times, round(samples * SAMPLE_RATE), video.width, video.height)


def clip_streams(path: Path, container: InputContainer) -> tuple[av.VideoStream, av.AudioStream]:
    """Return the picture and the sound of an open clip, set to report damage instead of painting over it.

    Raises
    ------
    ClipError
        One of the two is missing, or the sound is not at 48 kHz.
    """
    video, audio = next(iter(container.streams.video), None), next(iter(container.streams.audio), None)
    if video is None or audio is None:
        raise ClipError(f"{path}: has no {'picture' if video is None else 'sound'}; expected both")
    if audio.sample_rate != SAMPLE_RATE:
        raise ClipError(f"{path}: sound at {audio.sample_rate} Hz; expected {SAMPLE_RATE}, as fetch_clips stores it")
    for stream in (video, audio):
        stream.thread_type = "NONE"
        stream.codec_context.options = REFUSE_DAMAGE
    return video, audio


@contextmanager
def open_clip(path: Path) -> Iterator[InputContainer]:
    """Open a clip of the store.

    Raises
    ------
    ClipError
        The file is gone, or what is done with it while it is open fails.
    """
    if not path.exists():
        raise ClipError(f"{path}: is gone from the store; fetch it again (-R fetch_clips)")
    with open_container(path, failing="cannot be decoded") as container:
        yield container
