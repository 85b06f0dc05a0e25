"""Make front_ends_kapre.npz: the same spectrograms by kapre's layers, which need an environment of their own.

    python3.11 -m venv kapre && kapre/bin/pip install tensorflow==2.15.1 'librosa<0.11'
    kapre/bin/pip install --no-deps kapre==0.3.7
    kapre/bin/python -m tests.golden.make_front_ends_kapre

kapre 0.3 does not import beside Keras 3. Its layers make the version openl3 as the package openl3 0.4 does; its STFT
and filters, on a padded sound and with powers in place of magnitudes, make the version training, as kapre 0.1 did.
The decibels are kapre 0.1's formula (maximum of each sound at 0).
"""

from pathlib import Path

import kapre
import numpy as np
import tensorflow as tf
from kapre import STFT, ApplyFilterbank, Magnitude

from tests.golden.front_end_sounds import KINDS, digest, sounds

HOP = 242


def spectrograms(version: str, name: str) -> np.ndarray:
    """Return the dB spectrograms [shape=(n, bins, frames)] of all sounds."""
    sound, is_mel = sounds(), name != "linear"
    if is_mel and version == "training":
        sound = np.pad(sound, ((0, 0), (982, 982)))
    pad_end = is_mel and version == "openl3"
    values = Magnitude()(STFT(n_fft=2048 if is_mel else 512, hop_length=HOP, pad_end=pad_end)(sound[..., None]))
    if is_mel:
        is_htk = version == "training"
        filters = {"sample_rate": 48000, "n_freq": 1025, "n_mels": int(name[3:]), "htk": is_htk, "norm": "slaney"}
        mel = ApplyFilterbank(type="mel", filterbank_kwargs=filters, data_format="channels_last")
        values = tf.sqrt(mel(values**2)) if is_htk else mel(values)
    decibels = 10.0 * np.log10(np.maximum(values.numpy(), 1e-10))[..., 0].transpose(0, 2, 1)
    return np.maximum(decibels - decibels.max(axis=(1, 2), keepdims=True), -80.0)


def main() -> None:
    """Write the file beside this script."""
    arrays = {f"{v}_{n}_{part}": a for v, n in KINDS for part, a in digest(spectrograms(v, n)).items()}
    versions = {"kapre": kapre.__version__, "tensorflow": tf.__version__}
    np.savez_compressed(Path(__file__).with_name("front_ends_kapre.npz"), **versions, **arrays)


if __name__ == "__main__":
    main()
