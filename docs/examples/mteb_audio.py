"""A model of this workflow in MTEB's benchmarks of sound (pip install mteb).

model = L3Audio("embedding.keras")
mteb.evaluate(model, mteb.get_tasks(tasks=["ESC50"]))
"""

from typing import Any

import numpy as np
import torch._dynamo  # noqa: F401  before TensorFlow: their compilers crash when loaded in the other order
from mteb.models import ModelMeta
from mteb.models.abs_encoder import AbsEncoder

import l3net


class L3Audio(AbsEncoder):
    """A sound's vector is the mean of its windows' vectors, one every `hop_seconds`."""

    def __init__(self, model: str, hop_seconds: float = 0.1, name: str = "own/l3"):
        self.embedding = l3net.load(model)
        self.hop_seconds = hop_seconds
        unknown = ["n_parameters", "memory_usage_mb", "max_tokens", "license", "public_training_code"]
        unknown += ["public_training_data", "training_datasets", "release_date", "revision", "loader"]
        self.mteb_model_meta = ModelMeta(
            name=name,
            languages=[],
            embed_dim=self.embedding.dimension,
            open_weights=True,
            framework=["TensorFlow"],
            similarity_fn_name="cosine",
            use_instructions=False,
            modalities=["audio"],
            **dict.fromkeys(unknown),
        )

    def encode(self, inputs: Any, **_: Any) -> np.ndarray:
        """Embed the batches of a data loader: each has ``audio``, a list of ``array`` and ``sampling_rate``."""
        return np.stack([self._embed(sound) for batch in inputs for sound in batch["audio"]])

    def _embed(self, sound: dict[str, Any]) -> np.ndarray:
        audio = np.asarray(sound["array"], dtype=np.float32)
        vectors, _ = l3net.embed(audio.T, sound["sampling_rate"], model=self.embedding, hop_seconds=self.hop_seconds)
        return vectors.mean(axis=0)
