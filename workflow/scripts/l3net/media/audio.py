"""Reading the sound of any file or array as mono float32 at a chosen rate, whole or block by block.

Conventions: mono is the mean of the channels; amplitudes are in [-1, 1] for integer formats and as stored for floating
point; rates in Hz. Resampling is soxr's high quality, the same for a whole file and for its blocks. Time is the file's
own: it begins where the earliest of its streams does, and `decoding` keeps every sample at its time stamp.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import soxr

from l3net.errors import ClipError
from l3net.media.decoding import decoded_pieces
from l3net.media.mono import mean_of_channels, scaled_float32
from l3net.media.rates import SAMPLE_RATE

_SPEAKERS = 8  # channels that a block of a stream may have though it has fewer samples
_CHANNELS = 64  # most channels of one sample; an array with more in its one row lies on its side
_INTEGER_FORMATS = {"uint8": "u8", "int16": "s16", "int32": "s32", "int64": "s64"}


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
        The file is missing, not media, without sound, cut off or damaged, or holds samples that are not finite numbers.
    """
    return np.concatenate(list(audio_blocks(path, sample_rate)))


def audio_blocks(path: Path, sample_rate: int = SAMPLE_RATE, block_seconds: float = 10.0) -> Iterator[np.ndarray]:
    """Read the sound of a file in pieces of about `block_seconds`; joined, they are what `read_audio` returns.

    Memory is bounded by the block, whatever the length of the file. The errors are those of `read_audio`; the sound
    before a damaged place is yielded first.
    """
    stream, waiting, n_waiting = None, [], 0
    try:
        for piece, source_rate in _finite_pieces(path):
            if stream is None:
                same = source_rate == sample_rate
                stream = _AsItIs() if same else soxr.ResampleStream(source_rate, sample_rate, 1, dtype="float32")
            waiting.append(piece)
            n_waiting += len(piece)
            if n_waiting >= block_seconds * source_rate:
                yield stream.resample_chunk(np.concatenate(waiting))
                waiting, n_waiting = [], 0
        rest = np.concatenate(waiting) if waiting else np.zeros(0, np.float32)
        yield stream.resample_chunk(rest, last=True)
    finally:
        stream = None  # an error that is kept keeps this frame, and soxr complains of it on the screen at the end


def _finite_pieces(path: Path) -> Iterator[tuple[np.ndarray, int]]:
    """Yield (mono float32, Hz) of a file's sound, piece by piece, after checking that it can be used."""
    position, first_rate = 0, None
    for piece, rate in decoded_pieces(path):
        if not np.isfinite(piece).all():
            at = (position + int(np.argmin(np.isfinite(piece)))) / rate
            raise ClipError(f"{path}: the sound at {at:.3f} s is not a finite number (NaN or infinity); mend the file")
        first_rate = first_rate or rate
        if rate != first_rate:
            after = position / first_rate
            raise ClipError(f"{path}: the rate changes from {first_rate} to {rate} Hz after {after:.1f} s")
        position += len(piece)
        yield piece, rate
    if first_rate is None:
        raise ClipError(f"{path}: there is no sound in its sound track: 0 samples")


class AudioConverter:
    """Convert blocks of one sound, of any length, to what `read_audio` makes of a file: mono float32 at `sample_rate`.

    Parameters
    ----------
    source_rate, sample_rate : Hz of the blocks, and of what is made of them.
    """

    def __init__(self, source_rate: int, sample_rate: int = SAMPLE_RATE) -> None:
        self.source_rate, same = source_rate, source_rate == sample_rate
        self._stream = _AsItIs() if same else soxr.ResampleStream(source_rate, sample_rate, 1, dtype="float32")
        self._n_taken, self._channels = 0, None

    def push(self, block: np.ndarray) -> np.ndarray:
        """Convert a block as `audio_from_array` does; an empty one is none, and what is not due yet stays inside.

        A block may have fewer samples than channels, and has as many channels as those before it.
        """
        block = np.asarray(block)
        if block.ndim and not block.shape[0]:
            return np.zeros(0, np.float32)
        channels = block.shape[1] if block.ndim == 2 else 1
        if self._channels not in (None, channels) and block.ndim in (1, 2):
            raise ClipError(f"a block has {channels} channels, those before it {self._channels}; expected as many")
        most = _SPEAKERS if self._channels is None else channels
        mono = audio_from_array(
            block, self.source_rate, self.source_rate, begins=self._n_taken / self.source_rate, most_channels=most
        )
        self._n_taken, self._channels = self._n_taken + len(mono), channels
        return self._stream.resample_chunk(mono)

    def finish(self) -> np.ndarray:
        """Return what is still inside."""
        return self._stream.resample_chunk(np.zeros(0, np.float32), last=True)


