"""What a media file holds by its header: streams, sizes, rates and duration."""

from dataclasses import dataclass
from pathlib import Path

import av

from l3net.errors import ClipError


@dataclass(frozen=True)
class MediaInfo:
    """What a media file holds; the fields of a stream that is not there are None."""

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


def probe_media(path: Path) -> MediaInfo:
    """Return what the header of a media file says, without decoding it.

    Raises
    ------
    ClipError
        A file that is missing or not media.
    """
    try:
        with av.open(str(path)) as container:
            video = next(iter(container.streams.video), None)
            audio = next(iter(container.streams.audio), None)
            rate = video and (video.average_rate or video.guessed_rate)
            return MediaInfo(
                duration=None if container.duration is None else container.duration / av.time_base,
                fps=float(rate) if rate else None,
                width=video and video.width,
                height=video and video.height,
                video_codec=video and video.codec_context.name,
                sample_rate=audio and audio.sample_rate,
                channels=audio and audio.channels,
                audio_codec=audio and audio.codec_context.name,
            )
    except (av.FFmpegError, OSError) as error:
        raise ClipError(f"{path}: cannot be read as media: {error}") from None
