"""L3-Net audio embeddings, and the library under the workflow that trains them.

    import l3net

    vectors, times = l3net.embed(audio, sample_rate, model="embedding.keras")  # vectors [n, d], times [n] in seconds
    heard, seen, times = l3net.embed_film("film.mp4", sound_model="embedding.keras", image_model="vision.keras")
    live = l3net.stream("embedding.keras", hop_seconds=0.1)  # live.push(block) -> the vectors and times it completes
    model = l3net.load("embedding.keras")  # loaded once, for many calls: l3net.embed(audio, sample_rate, model=model)

In a shell, ``l3net embed sounds/ --model embedding.keras --output vectors/`` does the same for files. The rooms of the
library and their order are in docs/architecture.md: a room imports only from rooms below it.
"""

import os

from l3net.runtime.tensorflow_notes import leave_out_notes

# TensorFlow's notes (GPUs not found, graph attributes) would bury a run's own lines; its failures are exceptions.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
leave_out_notes()
# Two jobs can share a card, and a job's size can be seen, where TensorFlow takes memory as it needs it.
os.environ.setdefault("TF_FORCE_GPU_ALLOW_GROWTH", "true")
# Not every file system has locks (NFS without lockd: errno 37), and no file here has two writers: each is written under
# a name of its own and renamed. HDF5 reads this as it loads.
os.environ.setdefault("HDF5_USE_FILE_LOCKING", "FALSE")

__version__ = "0.2.0"
__all__ = ["__version__", "embed", "embed_film", "load", "stream"]


def __getattr__(name: str) -> object:
    """Return a function, whose module is imported when it is asked for."""
    if name == "embed_film":
        from l3net import vectors

        return vectors.embed_film
    if name in ("embed", "load", "stream"):
        from l3net import embeddings

        return getattr(embeddings, "load_keras_embedding" if name == "load" else name)
    raise AttributeError(f"module 'l3net' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