class _AsItIs:
    """Takes the place of a resampler where the rate needs no change."""

    def resample_chunk(self, audio: np.ndarray, last: bool = False) -> np.ndarray:
        return audio


def resample_audio(audio: np.ndarray, source_rate: int, sample_rate: int = SAMPLE_RATE) -> np.ndarray:
    """Resample mono sound; where the rates are equal it is only made float32."""
    if source_rate == sample_rate:
        return audio.astype(np.float32, copy=False)
    return soxr.resample(audio.astype(np.float32, copy=False), source_rate, sample_rate)


def audio_from_array(
    audio: np.ndarray,
    source_rate: int,
    sample_rate: int = SAMPLE_RATE,
    *,
    begins: float = 0.0,
    most_channels: int = 1,
) -> np.ndarray:
    """Convert an array of sound to what `read_audio` makes of a file: mono, float32, at `sample_rate`.

    Parameters
    ----------
    audio : np.ndarray [shape=(n,) or (n, channels)]
        Floating point as it is; integers of 8 (unsigned), 16, 32 and 64 bits are scaled to [-1, 1).
    source_rate : Hz of `audio`.
    begins : seconds at which it begins in a longer sound, for messages.
    most_channels : up to so many columns are channels also where there are fewer rows; more are an array on its side.

    Raises
    ------
    ClipError
        The shape or type is another, there are no samples or some are not finite, or the rate is no whole number of
        1 or more.
    """
    if isinstance(audio, str | Path):
        raise ClipError(f"sound is a path, {str(audio)[:100]}; expected samples, as a reader of sound files gives them")
    audio = np.asarray(audio)
    is_lying = (
        audio.ndim == 2
        and audio.shape[1] > max(audio.shape[0], most_channels)
        and (audio.shape[0] > 1 or audio.shape[1] > _CHANNELS)
    )
    if audio.ndim not in (1, 2) or not audio.size or is_lying:
        hint = "; did you mean the transpose, audio.T?" if is_lying and audio.size else ""
        hint = hint if audio.ndim else "; a list is one of sounds: make an array of the samples of one"
        raise ClipError(
            f"sound has shape {audio.shape}; expected (n,) or (n, channels) with n of 1 or more samples{hint}"
        )
    if source_rate is None or isinstance(source_rate, str) or not source_rate >= 1 or source_rate % 1:
        raise ClipError(f"the sample rate is {source_rate!r}; expected a whole number of Hz, e.g. 48000")
    if audio.dtype.kind in "iu":
        if (name := _INTEGER_FORMATS.get(audio.dtype.name)) is None:
            raise ClipError(f"sound has type {audio.dtype}; expected floating point, uint8, int16, int32 or int64")
        audio = scaled_float32(audio, name)
    if audio.dtype.kind != "f":
        raise ClipError(f"sound has type {audio.dtype}; expected floating point or integers")
    mono = audio if audio.ndim == 1 else mean_of_channels(audio.T)
    if not np.isfinite(mono).all():
        at = begins + int(np.argmin(np.isfinite(mono))) / source_rate
        raise ClipError(f"the sound at {at:.3f} s is not a finite number (NaN or infinity)")
    return resample_audio(mono.astype(np.float32), int(source_rate), sample_rate)


def check_audio(path: Path) -> float:
    """Read the sound of a file to its end; return its seconds.

    Raises
    ------
    ClipError
        As `read_audio`.
    """
    return sum(len(piece) / rate for piece, rate in _finite_pieces(path))
