"""Samples in WAVE files that libavformat takes for others, against the numbers that were written."""

import struct
from pathlib import Path

import numpy as np
import pytest
import soundfile

from l3net.media.audio import read_audio

RATE = 48000
GUID_OF_PCM = bytes.fromhex("0100000000001000800000aa00389b71")


def samples(n: int = 20_000) -> np.ndarray:
    return 0.5 * np.sin(2 * np.pi * 440 * np.arange(n) / RATE) - 0.1


def wave_of(content: bytes, container_bits: int, used_bits: int, n_channels: int = 1) -> bytes:
    """Return a WAVE file of the extensible kind, in which `used_bits` of each sample's bits are used."""
    block = n_channels * container_bits // 8
    plain = struct.pack("<HHIIHH", 0xFFFE, n_channels, RATE, RATE * block, block, container_bits)
    about = plain + struct.pack("<HHI", 22, used_bits, 0) + GUID_OF_PCM
    chunks = b"fmt " + struct.pack("<I", len(about)) + about + b"data" + struct.pack("<I", len(content)) + content
    return b"RIFF" + struct.pack("<I", 4 + len(chunks)) + b"WAVE" + chunks


@pytest.mark.parametrize("used", [16, 20, 24, 32])
@pytest.mark.parametrize("n_channels", [1, 2])
def test_fewer_bits_used_than_a_sample_has(tmp_path: Path, used: int, n_channels: int) -> None:
    numbers = np.round(samples() * 2 ** (used - 1)).astype(np.int64) << (32 - used)
    content = np.repeat(numbers.astype("<i4"), n_channels).tobytes()
    (tmp_path / "a.wav").write_bytes(wave_of(content, 32, used, n_channels))
    np.testing.assert_allclose(read_audio(tmp_path / "a.wav", RATE), numbers / 2**31, rtol=0, atol=1e-7)


@pytest.mark.parametrize("kind", ["PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE"])
def test_big_endian_samples(tmp_path: Path, kind: str) -> None:
    stereo = np.stack([samples(), samples() / 2], axis=1)
    path = tmp_path / "rifx.wav"
    soundfile.write(path, stereo, RATE, kind, endian="BIG")
    assert path.read_bytes()[:4] == b"RIFX"
    step = {"PCM_U8": 2**-7, "PCM_16": 2**-15}.get(kind, 1e-6)
    np.testing.assert_allclose(read_audio(path, RATE), stereo.mean(axis=1), rtol=0, atol=step)
