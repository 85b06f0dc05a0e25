"""Reading the sound of any file or array as mono float32 at a chosen rate, whole or block by block.

Conventions: mono is the mean of the channels; amplitudes are in [-1, 1] for integer formats and as stored for floating
point; rates in Hz. Resampling is soxr's high quality, the same for a whole file and for its blocks.
"""

from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
import soxr

from l3net.errors import ClipError
from l3net.media.container import MEDIA_ERRORS, one_reason, open_container
from l3net.media.mono import mean_of_channels, mono_float32, scaled_float32
from l3net.media.rates import SAMPLE_RATE

_UNRELIABLE_SIZES = {"wav", "w64", "aiff", "au", "caf"}  # a pipe writes their sizes as 0 or as the largest number
_INTEGER_FORMATS = {"uint8": "u8", "int16": "s16", "int32": "s32", "int64": "s64"}
_SHORTFALL = 0.02  # share of the stated length that may be missing; containers round it


def read_audio(path: Path, sample_rate: int = SAMPLE_RATE) -> np.ndarray:
    """Read the sound of a file.

    Parameters
    ----------
    path : any file with sound that ffmpeg reads; of several sound tracks the first is read.
    sample_rate : Hz of the result.

    Returns
    -------
    np.ndarray [shape=(n,)]
        float32, mono.

    Raises
    ------
    ClipError
        The file is missing, not media, without sound or damaged, or holds samples that are not finite numbers.
    """
    return np.concatenate(list(audio_blocks(path, sample_rate)))


def audio_blocks(path: Path, sample_rate: int = SAMPLE_RATE, block_seconds: float = 10.0) -> Iterator[np.ndarray]:
    """Read the sound of a file in pieces of about `block_seconds`; joined, they are what `read_audio` returns.

    Memory is bounded by the block, whatever the length of the file. The errors are those of `read_audio`; the sound
    before a damaged place is yielded first.
    """
    stream, waiting, n_waiting, position = None, [], 0, 0
    for piece, source_rate in _decode(path):
        if not np.isfinite(piece).all():
            at = (position + int(np.argmin(np.isfinite(piece)))) / source_rate
            raise ClipError(f"{path}: the sound at {at:.3f} s is not a finite number (NaN or infinity); mend the file")
        if stream is None:
            same = source_rate == sample_rate
            stream = None if same else soxr.ResampleStream(source_rate, sample_rate, 1, dtype="float32")
            first_rate, stream = source_rate, stream or _AsItIs()
        if source_rate != first_rate:
            raise ClipError(
                f"{path}: the rate changes from {first_rate} to {source_rate} Hz after {position / first_rate:.1f} s"
            )
        waiting.append(piece)
        n_waiting += len(piece)
        position += len(piece)
        if n_waiting >= block_seconds * source_rate:
            yield stream.resample_chunk(np.concatenate(waiting))
            waiting, n_waiting = [], 0
    if stream is None:
        raise ClipError(f"{path}: there is no sound in its sound track: 0 samples")
    rest = np.concatenate(waiting) if waiting else np.zeros(0, np.float32)
    yield stream.resample_chunk(rest, last=True)


class _AsItIs:
    """Takes the place of a resampler where the rate needs no change."""

    def resample_chunk(self, audio: np.ndarray, last: bool = False) -> np.ndarray:
        return audio


def resample_audio(audio: np.ndarray, source_rate: int, sample_rate: int = SAMPLE_RATE) -> np.ndarray:
    """Resample mono sound; where the rates are equal it is only made float32."""
    if source_rate == sample_rate:
        return audio.astype(np.float32, copy=False)
    return soxr.resample(audio.astype(np.float32, copy=False), source_rate, sample_rate)


def audio_from_array(audio: np.ndarray, source_rate: int, sample_rate: int = SAMPLE_RATE) -> np.ndarray:
    """Convert an array of sound to what `read_audio` makes of a file: mono, float32, at `sample_rate`.

    Parameters
    ----------
    audio : np.ndarray [shape=(n,) or (n, channels)]
        Floating point as it is; integers of 8 (unsigned), 16, 32 and 64 bits are scaled to [-1, 1).
    source_rate : Hz of `audio`.

    Raises
    ------
    ClipError
        The shape or type is another, there are no samples or some that are not finite, or the rate is below 1.
    """
    audio = np.asarray(audio)
    if audio.ndim not in (1, 2) or not audio.size or (audio.ndim == 2 and audio.shape[1] > audio.shape[0] > 1):
        raise ClipError(f"sound has shape {audio.shape}; expected (n,) or (n, channels) with n of 1 or more samples")
    if source_rate < 1:
        raise ClipError(f"the sample rate is {source_rate}; expected Hz, e.g. 48000")
    if audio.dtype.kind in "iu":
        if (name := _INTEGER_FORMATS.get(audio.dtype.name)) is None:
            raise ClipError(f"sound has type {audio.dtype}; expected floating point, uint8, int16, int32 or int64")
        audio = scaled_float32(audio, name)
    if audio.dtype.kind != "f":
        raise ClipError(f"sound has type {audio.dtype}; expected floating point or integers")
    mono = audio if audio.ndim == 1 else mean_of_channels(audio.T)
    if not np.isfinite(mono).all():
        at = int(np.argmin(np.isfinite(mono))) / source_rate
        raise ClipError(f"the sound at {at:.3f} s is not a finite number (NaN or infinity)")
    return resample_audio(mono.astype(np.float32), int(source_rate), sample_rate)


def _decode(path: Path) -> Iterator[tuple[np.ndarray, int]]:
    """Yield (mono float32, Hz) for each decoded packet of the first sound track."""
    position, promised, rate = 0, None, None
    with open_container(path, failing="cannot be read as sound") as container:
        if not container.streams.audio:
            raise ClipError(f"{path}: the file has no sound track")
        track = container.streams.audio[0]
        track.thread_type = "NONE"
        promised = _promised_seconds(container, track)
        try:
            for frame in container.decode(track):
                piece, rate = mono_float32(frame), frame.sample_rate
                position += len(piece)
                yield piece, rate
        except MEDIA_ERRORS as error:
            if rate is None:
                raise
            raise ClipError(f"{path}: damaged after {position / rate:.2f} s of sound: {one_reason(error)}") from None
    if rate and promised and position / rate < promised * (1 - _SHORTFALL) - 0.1:
        raise ClipError(
            f"{path}: cut off: the sound ends at {position / rate:.2f} s, its header states {promised:.2f} s"
        )


def _promised_seconds(container: av.container.InputContainer, track: av.AudioStream) -> float | None:
    """Return the seconds that the header states; None where it states none or its kind is unreliable."""
    if track.duration is None or _UNRELIABLE_SIZES & set(container.format.name.split(",")):
        return None
    return float(track.duration * track.time_base)
