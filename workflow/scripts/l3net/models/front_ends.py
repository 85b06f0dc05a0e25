"""The front ends by name: what tells one spectrogram from another, and how its maps are pooled into an embedding.

A new front end is a row of `FRONT_ENDS`; `spectrogram.Spectrogram` computes it. Nothing here needs TensorFlow, so a
wrong name is found at once. Source: the paper, section 3, and the published code.
"""

from dataclasses import dataclass

HOP_LENGTH = 242  # samples at 48 kHz between frames
FRONT_END_VERSIONS = ("training", "openl3")
POOLINGS = (6144, 512)  # values of an audio embedding at width 1 and the paper's hop length


@dataclass(frozen=True)
class FrontEnd:
    """What tells one front end from another.

    Parameters
    ----------
    n_fft : samples of a Fourier transform.
    n_mels : mel bands; 0 keeps the bins of the Fourier transform.
    padded : whether silence is put around the sound so that every hop has a frame.
    pool_size : bins and frames whose maximum is one value of the 6144; the 512 are the maxima over the whole map.
    """

    n_fft: int
    n_mels: int
    padded: bool
    pool_size: tuple[int, int]


FRONT_ENDS = {
    "linear": FrontEnd(n_fft=512, n_mels=0, padded=False, pool_size=(8, 8)),
    "mel128": FrontEnd(n_fft=2048, n_mels=128, padded=True, pool_size=(4, 8)),
    "mel256": FrontEnd(n_fft=2048, n_mels=256, padded=True, pool_size=(8, 8)),
}
