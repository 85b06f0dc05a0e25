"""Make front_ends_librosa.npz: the spectrograms of both versions by librosa, in float64.

    python -m tests.golden.make_front_ends

Formulas: FFT and padding of the published training code (version training) and of openl3 0.4 (version openl3).
"""

from pathlib import Path

import librosa
import numpy as np

from tests.golden.front_end_sounds import KINDS, digest, sounds

HOP = 242


def spectrogram(sound: np.ndarray, version: str, name: str) -> np.ndarray:
    """Return the dB spectrogram [shape=(bins, frames)] of a sound."""
    n_fft = 512 if name == "linear" else 2048
    if name != "linear":
        before = 982 if version == "training" else 0
        sound = np.pad(sound, (before, 1964 - before))
    magnitude = np.abs(librosa.stft(sound, n_fft=n_fft, hop_length=HOP, center=False, dtype=np.complex128))
    if name != "linear":
        is_htk = version == "training"
        mel = librosa.filters.mel(
            sr=48000, n_fft=n_fft, n_mels=int(name[3:]), htk=is_htk, norm="slaney", dtype=np.float64
        )
        magnitude = np.sqrt(mel @ magnitude**2) if is_htk else mel @ magnitude
    decibels = 10 * np.log10(np.maximum(magnitude, 1e-10))
    return np.maximum(decibels - decibels.max(), -80.0)


def main() -> None:
    """Write the file beside this script."""
    arrays = {}
    for version, name in KINDS:
        all_of_them = np.stack([spectrogram(sound.astype(np.float64), version, name) for sound in sounds()])
        for part, values in digest(all_of_them).items():
            arrays[f"{version}_{name}_{part}"] = values
    np.savez_compressed(Path(__file__).with_name("front_ends_librosa.npz"), librosa=librosa.__version__, **arrays)


if __name__ == "__main__":
    main()
