"""Looking into videos: clips of the store with their frame times and amount of sound, and sources of any kind, for the
times between which a frame is shown and for damage.

Conventions: times in seconds from the clip's start; decoders have one thread and report damage.
"""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import av
import numpy as np
from av.container import InputContainer

from l3net.errors import ClipError
from l3net.media.container import first_track, is_zeros, one_reason, open_container, refuse_damage, seek_keyframe
from l3net.media.rates import FPS, SAMPLE_RATE

_MOST_REORDERED = 32  # packets that may stand before one that is shown earlier
_WARM_UP_SECONDS = 15.0  # more than the distance of keyframes
_STILL_SECONDS = 1.0  # a frame that is shown for longer is a slide, no moment of a movement


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
    video, audio = first_track(container, "video"), first_track(container, "audio")
    if video is None or audio is None:
        raise ClipError(f"{path}: has no {'picture' if video is None else 'sound'}; expected both")
    if audio.sample_rate != SAMPLE_RATE:
        raise ClipError(f"{path}: sound at {audio.sample_rate} Hz; expected {SAMPLE_RATE}, as fetch_clips stores it")
    for stream in (video, audio):
        refuse_damage(stream)
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


class Shown(NamedTuple):
    """The seconds in a video from which to which one frame is shown."""

    begin: float
    end: float


def frame_shown_at(path: Path, seconds: float) -> Shown:
    """Return when the frame that a player shows at `seconds` of a video begins and ends, by its packets.

    Before the first frame ``begin`` is minus infinity, and behind the last one ``end`` is infinity.

    Raises
    ------
    ClipError
        The file is missing, not media, or has no picture.
    """
    begin, end, n_after = -math.inf, math.inf, 0
    with open_container(path) as container:
        is_unindexed = container.format.name in {"mpegts", "mpeg"}  # where a seek may lead behind its target
        seek_keyframe(container, seconds - (_WARM_UP_SECONDS if is_unindexed else 0.0))
        for packet in container.demux(_first_picture(path, container)):
            if packet.pts is None:
                continue
            at = _seconds_of(container, packet)
            if at <= seconds:
                begin = max(begin, at)
            else:
                end, n_after = min(end, at), n_after + 1
            if n_after > _MOST_REORDERED:
                break
    return Shown(begin, end)


def damage_between(path: Path, start: float, end: float, *, decoding: bool = True) -> str | None:
    """Return what a decoder says of the first damage that harms a video between two times; None where it is whole.

    Without `decoding` only packets of zeros are told, which some decoders take for a picture or a sound.

    The decoder begins well before `start`, since a decoder that begins in the middle of a stream misses pictures to
    which the first ones refer, which is no damage. Damage before `start` counts from the last whole picture on.

    Raises
    ------
    ClipError
        The file is missing or not media.
    """
    found = None
    with open_container(path) as container:
        seek_keyframe(container, start - _WARM_UP_SECONDS)
        tracks = [track for kind in ("video", "audio") if (track := first_track(container, kind)) is not None]
        for track in tracks:
            refuse_damage(track)
        ended: set[int] = set()
        for packet in container.demux(tracks):
            at = None if packet.dts is None else _seconds_of(container, packet, packet.dts)
            is_picture = packet.stream.type == "video"
            if is_picture and packet.is_keyframe and at is not None and at <= start:
                found = None
            if at is not None and at > end:
                ended.add(packet.stream_index)
                if len(ended) == len(tracks):
                    break
            elif at is not None and (is_picture or at >= start):
                found = found or _error_of(packet, at, decoding)
    return found


def frames_at(path: Path, times: np.ndarray) -> Iterator[av.VideoFrame]:
    """Yield the frame of a video at each of ascending times: the one that begins nearest, a still until it is replaced.

    Before the first frame that is the first one, and behind the last one the last.

    Raises
    ------
    ClipError
        The file is missing, not media, damaged, or has no picture.
    """
    shown, n = None, 0
    with open_container(path, failing="cannot be decoded") as container:
        refuse_damage(stream := _first_picture(path, container))
        start = (container.start_time or 0) / av.time_base
        for frame in container.decode(stream):
            if frame.time is None:
                raise ClipError(f"{path}: its frames have no times; put them into a container: ffmpeg -i FILE out.mkv")
            apart = frame.time - shown.time if shown else 0.0
            earlier = 0.5 * apart if apart <= _STILL_SECONDS else 0.5 / FPS
            while shown and n < len(times) and times[n] + earlier <= frame.time - start + 1e-6:
                yield shown
                n += 1
            shown = frame
    if shown is None:
        raise ClipError(f"{path}: has no picture that can be decoded")
    yield from [shown] * (len(times) - n)


def _error_of(packet: av.Packet, at: float, decoding: bool) -> str | None:
    if is_zeros(packet):
        return f"damaged at {at:.2f} s: zeros stand in the place of {packet.stream.type}"
    try:
        if decoding:
            packet.decode()
    except av.InvalidDataError as error:
        return f"damaged at {at:.2f} s: {one_reason(error)}"
    return None


def _first_picture(path: Path, container: InputContainer) -> av.VideoStream:
    if (track := first_track(container, "video")) is None:
        raise ClipError(f"{path}: has no picture that this ffmpeg can decode")
    return track


def _seconds_of(container: InputContainer, packet: av.Packet, ticks: int | None = None) -> float:
    """Return a packet's time in seconds from where the earliest of the file's streams begins."""
    ticks = packet.pts if ticks is None else ticks
    return float(ticks * packet.time_base) - (container.start_time or 0) / av.time_base
