"""What a media file holds: by its header alone, or counted by decoding it."""

from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import av
import numpy as np

from l3net.errors import ClipError
from l3net.media.container import open_address, open_container


@dataclass(frozen=True, kw_only=True)
class MediaInfo:
    """What the header of a media file says; the fields of a stream that is not there are None.

    Parameters
    ----------
    duration : seconds.
    fps : frames a second.
    width, height : pixels as stored.
    video_codec, audio_codec : ffmpeg's names.
    sample_rate : Hz.
    channels : number of sound channels.
    """

    duration: float | None
    fps: float | None
    width: int | None
    height: int | None
    video_codec: str | None
    sample_rate: int | None
    channels: int | None
    audio_codec: str | None

    @property
    def has_video(self) -> bool:
        """Whether there is a picture."""
        return self.video_codec is not None

    @property
    def has_audio(self) -> bool:
        """Whether there is sound."""
        return self.audio_codec is not None


class Measured(NamedTuple):
    """What a clip holds, counted: frames, samples of sound, and the largest absolute sample as stored."""

    n_frames: int
    n_samples: int
    peak: int


def probe_media(path: Path) -> MediaInfo:
    """Read the header of a media file, without decoding.

    Raises
    ------
    ClipError
        The file is missing or not media.
    """
    with open_container(path) as container:
        video = next(iter(container.streams.video), None)
        audio = next(iter(container.streams.audio), None)
        rate = video and (video.average_rate or video.guessed_rate)
        return MediaInfo(
            duration=_duration(container),
            fps=float(rate) if rate else None,
            width=video and video.width,
            height=video and video.height,
            video_codec=video and video.codec_context.name,
            sample_rate=audio and audio.sample_rate,
            channels=audio and audio.channels,
            audio_codec=audio and audio.codec_context.name,
        )


def measure_clip(path: Path) -> Measured:
    """Count the frames and the samples of a file with picture and sound; the sound is decoded, the picture is not.

    Raises
    ------
    ClipError
        The file is missing, not media, or its sound does not decode.
    """
    n_frames = n_samples = peak = 0
    with open_container(path) as container:
        for packet in container.demux(container.streams.video[0], container.streams.audio[0]):
            if packet.stream.type == "video":
                n_frames += packet.size > 0
                continue
            for frame in packet.decode():
                n_samples += frame.samples
                peak = max(peak, int(np.abs(frame.to_ndarray().astype(np.int64)).max(initial=0)))
    return Measured(n_frames, n_samples, peak)


def duration_at_address(url: str, *, proxy: str, headers: dict[str, str], timeout_seconds: float) -> float | None:
    """Return the seconds that the header of media at an http(s) address states; None where it states none.

    Parameters are those of `container.open_address`.

    Raises
    ------
    ClipError
        The address cannot be reached or is not media.
    """
    with open_address(url, proxy=proxy, headers=headers, timeout_seconds=timeout_seconds) as container:
        return _duration(container)


def _duration(container: av.container.InputContainer) -> float | None:
    return None if container.duration is None else container.duration / av.time_base


def is_audio(path: Path | str) -> bool:
    """Return whether a file has a sound track whose first samples can be decoded."""
    try:
        with open_container(path) as container:
            has_track = bool(container.streams.audio)
            return has_track and any(frame.samples > 0 for frame in container.decode(audio=0))
    except ClipError:
        return False
