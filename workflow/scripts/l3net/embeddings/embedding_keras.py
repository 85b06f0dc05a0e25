"""Our networks as embeddings: an embedding.keras, openl3's released weights in our network, or an untrained network.

Conventions: windows of 1 s at 48 kHz, float32 in [-1, 1); times in seconds.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from l3net import inference, models
from l3net.embeddings.interface import Embedding, WindowEmbedding
from l3net.embeddings.keras_archive import check_keras_archive
from l3net.embeddings.keras_metadata import check_origin, read_keras_metadata
from l3net.embeddings.onnx_embedding import load_onnx_embedding
from l3net.errors import ConfigError, WeightsError
from l3net.files import foreign, kept_while_unchanged
from l3net.media import SAMPLE_RATE, audio_from_array

if TYPE_CHECKING:
    import keras

WINDOW = SAMPLE_RATE  # samples; one second
_IMAGE_SIZE = 32  # pixels; the vision subnetwork is built with the rest of L3-Net and not used


def embed(
    audio: np.ndarray | list[np.ndarray],
    sample_rate: int | list[int],
    *,
    model: Path | str | Embedding,
    hop_seconds: float = 0.1,
    center: bool = False,
    batch_size: int = 32,
    precision: str = "float32",
) -> tuple[np.ndarray, np.ndarray] | tuple[list[np.ndarray], list[np.ndarray]]:
    """Compute the embedding of a sound, or of each of a list of sounds.

    Parameters
    ----------
    audio : np.ndarray [shape=(n,) or (n, channels)]
        Floating point in [-1, 1], or integers. The sounds of a list share the batches of the network.
    sample_rate : sample rate of `audio` in Hz, or of each sound of a list; it is resampled to what the model takes.
    model : the path of an embedding.keras or .onnx, or what `load` returned. A file is loaded once and kept.
    hop_seconds : seconds from one window to the next.
    center : whether a timestamp is the centre of its window or its start.
    batch_size : how many windows the network is given at a time.
    precision : precision of a model that is given as a file; ``bfloat16`` is less exact, and faster on CPUs that have
        instructions for it.

    Returns
    -------
    embeddings : np.ndarray float32 [shape=(n_windows, d)], or a list of them
    timestamps : np.ndarray float64 [shape=(n_windows,)] in seconds, or a list of them

    Raises
    ------
    ClipError
        Sound of another shape or type, without samples, or with samples that are no finite numbers.
    ConfigError
        A hop that is not above zero or is longer than a window; an unknown precision; more or fewer sample rates than
        sounds.
    WeightsError
        A model that cannot be loaded.
    """
    embedding = as_embedding(model, precision)
    arrays = audio if isinstance(audio, list) else [audio]
    rates = [sample_rate] * len(arrays) if np.ndim(sample_rate) == 0 else list(sample_rate)
    if len(rates) != len(arrays) or (np.ndim(sample_rate) and not isinstance(audio, list)):
        raise ConfigError(
            f"{len(rates)} sample rates for {len(arrays)} sounds; expected one, or a list with one for each"
        )
    pairs = enumerate(zip(arrays, rates, strict=True))
    sounds = ((n, [audio_from_array(array, rate, embedding.sample_rate)]) for n, (array, rate) in pairs)
    vectors, times = [[] for _ in arrays], [[] for _ in arrays]
    for piece in embedding.embed(sounds, hop_seconds=hop_seconds, center=center, batch_size=batch_size):
        if piece.error is not None:
            raise piece.error
        vectors[piece.key].append(piece.vectors)
        times[piece.key].append(piece.timestamps)
    all_vectors, all_times = [np.concatenate(own) for own in vectors], [np.concatenate(own) for own in times]
    return (all_vectors, all_times) if isinstance(audio, list) else (all_vectors[0], all_times[0])


def as_embedding(model: Path | str | Embedding, precision: str) -> Embedding:
    """Return the embedding that a path names, or the one that is given; raise a `ConfigError` where it is neither."""
    embedding = load_once(Path(model), precision) if isinstance(model, str | Path) else model
    if not isinstance(embedding, Embedding):
        raise ConfigError(
            f"model is a {type(model).__name__}; expected the path of an embedding.keras, or what load gave"
        )
    return embedding


def load_once(path: Path, precision: str) -> WindowEmbedding:
    """Load an embedding.keras, or return what was loaded of the same file before."""
    try:
        return _load_version(path.resolve(), precision)
    except OSError as error:
        raise WeightsError(f"{path}: cannot be read: {error.strerror}") from None


@kept_while_unchanged(most=None)
def _load_version(path: Path, precision: str) -> WindowEmbedding:
    return load_keras_embedding(path, precision)


def load_keras_embedding(path: Path | str, precision: str = "float32") -> WindowEmbedding:
    """Load the embedding of sound in an embedding.keras, or in an .onnx that `l3net export` wrote of one.

    Raises
    ------
    ConfigError
        An unknown precision, or one for an .onnx, which has its own.
    WeightsError
        A file that `load_network` refuses, or a vision embedding.
    """
    inference.check_precision(precision)
    path = Path(path)
    if path.suffix == ".onnx":
        return load_onnx_embedding(path, precision)
    if (kind := read_keras_metadata(path)["kind"]) != "l3":
        raise WeightsError(f"{path}: is of kind {kind}; expected one of sound, an embedding.keras")
    return embedding_of_model(*load_network(path), precision)


def load_network(path: Path | str) -> tuple["keras.Model", dict[str, Any]]:
    """Load the network of an embedding.keras or vision.keras, and its metadata.

    Raises
    ------
    WeightsError
        A file that extract_embedding did not make, that is damaged, or that holds numbers that are not finite.
    """
    path = Path(path)
    metadata = read_keras_metadata(path)
    import keras

    import l3net.models.spectrogram  # noqa: F401  registers the layers that stand in the file

    check_keras_archive(path)
    with foreign(path, WeightsError, "an embedding.keras"):
        network = keras.saving.load_model(path, compile=False)
    for variable in network.variables:
        models.check_finite_weights(path, variable.path, np.asarray(variable))
    return network, metadata


def embedding_of_model(model: "keras.Model", about: dict[str, Any], precision: str = "float32") -> WindowEmbedding:
    """Make an embedding of a Keras model, sound [batch, 48000] -> [batch, d], for batches of any size.

    Raises
    ------
    ConfigError
        A precision that is not one of `inference.PRECISIONS`.
    """
    origin = about if precision == "float32" else {**about, "precision": precision}
    network = inference.prepare_for_inference(model, precision)
    return WindowEmbedding(network, model.output_shape[-1], SAMPLE_RATE, WINDOW, dict(origin))


def load_l3(
    files: list[Path],
    *,
    front_end: str | None = None,
    subset: str | None = None,
    pooling: int | None = None,
    model_seed: int | None = None,
    precision: str = "float32",
) -> WindowEmbedding:
    """Load a model that this project trained (kind ``l3``).

    Parameters
    ----------
    files : an embedding.keras, or an .onnx that `l3net export` wrote of one.
    front_end, subset, pooling : what the file must say that it was made with.
    model_seed : number of the model's seed in the grid of models, which tables show. It takes the place of the file's
        own model_seed, which is the seed that its weights were drawn with: the run's seed plus this number.
    """
    embedding = load_keras_embedding(files[0], precision)
    check_origin(files[0], embedding.about, {"front_end": front_end, "subset": subset, "pooling": pooling})
    if model_seed is not None:
        embedding.about["model_seed"] = model_seed
    return embedding


def load_openl3(
    files: list[Path],
    *,
    front_end: str = "mel256",
    pooling: int = 6144,
    subset: str = "",
    precision: str = "float32",
) -> WindowEmbedding:
    """Load openl3's released weights behind the front end that openl3 computes (kind ``openl3``)."""
    l3_model = models.build_l3(front_end, image_size=_IMAGE_SIZE, version="openl3")
    network = models.embedding_network(l3_model, pooling=pooling)
    models.read_openl3_weights(network, files[0])
    return embedding_of_model(network, {"front_end": front_end, "subset": subset}, precision)


def load_random(
    files: list[Path],
    *,
    front_end: str = "mel256",
    pooling: int = 6144,
    seed: int = 0,
    version: str = "training",
    hop_length: int = models.HOP_LENGTH,
    width: float = 1.0,
    precision: str = "float32",
) -> WindowEmbedding:
    """Make an untrained network (kind ``random``), the floor that every learned embedding must beat."""
    l3_model = models.build_l3(
        front_end, image_size=_IMAGE_SIZE, version=version, hop_length=hop_length, width=width, seed=seed
    )
    network = models.embedding_network(l3_model, pooling=pooling)
    return embedding_of_model(network, {"front_end": front_end, "model_seed": seed}, precision)
