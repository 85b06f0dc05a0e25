"""Decoding the sound of a file, every sample at its time stamp, and refusing what is damaged or cut off.

Conventions: time in seconds from where the earliest of the file's streams begins, as players count it. A file whose
clock begins elsewhere, such as a piece of a broadcast, thus begins at 0; sound that begins after the picture is led by
silence.
"""

import logging
from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
from av.container import InputContainer

from l3net.containers import check_whole, frame_bytes
from l3net.errors import ClipError
from l3net.media.bare_streams import BETWEEN_FRAMES, Foreign, foreign_bytes, look_behind_the_last_frame
from l3net.media.container import first_track, is_zeros, one_reason, open_container, refuse_damage
from l3net.media.mono import mono_float32
from l3net.media.wave import decoder_of_samples

_SHORTEST_GAP_SECONDS = 0.1  # encoders' padding and rounded time stamps are less; ffmpeg's own resampler takes the same
_LONGEST_GAP_SECONDS = 3600.0
_SILENCE_SECONDS = 10.0  # of the pieces of a long gap
_BARE_STREAMS = {"mp3", "aac", "ac3", "eac3", "dts", "flac", "loas"}  # frames one behind the other, without a container
# Kinds of which a cut file is told, by the container, a count of samples or the frames; those of a pipe are not.
_TELLING = {
    *("wav", "aiff", "w64", "caf", "au", "voc", "avi", "mov", "matroska", "webm", "ogg", "asf", "flv", "mpeg"),
    *("mpegts", "wv", "tta", "nistsphere", "mxf", "ape", "tak", "mpc8", *_BARE_STREAMS, "amr"),
}
_UNTOLD = "%s: states no length (%s), so a cut file would not be told: look whether it is whole, or convert its source"
_NONE = Foreign(0, 0, is_odd=False)
_COUNTED, _COUNTED_EXACTLY = {"mov", "mxf", "ape", "tak", "mpc8"}, {"wv", "tta", "nistsphere"}  # by a field or a table
_MOST_DEMUX_ERRORS = 100
_ROUNDED_SECONDS, _ROUNDED_SHARE = 0.1, 0.02  # what may be missing of a length that a container rounds
_log = logging.getLogger("l3net")
_DAMAGE = (av.InvalidDataError, av.error.UndefinedError)  # that of AC-3's parser has a number of its own


def decoded_pieces(path: Path) -> Iterator[tuple[np.ndarray, int]]:
    """Yield (mono float32, Hz) for each decoded frame of the first sound track, and silence for its gaps.

    Raises
    ------
    ClipError
        The file is missing, not media, without a sound track, damaged, or cut off. Bytes behind the last frame that
        are no sound are no damage; the log tells of them.
    """
    position, rate = 0, None  # position in samples, silence included
    with open_container(path, failing="cannot be read as sound") as container:
        track = first_track(container, "audio")
        if track is None:
            if container.streams.audio:
                raise ClipError(f"{path}: cannot be read as sound: this ffmpeg has no decoder for its sound track")
            raise ClipError(f"{path}: the file has no sound track")
        if not check_whole(path) and not _TELLING & set(container.format.name.split(",")):
            _log.warning(_UNTOLD, path, container.format.name)
        refuse_damage(track)
        begin = (container.start_time or 0) / av.time_base
        for frame in _frames(path, container, track):
            piece, rate = mono_float32(frame), frame.sample_rate
            for silence in _gap_before(path, frame, position / rate, begin):
                position += len(silence)
                yield silence, rate
            position += len(piece)
            yield piece, rate
        least = _least_seconds(path, container, track)
    if rate and position / rate < least:
        raise ClipError(f"{path}: cut off: the sound ends at {position / rate:.2f} s, its header states {least:.2f} s")


def _frames(path: Path, container: InputContainer, track: av.AudioStream) -> Iterator[av.AudioFrame]:
    """Yield the decoded frames; raise where one cannot be decoded, unless it is no more than a tail of other bytes."""
    own = decoder_of_samples(path, track)
    decoder = own or track.codec_context
    kind, seconds, n_frames, begin, end, failure = container.format.name, 0.0, 0, None, 0, None
    is_bare = kind in _BARE_STREAMS
    for packet, error in _packets(container, track, again=is_bare):
        frames, foreign, n_bytes = [], _NONE, 0
        try:
            if packet is not None:
                n_bytes = packet.size
                foreign, error = _look_at(packet, kind, track.rate, has_sound=seconds > 0)
                if own:  # libavformat counted other samples
                    packet.pts = packet.dts = None
                frames = decoder.decode(_frame_alone(packet, foreign))
        except _DAMAGE as damage:
            error = one_reason(damage)
        failure = failure or error
        if failure and (frames or not is_bare):
            raise ClipError(f"{path}: damaged after {seconds:.2f} s of sound: {failure}")
        for frame in frames:
            seconds += frame.samples / frame.sample_rate
            yield frame
        if packet is not None and frames and packet.pos is not None:
            header = bytes(packet)[foreign.before :][:8]
            is_whole = kind == "flac" or n_bytes - foreign.before >= frame_bytes(header, track.rate)
            end = packet.pos + (n_bytes - foreign.behind if is_whole else 0)
            begin = packet.pos if begin is None else begin
            n_frames += 1
        if foreign.behind and foreign.is_odd:
            failure = failure or BETWEEN_FRAMES
    if is_bare and seconds:
        look_behind_the_last_frame(path, kind, seconds, n_frames, range(begin or 0, end), failure)
    elif failure:
        raise ClipError(f"{path}: damaged after {seconds:.2f} s of sound: {failure}")


