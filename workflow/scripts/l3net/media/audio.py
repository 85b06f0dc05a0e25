"""Sound of any file and any array as mono float32 at the rate that is asked for, whole or block by block.

Conventions: mono is the mean of the channels; amplitudes are in [-1, 1] for integer formats and as stored for floating
point; rates in Hz. Resampling is soxr's high quality, the same for a whole file and for its blocks.
"""

from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
import soxr

from l3net.errors import ClipError
from l3net.media.rates import SAMPLE_RATE

_INTEGERS = {"u8": (128.0, 128.0), "s16": (0.0, 2.0**15), "s32": (0.0, 2.0**31), "s64": (0.0, 2.0**63)}
_SIZES_NOT_TO_TRUST = {"wav", "w64", "aiff", "au", "caf"}  # written by pipes with sizes of 0 or the largest number
_SHORTFALL = 0.02  # of the length that the header states; containers round it


def read_audio(path: Path, sample_rate: int = SAMPLE_RATE) -> np.ndarray:
    """Return the sound of a file.

    Parameters
    ----------
    path : any file with sound that ffmpeg reads; of several sound tracks the first.
    sample_rate : Hz of the result.

    Returns
    -------
    np.ndarray [shape=(n,)]
        float32, mono.

    Raises
    ------
    ClipError
        A file that is missing, not media, without sound, damaged, or with samples that are no finite numbers.
    """
    return np.concatenate(list(audio_blocks(path, sample_rate)))


def audio_blocks(path: Path, sample_rate: int = SAMPLE_RATE, block_seconds: float = 10.0) -> Iterator[np.ndarray]:
    """Yield the sound of a file in pieces of about `block_seconds`; together they are what `read` returns.

    Memory is bounded by the block, whatever the length of the file. Errors as `read`; what lies before the damage of a
    file is yielded first.
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
    """Stands where a resampler would, when the rate is right already."""

    def resample_chunk(self, audio: np.ndarray, last: bool = False) -> np.ndarray:
        return audio


def resample_audio(audio: np.ndarray, source_rate: int, sample_rate: int = SAMPLE_RATE) -> np.ndarray:
    """Return mono sound at another rate, float32; unchanged if the rates are equal."""
    if source_rate == sample_rate:
        return audio.astype(np.float32, copy=False)
    return soxr.resample(audio.astype(np.float32, copy=False), source_rate, sample_rate)


def audio_from_array(audio: np.ndarray, source_rate: int, sample_rate: int = SAMPLE_RATE) -> np.ndarray:
    """Return an array of sound as `read` returns a file: mono, float32, at `sample_rate`.

    Parameters
    ----------
    audio : np.ndarray [shape=(n,) or (n, channels)]
        Floating point as it is; integers of 8 (unsigned), 16, 32 and 64 bits are scaled to [-1, 1).
    source_rate : Hz of `audio`.

    Raises
    ------
    ClipError
        Another shape or type, no samples, samples that are no finite numbers, or a rate below 1.
    """
    audio = np.asarray(audio)
    if audio.ndim not in (1, 2) or not audio.size or (audio.ndim == 2 and audio.shape[1] > audio.shape[0] > 1):
        raise ClipError(f"sound has shape {audio.shape}; expected (n,) or (n, channels) with n of 1 or more samples")
    if source_rate < 1:
        raise ClipError(f"the sample rate is {source_rate}; expected Hz, e.g. 48000")
    if audio.dtype.kind in "iu":
        names = {("u", 1): "u8", ("i", 2): "s16", ("i", 4): "s32", ("i", 8): "s64"}
        if (name := names.get((audio.dtype.kind, audio.dtype.itemsize))) is None:
            raise ClipError(f"sound has type {audio.dtype}; expected floating point, uint8, int16, int32 or int64")
        audio = _scaled(audio, name)
    if audio.dtype.kind != "f":
        raise ClipError(f"sound has type {audio.dtype}; expected floating point or integers")
    mono = audio if audio.ndim == 1 else audio.mean(axis=1, dtype=np.float64)
    if not np.isfinite(mono).all():
        at = int(np.argmin(np.isfinite(mono))) / source_rate
        raise ClipError(f"the sound at {at:.3f} s is not a finite number (NaN or infinity)")
    return resample_audio(mono.astype(np.float32), int(source_rate), sample_rate)


def _decode(path: Path) -> Iterator[tuple[np.ndarray, int]]:
    """Yield (mono float32, Hz) for each decoded packet of the first sound track."""
    position, promised, rate = 0, None, None
    try:
        with av.open(str(path)) as container:
            if not container.streams.audio:
                raise ClipError(f"{path}: the file has no sound track")
            track = container.streams.audio[0]
            track.thread_type = "NONE"
            promised = _promised_seconds(container, track)
            for frame in container.decode(track):
                piece, rate = _mono(frame), frame.sample_rate
                position += len(piece)
                yield piece, rate
    except (av.FFmpegError, OSError) as error:
        where = f"damaged after {position / rate:.2f} s of sound" if rate else "cannot be read as sound"
        raise ClipError(f"{path}: {where}: {_reason(error)}") from None
    if rate and promised and position / rate < promised * (1 - _SHORTFALL) - 0.1:
        raise ClipError(
            f"{path}: cut off: the sound ends at {position / rate:.2f} s, its header states {promised:.2f} s"
        )


def _promised_seconds(container: av.container.InputContainer, track: av.AudioStream) -> float | None:
    """Return the length that the header states, None where it states none or is not to be trusted."""
    if track.duration is None or _SIZES_NOT_TO_TRUST & set(container.format.name.split(",")):
        return None
    return float(track.duration * track.time_base)


def _mono(frame: av.AudioFrame) -> np.ndarray:
    """Return a decoded frame as mono float32."""
    samples = frame.to_ndarray()
    if not frame.format.is_planar:
        samples = samples.reshape(-1, frame.layout.nb_channels).T
    samples = _scaled(samples, frame.format.name.removesuffix("p"))
    return samples[0] if len(samples) == 1 else samples.mean(axis=0, dtype=np.float64).astype(np.float32)


def _scaled(samples: np.ndarray, kind: str) -> np.ndarray:
    """Return samples of ffmpeg's sample format `kind` as float32."""
    offset, scale = _INTEGERS.get(kind, (0.0, 1.0))
    return ((samples - offset) / scale).astype(np.float32) if scale != 1.0 else samples.astype(np.float32, copy=False)


def _reason(error: Exception) -> str:
    return (getattr(error, "strerror", None) or str(error)).strip().splitlines()[0]


def is_audio(path: Path | str) -> bool:
    """Return whether a file has an audio stream whose first frame can be decoded."""
    try:
        with av.open(str(path)) as container:
            return any(frame.samples > 0 for frame in container.decode(audio=0))
    except (av.FFmpegError, IndexError, OSError):
        return False
