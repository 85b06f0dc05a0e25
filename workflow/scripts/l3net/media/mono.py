"""The mean of the channels of decoded sound, as floating point or as 16-bit integers.

Conventions: channels [shape=(n_channels, n)]; sample formats have ffmpeg's names without the ``p`` of planar layouts.
"""

import av
import numpy as np

_POINTERS_OF_A_FRAME = 8  # ffmpeg's AVFrame has room for so many planes; PyAV looks for the end of their row
_OFFSET_AND_FULL_SCALE = {"u8": (128.0, 2.0**7), "s16": (0.0, 2.0**15), "s32": (0.0, 2.0**31), "s64": (0.0, 2.0**63)}


def mono_float32(frame: av.AudioFrame) -> np.ndarray:
    """Return the mean of a frame's channels as float32 [shape=(n,)], integers scaled to [-1, 1)."""
    channels = scaled_float32(_channels(frame), _sample_format(frame))
    return channels[0] if len(channels) == 1 else mean_of_channels(channels).astype(np.float32)


def mono_int16(frame: av.AudioFrame) -> np.ndarray:
    """Return the mean of a frame's channels as int16 [shape=(n,)], clipped to its range."""
    channels = _channels(frame)
    if channels.dtype == np.int16 and len(channels) == 1:
        return channels[0].copy()
    offset, full_scale = _OFFSET_AND_FULL_SCALE.get(_sample_format(frame), (0.0, 1.0))
    mean = (mean_of_channels(channels) - offset) / full_scale * 2.0**15
    return np.clip(np.rint(mean), -(2**15), 2**15 - 1).astype(np.int16)


def mean_of_channels(channels: np.ndarray) -> np.ndarray:
    """Return the mean of `channels`, summed and kept in float64 [shape=(n,)]."""
    total = channels[0].astype(np.float64)
    for channel in channels[1:]:  # several times faster than a mean over the few values of each sample
        total += channel
    return total / len(channels)


def scaled_float32(samples: np.ndarray, sample_format: str) -> np.ndarray:
    """Return samples as float32, integers scaled to [-1, 1); floating-point samples keep their scale."""
    offset, full_scale = _OFFSET_AND_FULL_SCALE.get(sample_format, (0.0, 1.0))
    if full_scale == 1.0:
        with np.errstate(over="ignore"):  # numbers that float32 has not are told as not finite
            return samples.astype(np.float32, copy=False)
    if samples.dtype.itemsize <= 2:  # float32 holds these numbers and their parts of a power of two as they are
        return (samples.astype(np.float32) - np.float32(offset)) * np.float32(1.0 / full_scale)
    return ((samples - offset) / full_scale).astype(np.float32)


def _channels(frame: av.AudioFrame) -> np.ndarray:
    n_channels = frame.layout.nb_channels
    if frame.format.is_planar and n_channels >= _POINTERS_OF_A_FRAME:
        # No end follows them: PyAV would read memory that is no plane, which ends the process.
        packing = av.AudioResampler(format=frame.format.packed.name, layout=frame.layout, rate=frame.sample_rate)
        (frame,) = packing.resample(frame)
    samples = frame.to_ndarray()
    return samples if frame.format.is_planar else samples.reshape(-1, n_channels).T


def _sample_format(frame: av.AudioFrame) -> str:
    return frame.format.name.removesuffix("p")