def _look_at(packet: av.Packet, kind: str, rate: int, *, has_sound: bool) -> tuple[Foreign, str | None]:
    """Return what a packet has besides its frame, and what is wrong with it before it is decoded.

    Parameters
    ----------
    kind : libavformat's name of the format.
    has_sound : whether sound came before; what stands before the first frame is no damage.
    """
    if kind not in _BARE_STREAMS:
        return _NONE, "zeros stand in the place of sound" if is_zeros(packet) else None
    if not packet.size:
        return _NONE, None
    if kind == "flac":  # libavformat's parser joins frames around a damaged one, and gives them no time stamp
        return _NONE, "a frame cannot be found" if packet.pts is None else None
    foreign = foreign_bytes(packet, rate)
    return foreign, BETWEEN_FRAMES if foreign.before and foreign.is_odd and has_sound else None


def _frame_alone(packet: av.Packet, foreign: Foreign) -> av.Packet:
    """Return a packet without what libavformat's parser takes for a part of its frame."""
    if foreign.before == packet.size or not foreign.before + foreign.behind:
        return packet
    alone = av.Packet(bytes(packet)[foreign.before : packet.size - foreign.behind])
    alone.pts, alone.dts, alone.time_base = packet.pts, packet.dts, packet.time_base
    return alone


def _packets(
    container: InputContainer, track: av.AudioStream, *, again: bool
) -> Iterator[tuple[av.Packet | None, str | None]]:
    """Yield (packet, None) or, where the demuxer finds none, (None, reason), after which it is asked `again` or not."""
    for _ in range(_MOST_DEMUX_ERRORS if again else 1):
        try:
            for packet in container.demux(track):
                yield packet, None
        except _DAMAGE as error:
            yield None, one_reason(error)
        except IndexError:  # PyAV does not know a track that begins later, and finds it when all is read
            return
        else:
            return


def _gap_before(path: Path, frame: av.AudioFrame, seconds: float, begin: float) -> Iterator[np.ndarray]:
    """Yield the silence between `seconds` of sound so far and the time at which `frame` is to be heard."""
    if frame.pts is None:
        return
    gap = float(frame.pts * frame.time_base) - begin - seconds
    if gap <= _SHORTEST_GAP_SECONDS:
        return
    if gap > _LONGEST_GAP_SECONDS:
        raise ClipError(f"{path}: the time stamps jump by {gap:.0f} s after {seconds:.2f} s of sound; mend the file")
    left = round(gap * frame.sample_rate)
    while left > 0:
        n = min(left, round(_SILENCE_SECONDS * frame.sample_rate))
        yield np.zeros(n, np.float32)
        left -= n


def _least_seconds(path: Path, container: InputContainer, track: av.AudioStream) -> float:
    """Return the seconds of sound that must be there: 0 unless the file counts its samples.

    FLAC counts them in its header, MP3 where it has a Xing header, MP4 and MOV in a table, and some others in a
    field. Every other length that libavformat tells is a guess, or that of another stream.
    """
    if container.format.name == "flac":
        header = track.codec_context.extradata or b""
        return (int.from_bytes(header[13:18]) & 0xFFFFFFFFF) / track.rate if len(header) >= 34 else 0.0
    seconds = 0.0
    if container.format.name == "mp3":
        seconds = _counted_frames(path) * (1152 if track.rate >= 32000 else 576) / track.rate
    elif container.format.name in _COUNTED_EXACTLY and track.duration is not None:
        return float((track.duration - 1) * track.time_base)
    elif _COUNTED & set(container.format.name.split(",")) and track.duration is not None:
        seconds = float(track.duration * track.time_base)
    return seconds * (1 - _ROUNDED_SHARE) - _ROUNDED_SECONDS


def _counted_frames(path: Path) -> int:
    """Return the number of frames that the Xing header of an MP3 file states; 0 where there is none."""
    with open(path, "rb") as file:
        tag = file.read(10)
        if tag[:3] == b"ID3":
            size = 0
            for byte in tag[6:]:
                size = size << 7 | byte & 0x7F
            file.seek(10 + size)
        else:
            file.seek(0)
        first_frame = file.read(4096)
    at = max(first_frame.find(b"Xing"), first_frame.find(b"Info"))
    has_count = at >= 0 and len(first_frame) >= at + 12 and first_frame[at + 7] & 1
    return int.from_bytes(first_frame[at + 8 : at + 12]) if has_count else 0
