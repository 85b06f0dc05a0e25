"""Log-mel statistics as a module with the HEAR 2021 API: an example of an embedding of one's own, and a sanity line.

    embeddings:
      logmel: {kind: hear, module: docs.examples.log_mel_statistics, vectors: scene}

It is found by this name where Snakemake or the command l3net runs in the project's folder, and needs librosa. The
vector of a sound holds mean, deviation, minimum and maximum over time of 64 log-mel bands, and mean and deviation of
their differences from one frame to the next. Sound is at 22,050 Hz, windows are 46 ms long, the hop is 23 ms.
"""

import librosa
import numpy as np

_BANDS, _WINDOW, _HOP = 64, 1024, 512


class LogMelStatistics:
    """Hold what the API asks of a model."""

    sample_rate = 22050
    scene_embedding_size = 6 * _BANDS
    timestamp_embedding_size = _BANDS


def load_model(path: str = "") -> LogMelStatistics:
    """Return the model, which has no weights."""
    return LogMelStatistics()


def get_timestamp_embeddings(audio: np.ndarray, model: LogMelStatistics) -> tuple[np.ndarray, np.ndarray]:
    """Compute log-mel spectra [n_sounds, n_frames, 64] and the frames' centres in milliseconds [n_sounds, n_frames]."""
    power = librosa.feature.melspectrogram(
        y=np.asarray(audio), sr=model.sample_rate, n_fft=_WINDOW, hop_length=_HOP, n_mels=_BANDS
    )
    spectra = np.log(power + 1e-6).transpose(0, 2, 1).astype(np.float32)
    times = 1000.0 * np.arange(spectra.shape[1]) * _HOP / model.sample_rate
    return spectra, np.tile(times, (len(spectra), 1))


def get_scene_embeddings(audio: np.ndarray, model: LogMelStatistics) -> np.ndarray:
    """Compute one vector for each sound [n_sounds, 384]."""
    spectra, _ = get_timestamp_embeddings(audio, model)
    steps = np.diff(spectra, axis=1)
    parts = [spectra.mean(1), spectra.std(1), spectra.min(1), spectra.max(1), steps.mean(1), steps.std(1)]
    return np.concatenate(parts, axis=1)
