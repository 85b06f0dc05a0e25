"""What a media file holds: by its header alone, or counted by decoding it."""

from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import av
import numpy as np
from av.stream import Disposition

from l3net.errors import ClipError
from l3net.media.container import first_track, open_address, open_container
from l3net.media.ffmpeg import CONTAINERS
from l3net.media.mono import mono_float32

_LEAST_HEARD = 0.5 / 2**15  # less is silence in 16 bits


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
        video, audio = first_track(container, "video"), first_track(container, "audio")
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
        for packet in container.demux(first_track(container, "video"), first_track(container, "audio")):
            if packet.stream.type == "video":
                n_frames += packet.size > 0
                continue
            for frame in packet.decode():
                n_samples += frame.samples
                peak = max(peak, int(np.abs(frame.to_ndarray().astype(np.int64)).max(initial=0)))
    return Measured(n_frames, n_samples, peak)


class Survey(NamedTuple):
    """What a whole video holds: seconds as far as picture and sound both go, whether it is silent, and its pixels."""

    seconds: float
    is_silent: bool
    width: int
    height: int


def survey_video(path: Path) -> Survey:
    """Look at a whole video as a source of clips.

    Every packet is read, since a header may state a length that the file does not have. Decoded are the first picture,
    and the sound as far as it is silent.

    Raises
    ------
    ClipError
        The file is missing, not media, of a format that no clip is cut from, or lacks a picture or a sound that can be
        decoded. A cover is no picture.
    """
    with open_container(path) as container:
        picture, sound = _tracks_of_a_video(path, container)
        begin, ends = (container.start_time or 0) / av.time_base, {picture: 0.0, sound: 0.0}
        is_shown = is_heard = False
        is_silent = True
        for packet in container.demux(picture, sound):
            ticks = packet.dts if packet.pts is None else packet.pts
            if ticks is not None:
                end = float((ticks + (packet.duration or 0)) * packet.time_base) - begin
                ends[packet.stream] = max(ends[packet.stream], end)
            if packet.stream is picture:
                is_shown = is_shown or bool(_frames_of(packet))
            elif is_silent:
                frames = _frames_of(packet)
                is_heard = is_heard or bool(frames)
                is_silent = all(np.abs(mono_float32(frame)).max(initial=0) < _LEAST_HEARD for frame in frames)
        if not is_shown or not is_heard:
            raise ClipError(f"{path}: the {'sound' if is_shown else 'picture'} cannot be decoded")
        return Survey(min(ends.values()), is_silent, picture.width, picture.height)


def _tracks_of_a_video(path: Path, container: av.container.InputContainer) -> tuple[av.VideoStream, av.AudioStream]:
    decoded = [one for one in container.streams.video if one.codec_context is not None]
    pictures = [one for one in decoded if not one.disposition & Disposition.attached_pic]
    sound = first_track(container, "audio")
    if not pictures or sound is None:
        missing = ["no picture"] * (not pictures) + ["no sound"] * (sound is None)
        raise ClipError(f"{path}: {' and '.join(missing)}")
    if not set(container.format.name.split(",")) & set(CONTAINERS.split(",")):
        raise ClipError(f"{path}: no clips are cut from files of format {container.format.name}; convert it to MP4")
    for track in (pictures[0], sound):
        track.thread_type = "NONE"
    return pictures[0], sound


def _frames_of(packet: av.Packet) -> list:
    """Return the decoded frames of a packet; none where it is damaged, which is fetch_clips' to tell."""
    try:
        return packet.decode()
    except av.InvalidDataError:
        return []


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
            track = first_track(container, "audio")
            return track is not None and any(frame.samples > 0 for frame in container.decode(track))
    except ClipError:
        return False
